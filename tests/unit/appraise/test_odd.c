/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Attacks on boot evidence, one test each by its name; and the property that no
 * policy or reference set, however odd, turns a failing report into a trusted
 * one unless it names the failing thing.
 */
#include "rules_fixture.h"

#define ZEROS "0000000000000000000000000000000000000000000000000000000000000000"
#define PLAT_OS (AY_COMP_BIT(AY_COMP_PLATFORM) | AY_COMP_BIT(AY_COMP_OS))

static struct ay_report rep;
static struct ay_refset *learned;

static int setup(void **state)
{
	if (rules_setup(state) != 0)
		return -1;
	learned = boot_learn(&good, "learned");
	learned->state = AY_SET_ACTIVE;
	return 0;
}

static int teardown(void **state)
{
	ay_refset_free(learned);
	return rules_teardown(state);
}

static void judge(const struct ay_refset *const *sets, size_t n, const char *policy_doc)
{
	struct ay_state_in in = { .pcrs = &seen.pcrs,
				  .log_given = AY_LOG_IS_GIVEN,
				  .log = &seen.log,
				  .sets = sets,
				  .n_sets = n };
	struct ay_arena a;
	struct ay_policy *policy;
	struct ay_err e = { 0 };

	if (ay_policy_parse(ay_bytes_of(policy_doc), &policy, &e) != AY_OK)
		fail_msg("policy: %s %s", e.where, e.text);
	in.policy = policy;
	ay_arena_init(&a, AY_MAX_ARENA_BYTES);
	ay_report_init(&rep, &a);
	ay_sha256(seen.octets, in.log_sha256);
	assert_int_equal(ay_appraise_state(&in, &rep, &e), AY_OK);
	assert_int_equal(ay_report_conclude(&rep, PLAT_OS, &e), AY_OK);
	ay_policy_free(policy);
	ay_arena_fini(&a); /* verdicts and counts stay */
}

static enum ay_verdict verdict_by(const struct ay_refset *set)
{
	judge(&set, 1, ay_policy_default_json());
	return rep.verdict;
}

/* ---- attacks ---- */

static void again(void)
{
	boot_init(&seen);
	boot_make(&seen, &arena);
}

/* Digests only, no values: what a set computed from files has. */
static struct ay_refset *events_only(void)
{
	return set_of("events", "",
		      "\"platform\":[{\"kind\":\"includes\",\"pcr\":7,\"events\":[{\"digests\":{"
		      "\"sha256\":\"@SecureBoot@\"}}]}],"
		      "\"os\":[{\"kind\":\"events\",\"pcr\":9,\"events\":[{\"digests\":{\"sha256\":"
		      "\"@/boot/vmlinuz@\"}},{\"digests\":{\"sha256\":\"@/boot/initrd.gz@\"}}]}]");
}

static void leave_out_of_log(uint16_t alg)
{
	for (size_t k = 0; k < seen.log.n_banks; k++)
		if (seen.log.bank[k] == alg) {
			seen.log.n_banks--;
			for (size_t i = 0; i < seen.log.n_events; i++)
				seen.log.event[i].digest[k] =
					seen.log.event[i].digest[seen.log.n_banks];
			seen.log.bank[k] = seen.log.bank[seen.log.n_banks];
		}
	ay_evlog_check_data(&seen.log);
}

/* Firmware extends SHA-1 only: whoever runs next fills SHA-256 and writes a log of it. */
static void test_bank_left_empty(void **state)
{
	struct ay_refset *set = events_only();

	(void)state;
	again();
	assert_int_equal(verdict_by(set), AY_TRUSTED);
	leave_out_of_log(AY_ALG_SHA1);
	for (unsigned pcr = 0; pcr < 8; pcr++)
		memset(seen.pcrs.bank[0].value[pcr], 0, 20);
	assert_int_equal(verdict_by(set), AY_UNTRUSTED);
	ay_refset_free(set);
}

