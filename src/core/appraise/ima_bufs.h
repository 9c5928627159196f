/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_APPRAISE_IMA_BUFS_H
#define AY_APPRAISE_IMA_BUFS_H

/*
 * What a kernel measured that is no file (template ima-buf): the command line
 * of kexec, keys loaded into keyrings, device-mapper tables, critical data. The
 * entry's name says what it is, its digest is over the octets it carries.
 *
 * Rules of the policy (`ima.buffers`), any of which may accept an entry; a rule
 * with action deny that matches decides:
 *
 *   {"name": "kexec-cmdline", "texts": ["root=/dev/vda1 ro"]}
 *   {"name": ".ima", "digests": {"sha256": ["hex", ...]}}
 *   {"name": ".*", "trusted_keys": true}         a key of ima.keys or "signers"
 *   {"name": "dm_table_load", "root_digests": ["hex"]}   dm-verity, nothing else
 *   {"name": "dm_device_resume", "action": "ignore"}     or allow, deny
 *
 * A name is a glob (ima_paths.h). A reference set lists name and digest (rule
 * kind "buffers"). That a file of the same contents is allowed says nothing: a
 * certificate may lie in a folder and must not be in a keyring.
 */
#include "core/appraise/ima_keys.h"
#include "core/evlog/ima.h"

#define AY_IMA_BUFS_MAX 256	   /* rules of a policy */
#define AY_IMA_BUF_VALUES_MAX 1024 /* texts or digests of one rule */

enum ay_ima_buf_how {
	AY_IMA_BUF_DENY = 0,
	AY_IMA_BUF_IGNORE,
	AY_IMA_BUF_ALLOW,
	AY_IMA_BUF_DIGESTS,
	AY_IMA_BUF_TEXTS,
	AY_IMA_BUF_ROOTS,
	AY_IMA_BUF_TRUSTED,
};

struct ay_ima_buf_value {
	uint16_t alg; /* of a digest */
	struct ay_bytes octets;
};

struct ay_ima_buf_rule {
	enum ay_ima_buf_how how;
	const char *name;
	size_t n;
	struct ay_ima_buf_value *value;
};

struct ay_ima_bufs {
	size_t n;
	struct ay_ima_buf_rule *rule;
};

AY_MUST_USE enum ay_rc ay_ima_bufs_parse(const json_t *list, struct ay_arena *a,
					 struct ay_ima_bufs *out, struct ay_err *e);
json_t *ay_ima_bufs_json(const struct ay_ima_bufs *b);

/* Digests by algorithm: {"sha256": ["hex", ...]}. */
AY_MUST_USE enum ay_rc ay_ima_digests_parse(const json_t *o, const char *where, struct ay_arena *a,
					    struct ay_ima_buf_rule *out, struct ay_err *e);
json_t *ay_ima_digests_json(const struct ay_ima_buf_rule *r);

/* What a name stands for. */
enum ay_ima_buf_kind {
	AY_IMA_BUF_KIND_DATA = 0, /* critical data, and what we do not know */
	AY_IMA_BUF_KIND_KEY,	  /* a keyring: .ima, .builtin_trusted_keys, _evm */
	AY_IMA_BUF_KIND_CMDLINE,  /* kexec-cmdline */
	AY_IMA_BUF_KIND_DM,	  /* dm_table_load, ... */
};
enum ay_ima_buf_kind ay_ima_buf_kind_of(struct ay_bytes name);

/* Is the digest of the entry that of its octets? False also for a hash we cannot compute. */
bool ay_ima_buf_digest_is_own(const struct ay_ima_entry *ent);

/* Is the digest of the entry one of the rule's? */
bool ay_ima_buf_has_digest(const struct ay_ima_buf_rule *r, const struct ay_ima_entry *ent);

/* Does the rule apply to the entry: its name fits, and, for a rule with values, one of them too? */
bool ay_ima_buf_fits(const struct ay_ima_buf_rule *r, const struct ay_ima_entry *ent,
		     const struct ay_ima_key *const *keys, size_t n_keys);

/*
 * Is it a device-mapper table of verity targets alone, each verified so far and
 * with one of these root digests [Documentation/admin-guide/device-mapper/dm-ima]?
 */
bool ay_ima_dm_is_verity(struct ay_bytes table, const struct ay_ima_buf_value *roots, size_t n);

#endif
