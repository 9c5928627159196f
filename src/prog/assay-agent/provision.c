/* SPDX-License-Identifier: Apache-2.0 */
#include "prog/assay-agent/provision.h"

#include <stdio.h>

#include "core/base/hex.h"
#include "core/crypto/hash.h"
#include "core/crypto/secret.h"
#include "core/crypto/x509.h"
#include "core/tpm/identity12.h"
#include "core/tpm/qualify.h"
#include "io/sys/rng.h"

enum { ARENA_MAX = 2 << 20, SEALED_MAX = 60 * 1024 };

void ay_provisioning_init(struct ay_provisioning *p)
{
	*p = (struct ay_provisioning){ 0 };
	ay_arena_init(&p->arena, ARENA_MAX);
}

void ay_provisioning_fini(struct ay_provisioning *p)
{
	ay_pubkey_free(p->ca_rsa);
	p->ca_rsa = NULL;
	ay_arena_fini(&p->arena);
}

void ay_provisioning_reset(struct ay_provisioning *p)
{
	ay_provisioning_fini(p);
	ay_provisioning_init(p);
}

static enum ay_rc out_of_step(struct ay_err *e)
{
	return ay_fail_code(e, AY_E_INPUT, "PEER_PROTOCOL", "provisioning",
			    "a message that no step of ours asked for");
}

static struct ay_ca_certs certs_of(const struct ay_provisioning *p)
{
	return (struct ay_ca_certs){ p->msg.certs, p->msg.n_certs };
}

/* Faults of the TPM get a code of their own, so that the operator knows where to look. */
static enum ay_rc tpm_failed(enum ay_rc rc, struct ay_err *e)
{
	if (rc != AY_OK && e != NULL && e->code[0] == '\0')
		(void)snprintf(e->code, sizeof(e->code), "AGENT_TPM");
	return rc;
}

/* The server may not turn an enrolled host into another one; `enrol` may, by its token. */
static enum ay_rc check_host(const struct ay_provision_env *env, const struct ay_uuid *host,
			     struct ay_err *e)
{
	if (env->identity->enrolled && !env->agent->enrol &&
	    AY_CHECKED("AGENT_HOST_ID", memcmp(env->identity->host.b, host->b, 16) != 0))
		return ay_fail_code(e, AY_E_DENIED, "HOST_ID", "provision.host",
				    "this agent is enrolled as another host");
	return AY_OK;
}

/*
 * TPM 1.2: the new key signs when it is made that it was made for this ticket
 * and this CA; that is what its label and the CA's RSA key are hashed for.
 */
static enum ay_rc choose_label(struct ay_provisioning *p, const struct ay_provision_env *env,
			       struct ay_ak_ask *ask, struct ay_err *e)
{
	struct ay_ca_certs ca = certs_of(p);
	enum ay_rc rc;

	if (env->ops != &ay_tpmdev_tpm12)
		return AY_OK;
	ay_pubkey_free(p->ca_rsa);
	rc = ay_aikclient_rsa(&ca, env->pins->ca, env->now_ms, &p->ca_rsa, e);
	if (rc != AY_OK)
		return rc;
	if (!ay_chosen12(ay_bytes_of(p->ticket.jti), p->ca_rsa, AY_ES12_RSAES_OAEP, p->label))
		return ay_fail(e, AY_E_BUG, "ak.label", 0, "cannot be computed");
	ask->label_digest = p->label;
	return AY_OK;
}

/* TPM_IDENTITY_REQ in place of the public area. */
static enum ay_rc identity_req(struct ay_provisioning *p, struct ay_bytes *out, struct ay_err *e)
{
	const struct ay_proof12 proof = { .label = ay_bytes_of(p->ticket.jti),
					  .ak = p->ak.pub,
					  .binding = p->ak.binding };
	uint8_t *buf = ay_arena_alloc(&p->arena, AY_MAX_IDENTITY12_BYTES);
	struct ay_idreq12_random random;
	struct ay_writer w;
	enum ay_rc rc;

	if (buf == NULL)
		return ay_fail(e, AY_E_NOMEM, "ca_request", 0, "no memory");
	ay_rng_bytes(&random, sizeof(random));
	ay_wr_init(&w, buf, AY_MAX_IDENTITY12_BYTES);
	rc = ay_idreq12_seal(&proof, p->ca_rsa, &random, &w, e);
	ay_wipe(&random, sizeof(random));
	return rc == AY_OK ? ay_wr_end(&w, "identityReq", out, e) : rc;
}

