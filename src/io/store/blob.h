/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_STORE_BLOB_H
#define AY_STORE_BLOB_H

/*
 * Immutable content known by its SHA-256: event logs, IMA chunks, PCR values,
 * reports. Counted references (from several threads), so that the many rows
 * that name the same content share one copy in memory as they do in the store.
 */
#include "core/base/bytes.h"

struct ay_blob {
	uint8_t id[32];
	uint32_t refs; /* by atomic operations in blob.c */
	size_t n;
	uint8_t data[];
};

/* A copy of content with one reference; NULL when memory is out. */
struct ay_blob *ay_blob_new(struct ay_bytes content);
struct ay_blob *ay_blob_ref(struct ay_blob *b); /* returns b; NULL is fine */
void ay_blob_unref(struct ay_blob *b);		/* NULL is fine */
struct ay_bytes ay_blob_id(const struct ay_blob *b);
struct ay_bytes ay_blob_data(const struct ay_blob *b);

#endif
