/* SPDX-License-Identifier: Apache-2.0 */
/* Findings to causes: every class, and what sets that are not in force say about a difference. */
#include "support/t.h"

#include "boot_fixture.h"
#include "core/appraise/causes.h"
#include "core/appraise/report_json.h"

static struct ay_arena arena;
static struct boot good, seen;
static struct ay_refset *set, *other;
static struct ay_policy *policy;
static struct ay_report rep;

static int setup(void **state)
{
	(void)state;
	ay_arena_init(&arena, AY_MAX_ARENA_BYTES);
	boot_init(&good);
	boot_make(&good, &arena);
	set = boot_learn(&good, "good");
	set->state = AY_SET_ACTIVE;
	boot_init(&seen);
	other = NULL;
	return ay_policy_default(&policy, NULL) == AY_OK ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	ay_refset_free(set);
	ay_refset_free(other);
	ay_policy_free(policy);
	ay_arena_fini(&arena);
	return 0;
}

/* ---- each class ---- */

static const struct {
	enum ay_check code;
	const char *class;
} codes[] = {
	{ AY_CHECK_QUOTE_SIGNATURE, "identity" },
	{ AY_CHECK_QUOTE_NONCE, "identity" },
	{ AY_CHECK_HOST_DUPLICATE, "identity" },
	{ AY_CHECK_QUOTE_MALFORMED, "malformed" },
	{ AY_CHECK_EVIDENCE_MALFORMED, "malformed" },
	{ AY_CHECK_LOG_TRUNCATED, "malformed" },
	{ AY_CHECK_IMA_MALFORMED, "malformed" },
	{ AY_CHECK_QUOTE_PCR_DIGEST, "log_tampered" },
	{ AY_CHECK_LOG_PCR_MISMATCH, "log_tampered" },
	{ AY_CHECK_LOG_BANK_INCONSISTENT, "log_tampered" },
	{ AY_CHECK_LOG_EVENT_DATA, "log_tampered" },
	{ AY_CHECK_IMA_TEMPLATE_HASH, "log_tampered" },
	{ AY_CHECK_IMA_PCR, "log_tampered" },
	{ AY_CHECK_QUOTE_WITHOUT_LOG, "log_missing" },
	{ AY_CHECK_LOG_VANISHED, "log_missing" },
	{ AY_CHECK_IMA_ABSENT, "log_missing" },
	{ AY_CHECK_TPM_RESET, "tpm_reset" },
	{ AY_CHECK_TPM_RESTART, "tpm_reset" },
	{ AY_CHECK_COUNTER_BACK, "counter" },
	{ AY_CHECK_BOOT_WITHOUT_RESET, "counter" },
	{ AY_CHECK_IMA_CONTINUITY, "race" },
	{ AY_CHECK_REF_IMA, "unknown_file" },
	{ AY_CHECK_IMA_VIOLATION, "unknown_file" },
	{ AY_CHECK_IMA_SIGNATURE, "unknown_file" },
	{ AY_CHECK_NO_POLICY, "no_policy" },
	{ AY_CHECK_REF_NONE, "no_policy" },
	{ AY_CHECK_REF_STATE, "no_policy" },
};

static void of_codes(void **state)
{
	(void)state;
	for (size_t i = 0; i < AY_COUNT(codes); i++) {
		ay_report_init(&rep, &arena);
		ay_report_add(&rep, codes[i].code, AY_FAIL, NULL, "it is so");
		ay_causes_find(&rep, NULL);
		assert_int_equal(rep.n_causes, 1);
		assert_string_equal(rep.cause[0].class, codes[i].class);
		assert_string_equal(rep.cause[0].text, "it is so");
		assert_true(strlen(rep.cause[0].fix) > 10);
	}
}

