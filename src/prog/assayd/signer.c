/* SPDX-License-Identifier: Apache-2.0 */
/* The signer process: holds the ticket, assertion, order and audit-head keys; signs what its table
 * permits. */
#include "prog/assayd/keys.h"
#include "prog/assayd/processes.h"

#include "core/assertion/ear.h"
#include "core/assertion/saml.h"
#include "core/assertion/xml_init.h"
#include "core/authz/order.h"
#include "core/base/hex.h"
#include "core/crypto/privkey.h"
#include "core/crypto/ticket.h"
#include "core/crypto/x509.h"
#include "io/ipc/sign_msg.h"
#include "io/net/cert.h"
#include "io/sys/clock.h"
#include "io/sys/file.h"
#include "io/sys/log.h"
#include "io/sys/rng.h"
#include "io/sys/sandbox.h"

#include <limits.h>
#include <openssl/pem.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Every system call of this process: it reads and writes its pairs. */
static const int calls[] = { AY_SANDBOX_LOOP_CALLS };

enum { PEM_MAX = 64 * 1024, TICKET_LIFE_S = 600, HEAD_LABEL = 18, ARENA_BYTES = 16 << 20 };

struct signer {
	const struct ay_config *config;
	struct ay_loop *loop;
	struct ay_ipc *engine, *parent;
	struct ay_privkey *ticket, *order, *head;
	struct ay_privkey *jwt; /* the assertion key, for JWTs; NULL: it is no P-256 key */
	struct ay_saml_key *assertion, *assertion_rsa; /* RSA: NULL in a state folder of old */
	struct ay_arena arena;			       /* of one answer */
	bool is_stopping;
};

/* ---- answers ---- */

static void refuse(struct signer *s, uint32_t req, const struct ay_err *e)
{
	struct ay_refusal r = { .code = ay_bytes_of(e->code[0] != 0 ? e->code : ay_rc_name(e->rc)),
				.text = ay_bytes_of(e->text) };
	uint8_t room[512];
	struct ay_writer w;
	struct ay_bytes body = { NULL, 0 };

	ay_log_err(AY_LOG_WARN, "not signed", e);
	ay_wr_init(&w, room, sizeof(room));
	ay_refusal_build(&w, &r);
	if (ay_wr_end(&w, "refusal", &body, NULL) == AY_OK)
		ay_ipc_send(s->engine, AY_MSG_SIGN_REFUSED, 0, req, body);
}

static enum ay_rc sign_ticket(struct signer *s, const struct ay_ipc_msg *m, struct ay_err *e)
{
	char text[AY_TICKET_TEXT_MAX];
	struct ay_sign_ticket ask;
	struct ay_ticket t = { 0 };
	int64_t now_s = ay_clock_wall_ms() / 1000;
	enum ay_rc rc = ay_sign_ticket_parse(m->body, &ask, e);

	if (rc != AY_OK)
		return rc;
	if (AY_CHECKED("TICKET_LIFE", ask.expires_at_s > now_s + TICKET_LIFE_S))
		return ay_fail_code(e, AY_E_DENIED, "TICKET", "ticket.exp",
				    "a ticket lives 10 minutes at most");
	t.host = ask.host;
	memcpy(t.spki, ask.agent_spki, sizeof(t.spki));
	memcpy(t.ca, ask.ca_spki, sizeof(t.ca));
	ay_hex_encode(AY_BYTES(ask.jti), t.jti);
	t.exp_s = ask.expires_at_s;
	t.n_eks = ask.n_eks;
	memcpy(t.ek, ask.ek, sizeof(t.ek));
	rc = ay_ticket_sign(&t, s->ticket, text, e);
	if (rc == AY_OK)
		ay_ipc_send(s->engine, AY_MSG_SIGNED, 0, m->req, ay_bytes_of(text));
	return rc;
}

