/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Logins in the audit: who began a session, who showed a password with his
 * request, and who could not. Nobody fills the disk by trying: of one network
 * so many failures of an hour stand there by themselves, the rest is counted.
 */
#include "core/crypto/hash.h"
#include "prog/assayd/api/auth.h"
#include "prog/assayd/api/credential.h"

enum { HOUR_MS = 3600000, FAILURES_TOLD = 50 };

/* Slots are shared by chance: then there is a record too many, never one too few. */
static struct ay_login_slot *slot_of(struct ay_api *a, struct ay_login_slot *slots, uint64_t key)
{
	struct ay_login_slot *s = &slots[key % AY_LOGIN_SLOTS];

	if (s->key != key || s->until <= a->now_ms)
		*s = (struct ay_login_slot){ .key = key, .until = a->now_ms + HOUR_MS };
	return s;
}

static uint64_t key_of(const struct ay_api *a, struct ay_bytes who, struct ay_bytes where)
{
	uint8_t parts[32 + 32 + 32], hash[32];
	uint64_t key;

	memcpy(parts, a->basic_key, 32); /* nobody chooses who shares a slot */
	ay_sha256(who, parts + 32);
	ay_sha256(where, parts + 64);
	ay_sha256(AY_BYTES(parts), hash);
	memcpy(&key, hash, sizeof(key));
	return key;
}

static bool is_told(struct ay_api_call *c)
{
	uint8_t network[8];

	ay_network_of(c->peer, network);
	return slot_of(c->api, c->api->login_failed,
		       key_of(c->api, ay_bytes_of(""), AY_BYTES(network)))
		       ->n++ < FAILURES_TOLD;
}

static void failed(struct ay_api_call *c, struct ay_bytes name, const char *how, const char *code)
{
	struct ay_err e;

	/* who is made to wait was told of before, and is not tried at all */
	if (strcmp(code, "AUTH_LOCKED") != 0 && !AY_CHECKED("LOGIN_FLOOD", !is_told(c))) {
		ay_api_leave(c, "LOGIN_DENIED", ay_arena_str(&c->arena, name),
			     json_pack("{s:s, s:s}", "how", how, "code", code), "denied");
		return;
	}
	ay_err_set(&e, AY_E_DENIED, "user", 0, "%s", code);
	ay_err_code(&e, code);
	ay_api_denied(c, 401, &e);
}

void ay_api_login(struct ay_api_call *c, struct ay_bytes name, const char *how, const char *code)
{
	if (code != NULL)
		failed(c, name, how, code);
	else
		ay_api_leave(c, "LOGIN", ay_arena_str(&c->arena, name),
			     json_pack("{s:s}", "how", how), "done");
}

void ay_api_login_seen(struct ay_api_call *c, const struct ay_principal *who, const char *how)
{
	struct ay_bytes id = { (const uint8_t *)&who->user_id, sizeof(who->user_id) };
	size_t n = c->peer.n;
	struct ay_login_slot *s;

	while (n > 0 && c->peer.p[n - 1] != ':') /* the port is another every time */
		n--;
	s = slot_of(c->api, c->api->login_seen,
		    key_of(c->api, id, (struct ay_bytes){ c->peer.p, n }));
	if (AY_CHECKED("LOGIN_SEEN", s->n++ > 0))
		return;
	c->who = *who;
	c->who.scheme = how;
	ay_api_login(c, ay_bytes_of(who->user), how, NULL);
}
