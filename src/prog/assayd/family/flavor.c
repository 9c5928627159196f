/* SPDX-License-Identifier: Apache-2.0 */
#include "prog/assayd/family/flavor.h"

#include "core/appraise/reference.h"
#include "core/base/numbers.h"
#include "prog/assayd/family/members.h"
#include "prog/assayd/family/mle.h"

#include <stdlib.h>

enum { DRTM_FIRST = 17, NAME_ROOM = AY_MAX_NAME_BYTES + 1, EVENTS_MAX = 1024 };

static enum ay_rc no_memory(struct ay_err *e)
{
	return ay_fail(e, AY_E_NOMEM, "flavor", 0, "out of memory");
}

/* Ours of "SHA256"; NULL: none. */
static const char *bank_of(const char *theirs)
{
	static const char *const names[] = { "sha1", "sha256", "sha384", "sha512" };

	for (size_t i = 0; i < AY_COUNT(names); i++)
		if (strcasecmp(theirs, names[i]) == 0)
			return names[i];
	return NULL;
}

/* ---- reading: what each PCR is to hold ---- */

/* One PCR in one bank, as either form tells it. */
struct pcr {
	unsigned number;
	const char *bank;
	const char *value; /* "": none to compare with */
	const json_t *equals, *includes;
};

/* Lists of one PCR's events; a list of a second bank gives the same events more digests. */
struct expected {
	json_t *values, *equals, *includes;
};

static void free_all(struct expected *all)
{
	for (size_t i = 0; i < AY_PCR_COUNT; i++) {
		json_decref(all[i].values);
		json_decref(all[i].equals);
		json_decref(all[i].includes);
	}
}

static enum ay_rc bad(const struct pcr *p, const char *what, struct ay_err *e)
{
	return ay_fail_code(e, AY_E_INPUT, "WHITELIST_VALUE", "flavor.pcrs", "PCR %u: %s",
			    p->number, what);
}

/* Lower case, of the length of that bank. */
static enum ay_rc read_digest(const char *hex, const char *bank, char out[130], struct ay_err *e)
{
	const char *is = ay_mle_bank(hex);

	if (is == NULL || strcmp(is, bank) != 0)
		return ay_fail_code(e, AY_E_INPUT, "WHITELIST_VALUE", "flavor.pcrs",
				    "\"%.40s\" is no digest of bank %s", hex, bank);
	snprintf(out, 130, "%s", hex);
	for (char *s = out; *s != '\0'; s++)
		*s = (char)(*s >= 'A' && *s <= 'F' ? *s + 32 : *s);
	return AY_OK;
}

/* For people: its first tag, else its name. */
static const char *label_of(const json_t *event)
{
	const char *tag = json_string_value(json_array_get(json_object_get(event, "tags"), 0));

	return tag != NULL && tag[0] != '\0' ? tag : ay_member_text(event, "label,type_name");
}

static json_int_t type_of(const json_t *event)
{
	const char *text = ay_member_text(event, "type_id");
	unsigned long n = strncasecmp(text, "0x", 2) == 0 ? strtoul(text + 2, NULL, 16) : 0;

	return n <= UINT32_MAX ? (json_int_t)n : 0;
}

/* The event at place i, made if this is the first bank. */
static enum ay_rc add_event(json_t *list, size_t i, bool is_first, const struct pcr *p,
			    const json_t *event, struct ay_err *e)
{
	char hex[130];
	json_t *is;
	enum ay_rc rc = read_digest(ay_member_text(event, "measurement,value"), p->bank, hex, e);

	if (rc != AY_OK)
		return rc;
	if (is_first)
		json_array_append_new(list, json_pack("{s:{}, s:I, s:s}", "digests", "type",
						      type_of(event), "summary", label_of(event)));
	is = json_array_get(list, i);
	if (is == NULL || strcmp(ay_member_text(is, "summary"), label_of(event)) != 0)
		return bad(p, "its banks do not name the same events", e);
	if (json_object_get(json_object_get(is, "digests"), p->bank) != NULL)
		return bad(p, "stands twice in one bank", e);
	return json_object_set_new(json_object_get(is, "digests"), p->bank, json_string(hex)) == 0
		       ? AY_OK
		       : no_memory(e);
}

