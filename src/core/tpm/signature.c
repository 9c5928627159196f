/* SPDX-License-Identifier: Apache-2.0 */
#include "core/tpm/signature.h"

#include "core/base/limits.h"

enum { VALUE_MAX = 512 };

static void read_values(struct ay_reader *r, struct ay_signature *s)
{
	switch (s->scheme) {
	case AY_ALG_RSASSA:
	case AY_ALG_RSAPSS:
		s->rsa = ay_rd_vec16(r, "signature.sig", VALUE_MAX);
		break;
	case AY_ALG_ECDSA:
		s->r = ay_rd_vec16(r, "signature.signatureR", VALUE_MAX);
		s->s = ay_rd_vec16(r, "signature.signatureS", VALUE_MAX);
		break;
	default:
		break;
	}
}

static bool is_scheme(uint16_t alg)
{
	return alg == AY_ALG_RSASSA || alg == AY_ALG_RSAPSS || alg == AY_ALG_ECDSA;
}

enum ay_rc ay_signature_parse(struct ay_bytes in, struct ay_signature *out, struct ay_err *e)
{
	struct ay_signature s = { 0 };
	struct ay_reader r;
	enum ay_rc rc;

	ay_rd_init(&r, in);
	if (in.n > AY_MAX_SIGNATURE_BYTES)
		ay_rd_limit(&r, "signature", in.n, AY_MAX_SIGNATURE_BYTES);
	s.scheme = ay_rd_be16(&r, "signature.sigAlg");
	if (ay_rd_ok(&r) && !is_scheme(s.scheme))
		ay_rd_reject(&r, "signature.sigAlg", "unknown scheme 0x%04x", s.scheme);
	s.hash = ay_rd_be16(&r, "signature.hash");
	if (ay_rd_ok(&r) && ay_alg_digest_size(s.hash) == 0)
		ay_rd_reject(&r, "signature.hash", "unknown hash 0x%04x", s.hash);
	read_values(&r, &s);

	rc = ay_rd_end(&r, "signature", e);
	*out = rc == AY_OK ? s : (struct ay_signature){ 0 };
	return rc;
}

void ay_signature_write(struct ay_writer *w, const struct ay_signature *s)
{
	ay_wr_be16(w, s->scheme);
	ay_wr_be16(w, s->hash);
	if (s->scheme == AY_ALG_ECDSA) {
		ay_wr_vec16(w, s->r);
		ay_wr_vec16(w, s->s);
	} else {
		ay_wr_vec16(w, s->rsa);
	}
}
