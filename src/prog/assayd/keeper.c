/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The process that wraps and unwraps stored secrets. Its keys are in no other
 * process and in one file. It opens nothing after its start, and gives no more
 * secrets a second than an honest engine needs.
 */
#include "prog/assayd/keyring.h"
#include "prog/assayd/processes.h"

#include "core/crypto/secret.h"
#include "io/ipc/keeper_msg.h"
#include "io/ipc/sign_msg.h"
#include "io/sys/clock.h"
#include "io/sys/log.h"
#include "io/sys/rng.h"
#include "io/sys/sandbox.h"

#include <limits.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <seccomp.h>
#include <string.h>

/* Besides the loop's: the one file that is open. */
static const int calls[] = { AY_SANDBOX_LOOP_CALLS, SCMP_SYS(pwrite64), SCMP_SYS(pread64),
			     SCMP_SYS(flock),	    SCMP_SYS(fsync),	SCMP_SYS(ftruncate) };

/* Secrets given back: so many at once, and then so many a second. */
enum { UNWRAPS_MAX = 200, UNWRAPS_PER_S = 20 };

static const struct purpose {
	const char *name;
	bool may_unwrap, may_mac;
} purposes[] = {
#define X(name, may_unwrap, may_mac, doc) { name, may_unwrap, may_mac },
#include "prog/assayd/keeper_purposes.def"
#undef X
};

struct keeper {
	struct ay_loop *loop;
	struct ay_ipc *engine, *parent;
	struct ay_keyring keys;
	int64_t tokens_ms; /* a token a 1000 / UNWRAPS_PER_S ms */
	int64_t counted_at;
	bool is_stopping;
	uint8_t room[AY_IPC_MAX_KEPT];
};

static void answer(struct keeper *k, uint32_t req, struct ay_bytes b)
{
	ay_ipc_send(k->engine, AY_MSG_KEEPER_DONE, 0, req, b);
}

static enum ay_rc purpose_of(struct ay_bytes name, const struct purpose **out, struct ay_err *e)
{
	*out = NULL;
	for (size_t i = 0; i < AY_COUNT(purposes); i++)
		if (ay_bytes_eq(name, ay_bytes_of(purposes[i].name)))
			*out = &purposes[i];
	return *out != NULL ? AY_OK
			    : ay_fail_code(e, AY_E_DENIED, "KEPT_PURPOSE", "kept.purpose",
					   "nothing is kept for that");
}

/* Opens into k->room; n octets. */
static enum ay_rc open_kept(struct keeper *k, const struct ay_wrap_name *name,
			    struct ay_bytes wrapped, struct ay_bytes *out, struct ay_err *e)
{
	uint8_t id[AY_WRAP_KEY_ID];
	const struct ay_wrap_key *key;
	enum ay_rc rc = ay_wrap_key_of(wrapped, id, e);

	*out = (struct ay_bytes){ NULL, 0 };
	if (rc != AY_OK)
		return rc;
	key = ay_keyring_find(&k->keys, id);
	if (key == NULL)
		return ay_fail_code(e, AY_E_CRYPTO, "KEPT_KEY", "kept",
				    "its key is not there: lost, or destroyed after a rotation");
	rc = ay_wrap_open(key, name, wrapped, k->room, e);
	if (rc == AY_OK)
		*out = (struct ay_bytes){ k->room, wrapped.n - AY_WRAP_MORE };
	return rc;
}

static enum ay_rc seal(struct keeper *k, uint32_t req, const struct ay_wrap_name *name,
		       struct ay_bytes secret, struct ay_err *e)
{
	uint8_t iv[AY_GCM_IV], out[AY_WRAP_SECRET_MAX + AY_WRAP_MORE];
	enum ay_rc rc;

	ay_rng_bytes(iv, sizeof(iv));
	rc = ay_wrap_seal(ay_keyring_newest(&k->keys), iv, name, secret, out, e);
	if (rc == AY_OK)
		answer(k, req, (struct ay_bytes){ out, secret.n + AY_WRAP_MORE });
	return rc;
}

static enum ay_rc wrap(struct keeper *k, const struct ay_ipc_msg *m, struct ay_err *e)
{
	const struct purpose *p;
	struct ay_kept kept;
	enum ay_rc rc = ay_kept_parse(m->body, &kept, e);

	if (rc == AY_OK)
		rc = purpose_of(kept.name.purpose, &p, e);
	return rc == AY_OK ? seal(k, m->req, &kept.name, kept.octets, e) : rc;
}

static bool take_token(struct keeper *k)
{
	int64_t now = ay_clock_mono_ms(), full = (int64_t)UNWRAPS_MAX * 1000 / UNWRAPS_PER_S;

	k->tokens_ms += now - k->counted_at;
	k->counted_at = now;
	if (k->tokens_ms > full)
		k->tokens_ms = full;
	if (AY_CHECKED("KEEPER_RATE", k->tokens_ms < 1000 / UNWRAPS_PER_S))
		return false;
	k->tokens_ms -= 1000 / UNWRAPS_PER_S;
	return true;
}