static enum ay_rc add_events(json_t **list, const struct pcr *p, const json_t *events,
			     struct ay_err *e)
{
	bool is_first = *list == NULL;
	size_t n = json_array_size(events);
	enum ay_rc rc = AY_OK;

	if (events != NULL && (!json_is_array(events) || n > EVENTS_MAX))
		return ay_fail_code(e, AY_E_INPUT, "WHITELIST_VALUE", "flavor.pcrs",
				    "PCR %u: its events are a list of at most %d", p->number,
				    EVENTS_MAX);
	if (n == 0)
		return AY_OK;
	if (is_first)
		*list = json_array();
	if (!is_first && json_array_size(*list) != n)
		return bad(p, "its banks do not name the same events", e);
	for (size_t i = 0; rc == AY_OK && i < n; i++)
		rc = add_event(*list, i, is_first, p, json_array_get(events, i), e);
	return rc;
}

static enum ay_rc add_value(struct expected *x, const struct pcr *p, struct ay_err *e)
{
	char hex[130];
	enum ay_rc rc = read_digest(p->value, p->bank, hex, e);

	if (rc != AY_OK)
		return rc;
	if (x->values == NULL)
		x->values = json_object();
	if (json_object_get(x->values, p->bank) != NULL)
		return bad(p, "stands twice in one bank", e);
	return json_object_set_new(x->values, p->bank, json_string(hex)) == 0 ? AY_OK
									      : no_memory(e);
}

static enum ay_rc add_pcr(struct expected *all, const struct pcr *p, struct ay_err *e)
{
	struct expected *x = &all[p->number];
	enum ay_rc rc = AY_OK;

	if (p->value[0] != '\0')
		rc = add_value(x, p, e);
	if (rc == AY_OK)
		rc = add_events(&x->equals, p, p->equals, e);
	if (rc == AY_OK)
		rc = add_events(&x->includes, p, p->includes, e);
	if (rc == AY_OK && p->value[0] == '\0' &&
	    json_array_size(p->equals) + json_array_size(p->includes) == 0)
		rc = ay_fail_code(e, AY_E_INPUT, "MISSING_INPUT", "flavor.pcrs",
				  "PCR %u has nothing to compare with", p->number);
	return rc;
}

static enum ay_rc read_head(uint64_t number, const char *bank, struct pcr *out, struct ay_err *e)
{
	*out = (struct pcr){ .number = (unsigned)number, .bank = bank_of(bank), .value = "" };
	if (number >= AY_PCR_COUNT || ((AY_PCR_BY_VALUE >> number) & 1) == 0)
		return ay_fail_code(e, AY_E_INPUT, "PCR_UNKNOWN", "flavor.pcrs",
				    "PCR %u is not judged by value (0-9, 11-15, 17-22 are)",
				    (unsigned)number);
	if (out->bank == NULL)
		return ay_fail_code(e, AY_E_INPUT, "WHITELIST_VALUE", "flavor.pcrs",
				    "\"%.20s\" is no bank", bank);
	return AY_OK;
}

/*
 * {"value","event"}: of a launch the events count, as there, for each part has
 * some of the PCR's; elsewhere the value does, which says more.
 */
static enum ay_rc read_named(const char *bank, const char *name, const json_t *o, bool is_platform,
			     struct expected *all, struct ay_err *e)
{
	const json_t *events = ay_member(o, "event");
	uint64_t number = AY_PCR_COUNT;
	struct pcr p;
	enum ay_rc rc = AY_OK;

	if (strncmp(name, "pcr_", 4) != 0 ||
	    ay_number_parse(ay_bytes_of(name + 4), "pcr", AY_PCR_COUNT - 1, &number, NULL) != AY_OK)
		number = AY_PCR_COUNT;
	rc = read_head(number, bank, &p, e);
	if (rc != AY_OK)
		return rc;
	if (json_object_get(o, "value") != NULL && !json_is_string(json_object_get(o, "value")))
		return bad(&p, "its value is no text", e);
	if (json_array_size(events) == 0 || p.number < DRTM_FIRST)
		p.value = ay_member_text(o, "value");
	if (is_platform && p.value[0] == '\0')
		p.equals = events;
	else
		p.includes = events;
	return add_pcr(all, &p, e);
}

