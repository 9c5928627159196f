/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kind "minimum": versions that were measured are at least these. Only data
 * counts that the digests of its event cover as a whole, in a PCR that the log
 * explains. What is missing is never good enough.
 */
#include "core/appraise/rule_parts.h"

#include <string.h>

#include "core/base/guid.h"
#include "core/crypto/hash.h"
#include "core/evlog/efi_sig.h"
#include "core/evlog/replay.h"
#include "core/evlog/tcg_data.h"

#define ROWS_MAX 1024
#define WHERE "reference.rule"

static const char *const names[AY_MINIMUMS] = {
	[AY_MINIMUM_SBAT] = "sbat",
	[AY_MINIMUM_SVN] = "svn",
	[AY_MINIMUM_DBX] = "dbx",
	[AY_MINIMUM_FIRMWARE] = "firmware",
};

/* ---- JSON ---- */

/* "7.1" or "7". */
static bool read_svn(const char *text, struct ay_minimum_row *row)
{
	uint32_t v[2] = { 0, 0 };
	size_t at = 0, digits = 0;

	for (; *text != '\0'; text++) {
		if (*text == '.' && at == 0 && digits > 0) {
			at = 1;
			digits = 0;
		} else if (*text >= '0' && *text <= '9' && digits < 5) {
			v[at] = v[at] * 10 + (uint32_t)(*text - '0');
			digits++;
		} else {
			return false;
		}
	}
	row->major = v[0];
	row->minor = v[1];
	return digits > 0 && v[0] <= UINT16_MAX && v[1] <= UINT16_MAX;
}

static enum ay_rc parse_row(const char *key, const json_t *v, const struct ay_minimum *m,
			    struct ay_minimum_row *row, struct ay_err *e)
{
	uint8_t guid[16];

	if (m->of == AY_MINIMUM_SVN) {
		enum ay_rc rc = ay_guid_parse(key, WHERE ".at_least", guid, e);

		if (rc == AY_OK && (!json_is_string(v) || !read_svn(json_string_value(v), row)))
			rc = ay_json_bad(e, WHERE ".at_least", key, "is not a version like 7.0");
		return rc;
	}
	if (!json_is_integer(v) || json_integer_value(v) < 1 || json_integer_value(v) > UINT32_MAX)
		return ay_json_bad(e, WHERE ".at_least", key, "is not a generation from 1");
	row->major = (uint32_t)json_integer_value(v);
	return AY_OK;
}

static enum ay_rc parse_rows(const json_t *o, struct ay_arena *a, struct ay_minimum *m,
			     struct ay_err *e)
{
	const json_t *rows;
	enum ay_rc rc = ay_json_object(o, WHERE, "at_least", true, &rows, e);
	const char *key;
	json_t *v;

	if (rc != AY_OK)
		return rc;
	if (json_object_size(rows) == 0 || json_object_size(rows) > ROWS_MAX)
		return ay_json_bad(e, WHERE, "at_least", "needs 1 to 1024 members");
	m->row = ay_arena_array(a, json_object_size(rows), sizeof(*m->row));
	if (m->row == NULL)
		return ay_fail(e, AY_E_NOMEM, WHERE, 0, "out of memory");
	json_object_foreach ((json_t *)(uintptr_t)rows, key, v) {
		struct ay_minimum_row *row = &m->row[m->n++];

		rc = parse_row(key, v, m, row, e);
		row->name = ay_arena_str(a, ay_bytes_of(key));
		if (rc == AY_OK && row->name == NULL)
			rc = ay_fail(e, AY_E_NOMEM, WHERE, 0, "out of memory");
		if (rc != AY_OK)
			return rc;
	}
	return AY_OK;
}

static enum ay_rc parse_dbx(const json_t *o, struct ay_arena *a, struct ay_rule *r,
			    struct ay_err *e)
{
	const json_t *contains;
	enum ay_rc rc =
		ay_json_u64(o, WHERE, "entries", false, UINT32_MAX, &r->minimum.n_entries, e);