/* The label keeps a head from ever being something else that this key might sign. */
static enum ay_rc sign_head(struct signer *s, const struct ay_ipc_msg *m, struct ay_err *e)
{
	uint8_t text[HEAD_LABEL + 256], out[64 + AY_SPKI_P256];
	struct ay_sign_head head;
	struct ay_writer w;
	struct ay_bytes msg;
	enum ay_rc rc = ay_sign_head_parse(m->body, &head, e);

	if (rc != AY_OK)
		return rc;
	ay_wr_init(&w, text, sizeof(text));
	ay_wr_str(&w, "assay-audit-head-1");
	ay_sign_head_build(&w, &head);
	rc = ay_wr_end(&w, "head", &msg, e);
	if (rc == AY_OK)
		rc = ay_privkey_sign(s->head, msg, out, e);
	if (rc == AY_OK)
		rc = ay_privkey_spki(s->head, out + 64, e);
	if (rc == AY_OK)
		ay_ipc_send(s->engine, AY_MSG_SIGNED, 0, m->req, AY_BYTES(out));
	return rc;
}

/* What is true is engine's to say; how it is said, and with which key, is not. */
static enum ay_rc sign_saml(struct signer *s, const struct ay_ipc_msg *m, struct ay_err *e)
{
	struct ay_saml_claims *claims;
	struct ay_bytes xml = { NULL, 0 };
	char id[AY_SAML_ID_TEXT];
	uint8_t random[16];
	size_t n;
	enum ay_rc rc = ay_saml_claims_parse(m->body, &s->arena, &claims, &n, e);

	if (rc != AY_OK)
		return rc;
	ay_rng_bytes(random, sizeof(random));
	ay_saml_id(random, id);
	rc = ay_saml_issue(claims, n,
			   claims->rsa && s->assertion_rsa ? s->assertion_rsa : s->assertion, id,
			   ay_clock_wall_ms(), &s->arena, &xml, e);
	if (rc == AY_OK)
		ay_ipc_send(s->engine, AY_MSG_SIGNED, 0, m->req, xml);
	return rc;
}

static enum ay_rc sign_ear(struct signer *s, const struct ay_ipc_msg *m, struct ay_err *e)
{
	struct ay_saml_claims *claims;
	struct ay_bytes jwt = { NULL, 0 };
	uint8_t jti[16];
	size_t n;
	enum ay_rc rc = ay_saml_claims_parse(m->body, &s->arena, &claims, &n, e);

	if (rc != AY_OK)
		return rc;
	if (s->jwt == NULL || n != 1)
		return ay_fail(e, AY_E_INPUT, "ear", 0,
			       s->jwt ? "an attestation result is about one host"
				      : "the assertion key is no P-256 key");
	ay_rng_bytes(jti, sizeof(jti));
	rc = ay_ear_issue(claims, s->jwt, jti, ay_clock_wall_ms(), &s->arena, &jwt, e);
	if (rc == AY_OK)
		ay_ipc_send(s->engine, AY_MSG_SIGNED, 0, m->req, jwt);
	return rc;
}

/* What engine asks is the statement itself; only an order of the known form is ever signed. */
static enum ay_rc sign_order(struct signer *s, const struct ay_ipc_msg *m, struct ay_err *e)
{
	uint8_t out[64 + AY_SPKI_P256];
	struct ay_order o;
	enum ay_rc rc = ay_order_parse(m->body, &o, e);

	if (rc == AY_OK)
		rc = ay_order_may_be_given(&o, ay_clock_wall_ms(), e);
	if (rc == AY_OK)
		rc = ay_privkey_sign(s->order, m->body, out, e);
	if (rc == AY_OK)
		rc = ay_privkey_spki(s->order, out + 64, e);
	if (rc == AY_OK)
		ay_ipc_send(s->engine, AY_MSG_SIGNED, 0, m->req, AY_BYTES(out));
	return rc;
}

