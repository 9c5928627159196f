/* SPDX-License-Identifier: Apache-2.0 */
/* Hosts that a manager speaks for: each check, and a real ESXi host of the corpus whose verdict
 * another product recorded. */
#include "support/t.h"

#include "core/appraise/check_managed.h"
#include "core/appraise/state.h"
#include "core/base/hex.h"
#include "core/base/json.h"
#include "core/evlog/reported.h"
#include "core/evlog/tcg_data.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOUR 3600000
#define NOW (INT64_C(1000) * HOUR)

/* ---- each check ---- */

static const struct {
	const char *name;
	uint8_t id; /* of the machine that answers; 1 is bound */
	int64_t boot_ms, last_boot_ms;
	enum ay_managed_status status;
	int64_t attested_ms;
	bool reliable;
	bool judged;
	enum ay_check code; /* that does not pass; NONE: all do */
	enum ay_result result;
} rows[] = {
	{ "good", 1, HOUR, 0, AY_MANAGED_ACCEPTED, 2 * HOUR, true, true, AY_CHECK_NONE, AY_PASS },
	{ "same boot, clock set a little", 1, HOUR, HOUR + 60000, AY_MANAGED_ACCEPTED, 2 * HOUR,
	  true, true, AY_CHECK_NONE, AY_PASS },
	{ "another machine", 2, HOUR, 0, AY_MANAGED_ACCEPTED, 2 * HOUR, true, false,
	  AY_CHECK_MANAGER_HOST, AY_FAIL },
	{ "no boot is named", 1, 0, 0, AY_MANAGED_ACCEPTED, 2 * HOUR, true, false,
	  AY_CHECK_MANAGER_BOOT, AY_NOT_CHECKED },
	{ "booted in the future", 1, NOW + HOUR, 0, AY_MANAGED_ACCEPTED, NOW + HOUR, true, false,
	  AY_CHECK_MANAGER_BOOT, AY_FAIL },
	{ "an older report", 1, HOUR, 2 * HOUR, AY_MANAGED_ACCEPTED, 3 * HOUR, true, false,
	  AY_CHECK_MANAGER_BOOT, AY_FAIL },
	{ "log not reliable", 1, HOUR, 0, AY_MANAGED_ACCEPTED, 2 * HOUR, false, true,
	  AY_CHECK_MANAGER_LOG, AY_FAIL },
	{ "refused by the manager", 1, HOUR, 0, AY_MANAGED_REFUSED, 2 * HOUR, true, true,
	  AY_CHECK_MANAGER_STATUS, AY_FAIL },
	{ "accepted before this boot", 1, 2 * HOUR, 0, AY_MANAGED_ACCEPTED, HOUR, true, true,
	  AY_CHECK_MANAGER_STATUS, AY_NOT_CHECKED },
	{ "not attested by the manager", 1, HOUR, 0, AY_MANAGED_UNSAID, 0, true, true,
	  AY_CHECK_MANAGER_STATUS, AY_NOT_CHECKED },
};

static void each_check(void **state)
{
	(void)state;
	for (size_t i = 0; i < AY_COUNT(rows); i++) {
		struct ay_managed_ask ask = { .bound = { { 1 } },
					      .now_ms = NOW,
					      .last_boot_ms = rows[i].last_boot_ms };
		struct ay_managed_facts f = { .boot_ms = rows[i].boot_ms,
					      .attested_ms = rows[i].attested_ms,
					      .status = rows[i].status,
					      .log_reliable = rows[i].reliable };
		const struct ay_finding *bad;
		struct ay_report rep;
		struct ay_arena a;

		print_message("%s\n", rows[i].name);
		f.id.b[0] = rows[i].id;
		ay_arena_init(&a, 1 << 20);
		ay_report_init(&rep, &a);
		assert_int_equal(ay_check_managed(&ask, &f, &rep), rows[i].judged);
		for (size_t k = 0; k < rep.n_findings; k++)
			assert_true(rep.finding[k].result == AY_PASS ||
				    rep.finding[k].code == rows[i].code);
		bad = ay_report_find(&rep, rows[i].code);
		assert_int_equal(bad != NULL, rows[i].code != AY_CHECK_NONE);
		if (bad != NULL)
			assert_int_equal(bad->result, rows[i].result);
		assert_int_equal(rep.component[AY_COMP_IDENTITY].grade, AY_GRADE_REPORTED);
		ay_arena_fini(&a);
	}
}

/* ---- the real host ---- */

