/* SPDX-License-Identifier: Apache-2.0 */
#include "core/appraise/causes.h"

#include <stdio.h>
#include <string.h>

#include "core/evlog/tcg_names.h"

#define WORDS_MAX 512

enum cause {
#define X(name, kind, fix) CAUSE_##name,
#include "core/appraise/causes.def"
#undef X
	CAUSES,
};

static const struct {
	const char *name;
	enum ay_cause_kind kind;
	const char *fix;
} classes[CAUSES] = {
#define X(name, kind, fix) { #name, AY_CAUSE_##kind, fix },
#include "core/appraise/causes.def"
#undef X
};

bool ay_cause_is_class(struct ay_bytes name)
{
	for (size_t i = 0; i < CAUSES; i++)
		if (ay_bytes_eq(name, ay_bytes_of(classes[i].name)))
			return true;
	return false;
}

const char *ay_cause_kind_name(enum ay_cause_kind k)
{
	static const char *const name[] = { "suspicious", "unknown", "expected" };

	return (unsigned)k < AY_COUNT(name) ? name[k] : "suspicious";
}

/* ---- a finding's class by its code ---- */

static const struct {
	enum ay_check code;
	enum cause cause;
} by_code[] = {
	{ AY_CHECK_QUOTE_MALFORMED, CAUSE_malformed },
	{ AY_CHECK_QUOTE_PCR_DIGEST, CAUSE_log_tampered },
	{ AY_CHECK_QUOTE_WITHOUT_LOG, CAUSE_log_missing },
	{ AY_CHECK_COUNTER_BACK, CAUSE_counter },
	{ AY_CHECK_TPM_RESET, CAUSE_tpm_reset },
	{ AY_CHECK_TPM_RESTART, CAUSE_tpm_reset },
	{ AY_CHECK_BOOT_WITHOUT_RESET, CAUSE_counter },
	{ AY_CHECK_EVIDENCE_MALFORMED, CAUSE_malformed },
	{ AY_CHECK_EVIDENCE_MISSING, CAUSE_malformed },
	{ AY_CHECK_DRTM_NOT_LAUNCHED, CAUSE_bootloader },
	{ AY_CHECK_TXT_START, CAUSE_log_tampered },
	{ AY_CHECK_TXT_FORGED, CAUSE_log_tampered },
	{ AY_CHECK_LOG_MALFORMED, CAUSE_malformed },
	{ AY_CHECK_LOG_TRUNCATED, CAUSE_malformed },
	{ AY_CHECK_LOG_HEADER, CAUSE_malformed },
	{ AY_CHECK_LOG_LOCALITY, CAUSE_malformed },
	{ AY_CHECK_LOG_TRAILING, CAUSE_malformed },
	{ AY_CHECK_LOG_LIMIT, CAUSE_malformed },
	{ AY_CHECK_BANK_UNMEASURED, CAUSE_log_tampered },
	{ AY_CHECK_LOG_PCR_MISMATCH, CAUSE_log_tampered },
	{ AY_CHECK_LOG_PCR_NO_EVENTS, CAUSE_log_tampered },
	{ AY_CHECK_LOG_BANK_INCONSISTENT, CAUSE_log_tampered },
	{ AY_CHECK_LOG_EVENT_DATA, CAUSE_log_tampered },
	{ AY_CHECK_LOG_SEPARATOR, CAUSE_log_tampered },
	{ AY_CHECK_LOG_BANK_WEAK, CAUSE_firmware },
	{ AY_CHECK_LOG_VANISHED, CAUSE_log_missing },
	{ AY_CHECK_MANAGER_HOST, CAUSE_identity },
	{ AY_CHECK_MANAGER_BOOT, CAUSE_counter },
	{ AY_CHECK_MANAGER_LOG, CAUSE_log_tampered },
	{ AY_CHECK_MANAGER_STATUS, CAUSE_log_tampered },
	{ AY_CHECK_IMA_MALFORMED, CAUSE_malformed },
	{ AY_CHECK_IMA_TRUNCATED, CAUSE_malformed },
	{ AY_CHECK_IMA_LIMIT, CAUSE_malformed },
	{ AY_CHECK_IMA_TEMPLATE_HASH, CAUSE_log_tampered },
	{ AY_CHECK_IMA_PCR, CAUSE_log_tampered },
	{ AY_CHECK_IMA_VIOLATION, CAUSE_unknown_file },
	{ AY_CHECK_IMA_CONTINUITY, CAUSE_race },
	{ AY_CHECK_IMA_BOOT_AGGREGATE, CAUSE_log_tampered },
	{ AY_CHECK_IMA_SIGNATURE, CAUSE_unknown_file },
	{ AY_CHECK_IMA_PADDED_BANK, CAUSE_kernel },
	{ AY_CHECK_IMA_FEW, CAUSE_log_missing },
	{ AY_CHECK_IMA_DENIED, CAUSE_unknown_file },
	{ AY_CHECK_IMA_WEAK_DIGEST, CAUSE_unknown_file },
	{ AY_CHECK_IMA_BUF_KEY, CAUSE_unknown_file },
	{ AY_CHECK_IMA_BUF_CMDLINE, CAUSE_cmdline },
	{ AY_CHECK_IMA_BUF_DM, CAUSE_unknown_file },
	{ AY_CHECK_IMA_BUF_DATA, CAUSE_unknown_file },
	{ AY_CHECK_IMA_BUF_HASH, CAUSE_log_tampered },
	{ AY_CHECK_IMA_ABSENT, CAUSE_log_missing },
	{ AY_CHECK_REF_IMA, CAUSE_unknown_file },
	{ AY_CHECK_REF_FORBIDDEN, CAUSE_unknown_file },
	{ AY_CHECK_REF_MINIMUM, CAUSE_firmware },
	{ AY_CHECK_REF_NONE, CAUSE_no_policy },
	{ AY_CHECK_REF_STATE, CAUSE_no_policy },
	{ AY_CHECK_NO_POLICY, CAUSE_no_policy },
	{ AY_CHECK_POLICY_BANK, CAUSE_firmware },
	{ AY_CHECK_POLICY_BANK_WEAK, CAUSE_no_policy },
	{ AY_CHECK_POLICY_PCR, CAUSE_no_policy },
	{ AY_CHECK_GRADE_IDENTITY, CAUSE_identity },
	{ AY_CHECK_GRADE_COMPONENT, CAUSE_log_missing },
	{ AY_CHECK_SB_STATE, CAUSE_secure_boot },
	{ AY_CHECK_SB_DBX, CAUSE_dbx },
	{ AY_CHECK_SB_SBAT, CAUSE_bootloader },
	{ AY_CHECK_PLATFORM_CERT, CAUSE_identity },
};

