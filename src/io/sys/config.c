/* SPDX-License-Identifier: Apache-2.0 */
#include "io/sys/config.h"

#include "io/sys/config_value.h"
#include "io/sys/file.h"

#include <assert.h>
#include <ini.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_MAX_BYTES = 1 << 20 };

#define D AY_PROGRAM_ASSAYD
#define C AY_PROGRAM_ASSAY_CA
#define A AY_PROGRAM_ASSAY_AGENT
#define X(programs, section, key, type, fallback, min, max, secret, doc)                           \
	{ (programs), section, #key, AY_CONFIG_##type, fallback, (min), (max), (secret), doc },
static const struct ay_config_row rows[] = {
#include "io/sys/config.def"
};
#undef X
#undef A
#undef C
#undef D

struct ay_config {
	enum ay_program program;
	char *name; /* of the file */
	struct {
		char *text; /* NULL: default */
		unsigned line;
	} set[AY_COUNT(rows)];
};

/* What inih's callbacks share while one file is read. */
struct load {
	struct ay_config *c;
	const char *text; /* not yet read */
	unsigned line;
	bool is_continued; /* the present line begins with a blank */
	struct ay_err *e;
	enum ay_rc rc;
};

const struct ay_config_row *ay_config_rows(size_t *n)
{
	*n = AY_COUNT(rows);
	return rows;
}

void ay_config_free(struct ay_config *c)
{
	if (c == NULL)
		return;
	for (size_t i = 0; i < AY_COUNT(rows); i++)
		free(c->set[i].text);
	free(c->name);
	free(c);
}

static bool is_of(enum ay_program p, const struct ay_config_row *row)
{
	return (row->programs & (unsigned)p) != 0;
}

static size_t find_row(enum ay_program p, const char *section, const char *key)
{
	size_t i;

	for (i = 0; i < AY_COUNT(rows); i++)
		if (is_of(p, &rows[i]) && strcmp(rows[i].section, section) == 0 &&
		    strcmp(rows[i].key, key) == 0)
			break;
	return i;
}

static const char *nearest_key(enum ay_program p, const char *key)
{
	size_t best = SIZE_MAX;
	const char *name = "";

	for (size_t i = 0; i < AY_COUNT(rows); i++) {
		size_t d = ay_config_distance(rows[i].key, key);

		if (is_of(p, &rows[i]) && d < best) {
			best = d;
			name = rows[i].key;
		}
	}
	return name;
}

static void reject(struct load *l, const char *key, const char *why)
{
	if (l->rc == AY_OK)
		l->rc = ay_fail(l->e, AY_E_INPUT, "config", l->line, "%s:%u: %s: %s", l->c->name,
				l->line, key, why);
}

/* A list may go on in the next line, which then begins with a blank. */
static char *join(const char *before, const char *value)
{
	size_t n = (before != NULL ? strlen(before) : 0) + strlen(value) + 3;
	char *all = malloc(n);

	if (all != NULL)
		snprintf(all, n, "%s%s%s", before != NULL ? before : "", before != NULL ? ", " : "",
			 value);
	return all;
}

static void set_value(struct load *l, size_t i, const char *value)
{
	const struct ay_config_row *row = &rows[i];
	bool goes_on = l->is_continued && row->type == AY_CONFIG_LIST;
	char room[160], *text;
	const char *wrong;

	if (l->c->set[i].text != NULL && !goes_on) {
		reject(l, row->key, "given twice");
		return;
	}
	text = join(l->c->set[i].text, value);
	wrong = text == NULL ? "no memory" : ay_config_judge(row, text, room, sizeof(room));
	if (wrong != NULL) {
		reject(l, row->key, wrong);
		free(text);
		return;
	}
	free(l->c->set[i].text);
	l->c->set[i].text = text;
	l->c->set[i].line = l->line;
}

static int on_value(void *user, const char *section, const char *name, const char *value)
{
	struct load *l = user;
	size_t i = find_row(l->c->program, section, name);
	char why[160];

	if (i < AY_COUNT(rows)) {
		set_value(l, i, value);
		return 1;
	}
	snprintf(why, sizeof(why), "unknown key%s%.32s; did you mean %s?",
		 *section != 0 ? " in section " : "", section, nearest_key(l->c->program, name));
	reject(l, name, why);
	return 1;
}

/* One line for inih, which has fixed room for it; it is told apart from a cut line here. */
static char *next_line(char *out, int room, void *user)
{
	struct load *l = user;
	size_t n = strcspn(l->text, "\n");

	if (*l->text == 0)
		return NULL;
	l->line++;
	l->is_continued = *l->text == ' ' || *l->text == '\t';
	if (n + 2 > (size_t)room)
		reject(l, "line", "too long; a list may go on in a line that begins with a blank");
	snprintf(out, (size_t)room, "%.*s", (int)n, l->text);
	l->text += n + (l->text[n] == '\n');
	return out;
}

enum ay_rc ay_config_new(enum ay_program p, struct ay_config **out, struct ay_err *e)
{
	return ay_config_parse(p, "default", "", out, e);
}

enum ay_rc ay_config_parse(enum ay_program p, const char *name, const char *text,
			   struct ay_config **out, struct ay_err *e)
{
	struct ay_config *c = calloc(1, sizeof(*c));
	struct load l = { .c = c, .text = text, .e = e };
	int bad;

	*out = NULL;
	if (c == NULL || (c->name = strdup(name)) == NULL) {
		ay_config_free(c);
		return ay_fail(e, AY_E_NOMEM, "config", 0, "no memory");
	}
	c->program = p;
	bad = ini_parse_stream(next_line, &l, on_value, &l);
	if (l.rc == AY_OK && bad != 0)
		l.rc = ay_fail(e, AY_E_INPUT, "config", (size_t)bad, "%s:%d: not KEY = VALUE", name,
			       bad);
	if (l.rc != AY_OK) {
		ay_config_free(c);
		return l.rc;
	}
	*out = c;
	return AY_OK;
}

enum ay_rc ay_config_load(enum ay_program p, const char *path, struct ay_config **out,
			  struct ay_err *e)
{
	AY_CLEANUP(ay_file_free) struct ay_bytes b = { NULL, 0 };
	enum ay_rc rc;

	*out = NULL;
	rc = ay_file_read(path, FILE_MAX_BYTES, &b, e);
	if (rc != AY_OK)
		return rc;
	if (memchr(b.p, 0, b.n) != NULL)
		return ay_fail(e, AY_E_INPUT, "config", 0, "%s: not a text file", path);
	return ay_config_parse(p, path, (const char *)b.p, out,
			       e); /* the reader ends it with zero */
}

static const char *effective(const struct ay_config *c, size_t i)
{
	return c->set[i].text != NULL ? c->set[i].text : rows[i].fallback;
}

/* "key", or "section.key" */
static size_t row_named(const struct ay_config *c, const char *name)
{
	const char *dot = strchr(name, '.');
	char section[64];

	if (dot == NULL)
		return find_row(c->program, "", name);
	if ((size_t)(dot - name) >= sizeof(section))
		return AY_COUNT(rows);
	memcpy(section, name, (size_t)(dot - name));
	section[dot - name] = 0;
	return find_row(c->program, section, dot + 1);
}

const char *ay_config_str(const struct ay_config *c, const char *key)
{
	size_t i = row_named(c, key);

	assert(i < AY_COUNT(rows));
	return effective(c, i);
}

int64_t ay_config_int(const struct ay_config *c, const char *key)
{
	size_t i = row_named(c, key);
	bool is_number;
	int64_t v;

	assert(i < AY_COUNT(rows));
	is_number = ay_config_number(rows[i].type, effective(c, i), &v);
	assert(is_number); /* judged when it was read; defaults by a unit test */
	return v;
}

bool ay_config_bool(const struct ay_config *c, const char *key)
{
	return strcmp(ay_config_str(c, key), "yes") == 0;
}

bool ay_config_word(const struct ay_config *c, const char *key, size_t i, char *out, size_t room)
{
	return ay_config_list_word(ay_config_str(c, key), i, out, room);
}

bool ay_config_state_path(const struct ay_config *c, const char *name, char *out, size_t room)
{
	int n = snprintf(out, room, "%s/%s", ay_config_str(c, "state_dir"), name);

	return n > 0 && (size_t)n < room;
}

bool ay_config_show(const struct ay_config *c, size_t i, struct ay_config_shown *out)
{
	*out = (struct ay_config_shown){ 0 };
	for (size_t k = 0; k < AY_COUNT(rows); k++) {
		if (!is_of(c->program, &rows[k]) || i-- > 0)
			continue;
		out->row = &rows[k];
		out->value = rows[k].secret ? "(hidden)" : effective(c, k);
		out->source = c->set[k].text != NULL ? c->name : "default";
		out->line = c->set[k].line;
		return true;
	}
	return false;
}