	if (rc == AY_OK)
		rc = ay_json_object(o, WHERE, "contains", false, &contains, e);
	if (rc == AY_OK && contains != NULL)
		rc = ay_rule_parse_files(contains, ROWS_MAX * 64, a, r, e);
	for (size_t i = 0; rc == AY_OK && i < r->files.room; i++)
		if (r->files.row[i].digest != NULL && r->files.row[i].alg != AY_ALG_SHA256)
			rc = ay_json_bad(e, WHERE, "contains", "holds SHA-256 only");
	if (rc == AY_OK && r->files.n == 0 && r->minimum.n_entries == 0)
		rc = ay_json_bad(e, WHERE, "contains", "nothing is asked");
	return rc;
}

static enum ay_rc parse_firmware(const json_t *o, struct ay_arena *a, struct ay_minimum *m,
				 struct ay_err *e)
{
	enum ay_rc rc = ay_json_text(o, WHERE, "version", true, 256, a, &m->version, e);

	m->prefix = "";
	if (rc == AY_OK)
		rc = ay_json_text(o, WHERE, "prefix", false, 256, a, &m->prefix, e);
	if (rc == AY_OK && strpbrk(m->version, "0123456789") == NULL)
		rc = ay_json_bad(e, WHERE, "version", "has no number");
	return rc;
}

static enum ay_rc parse_of(const json_t *o, struct ay_arena *a, struct ay_minimum *m,
			   struct ay_err *e)
{
	const char *of = "";
	unsigned i = 0;
	enum ay_rc rc = ay_json_text(o, WHERE, "of", true, 16, a, &of, e);

	if (rc != AY_OK)
		return rc;
	while (i < AY_MINIMUMS && strcmp(names[i], of) != 0)
		i++;
	m->of = (enum ay_minimum_of)i;
	return i < AY_MINIMUMS ? AY_OK
			       : ay_json_bad(e, WHERE, "of", "is sbat, svn, dbx or firmware");
}

static enum ay_rc parse(const json_t *o, struct ay_arena *a, struct ay_rule *r, struct ay_err *e)
{
	static const char *const rows[] = { "kind", "of", "at_least", NULL };
	static const char *const dbx[] = { "kind", "of", "contains", "entries", NULL };
	static const char *const firmware[] = { "kind", "of", "version", "prefix", NULL };
	static const char *const *const known[AY_MINIMUMS] = { rows, rows, dbx, firmware };
	enum ay_rc rc = parse_of(o, a, &r->minimum, e);

	if (rc == AY_OK)
		rc = ay_json_only(o, known[r->minimum.of], WHERE, e);
	if (rc != AY_OK)
		return rc;
	switch (r->minimum.of) {
	case AY_MINIMUM_SBAT:
	case AY_MINIMUM_SVN:
		return parse_rows(o, a, &r->minimum, e);
	case AY_MINIMUM_DBX:
		return parse_dbx(o, a, r, e);
	case AY_MINIMUM_FIRMWARE:
		return parse_firmware(o, a, &r->minimum, e);
	case AY_MINIMUMS:
		break;
	}
	return ay_fail(e, AY_E_BUG, WHERE, 0, "no such minimum");
}

static json_t *row_json(const struct ay_minimum *m, const struct ay_minimum_row *row)
{
	if (m->of == AY_MINIMUM_SBAT)
		return json_integer(row->major);
	return json_sprintf("%u.%u", (unsigned)row->major, (unsigned)row->minor);
}

static bool build_rows(const struct ay_minimum *m, json_t *o)
{
	json_t *rows = json_object();

	for (size_t i = 0; i < m->n; i++)
		if (json_object_set_new(rows, m->row[i].name, row_json(m, &m->row[i])) != 0) {
			json_decref(rows);
			return false;
		}
	return json_object_set_new(o, "at_least", rows) == 0;
}

static bool build(const struct ay_rule *r, json_t *o)
{
	const struct ay_minimum *m = &r->minimum;

	if (json_object_set_new(o, "of", json_string(names[m->of])) != 0)
		return false;
	if (m->of == AY_MINIMUM_SBAT || m->of == AY_MINIMUM_SVN)
		return build_rows(m, o);
	if (m->of == AY_MINIMUM_DBX)
		return json_object_set_new(o, "entries", json_integer((json_int_t)m->n_entries)) ==
			       0 &&
		       json_object_set_new(o, "contains", ay_rule_files_json(r)) == 0;
	return json_object_set_new(o, "version", json_string(m->version)) == 0 &&
	       json_object_set_new(o, "prefix", json_string(m->prefix)) == 0;
}

