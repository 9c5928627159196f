/* SPDX-License-Identifier: Apache-2.0 */
#include "core/tpm/pcrs_json.h"

#include "core/base/hex.h"
#include "core/base/json.h"

enum { PCRS_FILE_MAX = 256 * 1024 };

/* "0" .. "23", without signs or leading zeros; 24 otherwise. */
static unsigned pcr_of(const char *key)
{
	unsigned v = 0;

	for (const char *c = key; *c != '\0'; c++) {
		if (*c < '0' || *c > '9' || v > 2 || (c > key && v == 0))
			return AY_PCR_COUNT;
		v = v * 10 + (unsigned)(*c - '0');
	}
	return key[0] == '\0' || v >= AY_PCR_COUNT ? AY_PCR_COUNT : v;
}

static enum ay_rc read_value(const char *key, const json_t *value, uint16_t alg,
			     struct ay_pcrs *out, struct ay_err *e)
{
	uint8_t digest[AY_DIGEST_MAX];
	size_t n = ay_alg_digest_size(alg);
	enum ay_rc rc;

	if (!json_is_string(value) || pcr_of(key) == AY_PCR_COUNT)
		return ay_fail(e, AY_E_INPUT, "pcrs", 0, "%s is not a PCR with a digest", key);
	rc = ay_hex_decode((struct ay_bytes){ (const uint8_t *)json_string_value(value),
					      json_string_length(value) },
			   "pcrs", digest, n, e);
	if (rc != AY_OK)
		return rc;
	return ay_pcrs_set(out, alg, pcr_of(key), (struct ay_bytes){ digest, n }, e);
}

static enum ay_rc read_bank(const char *name, json_t *bank, struct ay_pcrs *out, struct ay_err *e)
{
	uint16_t alg = ay_alg_from_bank_name(ay_bytes_of(name));
	const char *key;
	json_t *value;
	enum ay_rc rc;

	if (alg == 0 || !json_is_object(bank))
		return ay_fail(e, AY_E_INPUT, "pcrs", 0, "%s is not a bank of PCRs", name);
	json_object_foreach (bank, key, value) {
		rc = read_value(key, value, alg, out, e);
		if (rc != AY_OK)
			return rc;
	}
	return AY_OK;
}

enum ay_rc ay_pcrs_from_json(struct ay_bytes text, struct ay_pcrs *out, struct ay_err *e)
{
	AY_CLEANUP(ay_json_unref) json_t *o = NULL;
	struct ay_pcrs pcrs = { 0 };
	const char *name;
	enum ay_rc rc = ay_json_load(text, PCRS_FILE_MAX, "pcrs", &o, e);
	json_t *bank;

	*out = pcrs;
	if (rc != AY_OK)
		return rc;
	if (!json_is_object(o))
		return ay_fail(e, AY_E_INPUT, "pcrs", 0, "is no object of banks");
	json_object_foreach (o, name, bank) {
		rc = read_bank(name, bank, &pcrs, e);
		if (rc != AY_OK)
			return rc;
	}
	*out = pcrs;
	return AY_OK;
}
