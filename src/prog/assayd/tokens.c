/* SPDX-License-Identifier: Apache-2.0 */
#include "prog/assayd/engine_impl.h"

#include "core/base/hex.h"
#include "core/crypto/token.h"
#include "io/sys/rng.h"

#include <stdlib.h>
#include <unistd.h>

#define USES_MAX 1000000

/* Enrolment tokens in memory: K, never the secret. */
struct ay_etoken {
	struct ay_etoken *next;
	struct ay_token_view v;
	uint32_t uses, used;
	int64_t created_ms, expires_ms;
	bool revoked;
};

static struct ay_etoken *find(struct ay_engine *g, const uint8_t id[16])
{
	struct ay_etoken *t = g->tokens;

	while (t && memcmp(t->v.id, id, 16) != 0)
		t = t->next;
	return t;
}

static bool is_live(const struct ay_engine *g, const struct ay_etoken *t)
{
	return !t->revoked && t->used < t->uses && g->now_ms < t->expires_ms;
}

size_t ay_tokens_older(const struct ay_engine *g, int64_t before_ms)
{
	size_t n = 0;

	for (const struct ay_etoken *t = g->tokens; t; t = t->next)
		n += is_live(g, t) && t->created_ms < before_ms;
	return n;
}

/* False: a list that cannot be read, which must not be taken for none. */
static bool load_eks(struct ay_token_view *v, const char *text)
{
	json_t *list = text ? json_loads(text, 0, NULL) : NULL;
	bool ok = json_is_array(list) && json_array_size(list) <= AY_MAX_TOKEN_EKS;

	for (size_t i = 0; ok && i < json_array_size(list); i++) {
		const char *hex = json_string_value(json_array_get(list, i));

		ok = hex && ay_hex_decode(ay_bytes_of(hex), "token.eks", v->ek[v->n_eks++], 32,
					  NULL) == AY_OK;
	}
	json_decref(list);
	return ok;
}

static json_t *eks_json(const struct ay_token_view *v)
{
	json_t *list = json_array();
	char hex[65];

	for (size_t i = 0; i < v->n_eks; i++) {
		ay_hex_encode(AY_BYTES(v->ek[i]), hex);
		json_array_append_new(list, json_string(hex));
	}
	return list;
}

static void load(void *arg, const struct ay_token_row *row)
{
	struct ay_engine *g = arg;
	struct ay_etoken *t;

	if (row->id.n != 16 || !(t = calloc(1, sizeof(*t))))
		return;
	memcpy(t->v.id, row->id.p, 16);
	if (row->k.n == 32)
		memcpy(t->v.k, row->k.p, 32);
	t->v.for_host = row->for_host;
	t->v.host = row->host;
	snprintf(t->v.pool, sizeof(t->v.pool), "%s", row->pool ? row->pool : "");
	t->uses = row->uses;
	t->used = row->used;
	t->created_ms = row->created_at;
	t->expires_ms = row->expires_at;
	t->revoked = row->revoked || row->k.n != 32 || !load_eks(&t->v, row->ek_list);
	t->next = g->tokens;
	g->tokens = t;
}

enum ay_rc ay_tokens_load(struct ay_engine *g, struct ay_err *e)
{
	return ay_store_tokens(g->store, load, g, e);
}

void ay_tokens_fini(struct ay_engine *g)
{
	struct ay_etoken *t;

	while ((t = g->tokens)) {
		g->tokens = t->next;
		ay_wipe(t, sizeof(*t));
		free(t);
	}
}

/* ---- use ---- */

enum ay_rc ay_tokens_find(struct ay_engine *g, struct ay_bytes id_text, struct ay_token_view *out,
			  struct ay_err *e)
{
	uint8_t id[16];
	const struct ay_etoken *t;

	*out = (struct ay_token_view){ 0 };
	if (id_text.n != 32 || ay_hex_decode(id_text, "token.id", id, sizeof(id), e) != AY_OK)
		return ay_fail_code(e, AY_E_INPUT, "TOKEN_UNKNOWN", "token", "not a token id");
	t = find(g, id);
	if (!t)
		return ay_fail_code(e, AY_E_DENIED, "TOKEN_UNKNOWN", "token", "no such token");
	if (AY_CHECKED("TOKEN_REVOKED", t->revoked))
		return ay_fail_code(e, AY_E_DENIED, "TOKEN_REVOKED", "token", "token was revoked");
	if (AY_CHECKED("TOKEN_SPENT", t->used >= t->uses))
		return ay_fail_code(e, AY_E_DENIED, "TOKEN_SPENT", "token", "token was used up");
	if (AY_CHECKED("TOKEN_EXPIRED", g->now_ms >= t->expires_ms))
		return ay_fail_code(e, AY_E_DENIED, "TOKEN_EXPIRED", "token", "token has expired");
	*out = t->v;
	return AY_OK;
}

