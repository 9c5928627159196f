/* SPDX-License-Identifier: Apache-2.0 */
#include "core/appraise/check_launch.h"

#include "core/appraise/check_quote12.h"
#include "core/appraise/rule_parts.h"
#include "core/crypto/hash.h"
#include "core/evlog/launch.h"
#include "core/evlog/replay.h"
#include "core/evlog/txt_heap.h"

#include <string.h>

#define FIRST 17 /* 17-19: reset by a launch and by nothing else */
#define LAST 19
#define TOLD_MAX 16 /* registers, and NV indices: there are no more */

static bool is_all(struct ay_bytes v, uint8_t octet)
{
	for (size_t i = 0; i < v.n; i++)
		if (v.p[i] != octet)
			return false;
	return v.n > 0;
}

/* ---- the values ---- */

void ay_check_launch_values(const struct ay_pcrs *attested, struct ay_report *rep)
{
	for (size_t k = 0; k < attested->n_banks; k++) {
		struct ay_place at = { .has_pcr = true, .bank = attested->bank[k].alg };
		unsigned ones = 0, others = 0;

		for (unsigned pcr = FIRST; pcr <= LAST; pcr++) {
			struct ay_bytes v = ay_pcrs_value(attested, at.bank, pcr);

			ones += is_all(v, 0xff);
			if (v.n == 0 || is_all(v, 0xff))
				continue;
			others++;
			at.pcr = (uint8_t)pcr;
			at.measured = v;
		}
		if (AY_CHECKED("TXT_FORGED", ones > 0 && others > 0))
			ay_report_add(rep, AY_CHECK_TXT_FORGED, AY_FAIL, &at,
				      "PCR %u was extended, and PCRs beside it were never reset: "
				      "there was no launch",
				      at.pcr);
	}
}

/* ---- what it was ---- */

static const struct {
	uint32_t type;
	const char *name;
} facts[] = {
	{ AY_EV_TXT_HASH_START, "SINIT hash" },
	{ AY_EV_TXT_MLE_HASH, "MLE hash" },
	{ AY_EV_TXT_BIOSAC_REG_DATA, "BIOS ACM" },
	{ AY_EV_TXT_STM_HASH, "STM" },
	{ AY_EV_TXT_LCP_HASH, "LCP" },
	{ AY_EV_TXT_LCP_DETAILS_HASH, "LCP details" },
	{ AY_EV_TXT_LCP_AUTHORITIES_HASH, "LCP authorities" },
};

static const char *fact_name(uint32_t type)
{
	for (size_t i = 0; i < AY_COUNT(facts); i++)
		if (facts[i].type == type)
			return facts[i].name;
	return NULL;
}

static void tell_fact(const struct ay_boot_facts *f, size_t i, struct ay_report *rep)
{
	const struct ay_event *ev = &f->log->event[i];
	bool proven = (f->unexplained >> ev->pcr & 1) == 0;
	struct ay_place at = {
		.has_pcr = true, .pcr = (uint8_t)ev->pcr, .has_event = true, .event = (uint32_t)i
	};

	for (size_t k = 0; k < f->log->n_banks; k++)
		if (ev->digest[k] != NULL && ay_alg_digest_size(f->log->bank[k]) > at.measured.n &&
		    ay_pcrs_value(f->pcrs, f->log->bank[k], ev->pcr).n > 0) {
			at.bank = f->log->bank[k];
			at.measured =
				(struct ay_bytes){ ev->digest[k], ay_alg_digest_size(at.bank) };
		}
	ay_report_add(rep, AY_CHECK_TXT_FACT, AY_PASS, &at, "%s (%s)", fact_name(ev->type),
		      ay_grade_name(proven ? AY_GRADE_LOG_REPLAYED : AY_GRADE_SELF_REPORTED));
}

static bool is_zero(const uint8_t *p, size_t n)
{
	while (n > 0 && *p == 0)
		p++, n--;
	return n == 0;
}

