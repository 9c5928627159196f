/* SPDX-License-Identifier: Apache-2.0 */
#include "core/authz/order.h"

#include <string.h>

#include "core/base/reader.h"
#include "core/base/writer.h"
#include "core/crypto/hash.h"
#include "core/crypto/key.h"

static const char label[] = "assay-order-1";

static const struct {
	enum ay_order_verb verb;
	const char *name;
	size_t approvers;
} verbs[] = {
#define X(symbol, number, text, approvers, doc) { AY_ORDER_##symbol, (text), (approvers) },
#include "core/authz/order.def"
#undef X
};

const char *ay_order_name(enum ay_order_verb v)
{
	for (size_t i = 0; i < AY_COUNT(verbs); i++)
		if (verbs[i].verb == v)
			return verbs[i].name;
	return NULL;
}

bool ay_order_verb_of(struct ay_bytes name, enum ay_order_verb *out)
{
	*out = (enum ay_order_verb)0;
	for (size_t i = 0; i < AY_COUNT(verbs); i++)
		if (ay_bytes_eq(name, ay_bytes_of(verbs[i].name)))
			*out = verbs[i].verb;
	return *out != 0;
}

size_t ay_order_approvers(enum ay_order_verb v)
{
	for (size_t i = 0; i < AY_COUNT(verbs); i++)
		if (verbs[i].verb == v)
			return verbs[i].approvers;
	return AY_MAX_APPROVERS + 1;
}

/* ---- the statement ---- */

enum ay_rc ay_order_write(const struct ay_order *o, uint8_t out[AY_ORDER_STATEMENT_MAX],
			  struct ay_bytes *statement, struct ay_err *e)
{
	struct ay_writer w;

	ay_wr_init(&w, out, AY_ORDER_STATEMENT_MAX);
	ay_wr_str(&w, label);
	ay_wr_bytes(&w, AY_BYTES(o->host.b));
	ay_wr_u8(&w, (uint8_t)o->verb);
	ay_wr_bytes(&w, AY_BYTES(o->args));
	ay_wr_bytes(&w, AY_BYTES(o->id.b));
	ay_wr_bytes(&w, AY_BYTES(o->nonce));
	ay_wr_be64(&w, (uint64_t)o->expires_ms);
	ay_wr_u8(&w, (uint8_t)o->n_approvers);
	for (size_t i = 0; i < o->n_approvers; i++)
		ay_wr_vec8(&w, o->approver[i]);
	return ay_wr_end(&w, "order", statement, e);
}

static void read_approvers(struct ay_reader *r, struct ay_order *o)
{
	o->n_approvers = ay_rd_u8(r, "order.approvers");
	if (o->n_approvers > AY_MAX_APPROVERS) {
		ay_rd_limit(r, "order.approvers", o->n_approvers, AY_MAX_APPROVERS);
		return;
	}
	for (size_t i = 0; i < o->n_approvers; i++) {
		o->approver[i] = ay_rd_vec8(r, "order.approver", AY_MAX_NAME_BYTES);
		if (ay_rd_ok(r) && o->approver[i].n == 0)
			ay_rd_reject(r, "order.approver", "an approver without a name");
	}
}

enum ay_rc ay_order_parse(struct ay_bytes statement, struct ay_order *out, struct ay_err *e)
{
	struct ay_reader r;
	struct ay_order o = { 0 };
	enum ay_rc rc;

	memset(out, 0, sizeof(*out));
	ay_rd_init(&r, statement);
	if (!ay_bytes_eq(ay_rd_bytes(&r, "order.label", sizeof(label) - 1), ay_bytes_of(label)))
		ay_rd_reject(&r, "order.label", "not an order");
	ay_rd_copy(&r, "order.host", o.host.b, sizeof(o.host.b));
	o.verb = (enum ay_order_verb)ay_rd_u8(&r, "order.verb");
	if (ay_rd_ok(&r) && ay_order_name(o.verb) == NULL)
		ay_rd_reject(&r, "order.verb", "unknown verb %u", (unsigned)o.verb);
	ay_rd_copy(&r, "order.args", o.args, sizeof(o.args));
	ay_rd_copy(&r, "order.id", o.id.b, sizeof(o.id.b));
	ay_rd_copy(&r, "order.nonce", o.nonce, sizeof(o.nonce));
	o.expires_ms = (int64_t)ay_rd_be64(&r, "order.expiry");
	read_approvers(&r, &o);
	rc = ay_rd_end(&r, "order", e);
	if (rc == AY_OK)
		*out = o;
	return rc;
}

