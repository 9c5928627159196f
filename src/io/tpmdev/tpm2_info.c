/* SPDX-License-Identifier: Apache-2.0 */
#include "io/tpmdev/tpm2_priv.h"

enum ay_rc ay_tpm2_property(struct ay_tpmdev *d, uint32_t property, uint32_t *out, struct ay_err *e)
{
	TPMS_CAPABILITY_DATA *cap = NULL;
	TPMI_YES_NO more;
	TSS2_RC rc = Esys_GetCapability(d->esys, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
					TPM2_CAP_TPM_PROPERTIES, property, 1, &more, &cap);

	*out = 0;
	if (rc != TSS2_RC_SUCCESS)
		return ay_tpm2_fail(e, "tpm.property", rc);
	if (cap->data.tpmProperties.count > 0 &&
	    cap->data.tpmProperties.tpmProperty[0].property == property)
		*out = cap->data.tpmProperties.tpmProperty[0].value;
	Esys_Free(cap);
	return AY_OK;
}

enum ay_rc ay_tpm2_handles(struct ay_tpmdev *d, uint32_t first, uint32_t *out, size_t max,
			   size_t *n, struct ay_err *e)
{
	TPMI_YES_NO more = TPM2_YES;
	uint32_t from = first;

	*n = 0;
	while (more == TPM2_YES && *n < max) {
		TPMS_CAPABILITY_DATA *cap = NULL;
		TSS2_RC rc = Esys_GetCapability(d->esys, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
						TPM2_CAP_HANDLES, from, TPM2_MAX_CAP_HANDLES, &more,
						&cap);

		if (rc != TSS2_RC_SUCCESS)
			return ay_tpm2_fail(e, "tpm.handles", rc);
		const TPML_HANDLE *h = &cap->data.handles;

		for (uint32_t i = 0; i < h->count && *n < max; i++)
			out[(*n)++] = h->handle[i];
		if (h->count == 0)
			more = TPM2_NO;
		else
			from = h->handle[h->count - 1] + 1;
		Esys_Free(cap);
	}
	return AY_OK;
}

/* The four octets of a text property, printable ones only, without blanks at the end. */
static size_t text_of(uint32_t v, char *out)
{
	size_t n = 0;

	for (int shift = 24; shift >= 0; shift -= 8) {
		char c = (char)(v >> shift & 0xff);

		if (c >= 0x20 && c < 0x7f)
			out[n++] = c;
	}
	out[n] = '\0';
	return n;
}

static enum ay_rc read_texts(struct ay_tpmdev *d, struct ay_tpm_info *out, struct ay_err *e)
{
	size_t n = 0;
	uint32_t v;
	enum ay_rc rc = ay_tpm2_property(d, TPM2_PT_MANUFACTURER, &v, e);

	if (rc != AY_OK)
		return rc;
	(void)text_of(v, out->manufacturer);
	for (uint32_t p = TPM2_PT_VENDOR_STRING_1; p <= TPM2_PT_VENDOR_STRING_4; p++) {
		rc = ay_tpm2_property(d, p, &v, e);
		if (rc != AY_OK)
			return rc;
		n += text_of(v, out->model + n);
	}
	while (n > 0 && out->model[n - 1] == ' ')
		out->model[--n] = '\0';
	return AY_OK;
}

static enum ay_rc read_firmware(struct ay_tpmdev *d, struct ay_tpm_info *out, struct ay_err *e)
{
	uint32_t high, low;
	enum ay_rc rc = ay_tpm2_property(d, TPM2_PT_FIRMWARE_VERSION_1, &high, e);

	if (rc == AY_OK)
		rc = ay_tpm2_property(d, TPM2_PT_FIRMWARE_VERSION_2, &low, e);
	if (rc == AY_OK)
		out->firmware = (uint64_t)high << 32 | low;
	return rc;
}

static bool any_selected(const TPMS_PCR_SELECTION *s)
{
	for (size_t i = 0; i < s->sizeofSelect && i < sizeof(s->pcrSelect); i++)
		if (s->pcrSelect[i] != 0)
			return true;
	return false;
}

static void insert_bank(struct ay_tpm_info *out, uint16_t alg)
{
	size_t i = out->n_banks;

	if (ay_alg_digest_size(alg) == 0 || out->n_banks == AY_BANKS_MAX)
		return;
	for (; i > 0 && out->bank[i - 1] > alg; i--)
		out->bank[i] = out->bank[i - 1];
	out->bank[i] = alg;
	out->n_banks++;
}

static enum ay_rc read_banks(struct ay_tpmdev *d, struct ay_tpm_info *out, struct ay_err *e)
{
	TPMS_CAPABILITY_DATA *cap = NULL;
	TPMI_YES_NO more;
	TSS2_RC rc = Esys_GetCapability(d->esys, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
					TPM2_CAP_PCRS, 0, 1, &more, &cap);

	if (rc != TSS2_RC_SUCCESS)
		return ay_tpm2_fail(e, "tpm.banks", rc);
	const TPML_PCR_SELECTION *l = &cap->data.assignedPCR;

	for (uint32_t i = 0; i < l->count && i < TPM2_NUM_PCR_BANKS; i++)
		if (any_selected(&l->pcrSelections[i]))
			insert_bank(out, l->pcrSelections[i].hash);
	Esys_Free(cap);
	return AY_OK;
}

enum ay_rc ay_tpm2_info(struct ay_tpmdev *d, struct ay_tpm_info *out, struct ay_err *e)
{
	struct ay_tpm_info i = { .family = 2 };
	enum ay_rc rc = read_texts(d, &i, e);

	if (rc == AY_OK)
		rc = read_firmware(d, &i, e);
	if (rc == AY_OK)
		rc = read_banks(d, &i, e);
	*out = rc == AY_OK ? i : (struct ay_tpm_info){ 0 };
	return rc;
}