/* What may be asked; a type that is not here ends the pair. */
static const struct {
	uint16_t type;
	enum ay_rc (*fn)(struct signer *s, const struct ay_ipc_msg *m, struct ay_err *e);
} served[] = {
	{ AY_MSG_SIGN_TICKET, sign_ticket }, { AY_MSG_SIGN_SAML, sign_saml },
	{ AY_MSG_SIGN_EAR, sign_ear },	     { AY_MSG_SIGN_ORDER, sign_order },
	{ AY_MSG_SIGN_HEAD, sign_head },
};

static void from_engine(void *arg, const struct ay_ipc_msg *m)
{
	struct signer *s = arg;
	struct ay_err e = { 0 };

	for (size_t i = 0; i < AY_COUNT(served); i++)
		if (served[i].type == m->type && served[i].fn(s, m, &e) != AY_OK)
			refuse(s, m->req, &e);
	ay_arena_reset(&s->arena);
}

/* ---- set up ---- */

static enum ay_rc read_state(const struct signer *s, const char *name, struct ay_bytes *out,
			     struct ay_err *e)
{
	char path[PATH_MAX];

	if (!ay_config_state_path(s->config, name, path, sizeof(path)))
		return ay_fail(e, AY_E_LIMIT, "signer", 0, "state_dir is too long");
	return ay_file_read(path, PEM_MAX, out, e);
}

static bool has_state(const struct signer *s, const char *name)
{
	char path[PATH_MAX];

	return ay_config_state_path(s->config, name, path, sizeof(path)) && ay_file_exists(path);
}

static enum ay_rc load_key(const struct signer *s, const char *name, struct ay_privkey **out,
			   struct ay_err *e)
{
	AY_CLEANUP(ay_file_free) struct ay_bytes pem = { NULL, 0 };
	enum ay_rc rc = read_state(s, name, &pem, e);

	return rc == AY_OK ? ay_privkey_new_pem(pem, out, e) : rc;
}

static enum ay_rc load_cert(const struct signer *s, const char *name, struct ay_bytes *der,
			    struct ay_err *e)
{
	AY_CLEANUP(ay_file_free) struct ay_bytes pem = { NULL, 0 };
	enum ay_rc rc = read_state(s, name, &pem, e);

	return rc == AY_OK ? ay_cert_der(pem, der, e) : rc;
}

/* P-256, or RSA for consumers of old; certificates that go into KeyInfo. */
static enum ay_rc load_assertion_key(struct signer *s, const char *key_name, const char *cert_name,
				     struct ay_saml_key **out, struct ay_err *e)
{
	AY_CLEANUP(ay_file_free) struct ay_bytes key = { NULL, 0 }, cert = { NULL, 0 };
	struct ay_bytes der[AY_MAX_CERT_CHAIN] = { 0 };
	size_t n = 0;
	BIO *b;
	EVP_PKEY *k;
	enum ay_rc rc = read_state(s, key_name, &key, e);

	if (rc == AY_OK)
		rc = read_state(s, cert_name, &cert, e);
	if (rc == AY_OK)
		rc = ay_cert_ders(cert, der, AY_COUNT(der), &n, e);
	if (rc != AY_OK)
		return rc;
	b = BIO_new_mem_buf(key.p, (int)key.n);
	k = b == NULL ? NULL : PEM_read_bio_PrivateKey(b, NULL, NULL, NULL);
	rc = k == NULL ? ay_fail(e, AY_E_INPUT, "signer", 0, "%s: no key", key_name)
		       : ay_saml_key_new(k, der, n, out, e);
	EVP_PKEY_free(k);
	BIO_free(b);
	while (n > 0)
		ay_file_free(&der[--n]);
	return rc;
}

/* libxml2, libxmlsec1 and jansson open and load things at their first use, which is forbidden
 * later. */
