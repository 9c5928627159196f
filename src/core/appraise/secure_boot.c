/* SPDX-License-Identifier: Apache-2.0 */
#include "core/appraise/secure_boot.h"

#include "core/appraise/rule_parts.h"

#include <stdio.h>
#include <string.h>

#include "core/crypto/hash.h"
#include "core/evlog/efi_sig.h"
#include "core/evlog/tcg_data.h"

#define PCR 7

/* The variables, and the namespaces they live in (as GUIDs stand in memory). */
struct variable {
	const char *name;
	uint8_t guid[16];
};
static const struct variable secure_boot = { "SecureBoot",
					     { 0x61, 0xdf, 0xe4, 0x8b, 0xca, 0x93, 0xd2, 0x11, 0xaa,
					       0x0d, 0x00, 0xe0, 0x98, 0x03, 0x2b, 0x8c } };
static const struct variable dbx = { "dbx",
				     { 0xcb, 0xb2, 0x19, 0xd7, 0x3a, 0x3d, 0x96, 0x45, 0xa3, 0xbc,
				       0xda, 0xd0, 0x0e, 0x67, 0x65, 0x6f } };
static const struct variable sbat_level = { "SbatLevel",
					    { 0x50, 0xab, 0x5d, 0x60, 0x46, 0xe0, 0x00, 0x43, 0xab,
					      0xb6, 0x3d, 0xd8, 0x10, 0xdd, 0x8b, 0x23 } };

/* The bank of the log to go by: quoted with PCR 7, the longest digest. -1: none. */
static int bank_of(const struct ay_boot_facts *f)
{
	size_t longest = 0;
	int best = -1;

	if (!ay_boot_has_log(f, PCR) ||
	    AY_CHECKED("SB_UNEXPLAINED", (f->unexplained >> PCR & 1) != 0))
		return -1;
	for (size_t k = 0; k < f->log->n_banks; k++) {
		struct ay_bytes v = ay_pcrs_value(f->pcrs, f->log->bank[k], PCR);

		if (v.n > longest && ay_evlog_speaks(f->log, k, PCR)) {
			longest = v.n;
			best = (int)k;
		}
	}
	return best;
}

static bool has_name(const struct ay_uefi_variable *v, const struct variable *want)
{
	size_t n = strlen(want->name);

	if (v->name.n != 2 * n || memcmp(v->guid, want->guid, sizeof(want->guid)) != 0)
		return false;
	for (size_t i = 0; i < n; i++)
		if (v->name.p[2 * i] != (uint8_t)want->name[i] || v->name.p[2 * i + 1] != 0)
			return false;
	return true;
}

static bool is_covered(const struct ay_evlog *log, const struct ay_event *ev, int bank)
{
	uint8_t digest[AY_DIGEST_MAX];
	uint16_t alg = log->bank[bank];

	return ev->digest[bank] != NULL && ay_hash_of(alg, ev->data, digest) &&
	       memcmp(digest, ev->digest[bank], ay_alg_digest_size(alg)) == 0;
}

/* The next event from *at on that measured the variable; false: none. */
static bool next_value(const struct ay_boot_facts *f, const struct variable *want, size_t *at,
		       struct ay_bytes *value)
{
	int bank = bank_of(f);

	for (; bank >= 0 && *at < f->log->n_events; (*at)++) {
		const struct ay_event *ev = &f->log->event[*at];
		struct ay_uefi_variable v;

		if (ev->pcr != PCR || ev->type == AY_EV_NO_ACTION ||
		    ay_uefi_variable_parse(ev->data, &v, NULL) != AY_OK || !has_name(&v, want) ||
		    AY_CHECKED("SB_COVERED", !is_covered(f->log, ev, bank)))
			continue;
		*value = v.value;
		return true;
	}
	return false;
}

/*
 * Where firmware stopped measuring: the separator of PCR 7, told by its digest.
 * Anybody may extend PCR 7 later, so what comes after it proves nothing by
 * itself. 0: there is none, so nothing came before it.
 */
static size_t separator_of(const struct ay_boot_facts *f)
{
	int bank = bank_of(f);

	for (size_t i = 0; bank >= 0 && i < f->log->n_events; i++) {
		const struct ay_event *ev = &f->log->event[i];

		if (ev->pcr == PCR && ev->type != AY_EV_NO_ACTION && ev->data.n == 4 &&
		    is_covered(f->log, ev, bank))
			return i;
	}
	return 0;
}

static void not_measured(struct ay_report *rep, enum ay_check code, const char *name,
			 const char *expected)
{
	struct ay_place at = { .has_pcr = true,
			       .pcr = PCR,
			       .expected_text = expected,
			       .measured_text = "not measured" };

	if (AY_CHECKED("SB_MISSING", true))
		ay_report_add(rep, code, AY_FAIL, &at,
			      "PCR 7 has no event whose digest covers the variable %s", name);
}

static struct ay_place place_of(size_t event)
{
	return (struct ay_place){
		.has_pcr = true, .pcr = PCR, .has_event = true, .event = (uint32_t)event
	};
}

/* ---- on or off ---- */

static void check_state(const struct ay_sb_demands *d, const struct ay_boot_facts *f,
			struct ay_report *rep)
{
	const char *want = d->state == AY_SB_ON ? "on" : "off";
	struct ay_bytes value;
	struct ay_place last = { 0 };
	size_t n = 0, separator = separator_of(f);

