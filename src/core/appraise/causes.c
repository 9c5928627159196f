/* SPDX-License-Identifier: Apache-2.0 */
#include "core/appraise/causes.h"

#include <stdio.h>
#include <string.h>

#include "core/evlog/tcg_names.h"

#define WORDS_MAX 512

enum class {
#define X(name, kind, fix) CLASS_##name,
#include "core/appraise/causes.def"
#undef X
	CLASSES,
};

static const struct {
	const char *name;
	enum ay_cause_kind kind;
	const char *fix;
} classes[CLASSES] = {
#define X(name, kind, fix) { #name, AY_CAUSE_##kind, fix },
#include "core/appraise/causes.def"
#undef X
};

bool ay_cause_is_class(struct ay_bytes name)
{
	for (size_t i = 0; i < CLASSES; i++)
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
	enum class class;
} by_code[] = {
	{ AY_CHECK_QUOTE_MALFORMED, CLASS_malformed },
	{ AY_CHECK_EVIDENCE_MALFORMED, CLASS_malformed },
	{ AY_CHECK_EVIDENCE_MISSING, CLASS_other },
	{ AY_CHECK_QUOTE_PCR_DIGEST, CLASS_log_tampered },
	{ AY_CHECK_QUOTE_WITHOUT_LOG, CLASS_log_missing },
	{ AY_CHECK_COUNTER_BACK, CLASS_counter },
	{ AY_CHECK_BOOT_WITHOUT_RESET, CLASS_counter },
	{ AY_CHECK_TPM_RESET, CLASS_tpm_reset },
	{ AY_CHECK_TPM_RESTART, CLASS_tpm_reset },
	{ AY_CHECK_LOG_MALFORMED, CLASS_malformed },
	{ AY_CHECK_LOG_TRUNCATED, CLASS_malformed },
	{ AY_CHECK_LOG_HEADER, CLASS_malformed },
	{ AY_CHECK_LOG_LOCALITY, CLASS_malformed },
	{ AY_CHECK_LOG_TRAILING, CLASS_malformed },
	{ AY_CHECK_LOG_LIMIT, CLASS_malformed },
	{ AY_CHECK_LOG_PCR_MISMATCH, CLASS_log_tampered },
	{ AY_CHECK_LOG_PCR_NO_EVENTS, CLASS_log_tampered },
	{ AY_CHECK_LOG_BANK_INCONSISTENT, CLASS_log_tampered },
	{ AY_CHECK_LOG_EVENT_DATA, CLASS_log_tampered },
	{ AY_CHECK_LOG_SEPARATOR, CLASS_log_tampered },
	{ AY_CHECK_LOG_VANISHED, CLASS_log_missing },
	{ AY_CHECK_IMA_MALFORMED, CLASS_malformed },
	{ AY_CHECK_IMA_TRUNCATED, CLASS_malformed },
	{ AY_CHECK_IMA_LIMIT, CLASS_malformed },
	{ AY_CHECK_IMA_TEMPLATE_HASH, CLASS_log_tampered },
	{ AY_CHECK_IMA_PCR, CLASS_log_tampered },
	{ AY_CHECK_IMA_BOOT_AGGREGATE, CLASS_log_tampered },
	{ AY_CHECK_IMA_CONTINUITY, CLASS_race },
	{ AY_CHECK_IMA_VIOLATION, CLASS_unknown_file },
	{ AY_CHECK_IMA_SIGNATURE, CLASS_unknown_file },
	{ AY_CHECK_IMA_FORBIDDEN, CLASS_unknown_file },
	{ AY_CHECK_IMA_DENIED, CLASS_unknown_file },
	{ AY_CHECK_IMA_WEAK_DIGEST, CLASS_unknown_file },
	{ AY_CHECK_IMA_BUF_KEY, CLASS_unknown_file },
	{ AY_CHECK_IMA_BUF_CMDLINE, CLASS_cmdline },
	{ AY_CHECK_IMA_BUF_DM, CLASS_unknown_file },
	{ AY_CHECK_IMA_BUF_DATA, CLASS_unknown_file },
	{ AY_CHECK_IMA_BUF_HASH, CLASS_log_tampered },
	{ AY_CHECK_IMA_FEW, CLASS_log_missing },
	{ AY_CHECK_IMA_ABSENT, CLASS_log_missing },
	{ AY_CHECK_REF_IMA, CLASS_unknown_file },
	{ AY_CHECK_REF_NONE, CLASS_no_policy },
	{ AY_CHECK_REF_STATE, CLASS_no_policy },
	{ AY_CHECK_NO_POLICY, CLASS_no_policy },
	{ AY_CHECK_POLICY_BANK, CLASS_firmware },
	{ AY_CHECK_POLICY_BANK_WEAK, CLASS_no_policy },
	{ AY_CHECK_POLICY_PCR, CLASS_no_policy },
	{ AY_CHECK_GRADE_IDENTITY, CLASS_identity },
	{ AY_CHECK_GRADE_COMPONENT, CLASS_other },
	{ AY_CHECK_SB_STATE, CLASS_secure_boot },
	{ AY_CHECK_SB_DBX, CLASS_dbx },
	{ AY_CHECK_SB_SBAT, CLASS_bootloader },
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
	enum class class;
} by_event[] = {
	{ 1u << 7, 0, "dbx", CLASS_dbx },
	{ 1u << 7, AY_EV_EFI_VARIABLE_DRIVER_CONFIG, "db", CLASS_db },
	{ 1u << 7, 0, "", CLASS_secure_boot },
	{ 1u << 14, 0, "", CLASS_secure_boot },
	{ 1u << 1 | 1u << 5, AY_EV_EFI_VARIABLE_BOOT, "", CLASS_boot_order },
	{ 1u << 1 | 1u << 5, AY_EV_EFI_VARIABLE_BOOT2, "", CLASS_boot_order },
	{ 1u << 1, 0, "boot0", CLASS_boot_order },
	{ 1u << 1, 0, "bootorder", CLASS_boot_order },
	{ 1u << 2 | 1u << 3, 0, "", CLASS_option_rom },
	{ 1u << 0 | 1u << 1 | 1u << 6, 0, "", CLASS_firmware },
	{ 1u << 8, 0, "kernel_cmdline", CLASS_cmdline },
	{ 1u << 8, 0, "grub_cmd: linux", CLASS_cmdline },
	{ 1u << 8, 0, "grub_kernel_cmdline", CLASS_cmdline },
	{ 1u << 8, 0, "module_cmdline", CLASS_cmdline },
	{ 1u << 8, 0, "root=", CLASS_cmdline },
	{ 1u << 9 | 1u << 11, 0, "loadoptions", CLASS_cmdline },
	{ 1u << 9 | 1u << 11, 0, "cmdline", CLASS_cmdline },
	{ 1u << 9 | 1u << 11, 0, "initrd", CLASS_initrd },
	{ 1u << 9 | 1u << 11, 0, "initramfs", CLASS_initrd },
	{ 1u << 9, 0, "vmlinu", CLASS_kernel },
	{ 1u << 9, 0, "bzimage", CLASS_kernel },
	{ 1u << 9, 0, "kernel", CLASS_kernel },
	{ 1u << 11, 0, "", CLASS_kernel },
	{ 1u << 12, 0, "", CLASS_cmdline },
	{ 1u << 4, 0, "vmlinu", CLASS_kernel },
	{ 1u << 4, 0, "kernel", CLASS_kernel },
	{ 1u << 4 | 1u << 5 | 1u << 8 | 1u << 9, 0, "", CLASS_bootloader },
	{ 0x7e0000, 0, "", CLASS_kernel }, /* a measured launch: 17-22 */
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

static enum class class_of_words(unsigned pcr, uint32_t type, const char *words) {
	for (size_t i = 0; i < AY_COUNT(by_event);
	     i++) if ((by_event[i].pcrs & (1u << pcr)) != 0 &&
		      (by_event[i].type == 0 || by_event[i].type == type) &&
		      strstr(words, by_event[i].needle) != NULL) return by_event[i]
		.class;
	return CLASS_other;
}

static enum class class_of_event(const struct ay_finding *f, const struct ay_evlog *log) {
	char words[WORDS_MAX] = ""; const struct ay_event *ev = NULL;

	if (f->has_event && log != NULL && f->event < log->n_events) ev = &log->event[f->event];
	if (ev != NULL && is_third_image(log, f->event)) return CLASS_kernel;
	if (ev != NULL) ay_event_summary(ev, words, sizeof(words));
	if (ev != NULL && words[0] == '\0') plain_words(ev->data, words, sizeof(words));
	if (ev == NULL) /* a missing one: its summary stands in the finding */
	(void) snprintf(words, sizeof(words), "%s", f->text);
	lower(words);
	return class_of_words(f->pcr, ev == NULL ? 0 : ev->type, words);
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

/* CLASSES: the finding is no cause of its own. */
static enum class class_of(const struct ay_report *rep, const struct ay_finding *f,
			   const struct ay_evlog *log) {
	if (is_event_code(f->code)) return f->result == AY_FAIL ? class_of_event(f, log) : CLASSES;
	if (f->code == AY_CHECK_REF_PCR) return has_finer(rep, f) ? CLASSES
								  : class_of_words(f->pcr, 0, "");
	if (f->code == AY_CHECK_QUOTE_PCR_DIGEST && log == NULL &&
	    ay_report_find(rep, AY_CHECK_QUOTE_WITHOUT_LOG) != NULL) return CLASS_log_missing;
	for (size_t i = 0; i < AY_COUNT(by_code);
	     i++) if (by_code[i].code == f->code) return by_code[i]
		.class;
	switch (f->component){
		case AY_COMP_IDENTITY : return CLASS_identity;
		case AY_COMP_ASSET_TAG : return CLASS_asset_tag;
		case AY_COMP_COMPLIANCE : return CLASS_compliance;
		case AY_COMP_OF_PCR : case AY_COMP_PLATFORM : case AY_COMP_OS : case
		AY_COMP_RUNTIME : case AY_COMPONENTS : break;
	}
return CLASS_other;
}

static void add(struct ay_report *rep, enum class c, const struct ay_finding *f)
{
	ay_report_add_cause(rep, classes[c].name, classes[c].kind, f->text, classes[c].fix);
}

/* Each class once, told by the first finding of it: failures first. */
static void find_for(struct ay_report *rep, const struct ay_evlog *log, enum ay_result result,
		     bool done[CLASSES])
{
	for (size_t i = 0; i < rep->n_findings; i++) {
		const struct ay_finding *f = &rep->finding[i];
		enum class c;

		if (f->result != result || (result == AY_NOT_CHECKED && f->optional))
			continue;
		c = class_of(rep, f, log);
		if (c == CLASSES || done[c])
			continue;
		done[c] = true;
		add(rep, c, f);
	}
}

void ay_causes_find(struct ay_report *rep, const struct ay_evlog *log)
{
	bool done[CLASSES] = { false };

	rep->n_causes = 0;
	if (rep->verdict == AY_TRUSTED)
		return;
	find_for(rep, log, AY_FAIL, done);
	find_for(rep, log, AY_NOT_CHECKED, done);
}