/* ---- may it be given, must it be obeyed ---- */

static enum ay_rc refuse(struct ay_err *e, const char *code, const char *text)
{
	return ay_fail_code(e, AY_E_DENIED, code, "order", "%s", text);
}

static bool names_one_twice(const struct ay_order *o)
{
	for (size_t i = 0; i < o->n_approvers; i++)
		for (size_t j = 0; j < i; j++)
			if (ay_bytes_eq(o->approver[i], o->approver[j]))
				return true;
	return false;
}

static enum ay_rc check_approvers(const struct ay_order *o, struct ay_err *e)
{
	if (AY_CHECKED("ORDER_APPROVER_TWICE", names_one_twice(o)))
		return refuse(e, "ORDER_APPROVERS", "the same approver is named twice");
	if (AY_CHECKED("ORDER_APPROVERS", o->n_approvers < ay_order_approvers(o->verb)))
		return refuse(e, "ORDER_APPROVERS", "fewer people agreed than this verb needs");
	return AY_OK;
}

enum ay_rc ay_order_may_be_given(const struct ay_order *o, int64_t now_ms, struct ay_err *e)
{
	if (AY_CHECKED("ORDER_LIFE", o->expires_ms > now_ms + AY_ORDER_LIFE_MS))
		return refuse(e, "ORDER_EXPIRED", "an order lives 10 minutes at most");
	return check_approvers(o, e);
}

static enum ay_rc check_signature(struct ay_bytes statement, struct ay_bytes sig,
				  struct ay_bytes spki, const uint8_t pin[32], struct ay_err *e)
{
	struct ay_pubkey *key;
	uint8_t hash[32];
	enum ay_rc rc;

	ay_sha256(spki, hash);
	if (AY_CHECKED("ORDER_KEY", memcmp(hash, pin, sizeof(hash)) != 0))
		return refuse(e, "ORDER_KEY", "signed by a key that is not the pinned order key");
	rc = ay_pubkey_new_spki(spki, &key, e);
	if (rc != AY_OK)
		return rc;
	rc = ay_es256_verify(key, statement, sig, e);
	ay_pubkey_free(key);
	if (AY_CHECKED("ORDER_SIGNATURE", rc != AY_OK))
		return refuse(e, "ORDER_SIGNATURE", "the signature is not the order key's");
	return AY_OK;
}

static enum ay_rc check_meaning(const struct ay_order *o, struct ay_bytes args,
				const struct ay_order_want *want, struct ay_err *e)
{
	uint8_t hash[32];

	ay_sha256(args, hash);
	if (AY_CHECKED("ORDER_HOST", memcmp(o->host.b, want->host.b, sizeof(o->host.b)) != 0))
		return refuse(e, "ORDER_HOST", "the order is for another host");
	if (AY_CHECKED("ORDER_VERB", o->verb != want->verb))
		return refuse(e, "ORDER_VERB", "the nonce was drawn for another verb");
	if (AY_CHECKED("ORDER_NONCE", memcmp(o->nonce, want->nonce, sizeof(o->nonce)) != 0))
		return refuse(e, "ORDER_NONCE", "not the nonce that was drawn for this order");
	if (AY_CHECKED("ORDER_ARGS", memcmp(o->args, hash, sizeof(hash)) != 0))
		return refuse(e, "ORDER_ARGS", "these are not the arguments that were signed");
	if (AY_CHECKED("ORDER_EXPIRED", want->now_ms >= o->expires_ms))
		return refuse(e, "ORDER_EXPIRED", "the order has ended by this host's clock");
	return check_approvers(o, e);
}

enum ay_rc ay_order_check(struct ay_bytes statement, struct ay_bytes sig, struct ay_bytes spki,
			  struct ay_bytes args, const struct ay_order_want *want,
			  struct ay_order *out, struct ay_err *e)
{
	struct ay_order o;
	enum ay_rc rc = check_signature(statement, sig, spki, want->pin, e);

	memset(out, 0, sizeof(*out));
	if (rc == AY_OK)
		rc = ay_order_parse(statement, &o, e);
	if (rc == AY_OK)
		rc = check_meaning(&o, args, want, e);
	if (rc == AY_OK)
		*out = o;
	return rc;
}