/* The bank that tells the truth is quoted, and left out of the log. */
static void test_bank_hidden_from_log(void **state)
{
	struct ay_refset *set = events_only();

	(void)state;
	again();
	leave_out_of_log(AY_ALG_SHA1);
	assert_int_equal(verdict_by(set), AY_UNKNOWN);
	assert_int_equal(verdict_by(learned), AY_TRUSTED); /* it has the bank's values */
	ay_refset_free(set);
}

/* Another type over the same digest: what is compared is the digest. */
static void test_type_relabelled(void **state)
{
	(void)state;
	again();
	seen.log.event[boot_find(&seen, "path2") + 1].type = AY_EV_IPL;
	assert_int_equal(verdict_by(learned), AY_TRUSTED);
	boot_init(&seen);
	seen.ev[boot_find(&seen, "path2")].content = "evil grub";
	boot_make(&seen, &arena);
	seen.log.event[boot_find(&seen, "path2") + 1].type = AY_EV_SEPARATOR;
	assert_int_equal(verdict_by(learned), AY_UNTRUSTED);
}

/* A measurement relabelled as one that is never extended: the replay gives another value. */
static void test_event_relabelled_as_no_action(void **state)
{
	(void)state;
	boot_init(&seen);
	seen.ev[boot_find(&seen, "path2")].content = "evil grub";
	boot_make(&seen, &arena);
	seen.log.event[boot_find(&seen, "path2") + 1].type = AY_EV_NO_ACTION;
	assert_int_equal(verdict_by(learned), AY_UNTRUSTED);
}

/* The good description over an evil digest, and an evil one over a good digest. */
static void test_description_relabelled(void **state)
{
	(void)state;
	boot_init(&seen);
	seen.ev[boot_find(&seen, "/boot/initrd.gz")].content = "rootkit";
	boot_make(&seen, &arena);
	assert_int_equal(verdict_by(learned), AY_UNTRUSTED);
	boot_init(&seen);
	seen.ev[boot_find(&seen, "/boot/initrd.gz")].data = "/boot/innocent";
	boot_make(&seen, &arena);
	assert_int_equal(verdict_by(learned), AY_TRUSTED);
}

/* Secure Boot off, told as on: the data is not what was measured. */
static void test_variable_relabelled(void **state)
{
	(void)state;
	boot_init(&seen);
	seen.ev[boot_find(&seen, "SecureBoot")].content = "off";
	boot_make(&seen, &arena);
	assert_int_equal(verdict_by(learned), AY_UNTRUSTED);
	assert_true(rep.component[AY_COMP_PLATFORM].n_fail > 0);
}

/* The start of PCR 0 is no measurement: another one gives another value. */
static void test_startup_locality_forged(void **state)
{
	(void)state;
	for (uint8_t locality = 3; locality <= 4; locality++) {
		again();
		seen.log.locality = locality;
		seen.log.has_locality = true;
		assert_int_equal(verdict_by(learned), AY_UNTRUSTED);
	}
}

/* Good events added after the evil ones: the order is that of the PCR. */
static void test_good_events_appended(void **state)
{
	(void)state;
	boot_init(&seen);
	seen.ev[boot_find(&seen, "/boot/initrd.gz")].content = "rootkit";
	boot_insert(&seen, seen.n,
		    (struct boot_event){ 9, AY_EV_IPL, "/boot/initrd.gz", NULL, "initrd image" });
	boot_make(&seen, &arena);
	assert_int_equal(verdict_by(learned), AY_UNTRUSTED);
}

static void test_events_reordered(void **state)
{
	struct boot_event ev;

	(void)state;
	boot_init(&seen);
	ev = seen.ev[boot_find(&seen, "/boot/initrd.gz")];
	boot_remove(&seen, boot_find(&seen, "/boot/initrd.gz"));
	boot_insert(&seen, boot_find(&seen, "/boot/vmlinuz"), ev);
	boot_make(&seen, &arena);
	assert_int_equal(verdict_by(learned), AY_UNTRUSTED);
}

