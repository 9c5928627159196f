-- SPDX-License-Identifier: Apache-2.0
-- Operations that wait for a second person; those decided are kept.

CREATE TABLE approval (
	id BLOB NOT NULL PRIMARY KEY,
	kind TEXT NOT NULL,
	object TEXT NOT NULL,
	title TEXT NOT NULL,
	args TEXT NOT NULL,
	permission TEXT NOT NULL,
	hash BLOB NOT NULL,
	requester TEXT NOT NULL,
	requested_at INTEGER NOT NULL,
	expires_at INTEGER NOT NULL,
	state INTEGER NOT NULL,
	decided_by TEXT NOT NULL,
	decided_at INTEGER NOT NULL,
	reason TEXT NOT NULL
);

-- Since when a set is in force, and until when if that is planned.
ALTER TABLE reference_set ADD COLUMN activated_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE reference_set ADD COLUMN supersede_at INTEGER NOT NULL DEFAULT 0;
UPDATE reference_set SET activated_at = created_at WHERE state <> 0;
