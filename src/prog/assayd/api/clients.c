/* SPDX-License-Identifier: Apache-2.0 */
#include "prog/assayd/api/clients.h"

#include "core/authz/replay.h"
#include "core/base/base64.h"
#include "core/crypto/hash.h"
#include "core/crypto/x509.h"
#include "prog/assayd/rewrap.h"

#include <openssl/crypto.h>
#include <stdlib.h>

static const char floor_key[] = "signed_requests_floor";

struct ay_clients {
	struct ay_client *all;
	struct ay_replay replay;
	struct ay_replay_seen *seen;
	int64_t stored_ms; /* the highest instant that is on disk */
};

static const char *const sources[AY_CLIENT_KINDS] = { "x509", "mtwilson" };

/* ---- rows ---- */

static const char *member(const json_t *o, const char *name)
{
	const char *s = json_string_value(json_object_get(o, name));

	return s == NULL ? "" : s;
}

static bool kind_of(const char *source, enum ay_client_kind *out)
{
	for (int k = 0; k < AY_CLIENT_KINDS; k++)
		if (strcmp(sources[k], source) == 0) {
			*out = (enum ay_client_kind)k;
			return true;
		}
	return false;
}

static bool read_octets(struct ay_client *x, const char *text)
{
	size_t room = strlen(text) / 4 * 3 + 3;

	x->octets = malloc(room);
	return x->octets != NULL &&
	       ay_base64_decode(AY_BASE64_STD, ay_bytes_of(text), "client.octets", x->octets, room,
				&x->octets_n, NULL) == AY_OK;
}

static void client_free(struct ay_client *x)
{
	if (x != NULL)
		free(x->octets);
	free(x);
}

static struct ay_client *client_of(const struct ay_identity_row *r, enum ay_client_kind kind)
{
	AY_CLEANUP(ay_json_unref) json_t *o = json_loads(r->detail, 0, NULL);
	struct ay_client *x = calloc(1, sizeof(*x));

	if (x == NULL || o == NULL || !read_octets(x, member(o, "octets"))) {
		client_free(x);
		return NULL;
	}
	x->kind = kind;
	x->state = (enum ay_identity_state)r->state;
	x->user = r->user;
	x->created_at = r->created_at;
	snprintf(x->subject, sizeof(x->subject), "%s", r->subject);
	snprintf(x->name, sizeof(x->name), "%s", member(o, "name"));
	snprintf(x->comment, sizeof(x->comment), "%s", member(o, "comment"));
	return x;
}

/* Takes the place of the one with its subject. */
static void show(struct ay_clients *cs, struct ay_client *x)
{
	struct ay_client **at = &cs->all;

	while (*at != NULL && ((*at)->kind != x->kind || strcmp((*at)->subject, x->subject) != 0))
		at = &(*at)->next;
	if (*at != NULL) {
		struct ay_client *old = *at;

		*at = old->next;
		client_free(old);
	}
	x->next = cs->all;
	cs->all = x;
}

static void load_row(void *arg, const struct ay_identity_row *r)
{
	enum ay_client_kind kind;
	struct ay_client *x;

	if (!kind_of(r->source, &kind))
		return;
	x = client_of(r, kind);
	if (x != NULL) /* a client that is not there opens nothing */
		show(arg, x);
}

/* ---- loading ---- */

static enum ay_rc load_floor(struct ay_api *a, struct ay_err *e)
{
	struct ay_clients *cs = a->clients;
	struct ay_bytes kept;
	struct ay_arena arena;
	struct ay_reader r;
	enum ay_rc rc;

	ay_arena_init(&arena, 4096);
	rc = ay_store_meta(a->store, floor_key, &arena, &kept, e);
	if (rc == AY_OK) {
		ay_rd_init(&r, kept);
		cs->stored_ms = (int64_t)ay_rd_be64(&r, floor_key);
		rc = ay_rd_end(&r, floor_key, e);
	} else if (rc == AY_E_NOENT) {
		rc = AY_OK;
	}
	ay_arena_fini(&arena);
	ay_replay_init(&cs->replay, cs->seen, AY_MAX_SIGNED_KEPT, cs->stored_ms);
	return rc;
}

enum ay_rc ay_clients_load(struct ay_api *a, struct ay_err *e)
{
	enum ay_rc rc;