static enum ay_rc make_keys(struct ay_provisioning *p, const struct ay_provision_env *env,
			    struct ay_err *e)
{
	bool renewal = env->identity->enrolled && !env->agent->enrol;
	struct ay_ak_ask ask = { .kind = env->agent->ak };
	struct ay_pubkey *key = NULL;
	enum ay_rc rc = choose_label(p, env, &ask, e);

	if (rc == AY_OK)
		rc = env->ops->open(env->dev, e);
	if (rc != AY_OK)
		return rc;
	rc = env->ops->ek_find(env->dev, env->agent->ek, renewal ? env->identity->ak.ek_nv : 0,
			       &p->arena, &p->ek, e);
	ask.ek_nv = p->ek.nv_cert;
	if (rc == AY_OK)
		rc = env->ops->ak_create(env->dev, &ask, &p->arena, &p->ak, e);
	env->ops->close(env->dev);
	if (rc == AY_OK)
		rc = ay_any_public(p->ak.pub, &key, &p->ak_name, e);
	ay_pubkey_free(key);
	return rc;
}

static enum ay_rc write_request(struct ay_provisioning *p, struct ay_writer *answer,
				struct ay_err *e)
{
	struct ay_ca_certs ca = certs_of(p);
	struct ay_identity_request q = { .ticket = p->msg.ticket,
					 .ak = p->ak.pub,
					 .ek = p->ek.pub,
					 .ek_cert = p->ek.cert,
					 .n_certs = p->ek.n_chain };
	uint8_t *buf = ay_arena_alloc(&p->arena, SEALED_MAX);
	size_t n;
	enum ay_rc rc = AY_OK;

	if (buf == NULL)
		return ay_fail(e, AY_E_NOMEM, "ca_request", 0, "no memory");
	q.is_tpm12 = p->ak.binding.n > 0;
	if (q.is_tpm12)
		rc = identity_req(p, &q.ak, e);
	for (size_t i = 0; i < q.n_certs; i++)
		q.certs[i] = p->ek.chain[i];
	if (rc == AY_OK)
		rc = ay_aikclient_request(&q, &ca, buf, SEALED_MAX, &n, e);
	if (rc == AY_OK)
		ay_wr_vec32(answer, (struct ay_bytes){ buf, n });
	return rc;
}

/* The pin in force, or the one before while the server has not changed to the new one. */
static void choose_ca(struct ay_provisioning *p, const struct ay_provision_env *env)
{
	const struct ay_ca_certs ca = certs_of(p);
	uint8_t root[32];

	memcpy(p->ca, env->pins->ca, sizeof(p->ca));
	if (ca.n > 0 && ay_cert_spki_hash_of(ca.der[ca.n - 1], root, NULL) == AY_OK &&
	    ay_pins_match(env->pins, AY_PIN_CA, root, env->now_ms))
		memcpy(p->ca, root, sizeof(p->ca));
}

enum ay_rc ay_provision_begin(struct ay_provisioning *p, const struct ay_provision_env *env,
			      struct ay_bytes body, struct ay_writer *answer, struct ay_err *e)
{
	struct ay_ca_certs ca;
	struct ay_bytes copy;
	enum ay_rc rc;

	ay_provisioning_reset(p);
	copy = ay_arena_dup(&p->arena, body);
	if (copy.p == NULL)
		return ay_fail(e, AY_E_NOMEM, "provision", 0, "no memory");
	rc = ay_chan_provision_parse(copy, &p->msg, e);
	if (rc == AY_OK)
		rc = check_host(env, &p->msg.host, e);
	ca = certs_of(p);
	if (rc == AY_OK)
		choose_ca(p, env);
	if (rc == AY_OK)
		rc = ay_aikclient_check_ca(&ca, p->ca, env->now_ms, e);
	if (rc == AY_OK)
		rc = ay_aikclient_check_ticket(p->msg.ticket, env->agent->spki, &p->msg.host, p->ca,
					       env->now_ms, &p->ticket, e);
	if (rc == AY_OK)
		rc = tpm_failed(make_keys(p, env, e), e);
	if (rc == AY_OK)
		rc = write_request(p, answer, e);
	if (rc == AY_OK)
		p->step = AY_STEP_REQUESTED;
	return rc;
}

