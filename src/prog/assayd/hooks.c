/* SPDX-License-Identifier: Apache-2.0 */
#include "prog/assayd/hooks.h"

#include "core/base/base64.h"
#include "core/base/hex.h"
#include "core/base/json.h"
#include "core/crypto/secret.h"
#include "io/net/url.h"
#include "io/sys/rng.h"
#include "prog/assayd/engine_impl.h"
#include "prog/assayd/keepers.h"
#include "prog/assayd/outgoing.h"

#include <stdlib.h>

enum {
	HOOKS_MAX = 256,
	PAGE = 256, /* events looked at in one go */
	DEADLINE_MS = 15000,
	BACKOFF_MAX_S = 300,
	OVERLAP_MS = 24 * 3600 * 1000,
	SECRET_ROOM = 6 + 44,
	WRAPPED_MAX = SECRET_ROOM + AY_WRAP_MORE,
};

/* One target. doc is the stored row: name url ca types labels paused cursor n secret old old_until
 * ... */
struct ay_hook {
	struct ay_hook *next;
	char id[AY_UUID_TEXT];
	json_t *doc;
	bool is_busy, is_removed;
	int64_t next_try; /* mono */
	uint64_t seen;	  /* events up to here are not for it; ahead of the cursor */
};

struct ay_hooks {
	struct ay_hook *first;
	struct ay_subscription *sub;
	size_t n;
};

/* An event on its way to a target. */
struct delivery {
	struct ay_engine *g;
	struct ay_hook *hook;
	uint64_t seq; /* 0: a test */
	char kind[40];
	char *body; /* as it is posted */
	char stamp[24];
	ay_document_fn *fn; /* of a test; else NULL */
	void *arg;
};

static const char *text_of(const struct ay_hook *h, const char *member)
{
	const char *s = json_string_value(json_object_get(h->doc, member));

	return s ? s : "";
}

static int64_t number_of(const struct ay_hook *h, const char *member)
{
	return json_integer_value(json_object_get(h->doc, member));
}

static void set_number(struct ay_hook *h, const char *member, int64_t v)
{
	json_object_set_new(h->doc, member, json_integer(v));
}

static void set_time(struct ay_hook *h, const char *member, int64_t at)
{
	char text[AY_TIME_ROOM];

	ay_time_format(at, text);
	json_object_set_new(h->doc, member, json_string(text));
}

/* ---- rows ---- */

static char *row_of(struct ay_hook *h, struct ay_family_row *row)
{
	char *body = h->is_removed ? strdup("") : json_dumps(h->doc, JSON_COMPACT);

	*row = (struct ay_family_row){ .kind = "webhook", .key = h->id, .body = body };
	return body;
}

/* On disk when it returns AY_OK. */
static enum ay_rc keep(struct ay_engine *g, struct ay_hook *h, struct ay_err *e)
{
	struct ay_family_row row;
	struct ay_write w = { .kind = AY_WR_FAMILY_PUT, .family = &row };
	struct ay_store_result res;
	char *body = row_of(h, &row);
	enum ay_rc rc = body ? ay_store_write(g->store, &w, 1, &res, e)
			     : ay_fail(e, AY_E_NOMEM, "webhook", 0, "no memory");

	free(body);
	return rc;
}

/* A cursor that is lost is an event that is posted twice, which is promised. */
static void keep_lazily(struct ay_engine *g, struct ay_hook *h)
{
	struct ay_family_row row;
	struct ay_write w = { .kind = AY_WR_FAMILY_PUT, .family = &row };
	struct ay_err e = { 0 };
	char *body = row_of(h, &row);

	if (body && ay_store_submit(g->store, &w, 1, AY_SUBMIT_LAZY, 0, &e) != AY_OK)
		ay_log_err(AY_LOG_WARN, "cursor of a webhook is not stored", &e);
	free(body);
}

static void hook_free(struct ay_engine *g, struct ay_hook *h)
{
	struct ay_hook **at = &g->hooks->first;

	while (*at != h)
		at = &(*at)->next;
	*at = h->next;
	g->hooks->n--;
	json_decref(h->doc);
	free(h);
}