static enum ay_rc unwrap(struct keeper *k, const struct ay_ipc_msg *m, struct ay_err *e)
{
	const struct purpose *p = NULL;
	struct ay_kept kept;
	struct ay_bytes secret;
	enum ay_rc rc = ay_kept_parse(m->body, &kept, e);

	if (rc == AY_OK)
		rc = purpose_of(kept.name.purpose, &p, e);
	if (rc == AY_OK && AY_CHECKED("KEEPER_PURPOSE", !p->may_unwrap))
		rc = ay_fail_code(e, AY_E_DENIED, "KEPT_PURPOSE", "kept.purpose",
				  "a secret of that purpose is not given back");
	if (rc == AY_OK && !take_token(k))
		rc = ay_fail_code(e, AY_E_UNAVAIL, "KEPT_RATE", "kept",
				  "too many secrets were asked for");
	if (rc == AY_OK)
		rc = open_kept(k, &kept.name, kept.octets, &secret, e);
	if (rc == AY_OK)
		answer(k, m->req, secret);
	return rc;
}

static enum ay_rc mac(struct keeper *k, const struct ay_ipc_msg *m, struct ay_err *e)
{
	const struct purpose *p = NULL;
	struct ay_kept_mac ask;
	struct ay_bytes secret;
	uint8_t out[AY_KEPT_KEYS * 32];
	enum ay_rc rc = ay_kept_mac_parse(m->body, &ask, e);

	if (rc == AY_OK)
		rc = purpose_of(ask.purpose, &p, e);
	if (rc == AY_OK && !p->may_mac)
		rc = ay_fail_code(e, AY_E_DENIED, "KEPT_PURPOSE", "kept.purpose",
				  "a secret of that purpose signs nothing");
	for (size_t i = 0; rc == AY_OK && i < ask.n; i++) {
		const struct ay_wrap_name name = { ask.purpose, ask.key[i].object };

		rc = open_kept(k, &name, ask.key[i].wrapped, &secret, e);
		if (rc == AY_OK && HMAC(EVP_sha256(), secret.p, (int)secret.n, ask.message.p,
					ask.message.n, out + 32 * i, NULL) == NULL)
			rc = ay_fail(e, AY_E_NOMEM, "kept", 0, "HMAC failed");
	}
	if (rc == AY_OK)
		answer(k, m->req, (struct ay_bytes){ out, 32 * ask.n });
	return rc;
}

/* Not limited: nothing leaves that was not there before. */
static enum ay_rc rewrap(struct keeper *k, const struct ay_ipc_msg *m, struct ay_err *e)
{
	struct ay_kept kept;
	struct ay_bytes secret;
	enum ay_rc rc = ay_kept_parse(m->body, &kept, e);

	if (rc == AY_OK)
		rc = open_kept(k, &kept.name, kept.octets, &secret, e);
	return rc == AY_OK ? seal(k, m->req, &kept.name, secret, e) : rc;
}

static enum ay_rc rotate(struct keeper *k, const struct ay_ipc_msg *m, struct ay_err *e)
{
	enum ay_rc rc = ay_keyring_rotate(&k->keys, e);

	if (rc == AY_OK)
		answer(k, m->req, AY_BYTES(ay_keyring_newest(&k->keys)->id));
	return rc;
}

static enum ay_rc retire(struct keeper *k, const struct ay_ipc_msg *m, struct ay_err *e)
{
	enum ay_rc rc = ay_keyring_retire(&k->keys, e);

	if (rc == AY_OK)
		answer(k, m->req, (struct ay_bytes){ NULL, 0 });
	return rc;
}

static enum ay_rc keys(struct keeper *k, const struct ay_ipc_msg *m, struct ay_err *e)
{
	uint8_t ids[AY_KEYRING_MAX * AY_WRAP_KEY_ID];
	size_t n = ay_keyring_ids(&k->keys, ids);

	(void)e;
	answer(k, m->req, (struct ay_bytes){ ids, n * AY_WRAP_KEY_ID });
	return AY_OK;
}

/* What may be asked. */
static const struct {
	uint16_t type;
	enum ay_rc (*fn)(struct keeper *k, const struct ay_ipc_msg *m, struct ay_err *e);
} served[] = {
	{ AY_MSG_KEEPER_WRAP, wrap },	  { AY_MSG_KEEPER_UNWRAP, unwrap },
	{ AY_MSG_KEEPER_MAC, mac },	  { AY_MSG_KEEPER_REWRAP, rewrap },
	{ AY_MSG_KEEPER_ROTATE, rotate }, { AY_MSG_KEEPER_RETIRE, retire },
	{ AY_MSG_KEEPER_KEYS, keys },
};

