/* SPDX-License-Identifier: Apache-2.0 */
#include "prog/assay-sim/evidence.h"

#include "core/crypto/hash.h"
#include "core/crypto/sign.h"
#include "core/tpm/pcrdigest.h"
#include "core/tpm/qualify.h"
#include "core/tpm/quote.h"
#include "core/tpm/signature.h"
#include "io/sys/clock.h"
#include "io/sys/rng.h"

enum { CLOCK_BACK_MS = 1000000000 };
static const uint64_t firmware = 0x0001000200030004;

static const char *const bad_names[SIM_BADS] = { [SIM_GOOD] = "",
#define X(id, name, doc) [SIM_BAD_##id] = name,
						 SIM_BAD_MODES
#undef X
};

enum sim_bad sim_bad_find(const char *name)
{
	enum sim_bad b = 1;

	while (b < SIM_BADS && strcmp(bad_names[b], name) != 0)
		b++;
	return b;
}

enum sim_bad sim_bad_draw(struct sim *s)
{
	uint32_t random;

	if (s->conf.bad_per_million == 0 || s->conf.n_bad == 0)
		return SIM_GOOD;
	ay_rng_bytes(&random, sizeof(random));
	if (random % 1000000 >= s->conf.bad_per_million)
		return SIM_GOOD;
	return s->conf.bad[s->stats.bad_sent % s->conf.n_bad];
}

/* Milliseconds since the TPM was made; never behind what was said before, here or in an earlier
 * run. */
static uint64_t next_clock(struct sim_host *h)
{
	uint64_t now = (uint64_t)ay_clock_wall_ms();

	h->clock_ms = now > h->clock_ms ? now : h->clock_ms + 1;
	return h->clock_ms;
}

static void spoil_quote(struct ay_quote *q, enum sim_bad bad, uint8_t digest[32], uint8_t extra[64])
{
	switch ((int)bad) {
	case SIM_BAD_WRONG_NONCE:
		memcpy(extra, q->nonce.p, q->nonce.n);
		extra[5] ^= 1;
		q->nonce.p = extra;
		break;
	case SIM_BAD_PCR:
		digest[7] ^= 1;
		break;
	case SIM_BAD_CLOCK:
		q->clock_ms -= CLOCK_BACK_MS;
		break;
	case SIM_BAD_SELECTION:
		q->selection.bank[0].mask &= q->selection.bank[0].mask - 1;
		break;
	case SIM_BAD_MAGIC:
		q->magic ^= 1;
		break;
	default:
		break;
	}
}

static enum ay_rc sign(struct sim_host *signer, struct ay_bytes attest, enum sim_bad bad,
		       uint8_t *buf, struct ay_bytes *sig, struct ay_err *e)
{
	struct ay_signature_buf s;
	struct ay_writer w;
	enum ay_rc rc = ay_sign(signer->ak, 0, AY_ALG_SHA256, attest, &s, e);

	if (rc != AY_OK)
		return rc;
	if (bad == SIM_BAD_SIGNATURE)
		s.b[20] ^= 4;
	ay_wr_init(&w, buf, SIM_SIG_MAX);
	ay_signature_write(&w, &s.sig);
	return ay_wr_end(&w, "sim.sig", sig, e);
}

/* The host whose AK signs: for the cross-host attack the neighbour's. */
static struct sim_host *signer_of(struct sim_host *h, enum sim_bad bad)
{
	if (bad != SIM_BAD_CROSS_HOST || h->sim->conf.hosts < 2)
		return h;
	return &h->sim->host[(h->index - h->sim->conf.first + 1) % h->sim->conf.hosts];
}

enum ay_rc sim_quote(struct sim_host *h, const struct ay_pcr_selection *sel, struct ay_bytes extra,
		     enum sim_bad bad, uint8_t *buf, struct ay_bytes *attest, struct ay_bytes *sig,
		     struct ay_err *e)
{
	struct sim_host *signer = signer_of(h, bad);
	struct ay_quote q = { .magic = AY_TPM_GENERATED,
			      .type = AY_TPM_ST_ATTEST_QUOTE,
			      .signer = ay_name_view(&signer->qualified),
			      .nonce = extra,
			      .clock_ms = next_clock(h),
			      .reset_count = 1,
			      .clock_safe = 1,
			      .firmware = firmware,
			      .selection = *sel };
	uint8_t digest[32], changed[64];
	struct ay_writer w;
	enum ay_rc rc;

