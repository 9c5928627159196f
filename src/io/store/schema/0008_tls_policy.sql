-- SPDX-License-Identifier: Apache-2.0
-- How a host that the server dials is known at the TLS handshake.

ALTER TABLE host ADD COLUMN tls_kind TEXT NOT NULL DEFAULT '';
ALTER TABLE host ADD COLUMN agent_cert BLOB;
UPDATE host SET tls_kind = 'public_key_digest' WHERE length(agent_key) = 32;
UPDATE host SET tls_kind = 'trust_first_use' WHERE trust_first_use <> 0;
ALTER TABLE host DROP COLUMN trust_first_use;