/* ---- what was measured ---- */

/* One rule being judged. */
struct look {
	const struct ay_refset *set;
	const struct ay_rule *r;
	const struct ay_boot_facts *f;
	struct ay_report *rep;
};

static struct ay_place place_of(unsigned pcr, size_t event)
{
	return (struct ay_place){
		.has_pcr = true, .pcr = (uint8_t)pcr, .has_event = true, .event = (uint32_t)event
	};
}

static void nothing(const struct look *l, unsigned pcr, const char *why)
{
	struct ay_place at = { .has_pcr = true, .pcr = (uint8_t)pcr };

	if (AY_CHECKED("REF_MINIMUM_MISSING", true))
		ay_report_add(l->rep, AY_CHECK_REF_MINIMUM, AY_NOT_CHECKED, &at,
			      "set %s asks for a minimum of %s: %s", l->set->name,
			      names[l->r->minimum.of], why);
}

/* low: something is too low, in words; NULL: enough. */
static void tell(const struct look *l, unsigned pcr, size_t event, const char *low)
{
	struct ay_place at = place_of(pcr, event);

	if (AY_CHECKED("REF_MINIMUM", low != NULL))
		ay_report_add(l->rep, AY_CHECK_REF_MINIMUM, AY_FAIL, &at,
			      "set %s: %s is too low: %.150s", l->set->name,
			      names[l->r->minimum.of], low);
	else
		ay_report_add(l->rep, AY_CHECK_REF_MINIMUM, AY_PASS, &at,
			      "%s is at least that of set %s", names[l->r->minimum.of],
			      l->set->name);
}

/* The set names the event by its digest: somebody knows what it is. */
static bool is_known(const struct look *l, size_t event)
{
	unsigned pcr = l->f->log->event[event].pcr;

	for (size_t i = 0; i < l->set->n_rules; i++) {
		const struct ay_rule *r = &l->set->rule[i];

		for (size_t w = 0; r->pcr == pcr && w < r->n_events; w++)
			if (ay_rule_is_event(r, &r->event[w], l->f, event))
				return true;
	}
	return false;
}

/*
 * Every event of the PCR must be readable, or known to the set: else the one
 * that says too little could stand there under another name, and one that says
 * enough was added to it by whoever may extend the PCR.
 */
static bool all_are_readable(const struct look *l, unsigned pcr)
{
	const struct ay_evlog *log = l->f->log;

	for (size_t i = 0; i < log->n_events; i++)
		if (log->event[i].pcr == pcr && ay_event_is_extended(&log->event[i]) &&
		    !ay_rule_covers_whole(l->f, i) && !is_known(l, i))
			return false;
	return true;
}

/* What says so before anything is read; NULL: read on. */
static const char *why_not(const struct look *l, unsigned pcr)
{
	if (!ay_boot_has_log(l->f, pcr))
		return "there is no boot log";
	if ((l->f->unexplained >> pcr & 1) != 0)
		return "the log does not explain the PCR";
	if (AY_CHECKED("REF_MINIMUM_READABLE", !all_are_readable(l, pcr)))
		return "the PCR has an event whose data is not what was measured";
	return NULL;
}

/* ---- variables of PCR 7 ---- */

static const struct ay_exclude sbat_level = { .variable = "SbatLevel",
					      .guid = { 0x50, 0xab, 0x5d, 0x60, 0x46, 0xe0, 0x00,
							0x43, 0xab, 0xb6, 0x3d, 0xd8, 0x10, 0xdd,
							0x8b, 0x23 } };
static const struct ay_exclude dbx = { .variable = "dbx",
				       .guid = { 0xcb, 0xb2, 0x19, 0xd7, 0x3a, 0x3d, 0x96, 0x45,
						 0xa3, 0xbc, 0xda, 0xd0, 0x0e, 0x67, 0x65, 0x6f } };

static const char *judge_sbat(const struct look *l, struct ay_bytes value)
{
	const struct ay_minimum *m = &l->r->minimum;

	for (size_t i = 0; i < m->n; i++) {
		uint32_t got = 0;

		if (!ay_sbat_level_find(value, m->row[i].name, &got) || got < m->row[i].major)
			return ay_arena_printf(l->rep->arena, "%.64s is %u, not %u", m->row[i].name,
					       (unsigned)got, (unsigned)m->row[i].major);
	}
	return NULL;
}

