/* SPDX-License-Identifier: Apache-2.0 */
/* Until when the server's keys and certificates hold. They change only while the processes start
 * anew, so they are read once. */
#include "core/base/hex.h"
#include "prog/assayd/engine_impl.h"

#include <stdlib.h>

#define EVERY_MS 3600000

enum { NAME_ROOM = 32, TEXT_ROOM = 240 };

void ay_keychain_load(struct ay_engine *g)
{
	if (g->config)
		ay_keys_read(g->config, g->now_ms, g->keys, &g->n_keys);
}

static void text_of(const struct ay_key_info *k, int64_t now_ms, char out[TEXT_ROOM])
{
	char until[AY_TIME_ROOM];

	ay_time_format(k->until_ms, until);
	snprintf(out, TEXT_ROOM, "the certificate of key %s %s at %s: %s%s", k->name,
		 k->until_ms <= now_ms ? "ended" : "ends", until,
		 k->is_own ? "put a new one into its file and reload assayd"
			   : "assayd keys rotate ",
		 k->is_own ? "" : k->name);
}

/* Hosts take the next key as long as its statement holds; later they need a token. */
static void text_of_next(const struct ay_staged *s, int64_t now_ms, char out[TEXT_ROOM])
{
	const char *name = ay_staged_name(s->change.purpose);
	char until[AY_TIME_ROOM];

	ay_time_format(s->change.not_after_ms, until);
	snprintf(out, TEXT_ROOM,
		 "the statement of the next %s key %s at %s: assayd keys list shows which "
		 "hosts lack it, assayd keys finish %s",
		 name, s->change.not_after_ms <= now_ms ? "ended" : "ends", until, name);
}

/* Keys first, then the changes that are open. */
static size_t n_dated(const struct ay_engine *g)
{
	return g->n_keys + g->n_staged;
}

/* How urgent the i-th is; its name and what to say are filled in when it is. */
static int urgency(const struct ay_engine *g, size_t i, char name[NAME_ROOM], char text[TEXT_ROOM])
{
	const struct ay_staged *s = i < g->n_keys ? NULL : &g->staged[i - g->n_keys];
	int level = s == NULL	 ? ay_keys_warning(g->keys[i].until_ms, g->now_ms)
		    : s->is_open ? ay_staged_warning(s->change.not_after_ms, g->now_ms)
				 : 0;

	if (level == 0)
		return 0;
	snprintf(name, NAME_ROOM, "%s%s", s == NULL ? "" : "next ",
		 s == NULL ? g->keys[i].name : ay_staged_name(s->change.purpose));
	if (s == NULL)
		text_of(&g->keys[i], g->now_ms, text);
	else
		text_of_next(s, g->now_ms, text);
	return level;
}

static void record(struct ay_engine *g, const char *name, const char *text)
{
	json_t *o = json_pack("{s:s}", "text", text);
	char *detail = o ? json_dumps(o, JSON_COMPACT) : NULL;
	struct ay_audit_row row = { g->now_ms, "system", "KEY_EXPIRY", name, detail };
	const struct ay_write w = { .kind = AY_WR_AUDIT, .audit = &row };
	struct ay_err e;

	json_decref(o);
	if (detail && ay_store_submit(g->store, &w, 1, AY_SUBMIT_LAZY, 0, &e) != AY_OK)
		ay_log_err(AY_LOG_WARN, "not in the audit that a key ends soon", &e);
	free(detail);
}

/* An event at 30 days and one at 7; of a change that is open at 7 days and at one. */
void ay_keychain_tick(struct ay_engine *g)
{
	if (g->mono_ms < g->next_keys)
		return;
	g->next_keys = g->mono_ms + EVERY_MS;
	for (size_t i = 0; i < n_dated(g); i++) {
		char name[NAME_ROOM], text[TEXT_ROOM];
		int level = urgency(g, i, name, text);

		if (level <= g->key_warned[i])
			continue;
		g->key_warned[i] = level;
		ay_event_emit(g, "key_expiry", NULL, "KEY_EXPIRY", text);
		record(g, name, text);
	}
	ay_relay_tell_ready(g);
}

/* Without these nobody is served: a certificate that only few need is no reason to say so. */
static bool is_vital(const char *name)
{
	static const char *const vital[] = { "root",	"channel",   "api",	     "assertion",
					     "ca-root", "ca-issuer", "ca-encryption" };

	for (size_t i = 0; i < AY_COUNT(vital); i++)
		if (strcmp(vital[i], name) == 0)
			return true;
	return false;
}

bool ay_keychain_holds(const struct ay_engine *g)
{
	for (size_t i = 0; i < g->n_keys; i++)
		if (is_vital(g->keys[i].name) && g->keys[i].until_ms != 0 &&
		    g->keys[i].until_ms <= g->now_ms)
			return false;
	return true;
}

struct ay_bytes ay_keychain_reminders(const struct ay_engine *g, char *out, size_t room)
{
	size_t n = 0;

	for (size_t i = 0; i < n_dated(g); i++) {
		char name[NAME_ROOM], text[TEXT_ROOM];

		if (urgency(g, i, name, text) == 0)
			continue;
		if (n + strlen(text) + 4 > room)
			break;
		n += (size_t)snprintf(out + n, room - n, "%s\"%s\"", n > 0 ? "," : "", text);
	}
	return (struct ay_bytes){ (const uint8_t *)out, n };
}

void ay_keychain_warn(const struct ay_engine *g, json_t *list)
{
	for (size_t i = 0; i < n_dated(g); i++) {
		char name[NAME_ROOM], text[TEXT_ROOM], key[NAME_ROOM + 4];

		if (urgency(g, i, name, text) == 0)
			continue;
		snprintf(key, sizeof(key), "key %s", name);
		json_array_append_new(list, json_pack("{s:s, s:s}", "key", key, "text", text));
	}
}

static json_t *time_json(int64_t at_ms)
{
	char text[AY_TIME_ROOM];

	if (at_ms == 0)
		return json_null();
	ay_time_format(at_ms, text);
	return json_string(text);
}

/* Of the key itself, or else of the change that is open. */
static void add_warning(const struct ay_engine *g, size_t key, json_t *o)
{
	char name[NAME_ROOM], text[TEXT_ROOM];
	enum ay_pin_purpose p;
	bool is_said = urgency(g, key, name, text) != 0;

	if (!is_said && ay_staged_purpose(g->keys[key].name, &p))
		for (size_t i = 0; i < g->n_staged && !is_said; i++)
			is_said = g->staged[i].change.purpose == p &&
				  urgency(g, g->n_keys + i, name, text) != 0;
	if (is_said)
		json_object_set_new(o, "warning", json_string(text));
}

static json_t *key_json(const struct ay_engine *g, size_t i)
{
	const struct ay_key_info *k = &g->keys[i];
	char hex[65];
	json_t *o;

	ay_hex_encode(AY_BYTES(k->spki), hex);
	o = json_pack("{s:s, s:s, s:s, s:o, s:o, s:o}", "name", k->name, "use", k->use, "sha256",
		      hex, "until", time_json(k->until_ms), "old_until",
		      time_json(k->old_until > g->now_ms ? k->old_until : 0), "next",
		      ay_pinning_json(g, k->name));
	if (o)
		add_warning(g, i, o);
	return o;
}

enum ay_rc ay_engine_keys(struct ay_engine *g, json_t **out, struct ay_err *e)
{
	*out = json_array();
	for (size_t i = 0; *out && i < g->n_keys; i++)
		json_array_append_new(*out, key_json(g, i));
	return *out ? AY_OK : ay_fail(e, AY_E_NOMEM, "keys", 0, "no memory");
}