/* ---- a changed event's class by what it says ---- */

/*
 * First row that fits. Words are in lower case. Types and words are not
 * authenticated: they say what to look at, never what to trust.
 */
static const struct {
	uint32_t pcrs;	    /* bit N */
	uint32_t type;	    /* 0: any */
	const char *needle; /* "" any */
	enum cause cause;
} by_event[] = {
	{ 1u << 7, 0, "dbx", CAUSE_dbx },
	{ 1u << 7, AY_EV_EFI_VARIABLE_DRIVER_CONFIG, "db", CAUSE_db },
	{ 1u << 7, 0, "", CAUSE_secure_boot },
	{ 1u << 14, 0, "", CAUSE_secure_boot },
	{ 1u << 1 | 1u << 5, AY_EV_EFI_VARIABLE_BOOT, "", CAUSE_boot_order },
	{ 1u << 1 | 1u << 5, AY_EV_EFI_VARIABLE_BOOT2, "", CAUSE_boot_order },
	{ 1u << 1, 0, "boot0", CAUSE_boot_order },
	{ 1u << 1, 0, "bootorder", CAUSE_boot_order },
	{ 1u << 2 | 1u << 3, 0, "", CAUSE_option_rom },
	{ 1u << 0 | 1u << 1 | 1u << 6, 0, "", CAUSE_firmware },
	{ 1u << 8, 0, "kernel_cmdline", CAUSE_cmdline },
	{ 1u << 8, 0, "grub_cmd: linux", CAUSE_cmdline },
	{ 1u << 8, 0, "grub_cmd: initrd", CAUSE_initrd },
	{ 1u << 8, 0, "grub_kernel_cmdline", CAUSE_cmdline },
	{ 1u << 8, 0, "module_cmdline", CAUSE_cmdline },
	{ 1u << 8, 0, "grub_cmd:", CAUSE_bootloader },
	{ 1u << 8, 0, "root=", CAUSE_cmdline },
	{ 1u << 9 | 1u << 11, 0, "loadoptions", CAUSE_cmdline },
	{ 1u << 9 | 1u << 11, 0, "cmdline", CAUSE_cmdline },
	{ 1u << 9 | 1u << 11, 0, "initrd", CAUSE_initrd },
	{ 1u << 9 | 1u << 11, 0, "initramfs", CAUSE_initrd },
	{ 1u << 9, 0, "vmlinu", CAUSE_kernel },
	{ 1u << 9, 0, "bzimage", CAUSE_kernel },
	{ 1u << 9, 0, "kernel", CAUSE_kernel },
	{ 1u << 11, 0, "", CAUSE_kernel },
	{ 1u << 12, 0, "", CAUSE_cmdline },
	{ 1u << 4, 0, "vmlinu", CAUSE_kernel },
	{ 1u << 4, 0, "kernel", CAUSE_kernel },
	{ 1u << 4 | 1u << 5 | 1u << 8 | 1u << 9, 0, "", CAUSE_bootloader },
	{ 0x7e0000, 0, "", CAUSE_kernel }, /* a measured launch: 17-22 */
};

