/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A client that did not hear the answer asks again with the same
 * Idempotency-Key, for a day. That it began is stored before it is done, its
 * answer before it is sent; so it is done once at most, whatever is cut short.
 */
#include "core/crypto/hash.h"
#include "prog/assayd/api/call.h"

#include <openssl/crypto.h>
#include <stdlib.h>

enum { KEY_MAX = 200, KEPT_MAX = 1024 * 1024 };

struct ay_idem {
	uint8_t key[32], request[32];
	bool open; /* this call does it */
};

/* What is told once and not kept. */
static const char *const secrets[] = { "token",	     "secret",	 "password", "totp",
				       "key_secret", "recovery", "link",     "uri",
				       "csrf",	     "codes" };

static void put(struct ay_hash *h, struct ay_bytes b)
{
	uint64_t n = b.n;

	ay_hash_update(h, (struct ay_bytes){ (const uint8_t *)&n, sizeof(n) });
	ay_hash_update(h, b);
}

static struct ay_idem *idem_new(const struct ay_api_call *c, const struct ay_api_request *r,
				struct ay_bytes key)
{
	struct ay_idem *i = calloc(1, sizeof(*i));
	struct ay_bytes method = ay_bytes_of(c->route->path);
	struct ay_hash of_key, of_request;

	if (i == NULL || !ay_hash_init(&of_key, AY_ALG_SHA256) ||
	    !ay_hash_init(&of_request, AY_ALG_SHA256)) {
		free(i);
		return NULL;
	}
	put(&of_key, ay_bytes_of("assay-idempotency-1"));
	put(&of_key, ay_bytes_of(c->who.user));
	put(&of_key, key);
	ay_hash_final(&of_key, i->key);
	put(&of_request, method);
	put(&of_request, r->path);
	put(&of_request, r->query);
	put(&of_request, r->body);
	ay_hash_final(&of_request, i->request);
	return i;
}

static bool is_key(struct ay_bytes key)
{
	for (size_t i = 0; i < key.n; i++)
		if (key.p[i] <= 0x20 || key.p[i] >= 0x7f)
			return false;
	return key.n > 0 && key.n <= KEY_MAX;
}

static bool is_under_way(const struct ay_api_call *c, const struct ay_idem *i)
{
	for (const struct ay_api_call *o = c->api->calls; o != NULL; o = o->next)
		if (o != c && o->idem != NULL && o->idem->open &&
		    memcmp(o->idem->key, i->key, sizeof(i->key)) == 0)
			return true;
	return false;
}

/* ---- what is known of a key ---- */

struct known {
	struct ay_api_call *call;
	bool found, same, secret, no_body;
	uint32_t status;
	const char *location;
	json_t *body;
};

static void see(void *arg, const struct ay_idem_row *row)
{
	struct known *k = arg;
	const struct ay_idem *i = k->call->idem;

	if (row->at < k->call->api->now_ms - AY_IDEM_MS)
		return;
	k->found = true;
	k->same = row->request.n == sizeof(i->request) &&
		  CRYPTO_memcmp(row->request.p, i->request, sizeof(i->request)) == 0;
	k->secret = row->secret;
	k->status = row->status;
	k->no_body = row->body.n == 0;
	k->location = ay_arena_str(&k->call->arena, ay_bytes_of(row->location));
	if (row->body.n > 0)
		k->body = json_loadb((const char *)row->body.p, row->body.n, 0, NULL);
}

static void refuse(struct ay_api_call *c, int status, const char *code, const char *text)
{
	struct ay_err e = { 0 };

	if (ay_fail_code(&e, AY_E_EXISTS, code, "idempotency-key", "%s", text) != AY_OK)
		ay_api_problem_as(c, status, &e, NULL, NULL);
}

/* The answer of then, or why it cannot be given. Takes k->body. */
static void repeat(struct ay_api_call *c, struct known *k)
{
	const char *id = json_string_value(json_object_get(k->body, "id"));
	char text[120];

	if (k->location != NULL && k->location[0] != '\0')
		ay_api_header(c, "location", k->location);
	if (AY_CHECKED("IDEMPOTENCY_REQUEST", !k->same)) {
		refuse(c, 422, "IDEMPOTENCY_REUSED", "this key was used for another request");
	} else if (k->status == 0) {
		refuse(c, 409, "IDEMPOTENCY_UNKNOWN",
		       "the server stopped while it did this: look whether it is done");
	} else if (k->secret) {
		snprintf(text, sizeof(text),
			 "done, and its secret was told once: end %.40s, ask "
			 "with another key",
			 id == NULL ? "it" : id);
		refuse(c, 409, "IDEMPOTENCY_SECRET", text);
	} else if (k->no_body && k->status != 204) {
		refuse(c, 409, "IDEMPOTENCY_LONG", "done, and its answer was too long to keep");
	} else {
		ay_api_header(c, "idempotency-replayed", "true");
		if (k->body == NULL)
			ay_api_empty(c, (int)k->status);
		else
			ay_api_json(c, (int)k->status, json_incref(k->body));
	}
	json_decref(k->body);
}

