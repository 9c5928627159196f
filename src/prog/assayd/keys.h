/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_ASSAYD_KEYS_H
#define AY_ASSAYD_KEYS_H

/*
 * The server's keys and certificates as files in STATE: made by `assayd init`,
 * replaced by `assayd keys rotate`, each with what remains valid of the one
 * before (docs/compromise.md).
 */
#include "core/base/bytes.h"
#include "core/base/err.h"
#include "io/net/cert.h"
#include "io/sys/config.h"

/* Products of an old key (statements, tickets) are believed so long at most: the longest lease. */
#define AY_KEYS_OVERLAP_MS ((int64_t)7 * 24 * 3600 * 1000)
/* A public half that was replaced stands beside it under this ending. */
#define AY_KEYS_OLD ".old"

struct ay_key_row {
	const char *name;
	const char *use;	/* for people */
	const char *key, *pub;	/* files; pub is the certificate if there is one */
	const char *cn;		/* of the certificate; NULL: a bare key */
	enum ay_cert_kind kind; /* of the certificate */
	int64_t life_s;
	bool both; /* readers of pub take the old one too: it stands after the new one */
};
/* The rows in the order they are made; *n is their number. */
const struct ay_key_row *ay_keys_rows(size_t *n);

/* A new root: key and certificate. */
AY_MUST_USE enum ay_rc ay_keys_root(const struct ay_config *c, int64_t now_ms,
				    struct ay_cert_pem *root, struct ay_err *e);
/* A new pair of files; root signs it if it is a certificate. */
AY_MUST_USE enum ay_rc ay_keys_make(const struct ay_config *c, const struct ay_key_row *row,
				    const struct ay_cert_pem *root, struct ay_err *e);

/*
 * Replace one. revoke: the old one counts for nothing from now on (it was lost),
 * else what it signed is believed until it ends. AY_E_NOENT: no key of that
 * name; or root.key, which is kept elsewhere, is not there.
 */
AY_MUST_USE enum ay_rc ay_keys_rotate(const struct ay_config *c, const char *name, bool revoke,
				      struct ay_err *e);
/* Finish what a rotation that was cut off began; before anything reads the files. */
AY_MUST_USE enum ay_rc ay_keys_settle(const struct ay_config *c, struct ay_err *e);
/* The server that runs on this state folder takes up its files: false when none runs. */
bool ay_keys_tell(const struct ay_config *c);

struct ay_key_info {
	const char *name, *use;
	uint8_t spki[32];  /* SHA-256 */
	int64_t until_ms;  /* 0: it does not end */
	int64_t old_until; /* what is left of the one before counts so long; 0: nothing */
	bool is_own;	   /* the operator's own certificate of [compat] */
};
enum { AY_KEYS_MAX = 20 };
/* Those that can be read, root, Privacy CA and certificates of [compat] too. */
void ay_keys_read(const struct ay_config *c, int64_t now_ms, struct ay_key_info out[AY_KEYS_MAX],
		  size_t *n);
/* The old public half of a file while it counts; false: there is none. Free with ay_file_free(). */
bool ay_keys_old(const struct ay_config *c, const char *pub, int64_t now_ms, struct ay_bytes *out,
		 int64_t *until_ms);

/* 0: no hurry; 1: ends within 30 days; 2: within 7, or has ended. */
int ay_keys_warning(int64_t until_ms, int64_t now_ms);

#endif