/* What SINIT told the MLE, of TPM 1.2 (a launch with TPM 2.0 leaves the digests zero). */
static void tell_heap(struct ay_bytes heap, struct ay_report *rep)
{
	struct ay_txt_heap h;
	struct ay_err e = { 0 };

	if (heap.n == 0)
		return;
	if (ay_txt_heap_parse(heap, &h, &e) != AY_OK) {
		ay_report_add(rep, AY_CHECK_TXT_FACT, AY_PASS, NULL,
			      "the heap that the host sent cannot be read: %s", e.text);
		return;
	}
	const struct {
		const char *name;
		const uint8_t *digest;
	} of[] = { { "BIOS ACM id", h.bios_acm_id },
		   { "SINIT hash", h.sinit_hash },
		   { "MLE hash", h.mle_hash },
		   { "STM hash", h.stm_hash },
		   { "LCP hash", h.lcp_policy_hash } };

	for (size_t i = 0; i < AY_COUNT(of); i++) {
		struct ay_place at = { .bank = AY_ALG_SHA1, .measured = { of[i].digest, 20 } };

		if (!is_zero(of[i].digest, 20))
			ay_report_add(rep, AY_CHECK_TXT_FACT, AY_PASS, &at, "heap: %s (%s)",
				      of[i].name, ay_grade_name(AY_GRADE_SELF_REPORTED));
	}
	ay_report_add(rep, AY_CHECK_TXT_FACT, AY_PASS, NULL,
		      "heap: STM %s, LCP control 0x%08x, S-CRTM status %u (%s)",
		      h.mseg_valid != 0 ? "possible (MSEG valid)" : "none", h.lcp_policy_control,
		      h.scrtm_status, ay_grade_name(AY_GRADE_SELF_REPORTED));
}

/* "errorcode=0xc0000001" a line; printed as it is, made printable by the report. */
static void tell_registers(struct ay_bytes regs, struct ay_report *rep)
{
	for (unsigned i = 0; regs.n > 0 && i < TOLD_MAX; i++) {
		const uint8_t *end = memchr(regs.p, '\n', regs.n);
		size_t n = end != NULL ? (size_t)(end - regs.p) : regs.n;
		size_t skip = end != NULL ? n + 1 : n;

		if (n > 0 && n <= 80)
			ay_report_add(rep, AY_CHECK_TXT_FACT, AY_PASS, NULL, "register %.*s (%s)",
				      (int)n, (const char *)regs.p,
				      ay_grade_name(AY_GRADE_SELF_REPORTED));
		regs.p += skip;
		regs.n -= skip;
	}
}

/* n times u32 index, v16 octets: digests of what NV holds, so that drift shows. */
static void tell_nv(struct ay_bytes nv, struct ay_report *rep)
{
	struct ay_reader r;

	ay_rd_init(&r, nv);
	for (unsigned i = 0; ay_rd_left(&r) > 0 && i < TOLD_MAX; i++) {
		uint32_t index = ay_rd_be32(&r, "nv.index");
		struct ay_bytes octets = ay_rd_vec16(&r, "nv.octets", 4096);
		struct ay_place at = { .bank = AY_ALG_SHA256 };
		uint8_t digest[32];

		if (!ay_rd_ok(&r))
			break;
		ay_sha256(octets, digest);
		at.measured = AY_BYTES(digest);
		ay_report_add(rep, AY_CHECK_TXT_FACT, AY_PASS, &at,
			      "NV 0x%08x: policy of the launch (%s)", index,
			      ay_grade_name(AY_GRADE_SELF_REPORTED));
	}
}

