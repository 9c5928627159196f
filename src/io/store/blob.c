/* SPDX-License-Identifier: Apache-2.0 */
#include "io/store/blob.h"

#include "core/crypto/hash.h"

#include <stdlib.h>

struct ay_blob *ay_blob_new(struct ay_bytes content)
{
	struct ay_blob *b = malloc(sizeof(*b) + content.n);

	if (b == NULL)
		return NULL;
	ay_sha256(content, b->id);
	b->refs = 1;
	b->n = content.n;
	if (content.n > 0)
		memcpy(b->data, content.p, content.n);
	return b;
}

struct ay_blob *ay_blob_ref(struct ay_blob *b)
{
	if (b != NULL)
		__atomic_add_fetch(&b->refs, 1, __ATOMIC_RELAXED);
	return b;
}

void ay_blob_unref(struct ay_blob *b)
{
	if (b != NULL && __atomic_sub_fetch(&b->refs, 1, __ATOMIC_ACQ_REL) == 0)
		free(b);
}

struct ay_bytes ay_blob_id(const struct ay_blob *b)
{
	return (struct ay_bytes){ b->id, sizeof(b->id) };
}

struct ay_bytes ay_blob_data(const struct ay_blob *b)
{
	return (struct ay_bytes){ b->data, b->n };
}