void ay_tokens_used(struct ay_engine *g, const uint8_t id[16])
{
	struct ay_etoken *t = find(g, id);

	if (t)
		t->used++;
}

/* ---- creation ---- */

/* Where agents dial: as configured, else this machine's name with the port in use. */
static bool put_servers(const struct ay_engine *g, struct ay_token *t)
{
	const char *p = g->set.servers;
	char name[128] = "";
	const char *port = strrchr(g->agents_addr, ':');
	bool any = strncmp(g->agents_addr, "0.0.0.0:", 8) == 0 ||
		   strncmp(g->agents_addr, "[::]:", 5) == 0;

	while (*p && t->n_servers < AY_TOKEN_SERVERS_MAX) {
		size_t n = strcspn(p, ", ");

		if (n >= AY_TOKEN_SERVER_MAX)
			return false;
		if (n)
			memcpy(t->servers[t->n_servers++], p, n);
		p += n + strspn(p + n, ", ");
	}
	if (t->n_servers)
		return true;
	if (!port || gethostname(name, sizeof(name) - 1) != 0)
		return false;
	if (any)
		snprintf(t->servers[0], AY_TOKEN_SERVER_MAX, "%s%s", name, port);
	else
		snprintf(t->servers[0], AY_TOKEN_SERVER_MAX, "%s", g->agents_addr);
	t->n_servers = 1;
	return true;
}

static enum ay_rc check_spec(struct ay_engine *g, const struct ay_token_spec *spec,
			     struct ay_etoken *t, struct ay_err *e)
{
	const struct ay_host *h;

	if (!g->have_front || !g->have_signer || !g->have_ca)
		return ay_fail_code(e, AY_E_UNAVAIL, "UNAVAIL", "token",
				    "server is still starting");
	if (spec->host.n) {
		h = ay_engine_host_find(g, spec->host);
		if (!h)
			return ay_fail(e, AY_E_NOENT, "host", 0, "no such host");
		t->v.for_host = true;
		t->v.host = h->id;
	}
	if (spec->pool.n > AY_MAX_NAME_BYTES)
		return ay_fail(e, AY_E_LIMIT, "pool", 0, "name is too long");
	if (spec->pool.n)
		memcpy(t->v.pool, spec->pool.p, spec->pool.n);
	if (spec->n_eks > AY_MAX_TOKEN_EKS)
		return ay_fail(e, AY_E_LIMIT, "eks", 0, "a token names at most %d EKs",
			       AY_MAX_TOKEN_EKS);
	t->v.n_eks = spec->n_eks;
	if (spec->n_eks)
		memcpy(t->v.ek, spec->ek, spec->n_eks * 32);
	t->uses = spec->uses ? spec->uses : 1;
	if (t->uses > USES_MAX || (t->v.for_host && t->uses > 1))
		return ay_fail(e, AY_E_INPUT, "uses", 0, "a token of one host serves once");
	t->created_ms = g->now_ms;
	t->expires_ms = g->now_ms + (spec->ttl_ms > 0 ? spec->ttl_ms : g->set.token_life_ms);
	return AY_OK;
}

static enum ay_rc store_token(struct ay_engine *g, const struct ay_etoken *t, struct ay_err *e)
{
	json_t *list = eks_json(&t->v);
	char *eks = json_dumps(list, JSON_COMPACT);
	struct ay_token_row row = { .id = AY_BYTES(t->v.id),
				    .k = AY_BYTES(t->v.k),
				    .uses = t->uses,
				    .created_at = t->created_ms,
				    .expires_at = t->expires_ms,
				    .for_host = t->v.for_host,
				    .host = t->v.host,
				    .pool = t->v.pool,
				    .ek_list = eks,
				    .created_by = "" };
	struct ay_write w = { .kind = AY_WR_TOKEN_ADD, .token = &row };
	struct ay_store_result res;
	enum ay_rc rc;

	json_decref(list);
	rc = eks ? ay_store_write(g->store, &w, 1, &res, e)
		 : ay_fail(e, AY_E_NOMEM, "token", 0, "no memory");
	free(eks);
	return rc;
}