static enum ay_rc read_by_bank(const json_t *banks, bool is_platform, struct expected *all,
			       struct ay_err *e)
{
	const char *bank, *name;
	json_t *pcrs, *o;
	enum ay_rc rc = AY_OK;

	json_object_foreach ((json_t *)(uintptr_t)banks, bank, pcrs) {
		if (json_object_size(pcrs) == 0)
			return ay_fail_code(e, AY_E_INPUT, "MISSING_INPUT", "flavor.pcrs",
					    "%.20s: has no \"pcr_N\"", bank);
		json_object_foreach (pcrs, name, o)
			if (rc == AY_OK)
				rc = read_named(bank, name, o, is_platform, all, e);
	}
	return rc;
}

/* equals may be NULL. */
static enum ay_rc check_equals(const struct pcr *p, const json_t *equals, struct ay_err *e)
{
	const json_t *tags = ay_member(equals, "exclude_tags");

	if (equals != NULL && !json_is_object(equals))
		return bad(p, "eventlog_equals is {\"events\":[..]}", e);
	if (tags != NULL && !json_is_array(tags))
		return bad(p, "exclude_tags is a list", e);
	if (p->number < DRTM_FIRST && json_array_size(tags) > 0)
		return ay_fail_code(e, AY_E_INPUT, "NOT_OFFERED", "exclude_tags",
				    "PCR %u: a tag is measured by nobody and leaves nothing out: "
				    "give the events that must be there as eventlog_includes",
				    p->number);
	return AY_OK;
}

static enum ay_rc read_rule(const json_t *o, struct expected *all, struct ay_err *e)
{
	const json_t *pcr = json_object_get(o, "pcr"), *index = json_object_get(pcr, "index");
	const json_t *equals = ay_member(o, "eventlog_equals");
	struct pcr p;
	enum ay_rc rc;

	if (!json_is_integer(index) || json_integer_value(index) < 0)
		return ay_fail_code(e, AY_E_INPUT, "PCR_UNKNOWN", "flavor.pcrs.pcr.index",
				    "is the number of a PCR");
	rc = read_head((uint64_t)json_integer_value(index), ay_member_text(pcr, "bank"), &p, e);
	if (rc != AY_OK)
		return rc;
	if (ay_member_truth(o, "pcr_matches", false))
		p.value = ay_member_text(o, "measurement");
	if (ay_member_truth(o, "pcr_matches", false) && p.value[0] == '\0')
		return bad(&p, "pcr_matches without measurement", e);
	rc = check_equals(&p, equals, e);
	p.equals = json_object_get(equals, "events");
	p.includes = ay_member(o, "eventlog_includes");
	return rc == AY_OK ? add_pcr(all, &p, e) : rc;
}

static enum ay_rc read_pcrs(const json_t *flavor, bool is_platform, struct expected *all,
			    struct ay_err *e)
{
	const json_t *pcrs = json_object_get(flavor, "pcrs"), *o;
	enum ay_rc rc = AY_OK;
	size_t i;

	if (json_is_object(pcrs))
		return read_by_bank(pcrs, is_platform, all, e);
	json_array_foreach (pcrs, i, o)
		if (rc == AY_OK)
			rc = read_rule(o, all, e);
	return rc;
}

/* ---- the set ---- */

static bool has_event(const json_t *list, const json_t *event)
{
	const json_t *o;
	size_t i;

	json_array_foreach (list, i, o)
		if (json_equal(json_object_get(o, "digests"), json_object_get(event, "digests")))
			return true;
	return false;
}

static void add_event_rule(json_t *rules, const char *kind, unsigned pcr, json_t *events)
{
	if (json_array_size(events) > 0)
		json_array_append_new(rules, json_pack("{s:s, s:i, s:O}", "kind", kind, "pcr",
						       (int)pcr, "events", events));
}

/* Of a launch every event is claimed by some part: equals and includes are one list there. */
static void add_launch(json_t *rules, unsigned pcr, const struct expected *x)
{
	json_t *all = json_array(), *o;
	size_t i;

	json_array_extend(all, x->equals);
	json_array_foreach (x->includes, i, o)
		if (!has_event(all, o))
			json_array_append(all, o);
	add_event_rule(rules, "launch", pcr, all);
	json_decref(all);
}

