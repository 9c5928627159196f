/* SPDX-License-Identifier: Apache-2.0 */
#include "core/tpm/qualify.h"

#include "core/crypto/hash.h"

static void add(struct ay_hash *h, const uint8_t *p, size_t n)
{
	ay_hash_update(h, (struct ay_bytes){ p, n });
}

void ay_qualify(const char *label, const uint8_t nonce[32], const uint8_t exporter[32],
		const struct ay_uuid *host, const uint8_t *x, uint8_t out[AY_QUALIFY_BYTES])
{
	struct ay_hash h;

	memset(out, 0, AY_QUALIFY_BYTES);
	if (!ay_hash_init(&h, AY_ALG_SHA256))
		return;
	ay_hash_update(&h, ay_bytes_of(label));
	add(&h, nonce, 32);
	add(&h, exporter, 32);
	add(&h, host->b, sizeof(host->b));
	if (x != NULL)
		add(&h, x, 32);
	ay_hash_final(&h, out);
}

void ay_qualify_enrol_x(const uint8_t agent_spki[32], struct ay_bytes cert_der, uint8_t out[32])
{
	uint8_t both[64];

	memcpy(both, agent_spki, 32);
	ay_sha256(cert_der, both + 32);
	ay_sha256((struct ay_bytes){ both, sizeof(both) }, out);
}