/* What may be there under an excluded name is not what is forbidden. */
static void test_excluded_event_is_forbidden(void **state)
{
	struct ay_refset *sets[2];
	char parts[512];

	(void)state;
	boot_init(&seen);
	seen.ev[boot_find(&seen, "/boot/initrd.gz")].content = "revoked";
	boot_make(&seen, &arena);
	sets[0] =
		set_of("s", "",
		       "\"os\":[{\"kind\":\"events_excluding\",\"pcr\":9,\"events\":[{\"digests\":{"
		       "\"sha256\":\"@/boot/vmlinuz@\"}}],\"exclude\":[{\"digests\":{\"sha256\":"
		       "\"30b94b6edf1f4d9ff6c2ba1c3eb3e2ad02c6ab02f33ed4a4b6c7e6a1d9f4ac1e\"}}]}]");
	snprintf(parts, sizeof(parts), "\"os\":[{\"kind\":\"forbidden\",\"digests\":{\"sha1\":{\"");
	for (size_t i = 0; i < 20; i++)
		snprintf(parts + strlen(parts), sizeof(parts) - strlen(parts), "%02x",
			 seen.log.event[boot_find(&seen, "/boot/initrd.gz") + 1].digest[0][i]);
	snprintf(parts + strlen(parts), sizeof(parts) - strlen(parts), "\":\"revoked\"}}}]");
	memcpy((uint8_t *)(uintptr_t)sets[0]->rule[0].excluded[0].digest[0],
	       seen.log.event[boot_find(&seen, "/boot/initrd.gz") + 1].digest[1], 32);
	judge((const struct ay_refset *const *)sets, 1, ay_policy_default_json());
	assert_int_equal(rep.component[AY_COMP_OS].verdict, AY_TRUSTED); /* excluded */
	sets[1] = set_of("f", "", parts);
	judge((const struct ay_refset *const *)sets, 2, ay_policy_default_json());
	assert_int_equal(rep.component[AY_COMP_OS].verdict, AY_UNTRUSTED);
	ay_refset_free(sets[0]);
	ay_refset_free(sets[1]);
}

/* ---- the property ---- */

static uint64_t seed;

static unsigned draw(unsigned n)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(seed >> 33) % n;
}

static const char *const event_names[] = { "/boot/vmlinuz", "/boot/initrd.gz", "path1",
					   "path2",	    "path3",	       "kernel_cmdline",
					   "SecureBoot",    "Boot0001" };
static const unsigned event_pcrs[] = { 9, 9, 4, 4, 4, 8, 7, 1 };

static void odd_digests(char *out, size_t room, unsigned pcr)
{
	unsigned i = draw(AY_COUNT(event_names));

	(void)pcr;
	if (draw(3) == 0)
		snprintf(out, room, "{\"digests\":{\"sha256\":\"" ZEROS "\"}}");
	else
		snprintf(out, room, "{\"digests\":{\"sha256\":\"@%s@\"},\"data_mismatch\":%s}",
			 event_names[i], draw(2) == 0 ? "true" : "false");
}

static void odd_events(char *out, size_t room, unsigned pcr)
{
	char one[160], two[160];

	odd_digests(one, sizeof(one), pcr);
	odd_digests(two, sizeof(two), pcr);
	switch (draw(4)) {
	case 0:
		snprintf(out, room, "%s", one);
		break;
	case 1:
		snprintf(out, room, "%s,%s", one, two);
		break;
	case 2:
		snprintf(out, room, "{\"one_of\":[%s,%s]}", one, two);
		break;
	default:
		*out = '\0';
	}
}