static struct ay_hook *hook_new(struct ay_engine *g, const char *id, json_t *doc)
{
	struct ay_hook *h = calloc(1, sizeof(*h)), **at = &g->hooks->first;

	if (!h || !doc) {
		free(h);
		json_decref(doc);
		return NULL;
	}
	snprintf(h->id, sizeof(h->id), "%s", id);
	h->doc = doc;
	h->seen = (uint64_t)number_of(h, "cursor");
	while (*at)
		at = &(*at)->next;
	*at = h;
	g->hooks->n++;
	return h;
}

/* ---- what a target wants ---- */

static bool wants_kind(const struct ay_hook *h, const char *kind)
{
	json_t *list = json_object_get(h->doc, "types"), *v;
	size_t i;

	json_array_foreach (list, i, v)
		if (strcmp(json_string_value(v), kind) == 0)
			return true;
	return json_array_size(list) == 0;
}

static bool has_label(const struct ay_host *host, const char *key, const char *value)
{
	for (size_t i = 0; i < host->n_labels; i++)
		if (strcmp(host->labels[i].key, key) == 0 &&
		    strcmp(host->labels[i].value, value) == 0)
			return true;
	return false;
}

/* With labels: events of hosts that have them all. */
static bool wants_host(struct ay_engine *g, const struct ay_hook *h, const struct ay_event_row *r)
{
	json_t *labels = json_object_get(h->doc, "labels"), *v;
	const struct ay_host *host;
	const char *key;

	if (json_object_size(labels) == 0)
		return true;
	host = r->has_host ? ay_hosts_by_id(g, &r->host) : NULL;
	if (!host)
		return false;
	json_object_foreach (labels, key, v)
		if (!has_label(host, key, json_string_value(v)))
			return false;
	return true;
}

/* ---- delivery ---- */

static void look(struct ay_engine *g, struct ay_hook *h);

static void delivery_free(struct delivery *d)
{
	free(d->body);
	free(d);
}

static void tell_test(struct delivery *d, bool ok, int status, const char *text)
{
	json_t *o = json_pack("{s:b, s:i, s:s}", "delivered", ok, "status", status, "text", text);
	char *s = o ? json_dumps(o, JSON_COMPACT) : NULL;

	json_decref(o);
	if (d->fn)
		d->fn(d->arg, AY_OK, NULL, ay_bytes_of(s ? s : "{}"));
	free(s);
}

/* Between half and all of 2^n seconds, so that targets that fell together do not come back so. */
static void back_off(struct ay_engine *g, struct ay_hook *h, int64_t failures)
{
	int64_t s = failures > 8 ? BACKOFF_MAX_S : (int64_t)1 << failures;
	uint16_t random;

	ay_rng_bytes(&random, sizeof(random));
	s = s > BACKOFF_MAX_S ? BACKOFF_MAX_S : s;
	h->next_try = g->mono_ms + s * 500 + s * 500 * random / UINT16_MAX;
}

static void failed(struct ay_engine *g, struct ay_hook *h, const char *text)
{
	int64_t n = number_of(h, "failures") + 1;

	set_number(h, "failures", n);
	json_object_set_new(h->doc, "last_error", json_string(text));
	set_time(h, "last_failure", g->now_ms);
	back_off(g, h, n);
}

static void ended(struct delivery *d, bool ok, int status, const char *text)
{
	struct ay_engine *g = d->g;
	struct ay_hook *h = d->hook;

	h->is_busy = false;
	tell_test(d, ok, status, text);
	if (h->is_removed) {
		hook_free(g, h);
	} else if (ok) {
		if (d->seq) {
			set_number(h, "cursor", (int64_t)d->seq);
			h->seen = d->seq;
		}
		set_number(h, "failures", 0);
		set_time(h, "last_success", g->now_ms);
		keep_lazily(g, h);
		h->next_try = 0;
	} else if (d->seq) {
		failed(g, h, text);
	}
	if (!g->stopping && !h->is_removed && ok)
		look(g, h);
	delivery_free(d);
}

