/* SPDX-License-Identifier: Apache-2.0 */
#include "core/appraise/match.h"

#include <string.h>

#include "core/appraise/reference.h"
#include "core/base/hex.h"

#define WHERE "reference.match"
#define KERNELS_MAX 256
#define HOSTS_MAX 4096

/* ---- patterns ---- */

/* The last star takes one octet more whenever what follows it does not fit: no recursion. */
bool ay_match_pattern(const char *pattern, const char *text)
{
	const char *star = NULL, *from = NULL;

	while (*text != '\0') {
		if (*pattern == '*') {
			star = ++pattern;
			from = text;
		} else if (*pattern == '?' || *pattern == *text) {
			pattern++;
			text++;
		} else if (star != NULL) {
			pattern = star;
			text = ++from;
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return *pattern == '\0';
}

/* ---- JSON ---- */

static enum ay_rc out_of_memory(struct ay_err *e)
{
	return ay_fail(e, AY_E_NOMEM, WHERE, 0, "out of memory");
}

/* A pattern that says something: "" matches nothing that anybody means. */
static enum ay_rc parse_pattern(const json_t *o, const char *where, const char *key,
				struct ay_arena *a, const char **out, struct ay_err *e)
{
	enum ay_rc rc = ay_json_text(o, where, key, false, AY_MAX_TEXT_BYTES, a, out, e);

	if (rc == AY_OK && *out != NULL && **out == '\0')
		rc = ay_json_bad(e, where, key, "an empty pattern matches nothing");
	return rc;
}

static enum ay_rc parse_firmware(const json_t *doc, struct ay_arena *a, struct ay_match *m,
				 struct ay_err *e)
{
	static const char *const known[] = { "vendor", "version", NULL };
	const json_t *o;
	enum ay_rc rc = ay_json_object(doc, WHERE, "firmware", false, &o, e);

	if (rc != AY_OK || o == NULL)
		return rc;
	rc = ay_json_only(o, known, WHERE ".firmware", e);
	if (rc == AY_OK)
		rc = parse_pattern(o, WHERE ".firmware", "vendor", a, &m->vendor, e);
	if (rc == AY_OK)
		rc = parse_pattern(o, WHERE ".firmware", "version", a, &m->version, e);
	if (rc == AY_OK && m->vendor == NULL && m->version == NULL)
		rc = ay_json_bad(e, WHERE, "firmware", "needs vendor or version");
	return rc;
}

static enum ay_rc parse_kernel_digest(uint16_t alg, const json_t *v, struct ay_match *m,
				      struct ay_err *e)
{
	struct ay_match_kernel *k = &m->kernel[m->n_kernels];

	if (!json_is_string(v))
		return ay_json_bad(e, WHERE ".kernel", "digests", "wrong type");
	k->alg = alg;
	m->n_kernels++;
	return ay_hex_decode(ay_bytes_of(json_string_value(v)), WHERE ".kernel.digests", k->digest,
			     ay_alg_digest_size(alg), e);
}

static enum ay_rc parse_kernel_bank(const char *bank, const json_t *list, struct ay_match *m,
				    struct ay_err *e)
{
	uint16_t alg = ay_alg_from_bank_name(ay_bytes_of(bank));
	enum ay_rc rc = AY_OK;

	if (ay_alg_digest_size(alg) == 0)
		return ay_json_bad(e, WHERE ".kernel.digests", bank, "unknown bank");
	if (!json_is_array(list))
		return ay_json_bad(e, WHERE ".kernel.digests", bank, "wrong type");
	for (size_t i = 0; rc == AY_OK && i < json_array_size(list); i++)
		rc = parse_kernel_digest(alg, json_array_get(list, i), m, e);
	return rc;
}

static enum ay_rc parse_kernels(const json_t *o, struct ay_arena *a, struct ay_match *m,
				struct ay_err *e)
{
	const json_t *digests;
	enum ay_rc rc = ay_json_object(o, WHERE ".kernel", "digests", false, &digests, e);
	const char *bank;
	json_t *list;
	size_t n = 0;

	if (rc != AY_OK || digests == NULL)
		return rc;
	json_object_foreach ((json_t *)(uintptr_t)digests, bank, list)
		n += json_array_size(list);
	if (n == 0 || n > KERNELS_MAX)
		return ay_json_bad(e, WHERE ".kernel", "digests", "needs 1 to 256 digests");
	m->kernel = ay_arena_array(a, n, sizeof(*m->kernel));
	if (m->kernel == NULL)
		return out_of_memory(e);
	json_object_foreach ((json_t *)(uintptr_t)digests, bank, list) {
		rc = parse_kernel_bank(bank, list, m, e);
		if (rc != AY_OK)
			break;
	}
	return rc;
}

static enum ay_rc parse_kernel(const json_t *doc, struct ay_arena *a, struct ay_match *m,
			       struct ay_err *e)
{
	static const char *const known[] = { "cmdline", "digests", NULL };
	const json_t *o;
	enum ay_rc rc = ay_json_object(doc, WHERE, "kernel", false, &o, e);

	if (rc != AY_OK || o == NULL)
		return rc;
	rc = ay_json_only(o, known, WHERE ".kernel", e);
	if (rc == AY_OK)
		rc = parse_pattern(o, WHERE ".kernel", "cmdline", a, &m->cmdline, e);
	if (rc == AY_OK)
		rc = parse_kernels(o, a, m, e);
	if (rc == AY_OK && m->cmdline == NULL && m->n_kernels == 0)
		rc = ay_json_bad(e, WHERE, "kernel", "needs cmdline or digests");
	return rc;
}

static enum ay_rc parse_labels(const json_t *doc, struct ay_arena *a, struct ay_match *m,
			       struct ay_err *e)
{
	const json_t *o;
	enum ay_rc rc = ay_json_object(doc, WHERE, "labels", false, &o, e);
	const char *key;
	json_t *v;

	if (rc != AY_OK || o == NULL)
		return rc;
	if (json_object_size(o) == 0 || json_object_size(o) > AY_MAX_LABELS)
		return ay_json_bad(e, WHERE, "labels", "needs 1 to 64 labels");
	m->label = ay_arena_array(a, json_object_size(o), sizeof(*m->label));
	if (m->label == NULL)
		return out_of_memory(e);
	json_object_foreach ((json_t *)(uintptr_t)o, key, v) {
		struct ay_match_label *l = &m->label[m->n_labels];

		rc = parse_pattern(o, WHERE ".labels", key, a, &l->value, e);
		l->key = ay_arena_str(a, ay_bytes_of(key));
		if (rc == AY_OK && l->key == NULL)
			rc = out_of_memory(e);
		if (rc != AY_OK)
			return rc;
		m->n_labels++;
	}
	return AY_OK;
}

static enum ay_rc parse_hosts(const json_t *doc, struct ay_arena *a, struct ay_match *m,
			      struct ay_err *e)
{
	const json_t *list;
	enum ay_rc rc = ay_json_array(doc, WHERE, "hosts", false, &list, e);

	if (rc != AY_OK || list == NULL)
		return rc;
	if (json_array_size(list) == 0 || json_array_size(list) > HOSTS_MAX)
		return ay_json_bad(e, WHERE, "hosts", "needs 1 to 4096 host ids");
	m->host = ay_arena_array(a, json_array_size(list), sizeof(*m->host));
	if (m->host == NULL)
		return out_of_memory(e);
	for (size_t i = 0; rc == AY_OK && i < json_array_size(list); i++) {
		const char *id = json_string_value(json_array_get(list, i));

		if (id == NULL)
			return ay_json_bad(e, WHERE, "hosts", "not a host id");
		rc = ay_uuid_parse(ay_bytes_of(id), WHERE ".hosts", &m->host[m->n_hosts++], e);
	}
	return rc;
}

enum ay_rc ay_match_parse(const json_t *o, struct ay_arena *a, struct ay_match *out,
			  struct ay_err *e)
{
	static const char *const known[] = { "firmware", "kernel", "labels", "hosts", NULL };
	struct ay_match m = { .is_set = true };
	enum ay_rc rc = ay_json_only(o, known, WHERE, e);

	if (rc == AY_OK && json_object_size(o) == 0)
		rc = ay_json_bad(e, "reference", "match", "says nothing; leave it out");
	if (rc == AY_OK)
		rc = parse_firmware(o, a, &m, e);
	if (rc == AY_OK)
		rc = parse_kernel(o, a, &m, e);
	if (rc == AY_OK)
		rc = parse_labels(o, a, &m, e);
	if (rc == AY_OK)
		rc = parse_hosts(o, a, &m, e);
	*out = rc == AY_OK ? m : (struct ay_match){ 0 };
	return rc;
}

/* Takes v; a missing one is left out. False without memory. */
static bool put(json_t *o, const char *key, json_t *v, bool wanted)
{
	if (!wanted) {
		json_decref(v);
		return true;
	}
	return json_object_set_new(o, key, v) == 0;
}

static bool put_kernels(const struct ay_match *m, json_t *kernel)
{
	json_t *digests = json_object();
	char hex[2 * AY_DIGEST_MAX + 1];

	for (size_t i = 0; i < m->n_kernels; i++) {
		const struct ay_match_kernel *k = &m->kernel[i];
		const char *bank = ay_alg_bank_name(k->alg);

		if (json_object_get(digests, bank) == NULL &&
		    json_object_set_new(digests, bank, json_array()) != 0)
			break; /* its size tells */
		ay_hex_encode((struct ay_bytes){ k->digest, ay_alg_digest_size(k->alg) }, hex);
		(void)json_array_append_new(json_object_get(digests, bank), json_string(hex));
	}
	return put(kernel, "digests", digests, m->n_kernels > 0);
}

static json_t *labels_json(const struct ay_match *m)
{
	json_t *o = json_object();

	for (size_t i = 0; i < m->n_labels; i++)
		(void)json_object_set_new(o, m->label[i].key, json_string(m->label[i].value));
	return o;
}

static json_t *hosts_json(const struct ay_match *m)
{
	json_t *list = json_array();
	char text[AY_UUID_TEXT];

	for (size_t i = 0; i < m->n_hosts; i++) {
		ay_uuid_format(&m->host[i], text);
		(void)json_array_append_new(list, json_string(text));
	}
	return list;
}

json_t *ay_match_json(const struct ay_match *m)
{
	json_t *o = json_object();
	json_t *kernel = json_pack("{ss*}", "cmdline", m->cmdline);
	bool ok = put_kernels(m, kernel);

	ok &= put(o, "kernel", kernel, m->cmdline != NULL || m->n_kernels > 0);
	ok &= put(o, "firmware", json_pack("{ss* ss*}", "vendor", m->vendor, "version", m->version),
		  m->vendor != NULL || m->version != NULL);
	ok &= put(o, "labels", labels_json(m), m->n_labels > 0);
	ok &= put(o, "hosts", hosts_json(m), m->n_hosts > 0);
	if (ok)
		return o;
	json_decref(o);
	return NULL;
}

/* ---- the host's side ---- */

static bool has_label(const struct ay_host_facts *h, const struct ay_match_label *want)
{
	for (size_t i = 0; i < h->n_labels; i++)
		if (strcmp(h->label[i].key, want->key) == 0 &&
		    ay_match_pattern(want->value, h->label[i].value))
			return true;
	return false;
}

static bool labels_fit(const struct ay_match *m, const struct ay_host_facts *h)
{
	for (size_t i = 0; i < m->n_labels; i++)
		if (AY_CHECKED("MATCH_LABEL", !has_label(h, &m->label[i])))
			return false;
	return true;
}

static bool is_listed(const struct ay_match *m, const struct ay_host_facts *h)
{
	for (size_t i = 0; h->has_id && i < m->n_hosts; i++)
		if (memcmp(m->host[i].b, h->id.b, sizeof(h->id.b)) == 0)
			return true;
	return false;
}

static bool was_learned_from(const struct ay_refset *s, const struct ay_host_facts *h)
{
	struct ay_uuid from;

	return h->has_id &&
	       ay_uuid_parse(ay_bytes_of(s->provenance.host), "host", &from, NULL) == AY_OK &&
	       memcmp(from.b, h->id.b, sizeof(from.b)) == 0;
}

uint32_t ay_match_host(const struct ay_refset *s, const struct ay_host_facts *h)
{
	const struct ay_match *m = &s->match;
	uint32_t parts = ay_refset_parts(s);
	bool is_own = m->n_hosts > 0 ? is_listed(m, h) : was_learned_from(s, h);

	if (!labels_fit(m, h))
		return 0;
	if (AY_CHECKED("MATCH_HOST", m->n_hosts > 0 && !is_own))
		return 0;
	if (AY_CHECKED("MATCH_HOST_UNIQUE", !is_own))
		parts &= ~AY_PART_BIT(AY_PART_HOST_UNIQUE);
	return parts;
}

/* ---- the machine ---- */

bool ay_match_needs_machine(const struct ay_match *m)
{
	return m->vendor != NULL || m->version != NULL || m->cmdline != NULL || m->n_kernels > 0;
}

static enum ay_fit fit_text(const char *pattern, const struct ay_machine_fact *f)
{
	if (pattern == NULL)
		return AY_FIT_YES;
	if (f->text == NULL)
		return AY_FIT_UNKNOWN;
	return ay_match_pattern(pattern, f->text) ? AY_FIT_YES : AY_FIT_NO;
}

static bool has_digest(const struct ay_evlog *log, size_t i, const struct ay_match_kernel *want)
{
	for (size_t k = 0; k < log->n_banks; k++)
		if (log->bank[k] == want->alg && log->event[i].digest[k] != NULL &&
		    memcmp(log->event[i].digest[k], want->digest, ay_alg_digest_size(want->alg)) ==
			    0)
			return true;
	return false;
}

static bool was_measured(const struct ay_machine *machine, const struct ay_match_kernel *want)
{
	const struct ay_evlog *log = machine->log;

	for (size_t i = 0; i < log->n_events; i++)
		if (log->event[i].pcr < AY_PCR_COUNT && log->event[i].type != AY_EV_NO_ACTION &&
		    (machine->unexplained >> log->event[i].pcr & 1) == 0 &&
		    has_digest(log, i, want))
			return true;
	return false;
}

static enum ay_fit fit_kernel(const struct ay_match *m, const struct ay_machine *machine)
{
	if (m->n_kernels == 0)
		return AY_FIT_YES;
	if (machine->log == NULL)
		return AY_FIT_UNKNOWN;
	for (size_t i = 0; i < m->n_kernels; i++)
		if (was_measured(machine, &m->kernel[i]))
			return AY_FIT_YES;
	return AY_FIT_NO;
}

enum ay_fit ay_match_machine(const struct ay_match *m, const struct ay_machine *machine)
{
	enum ay_fit fit = fit_text(m->vendor, &machine->vendor), f;
	const struct {
		const char *pattern;
		const struct ay_machine_fact *fact;
	} texts[] = { { m->version, &machine->version }, { m->cmdline, &machine->cmdline } };

	for (size_t i = 0; i < AY_COUNT(texts); i++) {
		f = fit_text(texts[i].pattern, texts[i].fact);
		fit = f < fit ? f : fit;
	}
	f = fit_kernel(m, machine);
	return f < fit ? f : fit;
}