static void warm_up(struct signer *s, const struct ay_saml_key *key)
{
	struct ay_saml_claims claims = { .profile = AY_SAML_CIT,
					 .issuer = "warm-up",
					 .host_id = "00000000-0000-0000-0000-000000000000",
					 .host_name = "warm-up" };
	struct ay_bytes xml;
	struct ay_err e = { 0 };
	int64_t now_ms = ay_clock_wall_ms();

	claims.lease_ms = now_ms + 2000;
	if (ay_saml_issue(&claims, 1, key, "_0", now_ms, &s->arena, &xml, &e) != AY_OK)
		ay_log_err(AY_LOG_WARN, "warm-up of assertions failed", &e);
	if (s->jwt != NULL &&
	    ay_ear_issue(&claims, s->jwt, (uint8_t[16]){ 0 }, now_ms, &s->arena, &xml, &e) != AY_OK)
		ay_log_err(AY_LOG_WARN, "warm-up of attestation results failed", &e);
	ay_arena_reset(&s->arena);
}

static enum ay_rc load_keys(struct signer *s, struct ay_err *e)
{
	struct ay_err none = { 0 };
	enum ay_rc rc = load_key(s, AY_FILE_TICKET_KEY, &s->ticket, e);

	if (rc == AY_OK)
		rc = load_key(s, AY_FILE_ORDER_KEY, &s->order, e);
	if (rc == AY_OK)
		rc = load_key(s, AY_FILE_HEAD_KEY, &s->head, e);
	if (rc == AY_OK)
		rc = ay_xml_init(e);
	if (rc == AY_OK)
		rc = load_assertion_key(s, AY_FILE_ASSERTION_KEY, AY_FILE_ASSERTION_CERT,
					&s->assertion, e);
	if (rc == AY_OK && load_key(s, AY_FILE_ASSERTION_KEY, &s->jwt, &none) != AY_OK)
		ay_log_err(AY_LOG_WARN, "no attestation results are made (EAR)", &none);
	if (rc == AY_OK && has_state(s, AY_FILE_ASSERTION_RSA_KEY))
		rc = load_assertion_key(s, AY_FILE_ASSERTION_RSA_KEY, AY_FILE_ASSERTION_RSA_CERT,
					&s->assertion_rsa, e);
	if (rc == AY_OK)
		warm_up(s, s->assertion);
	if (rc == AY_OK && s->assertion_rsa != NULL)
		warm_up(s, s->assertion_rsa);
	return rc;
}

/* The key before, whose statements are believed until they end. */
static void add_old_jwt(const struct signer *s, struct ay_signer_ready *r, struct ay_bytes *der)
{
	AY_CLEANUP(ay_file_free) struct ay_bytes pem = { NULL, 0 };
	struct ay_cert cert;
	int64_t until_ms;

	if (!ay_keys_old(s->config, AY_FILE_ASSERTION_CERT, ay_clock_wall_ms(), &pem, &until_ms) ||
	    ay_cert_der(pem, der, NULL) != AY_OK || ay_cert_parse(*der, &cert, NULL) != AY_OK)
		return;
	r->jwt[r->n_jwts] = cert.spki;
	r->jwt_until_ms[r->n_jwts++] = until_ms;
}

static enum ay_rc tell_ready(struct signer *s, struct ay_err *e)
{
	AY_CLEANUP(ay_file_free) struct ay_bytes assertion = { NULL, 0 }, root = { NULL, 0 };
	AY_CLEANUP(ay_file_free) struct ay_bytes old = { NULL, 0 };
	struct ay_signer_ready r = { 0 };
	uint8_t room[2 * AY_MAX_CERT_BYTES], spki[AY_SPKI_P256];
	struct ay_writer w;
	struct ay_bytes body = { NULL, 0 };
	enum ay_rc rc = load_cert(s, AY_FILE_ASSERTION_CERT, &assertion, e);