static void on_answer(void *arg, enum ay_rc rc, const struct ay_err *e,
		      const struct ay_outgoing_answer *a)
{
	struct delivery *d = arg;
	char text[AY_COUNT(e->text) + AY_COUNT(e->code) + 4];
	bool ok = rc == AY_OK && a->status >= 200 && a->status < 300;

	if (rc == AY_OK)
		snprintf(text, sizeof(text), "HTTP %u", a->status);
	else
		snprintf(text, sizeof(text), "%s: %s", e->code, e->text);
	ended(d, ok, rc == AY_OK ? a->status : 0, text);
}

/* "v1=HEX" for each secret, commas between. */
static void put_signatures(struct ay_bytes macs, char out[2 * 70])
{
	char hex[65];

	out[0] = '\0';
	for (size_t i = 0; i + 32 <= macs.n && i < 64; i += 32) {
		ay_hex_encode((struct ay_bytes){ macs.p + i, 32 }, hex);
		snprintf(out + strlen(out), 70, "%sv1=%s", i ? "," : "", hex);
	}
}

static void on_mac(void *arg, enum ay_rc rc, const struct ay_err *e, struct ay_bytes macs)
{
	struct delivery *d = arg;
	char signature[2 * 70], id[AY_UUID_TEXT + 24];
	struct ay_outgoing o = { .method = AY_OUTGOING_POST,
				 .n_headers = 5,
				 .deadline_ms = DEADLINE_MS,
				 .max_answer = 65536 };

	if (rc != AY_OK) {
		ended(d, false, 0, e->text);
		return;
	}
	put_signatures(macs, signature);
	snprintf(id, sizeof(id), "%s-%llu", d->hook->id, (unsigned long long)d->seq);
	o.header[0] = (struct ay_outgoing_header){ ay_bytes_of("Content-Type"),
						   ay_bytes_of("application/json") };
	o.header[1] = (struct ay_outgoing_header){ ay_bytes_of("Assay-Delivery"), ay_bytes_of(id) };
	o.header[2] =
		(struct ay_outgoing_header){ ay_bytes_of("Assay-Event"), ay_bytes_of(d->kind) };
	o.header[3] = (struct ay_outgoing_header){ ay_bytes_of("Assay-Timestamp"),
						   ay_bytes_of(d->stamp) };
	o.header[4] = (struct ay_outgoing_header){ ay_bytes_of("Assay-Signature"),
						   ay_bytes_of(signature) };
	o.url = ay_bytes_of(text_of(d->hook, "url"));
	o.ca = ay_bytes_of(text_of(d->hook, "ca"));
	o.body = ay_bytes_of(d->body);
	(void)ay_outgoing_send(d->g, &o, on_answer, d);
}

static size_t take_hex(const char *hex, uint8_t out[WRAPPED_MAX])
{
	size_t n = strlen(hex) / 2;
	struct ay_err e;

	return n <= WRAPPED_MAX && ay_hex_decode(ay_bytes_of(hex), "webhook", out, n, &e) == AY_OK
		       ? n
		       : 0;
}

/* What a secret is bound to: its webhook, and which of its secrets it is. */
static void secret_name(const struct ay_hook *h, int64_t n, char out[AY_UUID_TEXT + 24])
{
	snprintf(out, AY_UUID_TEXT + 24, "%s/%lld", h->id, (long long)n);
}