	if (!ay_pcr_digest(sel, AY_ALG_SHA256, &h->sim->pcrs, digest))
		return ay_fail(e, AY_E_INPUT, "sim.quote", 0, "asked for a bank that is not there");
	q.pcr_digest = AY_BYTES(digest);
	spoil_quote(&q, bad, digest, changed);
	ay_wr_init(&w, buf, SIM_ATTEST_MAX);
	ay_quote_write(&w, &q);
	rc = ay_wr_end(&w, "sim.quote", attest, e);
	if (rc != AY_OK)
		return rc;
	if (bad == SIM_BAD_MALFORMED)
		attest->n -= 3;
	return sign(signer, *attest, bad, buf + SIM_ATTEST_MAX, sig, e);
}

/* Hints: none when the server knows our values, else all that were asked. */
static void fill_hints(struct sim_host *h, const struct ay_chan_challenge *c,
		       struct ay_pcrs *values, struct ay_chan_evidence *ev)
{
	uint8_t wire[AY_PCRS_WIRE_MAX], hash[32];
	struct ay_pcr_bank *bank = ay_pcrs_bank(values, AY_ALG_SHA256);
	struct ay_writer w;
	struct ay_bytes all;

	*bank = h->sim->pcrs.bank[0];
	bank->have &= c->selection.n_banks > 0 ? c->selection.bank[0].mask : 0;
	ay_wr_init(&w, wire, sizeof(wire));
	ay_pcrs_write(&w, values);
	ev->values = values;
	ev->hints = AY_CHAN_HINTS_ALL;
	if (ay_wr_end(&w, "sim.hints", &all, NULL) != AY_OK)
		return;
	ay_sha256(all, hash);
	if (memcmp(hash, c->values_hash, sizeof(hash)) != 0)
		return;
	*values = (struct ay_pcrs){ 0 };
	ev->hints = AY_CHAN_HINTS_CHANGED;
}

static void remember(struct sim_host *h, struct ay_bytes attest, struct ay_bytes sig)
{
	if (attest.n + sig.n > sizeof(h->last))
		return;
	memcpy(h->last, attest.p, attest.n);
	memcpy(h->last + attest.n, sig.p, sig.n);
	h->last_attest_n = (uint16_t)attest.n;
	h->last_sig_n = (uint16_t)sig.n;
}

static enum ay_rc quote_for(struct sim_host *h, const struct ay_chan_challenge *c, enum sim_bad bad,
			    uint8_t *buf, struct ay_chan_evidence *ev, struct ay_err *e)
{
	struct ay_uuid host = h->id;
	uint8_t data[AY_QUALIFY_BYTES];
	enum ay_rc rc;

	if (bad == SIM_BAD_REPLAY && h->last_attest_n > 0) {
		ev->attest = (struct ay_bytes){ h->last, h->last_attest_n };
		ev->sig = (struct ay_bytes){ h->last + h->last_attest_n, h->last_sig_n };
		return AY_OK;
	}
	if (bad == SIM_BAD_HOST_ID || bad == SIM_BAD_REPLAY)
		host.b[0] ^= 1;
	ay_qualify(AY_QUALIFY_QUOTE, c->nonce, h->exporter, &host, NULL, data);
	rc = sim_quote(h, &c->selection, AY_BYTES(data), bad, buf, &ev->attest, &ev->sig, e);
	if (rc == AY_OK)
		remember(h, ev->attest, ev->sig);
	return rc;
}

enum ay_rc sim_answer(struct sim_host *h, const struct ay_chan_challenge *c, enum sim_bad bad,
		      uint8_t *buf, size_t max, struct ay_bytes *body, struct ay_err *e)
{
	uint8_t quote[SIM_QUOTE_ROOM];
	struct ay_pcrs values = { 0 };
	struct ay_chan_evidence ev = { .boot_id = h->boot,
				       .log = AY_CHAN_LOG_AS_KNOWN,
				       .ima = AY_CHAN_LOG_NONE };
	struct ay_writer w;
	enum ay_rc rc = quote_for(h, c, bad, quote, &ev, e);

	if (rc != AY_OK)
		return rc;
	fill_hints(h, c, &values, &ev);
	if (memcmp(c->log_hash, h->sim->log_hash, sizeof(c->log_hash)) != 0) {
		ev.log = AY_CHAN_LOG_FOLLOWS;
		ev.log_bytes = h->sim->log;
	}
	ay_wr_init(&w, buf, max);
	ay_chan_evidence_write(&w, &ev);
	return ay_wr_end(&w, "sim.evidence", body, e);
}