	if (rc == AY_OK)
		rc = load_cert(s, AY_FILE_ROOT_CERT, &root, e);
	if (rc == AY_OK)
		rc = ay_privkey_spki_hash(s->ticket, r.ticket_spki, e);
	if (rc == AY_OK)
		rc = ay_privkey_spki_hash(s->order, r.order_spki, e);
	if (rc == AY_OK)
		rc = ay_privkey_spki_hash(s->head, r.head_spki, e);
	if (rc != AY_OK)
		return rc;
	if (s->jwt != NULL) {
		rc = ay_privkey_spki(s->jwt, spki, e);
		r.n_jwts = 1;
		r.jwt[0] = AY_BYTES(spki);
		add_old_jwt(s, &r, &old);
	}
	if (rc != AY_OK)
		return rc;
	r.assertion_cert = assertion;
	r.root_cert = root;
	ay_wr_init(&w, room, sizeof(room));
	ay_signer_ready_build(&w, &r);
	rc = ay_wr_end(&w, "ready", &body, e);
	if (rc == AY_OK)
		ay_ipc_send(s->engine, AY_MSG_SIGNER_READY, 0, 0, body);
	return rc;
}

static void from_parent(void *arg, const struct ay_ipc_msg *m)
{
	struct signer *s = arg;

	if (m->type == AY_MSG_CHILD_STOP) {
		s->is_stopping = true;
		ay_loop_stop(s->loop);
	}
}

static void on_pair_gone(void *arg, const char *why)
{
	struct signer *s = arg;

	(void)why; /* the parent sees who ended and says it */
	ay_loop_stop(s->loop);
}

static const struct ay_ipc_ops engine_ops = { from_engine, on_pair_gone };
static const struct ay_ipc_ops parent_ops = { from_parent, on_pair_gone };

static enum ay_rc set_up(struct signer *s, const struct ay_signer_args *a, struct ay_err *e)
{
	const struct ay_sandbox box = {
		.name = "signer", .user = "assay-signer", .calls = calls, .n_calls = AY_COUNT(calls)
	};
	enum ay_rc rc = ay_loop_new(&s->loop, e);

	ay_arena_init(&s->arena, ARENA_BYTES);
	if (rc == AY_OK)
		rc = ay_ipc_open(s->loop, a->parent_fd, ay_ipc_table_of(AY_PAIR_PARENT), AY_IPC_B,
				 &parent_ops, s, &s->parent, e);
	if (rc == AY_OK)
		rc = ay_ipc_open(s->loop, a->engine_fd, ay_ipc_table_of(AY_PAIR_SIGNER), AY_IPC_B,
				 &engine_ops, s, &s->engine, e);
	if (rc == AY_OK)
		rc = load_keys(s, e);
	if (rc == AY_OK)
		rc = tell_ready(s, e);
	if (rc == AY_OK)
		rc = ay_sandbox_enter(&box, e);
	if (rc == AY_OK)
		ay_ipc_send(s->parent, AY_MSG_CHILD_READY, 0, 0, (struct ay_bytes){ NULL, 0 });
	return rc;
}

int ay_signer_run(const struct ay_signer_args *a)
{
	struct signer s = { .config = a->config };
	struct ay_err e = { 0 };

	if (set_up(&s, a, &e) != AY_OK) {
		ay_log_err(AY_LOG_ERROR, "signer cannot start", &e);
		if (s.parent != NULL)
			ay_ipc_send(s.parent, AY_MSG_CHILD_FAILED, 0, 0, ay_bytes_of(e.text));
		ay_ipc_close(s.parent);
		return 1;
	}
	ay_loop_run(s.loop);
	ay_privkey_free(s.ticket);
	ay_privkey_free(s.order);
	ay_privkey_free(s.head);
	ay_privkey_free(s.jwt);
	ay_saml_key_free(s.assertion);
	ay_saml_key_free(s.assertion_rsa);
	ay_arena_fini(&s.arena);
	ay_loop_free(s.loop);
	return s.is_stopping ? 0 : 1;
}
