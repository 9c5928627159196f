/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_BASE_SCHEMA_H
#define AY_BASE_SCHEMA_H

/*
 * The shape of an object that goes in or out, as rows of a table; a row refers
 * to others by their number in it, 0 is none. Written once, read by whatever
 * checks, describes or converts such objects (JSON, OpenAPI, SOAP).
 */
#include <stddef.h>

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
	AY_T_MAPOF, /* object of objects, by name */
};

enum ay_member_need { AY_NEED_OPT, AY_NEED_REQ, AY_NEED_NUL };

struct ay_member {
	const char *name;
	enum ay_member_type type;
	unsigned ref; /* of REF, REFS, MAPOF: row of the table */
	enum ay_member_need need;
	size_t max;
	const char *doc;
};

enum ay_schema_kind { AY_SCHEMA_OBJECT, AY_SCHEMA_LIST, AY_SCHEMA_PLAIN };

struct ay_schema {
	const char *name;
	enum ay_schema_kind kind;
	const char *doc;		 /* of a PLAIN: its media type stands in media */
	const char *media;		 /* "application/json" unless PLAIN */
	unsigned item;			 /* of a LIST: row of the table */
	const struct ay_member *members; /* of an OBJECT; ends with name NULL */
};

/* A whole table: rows 1 to n - 1. */
struct ay_schemas {
	const struct ay_schema *row;
	size_t n;
};

#endif