/* Text of data without a form: its printable octets, so that UTF-16 reads as ASCII. */
static void plain_words(struct ay_bytes data, char *out, size_t room)
{
	size_t at = 0;

	for (size_t i = 0; i < data.n && at + 1 < room; i++)
		if (data.p[i] != 0)
			out[at++] = data.p[i] > 0x20 && data.p[i] < 0x7f ? (char)data.p[i] : ' ';
	out[at] = '\0';
}

static void lower(char *s)
{
	for (; *s != '\0'; s++)
		if (*s >= 'A' && *s <= 'Z')
			*s = (char)(*s + 32);
}

/* GRUB loads shim's second stage, then the kernel: the third image of PCR 4 is the kernel. */
static bool is_third_image(const struct ay_evlog *log, size_t event)
{
	unsigned before = 0;

	if (log->event[event].pcr != 4 ||
	    log->event[event].type != AY_EV_EFI_BOOT_SERVICES_APPLICATION)
		return false;
	for (size_t i = 0; i < event; i++)
		before += log->event[i].pcr == 4 &&
			  log->event[i].type == AY_EV_EFI_BOOT_SERVICES_APPLICATION;
	return before >= 2;
}

static enum cause cause_of_words(unsigned pcr, uint32_t type, const char *words)
{
	for (size_t i = 0; i < AY_COUNT(by_event); i++)
		if ((by_event[i].pcrs & (1u << pcr)) != 0 &&
		    (by_event[i].type == 0 || by_event[i].type == type) &&
		    strstr(words, by_event[i].needle) != NULL)
			return by_event[i].cause;
	return CAUSE_other;
}

static enum cause cause_of_event(const struct ay_finding *f, const struct ay_evlog *log)
{
	const struct ay_event *ev = NULL;
	char words[WORDS_MAX] = "";

	if (f->has_event && log != NULL && f->event < log->n_events)
		ev = &log->event[f->event];
	if (ev != NULL && is_third_image(log, f->event))
		return CAUSE_kernel;
	if (ev != NULL)
		ay_event_summary(ev, words, sizeof(words));
	if (ev != NULL && words[0] == '\0')
		plain_words(ev->data, words, sizeof(words));
	if (ev == NULL) /* a missing one: its summary stands in the finding */
		(void)snprintf(words, sizeof(words), "%s", f->text);
	lower(words);
	return cause_of_words(f->pcr, ev == NULL ? 0 : ev->type, words);
}

/* ---- findings to causes ---- */

/* Is PCR N explained by a finding that knows more? */
static bool has_finer(const struct ay_report *rep, const struct ay_finding *f)
{
	for (size_t i = 0; i < rep->n_findings; i++) {
		const struct ay_finding *g = &rep->finding[i];

		if (g->result != AY_FAIL || !g->has_pcr || g->pcr != f->pcr)
			continue;
		if (g->code == AY_CHECK_REF_EVENT || g->code == AY_CHECK_REF_MISSING ||
		    g->code == AY_CHECK_REF_ADDED || g->code == AY_CHECK_LOG_PCR_MISMATCH ||
		    g->code == AY_CHECK_LOG_PCR_NO_EVENTS)
			return true;
	}
	return false;
}

static bool is_event_code(enum ay_check c)
{
	return c == AY_CHECK_REF_EVENT || c == AY_CHECK_REF_MISSING || c == AY_CHECK_REF_ADDED;
}