/* Signs the octets "TIMESTAMP.BODY" and posts BODY. d is freed at its end. */
static void deliver(struct delivery *d)
{
	struct ay_hook *h = d->hook;
	int64_t n = number_of(h, "n");
	uint8_t now[WRAPPED_MAX], old[WRAPPED_MAX];
	char now_name[AY_UUID_TEXT + 24], old_name[AY_UUID_TEXT + 24], *message = NULL;
	struct ay_kept_mac m = { .purpose = ay_bytes_of("webhook"), .n = 1 };

	h->is_busy = true;
	snprintf(d->stamp, sizeof(d->stamp), "%lld", (long long)(d->g->now_ms / 1000));
	if (asprintf(&message, "%s.%s", d->stamp, d->body) < 0) {
		ended(d, false, 0, "no memory");
		return;
	}
	secret_name(h, n, now_name);
	secret_name(h, n - 1, old_name);
	m.key[0].object = ay_bytes_of(now_name);
	m.key[0].wrapped = (struct ay_bytes){ now, take_hex(text_of(h, "secret"), now) };
	if (text_of(h, "old")[0] && number_of(h, "old_until") > d->g->now_ms) {
		m.key[1].object = ay_bytes_of(old_name);
		m.key[1].wrapped = (struct ay_bytes){ old, take_hex(text_of(h, "old"), old) };
		m.n = 2;
	}
	m.message = ay_bytes_of(message);
	ay_keeper_mac(d->g, &m, on_mac, d);
	free(message);
}

/* {"id":7,"type":"verdict","data":{..}}; json is an object already. */
static struct delivery *delivery_new(struct ay_engine *g, struct ay_hook *h, uint64_t seq,
				     const char *kind, const char *json)
{
	struct delivery *d = calloc(1, sizeof(*d));

	if (!d)
		return NULL;
	*d = (struct delivery){ .g = g, .hook = h, .seq = seq };
	snprintf(d->kind, sizeof(d->kind), "%s", kind);
	if (asprintf(&d->body, "{\"id\":%llu,\"type\":\"%s\",\"data\":%s}", (unsigned long long)seq,
		     d->kind, json) < 0) {
		free(d);
		return NULL;
	}
	return d;
}

struct pick {
	struct ay_engine *g;
	struct ay_hook *hook;
	struct delivery *found;
	uint64_t lost;
	size_t n;
};

static void pick(void *arg, const struct ay_event_row *r)
{
	struct pick *p = arg;

	p->n++;
	if (p->found)
		return;
	if (r->seq > p->hook->seen + 1)
		p->lost += r->seq - p->hook->seen - 1;
	if (wants_kind(p->hook, r->kind) && wants_host(p->g, p->hook, r))
		p->found = delivery_new(p->g, p->hook, r->seq, r->kind, r->body);
	else
		p->hook->seen = r->seq;
}

/* Retention took what the target had not got: that is never silent. */
static void tell_lost(struct ay_engine *g, const struct ay_hook *h, uint64_t n)
{
	char text[200];

	snprintf(text, sizeof(text), "webhook %.100s lost %llu events: they were too old",
		 text_of(h, "name"), (unsigned long long)n);
	AY_LOG(AY_LOG_WARN, "events were lost", AY_LS("text", text));
	ay_event_emit(g, "webhook", NULL, "WEBHOOK_LOST", text);
}

/* The next event for a target, if it is its time. */
static void look(struct ay_engine *g, struct ay_hook *h)
{
	struct pick p = { .g = g, .hook = h };
	struct ay_err e = { 0 };

	if (h->is_busy || h->is_removed || g->mono_ms < h->next_try ||
	    json_is_true(json_object_get(h->doc, "paused")))
		return;
	if (ay_store_events(g->store, h->seen, PAGE, pick, &p, &e) != AY_OK)
		ay_log_err(AY_LOG_WARN, "events cannot be read", &e);
	if (p.lost)
		tell_lost(g, h, p.lost);
	if (p.found) {
		h->seen = p.found->seq - 1;
		deliver(p.found);
	}
}

static void look_all(struct ay_engine *g)
{
	struct ay_hook *next;

	for (struct ay_hook *h = g->hooks->first; h; h = next) {
		next = h->next;
		look(g, h);
	}
}

static void on_event(void *arg, uint64_t seq, const char *kind, const char *json)
{
	(void)seq, (void)kind, (void)json; /* it is read from the store, in order */
	look_all(arg);
}

/* ---- what operators do ---- */