enum ay_rc ay_engine_token_create(struct ay_engine *g, const struct ay_token_spec *spec, char *text,
				  char id[33], int64_t *until_ms, struct ay_err *e)
{
	struct ay_etoken *t = calloc(1, sizeof(*t));
	struct ay_token token = { 0 };
	enum ay_rc rc;

	if (!t)
		return ay_fail(e, AY_E_NOMEM, "token", 0, "no memory");
	rc = check_spec(g, spec, t, e);
	if (rc == AY_OK && !put_servers(g, &token))
		rc = ay_fail(e, AY_E_INPUT, "servers", 0, "no address for agents to dial");
	if (rc == AY_OK) {
		ay_rng_bytes(t->v.id, sizeof(t->v.id));
		ay_rng_bytes(token.secret, sizeof(token.secret));
		ay_hex_encode(AY_BYTES(t->v.id), token.id);
		memcpy(token.root, g->root_spki, 32);
		memcpy(token.ca, g->ca_root_spki, 32);
		memcpy(token.order, g->order_spki, 32);
		ay_pinning_token(g, &token);
		ay_token_key(token.secret, t->v.k);
		rc = ay_token_build(&token, text, e);
	}
	if (rc == AY_OK)
		rc = store_token(g, t, e);
	if (rc == AY_OK) {
		memcpy(id, token.id, 33);
		*until_ms = t->expires_ms;
		t->next = g->tokens;
		g->tokens = t;
	} else {
		free(t);
	}
	ay_wipe(&token, sizeof(token));
	return rc;
}

/* ---- lists ---- */

static json_t *token_json(struct ay_engine *g, const struct ay_etoken *t)
{
	char id[33], until[AY_TIME_ROOM], created[AY_TIME_ROOM];
	const struct ay_host *h = t->v.for_host ? ay_hosts_by_id(g, &t->v.host) : NULL;
	const char *state = t->revoked			 ? "revoked"
			    : t->used >= t->uses	 ? "spent"
			    : g->now_ms >= t->expires_ms ? "expired"
							 : "open";

	ay_hex_encode(AY_BYTES(t->v.id), id);
	ay_time_format(t->expires_ms, until);
	ay_time_format(t->created_ms, created);
	return json_pack("{s:s,s:s?,s:s,s:i,s:i,s:s,s:s,s:s,s:o}", "id", id, "host",
			 h ? h->name : NULL, "pool", t->v.pool, "uses", (int)t->uses, "uses_left",
			 is_live(g, t) ? (int)(t->uses - t->used) : 0, "state", state, "created_at",
			 created, "until", until, "eks", eks_json(&t->v));
}

enum ay_rc ay_engine_tokens(struct ay_engine *g, json_t **out, struct ay_err *e)
{
	json_t *list = json_array();

	for (const struct ay_etoken *t = g->tokens; t && list; t = t->next)
		if (json_array_append_new(list, token_json(g, t)) != 0) {
			json_decref(list);
			list = NULL;
		}
	*out = list;
	return list ? AY_OK : ay_fail(e, AY_E_NOMEM, "tokens", 0, "no memory");
}

enum ay_rc ay_engine_token(struct ay_engine *g, struct ay_bytes id_text, json_t **out,
			   struct ay_err *e)
{
	uint8_t id[16];
	const struct ay_etoken *t = NULL;

	*out = NULL;
	if (id_text.n == 32 && ay_hex_decode(id_text, "token.id", id, sizeof(id), e) == AY_OK)
		t = find(g, id);
	if (!t)
		return ay_fail(e, AY_E_NOENT, "token", 0, "no such token");
	*out = token_json(g, t);
	return *out ? AY_OK : ay_fail(e, AY_E_NOMEM, "tokens", 0, "no memory");
}

enum ay_rc ay_engine_token_revoke(struct ay_engine *g, struct ay_bytes id_text, struct ay_err *e)
{
	uint8_t id[16];
	struct ay_write w = { .kind = AY_WR_TOKEN_REVOKE };
	struct ay_store_result res;
	struct ay_etoken *t;
	enum ay_rc rc = ay_hex_decode(id_text, "token.id", id, sizeof(id), e);

	if (rc != AY_OK)
		return rc;
	t = find(g, id);
	if (!t)
		return ay_fail(e, AY_E_NOENT, "token", 0, "no such token");
	w.id = AY_BYTES(id);
	rc = ay_store_write(g->store, &w, 1, &res, e);
	if (rc == AY_OK) {
		t->revoked = true;
		ay_wipe(t->v.k, sizeof(t->v.k));
	}
	return rc;
}