static json_t *rules_of(const struct expected *all)
{
	json_t *rules = json_array();

	for (unsigned pcr = 0; pcr < AY_PCR_COUNT; pcr++) {
		const struct expected *x = &all[pcr];

		if (x->values != NULL)
			json_array_append_new(rules,
					      json_pack("{s:s, s:i, s:O}", "kind", "pcr", "pcr",
							(int)pcr, "values", x->values));
		if (pcr >= DRTM_FIRST) {
			add_launch(rules, pcr, x);
			continue;
		}
		add_event_rule(rules, "events", pcr, x->equals);
		add_event_rule(rules, "includes", pcr, x->includes);
	}
	return rules;
}

/* Ours of "PLATFORM"; NULL: none that has values of PCRs. */
static const char *part_of(const char *theirs)
{
	return strcmp(theirs, "PLATFORM") == 0	    ? "platform"
	       : strcmp(theirs, "OS") == 0	    ? "os"
	       : strcmp(theirs, "HOST_UNIQUE") == 0 ? "host_unique"
						    : NULL;
}

/* Names of sets have fewer characters than labels. */
static enum ay_rc read_name(const json_t *description, char out[NAME_ROOM], struct ay_err *e)
{
	const char *label = ay_member_text(description, "label");

	if (label[0] == '\0' || strlen(label) >= NAME_ROOM)
		return ay_fail_code(e, AY_E_INPUT, "MISSING_INPUT", "flavor.meta.description.label",
				    "a flavor needs a label of 1 to %d characters", NAME_ROOM - 1);
	snprintf(out, NAME_ROOM, "%s", label);
	for (char *s = out; *s != '\0'; s++)
		if (!((*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z') ||
		      (*s >= '0' && *s <= '9') || strchr("._+:@- ", *s) != NULL))
			*s = '_';
	return AY_OK;
}

static json_t *set_json(const json_t *meta, const char *name, const char *part, json_t *rules)
{
	const json_t *description = json_object_get(meta, "description");
	char note[120];
	json_t *set;

	snprintf(note, sizeof(note), "flavor %.60s", ay_member_text(meta, "id"));
	set = json_pack("{s:s, s:s, s:i, s:s, s:{s:s, s:s}, s:{s:O}}", "format",
			"assay-reference-1", "name", name, "version", 1, "state", "draft",
			"provenance", "source", "imported", "note", note, "parts", part, rules);
	if (set != NULL && strcmp(part, "host_unique") == 0)
		json_object_set_new(set, "match",
				    json_pack("{s:[s]}", "hosts",
					      ay_member_text(description, "hardware_uuid")));
	return set;
}

/* Takes rules. */
static enum ay_rc make_set(const json_t *flavor, const char *part, json_t *rules, json_t **out,
			   struct ay_err *e)
{
	const json_t *meta = json_object_get(flavor, "meta");
	struct ay_refset *checked = NULL;
	char name[NAME_ROOM];
	enum ay_rc rc = read_name(json_object_get(meta, "description"), name, e);

	if (rc == AY_OK && json_array_size(rules) == 0)
		rc = ay_fail_code(e, AY_E_INPUT, "MISSING_INPUT", "flavor.pcrs",
				  "flavor \"%.60s\" has no PCR to compare with", name);
	if (rc == AY_OK)
		*out = set_json(meta, name, part, rules);
	json_decref(rules);
	if (rc == AY_OK)
		rc = *out == NULL ? no_memory(e) : ay_refset_from_json(*out, &checked, e);
	ay_refset_free(checked);
	if (rc != AY_OK)
		ay_json_unref(out);
	return rc;
}

enum ay_rc ay_flavor_set(const json_t *flavor, json_t **out, struct ay_err *e)
{
	const json_t *meta = json_object_get(flavor, "meta");
	const char *theirs = ay_member_text(json_object_get(meta, "description"), "flavor_part");
	const char *part = part_of(theirs);
	struct expected all[AY_PCR_COUNT] = { 0 };
	enum ay_rc rc;

