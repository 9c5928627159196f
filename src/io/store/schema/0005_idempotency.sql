-- SPDX-License-Identifier: Apache-2.0
-- What was answered to requests with an Idempotency-Key, for a day.

CREATE TABLE idempotency (
	key BLOB NOT NULL PRIMARY KEY,
	request BLOB NOT NULL,
	at INTEGER NOT NULL,
	status INTEGER NOT NULL,
	secret INTEGER NOT NULL,
	location TEXT NOT NULL,
	body BLOB
);
CREATE INDEX idempotency_at ON idempotency (at);
