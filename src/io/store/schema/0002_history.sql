-- SPDX-License-Identifier: Apache-2.0
-- What a stored verdict was made with, so that it can be derived again, and where digests were seen.

ALTER TABLE attestation ADD COLUMN inputs BLOB; -- what the judge knew beside the evidence (docs/formats/receipt.md)
ALTER TABLE attestation ADD COLUMN rules BLOB;  -- content: policy and sets it was judged by
ALTER TABLE attestation ADD COLUMN extra BLOB;  -- content: refused evidence; most rows have none

-- Every AIK a host had; host has the newest only.
CREATE TABLE aik (
	host BLOB NOT NULL,
	qualified_name BLOB NOT NULL,
	ak_public BLOB NOT NULL,
	cert BLOB NOT NULL,
	enrolled_at INTEGER NOT NULL,
	PRIMARY KEY (host, qualified_name)
) WITHOUT ROWID;
INSERT INTO aik (host, qualified_name, ak_public, cert, enrolled_at)
	SELECT id, qualified_name, ak_public, cert, enrolled_at FROM host
	WHERE qualified_name IS NOT NULL AND ak_public IS NOT NULL AND cert IS NOT NULL;

-- Boot logs and IMA pieces whose digests are in the index; n is never used twice.
CREATE TABLE indexed (
	n INTEGER NOT NULL PRIMARY KEY,
	id BLOB NOT NULL UNIQUE,
	kind INTEGER NOT NULL -- 1 boot log, 2 piece of an IMA list
);
CREATE TABLE digest (
	digest BLOB NOT NULL, -- its first 16 octets
	content INTEGER NOT NULL,
	PRIMARY KEY (digest, content)
) WITHOUT ROWID;

-- Which boot logs a host booted with. last_at 0: it still does, host_status says until when.
CREATE TABLE log_seen (
	host BLOB NOT NULL,
	log BLOB NOT NULL,
	first_at INTEGER NOT NULL,
	last_at INTEGER NOT NULL,
	PRIMARY KEY (host, log)
) WITHOUT ROWID;
CREATE INDEX log_seen_log ON log_seen (log);
INSERT INTO log_seen (host, log, first_at, last_at)
	SELECT a.host, a.boot_log, MIN(a.at), CASE WHEN a.boot_log = c.boot_log THEN 0 ELSE MAX(a.at) END
	FROM attestation a LEFT JOIN host_context c ON c.host = a.host
	WHERE a.boot_log IS NOT NULL GROUP BY a.host, a.boot_log;

-- Likewise of IMA pieces; ended <> 0: another boot has begun.
ALTER TABLE ima_chunk ADD COLUMN first_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE ima_chunk ADD COLUMN last_at INTEGER NOT NULL DEFAULT 0;
