/* SPDX-License-Identifier: Apache-2.0 */
#include "support/t.h"

#include "core/appraise/set_diff.h"

#include <stdlib.h>

#define Z20 "0000000000000000000000000000000000000000"
#define HEX(c) c "0" Z20 "0000000000000000000000"
#define SHA1(c)                                                                                    \
	c "0"                                                                                      \
	  "00000000000000000000000000000000000000"
#define SET(name, parts)                                                                           \
	"{\"format\":\"assay-reference-1\",\"name\":\"" name "\",\"version\":1,\"parts\":{" parts  \
	"}}"
#define PCR(n, c) "{\"kind\":\"pcr\",\"pcr\":" n ",\"values\":{\"sha256\":\"" HEX(c) "\"}}"
#define EV(c, s) "{\"digests\":{\"sha256\":\"" HEX(c) "\"},\"type\":13,\"summary\":\"" s "\"}"
#define EVENTS(list) "\"os\":[{\"kind\":\"events\",\"pcr\":9,\"events\":[" list "]}]"
#define FILES(list) "\"runtime\":[{\"kind\":\"files\",\"digests\":{\"sha256\":{" list "}}}]"
#define FILE(c, path) "\"" HEX(c) "\":\"" path "\""

/* Each row of the result as "change part kind pcr what where summary before>after", digests by
 * their first digit. */
static void render(const json_t *diff, char *out, size_t room)
{
	size_t i, n = 0;
	json_t *c;

	out[0] = '\0';
	json_array_foreach (json_object_get(diff, "changes"), i, c) {
		const char *member[] = { "change", "part", "kind" }, *text;

		for (size_t k = 0; k < 3; k++)
			n += (size_t)snprintf(out + n, room - n, "%s ",
					      json_string_value(json_object_get(c, member[k])));
		if (!json_is_null(json_object_get(c, "pcr")))
			n += (size_t)snprintf(out + n, room - n, "%d ",
					      (int)json_integer_value(json_object_get(c, "pcr")));
		n += (size_t)snprintf(out + n, room - n, "%s",
				      json_string_value(json_object_get(c, "what")));
		text = json_string_value(json_object_get(c, "where"));
		n += (size_t)snprintf(out + n, room - n, "%s%s", text ? " " : "", text ? text : "");
		text = json_string_value(json_object_get(c, "summary"));
		n += (size_t)snprintf(out + n, room - n, "%s%s", text ? " " : "", text ? text : "");
		text = json_string_value(json_object_get(c, "before"));
		n += (size_t)snprintf(out + n, room - n, " %.2s>", text ? text : "-");
		text = json_string_value(json_object_get(c, "after"));
		n += (size_t)snprintf(out + n, room - n, "%.2s;", text ? text : "-");
	}
}

static const struct {
	const char *name, *a, *b, *want;
} cases[] = {
	{ "the same under another name", SET("a", "\"platform\":[" PCR("0", "1") "]"),
	  SET("b", "\"platform\":[" PCR("0", "1") "]"), "" },
	{ "order of rules", SET("a", "\"platform\":[" PCR("0", "1") "," PCR("1", "2") "]"),
	  SET("b", "\"platform\":[" PCR("1", "2") "," PCR("0", "1") "]"), "" },
	{ "a value", SET("a", "\"platform\":[" PCR("0", "1") "]"),
	  SET("b", "\"platform\":[" PCR("0", "2") "]"),
	  "changed platform pcr 0 value sha256 10>20;" },
	{ "a rule came and one went", SET("a", "\"platform\":[" PCR("0", "1") "]"),
	  SET("b", "\"platform\":[" PCR("1", "1") "]"),
	  "removed platform pcr 0 rule the whole rule {\">-;"
	  "added platform pcr 1 rule the whole rule ->{\";" },
	{ "another part", SET("a", "\"platform\":[" PCR("0", "1") "]"),
	  SET("b", "\"host_unique\":[" PCR("0", "1") "]"),
	  "removed platform pcr 0 rule the whole rule {\">-;"
	  "added host_unique pcr 0 rule the whole rule ->{\";" },
	{ "the initrd changed",
	  SET("a", EVENTS(EV("1", "kernel") "," EV("2", "initrd") "," EV("3", "end"))),
	  SET("b", EVENTS(EV("1", "kernel") "," EV("4", "initrd") "," EV("3", "end"))),
	  "changed os events 9 event 1 initrd 20>40;" },
	{ "an event more in front", SET("a", EVENTS(EV("1", "x") "," EV("2", "y"))),
	  SET("b", EVENTS(EV("9", "new") "," EV("1", "x") "," EV("2", "y"))),
	  "added os events 9 event 0 new ->90;" },
	{ "an event less at the end", SET("a", EVENTS(EV("1", "x") "," EV("2", "y"))),
	  SET("b", EVENTS(EV("1", "x"))), "removed os events 9 event 1 y 20>-;" },
	{ "one in the middle went, another came later",
	  SET("a", EVENTS(EV("1", "a") "," EV("2", "b") "," EV("3", "c") "," EV("4", "d"))),
	  SET("b", EVENTS(EV("1", "a") "," EV("3", "c") "," EV("5", "e") "," EV("4", "d"))),
	  "removed os events 9 event 1 b 20>-;added os events 9 event 2 e ->50;" },
	{ "two changed places", SET("a", EVENTS(EV("1", "a") "," EV("2", "b"))),
	  SET("b", EVENTS(EV("2", "b") "," EV("1", "a"))),
	  "removed os events 9 event 0 a 10>-;added os events 9 event 1 a ->10;" },
	{ "summaries and types are for people", SET("a", EVENTS(EV("1", "x"))),
	  SET("b", EVENTS("{\"digests\":{\"sha256\":\"" HEX("1") "\"},\"type\":14}")), "" },
	{ "a bank more is the same event", SET("a", EVENTS(EV("1", "x"))),
	  SET("b", EVENTS("{\"digests\":{\"sha256\":\"" HEX("1") "\",\"sha1\":\"" SHA1(
			   "7") "\"},"
				"\"type\":13}")),
	  "" },
	{ "a file changed", SET("a", FILES(FILE("1", "/bin/sh") "," FILE("2", "/bin/ls"))),
	  SET("b", FILES(FILE("1", "/bin/sh") "," FILE("3", "/bin/ls"))),
	  "changed runtime files file /bin/ls 20>30;" },
	{ "a file came, one went", SET("a", FILES(FILE("1", "/bin/sh"))),
	  SET("b", FILES(FILE("2", "/bin/dash"))),
	  "removed runtime files file /bin/sh 10>-;added runtime files file /bin/dash ->20;" },
	{ "a path with two digests gets a third",
	  SET("a", FILES(FILE("1", "/x") "," FILE("2", "/x"))),
	  SET("b", FILES(FILE("1", "/x") "," FILE("2", "/x") "," FILE("3", "/x"))),
	  "added runtime files file /x ->30;" },
	{ "a path with two digests loses both and gets one",
	  SET("a", FILES(FILE("1", "/x") "," FILE("2", "/x"))), SET("b", FILES(FILE("3", "/x"))),
	  "changed runtime files file /x 10>30;removed runtime files file /x 20>-;" },
	{ "no path at all", SET("a", FILES(FILE("1", ""))), SET("b", FILES(FILE("2", ""))),
	  "removed runtime files file  10>-;added runtime files file  ->20;" },
	{ "violations",
	  SET("a", "\"runtime\":[{\"kind\":\"files\",\"violations\":1,\"digests\":{}}]"),
	  SET("b", "\"runtime\":[{\"kind\":\"files\",\"violations\":3,\"digests\":{}}]"),
	  "changed runtime files member violations 1>3;" },
};

