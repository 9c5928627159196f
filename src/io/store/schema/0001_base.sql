-- SPDX-License-Identifier: Apache-2.0
-- Portable SQL: a store that speaks PostgreSQL reads the same file with BLOB as BYTEA,
-- INTEGER as BIGINT and WITHOUT ROWID left out. Keys lead with the host id.

CREATE TABLE host (
	id BLOB NOT NULL PRIMARY KEY,
	rev INTEGER NOT NULL,
	name TEXT NOT NULL,
	labels TEXT NOT NULL,
	connect TEXT NOT NULL,
	agent_key BLOB,
	trust_first_use INTEGER NOT NULL,
	policy TEXT NOT NULL,
	token BLOB,
	state INTEGER NOT NULL,
	created_at INTEGER NOT NULL,
	note_code TEXT NOT NULL,
	note_text TEXT NOT NULL,
	note_at INTEGER NOT NULL,
	grade TEXT NOT NULL,
	ak_name BLOB,
	qualified_name BLOB,
	ak_public BLOB,
	cert BLOB,
	cert_serial BLOB,
	cert_until INTEGER NOT NULL,
	cert_renew INTEGER NOT NULL,
	pseudonym BLOB,
	tls_spki BLOB,
	tpm TEXT NOT NULL,
	enrolled_at INTEGER NOT NULL
);
-- A retired host (state 3) holds no name and no key: the same machine may come back as a new host.
CREATE UNIQUE INDEX host_name ON host (name) WHERE state <> 3;
CREATE UNIQUE INDEX host_ak_name ON host (ak_name) WHERE state <> 3;
CREATE UNIQUE INDEX host_pseudonym ON host (pseudonym) WHERE state <> 3;
CREATE UNIQUE INDEX host_tls_spki ON host (tls_spki) WHERE state <> 3;

CREATE TABLE host_status (
	host BLOB NOT NULL PRIMARY KEY,
	version INTEGER NOT NULL,
	verdict INTEGER NOT NULL,
	judged INTEGER NOT NULL,
	attested_at INTEGER NOT NULL,
	lease_until INTEGER NOT NULL,
	report_id BLOB NOT NULL,
	components BLOB,
	counters_known INTEGER NOT NULL,
	clock_ms INTEGER NOT NULL,
	tpm_firmware INTEGER NOT NULL,
	reset_count INTEGER NOT NULL,
	restart_count INTEGER NOT NULL,
	attestation INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE host_context (
	host BLOB NOT NULL PRIMARY KEY,
	boot_id BLOB,
	boot_log BLOB,
	pcrs BLOB,
	ima BLOB,
	sticky BLOB,
	ima_offset INTEGER NOT NULL,
	ima_entries INTEGER NOT NULL
) WITHOUT ROWID;

-- History only grows at its end; prev leads from a host's last row (host_status.attestation)
-- backwards, so that adding a row touches no index.
CREATE TABLE attestation (
	seq INTEGER NOT NULL PRIMARY KEY,
	prev INTEGER NOT NULL,
	host BLOB NOT NULL,
	at INTEGER NOT NULL,
	version INTEGER NOT NULL,
	verdict INTEGER NOT NULL,
	lease_until INTEGER NOT NULL,
	report_id BLOB NOT NULL,
	report BLOB NOT NULL,
	boot_id BLOB,
	pcrs BLOB,
	boot_log BLOB,
	ima_offset INTEGER NOT NULL,
	attest BLOB,
	signature BLOB,
	nonce BLOB,
	exporter BLOB
);

CREATE TABLE blob (
	id BLOB NOT NULL PRIMARY KEY,
	size INTEGER NOT NULL,
	codec INTEGER NOT NULL, -- 0 as it is, 1 zstd
	packed BLOB NOT NULL,
	used INTEGER NOT NULL -- attestations up to this number may name it, later ones do not
);
CREATE INDEX blob_used ON blob (used);

CREATE TABLE ima_chunk (
	host BLOB NOT NULL,
	boot_id BLOB NOT NULL,
	start INTEGER NOT NULL,
	size INTEGER NOT NULL,
	content BLOB NOT NULL,
	ended INTEGER NOT NULL, -- the attestation with which another boot began; 0: the boot goes on
	PRIMARY KEY (host, boot_id, start)
) WITHOUT ROWID;
CREATE INDEX ima_chunk_content ON ima_chunk (content);
CREATE INDEX ima_chunk_ended ON ima_chunk (ended);

CREATE TABLE reference_set (
	id BLOB NOT NULL PRIMARY KEY,
	name TEXT NOT NULL,
	version INTEGER NOT NULL,
	state INTEGER NOT NULL,
	created_at INTEGER NOT NULL,
	created_by TEXT NOT NULL,
	sha256 BLOB NOT NULL,
	body BLOB NOT NULL,
	UNIQUE (name, version)
);

CREATE TABLE policy (
	id BLOB NOT NULL PRIMARY KEY,
	name TEXT NOT NULL,
	version INTEGER NOT NULL,
	state INTEGER NOT NULL,
	created_at INTEGER NOT NULL,
	created_by TEXT NOT NULL,
	sha256 BLOB NOT NULL,
	body BLOB NOT NULL,
	UNIQUE (name, version)
);

CREATE TABLE token (
	id BLOB NOT NULL PRIMARY KEY,
	k BLOB,
	uses INTEGER NOT NULL,
	used INTEGER NOT NULL,
	created_at INTEGER NOT NULL,
	expires_at INTEGER NOT NULL,
	revoked INTEGER NOT NULL,
	for_host INTEGER NOT NULL,
	host BLOB NOT NULL,
	pool TEXT NOT NULL,
	ek_list TEXT NOT NULL,
	created_by TEXT NOT NULL
);

CREATE TABLE account (
	name TEXT NOT NULL PRIMARY KEY,
	role TEXT NOT NULL,
	disabled INTEGER NOT NULL,
	created_at INTEGER NOT NULL
);

CREATE TABLE api_token (
	id BLOB NOT NULL PRIMARY KEY,
	hash BLOB NOT NULL,
	account TEXT NOT NULL,
	role TEXT NOT NULL,
	label TEXT NOT NULL,
	created_at INTEGER NOT NULL,
	expires_at INTEGER NOT NULL,
	revoked INTEGER NOT NULL
);

CREATE TABLE event (
	seq INTEGER NOT NULL PRIMARY KEY,
	at INTEGER NOT NULL,
	kind TEXT NOT NULL,
	has_host INTEGER NOT NULL,
	host BLOB NOT NULL,
	body TEXT NOT NULL
);

-- Nothing ever updates or deletes a row of audit.
CREATE TABLE audit (
	seq INTEGER NOT NULL PRIMARY KEY,
	record BLOB NOT NULL
);

CREATE TABLE meta (
	key TEXT NOT NULL PRIMARY KEY,
	value BLOB NOT NULL
);