struct world {
	json_t *manifest, *flavors, *recorded;
	struct ay_pcrs pcrs;
	struct ay_bytes log_octets;
	struct ay_evlog log;
	struct ay_refset *set;
	struct ay_policy *policy;
	struct ay_arena a;
};

static json_t *load(const char *name)
{
	char path[128];
	json_t *j = NULL;
	struct ay_bytes text;

	snprintf(path, sizeof(path), "manifests/vmware12/%s", name);
	text = t_corpus_file("vim/manifest", path);
	assert_int_equal(ay_json_load(text, 1 << 20, name, &j, NULL), AY_OK);
	return j;
}

static const char *str(const json_t *o, const char *key)
{
	return json_string_value(json_object_get(o, key));
}

static void read_values(struct world *w)
{
	const json_t *p;
	size_t i;

	json_array_foreach (
		json_object_get(json_object_get(w->manifest, "pcr_manifest"), "sha1pcrs"), i, p) {
		uint8_t d[20];

		assert_int_equal(ay_hex_decode(ay_bytes_of(str(p, "value")), "pcr", d, 20, NULL),
				 AY_OK);
		assert_int_equal(ay_pcrs_set(&w->pcrs, AY_ALG_SHA1,
					     (unsigned)atoi(str(p, "index") + 4), AY_BYTES(d),
					     NULL),
				 AY_OK);
	}
}

static void read_log(struct world *w)
{
	static uint8_t room[65536];
	static const uint16_t sha1 = AY_ALG_SHA1;
	const json_t *logs = json_object_get(
		json_object_get(json_object_get(w->manifest, "pcr_manifest"), "pcr_event_log_map"),
		"SHA1");
	const json_t *l, *ev;
	struct ay_writer wr;
	size_t i, k;

	ay_wr_init(&wr, room, sizeof(room));
	ay_reported_log_begin(&wr, &sha1, 1);
	json_array_foreach (logs, i, l)
		json_array_foreach (json_object_get(l, "tpm_events"), k, ev) {
			struct ay_reported_event e = {
				.pcr = (uint32_t)json_integer_value(
					json_object_get(json_object_get(l, "pcr"), "index")),
				.type = (uint32_t)strtoul(str(ev, "type_id"), NULL, 16),
				.bank = sha1,
				.text = ay_bytes_of(str(ev, "type_name")),
			};

			assert_int_equal(ay_hex_decode(ay_bytes_of(str(ev, "measurement")), "event",
						       e.digest, 20, NULL),
					 AY_OK);
			ay_reported_log_event(&wr, &e);
		}
	assert_int_equal(ay_wr_end(&wr, "log", &w->log_octets, NULL), AY_OK);
	assert_int_equal(ay_evlog_parse(w->log_octets, &w->a, &w->log, NULL), AY_OK);
	ay_evlog_check_data(&w->log);
	assert_int_equal(w->log.n_events, 92); /* 91 and the header */
}

/* The whitelist of the other product: PCR values of its flavors, part by part. */
static void read_flavors(struct world *w)
{
	json_t *platform = json_array(), *os = json_array(), *set;
	const json_t *f, *p;
	size_t i, k;

	json_array_foreach (w->flavors, i, f) {
		const json_t *flavor = json_object_get(f, "flavor");
		const char *part =
			str(json_object_get(json_object_get(flavor, "meta"), "description"),
			    "flavor_part");
		json_t *to = strcmp(part, "PLATFORM") == 0 ? platform
			     : strcmp(part, "OS") == 0	   ? os
							   : NULL;

		if (to == NULL)
			continue;
		json_array_foreach (json_object_get(flavor, "pcrs"), k, p)
			json_array_append_new(
				to, json_pack("{s:s, s:O, s:{s:s}}", "kind", "pcr", "pcr",
					      json_object_get(json_object_get(p, "pcr"), "index"),
					      "values", "sha1", str(p, "measurement")));
	}
	set = json_pack("{s:s, s:s, s:i, s:s, s:{s:s, s:s, s:s, s:s, s:s, s:s}, s:{s:o, s:o}}",
			"format", "assay-reference-1", "name", "esxi", "version", 1, "state",
			"active", "provenance", "source", "imported", "host", "", "at", "",
			"evidence", "", "owner", "", "note", "", "parts", "platform", platform,
			"os", os);
	assert_int_equal(ay_refset_from_json(set, &w->set, NULL), AY_OK);
	json_decref(set);
}