/* What dbx holds, counted by what the rule asks. */
struct seen {
	const struct ay_rule *r;
	uint64_t n;    /* entries */
	size_t n_hits; /* different digests of the rule */
	const struct ay_digest_row **hit;
	struct ay_minimum_row *svn; /* the highest of each GUID of the rule */
};

static void see_digest(struct seen *s, struct ay_bytes digest)
{
	const struct ay_digest_row *row = ay_digest_set_find(&s->r->files, AY_ALG_SHA256, digest);
	size_t i = 0;

	while (row != NULL && i < s->n_hits && s->hit[i] != row)
		i++;
	if (row != NULL && i == s->n_hits)
		s->hit[s->n_hits++] = row;
}

/* An SVN is an entry that is no hash: 1, GUID, minor, major, zeros (all little-endian). */
static void see_svn(struct seen *s, struct ay_bytes entry)
{
	struct ay_reader r;
	char guid[AY_GUID_TEXT];
	struct ay_bytes id;
	uint16_t minor, major;

	ay_rd_init(&r, entry);
	if (ay_rd_u8(&r, "svn.version") != 1)
		return;
	id = ay_rd_bytes(&r, "svn.application", 16);
	minor = ay_rd_le16(&r, "svn.minor");
	major = ay_rd_le16(&r, "svn.major");
	if (!ay_rd_ok(&r))
		return;
	ay_guid_format(id.p, guid);
	for (size_t i = 0; i < s->r->minimum.n; i++) {
		struct ay_minimum_row *row = &s->svn[i];

		if (strcasecmp(s->r->minimum.row[i].name, guid) == 0 &&
		    (row->name == NULL || major > row->major ||
		     (major == row->major && minor > row->minor)))
			*row = (struct ay_minimum_row){ s->r->minimum.row[i].name, major, minor };
	}
}

static bool see_entry(void *arg, enum ay_efi_sig_kind kind, struct ay_bytes data)
{
	struct seen *s = arg;
	uint8_t digest[32];

	s->n++;
	if (kind == AY_EFI_SIG_SHA256) {
		see_digest(s, data);
		see_svn(s, data);
	} else if (kind == AY_EFI_SIG_X509) {
		ay_sha256(data, digest);
		see_digest(s, AY_BYTES(digest));
	}
	return true;
}

static const char *judge_svn(const struct look *l, const struct seen *s)
{
	const struct ay_minimum *m = &l->r->minimum;

	for (size_t i = 0; i < m->n; i++) {
		const struct ay_minimum_row *want = &m->row[i], *got = &s->svn[i];

		if (got->name == NULL || got->major < want->major ||
		    (got->major == want->major && got->minor < want->minor))
			return ay_arena_printf(l->rep->arena, "SVN of %s is %u.%u, not %u.%u",
					       want->name, (unsigned)got->major,
					       (unsigned)got->minor, (unsigned)want->major,
					       (unsigned)want->minor);
	}
	return NULL;
}

static const char *judge_dbx(const struct look *l, struct ay_bytes value)
{
	const struct ay_minimum *m = &l->r->minimum;
	struct ay_arena *a = l->rep->arena;
	struct seen s = { .r = l->r,
			  .hit = ay_arena_array(a, l->r->files.n + 1, sizeof(*s.hit)),
			  .svn = ay_arena_array(a, m->n + 1, sizeof(*s.svn)) };

	if (s.hit == NULL || s.svn == NULL) {
		l->rep->fault = AY_E_NOMEM;
		return "out of memory";
	}
	if (ay_efi_sigs_parse(value, see_entry, &s, NULL) != AY_OK)
		return "dbx is malformed";
	if (m->of == AY_MINIMUM_SVN)
		return judge_svn(l, &s);
	if (s.n < m->n_entries)
		return ay_arena_printf(a, "dbx has %llu entries, not %llu", (unsigned long long)s.n,
				       (unsigned long long)m->n_entries);
	if (s.n_hits < l->r->files.n)
		return ay_arena_printf(a, "dbx has %zu of %zu entries that it must have", s.n_hits,
				       l->r->files.n);
	return NULL;
}

