/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz/smoke.h"

#include "core/authz/oidc.h"

#include <stdlib.h>
#include <string.h>

/*
 * First octet: which document of an identity provider the rest is. 'd'
 * discovery, 't' answer with a token, 'k' keys, else the claims of an ID token.
 */
static void claims(struct ay_bytes in)
{
	struct ay_oidc_expect want = { .issuer = "https://op.example",
				       .client_id = "assay",
				       .nonce = "n1",
				       .now_ms = 1800000000000,
				       .max_age_ms = 600000,
				       .groups_claim = "groups",
				       .mfa = "mfa" };
	struct ay_oidc_person p;
	struct ay_arena a;
	json_t *o;

	ay_arena_init(&a, 1u << 20);
	if (ay_json_load(in, 65536, "claims", &o, NULL) == AY_OK) {
		if (ay_oidc_claims_check(o, &want, &a, &p, NULL) == AY_OK) {
			AY_FUZZ_ACCEPT();
			if (p.subject[0] == '\0')
				abort();
		}
		json_decref(o);
	}
	ay_arena_fini(&a);
}

static void others(char kind, struct ay_bytes in)
{
	struct ay_oidc_provider p;
	struct ay_jwt_keys keys;
	struct ay_bytes token;
	struct ay_arena a;

	ay_arena_init(&a, 1u << 20);
	if (kind == 'd' && ay_oidc_discovery_parse(in, "https://op.example", &p, NULL) == AY_OK) {
		AY_FUZZ_ACCEPT();
		if (strncmp(p.token, "https://", 8) != 0)
			abort();
	}
	if (kind == 't' && ay_oidc_token_parse(in, &a, &token, NULL) == AY_OK)
		AY_FUZZ_ACCEPT();
	if (kind == 'k' && ay_jwt_keys_parse(in, &keys, NULL) == AY_OK) {
		AY_FUZZ_ACCEPT();
		ay_jwt_keys_free(&keys);
	}
	ay_arena_fini(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	if (n == 0)
		return 0;
	if (strchr("dtk", p[0]) != NULL && p[0] != '\0')
		others((char)p[0], (struct ay_bytes){ p + 1, n - 1 });
	else
		claims((struct ay_bytes){ p, n });
	return 0;
}