static struct ay_refset *parse(const char *json)
{
	struct ay_refset *s = NULL;
	struct ay_err e = { 0 };

	if (ay_refset_parse(ay_bytes_of(json), &s, &e) != AY_OK)
		fail_msg("%s: %s", e.where, e.text);
	return s;
}

static json_t *diff_of(const char *a, const char *b)
{
	struct ay_refset *sa = parse(a), *sb = parse(b);
	json_t *d = ay_set_diff(sa, sb);

	assert_non_null(d);
	ay_refset_free(sa);
	ay_refset_free(sb);
	return d;
}

static size_t count(const json_t *d, const char *member)
{
	return (size_t)json_integer_value(json_object_get(d, member));
}

static void differences(void **state)
{
	char text[4096];

	(void)state;
	for (size_t i = 0; i < AY_COUNT(cases); i++) {
		json_t *d = diff_of(cases[i].a, cases[i].b), *back;

		print_message("diff: %s\n", cases[i].name);
		render(d, text, sizeof(text));
		assert_string_equal(text, cases[i].want);
		assert_int_equal(json_is_true(json_object_get(d, "same")),
				 cases[i].want[0] == '\0');
		/* the other way round: what was added is removed */
		back = diff_of(cases[i].b, cases[i].a);
		assert_int_equal(count(d, "added"), count(back, "removed"));
		assert_int_equal(count(d, "removed"), count(back, "added"));
		assert_int_equal(count(d, "changed"), count(back, "changed"));
		json_decref(back);
		/* and nothing differs from itself */
		back = diff_of(cases[i].a, cases[i].a);
		assert_true(json_is_true(json_object_get(back, "same")));
		json_decref(back);
		json_decref(d);
	}
}

/* n events, each with its number as its digest, but for one */
static char *many_events(size_t n, size_t odd)
{
	char *text = malloc(200 * n + 400), *p = text;

	p += sprintf(p, "{\"format\":\"assay-reference-1\",\"name\":\"a\",\"version\":1,\"parts\":"
			"{\"os\":[{\"kind\":\"events\",\"pcr\":9,\"events\":[");
	for (size_t i = 0; i < n; i++)
		p += sprintf(p, "%s{\"digests\":{\"sha256\":\"%064zx\"},\"type\":13}",
			     i == 0 ? "" : ",", i == odd ? n : i);
	sprintf(p, "]}]}}");
	return text;
}

/* Where a comparison of all pairs would take too long, places are compared. */
static void long_lists(void **state)
{
	char *a = many_events(3000, 0), *b = many_events(3000, 2999), *c = many_events(3000, 1500);
	json_t *d = diff_of(a, b);

	(void)state;
	assert_int_equal(count(d, "changed"), 2 + 2998);
	json_decref(d);
	d = diff_of(c, c);
	assert_int_equal(count(d, "changed"), 0);
	json_decref(d);
	free(b);
	b = many_events(3000, 1501);
	d = diff_of(c, b);
	assert_int_equal(count(d, "changed") + count(d, "added") + count(d, "removed"), 2);
	json_decref(d);
	free(a);
	free(b);
	free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(differences),
		cmocka_unit_test(long_lists),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