/* A variable measured more than once must be good enough each time. */
static void check_variable(const struct look *l, const struct ay_exclude *which)
{
	const char *why = why_not(l, 7);
	struct ay_uefi_variable v;
	bool any = false;

	for (size_t i = 0; why == NULL && i < l->f->log->n_events; i++) {
		const struct ay_event *ev = &l->f->log->event[i];

		if (ev->pcr != 7 || !ay_event_is_extended(ev) ||
		    !ay_rule_is_variable(which, l->f, i) ||
		    ay_uefi_variable_parse(ev->data, &v, NULL) != AY_OK)
			continue;
		any = true;
		tell(l, 7, i,
		     which == &sbat_level ? judge_sbat(l, v.value) : judge_dbx(l, v.value));
	}
	if (!any)
		nothing(l, 7, why != NULL ? why : "the variable was not measured");
}

/* ---- firmware ---- */

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Number by number; what stands between must be the same. 2: cannot be compared. */
static int compare_versions(const char *a, const char *b)
{
	while (*a != '\0' || *b != '\0') {
		if (is_digit(*a) && is_digit(*b)) {
			uint64_t x = 0, y = 0;

			for (; is_digit(*a) && x < UINT32_MAX; a++)
				x = x * 10 + (uint64_t)(*a - '0');
			for (; is_digit(*b) && y < UINT32_MAX; b++)
				y = y * 10 + (uint64_t)(*b - '0');
			if (x != y)
				return x < y ? -1 : 1;
		} else if (*a == *b) {
			a++;
			b++;
		} else if (*a == '\0' || *b == '\0') { /* 1.2 and 1.2.1 */
			return *a == '\0' ? -1 : 1;
		} else {
			return 2;
		}
	}
	return 0;
}

/*
 * The version counts only as the first thing that was extended: anybody may
 * extend PCR 0 later, and blobs, which nobody can read, stand in between.
 */
static bool is_first(const struct ay_evlog *log, size_t event)
{
	for (size_t i = 0; i < event; i++)
		if (log->event[i].pcr == 0 && ay_event_is_extended(&log->event[i]))
			return false;
	return true;
}

static void check_firmware(const struct look *l)
{
	const struct ay_minimum *m = &l->r->minimum;
	const char *why = !ay_boot_has_log(l->f, 0) ? "there is no boot log" : NULL;
	struct ay_machine machine;
	const char *text;
	int order;

	ay_machine_of_log(l->f->log, l->f->unexplained, l->rep->arena, &machine);
	text = machine.version.grade == AY_GRADE_LOG_REPLAYED ? machine.version.text : NULL;
	if (why == NULL && text == NULL)
		why = "its version was not measured, or not once";
	if (why == NULL && AY_CHECKED("REF_MINIMUM_FIRST",
				      !is_first(l->f->log, ay_machine_version_event(l->f->log))))
		why = "its version is not the first thing that was measured";
	if (why == NULL && strncmp(text, m->prefix, strlen(m->prefix)) != 0)
		why = "its version does not begin with the prefix";
	order = why == NULL ? compare_versions(text + strlen(m->prefix), m->version) : 2;
	if (why == NULL && order == 2)
		why = "its version cannot be compared with that of the set";
	if (why != NULL)
		nothing(l, 0, why);
	else
		tell(l, 0, ay_machine_version_event(l->f->log), order < 0 ? text : NULL);
}

static void check(const struct ay_refset *s, const struct ay_rule *r, const struct ay_boot_facts *f,
		  struct ay_report *rep)
{
	struct look l = { s, r, f, rep };

	switch (r->minimum.of) {
	case AY_MINIMUM_SBAT:
		check_variable(&l, &sbat_level);
		break;
	case AY_MINIMUM_SVN:
	case AY_MINIMUM_DBX:
		check_variable(&l, &dbx);
		break;
	case AY_MINIMUM_FIRMWARE:
		check_firmware(&l);
		break;
	case AY_MINIMUMS:
		break;
	}
}

const struct ay_rule_kind ay_rule_minimum = {
	.name = "minimum",
	.doc = "versions that were measured are at least these",
	.role = AY_ROLE_DEMAND,
	.parse = parse,
	.build = build,
	.check = check,
};
