-- SPDX-License-Identifier: Apache-2.0
-- Roots of full subtrees of the audit's tree, so that a proof needs a few rows and no scan.
-- Level 1 are pairs of leaves; leaf hashes are made of the records.

CREATE TABLE audit_node (
	level INTEGER NOT NULL,
	at INTEGER NOT NULL,
	hash BLOB NOT NULL,
	PRIMARY KEY (level, at)
) WITHOUT ROWID;