/* A changed event by PCR, type and data; without the log, by what the finding says. */
static const struct {
	unsigned pcr;
	uint32_t type;
	const char *data;
	const char *class;
} events[] = {
	{ 0, AY_EV_EFI_PLATFORM_FIRMWARE_BLOB, "blob", "firmware" },
	{ 0, AY_EV_S_CRTM_VERSION, "1.1", "firmware" },
	{ 1, AY_EV_EFI_VARIABLE_BOOT, "BootOrder", "boot_order" },
	{ 2, AY_EV_EFI_BOOT_SERVICES_DRIVER, "driver", "option_rom" },
	{ 4, AY_EV_EFI_BOOT_SERVICES_APPLICATION, "shimx64.efi", "bootloader" },
	{ 4, AY_EV_EFI_BOOT_SERVICES_APPLICATION, "\\vmlinuz-6.1", "kernel" },
	{ 7, AY_EV_EFI_VARIABLE_DRIVER_CONFIG, "db", "db" },
	{ 7, AY_EV_EFI_VARIABLE_DRIVER_CONFIG, "dbx", "dbx" },
	{ 7, AY_EV_EFI_VARIABLE_DRIVER_CONFIG, "KEK", "secure_boot" },
	{ 7, AY_EV_EFI_VARIABLE_DRIVER_CONFIG, "SecureBoot", "secure_boot" },
	{ 14, AY_EV_IPL, "MokList", "secure_boot" },
	{ 8, AY_EV_IPL, "kernel_cmdline: /vmlinuz quiet", "cmdline" },
	{ 8, AY_EV_IPL, "grub_cmd: linux /vmlinuz quiet", "cmdline" },
	{ 8, AY_EV_IPL, "grub_cmd: initrd /initrd.img", "initrd" },
	{ 8, AY_EV_IPL, "grub_cmd: set root=hd0", "bootloader" },
	{ 9, AY_EV_IPL, "(hd0,gpt2)/boot/grub/grub.cfg", "bootloader" },
	{ 9, AY_EV_IPL, "/boot/vmlinuz-6.1", "kernel" },
	{ 9, AY_EV_IPL, "/boot/initrd.img-6.1", "initrd" },
	{ 9, AY_EV_EVENT_TAG, "Linux initrd", "initrd" },
	{ 9, AY_EV_EVENT_TAG, "LOADED_IMAGE::LoadOptions", "cmdline" },
	{ 11, AY_EV_IPL, ".linux", "kernel" },
	{ 11, AY_EV_IPL, ".initrd", "initrd" },
	{ 11, AY_EV_IPL, ".cmdline", "cmdline" },
	{ 12, AY_EV_IPL, "quiet", "cmdline" },
};

static void of_events(void **state)
{
	(void)state;
	for (size_t i = 0; i < AY_COUNT(events); i++) {
		struct ay_event ev = { .pcr = events[i].pcr,
				       .type = events[i].type,
				       .data = ay_bytes_of(events[i].data) };
		struct ay_evlog log = { .event = &ev, .n_events = 1 };
		struct ay_place at = { .has_pcr = true,
				       .pcr = (uint8_t)events[i].pcr,
				       .has_event = true };

		print_message("PCR %u %s\n", events[i].pcr, events[i].data);
		ay_report_init(&rep, &arena);
		ay_report_add(&rep, AY_CHECK_REF_EVENT, AY_FAIL, &at, "changed");
		ay_causes_find(&rep, &log);
		assert_int_equal(rep.n_causes, 1);
		assert_string_equal(rep.cause[0].class, events[i].class);
	}
}

/* No check that can fail is without a class: "other" says nothing to anybody. */
static void every_check_has_a_class(void **state)
{
	(void)state;
	for (int c = AY_CHECK_NONE + 1; c < AY_CHECKS; c++) {
		const struct ay_check_row *row = ay_check_row((enum ay_check)c);
		struct ay_place at = { .has_pcr = row->component == AY_COMP_OF_PCR, .pcr = 7 };

		if (row->kind == AY_KIND_NOTE)
			continue;
		ay_report_init(&rep, &arena);
		ay_report_add(&rep, (enum ay_check)c, AY_FAIL, &at, NULL);
		ay_causes_find(&rep, NULL);
		assert_int_equal(rep.n_causes, 1);
		if (strcmp(rep.cause[0].class, "other") == 0)
			fail_msg("%s has no class of cause", row->code);
	}
}

/* ---- what other sets say ---- */

