/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "core/crypto/hash.h"
#include "io/net/tag_msg.h"
#include "io/sys/file.h"
#include "io/sys/log.h"
#include "prog/assay-agent/orders.h"

/*
 * The order `tag`: the host's asset tag goes into its TPM. BEGIN leaves the
 * device open with the policy session whose nonce the tag CA signs; whatever
 * else wants the TPM in between ends that, and the server begins anew.
 */

static enum ay_rc begin(const struct ay_order_env *env, const struct ay_tag_order *t,
			const struct ay_tag_ca *ca, struct ay_bytes *result, struct ay_err *e)
{
	struct ay_tag_begun b = { 0 };
	uint8_t nonce[32], *buf = malloc(64);
	struct ay_writer w;
	size_t n = 0;
	enum ay_rc rc = buf != NULL ? env->ops->open(env->dev, e)
				    : ay_fail(e, AY_E_NOMEM, "tag", 0, "no memory");

	if (rc == AY_OK) {
		rc = env->ops->tag_begin(env->dev, ca, t->replace, nonce, &n, &b.written, e);
		if (rc != AY_OK)
			env->ops->close(env->dev);
	}
	if (rc == AY_OK) {
		b.nonce = (struct ay_bytes){ nonce, n };
		ay_wr_init(&w, buf, 64);
		ay_tag_begun_write(&w, &b);
		rc = ay_wr_end(&w, "tag", result, e);
	}
	if (rc != AY_OK)
		free(buf);
	return rc;
}

/* The certificate is kept for whoever looks; the TPM holds what counts. */
static void keep_cert(const struct ay_agent *a, struct ay_bytes cert)
{
	struct ay_err e;

	if (ay_file_write(a->tag_path, 0644, cert, &e) != AY_OK)
		ay_log_err(AY_LOG_WARN, "the tag's certificate is not kept", &e);
}

static enum ay_rc write_tag(const struct ay_order_env *env, const struct ay_tag_order *t,
			    const struct ay_tag_ca *ca, struct ay_err *e)
{
	uint8_t hash[32];
	enum ay_rc rc;

	ay_sha256(t->cert, hash);
	if (AY_CHECKED("TAG_CERT_HASH", memcmp(hash, t->contents, sizeof(hash)) != 0))
		return ay_fail_code(e, AY_E_DENIED, "TAG_CERT", "tag",
				    "what is to be written is not the hash of the certificate");
	rc = env->ops->tag_write(env->dev, ca, t->contents, t->rs, e);
	env->ops->close(env->dev);
	if (rc == AY_OK)
		keep_cert(env->agent, t->cert);
	return rc;
}

enum ay_rc ay_order_do_tag(const struct ay_order_env *env, const struct ay_order *o,
			   struct ay_bytes args, struct ay_bytes *result, struct ay_err *e)
{
	struct ay_tag_ca ca;
	struct ay_tag_order t;
	enum ay_rc rc = ay_tag_order_parse(args, &t, e);

	(void)o;
	if (rc != AY_OK)
		return rc;
	if (env->ops->tag_begin == NULL)
		return ay_fail_code(e, AY_E_DENIED, "TAG_TPM", "tag",
				    "this kind of TPM takes no tag this way");
	memcpy(ca.x, t.x, sizeof(ca.x));
	memcpy(ca.y, t.y, sizeof(ca.y));
	return t.op == AY_TAG_BEGIN ? begin(env, &t, &ca, result, e) : write_tag(env, &t, &ca, e);
}
