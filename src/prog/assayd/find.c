/* SPDX-License-Identifier: Apache-2.0 */
#include "prog/assayd/find.h"

#include "core/base/hex.h"
#include "core/evlog/ima.h"
#include "core/evlog/tcg_names.h"
#include "prog/assayd/engine_impl.h"

/* So many contents are opened for what they say of the digest; hosts share most of them. */
#define CONTENTS 8
#define TEXT_MAX 256
#define ARENA (96u << 20)

/* What a content says of the digest. */
struct said {
	uint8_t id[32];
	bool has_pcr;
	uint32_t pcr;
	char path[TEXT_MAX]; /* "" none */
	char what[TEXT_MAX];
};

struct finding_digest {
	struct ay_engine *g;
	struct ay_bytes digest;
	const struct ay_find_ask *ask;
	uint64_t n; /* hosts so far */
	json_t *items;
	/* the host at hand */
	bool any, in_log, in_ima;
	struct ay_uuid host;
	int64_t first_at, last_at;
	uint8_t content[32];
	enum ay_seen_in kind;
	struct said said[CONTENTS];
	size_t n_said;
};

/* ---- what it is ---- */

static bool event_has(const struct ay_evlog *log, const struct ay_event *ev, struct ay_bytes d)
{
	for (size_t k = 0; k < log->n_banks; k++)
		if (ev->digest[k] && ay_alg_digest_size(log->bank[k]) == d.n &&
		    memcmp(ev->digest[k], d.p, d.n) == 0)
			return true;
	return false;
}

static void look_in_log(struct ay_bytes content, struct ay_bytes digest, struct ay_arena *a,
			struct said *s)
{
	struct ay_evlog log;

	if (ay_evlog_parse(content, a, &log, NULL) != AY_OK)
		return;
	for (size_t i = 0; i < log.n_events; i++)
		if (log.event[i].type != AY_EV_NO_ACTION &&
		    event_has(&log, &log.event[i], digest)) {
			s->has_pcr = true;
			s->pcr = log.event[i].pcr;
			ay_event_summary(&log.event[i], s->what, sizeof(s->what));
			return;
		}
}

static void look_in_ima(struct ay_bytes content, struct ay_bytes digest, struct said *s)
{
	struct ay_ima_cursor c;
	struct ay_ima_entry en;

	ay_ima_begin(&c, content);
	while (ay_ima_next(&c, &en))
		if (!en.violation && ay_bytes_eq(en.digest, digest)) {
			size_t n =
				en.path.n < sizeof(s->path) - 1 ? en.path.n : sizeof(s->path) - 1;

			s->has_pcr = true;
			s->pcr = en.pcr;
			for (size_t i = 0; i < n; i++)
				s->path[i] = en.path.p[i] >= 0x20 && en.path.p[i] < 0x7f
						     ? (char)en.path.p[i]
						     : '?';
			s->path[n] = '\0';
			return;
		}
}

/* NULL when too many were opened already. */
static const struct said *say(struct finding_digest *f)
{
	struct ay_bytes octets;
	struct ay_arena a;
	struct said *s;

	for (size_t i = 0; i < f->n_said; i++)
		if (memcmp(f->said[i].id, f->content, sizeof(f->content)) == 0)
			return &f->said[i];
	if (f->n_said == CONTENTS)
		return NULL;
	s = &f->said[f->n_said++];
	memset(s, 0, sizeof(*s));
	memcpy(s->id, f->content, sizeof(s->id));
	ay_arena_init(&a, ARENA);
	if (ay_store_blob(f->g->store, AY_BYTES(f->content), &a, &octets, NULL) == AY_OK) {
		if (f->kind == AY_SEEN_IN_LOG)
			look_in_log(octets, f->digest, &a, s);
		else
			look_in_ima(octets, f->digest, s);
	}
	ay_arena_fini(&a);
	return s;
}

/* ---- hosts ---- */