/* Judge what was seen by the set; the one cause as it is shown with the other set known. */
static const json_t *shown_cause(enum ay_set_state of_other)
{
	static json_t *report;
	const struct ay_refset *sets[] = { set }, *others[] = { other };
	struct ay_state_in in = { .pcrs = &seen.pcrs,
				  .log_given = AY_LOG_IS_GIVEN,
				  .log = &seen.log,
				  .sets = sets,
				  .n_sets = 1,
				  .policy = policy };

	other->state = of_other;
	ay_sha256(seen.octets, in.log_sha256);
	ay_report_init(&rep, &arena);
	assert_int_equal(ay_appraise_state(&in, &rep, NULL), AY_OK);
	assert_int_equal(ay_report_conclude(&rep, AY_COMP_BIT(AY_COMP_OS), NULL), AY_OK);
	assert_int_equal(rep.verdict, AY_UNTRUSTED);
	ay_causes_find(&rep, &seen.log);
	json_decref(report);
	report = ay_report_json(&rep, &(struct ay_report_head){ 0 });
	assert_true(ay_causes_explain(report, others, 1));
	assert_int_equal(json_array_size(json_object_get(report, "causes")), 1);
	return json_array_get(json_object_get(report, "causes"), 0);
}

static void assert_cause(const json_t *c, const char *class, const char *kind, const char *fix)
{
	assert_string_equal(json_string_value(json_object_get(c, "class")), class);
	assert_string_equal(json_string_value(json_object_get(c, "kind")), kind);
	assert_non_null(strstr(json_string_value(json_object_get(c, "fix")), fix));
}

/* A new initrd, as another set expects it. */
static void boot_new_initrd(void)
{
	seen.ev[boot_find(&seen, "/boot/initrd.gz")].content = "initrd 2";
	boot_make(&seen, &arena);
	other = boot_learn(&seen, "update");
}

static void draft_explains(void **state)
{
	static const struct {
		enum ay_set_state state;
		const char *kind, *fix;
	} rows[] = {
		{ AY_SET_DRAFT, "expected", "draft set update v1" },
		{ AY_SET_SUPERSEDED, "unknown", "set update v1 expected, which was superseded" },
		{ AY_SET_REVOKED, "suspicious", "set update v1 expected, which was revoked" },
	};

	(void)state;
	boot_new_initrd();
	for (size_t i = 0; i < AY_COUNT(rows); i++)
		assert_cause(shown_cause(rows[i].state), "initrd", rows[i].kind, rows[i].fix);
}

/* One difference of the class that nothing explains: the class is not expected. */
static void draft_speaks_for_its_events_only(void **state)
{
	static const struct boot_event more = { 9, AY_EV_IPL, "/boot/initrd.more", NULL,
						"rootkit" };

	(void)state;
	boot_new_initrd();
	boot_insert(&seen, seen.n, more);
	boot_make(&seen, &arena);
	assert_cause(shown_cause(AY_SET_DRAFT), "initrd", "unknown", "if the initrd was rebuilt");
}

/* A unified kernel image: PCR 4 has the whole of it, PCR 11 says which part changed. */
static void image_is_told_by_its_parts(void **state)
{
	static const struct boot_event part = { 11, AY_EV_IPL, ".initrd", NULL, "initrd" };

	(void)state;
	boot_insert(&good, good.n, part);
	boot_make(&good, &arena);
	ay_refset_free(set);
	set = boot_learn(&good, "uki");
	set->state = AY_SET_ACTIVE;
	boot_insert(&seen, seen.n, part);
	seen.ev[boot_find(&seen, ".initrd")].content = "initrd 2";
	seen.ev[boot_find(&seen, "path2")].content = "image with initrd 2";
	boot_make(&seen, &arena);
	other = boot_learn(&good, "none");
	assert_cause(shown_cause(AY_SET_ACTIVE), "initrd", "unknown", "initrd");
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(of_codes),
		T(of_events),
		T(every_check_has_a_class),
		T(draft_explains),
		T(draft_speaks_for_its_events_only),
		T(image_is_told_by_its_parts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