	*out = NULL;
	if (part == NULL)
		return ay_fail_code(e, AY_E_INPUT, "NOT_OFFERED", "flavor_part",
				    "\"%.20s\": flavors of PLATFORM, OS and HOST_UNIQUE are taken "
				    "by value",
				    theirs);
	rc = read_pcrs(flavor, strcmp(part, "platform") == 0, all, e);
	if (rc == AY_OK)
		rc = make_set(flavor, part, rules_of(all), out, e);
	free_all(all);
	return rc;
}

/* ---- writing ---- */

/* The item of a PCR and bank, made when it is not there. */
static json_t *item_of(json_t *list, json_int_t pcr, const char *bank)
{
	char name[16];
	json_t *o;
	size_t i;

	snprintf(name, sizeof(name), "%s", bank);
	for (char *s = name; *s != '\0'; s++)
		*s = (char)(*s >= 'a' && *s <= 'z' ? *s - 32 : *s);
	json_array_foreach (list, i, o) {
		const json_t *is = json_object_get(o, "pcr");

		if (json_integer_value(json_object_get(is, "index")) == pcr &&
		    strcmp(ay_member_text(is, "bank"), name) == 0)
			return o;
	}
	o = json_pack("{s:{s:I, s:s}}", "pcr", "index", pcr, "bank", name);
	json_array_append_new(list, o);
	return o;
}

static json_t *event_json(const json_t *event, const char *hex)
{
	const char *summary = ay_member_text(event, "summary");
	char type[16];

	snprintf(type, sizeof(type), "0x%llx",
		 (long long)json_integer_value(json_object_get(event, "type")));
	return json_pack("{s:s, s:s, s:[s], s:s}", "type_id", type, "type_name", summary, "tags",
			 summary, "measurement", hex);
}

/* Where this bank's events of a rule of that kind stand. */
static json_t *events_of(json_t *item, bool is_whole)
{
	json_t *o = item, *list;
	const char *name = is_whole ? "events" : "eventlog_includes";

	if (is_whole) {
		o = json_object_get(item, "eventlog_equals");
		if (o == NULL) {
			o = json_object();
			json_object_set_new(item, "eventlog_equals", o);
		}
	}
	list = json_object_get(o, name);
	if (list == NULL) {
		list = json_array();
		json_object_set_new(o, name, list);
	}
	return list;
}

static void write_events(json_t *list, const json_t *rule, bool is_whole)
{
	json_int_t pcr = json_integer_value(json_object_get(rule, "pcr"));
	json_t *event, *hex;
	const char *bank;
	size_t i;

	json_array_foreach (json_object_get(rule, "events"), i, event)
		json_object_foreach (json_object_get(event, "digests"), bank, hex)
			json_array_append_new(events_of(item_of(list, pcr, bank), is_whole),
					      event_json(event, json_string_value(hex)));
}

static void write_values(json_t *list, const json_t *rule)
{
	json_int_t pcr = json_integer_value(json_object_get(rule, "pcr"));
	const char *bank;
	json_t *hex;

	json_object_foreach (json_object_get(rule, "values"), bank, hex) {
		json_t *item = item_of(list, pcr, bank);

		json_object_set(item, "measurement", hex);
		json_object_set_new(item, "pcr_matches", json_true());
	}
}

/* All its events have digests: one that may be one of several has not. */
static bool is_plain(const json_t *rule)
{
	const json_t *event;
	size_t i;

	json_array_foreach (json_object_get(rule, "events"), i, event)
		if (json_object_get(event, "digests") == NULL)
			return false;
	return true;
}

json_t *ay_flavor_pcrs(const json_t *rules)
{
	json_t *list = json_array(), *rule;
	size_t i;

	json_array_foreach (rules, i, rule) {
		const char *kind = ay_member_text(rule, "kind");

		if (strcmp(kind, "pcr") == 0 || strcmp(kind, "golden") == 0)
			write_values(list, rule);
		else if (strcmp(kind, "events") == 0 && is_plain(rule))
			write_events(list, rule, true);
		else if ((strcmp(kind, "includes") == 0 || strcmp(kind, "launch") == 0) &&
			 is_plain(rule))
			write_events(list, rule, false);
	}
	return list;
}
