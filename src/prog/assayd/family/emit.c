/* SPDX-License-Identifier: Apache-2.0 */
/* Documents as XML and YAML: output only, made of JSON that we built. */
#include "prog/assayd/family/family.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

enum { MAX_DEPTH = 32 };

/* ---- XML ---- */

/* XML 1.0 has no control characters but these three, and no U+FFFE, U+FFFF. */
static bool is_xml_octet(const struct ay_bytes t, size_t i)
{
	uint8_t c = t.p[i];

	if (c < 0x20)
		return c == '\t' || c == '\n' || c == '\r';
	return !(c == 0xef && t.n - i > 2 && t.p[i + 1] == 0xbf && t.p[i + 2] >= 0xbe);
}

bool ay_xml_text(FILE *f, struct ay_bytes text)
{
	for (size_t i = 0; i < text.n; i++) {
		uint8_t c = text.p[i];

		if (!is_xml_octet(text, i)) {
			fputs("\xef\xbf\xbd", f);
			i += c == 0xef ? 2 : 0;
		} else if (c == '&') {
			fputs("&amp;", f);
		} else if (c == '<') {
			fputs("&lt;", f);
		} else if (c == '>') {
			fputs("&gt;", f);
		} else if (c == '"') {
			fputs("&quot;", f);
		} else if (c == '\r') {
			fputs("&#13;", f); /* else a parser makes it a line feed */
		} else {
			fputc(c, f);
		}
	}
	return ferror(f) == 0;
}

static bool is_name(const char *s)
{
	if (!isalpha((unsigned char)*s) && *s != '_')
		return false;
	for (; *s != '\0'; s++)
		if (!isalnum((unsigned char)*s) && strchr("_.-", *s) == NULL)
			return false;
	return true;
}

static bool xml_value(FILE *f, const char *name, const json_t *v, int depth);

/* <hosts> has <host>; what is no plural has <item>. */
static bool xml_items(FILE *f, const char *name, const json_t *list, int depth)
{
	char one[80];
	size_t n = strlen(name), i;
	json_t *v;

	snprintf(one, sizeof(one), "%.*s", (int)(n - 1 > 70 ? 70 : n - 1), name);
	json_array_foreach (list, i, v)
		if (!xml_value(f, n > 1 && name[n - 1] == 's' ? one : "item", v, depth + 1))
			return false;
	return true;
}

static bool xml_content(FILE *f, const char *name, const json_t *v, int depth)
{
	const char *key;
	json_t *m;

	switch (json_typeof(v)) {
	case JSON_OBJECT:
		json_object_foreach ((json_t *)(uintptr_t)v, key, m)
			if (is_name(key) && !xml_value(f, key, m, depth + 1))
				return false;
		return true;
	case JSON_ARRAY:
		return xml_items(f, name, v, depth);
	case JSON_STRING:
		return ay_xml_text(f, (struct ay_bytes){ (const uint8_t *)json_string_value(v),
							 json_string_length(v) });
	case JSON_INTEGER:
		return fprintf(f, "%lld", (long long)json_integer_value(v)) > 0;
	case JSON_REAL:
		return fprintf(f, "%.17g", json_real_value(v)) > 0;
	case JSON_TRUE:
	case JSON_FALSE:
		return fputs(json_is_true(v) ? "true" : "false", f) >= 0;
	case JSON_NULL:
	default:
		return true;
	}
}

static bool xml_value(FILE *f, const char *name, const json_t *v, int depth)
{
	if (depth > MAX_DEPTH)
		return false;
	fprintf(f, "<%s>", name);
	if (!xml_content(f, name, v, depth))
		return false;
	return fprintf(f, "</%s>", name) > 0;
}

char *ay_xml_of_json(const char *root, const json_t *doc)
{
	char *text = NULL;
	size_t n = 0;
	FILE *f = open_memstream(&text, &n);
	bool ok;

	if (f == NULL)
		return NULL;
	fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>", f);
	ok = xml_value(f, root, doc, 0);
	if (fclose(f) != 0 || !ok) {
		free(text);
		return NULL;
	}
	return text;
}

/* ---- YAML ---- */

/* JSON's form of a text is one of YAML's double-quoted ones. */
static bool yaml_scalar(FILE *f, const json_t *v)
{
	char *text = json_dumps(v, JSON_ENCODE_ANY | JSON_COMPACT);
	bool ok = text != NULL && fputs(text, f) >= 0;

	free(text);
	return ok;
}

static bool yaml_value(FILE *f, const json_t *v, int depth);

static bool yaml_indent(FILE *f, int depth)
{
	return fprintf(f, "\n%*s", 2 * depth, "") > 0;
}

static bool yaml_object(FILE *f, const json_t *o, int depth)
{
	const char *key;
	json_t *v, *name;
	bool ok = true;

	json_object_foreach ((json_t *)(uintptr_t)o, key, v) {
		name = json_string(key);
		ok = ok && yaml_indent(f, depth) && yaml_scalar(f, name) && fputs(": ", f) >= 0 &&
		     yaml_value(f, v, depth + 1);
		json_decref(name);
	}
	return ok;
}

static bool yaml_value(FILE *f, const json_t *v, int depth)
{
	size_t i;
	json_t *item;

	if (depth > MAX_DEPTH)
		return false;
	if (json_is_object(v) && json_object_size(v) > 0)
		return yaml_object(f, v, depth);
	if (!json_is_array(v) || json_array_size(v) == 0)
		return yaml_scalar(f, v); /* and {} and [] */
	json_array_foreach (v, i, item)
		if (!yaml_indent(f, depth) || fputs("- ", f) < 0 || !yaml_value(f, item, depth + 1))
			return false;
	return true;
}

char *ay_yaml_of_json(const json_t *doc)
{
	char *text = NULL;
	size_t n = 0;
	FILE *f = open_memstream(&text, &n);
	bool ok;

	if (f == NULL)
		return NULL;
	fputs("---", f);
	if (json_object_size(doc) == 0 && json_array_size(doc) == 0)
		fputc(' ', f);
	ok = yaml_value(f, doc, 0) && fputc('\n', f) != EOF;
	if (fclose(f) != 0 || !ok) {
		free(text);
		return NULL;
	}
	return text;
}