	a->clients = calloc(1, sizeof(*a->clients));
	if (a->clients == NULL)
		return ay_fail(e, AY_E_NOMEM, "api.clients", 0, "out of memory");
	/* untouched pages of it cost nothing */
	a->clients->seen = calloc(AY_MAX_SIGNED_KEPT, sizeof(*a->clients->seen));
	if (a->clients->seen == NULL)
		return ay_fail(e, AY_E_NOMEM, "api.clients", 0, "out of memory");
	rc = load_floor(a, e);
	return rc != AY_OK ? rc : ay_store_identities(a->store, load_row, a->clients, e);
}

void ay_clients_free(struct ay_api *a)
{
	if (a->clients == NULL)
		return;
	while (a->clients->all != NULL) {
		struct ay_client *x = a->clients->all;

		a->clients->all = x->next;
		client_free(x);
	}
	free(a->clients->seen);
	free(a->clients);
	a->clients = NULL;
}

const struct ay_client *ay_clients(const struct ay_api *a)
{
	return a->clients->all;
}

struct ay_client *ay_client_find(const struct ay_api *a, enum ay_client_kind kind,
				 const char *subject)
{
	for (struct ay_client *x = a->clients->all; x != NULL; x = x->next)
		if (x->kind == kind && strcmp(x->subject, subject) == 0)
			return x;
	return NULL;
}

/* ---- changes ---- */

static char *detail_of(const struct ay_client *row)
{
	char *text = malloc(AY_BASE64_ROOM(row->octets_n)), *out;
	json_t *o;

	if (text == NULL)
		return NULL;
	ay_base64_encode(AY_BASE64_STD, (struct ay_bytes){ row->octets, row->octets_n }, text);
	o = json_pack("{s:s, s:s, s:s}", "name", row->name, "comment", row->comment, "octets",
		      text);
	free(text);
	out = o == NULL ? NULL : json_dumps(o, JSON_COMPACT);
	json_decref(o);
	return out;
}

enum ay_rc ay_client_put(struct ay_api *a, const struct ay_client *row, struct ay_err *e)
{
	char *detail = detail_of(row);
	struct ay_identity_row r = { .source = sources[row->kind],
				     .subject = row->subject,
				     .user = row->user,
				     .state = (uint8_t)row->state,
				     .detail = detail,
				     .created_at = row->created_at };
	struct ay_write w = { .kind = AY_WR_IDENTITY_PUT, .identity = &r };
	struct ay_client *x = detail == NULL ? NULL : client_of(&r, row->kind);
	enum ay_rc rc = x == NULL ? ay_fail(e, AY_E_NOMEM, "client", 0, "out of memory")
				  : ay_store_write(a->store, &w, 1, NULL, e);

	if (rc == AY_OK)
		show(a->clients, x);
	else
		client_free(x);
	free(detail);
	return rc;
}

static size_t waiting(const struct ay_api *a)
{
	size_t n = 0;

	for (const struct ay_client *x = a->clients->all; x != NULL; x = x->next)
		n += x->state == AY_IDENTITY_ASKED;
	return n;
}

/* A certificate that could sign requests at all. */
static enum ay_rc fit(struct ay_bytes der, struct ay_err *e)
{
	struct ay_pubkey *key = NULL;
	struct ay_cert cert;
	enum ay_rc rc = ay_cert_parse(der, &cert, e);

	if (rc == AY_OK)
		rc = ay_cert_key(&cert, &key, e);
	if (rc == AY_OK && (ay_pubkey_kind(key) != AY_KEY_RSA || ay_pubkey_bits(key) < 2048))
		rc = ay_fail(e, AY_E_INPUT, "certificate", 0,
			     "its key is not RSA of 2048 bits or more");
	ay_pubkey_free(key);
	return rc;
}

static void copy(char *to, size_t room, struct ay_bytes from)
{
	snprintf(to, room, "%.*s", (int)(from.n < room ? from.n : room - 1),
		 from.n == 0 ? "" : (const char *)from.p);
}

enum ay_rc ay_client_ask(struct ay_api *a, struct ay_bytes der, struct ay_bytes name,
			 struct ay_bytes comment, const struct ay_client **out, struct ay_err *e)
{
	struct ay_client row = { .kind = AY_CLIENT_X509,
				 .state = AY_IDENTITY_ASKED,
				 .created_at = a->now_ms,
				 .octets = (uint8_t *)(uintptr_t)der.p,
				 .octets_n = der.n };
	uint8_t print[32];
	enum ay_rc rc = fit(der, e);

