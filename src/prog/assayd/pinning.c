/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hosts learn the next root, Privacy CA root or order key (staged.h): who is
 * told, who has taken it. Statements change only while the processes start
 * anew, so they are read once. What a host pins is kept in the store under
 * "pin.PURPOSE:HOST", so that a restart asks nobody twice.
 */
#include "prog/assayd/engine_impl.h"

#include "core/base/hex.h"
#include "core/crypto/token.h"
#include "io/net/agent_msg.h"
#include "io/sys/file.h"

#include <limits.h>
#include <stdlib.h>

enum { KEY_ROOM = 64, NAMES_MAX = 20, EVERY_MS = 60000 };

/* The newest statement of a purpose: where all hosts are to come. NULL: none. */
static const struct ay_staged *newest(const struct ay_engine *g, enum ay_pin_purpose p)
{
	for (size_t i = g->n_staged; i > 0; i--)
		if (g->staged[i - 1].change.purpose == p)
			return &g->staged[i - 1];
	return NULL;
}

static uint8_t bit_of(enum ay_pin_purpose p)
{
	return (uint8_t)(1u << p);
}

static const char *key_of(enum ay_pin_purpose p, const struct ay_uuid *host, char out[KEY_ROOM])
{
	char id[AY_UUID_TEXT];

	ay_uuid_format(host, id);
	snprintf(out, KEY_ROOM, AY_PIN_META "%s:%s", ay_pin_purpose_name(p), id);
	return out;
}

static void load_host(struct ay_engine *g, struct ay_host *h, struct ay_arena *a)
{
	char key[KEY_ROOM];

	for (int i = AY_PIN_ROOT; i <= AY_PIN_PURPOSES; i++) {
		enum ay_pin_purpose p = (enum ay_pin_purpose)i;
		const struct ay_staged *s = newest(g, p);
		struct ay_bytes pin;

		ay_arena_reset(a);
		if (s != NULL &&
		    ay_store_meta(g->store, key_of(p, &h->id, key), a, &pin, NULL) == AY_OK &&
		    ay_bytes_eq(pin, AY_BYTES(s->change.next)))
			h->run->pins_taken |= bit_of(p);
	}
}

void ay_pinning_load(struct ay_engine *g)
{
	struct ay_arena a;
	struct ay_err e;

	if (g->config == NULL)
		return;
	if (ay_staged_load(g->config, g->now_ms, &g->staged, &g->n_staged, &e) != AY_OK)
		ay_log_err(AY_LOG_ERROR, "statements for hosts", &e);
	ay_arena_init(&a, 64 * 1024);
	for (size_t i = 0; g->n_staged > 0 && i < g->n_hosts; i++)
		if (g->host[i]->state == AY_HOST_ENROLLED)
			load_host(g, g->host[i], &a);
	ay_arena_fini(&a);
}

void ay_pinning_fini(struct ay_engine *g)
{
	free(g->staged);
	g->staged = NULL;
	g->n_staged = 0;
}

/* The oldest first, so that a host comes from key to key. */
void ay_pinning_send(struct ay_engine *g, struct ay_conn *c)
{
	for (size_t i = 0; c->takes_pins && i < g->n_staged; i++) {
		const struct ay_staged *s = &g->staged[i];

		if (!(c->host->run->pins_taken & bit_of(s->change.purpose)))
			ay_conns_send(g, c, AY_FRAME_PIN_CHANGE, 0,
				      (struct ay_bytes){ s->body, s->n });
	}
	g->pins_moved = true; /* it may be a new host */
}

static void keep(struct ay_engine *g, const struct ay_host *h, enum ay_pin_purpose p,
		 const uint8_t pin[32])
{
	char key[KEY_ROOM];
	struct ay_write w = { .kind = AY_WR_META };
	struct ay_err e;

	w.meta.key = key_of(p, &h->id, key);
	w.meta.value = (struct ay_bytes){ pin, 32 };
	if (ay_store_submit(g->store, &w, 1, AY_SUBMIT_LAZY, 0, &e) != AY_OK)
		ay_log_err(AY_LOG_WARN, "what a host pins is not stored", &e);
}

enum ay_rc ay_pinning_state(struct ay_engine *g, struct ay_conn *c, struct ay_bytes body,
			    struct ay_err *e)
{
	struct ay_chan_pin_state m;
	const struct ay_staged *s;
	enum ay_pin_purpose p;
	char text[120];
	enum ay_rc rc = ay_chan_pin_state_parse(body, &m, e);