static json_t *time_json(int64_t at_ms)
{
	char at[AY_TIME_ROOM];

	ay_time_format(at_ms, at);
	return at_ms ? json_string(at) : json_null();
}

static json_t *places(const struct finding_digest *f)
{
	json_t *in = json_array();

	if (f->in_log)
		json_array_append_new(in, json_string("boot_log"));
	if (f->in_ima)
		json_array_append_new(in, json_string("ima"));
	return in;
}

static json_t *host_json(struct finding_digest *f)
{
	const struct ay_host *h = ay_hosts_by_id(f->g, &f->host);
	const struct said *s = say(f);
	char id[AY_UUID_TEXT];

	ay_uuid_format(&f->host, id);
	return json_pack("{s:s, s:s?, s:o, s:o, s:o, s:o, s:s?, s:s?}", "host", id, "name",
			 h ? h->name : NULL, "in", places(f), "first_seen", time_json(f->first_at),
			 "last_seen", time_json(f->last_at), "pcr",
			 s && s->has_pcr ? json_integer(s->pcr) : json_null(), "path",
			 s && s->path[0] ? s->path : NULL, "what",
			 s && s->what[0] ? s->what : NULL);
}

/* All of the host at hand was seen. */
static void end_host(struct finding_digest *f)
{
	const struct ay_host *h;

	if (!f->any)
		return;
	h = ay_hosts_by_id(f->g, &f->host);
	if (!f->ask->may || (h && f->ask->may(f->ask->arg, h))) {
		if (f->n >= f->ask->from && f->n < f->ask->from + f->ask->limit)
			json_array_append_new(f->items, host_json(f));
		f->n++;
	}
	f->any = f->in_log = f->in_ima = false;
}

static void see(void *arg, const struct ay_sighting *r)
{
	struct finding_digest *f = arg;

	if (f->any && memcmp(f->host.b, r->host.b, sizeof(r->host.b)) != 0)
		end_host(f);
	if (!f->any) {
		f->host = r->host;
		f->first_at = r->first_at;
		f->last_at = r->last_at;
		f->kind = r->kind;
		if (r->content.n == sizeof(f->content))
			memcpy(f->content, r->content.p, r->content.n);
	}
	f->any = true;
	f->in_log = f->in_log || r->kind == AY_SEEN_IN_LOG;
	f->in_ima = f->in_ima || r->kind == AY_SEEN_IN_IMA;
	f->first_at = r->first_at < f->first_at ? r->first_at : f->first_at;
	f->last_at = r->last_at > f->last_at ? r->last_at : f->last_at;
}

enum ay_rc ay_find_digest(struct ay_engine *g, const struct ay_find_ask *ask, json_t **out,
			  uint64_t *next, struct ay_err *e)
{
	struct ay_bytes digest = ask->digest;
	struct finding_digest f = { .g = g, .digest = digest, .ask = ask };
	char hex[2 * AY_DIGEST_MAX + 1] = "";
	enum ay_rc rc;

	*out = NULL;
	*next = 0;
	if (digest.n != 20 && digest.n != 32 && digest.n != 48 && digest.n != 64)
		return ay_fail(e, AY_E_INPUT, "digest", 0,
			       "40, 64, 96 or 128 hexadecimal digits, not %zu", 2 * digest.n);
	f.items = json_array();
	rc = ay_store_sightings(g->store, digest, see, &f, e);
	end_host(&f);
	if (rc != AY_OK) {
		json_decref(f.items);
		return rc;
	}
	ay_hex_encode(digest, hex);
	*next = ask->from + ask->limit < f.n ? ask->from + ask->limit : 0;
	*out = json_pack("{s:s, s:I, s:o}", "digest", hex, "hosts", (json_int_t)f.n, "items",
			 f.items);
	return *out ? AY_OK : ay_fail(e, AY_E_NOMEM, "digest", 0, "no memory");
}