static void refuse(struct keeper *k, uint32_t req, const struct ay_err *e)
{
	struct ay_refusal r = { .code = ay_bytes_of(e->code[0] ? e->code : ay_rc_name(e->rc)),
				.text = ay_bytes_of(e->text) };
	uint8_t room[512];
	struct ay_writer w;
	struct ay_bytes body;

	ay_log_err(AY_LOG_WARN, "not done", e);
	ay_wr_init(&w, room, sizeof(room));
	ay_refusal_build(&w, &r);
	if (ay_wr_end(&w, "refusal", &body, NULL) == AY_OK)
		ay_ipc_send(k->engine, AY_MSG_KEEPER_REFUSED, 0, req, body);
}

static void from_engine(void *arg, const struct ay_ipc_msg *m)
{
	struct keeper *k = arg;
	struct ay_err e = { 0 };

	for (size_t i = 0; i < AY_COUNT(served); i++)
		if (served[i].type == m->type && served[i].fn(k, m, &e) != AY_OK)
			refuse(k, m->req, &e);
	ay_wipe(k->room, sizeof(k->room));
}

static void from_parent(void *arg, const struct ay_ipc_msg *m)
{
	struct keeper *k = arg;

	if (m->type == AY_MSG_CHILD_STOP) {
		k->is_stopping = true;
		ay_loop_stop(k->loop);
	}
}

static void gone(void *arg, const char *why)
{
	struct keeper *k = arg;

	(void)why; /* the parent sees who ended and says it */
	ay_loop_stop(k->loop);
}

static enum ay_rc load_keys(struct keeper *k, const struct ay_config *config, struct ay_err *e)
{
	char path[PATH_MAX];

	if (!ay_config_state_path(config, AY_FILE_KEEPER_KEYS, path, sizeof(path)))
		return ay_fail(e, AY_E_LIMIT, "keeper", 0, "state_dir is too long");
	return ay_keyring_open(path, &k->keys, e);
}

/* OpenSSL loads what it needs at first use, which is forbidden later. */
static void warm_up(struct keeper *k)
{
	const struct ay_wrap_name name = { ay_bytes_of("warm"), ay_bytes_of("up") };
	const struct ay_wrap_key key = { .id = { 1 } };
	uint8_t iv[AY_GCM_IV] = { 0 }, out[1 + AY_WRAP_MORE], mac_out[32];

	if (ay_wrap_seal(&key, iv, &name, ay_bytes_of("x"), out, NULL) != AY_OK ||
	    ay_wrap_open(&key, &name, AY_BYTES(out), k->room, NULL) != AY_OK ||
	    HMAC(EVP_sha256(), "k", 1, out, sizeof(out), mac_out, NULL) == NULL)
		ay_log(AY_LOG_WARN, "warm-up failed");
}

static enum ay_rc set_up(struct keeper *k, const struct ay_keeper_args *a, struct ay_err *e)
{
	static const struct ay_ipc_ops engine_ops = { from_engine, gone };
	static const struct ay_ipc_ops parent_ops = { from_parent, gone };
	const struct ay_sandbox box = {
		.name = "keeper", .user = "assay-keeper", .calls = calls, .n_calls = AY_COUNT(calls)
	};
	enum ay_rc rc = ay_loop_new(&k->loop, e);

	k->counted_at = ay_clock_mono_ms();
	k->tokens_ms = (int64_t)UNWRAPS_MAX * 1000 / UNWRAPS_PER_S;
	if (rc == AY_OK && a->parent_fd >= 0)
		rc = ay_ipc_open(k->loop, a->parent_fd, ay_ipc_table_of(AY_PAIR_PARENT), AY_IPC_B,
				 &parent_ops, k, &k->parent, e);
	if (rc == AY_OK)
		rc = ay_ipc_open(k->loop, a->engine_fd, ay_ipc_table_of(AY_PAIR_KEEPER), AY_IPC_B,
				 &engine_ops, k, &k->engine, e);
	if (rc == AY_OK)
		rc = load_keys(k, a->config, e);
	warm_up(k);
	if (rc == AY_OK)
		rc = ay_sandbox_enter(&box, e);
	return rc;
}

int ay_keeper_run(const struct ay_keeper_args *a)
{
	struct keeper k = { .keys.fd = -1 };
	struct ay_err e = { 0 };
	enum ay_rc rc = set_up(&k, a, &e);

	if (rc == AY_OK) {
		if (k.parent != NULL)
			ay_ipc_send(k.parent, AY_MSG_CHILD_READY, 0, 0, (struct ay_bytes){ 0 });
		ay_loop_run(k.loop);
	} else {
		ay_log_err(AY_LOG_ERROR, "keeper cannot start", &e);
		if (k.parent != NULL)
			ay_ipc_send(k.parent, AY_MSG_CHILD_FAILED, 0, 0, ay_bytes_of(e.text));
	}
	ay_ipc_close(k.parent);
	ay_ipc_close(k.engine);
	ay_keyring_close(&k.keys);
	if (k.loop != NULL)
		ay_loop_free(k.loop);
	return rc == AY_OK && k.is_stopping ? 0 : 1;
}