static enum ay_rc activate(struct ay_provisioning *p, const struct ay_provision_env *env,
			   struct ay_bytes id_object, struct ay_bytes encrypted,
			   struct ay_secret *out, struct ay_err *e)
{
	size_t n = 0;
	enum ay_rc rc = env->ops->open(env->dev, e);

	_Static_assert(AY_SECRET_MAX >= AY_DIGEST_MAX, "a credential fits a secret");
	if (rc != AY_OK)
		return tpm_failed(rc, e);
	rc = env->ops->activate(env->dev, &p->ak, id_object, encrypted, out->b, &n, e);
	env->ops->close(env->dev);
	out->n = n;
	return tpm_failed(rc, e);
}

enum ay_rc ay_provision_challenge(struct ay_provisioning *p, const struct ay_provision_env *env,
				  struct ay_bytes body, struct ay_writer *answer, struct ay_err *e)
{
	AY_CLEANUP(ay_secret_wipe) struct ay_secret secret = { 0 };
	struct ay_ca_certs ca = certs_of(p);
	struct ay_chan_ca_challenge m;
	uint8_t *buf = ay_arena_alloc(&p->arena, 4096);
	size_t n;
	enum ay_rc rc;

	if (AY_CHECKED("AGENT_STEP_CHALLENGE", p->step != AY_STEP_REQUESTED))
		return out_of_step(e);
	if (buf == NULL)
		return ay_fail(e, AY_E_NOMEM, "ca_answer", 0, "no memory");
	rc = ay_chan_ca_challenge_parse(body, &m, e);
	if (rc == AY_OK)
		rc = activate(p, env, m.id_object, m.secret, &secret, e);
	if (rc == AY_OK)
		rc = ay_aikclient_answer(p->ticket.jti, ay_secret_view(&secret), &ca, buf, 4096, &n,
					 e);
	if (rc != AY_OK)
		return rc;
	ay_wr_vec32(answer, (struct ay_bytes){ buf, n });
	p->step = AY_STEP_ANSWERED;
	return AY_OK;
}

static enum ay_rc open_cert(struct ay_provisioning *p, const struct ay_provision_env *env,
			    struct ay_bytes body, struct ay_err *e)
{
	AY_CLEANUP(ay_secret_wipe) struct ay_secret k0 = { 0 };
	struct ay_chan_ca_cert m;
	uint8_t *buf = ay_arena_alloc(&p->arena, AY_MAX_CERT_BYTES + 16);
	size_t n;
	enum ay_rc rc;

	if (buf == NULL)
		return ay_fail(e, AY_E_NOMEM, "ca_cert", 0, "no memory");
	rc = ay_chan_ca_cert_parse(body, &m, e);
	if (rc == AY_OK)
		rc = activate(p, env, m.id_object, m.secret, &k0, e);
	if (rc == AY_OK)
		rc = ay_aikclient_open(ay_secret_view(&k0), m.iv, m.sealed,
				       ay_name_view(&p->ak_name), buf, AY_MAX_CERT_BYTES + 16, &n,
				       e);
	if (rc == AY_OK)
		p->cert = (struct ay_bytes){ buf, n };
	return rc;
}

static enum ay_rc check_cert(struct ay_provisioning *p, const struct ay_provision_env *env,
			     struct ay_err *e)
{
	struct ay_ca_certs ca = certs_of(p);
	struct ay_pubkey *key = NULL;
	struct ay_aikcert cert;
	struct ay_name name;
	enum ay_rc rc = ay_any_public(p->ak.pub, &key, &name, e);

	if (rc == AY_OK)
		rc = ay_aikclient_check_cert(p->cert, &ca, p->ca, &p->ticket, key,
					     ay_name_view(&p->ak_name), env->now_ms, &cert, e);
	ay_pubkey_free(key);
	return rc;
}

/* The quote by the new AK, bound to this connection, this host and this certificate. */
static enum ay_rc write_proof(struct ay_provisioning *p, const struct ay_provision_env *env,
			      struct ay_writer *answer, struct ay_err *e)
{
	uint8_t x[32], data[AY_QUALIFY_BYTES];
	struct ay_tpm_quote q;
	enum ay_rc rc;

