-- SPDX-License-Identifier: Apache-2.0
-- What clients of the Mt. Wilson family keep here that is no object of ours: OEMs, OSs, MLEs, what a host was registered with.

CREATE TABLE family (
	kind TEXT NOT NULL,
	key TEXT NOT NULL,
	body TEXT NOT NULL, -- JSON object; empty: it was removed
	PRIMARY KEY (kind, key)
);