static json_t *shown(struct ay_engine *g, const struct ay_hook *h)
{
	static const char *const members[] = { "name",	       "url",	       "types",
					       "labels",       "paused",       "created_at",
					       "last_success", "last_failure", "last_error",
					       "failures",     "cursor" };
	json_t *o = json_pack("{s:s}", "id", h->id), *v;

	(void)g;
	for (size_t i = 0; o && i < AY_COUNT(members); i++) {
		v = json_object_get(h->doc, members[i]);
		json_object_set(o, members[i], v ? v : json_null());
	}
	return o;
}

enum ay_rc ay_hooks_list(struct ay_engine *g, json_t **out, struct ay_err *e)
{
	json_t *list = json_array();

	for (const struct ay_hook *h = g->hooks->first; list && h; h = h->next)
		if (!h->is_removed)
			json_array_append_new(list, shown(g, h));
	*out = list;
	return list ? AY_OK : ay_fail(e, AY_E_NOMEM, "webhooks", 0, "no memory");
}

static void answer(ay_document_fn *fn, void *arg, json_t *o)
{
	char *s = o ? json_dumps(o, JSON_COMPACT) : NULL;
	struct ay_err e = { 0 };

	json_decref(o);
	if (s)
		fn(arg, AY_OK, NULL, ay_bytes_of(s));
	else
		fn(arg, ay_fail(&e, AY_E_NOMEM, "webhook", 0, "no memory"), &e,
		   (struct ay_bytes){ NULL, 0 });
	free(s);
}

/* A secret on its way through keeper. */
struct making {
	struct ay_engine *g;
	struct ay_hook *hook;
	bool is_new;
	char secret[SECRET_ROOM];
	ay_document_fn *fn;
	void *arg;
};

/* Not told before it is on disk; events from now on are for it. */
static enum ay_rc start_at_newest(struct ay_engine *g, struct ay_hook *h, struct ay_err *e)
{
	struct ay_event_row row = { .at = g->now_ms, .kind = "webhook" };
	struct ay_write w = { .kind = AY_WR_EVENT, .event = &row };
	struct ay_store_result res = { 0 };
	json_t *o = json_pack("{s:s, s:s}", "code", "WEBHOOK_ADD", "text", text_of(h, "name"));
	char at[AY_TIME_ROOM], *body;
	enum ay_rc rc;

	ay_time_format(g->now_ms, at);
	json_object_set_new(o, "at", json_string(at));
	body = o ? json_dumps(o, JSON_COMPACT) : NULL;
	json_decref(o);
	row.body = body;
	rc = body ? ay_store_write(g->store, &w, 1, &res, e)
		  : ay_fail(e, AY_E_NOMEM, "webhook", 0, "no memory");
	free(body);
	set_number(h, "cursor", (int64_t)res.number);
	h->seen = res.number;
	return rc;
}

static enum ay_rc take_secret(struct making *m, struct ay_bytes wrapped, struct ay_err *e)
{
	struct ay_hook *h = m->hook;
	char hex[2 * WRAPPED_MAX + 1];
	enum ay_rc rc = AY_OK;

	if (wrapped.n > WRAPPED_MAX)
		return ay_fail(e, AY_E_BUG, "webhook", 0, "%zu octets", wrapped.n);
	ay_hex_encode(wrapped, hex);
	if (m->is_new) {
		rc = start_at_newest(m->g, h, e);
	} else {
		json_object_set(h->doc, "old", json_object_get(h->doc, "secret"));
		set_number(h, "old_until", m->g->now_ms + OVERLAP_MS);
	}
	set_number(h, "n", number_of(h, "n") + 1);
	json_object_set_new(h->doc, "secret", json_string(hex));
	return rc == AY_OK ? keep(m->g, h, e) : rc;
}