	ay_qualify_enrol_x(env->agent->spki, p->cert, x);
	ay_qualify(AY_QUALIFY_ENROL, p->msg.nonce, env->exporter, &p->msg.host, x, data);
	rc = env->ops->open(env->dev, e);
	if (rc != AY_OK)
		return tpm_failed(rc, e);
	rc = env->ops->quote(env->dev, &p->ak, &p->msg.selection, AY_BYTES(data), &p->arena, &q, e);
	env->ops->close(env->dev);
	if (rc != AY_OK)
		return tpm_failed(rc, e);
	ay_wr_vec16(answer, p->cert);
	ay_wr_vec16(answer, p->ak.pub);
	ay_wr_vec16(answer, q.attest);
	ay_wr_vec16(answer, q.sig);
	return AY_OK;
}

enum ay_rc ay_provision_cert(struct ay_provisioning *p, const struct ay_provision_env *env,
			     struct ay_bytes body, struct ay_writer *answer, struct ay_err *e)
{
	enum ay_rc rc;

	if (AY_CHECKED("AGENT_STEP_CERT", p->step != AY_STEP_ANSWERED))
		return out_of_step(e);
	rc = open_cert(p, env, body, e);
	if (rc == AY_OK)
		rc = check_cert(p, env, e);
	if (rc == AY_OK)
		rc = write_proof(p, env, answer, e);
	if (rc == AY_OK)
		p->step = AY_STEP_PROVED;
	return rc;
}

static void copy_name(struct ay_bytes name, char out[AY_MAX_NAME_BYTES + 1])
{
	for (size_t i = 0; i < name.n; i++)
		out[i] = name.p[i] >= 0x20 && name.p[i] < 0x7f ? (char)name.p[i] : '?';
	out[name.n] = '\0';
}

static void copy_servers(const struct ay_provision_env *env, struct ay_identity *out)
{
	const struct ay_token *t = env->agent->token;
	size_t n = t != NULL ? t->n_servers : env->identity->n_servers;

	for (size_t i = 0; i < n && i < AY_TOKEN_SERVERS_MAX; i++)
		memcpy(out->servers[i], t != NULL ? t->servers[i] : env->identity->servers[i],
		       AY_TOKEN_SERVER_MAX);
	out->n_servers = n;
}

enum ay_rc ay_provision_enrolled(struct ay_provisioning *p, const struct ay_provision_env *env,
				 struct ay_bytes body, struct ay_identity *out, struct ay_err *e)
{
	struct ay_chan_enrolled m;
	enum ay_rc rc = ay_chan_enrolled_parse(body, &m, e);

	ay_identity_init(out);
	if (rc != AY_OK)
		return rc;
	if (AY_CHECKED("AGENT_STEP_ENROLLED", p->step != AY_STEP_PROVED))
		return out_of_step(e);
	if (AY_CHECKED("AGENT_ENROLLED_HOST", memcmp(m.host.b, p->msg.host.b, 16) != 0))
		return ay_fail_code(e, AY_E_DENIED, "HOST_ID", "enrolled.host",
				    "not the host of the ticket");
	out->host = m.host;
	copy_name(m.name, out->name);
	out->pins = *env->pins;
	(void)ay_pins_seen(&out->pins, AY_PIN_CA, p->ca);
	copy_servers(env, out);
	out->ends_at_ms = m.ends_at_ms;
	out->renew_at_ms = m.renew_at_ms;
	out->ak.ek_nv = p->ak.ek_nv;
	out->ak.pub = ay_arena_dup(&out->arena, p->ak.pub);
	out->ak.priv = ay_arena_dup(&out->arena, p->ak.priv);
	out->cert = ay_arena_dup(&out->arena, p->cert);
	if (out->ak.pub.p == NULL || out->ak.priv.p == NULL || out->cert.p == NULL)
		return ay_fail(e, AY_E_NOMEM, "identity", 0, "no memory");
	out->enrolled = true;
	p->step = AY_STEP_IDLE;
	return AY_OK;
}

bool ay_provision_ek_hash(const struct ay_provisioning *p, char out[65])
{
	uint8_t hash[32];

	out[0] = '\0';
	if (p->ek.pub.n == 0)
		return false;
	ay_sha256(p->ek.pub, hash);
	ay_hex_encode(AY_BYTES(hash), out);
	return true;
}