static enum ay_rc keep(struct ay_api_call *c, struct ay_idem_row *row, struct ay_err *e)
{
	struct ay_write w = { .kind = AY_WR_IDEM_PUT, .idem = row };

	row->key = AY_BYTES(c->idem->key);
	row->request = AY_BYTES(c->idem->request);
	row->at = c->api->now_ms;
	return ay_store_write(c->api->store, &w, 1, NULL, e);
}

bool ay_idem_begin(struct ay_api_call *c, const struct ay_api_request *r)
{
	struct ay_bytes key = ay_api_request_header(r, "idempotency-key");
	struct known k = { .call = c };
	struct ay_idem_row row = { .status = 0 };
	struct ay_err e = { 0 };

	if (key.p == NULL || c->route->method != AY_HTTP_POST || !c->who.known)
		return true;
	if (json_object_get(c->body, "password") != NULL)
		return true; /* no fast hash of one is kept; setting it twice does no harm */
	if (!is_key(key)) {
		refuse(c, 400, "IDEMPOTENCY_KEY", "1 to 200 visible ASCII characters");
		return false;
	}
	c->idem = idem_new(c, r, key);
	if (c->idem == NULL) {
		ay_err_set(&e, AY_E_NOMEM, "idempotency-key", 0, "out of memory");
		ay_api_problem(c, &e);
		return false;
	}
	if (is_under_way(c, c->idem)) {
		ay_api_header(c, "retry-after", "1");
		refuse(c, 409, "IDEMPOTENCY_BUSY", "the first request is still being worked on");
		return false;
	}
	if (ay_api_refused(c, ay_store_idem(c->api->store, AY_BYTES(c->idem->key), see, &k, &e),
			   &e))
		return false;
	if (AY_CHECKED("IDEMPOTENCY_ONCE", k.found)) {
		repeat(c, &k);
		return false;
	}
	json_decref(k.body);
	if (ay_api_refused(c, keep(c, &row, &e), &e))
		return false;
	c->idem->open = true;
	return true;
}

/* ---- the end ---- */

/* A copy without what is told once; *secret: there was some. */
static json_t *without_secrets(json_t *body, bool *secret)
{
	json_t *copy = json_copy(body);

	*secret = false;
	for (size_t i = 0; i < AY_COUNT(secrets); i++)
		*secret = json_object_del(copy, secrets[i]) == 0 || *secret;
	return copy;
}

static void forget(struct ay_api_call *c)
{
	struct ay_write w = { .kind = AY_WR_IDEM_DROP, .id = AY_BYTES(c->idem->key) };
	struct ay_err e;

	if (ay_store_write(c->api->store, &w, 1, NULL, &e) != AY_OK)
		return; /* it stays as begun: refused for a day rather than done twice */
}

static const char *location_of(struct ay_api_call *c)
{
	for (size_t i = 0; i < c->n_extra; i++)
		if (ay_bytes_eq(c->extra[i].name, ay_bytes_of("location")))
			return ay_arena_str(&c->arena, c->extra[i].value);
	return NULL;
}

void ay_idem_end(struct ay_api_call *c, int status, json_t *body)
{
	struct ay_idem_row row = { .status = (uint32_t)status };
	json_t *kept;
	char *text;
	struct ay_err e;

	if (c->idem == NULL || !c->idem->open)
		return;
	c->idem->open = false;
	if (c->api->witnessing == c)
		ay_api_witness_end(c->api); /* what is kept of it is no change */
	/* nothing was done, or the client left before it was: the key is free again */
	if (status >= 400 || (c->gone && status == 204 && c->route->response != AY_SCHEMA_NONE)) {
		forget(c);
		return;
	}
	kept = without_secrets(body, &row.secret);
	text = kept == NULL ? NULL : json_dumps(kept, JSON_COMPACT);
	if (text != NULL && strlen(text) <= KEPT_MAX)
		row.body = ay_bytes_of(text);
	row.location = location_of(c);
	if (keep(c, &row, &e) != AY_OK)
		row.status = 0; /* as begun */
	free(text);
	json_decref(kept);
}
