/* SPDX-License-Identifier: Apache-2.0 */
#include "core/tpm/attested.h"

static void begin(struct ay_reader *r, const struct ay_quote *q, uint16_t type, const char *field)
{
	ay_rd_init(r, q->attested);
	if (q->magic != AY_TPM_GENERATED || q->type != type)
		ay_rd_reject(r, field, "type %04x of magic %08x is another thing",
			     (unsigned)q->type, (unsigned)q->magic);
}

enum ay_rc ay_nv_certified_parse(const struct ay_quote *q, struct ay_nv_certified *out,
				 struct ay_err *e)
{
	struct ay_reader r;
	struct ay_nv_certified v;
	enum ay_rc rc;

	begin(&r, q, AY_TPM_ST_ATTEST_NV, "nv.type");
	v.index_name = ay_rd_vec16(&r, "nv.indexName", AY_NAME_MAX);
	v.offset = ay_rd_be16(&r, "nv.offset");
	v.contents = ay_rd_vec16(&r, "nv.contents", AY_MAX_ATTEST_BYTES);
	rc = ay_rd_end(&r, "nv", e);
	*out = rc == AY_OK ? v : (struct ay_nv_certified){ 0 };
	return rc;
}

enum ay_rc ay_key_certified_parse(const struct ay_quote *q, struct ay_key_certified *out,
				  struct ay_err *e)
{
	struct ay_reader r;
	struct ay_key_certified v;
	enum ay_rc rc;

	begin(&r, q, AY_TPM_ST_ATTEST_CERTIFY, "certify.type");
	v.name = ay_rd_vec16(&r, "certify.name", AY_NAME_MAX);
	v.qualified_name = ay_rd_vec16(&r, "certify.qualifiedName", AY_NAME_MAX);
	rc = ay_rd_end(&r, "certify", e);
	*out = rc == AY_OK ? v : (struct ay_key_certified){ 0 };
	return rc;
}
