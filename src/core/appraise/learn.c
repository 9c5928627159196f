/* SPDX-License-Identifier: Apache-2.0 */
/* A reference set from what a good host showed: written as its JSON and parsed like any other. */
#include "core/appraise/reference.h"

#include "core/appraise/ima_paths.h"
#include "core/appraise/signatures.h"
#include "core/base/hex.h"
#include "core/evlog/ima.h"
#include "core/evlog/launch.h"
#include "core/evlog/replay.h"
#include "core/evlog/tcg_names.h"

struct learn {
	const struct ay_learn_from *from;
	const struct ay_learn_options *opt;
	json_t *parts;
	bool failed; /* without memory */
};

static bool wants(const struct learn *l, enum ay_part p)
{
	return l->opt->parts == 0 || (l->opt->parts & AY_PART_BIT(p)) != 0;
}

static enum ay_part part_of(const struct learn *l, unsigned pcr)
{
	if ((l->opt->host_unique & (1u << pcr)) != 0)
		return AY_PART_HOST_UNIQUE;
	return ay_component_of_pcr(pcr) == AY_COMP_PLATFORM ? AY_PART_PLATFORM : AY_PART_OS;
}

/* Takes rule. */
static void add_rule(struct learn *l, enum ay_part p, json_t *rule)
{
	json_t *list = json_object_get(l->parts, ay_part_name(p));

	if (list == NULL) {
		list = json_array();
		if (json_object_set_new(l->parts, ay_part_name(p), list) != 0)
			l->failed = true;
	}
	if (json_array_append_new(list, rule) != 0)
		l->failed = true;
}

static void put_hex(struct learn *l, json_t *o, uint16_t alg, const uint8_t *digest)
{
	char hex[2 * AY_DIGEST_MAX + 1];

	ay_hex_encode((struct ay_bytes){ digest, ay_alg_digest_size(alg) }, hex);
	if (json_object_set_new(o, ay_alg_bank_name(alg), json_string(hex)) != 0)
		l->failed = true;
}

static void learn_value(struct learn *l, unsigned pcr)
{
	const struct ay_pcrs *p = l->from->pcrs;
	json_t *values = json_object();

	for (size_t k = 0; k < p->n_banks; k++)
		if ((p->bank[k].have & (1u << pcr)) != 0)
			put_hex(l, values, p->bank[k].alg, p->bank[k].value[pcr]);
	if (json_object_size(values) == 0) {
		json_decref(values);
		return;
	}
	add_rule(l, part_of(l, pcr),
		 json_pack("{ss si so}", "kind", ay_rule_pcr.name, "pcr", (int)pcr, "values",
			   values));
}

/* Digests only in banks that the TPM vouches for. */
static json_t *event_json(struct learn *l, const struct ay_event *ev)
{
	const struct ay_evlog *log = l->from->log;
	/* a mixed one is no oddity of firmware but LOG_BANK_INCONSISTENT */
	bool is_odd = ev->check == AY_DATA_MISMATCH && ev->agrees == 0;
	json_t *digests = json_object();
	char summary[160];

	for (size_t k = 0; k < log->n_banks; k++)
		if (ev->digest[k] != NULL &&
		    ay_pcrs_value(l->from->pcrs, log->bank[k], ev->pcr).n > 0)
			put_hex(l, digests, log->bank[k], ev->digest[k]);
	ay_event_summary(ev, summary, sizeof(summary));
	return json_pack("{so sI ss so* so*}", "digests", digests, "type", (json_int_t)ev->type,
			 "summary", summary, "data_mismatch", is_odd ? json_true() : NULL,
			 "signatures", ay_signatures_json(ev));
}

static void learn_events(struct learn *l, unsigned pcr)
{
	const struct ay_evlog *log = l->from->log;
	json_t *events = json_array();

	for (size_t i = 0; i < log->n_events; i++)
		if (log->event[i].pcr == pcr && ay_event_is_extended(&log->event[i]) &&
		    json_array_append_new(events, event_json(l, &log->event[i])) != 0)
			l->failed = true;
	if (json_array_size(events) == 0) { /* its value says that nothing was measured */
		json_decref(events);
		return;
	}
	add_rule(l, part_of(l, pcr),
		 json_pack("{ss si so}", "kind", ay_rule_events.name, "pcr", (int)pcr, "events",
			   events));
}

/* ---- what a launch measured ---- */

static const char *const modules[] = { "module" };
/* CIT's rules for tboot: BIOS is what SINIT measured, VMM the modules and PCR 18. */
const struct ay_launch_split ay_launch_split_default = { .platform = 1u << 17,
							 .n_os = AY_COUNT(modules),
							 .os = modules };

static bool is_named(const char *const *list, size_t n, const char *name, bool is_module)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(list[i], name) == 0 || (is_module && strcmp(list[i], "module") == 0))
			return true;
	return false;
}

