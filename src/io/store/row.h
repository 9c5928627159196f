/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_STORE_ROW_H
#define AY_STORE_ROW_H

/*
 * How the row structs of store.h lie in tables: one description each, from
 * which they are copied into the queue, bound to statements and read back.
 */
#include "io/store/store.h"

enum ay_field_type {
	AY_F_BOOL,
	AY_F_U8,
	AY_F_U32,
	AY_F_U64,
	AY_F_I64,
	AY_F_TEXT,  /* const char *, NULL counts as "" */
	AY_F_BYTES, /* struct ay_bytes; n == 0 is NULL in the table */
	AY_F_OCT16, /* 16 octets in place: struct ay_uuid, report ids */
};

struct ay_field {
	const char *column;
	uint16_t offset;
	uint8_t type;
};

struct ay_row_type {
	const char *table; /* NULL: part of another row */
	size_t size;
	const struct ay_field *fields;
	size_t n;
};

extern const struct ay_row_type ay_row_host, ay_row_status, ay_row_context, ay_row_attest,
	ay_row_past, ay_row_aik, ay_row_refset, ay_row_policy, ay_row_token, ay_row_status_kept,
	ay_row_user, ay_row_api_token, ay_row_role, ay_row_session, ay_row_identity, ay_row_event,
	ay_row_audit, ay_row_approval, ay_row_approval_end, ay_row_idem, ay_row_family;

/* Octets that a deep copy of row needs besides the struct. */
size_t ay_row_room(const struct ay_row_type *t, const void *row);
/* Deep copy to dst; views point into *at, which moves on. */
void ay_row_copy(const struct ay_row_type *t, const void *row, void *dst, uint8_t **at);

#endif
