/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_ASSAYD_API_SCHEMA_H
#define AY_ASSAYD_API_SCHEMA_H

/* The objects of schemas.def: what comes in is checked against them, the OpenAPI document is made
 * of them. */
#include "core/base/bytes.h"
#include "core/base/err.h"
#include "core/base/limits.h"
#include "core/base/schema.h"

#include <jansson.h>

enum ay_schema_id {
	AY_SCHEMA_NONE = 0,
#define OBJECT(name, doc) AY_SCHEMA_##name,
#define LIST(name, item) AY_SCHEMA_##name,
#define PLAIN(name, media, doc) AY_SCHEMA_##name,
#define F(member, type, need, max, doc)
#define END
#include "prog/assayd/api/schemas.def"
#undef OBJECT
#undef LIST
#undef PLAIN
#undef F
#undef END
	AY_SCHEMAS
};

const struct ay_schema *ay_schema_of(enum ay_schema_id id);
/* All rows. */
struct ay_schemas ay_schema_table(void);

/*
 * Check one object from outside. text: the octets it was read of, to tell the
 * offset of a refused member. e->where is the member's static name, or "body".
 */
AY_MUST_USE enum ay_rc ay_schema_check(enum ay_schema_id id, const json_t *body,
				       struct ay_bytes text, struct ay_err *e);

/* Offset of the value of a member of the outermost object; 0 when it is not found. */
size_t ay_schema_offset(struct ay_bytes text, const char *member);

#endif