static void on_wrapped(void *arg, enum ay_rc rc, const struct ay_err *why, struct ay_bytes wrapped)
{
	struct making *m = arg;
	struct ay_err e = { 0 };
	json_t *o;

	if (rc == AY_OK)
		rc = take_secret(m, wrapped, &e);
	else
		e = *why;
	m->hook->is_busy = false;
	if (rc == AY_OK) {
		o = shown(m->g, m->hook);
		json_object_set_new(o, "secret", json_string(m->secret));
		answer(m->fn, m->arg, o);
	} else {
		m->fn(m->arg, rc, &e, (struct ay_bytes){ NULL, 0 });
		if (m->is_new)
			hook_free(m->g, m->hook);
	}
	ay_wipe(m, sizeof(*m));
	free(m);
}

static void make_secret(struct ay_engine *g, struct ay_hook *h, bool is_new, ay_document_fn *fn,
			void *arg)
{
	struct making *m = calloc(1, sizeof(*m));
	char name[AY_UUID_TEXT + 24];
	uint8_t random[32];

	if (!m) {
		answer(fn, arg, NULL);
		return;
	}
	*m = (struct making){ .g = g, .hook = h, .is_new = is_new, .fn = fn, .arg = arg };
	ay_rng_bytes(random, sizeof(random));
	memcpy(m->secret, "whsec_", 6);
	ay_base64_encode(AY_BASE64_URL, AY_BYTES(random), m->secret + 6);
	ay_wipe(random, sizeof(random));
	h->is_busy = true;
	secret_name(h, number_of(h, "n") + 1, name);
	ay_keeper_wrap(g, "webhook", ay_bytes_of(name), ay_bytes_of(m->secret), on_wrapped, m);
}

static struct ay_hook *find(struct ay_engine *g, struct ay_bytes id)
{
	for (struct ay_hook *h = g->hooks->first; h; h = h->next)
		if (!h->is_removed && (ay_bytes_eq(id, ay_bytes_of(h->id)) ||
				       ay_bytes_eq(id, ay_bytes_of(text_of(h, "name")))))
			return h;
	return NULL;
}

static enum ay_rc check_spec(struct ay_engine *g, const json_t *spec, struct ay_err *e)
{
	const char *name = json_string_value(json_object_get(spec, "name"));
	const char *url = json_string_value(json_object_get(spec, "url"));
	json_t *labels = json_object_get(spec, "labels"), *v;
	const char *key;
	struct ay_url u;
	enum ay_rc rc = ay_url_parse(ay_bytes_of(url ? url : ""), &u, e);

	if (rc != AY_OK)
		return rc;
	if (!u.is_https && !(g->config && ay_config_bool(g->config, "outgoing_http")))
		return ay_fail_code(e, AY_E_INPUT, "URL", "url", "it must begin with https://");
	json_object_foreach (labels, key, v)
		if (!json_is_string(v))
			return ay_fail(e, AY_E_INPUT, "labels", 0, "%.40s is not a text", key);
	if (labels && !json_is_object(labels))
		return ay_fail(e, AY_E_INPUT, "labels", 0, "not an object");
	if (find(g, ay_bytes_of(name ? name : "")))
		return ay_fail_code(e, AY_E_EXISTS, "NAME_TAKEN", "name", "there is one already");
	if (g->hooks->n >= HOOKS_MAX)
		return ay_fail(e, AY_E_LIMIT, "webhooks", 0, "more than %d", HOOKS_MAX);
	return AY_OK;
}

void ay_hook_add(struct ay_engine *g, const json_t *spec, ay_document_fn *fn, void *arg)
{
	static const char *const members[] = { "name", "url", "ca", "types", "labels" };
	struct ay_uuid id = ay_rng_uuid();
	struct ay_err e = { 0 };
	char text[AY_UUID_TEXT];
	struct ay_hook *h;
	json_t *doc;
	enum ay_rc rc = check_spec(g, spec, &e);

	if (rc != AY_OK) {
		fn(arg, rc, &e, (struct ay_bytes){ NULL, 0 });
		return;
	}
	ay_uuid_format(&id, text);
	doc = json_pack("{s:b, s:i, s:[], s:{}}", "paused", 0, "failures", 0, "types", "labels");
	for (size_t i = 0; doc && i < AY_COUNT(members); i++)
		if (json_object_get(spec, members[i]))
			json_object_set_new(doc, members[i],
					    json_deep_copy(json_object_get(spec, members[i])));
	h = hook_new(g, text, doc);
	if (!h) {
		answer(fn, arg, NULL);
		return;
	}
	set_time(h, "created_at", g->now_ms);
	make_secret(g, h, true, fn, arg);
}