static enum ay_part part_of_launch(const struct learn *l, size_t i)
{
	const struct ay_launch_split *s =
		l->opt->launch != NULL ? l->opt->launch : &ay_launch_split_default;
	const struct ay_evlog *log = l->from->log;
	bool is_module = ay_launch_is_module(log, i);
	char buf[AY_LAUNCH_NAME];
	const char *name = ay_launch_name(log, i, buf);

	if (name == NULL)
		name = "";
	if ((l->opt->host_unique >> log->event[i].pcr & 1) != 0 ||
	    is_named(s->host_unique, s->n_host_unique, name, is_module))
		return AY_PART_HOST_UNIQUE;
	if (is_named(s->os, s->n_os, name, is_module) ||
	    (s->platform >> log->event[i].pcr & 1) == 0)
		return AY_PART_OS;
	return AY_PART_PLATFORM;
}

static json_t *launch_event_json(struct learn *l, size_t i)
{
	json_t *o = event_json(l, &l->from->log->event[i]);
	char buf[AY_LAUNCH_NAME];
	const char *name = ay_launch_name(l->from->log, i, buf);

	if (o == NULL ||
	    (name != NULL && json_object_set_new(o, "summary", json_string(name)) != 0))
		l->failed = true;
	return o;
}

/* A launch's PCR is spoken of by several parts, each naming its own events. */
static void learn_launch(struct learn *l, unsigned pcr)
{
	const struct ay_evlog *log = l->from->log;
	json_t *events[AY_PARTS] = { NULL };

	for (size_t i = 0; i < log->n_events; i++) {
		enum ay_part p;

		if (log->event[i].pcr != pcr || !ay_event_is_extended(&log->event[i]))
			continue;
		p = part_of_launch(l, i);
		if (events[p] == NULL)
			events[p] = json_array();
		if (json_array_append_new(events[p], launch_event_json(l, i)) != 0)
			l->failed = true;
	}
	for (unsigned p = 0; p < AY_PARTS; p++) {
		if (events[p] == NULL)
			continue;
		if (wants(l, p))
			add_rule(l, p,
				 json_pack("{ss si so}", "kind", ay_rule_launch.name, "pcr",
					   (int)pcr, "events", events[p]));
		else
			json_decref(events[p]);
	}
}

/* Of the launch's log, and not of one PCR's value alone. */
static bool is_launched(const struct learn *l, unsigned pcr)
{
	const struct ay_evlog *log = l->from->log;

	if (log == NULL || pcr < AY_DRTM_FIRST || pcr > AY_DRTM_LAST || !ay_evlog_has_launch(log))
		return false;
	for (size_t i = 0; i < log->n_events; i++)
		if (log->event[i].pcr == pcr && ay_event_is_extended(&log->event[i]))
			return true;
	return false;
}

static void learn_boot(struct learn *l)
{
	uint32_t pcrs = AY_PCR_BY_VALUE & (l->opt->pcrs == 0 ? UINT32_MAX : l->opt->pcrs);

	for (unsigned pcr = 0; pcr < AY_PCR_COUNT; pcr++) {
		if ((pcrs & (1u << pcr)) == 0)
			continue;
		if (is_launched(l, pcr)) {
			learn_launch(l, pcr);
			continue;
		}
		if (!wants(l, part_of(l, pcr)))
			continue;
		learn_value(l, pcr);
		if (l->from->log != NULL &&
		    (pcr >= AY_DRTM_FIRST || ay_evlog_has_boot(l->from->log)))
			learn_events(l, pcr);
	}
}

/* A path is any octets; in the set it is only for people. */
static void put_file(struct learn *l, json_t *digests, const struct ay_ima_entry *ent)
{
	const char *bank = ay_alg_bank_name(ent->digest_alg);
	char hex[2 * AY_DIGEST_MAX + 1], path[256];
	json_t *files = json_object_get(digests, bank);
	size_t n = 0;

	for (; n < ent->path.n && n < sizeof(path) - 1; n++)
		path[n] = (char)(ent->path.p[n] >= 0x20 && ent->path.p[n] < 0x7f ? ent->path.p[n]
										 : '?');
	path[n] = '\0';
	if (files == NULL) {
		files = json_object();
		if (json_object_set_new(digests, bank, files) != 0)
			l->failed = true;
	}
	ay_hex_encode(ent->digest, hex);
	if (json_object_get(files, hex) == NULL &&
	    json_object_set_new(files, hex, json_string(path)) != 0)
		l->failed = true;
}