/* A rule of any kind, about values and events of the good boot or of none. */
static void odd_rule(char *out, size_t room, unsigned spoilt)
{
	static const unsigned pcrs[] = { 0, 1, 2, 4, 5, 7, 8, 9, 11, 14, 17 };
	unsigned pcr =
		draw(2) == 0 ? pcrs[draw(AY_COUNT(pcrs))] : event_pcrs[draw(AY_COUNT(event_pcrs))];
	char events[1024];

	odd_events(events, sizeof(events), pcr);
	switch (draw(8)) {
	case 0:
		snprintf(out, room,
			 "{\"kind\":\"pcr\",\"pcr\":%u,\"values\":{\"sha256\":\"#%u#\"}}", pcr,
			 pcr);
		break;
	case 1:
		snprintf(out, room,
			 "{\"kind\":\"one_of\",\"pcr\":%u,\"values\":[{\"sha256\":\"" ZEROS
			 "\"},{\"sha256\":\"#%u#\"}]}",
			 pcr, pcr);
		break;
	case 2: /* a golden value names the PCR: of any but the failing one */
		pcr = pcr == spoilt ? 5 : pcr;
		snprintf(out, room,
			 "{\"kind\":\"golden\",\"pcr\":%u,\"values\":{\"sha256\":\"#%u#\",\"sha1\":"
			 "\"~%u~\"},\"owner\":\"o\",\"reason\":\"r\"}",
			 pcr, pcr, pcr);
		break;
	case 3:
		snprintf(out, room, "{\"kind\":\"events\",\"pcr\":%u,\"events\":[%s]}", pcr,
			 events);
		break;
	case 4:
		snprintf(out, room, "{\"kind\":\"includes\",\"pcr\":%u,\"events\":[%s]}", pcr,
			 events);
		break;
	case 5:
		snprintf(out, room,
			 "{\"kind\":\"events_excluding\",\"pcr\":%u,\"events\":[%s],\"exclude\":["
			 "{\"digests\":{\"sha256\":\"@/boot/initrd.gz@\"}},{\"variable\":\"db\","
			 "\"guid\":\"8be4df61-0000-0000-0000-000000000000\"}]}",
			 pcr, events);
		break;
	case 6:
		snprintf(out, room, "{\"kind\":\"minimum\",\"of\":\"dbx\",\"entries\":1}");
		break;
	default:
		snprintf(out, room,
			 "{\"kind\":\"forbidden\",\"digests\":{\"sha256\":{\"" ZEROS "\":\"z\"}}}");
	}
}

static struct ay_refset *odd_set(unsigned n, unsigned spoilt)
{
	static const char *const matches[] = { "", "\"match\":{\"firmware\":{\"version\":\"*\"}}",
					       "\"match\":{\"kernel\":{\"cmdline\":\"*ro\"}}",
					       "\"match\":{\"firmware\":{\"vendor\":\"x\"}}" };
	char parts[16384], rule[1600], name[16];
	struct ay_refset *s = NULL;
	size_t at = 0;

	for (unsigned p = 0; p < 2; p++) {
		unsigned rules = draw(4);

		at += (size_t)snprintf(parts + at, sizeof(parts) - at, "%s\"%s\":[", p ? "," : "",
				       p ? "os" : "platform");
		for (unsigned i = 0; i < rules; i++) {
			odd_rule(rule, sizeof(rule), spoilt);
			at += (size_t)snprintf(parts + at, sizeof(parts) - at, "%s%s", i ? "," : "",
					       rule);
		}
		at += (size_t)snprintf(parts + at, sizeof(parts) - at, "]");
	}
	snprintf(name, sizeof(name), "odd%u", n);
	return set_try(name, matches[draw(AY_COUNT(matches))], parts, &s, NULL) == AY_OK ? s : NULL;
}

/* narrow: it may leave out the learned set. */
static const char *odd_policy(bool narrow)
{
	static const char *const wide[] = {
		"",
		",\"references\":[{\"match\":\"any_of\"}]",
		",\"references\":[{\"match\":\"any_of\",\"need\":\"required\"}]",
		",\"references\":[{\"parts\":[\"platform\"]},{\"parts\":[\"os\",\"host_unique\"]}]",
		",\"references\":[{\"match\":\"all_of\",\"names\":[\"learned\"]},{}]",
	};
	static const char *const narrows[] = {
		",\"references\":[\"odd0\"]",
		",\"references\":[\"odd1\",\"odd0\"]",
		",\"references\":[{\"match\":\"latest\"}]",
		",\"references\":[{\"match\":\"all_of\",\"names\":[\"odd0\"]}]",
		",\"references\":[{\"parts\":[\"runtime\"]}]",
	};
	static char doc[1024];

	snprintf(doc, sizeof(doc),
		 "{\"format\":\"assay-policy-1\",\"name\":\"p\",\"version\":1,\"required\":["
		 "\"platform\",\"os\"]%s}",
		 narrow && draw(2) ? narrows[draw(AY_COUNT(narrows))] : wide[draw(AY_COUNT(wide))]);
	return doc;
}

