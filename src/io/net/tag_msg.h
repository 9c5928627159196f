/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_NET_TAG_MSG_H
#define AY_NET_TAG_MSG_H

/*
 * Arguments and results of the order `tag` (docs/protocol/agent-channel.md,
 * Orders), both sides. Two orders write one tag: the first answers with the
 * TPM's nonce, the second brings the tag CA's signature over it.
 */
#include "core/base/limits.h"
#include "core/base/reader.h"
#include "core/base/writer.h"
#include "core/tpm/tag_index.h"

enum ay_tag_op { AY_TAG_BEGIN = 1, AY_TAG_WRITE = 2 };

struct ay_tag_order {
	enum ay_tag_op op;
	uint8_t x[32], y[32];		   /* the tag CA's key, P-256 */
	bool replace;			   /* BEGIN: an index that is another is removed first */
	uint8_t contents[AY_TAG_CONTENTS]; /* WRITE: SHA-256 of the certificate */
	uint8_t rs[64];			   /* WRITE: over ay_tag_write_permit() */
	struct ay_bytes cert;		   /* WRITE: DER, kept beside; borrowed */
};
void ay_tag_order_write(struct ay_writer *w, const struct ay_tag_order *o);
AY_MUST_USE enum ay_rc ay_tag_order_parse(struct ay_bytes in, struct ay_tag_order *out,
					  struct ay_err *e);

/* Result of BEGIN; of WRITE it is empty. */
struct ay_tag_begun {
	bool written; /* the index holds a tag now */
	struct ay_bytes nonce;
};
void ay_tag_begun_write(struct ay_writer *w, const struct ay_tag_begun *b);
AY_MUST_USE enum ay_rc ay_tag_begun_parse(struct ay_bytes in, struct ay_tag_begun *out,
					  struct ay_err *e);

#endif