/* What is no file is expected by name and digest: a certificate on disk is not one in a keyring. */
static void put_buffer(struct learn *l, json_t *names, const struct ay_ima_entry *ent)
{
	const char *bank = ay_alg_bank_name(ent->digest_alg);
	char hex[2 * AY_DIGEST_MAX + 1], name[AY_IMA_PATTERN_MAX + 1];
	json_t *digests, *list, *seen;
	size_t i;

	if (ent->path.n == 0 || ent->path.n >= sizeof(name) || ay_ima_path_is_odd(ent->path))
		return;
	memcpy(name, ent->path.p, ent->path.n);
	name[ent->path.n] = '\0';
	digests = json_object_get(names, name);
	if (digests == NULL) {
		digests = json_object();
		l->failed |= json_object_set_new(names, name, digests) != 0;
	}
	list = json_object_get(digests, bank);
	if (list == NULL) {
		list = json_array();
		l->failed |= json_object_set_new(digests, bank, list) != 0;
	}
	ay_hex_encode(ent->digest, hex);
	json_array_foreach (list, i, seen)
		if (strcmp(json_string_value(seen), hex) == 0)
			return;
	l->failed |= json_array_append_new(list, json_string(hex)) != 0;
}

static void add_buffers(struct learn *l, json_t *names)
{
	if (json_object_size(names) == 0)
		json_decref(names);
	else
		add_rule(l, AY_PART_RUNTIME,
			 json_pack("{ss so}", "kind", ay_rule_buffers.name, "buffers", names));
}

static enum ay_rc learn_files(struct learn *l, struct ay_err *e)
{
	json_t *digests = json_object(), *buffers = json_object();
	struct ay_ima_entry ent;
	struct ay_ima_cursor c;
	uint64_t violations = 0;

	ay_ima_begin(&c, l->from->ima);
	while (ay_ima_next(&c, &ent)) {
		if (ent.violation)
			violations++;
		else if (ent.index == 1 || ent.digest.n == 0 || /* 1 is boot_aggregate */
			 ent.digest.n != ay_alg_digest_size(ent.digest_alg))
			continue;
		else if (ent.is_buf)
			put_buffer(l, buffers, &ent);
		else if (ent.digest_kind == AY_IMA_DIGEST_FILE)
			put_file(l, digests, &ent);
	}
	if (json_object_size(digests) == 0) /* boot_aggregate alone says nothing about files */
		json_decref(digests);
	else
		add_rule(l, AY_PART_RUNTIME,
			 json_pack("{ss sI so}", "kind", ay_rule_files.name, "violations",
				   (json_int_t)violations, "digests", digests));
	add_buffers(l, buffers);
	return ay_ima_end(&c, e);
}

static const char *or_empty(const char *s)
{
	return s == NULL ? "" : s;
}

static enum ay_rc make_set(struct learn *l, struct ay_refset **out, struct ay_err *e)
{
	const struct ay_provenance *p = &l->opt->provenance;
	uint32_t version = l->opt->version == 0 ? 1 : l->opt->version;
	AY_CLEANUP(ay_json_unref)
	json_t *j = json_pack("{ss ss sI ss s{ss ss ss ss ss ss} sO}", "format",
			      "assay-reference-1", "name", or_empty(l->opt->name), "version",
			      (json_int_t)version, "state", "draft", "provenance", "source",
			      p->source == NULL ? "learned" : p->source, "host", or_empty(p->host),
			      "at", or_empty(p->at), "evidence", or_empty(p->evidence), "owner",
			      or_empty(p->owner), "note", or_empty(p->note), "parts", l->parts);

	if (j == NULL || l->failed ||
	    (l->opt->match != NULL &&
	     json_object_set_new(j, "match", ay_match_json(l->opt->match)) != 0))
		return ay_fail(e, AY_E_NOMEM, "learn", 0, "out of memory");
	return ay_refset_from_json(j, out, e);
}

enum ay_rc ay_refset_learn(const struct ay_learn_from *from, const struct ay_learn_options *opt,
			   struct ay_refset **out, struct ay_err *e)
{
	struct learn l = { .from = from, .opt = opt, .parts = json_object() };
	enum ay_rc rc = AY_OK;

	*out = NULL;
	if (l.parts == NULL)
		return ay_fail(e, AY_E_NOMEM, "learn", 0, "out of memory");
	if (((opt->pcrs | opt->host_unique) & ~AY_PCR_BY_VALUE) != 0)
		rc = ay_fail(e, AY_E_INPUT, "learn.pcrs", 0,
			     "PCRs with values are 0-9, 11-15 and 17-22");
	else if (opt->pcrs != 0 && (opt->host_unique & ~opt->pcrs) != 0)
		rc = ay_fail(e, AY_E_INPUT, "learn.host_unique", 0,
			     "names a PCR that is not to be learned");
	if (rc == AY_OK && from->pcrs != NULL)
		learn_boot(&l);
	if (rc == AY_OK && from->ima.n > 0 && wants(&l, AY_PART_RUNTIME))
		rc = learn_files(&l, e);
	if (rc == AY_OK && json_object_size(l.parts) == 0)
		rc = ay_fail(e, AY_E_INPUT, "learn.parts", 0, "no evidence for what is asked");
	if (rc == AY_OK)
		rc = make_set(&l, out, e);
	json_decref(l.parts);
	return rc;
}
