/* SPDX-License-Identifier: Apache-2.0 */
/* Which events a target wants, and how they are posted to it. */
#include "core/base/hex.h"
#include "core/base/json.h"
#include "io/sys/rng.h"
#include "prog/assayd/hooks_impl.h"
#include "prog/assayd/outgoing.h"

#include <stdlib.h>

enum {
	PAGE = 256, /* events looked at in one go */
	DEADLINE_MS = 15000,
	BACKOFF_MAX_S = 300,
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
	int64_t n = ay_hook_number(h, "failures") + 1;

	ay_hook_set_number(h, "failures", n);
	json_object_set_new(h->doc, "last_error", json_string(text));
	ay_hook_set_time(h, "last_failure", g->now_ms);
	back_off(g, h, n);
}

static void ended(struct delivery *d, bool ok, int status, const char *text)
{
	struct ay_engine *g = d->g;
	struct ay_hook *h = d->hook;
	bool goes_on = ok && !g->stopping && !h->is_removed; /* h may end below */

	h->is_busy = false;
	tell_test(d, ok, status, text);
	if (h->is_removed) {
		ay_hook_free(g, h);
	} else if (ok) {
		if (d->seq) {
			ay_hook_set_number(h, "cursor", (int64_t)d->seq);
			h->seen = d->seq;
		}
		ay_hook_set_number(h, "failures", 0);
		ay_hook_set_time(h, "last_success", g->now_ms);
		ay_hook_keep_lazily(g, h);
		h->next_try = 0;
	} else if (d->seq) {
		failed(g, h, text);
	}
	if (goes_on)
		ay_hook_look(g, h);
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
	o.url = ay_bytes_of(ay_hook_text(d->hook, "url"));
	o.ca = ay_bytes_of(ay_hook_text(d->hook, "ca"));
	o.body = ay_bytes_of(d->body);
	(void)ay_outgoing_send(d->g, &o, on_answer, d);
}

static size_t take_hex(const char *hex, uint8_t out[AY_HOOK_WRAPPED_MAX])
{
	size_t n = strlen(hex) / 2;
	struct ay_err e;

	return n <= AY_HOOK_WRAPPED_MAX &&
			       ay_hex_decode(ay_bytes_of(hex), "webhook", out, n, &e) == AY_OK
		       ? n
		       : 0;
}

/* Signs the octets "TIMESTAMP.BODY" and posts BODY. d is freed at its end. */
static void deliver(struct delivery *d)
{
	struct ay_hook *h = d->hook;
	int64_t n = ay_hook_number(h, "n");
	uint8_t now[AY_HOOK_WRAPPED_MAX], old[AY_HOOK_WRAPPED_MAX];
	char now_name[AY_UUID_TEXT + 24], old_name[AY_UUID_TEXT + 24], *message = NULL;
	struct ay_kept_mac m = { .purpose = ay_bytes_of("webhook"), .n = 1 };

	h->is_busy = true;
	snprintf(d->stamp, sizeof(d->stamp), "%lld", (long long)(d->g->now_ms / 1000));
	if (asprintf(&message, "%s.%s", d->stamp, d->body) < 0) {
		ended(d, false, 0, "no memory");
		return;
	}
	ay_hook_secret_name(h, n, now_name);
	ay_hook_secret_name(h, n - 1, old_name);
	m.key[0].object = ay_bytes_of(now_name);
	m.key[0].wrapped = (struct ay_bytes){ now, take_hex(ay_hook_text(h, "secret"), now) };
	if (ay_hook_text(h, "old")[0] && ay_hook_number(h, "old_until") > d->g->now_ms) {
		m.key[1].object = ay_bytes_of(old_name);
		m.key[1].wrapped = (struct ay_bytes){ old, take_hex(ay_hook_text(h, "old"), old) };
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
		 ay_hook_text(h, "name"), (unsigned long long)n);
	AY_LOG(AY_LOG_WARN, "events were lost", AY_LS("text", text));
	ay_event_emit(g, "webhook", NULL, "WEBHOOK_LOST", text);
}

void ay_hook_look(struct ay_engine *g, struct ay_hook *h)
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

void ay_hook_test(struct ay_engine *g, struct ay_hook *h, ay_document_fn *fn, void *arg)
{
	char at[AY_TIME_ROOM], json[64 + AY_TIME_ROOM];
	struct delivery *d;
	struct ay_err e = { 0 };

	ay_time_format(g->now_ms, at);
	snprintf(json, sizeof(json), "{\"at\":\"%s\",\"text\":\"a test\"}", at);
	d = delivery_new(g, h, 0, "test", json);
	if (!d) {
		fn(arg, ay_fail(&e, AY_E_NOMEM, "webhook", 0, "no memory"), &e,
		   (struct ay_bytes){ NULL, 0 });
		return;
	}
	d->fn = fn;
	d->arg = arg;
	deliver(d);
}