void ay_check_launch_facts(const struct ay_boot_facts *f, struct ay_report *rep)
{
	struct ay_place at = { .has_pcr = true, .pcr = FIRST };
	enum ay_launch_map map = f->log == NULL ? AY_LAUNCH_MAP_NONE : ay_launch_map_of(f->log);

	if (f->log != NULL && f->log->is_joined) {
		tell_heap(f->log->heap, rep);
		tell_registers(f->log->regs, rep);
		tell_nv(f->log->nv, rep);
	}
	if (map == AY_LAUNCH_MAP_NONE)
		return;
	ay_report_add(rep, AY_CHECK_TXT_LAUNCH, AY_PASS, &at,
		      "the log begins with a measured launch; PCR 17 and 18: %s",
		      ay_launch_map_name(map));
	for (size_t i = 0; i < f->log->n_events; i++) {
		const struct ay_event *ev = &f->log->event[i];

		if (ev->pcr >= AY_DRTM_FIRST && ev->pcr <= AY_DRTM_LAST &&
		    fact_name(ev->type) != NULL)
			tell_fact(f, i, rep);
	}
}

/* ---- what is demanded ---- */

static bool expects_value(const struct ay_rule *r)
{
	for (size_t i = 0; i < r->n_values; i++)
		for (size_t k = 0; k < r->values[i].n_banks; k++) {
			struct ay_bytes v =
				ay_pcrs_value(&r->values[i], r->values[i].bank[k].alg, r->pcr);

			if (v.n > 0 && !is_all(v, 0xff) && !is_all(v, 0x00))
				return true;
		}
	return false;
}

bool ay_rule_wants_launch(const struct ay_rule *r)
{
	return r->kind->has_pcr && r->pcr >= FIRST && r->pcr <= LAST &&
	       (r->n_events > 0 || expects_value(r));
}

void ay_check_launch_demand(const struct ay_policy *p, const struct ay_judged *j,
			    const struct ay_pcrs *attested, struct ay_report *rep)
{
	if (p->launch_required || j->wants_launch)
		(void)!ay_check_drtm_launched(attested, rep);
}

/* ---- every event is somebody's ---- */

static bool is_claimed(const struct ay_report *rep, size_t event)
{
	for (size_t i = 0; i < rep->n_coverage; i++)
		if (rep->coverage[i].event == (int32_t)event)
			return true;
	for (size_t i = 0; i < rep->n_findings; i++) /* told already as another one's change */
		if (rep->finding[i].code == AY_CHECK_REF_EVENT && rep->finding[i].has_event &&
		    rep->finding[i].event == event)
			return true;
	return false;
}

static void tell_added(const struct ay_boot_facts *f, size_t i, struct ay_report *rep)
{
	const struct ay_event *ev = &f->log->event[i];
	struct ay_place at = {
		.has_pcr = true, .pcr = (uint8_t)ev->pcr, .has_event = true, .event = (uint32_t)i
	};
	char buf[AY_LAUNCH_NAME];
	const char *name = ay_launch_name(f->log, i, buf);

	for (size_t k = 0; k < f->log->n_banks; k++)
		if (ev->digest[k] != NULL) {
			at.bank = f->log->bank[k];
			at.measured =
				(struct ay_bytes){ ev->digest[k], ay_alg_digest_size(at.bank) };
		}
	ay_report_add(rep, AY_CHECK_REF_ADDED, AY_FAIL, &at,
		      "PCR %u: the launch measured \"%s\", which no set in force expects", ev->pcr,
		      name != NULL ? name : "something without a name");
}

void ay_check_launch_claimed(const struct ay_judged *j, const struct ay_boot_facts *f,
			     struct ay_report *rep)
{
	for (size_t i = 0; f->log != NULL && i < f->log->n_events; i++) {
		const struct ay_event *ev = &f->log->event[i];

		if (ev->pcr >= AY_PCR_COUNT || (j->launch >> ev->pcr & 1) == 0 ||
		    !ay_event_is_extended(ev))
			continue;
		if (AY_CHECKED("LAUNCH_CLAIMED", !is_claimed(rep, i)))
			tell_added(f, i, rep);
	}
}
