-- SPDX-License-Identifier: Apache-2.0
-- Who people are and what they may do. Accounts are never deleted, so that neither
-- an id nor a name ever means somebody else.

ALTER TABLE account ADD COLUMN id INTEGER NOT NULL DEFAULT 0;
UPDATE account SET id = (SELECT COUNT(*) FROM account b WHERE b.name <= account.name);
CREATE UNIQUE INDEX account_id ON account (id);
ALTER TABLE account ADD COLUMN display TEXT NOT NULL DEFAULT '';
ALTER TABLE account ADD COLUMN grants TEXT NOT NULL DEFAULT ''; -- JSON array; '': the column role, everywhere
ALTER TABLE account ADD COLUMN secrets BLOB; -- password, TOTP, recovery codes: docs/formats/account.md
ALTER TABLE account ADD COLUMN removed INTEGER NOT NULL DEFAULT 0;

ALTER TABLE api_token ADD COLUMN scope TEXT NOT NULL DEFAULT ''; -- JSON object of labels; '': everywhere
ALTER TABLE api_token ADD COLUMN used_at INTEGER NOT NULL DEFAULT 0;

-- Names of an account at other sources: certificates, OIDC, LDAP, keys of compatible clients.
CREATE TABLE identity (
	source TEXT NOT NULL,
	subject TEXT NOT NULL,
	account INTEGER NOT NULL, -- 0: asked for, nobody approved it yet
	state INTEGER NOT NULL, -- 0 asked for, 1 in force, 2 ended
	detail TEXT NOT NULL, -- JSON object
	created_at INTEGER NOT NULL,
	PRIMARY KEY (source, subject)
);

CREATE TABLE role (
	name TEXT NOT NULL PRIMARY KEY,
	permissions TEXT NOT NULL, -- rows of perms.def, with commas between
	scope TEXT NOT NULL,
	doc TEXT NOT NULL,
	created_at INTEGER NOT NULL,
	removed INTEGER NOT NULL
);

CREATE TABLE session (
	hash BLOB NOT NULL PRIMARY KEY, -- SHA-256 of what the cookie holds
	id TEXT NOT NULL,
	account INTEGER NOT NULL,
	created_at INTEGER NOT NULL,
	used_at INTEGER NOT NULL,
	ended INTEGER NOT NULL,
	mfa INTEGER NOT NULL,
	scheme TEXT NOT NULL,
	peer TEXT NOT NULL,
	agent TEXT NOT NULL
);