static void open_world(struct world *w)
{
	static const char policy[] = "{\"format\":\"assay-policy-1\",\"name\":\"p\",\"version\":1,"
				     "\"required\":[\"identity\",\"platform\",\"os\"]}";

	memset(w, 0, sizeof(*w));
	w->manifest = load("host_manifest.json");
	w->flavors = load("signed_flavors.json");
	w->recorded = load("trust_report.json");
	ay_arena_init(&w->a, 32 << 20);
	read_values(w);
	read_log(w);
	read_flavors(w);
	assert_int_equal(ay_policy_parse(ay_bytes_of(policy), &w->policy, NULL), AY_OK);
}

static void close_world(struct world *w)
{
	ay_refset_free(w->set);
	ay_policy_free(w->policy);
	json_decref(w->manifest);
	json_decref(w->flavors);
	json_decref(w->recorded);
	ay_arena_fini(&w->a);
}

static void judge(struct world *w, struct ay_report *rep)
{
	const struct ay_refset *sets[1] = { w->set };
	const struct ay_managed_ask ask = { .bound = { { 1 } }, .now_ms = NOW };
	const struct ay_managed_facts f = { .id = { { 1 } },
					    .boot_ms = HOUR,
					    .log_reliable = true };
	struct ay_state_in in = { .pcrs = &w->pcrs,
				  .log_given = AY_LOG_IS_GIVEN,
				  .log = &w->log,
				  .sets = sets,
				  .n_sets = 1,
				  .policy = w->policy,
				  .reported = true,
				  .now_ms = NOW };
	unsigned all = AY_COMP_BIT(AY_COMP_IDENTITY) | AY_COMP_BIT(AY_COMP_PLATFORM) |
		       AY_COMP_BIT(AY_COMP_OS);

	w->set->state = AY_SET_ACTIVE;
	ay_report_init(rep, &w->a);
	assert_true(ay_check_managed(&ask, &f, rep));
	assert_int_equal(ay_appraise_state(&in, rep, NULL), AY_OK);
	assert_int_equal(ay_appraise_conclude(w->policy, all, NOW, rep, NULL), AY_OK);
	for (size_t i = 0; i < rep->n_findings; i++)
		if (rep->finding[i].result != AY_PASS)
			print_message("%s: %s\n", ay_check_row(rep->finding[i].code)->code,
				      rep->finding[i].text);
}

static bool recorded(const struct world *w, const char *part)
{
	return json_is_true(json_object_get(json_object_get(w->recorded, part), "trust"));
}

static void parts_as_recorded(void **state)
{
	struct ay_report rep;
	struct world w;

	(void)state;
	open_world(&w);
	judge(&w, &rep);
	assert_int_equal(rep.component[AY_COMP_PLATFORM].verdict == AY_TRUSTED,
			 recorded(&w, "PLATFORM"));
	assert_int_equal(rep.component[AY_COMP_OS].verdict == AY_TRUSTED,
			 recorded(&w, "OS") && recorded(&w, "HOST_UNIQUE"));
	assert_int_equal(rep.verdict, AY_TRUSTED);
	/* and no more than a manager's word, however well it fits */
	assert_int_equal(rep.component[AY_COMP_PLATFORM].grade, AY_GRADE_REPORTED);
	assert_int_equal(rep.component[AY_COMP_OS].grade, AY_GRADE_REPORTED);
	close_world(&w);
}

/* One octet of one value or event is enough. */
static void and_not_otherwise(void **state)
{
	struct ay_report rep;
	struct world w;

	(void)state;
	open_world(&w);
	w.pcrs.bank[0].value[0][0] ^= 1;
	judge(&w, &rep);
	assert_int_equal(rep.component[AY_COMP_PLATFORM].verdict, AY_UNTRUSTED);
	assert_int_equal(rep.component[AY_COMP_OS].verdict, AY_TRUSTED);
	w.pcrs.bank[0].value[0][0] ^= 1;
	((uint8_t *)(uintptr_t)w.log.event[40].digest[0])[3] ^= 1;
	judge(&w, &rep);
	assert_int_equal(rep.component[AY_COMP_PLATFORM].verdict, AY_TRUSTED);
	assert_int_equal(rep.component[AY_COMP_OS].verdict, AY_UNTRUSTED);
	assert_non_null(ay_report_find(&rep, AY_CHECK_LOG_PCR_MISMATCH));
	close_world(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_check),
		cmocka_unit_test(parts_as_recorded),
		cmocka_unit_test(and_not_otherwise),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
