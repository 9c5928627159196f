/* SPDX-License-Identifier: Apache-2.0 */
#include "core/authz/approval.h"

#include "core/base/timefmt.h"
#include "core/crypto/hash.h"

#include <string.h>

static const char *const names[AY_APPROVAL_STATES] = {
	[AY_APPROVAL_PENDING] = "pending", [AY_APPROVAL_APPROVED] = "approved",
	[AY_APPROVAL_DENIED] = "denied",   [AY_APPROVAL_EXPIRED] = "expired",
	[AY_APPROVAL_VOID] = "void",
};

const char *ay_approval_state_name(enum ay_approval_state s)
{
	return (unsigned)s < AY_APPROVAL_STATES ? names[s] : "";
}

bool ay_approval_state_find(struct ay_bytes name, enum ay_approval_state *out)
{
	for (unsigned s = 0; s < AY_APPROVAL_STATES; s++)
		if (ay_bytes_eq(name, ay_bytes_of(names[s]))) {
			*out = (enum ay_approval_state)s;
			return true;
		}
	return false;
}

/* Still open, and they are not the one who asked. */
static enum ay_rc may_decide(const struct ay_approval_ask *ask, const struct ay_approver *by,
			     int64_t now_ms, struct ay_err *e)
{
	if (AY_CHECKED("APPROVAL_DONE", ask->state != AY_APPROVAL_PENDING))
		return ay_fail_code(e, AY_E_EXISTS, "APPROVAL_DONE", "approval", "it is %s already",
				    ay_approval_state_name(ask->state));
	if (AY_CHECKED("APPROVAL_EXPIRED", now_ms >= ask->expires_at))
		return ay_fail_code(e, AY_E_EXISTS, "APPROVAL_EXPIRED", "approval",
				    "it has expired: ask for it again");
	if (AY_CHECKED("APPROVAL_OWN", strcmp(ask->requester, by->user) == 0))
		return ay_fail_code(e, AY_E_DENIED, "APPROVAL_OWN", "approval",
				    "%.60s asked for it: somebody else must decide", by->user);
	if (AY_CHECKED("APPROVAL_PERMISSION", !by->permitted))
		return ay_fail_code(e, AY_E_DENIED, "APPROVAL_PERMISSION", "approval",
				    "you may not do yourself what this would do");
	return AY_OK;
}

enum ay_rc ay_approval_may_approve(const struct ay_approval_ask *ask, const struct ay_approver *by,
				   const struct ay_approval_rules *rules, int64_t now_ms,
				   struct ay_err *e)
{
	int64_t from = by->token_made_at + rules->token_age_ms;
	enum ay_rc rc = may_decide(ask, by, now_ms, e);
	char at[AY_TIME_ROOM];

	if (rc != AY_OK)
		return rc;
	if (AY_CHECKED("APPROVAL_TOKEN_NEW", now_ms < from)) {
		ay_time_format(from, at);
		return ay_fail_code(e, AY_E_DENIED, "APPROVAL_TOKEN_NEW", "approval",
				    "this API token is too new: it may approve from %s on", at);
	}
	return AY_OK;
}

enum ay_rc ay_approval_may_deny(const struct ay_approval_ask *ask, const struct ay_approver *by,
				int64_t now_ms, struct ay_err *e)
{
	return may_decide(ask, by, now_ms, e);
}

static void put(struct ay_hash *h, struct ay_bytes b)
{
	uint8_t n[4] = { (uint8_t)(b.n >> 24), (uint8_t)(b.n >> 16), (uint8_t)(b.n >> 8),
			 (uint8_t)b.n };

	ay_hash_update(h, AY_BYTES(n));
	ay_hash_update(h, b);
}

void ay_approval_hash(const struct ay_approval_object *o, uint8_t out[32])
{
	static const char label[] = "assay-approval-1";
	struct ay_hash h;

	memset(out, 0, 32);
	if (!ay_hash_init(&h, AY_ALG_SHA256))
		return;
	ay_hash_update(&h, ay_bytes_of(label));
	put(&h, ay_bytes_of(o->kind));
	put(&h, ay_bytes_of(o->id));
	put(&h, o->content);
	put(&h, o->context);
	put(&h, ay_bytes_of(o->args));
	ay_hash_final(&h, out);
}

enum ay_rc ay_approval_same(const uint8_t asked[32], const uint8_t now[32], struct ay_err *e)
{
	if (AY_CHECKED("APPROVAL_CHANGED", memcmp(asked, now, 32) != 0))
		return ay_fail_code(e, AY_E_EXISTS, "APPROVAL_CHANGED", "approval",
				    "it is not what was asked for any more: look and ask again");
	return AY_OK;
}