static void try_it(struct ay_engine *g, struct ay_hook *h, ay_document_fn *fn, void *arg)
{
	char at[AY_TIME_ROOM], json[64 + AY_TIME_ROOM];
	struct delivery *d;

	ay_time_format(g->now_ms, at);
	snprintf(json, sizeof(json), "{\"at\":\"%s\",\"text\":\"a test\"}", at);
	d = delivery_new(g, h, 0, "test", json);
	if (!d) {
		answer(fn, arg, NULL);
		return;
	}
	d->fn = fn;
	d->arg = arg;
	deliver(d);
}

static enum ay_rc change_state(struct ay_engine *g, struct ay_hook *h, enum ay_hook_change what,
			       struct ay_err *e)
{
	if (what == AY_HOOK_REMOVE) {
		h->is_removed = true;
	} else {
		json_object_set_new(h->doc, "paused", json_boolean(what == AY_HOOK_PAUSE));
		h->next_try = 0;
	}
	return keep(g, h, e);
}

void ay_hook_change(struct ay_engine *g, struct ay_bytes id, enum ay_hook_change what,
		    ay_document_fn *fn, void *arg)
{
	struct ay_hook *h = find(g, id);
	struct ay_err e = { 0 };
	enum ay_rc rc = AY_OK;
	json_t *o;

	if (!h)
		rc = ay_fail(&e, AY_E_NOENT, "webhook", 0, "no such webhook");
	else if (h->is_busy && (what == AY_HOOK_TEST || what == AY_HOOK_ROTATE))
		rc = ay_fail_code(&e, AY_E_UNAVAIL, "WEBHOOK_BUSY", "webhook",
				  "a delivery is under way: try again");
	else if (what != AY_HOOK_TEST && what != AY_HOOK_ROTATE)
		rc = change_state(g, h, what, &e);
	if (rc != AY_OK || !h) {
		fn(arg, rc, &e, (struct ay_bytes){ NULL, 0 });
		return;
	}
	if (what == AY_HOOK_TEST) {
		try_it(g, h, fn, arg);
		return;
	}
	if (what == AY_HOOK_ROTATE) {
		make_secret(g, h, false, fn, arg);
		return;
	}
	o = shown(g, h);
	if (h->is_removed && !h->is_busy)
		hook_free(g, h);
	else
		look(g, h);
	answer(fn, arg, o);
}

/* ---- of engine ---- */

static void load_row(void *arg, const struct ay_family_row *r)
{
	struct ay_engine *g = arg;

	if (strcmp(r->kind, "webhook") == 0 && r->body[0] != '\0' &&
	    !hook_new(g, r->key, json_loads(r->body, JSON_REJECT_DUPLICATES, NULL)))
		AY_LOG(AY_LOG_ERROR, "a webhook cannot be read", AY_LS("id", r->key));
}

enum ay_rc ay_hooks_load(struct ay_engine *g, struct ay_err *e)
{
	g->hooks = calloc(1, sizeof(*g->hooks));
	if (!g->hooks)
		return ay_fail(e, AY_E_NOMEM, "webhooks", 0, "no memory");
	g->hooks->sub = ay_engine_subscribe(g, on_event, g);
	if (!g->hooks->sub)
		return ay_fail(e, AY_E_NOMEM, "webhooks", 0, "no memory");
	return ay_store_family(g->store, load_row, g, e);
}

void ay_hooks_tick(struct ay_engine *g)
{
	look_all(g);
}

void ay_hooks_fini(struct ay_engine *g)
{
	if (!g->hooks)
		return;
	while (g->hooks->first)
		hook_free(g, g->hooks->first);
	free(g->hooks);
	g->hooks = NULL;
}