	if (rc != AY_OK)
		return rc;
	p = (enum ay_pin_purpose)m.purpose;
	s = newest(g, p);
	if (s != NULL && memcmp(m.pin, s->change.next, sizeof(m.pin)) == 0) {
		c->host->run->pins_taken |= bit_of(p);
		keep(g, c->host, p, m.pin);
		g->pins_moved = true;
		return AY_OK;
	}
	if (m.code.n == 0)
		return AY_OK; /* one of several, on its way to the newest */
	snprintf(text, sizeof(text), "the host does not take the next %s key: %.*s",
		 ay_pin_purpose_name(p), (int)m.code.n, (const char *)m.code.p);
	ay_event_emit(g, "pin_refused", c->host, "PIN_REFUSED", text);
	return AY_OK;
}

/* A token made during an overlap pins the next keys, and names those before. */
void ay_pinning_token(const struct ay_engine *g, struct ay_token *t)
{
	for (size_t i = 0; i < g->n_staged; i++) {
		const struct ay_pin_change *ch = &g->staged[i].change;
		uint8_t *now = ch->purpose == AY_PIN_ROOT ? t->root
			       : ch->purpose == AY_PIN_CA ? t->ca
							  : t->order;
		uint8_t *before = ch->purpose == AY_PIN_ROOT ? t->root2
				  : ch->purpose == AY_PIN_CA ? t->ca2
							     : t->order2;

		if (!g->staged[i].is_open)
			continue;
		memcpy(before, now, 32);
		memcpy(now, ch->next, 32);
		t->has_root2 |= ch->purpose == AY_PIN_ROOT;
		t->has_ca2 |= ch->purpose == AY_PIN_CA;
		t->has_order2 |= ch->purpose == AY_PIN_ORDER;
	}
}

/* Enrolled hosts that have not taken it: how many, and some names. */
static json_t *missing(const struct ay_engine *g, enum ay_pin_purpose p, size_t *n, size_t *all)
{
	json_t *list = json_array();

	*n = *all = 0;
	for (size_t i = 0; i < g->n_hosts; i++) {
		const struct ay_host *h = g->host[i];

		if (h->state != AY_HOST_ENROLLED)
			continue;
		(*all)++;
		if (h->run->pins_taken & bit_of(p))
			continue;
		if ((*n)++ < NAMES_MAX)
			json_array_append_new(list, json_string(h->name));
	}
	return list;
}

json_t *ay_pinning_json(const struct ay_engine *g, const char *name)
{
	char hex[65], until[AY_TIME_ROOM];
	const struct ay_staged *s;
	enum ay_pin_purpose p;
	size_t n, all;
	json_t *names;

	s = ay_staged_purpose(name, &p) ? newest(g, p) : NULL;
	if (s == NULL || !s->is_open)
		return json_null();
	ay_hex_encode(AY_BYTES(s->change.next), hex);
	ay_time_format(s->change.not_after_ms, until);
	names = missing(g, p, &n, &all);
	return json_pack(
		"{s:s, s:s, s:I, s:I, s:o, s:I}", "sha256", hex, "until", until, "hosts",
		(json_int_t)all, "hosts_taken", (json_int_t)(all - n), "hosts_missing", names,
		"older_tokens",
		(json_int_t)ay_tokens_older(g, s->change.not_before_ms + AY_STAGED_SLACK_MS));
}

static enum ay_rc write_file(const struct ay_engine *g, struct ay_err *e)
{
	AY_CLEANUP(ay_json_unref) json_t *all = json_object();
	char path[PATH_MAX], *text;
	enum ay_rc rc;

	for (int i = AY_PIN_ROOT; i <= AY_PIN_PURPOSES; i++) {
		const char *name = ay_staged_name((enum ay_pin_purpose)i);

		(void)json_object_set_new(all, name, ay_pinning_json(g, name));
	}
	text = json_dumps(all, JSON_INDENT(1));
	if (text == NULL)
		return ay_fail(e, AY_E_NOMEM, "pins", 0, "no memory");
	rc = ay_config_state_path(g->config, AY_FILE_PIN_HOSTS, path, sizeof(path))
		     ? ay_file_write(path, 0600, ay_bytes_of(text), e)
		     : ay_fail(e, AY_E_LIMIT, "state_dir", 0, "is too long");
	free(text);
	return rc;
}

void ay_pinning_tick(struct ay_engine *g)
{
	struct ay_err e;

	if (g->n_staged == 0 || (!g->pins_moved && g->mono_ms < g->next_pins))
		return;
	g->pins_moved = false;
	g->next_pins = g->mono_ms + EVERY_MS; /* hosts are removed, tokens end */
	if (write_file(g, &e) != AY_OK)
		ay_log_err(AY_LOG_WARN, "who pins the next key", &e);
}
