/* SPDX-License-Identifier: Apache-2.0 */
#include "prog/assay-agent/attest.h"

#include <stdlib.h>

#include "core/crypto/hash.h"
#include "core/tpm/qualify.h"
#include "io/sys/config.h"
#include "prog/assay-agent/launch.h"

enum { ARENA_MAX = 256 * 1024, ROOM_BESIDE_LOGS = 64 * 1024 };

void ay_attester_init(struct ay_attester *t)
{
	*t = (struct ay_attester){ 0 };
	ay_arena_init(&t->arena, ARENA_MAX);
}

void ay_attester_fini(struct ay_attester *t)
{
	ay_arena_fini(&t->arena);
}

void ay_attester_forget(struct ay_attester *t)
{
	t->has_last = false;
}

void ay_attest_values_hash(const struct ay_pcrs *values, uint8_t out[32])
{
	uint8_t wire[AY_PCRS_WIRE_MAX];
	struct ay_writer w;
	struct ay_bytes b = { 0 };

	memset(out, 0, 32);
	ay_wr_init(&w, wire, sizeof(wire));
	ay_pcrs_write(&w, values);
	if (ay_wr_end(&w, "values", &b, NULL) == AY_OK)
		ay_sha256(b, out);
}

void ay_attest_changed(const struct ay_pcrs *last, const struct ay_pcrs *now, struct ay_pcrs *out)
{
	*out = (struct ay_pcrs){ 0 };
	for (size_t b = 0; b < now->n_banks; b++) {
		uint16_t alg = now->bank[b].alg;

		for (unsigned pcr = 0; pcr < AY_PCR_COUNT; pcr++) {
			struct ay_bytes v = ay_pcrs_value(now, alg, pcr);

			if (v.n == 0 || ay_bytes_eq(v, ay_pcrs_value(last, alg, pcr)))
				continue;
			if (ay_pcrs_set(out, alg, pcr, v, NULL) != AY_OK)
				return;
		}
	}
}

static bool is_zero(const uint8_t *p, size_t n)
{
	while (n > 0 && *p == 0)
		p++, n--;
	return n == 0;
}

/* Hints: only what changed, if the server's copy is the one we sent last. */
static enum ay_chan_hints choose_hints(const struct ay_attester *t,
				       const struct ay_chan_challenge *c, const struct ay_pcrs *now,
				       struct ay_pcrs *changed)
{
	if (!t->has_last || is_zero(c->values_hash, 32) ||
	    memcmp(t->last_hash, c->values_hash, 32) != 0)
		return AY_CHAN_HINTS_ALL;
	ay_attest_changed(&t->last, now, changed);
	return AY_CHAN_HINTS_CHANGED;
}

static enum ay_rc quote(struct ay_attester *t, const struct ay_attest_env *env,
			const struct ay_chan_challenge *c, struct ay_tpm_quote *q, struct ay_err *e)
{
	const struct ay_identity *id = &env->agent->identity;
	uint8_t data[AY_QUALIFY_BYTES];
	enum ay_rc rc;

	ay_qualify(AY_QUALIFY_QUOTE, c->nonce, env->exporter, &id->host, NULL, data);
	rc = env->ops->open(env->dev, e);
	if (rc != AY_OK)
		return rc;
	rc = env->ops->quote(env->dev, &id->ak, &c->selection, AY_BYTES(data), &t->arena, q, e);
	t->nv = (struct ay_bytes){ 0 };
	if (rc == AY_OK && ay_launch_is_looked_for(env->agent->conf))
		ay_launch_read_nv(env->ops, env->dev, &t->arena, t->nv_buf, &t->nv);
	env->ops->close(env->dev);
	return rc;
}

static enum ay_rc write_body(const struct ay_chan_evidence *m, struct ay_bytes *out,
			     struct ay_err *e)
{
	size_t room = ay_chan_evidence_room(m);
	uint8_t *buf = malloc(room);
	struct ay_writer w;
	enum ay_rc rc;

	if (buf == NULL)
		return ay_fail(e, AY_E_NOMEM, "evidence", 0, "no memory");
	ay_wr_init(&w, buf, room);
	ay_chan_evidence_write(&w, m);
	rc = ay_wr_end(&w, "evidence", out, e);
	if (rc != AY_OK)
		free(buf);
	return rc;
}

static enum ay_rc answer(struct ay_attester *t, const struct ay_attest_env *env,
			 const struct ay_chan_challenge *c, const struct ay_tpm_quote *q,
			 struct ay_bytes *out, struct ay_err *e)
{
	const struct ay_config *conf = env->agent->conf;
	AY_CLEANUP(ay_measured_fini) struct ay_measured log = { 0 };
	AY_CLEANUP(ay_measured_fini) struct ay_measured ima = { 0 };
	struct ay_chan_evidence m = { .attest = q->attest, .sig = q->sig };
	struct ay_pcrs changed;
	bool same_boot;
	enum ay_rc rc = ay_measure_boot_id(ay_config_str(conf, "boot_id"), &m.boot_id, e);

	if (rc != AY_OK)
		return rc;
	same_boot = memcmp(m.boot_id.b, c->boot_id, 16) == 0;
	ay_measure_logs(conf, t->nv, c->log_hash, &log);
	ay_measure_ima(ay_config_str(conf, "ima"), same_boot ? c->ima_octets : 0,
		       same_boot ? c->ima_entries : 0,
		       AY_MAX_EVIDENCE_BYTES - ROOM_BESIDE_LOGS - log.bytes.n, &ima);
	m.hints = choose_hints(t, c, &q->values, &changed);
	m.values = m.hints == AY_CHAN_HINTS_CHANGED ? &changed : &q->values;
	m.log = log.state;
	m.log_bytes = log.bytes;
	m.ima = ima.state;
	m.ima_offset = ima.offset;
	m.ima_entries = ima.entries;
	m.ima_bytes = ima.bytes;
	return write_body(&m, out, e);
}

enum ay_rc ay_attest(struct ay_attester *t, const struct ay_attest_env *env,
		     struct ay_bytes challenge, struct ay_bytes *out, struct ay_err *e)
{
	struct ay_chan_challenge c;
	struct ay_tpm_quote q;
	enum ay_rc rc = ay_chan_challenge_parse(challenge, &c, e);

	*out = (struct ay_bytes){ 0 };
	if (rc != AY_OK)
		return rc;
	if (!env->agent->identity.enrolled)
		return ay_fail_code(e, AY_E_DENIED, "NOT_ENROLLED", "challenge",
				    "this host has no attestation key yet");
	ay_arena_reset(&t->arena);
	rc = quote(t, env, &c, &q, e);
	if (rc == AY_OK)
		rc = answer(t, env, &c, &q, out, e);
	if (rc != AY_OK)
		return rc;
	t->last = q.values;
	ay_attest_values_hash(&t->last, t->last_hash);
	t->has_last = true;
	return AY_OK;
}
