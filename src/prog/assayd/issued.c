/* SPDX-License-Identifier: Apache-2.0 */
#include "prog/assayd/engine_impl.h"

#include "core/crypto/hash.h"

#include <stdlib.h>

/*
 * Assertions that were signed already, by the hash of what they assert. Any
 * change of verdict, evidence, policy, host or certificate is a change of the
 * claims, so that nothing has to be dropped: it is not found any more. One
 * with a nonce of the requester serves once and is not kept.
 */
#define SLOTS 1024 /* each holds the newest of those that fall into it */

struct ay_issued {
	uint8_t claims[32];
	int64_t until_ms; /* the lease that it states */
	struct ay_blob *document;
};

struct signing {
	uint8_t claims[32];
	int64_t until_ms;
	ay_document_fn *fn;
	void *arg;
};

static struct ay_issued *slot_of(struct ay_engine *g, const uint8_t claims[32])
{
	if (!g->issued)
		g->issued = calloc(SLOTS, sizeof(*g->issued));
	return g->issued ? &g->issued[(claims[0] << 8 | claims[1]) % SLOTS] : NULL;
}

static void keep(struct ay_engine *g, const struct signing *s, struct ay_bytes document)
{
	struct ay_issued *slot = slot_of(g, s->claims);
	struct ay_blob *b = slot ? ay_blob_new(document) : NULL;

	if (!b)
		return;
	ay_blob_unref(slot->document);
	memcpy(slot->claims, s->claims, sizeof(slot->claims));
	slot->until_ms = s->until_ms;
	slot->document = b;
}

static void on_signed(struct ay_engine *g, void *arg, enum ay_rc rc, const struct ay_err *e,
		      struct ay_bytes document)
{
	struct signing *s = arg;

	if (rc == AY_OK)
		keep(g, s, document);
	s->fn(s->arg, rc, e, document);
	free(s);
}

/* What is signed, how, and by which keys: new keys are not found where old ones signed. */
static bool name_of(const struct ay_engine *g, uint16_t type, struct ay_bytes claims,
		    uint8_t out[32])
{
	uint8_t kind[2] = { (uint8_t)(type >> 8), (uint8_t)type };
	struct ay_hash h;

	if (!ay_hash_init(&h, AY_ALG_SHA256))
		return false;
	ay_hash_update(&h, AY_BYTES(kind));
	ay_hash_update(&h, AY_BYTES(g->signer_keys));
	ay_hash_update(&h, claims);
	ay_hash_final(&h, out);
	return true;
}

void ay_issued_get(struct ay_engine *g, uint16_t type, struct ay_bytes claims, int64_t until_ms,
		   ay_document_fn *fn, void *arg)
{
	struct ay_issued *slot;
	struct signing *s;
	uint8_t hash[32] = { 0 };
	bool named = name_of(g, type, claims, hash);

	slot = named ? slot_of(g, hash) : NULL;
	if (slot && slot->document && memcmp(slot->claims, hash, 32) == 0 &&
	    g->now_ms < slot->until_ms) {
		struct ay_blob *b = ay_blob_ref(slot->document);

		fn(arg, AY_OK, NULL, ay_blob_data(b));
		ay_blob_unref(b);
		return;
	}
	s = named ? malloc(sizeof(*s)) : NULL;
	if (!s) {
		ay_relay_document(g, g->signer, type, claims, fn, arg);
		return;
	}
	*s = (struct signing){ .until_ms = until_ms, .fn = fn, .arg = arg };
	memcpy(s->claims, hash, sizeof(hash));
	ay_relay_ask(g, g->signer, type, claims, on_signed, s);
}

void ay_issued_fini(struct ay_engine *g)
{
	for (size_t i = 0; g->issued && i < SLOTS; i++)
		ay_blob_unref(g->issued[i].document);
	free(g->issued);
	g->issued = NULL;
}

/* ---- the audit's head ---- */

struct sealing {
	struct ay_signed_head head;
	ay_head_fn *fn;
	void *arg;
};

static void on_sealed(struct ay_engine *g, void *arg, enum ay_rc rc, const struct ay_err *e,
		      struct ay_bytes answer)
{
	struct sealing *s = arg;
	struct ay_err bad;

	if (rc == AY_OK && (answer.n <= sizeof(s->head.signature) ||
			    answer.n > sizeof(s->head.signature) + sizeof(s->head.key))) {
		rc = ay_fail(&bad, AY_E_BUG, "head", 0, "signer's answer has a wrong length");
		e = &bad;
	}
	if (rc == AY_OK) {
		memcpy(s->head.signature, answer.p, sizeof(s->head.signature));
		s->head.key_n = answer.n - sizeof(s->head.signature);
		memcpy(s->head.key, answer.p + sizeof(s->head.signature), s->head.key_n);
		g->head = s->head;
		ay_event_head(g, &s->head);
	}
	s->fn(s->arg, rc, e, rc == AY_OK ? &s->head : NULL);
	free(s);
}

void ay_engine_audit_head(struct ay_engine *g, uint64_t size, const uint8_t root[32],
			  ay_head_fn *fn, void *arg)
{
	struct ay_sign_head ask = { .size = size, .at_ms = g->now_ms };
	struct sealing *s;
	uint8_t buf[256];
	struct ay_writer w;
	struct ay_bytes body;
	struct ay_err e = { 0 };

	if (g->head.key_n && g->head.size == size && memcmp(g->head.root, root, 32) == 0) {
		fn(arg, AY_OK, &e, &g->head);
		return;
	}
	s = calloc(1, sizeof(*s));
	memcpy(ask.root, root, sizeof(ask.root));
	ay_wr_init(&w, buf, sizeof(buf));
	ay_sign_head_build(&w, &ask);
	if (!s || ay_wr_end(&w, "head", &body, &e) != AY_OK) {
		free(s);
		e.rc = ay_fail(&e, AY_E_NOMEM, "head", 0, "no memory");
		fn(arg, e.rc, &e, NULL);
		return;
	}
	*s = (struct sealing){ .head = { .size = size, .at_ms = ask.at_ms }, .fn = fn, .arg = arg };
	memcpy(s->head.root, root, sizeof(s->head.root));
	ay_relay_ask(g, g->signer, AY_MSG_SIGN_HEAD, body, on_sealed, s);
}