	*out = NULL;
	if (rc != AY_OK)
		return rc;
	ay_sha256(der, print);
	ay_hex_encode(AY_BYTES(print), row.subject);
	if (ay_client_find(a, row.kind, row.subject) != NULL)
		return ay_fail(e, AY_E_EXISTS, "certificate", 0, "it was asked for before");
	if (AY_CHECKED("CLIENTS_ASKED", waiting(a) >= AY_MAX_CLIENTS_ASKED))
		return ay_fail(e, AY_E_LIMIT, "certificate", 0,
			       "too many wait for an administrator already");
	copy(row.name, sizeof(row.name), name);
	copy(row.comment, sizeof(row.comment), comment);
	rc = ay_client_put(a, &row, e);
	if (rc == AY_OK)
		*out = ay_client_find(a, row.kind, row.subject);
	return rc;
}

/* ---- once ---- */

/* Before a request signed for a later time than any before is done, that time is on disk. */
static enum ay_rc keep_floor(struct ay_api *a, struct ay_err *e)
{
	struct ay_clients *cs = a->clients;
	int64_t highest = ay_replay_highest(&cs->replay);
	uint8_t octets[8];
	struct ay_writer out;
	struct ay_bytes value;
	struct ay_write w = { .kind = AY_WR_META };
	enum ay_rc rc;

	if (highest <= cs->stored_ms)
		return AY_OK;
	ay_wr_init(&out, octets, sizeof(octets));
	ay_wr_be64(&out, (uint64_t)highest);
	rc = ay_wr_end(&out, floor_key, &value, e);
	w.meta.key = floor_key;
	w.meta.value = value;
	if (rc == AY_OK)
		rc = ay_store_write(a->store, &w, 1, NULL, e);
	if (rc == AY_OK)
		cs->stored_ms = highest;
	return rc;
}

enum ay_rc ay_signed_once(struct ay_api *a, const char *signer, struct ay_bytes signature,
			  int64_t date_ms, struct ay_err *e)
{
	struct ay_bytes who = ay_bytes_of(signer);
	struct ay_hash h;
	uint8_t id[32];
	enum ay_rc rc;

	if (!ay_hash_init(&h, AY_ALG_SHA256))
		return ay_fail(e, AY_E_BUG, "signed", 0, "no SHA-256");
	who.n++; /* with its terminator: no signer's name runs into the signature */
	ay_hash_update(&h, who);
	ay_hash_update(&h, signature);
	ay_hash_final(&h, id);
	rc = ay_replay_take(&a->clients->replay, id, date_ms,
			    a->now_ms - AY_MAX_SIGNED_AGE_S * INT64_C(1000), e);
	return rc != AY_OK ? rc : keep_floor(a, e);
}

/* ---- under a new key of keeper (rewrap.h) ---- */

bool ay_client_kept_at(struct ay_api *a, size_t i, struct ay_kept_row *out)
{
	const struct ay_client *x = a->clients->all;

	for (; x != NULL && i > 0; i--)
		x = x->next;
	if (x == NULL)
		return false;
	if (x->kind != AY_CLIENT_HMAC)
		return true;
	out->object_n = strlen(x->subject);
	memcpy(out->object, x->subject, out->object_n);
	out->wrapped = (struct ay_bytes){ x->octets, x->octets_n };
	return true;
}

enum ay_rc ay_client_kept_put(struct ay_api *a, const struct ay_kept_row *row,
			      struct ay_bytes fresh, struct ay_err *e)
{
	char subject[sizeof(row->object) + 1] = "";
	const struct ay_client *x;
	struct ay_client next;

	memcpy(subject, row->object, row->object_n);
	x = ay_client_find(a, AY_CLIENT_HMAC, subject);
	if (x == NULL || !ay_bytes_eq((struct ay_bytes){ x->octets, x->octets_n }, row->wrapped))
		return AY_OK; /* another one meanwhile */
	next = *x;
	next.octets = (uint8_t *)(uintptr_t)fresh.p;
	next.octets_n = fresh.n;
	return ay_client_put(a, &next, e);
}