	for (size_t i = 0; next_value(f, &secure_boot, &i, &value);
	     n += !AY_CHECKED("SB_LATE", i >= separator), i++) {
		bool on = value.n == 1 && value.p[0] == 1, off = value.n == 1 && value.p[0] == 0;
		struct ay_place at = place_of(i);

		at.expected_text = want;
		at.measured_text = on ? "on" : off ? "off" : "unknown";
		if (AY_CHECKED("SB_STATE", !(d->state == AY_SB_ON ? on : off)))
			ay_report_add(rep, AY_CHECK_SB_STATE, AY_FAIL, &at,
				      "Secure Boot is %s, the policy demands %s", at.measured_text,
				      want);
		else
			last = at;
	}
	if (n == 0)
		not_measured(rep, AY_CHECK_SB_STATE, secure_boot.name, want);
	else if (last.has_pcr)
		ay_report_add(rep, AY_CHECK_SB_STATE, AY_PASS, &last, "Secure Boot is %s", want);
}

/* ---- dbx ---- */

struct dbx_seen {
	const struct ay_sb_demands *d;
	uint32_t n;
	size_t looking_for; /* of d->dbx */
	bool found;
};

static bool count_one(void *arg, enum ay_efi_sig_kind kind, struct ay_bytes data)
{
	struct dbx_seen *s = arg;

	s->n++;
	if (s->looking_for < s->d->n_dbx && kind == AY_EFI_SIG_SHA256 &&
	    memcmp(data.p, s->d->dbx[s->looking_for], 32) == 0)
		s->found = true;
	return true;
}

/* Number of signatures, and the first demanded hash that is not among them (n_dbx: all are). */
static bool read_dbx(const struct ay_sb_demands *d, struct ay_bytes value, uint32_t *n,
		     size_t *missing)
{
	struct dbx_seen s = { .d = d, .looking_for = d->n_dbx };

	*missing = d->n_dbx;
	if (ay_efi_sigs_parse(value, count_one, &s, NULL) != AY_OK)
		return false;
	*n = s.n;
	for (size_t i = 0; i < d->n_dbx && *missing == d->n_dbx; i++) {
		struct dbx_seen one = { .d = d, .looking_for = i };

		if (ay_efi_sigs_parse(value, count_one, &one, NULL) != AY_OK)
			return false;
		if (!one.found)
			*missing = i;
	}
	return true;
}

static void check_one_dbx(const struct ay_sb_demands *d, struct ay_bytes value, size_t event,
			  struct ay_report *rep)
{
	struct ay_place at = place_of(event);
	uint8_t digest[32];
	size_t missing;
	uint32_t n = 0;

	ay_sha256(value, digest);
	at.measured = AY_BYTES(digest);
	if (!read_dbx(d, value, &n, &missing)) {
		ay_report_add(rep, AY_CHECK_SB_DBX, AY_FAIL, &at, "dbx is malformed");
		return;
	}
	if (AY_CHECKED("SB_DBX_MIN", n < d->dbx_min)) {
		ay_report_add(rep, AY_CHECK_SB_DBX, AY_FAIL, &at,
			      "dbx has %u signatures, the policy demands %u", (unsigned)n,
			      (unsigned)d->dbx_min);
		return;
	}
	if (AY_CHECKED("SB_DBX", missing < d->n_dbx)) {
		at.expected = AY_BYTES(d->dbx[missing]);
		ay_report_add(rep, AY_CHECK_SB_DBX, AY_FAIL, &at,
			      "dbx lacks a hash that the policy demands");
		return;
	}
	ay_report_add(rep, AY_CHECK_SB_DBX, AY_PASS, &at, "dbx has %u signatures", (unsigned)n);
}

static void check_dbx(const struct ay_sb_demands *d, const struct ay_boot_facts *f,
		      struct ay_report *rep)
{
	struct ay_bytes value;
	size_t n = 0, separator = separator_of(f);

	for (size_t i = 0; next_value(f, &dbx, &i, &value); n += i < separator, i++)
		check_one_dbx(d, value, i, rep);
	if (n == 0)
		not_measured(rep, AY_CHECK_SB_DBX, dbx.name, "dbx");
}

/* ---- SBAT ---- */

static void check_level(const struct ay_sbat_level *want, struct ay_bytes value, size_t event,
			struct ay_report *rep)
{
	struct ay_place at = place_of(event);
	char expected[100], measured[100];
	uint32_t got = 0;

	snprintf(expected, sizeof(expected), "%.64s,%u", want->component,
		 (unsigned)want->generation);
	if (!ay_sbat_level_find(value, want->component, &got))
		got = 0;
	snprintf(measured, sizeof(measured), "%.64s,%u", want->component, (unsigned)got);
	at.expected_text = expected;
	at.measured_text = measured;
	if (AY_CHECKED("SB_SBAT", got < want->generation))
		ay_report_add(rep, AY_CHECK_SB_SBAT, AY_FAIL, &at,
			      "SBAT level is %s, the policy demands at least %s", measured,
			      expected);
	else
		ay_report_add(rep, AY_CHECK_SB_SBAT, AY_PASS, &at, "SBAT level is %s", measured);
}

static void check_sbat(const struct ay_sb_demands *d, const struct ay_boot_facts *f,
		       struct ay_report *rep)
{
	struct ay_bytes value;
	size_t n = 0;

	for (size_t i = 0; next_value(f, &sbat_level, &i, &value); i++, n++)
		for (size_t k = 0; k < d->n_sbat; k++)
			check_level(&d->sbat[k], value, i, rep);
	if (n == 0)
		not_measured(rep, AY_CHECK_SB_SBAT, sbat_level.name, d->sbat[0].component);
}

void ay_check_secure_boot(const struct ay_sb_demands *d, const struct ay_boot_facts *f,
			  struct ay_report *rep)
{
	if (d->state != AY_SB_ANY)
		check_state(d, f, rep);
	if (d->dbx_min > 0 || d->n_dbx > 0)
		check_dbx(d, f, rep);
	if (d->n_sbat > 0)
		check_sbat(d, f, rep);
}
