/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_ASSAYD_API_SCHEMA_H
#define AY_ASSAYD_API_SCHEMA_H

/* The objects of schemas.def: what comes in is checked against them, the OpenAPI document is made
 * of them. */
#include "core/base/bytes.h"
#include "core/base/err.h"
#include "core/base/limits.h"

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

enum ay_member_type {
	AY_T_TEXT, /* at most max octets */
	AY_T_NAME, /* ay_json_is_name(), not one that looks like a UUID */
	AY_T_HEX,  /* exactly max digits of either case */
	AY_T_UUID,
	AY_T_TIME,
	AY_T_BOOL,
	AY_T_UINT, /* at most max, 0: no limit */
	AY_T_MAP,  /* object of texts */
	AY_T_TEXTS,
	AY_T_ANY,
	AY_T_REF,
	AY_T_REFS,
};

enum ay_member_need { AY_NEED_OPT, AY_NEED_REQ, AY_NEED_NUL };

struct ay_member {
	const char *name;
	enum ay_member_type type;
	enum ay_schema_id ref;
	enum ay_member_need need;
	size_t max;
	const char *doc;
};

enum ay_schema_kind { AY_SCHEMA_OBJECT, AY_SCHEMA_LIST, AY_SCHEMA_PLAIN };

struct ay_schema {
	const char *name;
	enum ay_schema_kind kind;
	const char *doc;   /* of a PLAIN: its media type stands in media */
	const char *media; /* "application/json" unless PLAIN */
	enum ay_schema_id item;
	const struct ay_member *members; /* of an OBJECT; ends with name NULL */
};

const struct ay_schema *ay_schema_of(enum ay_schema_id id);

/*
 * Check one object from outside. text: the octets it was read of, to tell the
 * offset of a refused member. e->where is the member's static name, or "body".
 */
AY_MUST_USE enum ay_rc ay_schema_check(enum ay_schema_id id, const json_t *body,
				       struct ay_bytes text, struct ay_err *e);

/* Offset of the value of a member of the outermost object; 0 when it is not found. */
size_t ay_schema_offset(struct ay_bytes text, const char *member);

#endif