/* Judged by an event, a value or, REF_FORBIDDEN, a file of the IMA list. */
static bool is_of_some_event(enum ay_check c)
{
	return c == AY_CHECK_REF_FORBIDDEN || c == AY_CHECK_REF_MINIMUM;
}

/* The whole of a unified kernel image is measured into PCR 4, its parts into PCR 11. */
static bool is_told_by_parts(const struct ay_report *rep, const struct ay_finding *f)
{
	for (size_t i = 0; f->pcr == 4 && i < rep->n_findings; i++)
		if (rep->finding[i].result == AY_FAIL && rep->finding[i].has_pcr &&
		    rep->finding[i].pcr == 11 && is_event_code(rep->finding[i].code))
			return true;
	return false;
}

static enum cause cause_of_component(enum ay_component c)
{
	if (c == AY_COMP_IDENTITY)
		return CAUSE_identity;
	if (c == AY_COMP_ASSET_TAG)
		return CAUSE_asset_tag;
	return c == AY_COMP_COMPLIANCE ? CAUSE_compliance : CAUSE_other;
}

/* CAUSES: the finding is no cause of its own. */
static enum cause cause_of(const struct ay_report *rep, const struct ay_finding *f,
			   const struct ay_evlog *log)
{
	if (is_event_code(f->code) && (f->result != AY_FAIL || is_told_by_parts(rep, f)))
		return CAUSES;
	if (is_event_code(f->code) || (is_of_some_event(f->code) && f->has_pcr))
		return cause_of_event(f, log);
	if (f->code == AY_CHECK_REF_PCR)
		return has_finer(rep, f) ? CAUSES : cause_of_words(f->pcr, 0, "");
	if (f->code == AY_CHECK_QUOTE_PCR_DIGEST && log == NULL &&
	    ay_report_find(rep, AY_CHECK_QUOTE_WITHOUT_LOG) != NULL)
		return CAUSE_log_missing;
	for (size_t i = 0; i < AY_COUNT(by_code); i++)
		if (by_code[i].code == f->code)
			return by_code[i].cause;
	return cause_of_component(f->component);
}

/* What was seen of each class, in the order it came up. */
struct seen {
	size_t n_classes;
	enum cause order[CAUSES];
	const struct ay_finding *first[CAUSES];
	size_t n[CAUSES];
};

/* The first finding's words, where it is if that is a file, and how many more there are. */
static const char *text_of(struct ay_report *rep, const struct ay_finding *f, size_t n)
{
	const char *text = f->text, *more = "";

	if (n > 1)
		more = ay_arena_printf(rep->arena, " (and %zu more)", n - 1);
	if (f->path != NULL)
		text = ay_arena_printf(rep->arena, "%s: %s%s%s", f->text, f->path,
				       f->measured == NULL ? "" : " ",
				       f->measured == NULL ? "" : f->measured);
	if (text != NULL && more != NULL && n > 1)
		text = ay_arena_printf(rep->arena, "%s%s", text, more);
	return text == NULL ? f->text : text;
}

static void note(struct ay_report *rep, const struct ay_evlog *log, enum ay_result result,
		 struct seen *s)
{
	for (size_t i = 0; i < rep->n_findings; i++) {
		struct ay_finding *f = &rep->finding[i];
		enum cause c;

		if (f->result != result || (result == AY_NOT_CHECKED && f->optional))
			continue;
		c = cause_of(rep, f, log);
		if (c == CAUSES)
			continue;
		f->cause = classes[c].name;
		if (s->first[c] == NULL) {
			s->first[c] = f;
			s->order[s->n_classes++] = c;
		}
		s->n[c] += s->first[c]->result == result;
	}
}

/* Each class once, told by the first finding of it: failures first. */
void ay_causes_find(struct ay_report *rep, const struct ay_evlog *log)
{
	struct seen s = { 0 };

	rep->n_causes = 0;
	if (rep->verdict == AY_TRUSTED)
		return;
	note(rep, log, AY_FAIL, &s);
	note(rep, log, AY_NOT_CHECKED, &s);
	for (size_t i = 0; i < s.n_classes; i++) {
		enum cause c = s.order[i];

		ay_report_add_cause(rep, classes[c].name, classes[c].kind,
				    text_of(rep, s.first[c], s.n[c]), classes[c].fix);
	}
}