/* What the TPM signed is another boot than the good one, in a way that the log tells. */
static const struct {
	const char *event, *content;
	unsigned pcr;
} changes[] = {
	{ "/boot/initrd.gz", "rootkit", 9 },
	{ "/boot/vmlinuz", "kernel 2", 9 },
	{ "path2", "evil grub", 4 },
	{ "blob", "firmware 2", 0 },
	{ "kernel_cmdline", "init=/bin/sh", 8 },
};

static unsigned change_boot(void)
{
	unsigned i = draw(AY_COUNT(changes));

	boot_init(&seen);
	seen.ev[boot_find(&seen, changes[i].event)].content = changes[i].content;
	boot_make(&seen, &arena);
	return changes[i].pcr;
}

/* What the log tells is not what the TPM signed. */
static unsigned tamper_log(void)
{
	static uint8_t other[20] = { 1 };
	size_t i = boot_find(&seen, changes[draw(AY_COUNT(changes))].event) + 1;

	again();
	seen.log.event[i].digest[0] = other;
	return seen.log.event[i].pcr;
}

static void try_odd(bool tampered, unsigned spoilt)
{
	const struct ay_refset *sets[4] = { learned };
	struct ay_refset *odd[3];
	size_t n = 1;

	for (unsigned i = 0; i < AY_COUNT(odd); i++) {
		odd[i] = odd_set(i, spoilt);
		if (odd[i] != NULL)
			sets[n++] = odd[i];
	}
	judge(sets, n, odd_policy(tampered));
	if (rep.verdict == AY_TRUSTED) {
		for (size_t i = 1; i < n; i++)
			print_message("%s\n", ay_refset_build(sets[i], &arena).p);
		fail_msg("trusted, PCR %u fails", spoilt);
	}
	for (unsigned i = 0; i < AY_COUNT(odd); i++)
		ay_refset_free(odd[i]);
}

static void test_no_odd_set_makes_trusted(void **state)
{
	(void)state;
	seed = 20261122;
	for (unsigned i = 0; i < 600; i++)
		try_odd(false, change_boot());
	for (unsigned i = 0; i < 600; i++) {
		boot_init(&seen);
		try_odd(true, tamper_log());
	}
}

/* The generator is no fool: beside a good boot its sets are trusted, and judge, now and then. */
static void test_the_odd_sets_are_real(void **state)
{
	unsigned trusted = 0, made = 0;

	(void)state;
	seed = 1;
	again();
	for (unsigned i = 0; i < 300; i++) {
		struct ay_refset *s = odd_set(0, 99);
		const struct ay_refset *sets[1] = { s };

		if (s == NULL)
			continue;
		made++;
		judge(sets, 1, odd_policy(false));
		trusted += rep.verdict == AY_TRUSTED;
		ay_refset_free(s);
	}
	assert_true(made > 100);
	assert_true(trusted > 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bank_left_empty),
		cmocka_unit_test(test_bank_hidden_from_log),
		cmocka_unit_test(test_type_relabelled),
		cmocka_unit_test(test_event_relabelled_as_no_action),
		cmocka_unit_test(test_description_relabelled),
		cmocka_unit_test(test_variable_relabelled),
		cmocka_unit_test(test_startup_locality_forged),
		cmocka_unit_test(test_good_events_appended),
		cmocka_unit_test(test_events_reordered),
		cmocka_unit_test(test_excluded_event_is_forbidden),
		cmocka_unit_test(test_no_odd_set_makes_trusted),
		cmocka_unit_test(test_the_odd_sets_are_real),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
