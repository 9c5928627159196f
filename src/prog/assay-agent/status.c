/* SPDX-License-Identifier: Apache-2.0 */
#include "prog/assay-agent/status.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/base/hex.h"
#include "core/base/json.h"
#include "core/base/timefmt.h"
#include "io/sys/clock.h"
#include "io/sys/file.h"

enum { FILE_MAX = 16 * 1024 };

void ay_status_printable(struct ay_bytes b, char *out, size_t room)
{
	size_t n = b.n < room - 1 ? b.n : room - 1;

	for (size_t i = 0; i < n; i++)
		out[i] = b.p[i] >= 0x20 && b.p[i] < 0x7f ? (char)b.p[i] : '?';
	out[n] = '\0';
}

static json_t *load(const struct ay_agent *a)
{
	AY_CLEANUP(ay_file_free) struct ay_bytes text = { 0 };
	json_t *o = NULL;

	if (ay_file_read(a->status_path, FILE_MAX, &text, NULL) != AY_OK ||
	    ay_json_load(text, FILE_MAX, "status", &o, NULL) != AY_OK)
		return json_object();
	return o;
}

static json_t *time_text(int64_t at_ms)
{
	char t[AY_TIME_ROOM];

	ay_time_format(at_ms, t);
	return json_string(t);
}

/* Merge the members of `news` (taken over) into the file. A status that cannot be written harms
 * nobody. */
static void put(const struct ay_agent *a, json_t *news)
{
	AY_CLEANUP(ay_json_unref) json_t *o = load(a);
	char *text;

	if (news == NULL || json_object_update(o, news) != 0) {
		json_decref(news);
		return;
	}
	json_decref(news);
	text = json_dumps(o, JSON_INDENT(1));
	if (text == NULL)
		return;
	if (ay_file_write(a->status_path, 0600, ay_bytes_of(text), NULL) != AY_OK)
		fprintf(stderr, "cannot write %s\n", a->status_path);
	free(text);
}

void ay_status_connected(const struct ay_agent *a)
{
	put(a,
	    json_pack("{s:b, s:o}", "connected", 1, "connected_at", time_text(ay_clock_wall_ms())));
}

void ay_status_disconnected(const struct ay_agent *a)
{
	put(a, json_pack("{s:b}", "connected", 0));
}

void ay_status_enrolled(const struct ay_agent *a)
{
	put(a, json_pack("{s:o, s:n}", "enrolled_at", time_text(ay_clock_wall_ms()), "refused"));
}

void ay_status_result(const struct ay_agent *a, const struct ay_chan_result *r)
{
	static const char *const verdicts[] = { "untrusted", "unknown", "trusted" };
	char text[513];

	ay_status_printable(r->text, text, sizeof(text));
	put(a, json_pack("{s:s, s:o, s:o, s:s, s:n}", "verdict",
			 r->verdict < AY_COUNT(verdicts) ? verdicts[r->verdict] : "?",
			 "attested_at", time_text(ay_clock_wall_ms()), "lease_until",
			 time_text(r->lease_ms), "verdict_text", text, "refused"));
}

void ay_status_refused(const struct ay_agent *a, const char *code, const char *text)
{
	put(a, json_pack("{s:{s:s, s:s, s:o}}", "refused", "code", code, "text", text, "at",
			 time_text(ay_clock_wall_ms())));
}

static void add_identity(json_t *o, const struct ay_agent *a)
{
	const struct ay_identity *id = &a->identity;
	char host[AY_UUID_TEXT], key[65];

	ay_hex_encode(AY_BYTES(a->spki), key);
	(void)json_object_set_new(o, "name", json_string(id->enrolled ? id->name : a->name));
	(void)json_object_set_new(o, "enrolled", json_boolean(id->enrolled));
	(void)json_object_set_new(o, "agent_key", json_string(key));
	if (!id->enrolled)
		return;
	ay_uuid_format(&id->host, host);
	(void)json_object_set_new(o, "host", json_string(host));
	(void)json_object_set_new(o, "certificate_until", time_text(id->ends_at_ms));
	(void)json_object_set_new(o, "renew_at", time_text(id->renew_at_ms));
}

/* "verdict      trusted" a line, in the order of the rows. */
static void print_table(const json_t *o)
{
	static const char *const rows[] = { "name",
					    "host",
					    "enrolled",
					    "agent_key",
					    "certificate_until",
					    "renew_at",
					    "connected",
					    "connected_at",
					    "verdict",
					    "verdict_text",
					    "attested_at",
					    "lease_until",
					    NULL };
	const json_t *refused = json_object_get(o, "refused");

	for (size_t i = 0; rows[i] != NULL; i++) {
		const json_t *v = json_object_get(o, rows[i]);

		if (json_is_string(v))
			printf("%-18s %s\n", rows[i], json_string_value(v));
		else if (json_is_boolean(v))
			printf("%-18s %s\n", rows[i], json_is_true(v) ? "yes" : "no");
	}
	if (json_is_object(refused))
		printf("%-18s %s: %s\n", "refused",
		       json_string_value(json_object_get(refused, "code")),
		       json_string_value(json_object_get(refused, "text")));
}

int ay_status_print(const struct ay_agent *a, bool json)
{
	AY_CLEANUP(ay_json_unref) json_t *o = load(a);

	add_identity(o, a);
	if (!json) {
		print_table(o);
		return AY_EXIT_OK;
	}
	if (json_dumpf(o, stdout, JSON_INDENT(2) | JSON_SORT_KEYS) != 0)
		return AY_EXIT_IO;
	putchar('\n');
	return AY_EXIT_OK;
}
