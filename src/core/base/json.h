/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_BASE_JSON_H
#define AY_BASE_JSON_H

/*
 * JSON from outside, strictly: size and depth limited before the library sees
 * it, duplicate and unknown members refused, every refusal names its field.
 * Parsed values are jansson's; text taken from them is copied to an arena.
 */
#include <jansson.h>

#include "core/base/arena.h"
#include "core/base/err.h"

/*
 * Load one document (object or array). *out is the caller's reference, NULL on
 * failure. AY_E_LIMIT: longer than max_bytes or deeper than AY_MAX_JSON_DEPTH;
 * AY_E_INPUT names `what` and the offset.
 */
AY_MUST_USE enum ay_rc ay_json_load(struct ay_bytes text, size_t max_bytes, const char *what,
				    json_t **out, struct ay_err *e);
/* Drops a reference; fits AY_CLEANUP of a json_t *. */
void ay_json_unref(json_t **j);

/* AY_E_INPUT unless o is an object whose members are all of `known` (ends with NULL). */
AY_MUST_USE enum ay_rc ay_json_only(const json_t *o, const char *const known[], const char *where,
				    struct ay_err *e);

/* Refuse a value: "where: key: text". */
AY_MUST_USE enum ay_rc ay_json_bad(struct ay_err *e, const char *where, const char *key,
				   const char *text);

/*
 * Members by key. A missing one is AY_E_INPUT if `needed`, else *out stays as
 * it was. where: static name of the object, for the error.
 */
AY_MUST_USE enum ay_rc ay_json_text(const json_t *o, const char *where, const char *key,
				    bool needed, size_t max, struct ay_arena *a, const char **out,
				    struct ay_err *e);
AY_MUST_USE enum ay_rc ay_json_u64(const json_t *o, const char *where, const char *key, bool needed,
				   uint64_t max, uint64_t *out, struct ay_err *e);
AY_MUST_USE enum ay_rc ay_json_bool(const json_t *o, const char *where, const char *key,
				    bool needed, bool *out, struct ay_err *e);
/* An object or array member, borrowed from o; *out NULL when it is missing and not needed. */
AY_MUST_USE enum ay_rc ay_json_object(const json_t *o, const char *where, const char *key,
				      bool needed, const json_t **out, struct ay_err *e);
AY_MUST_USE enum ay_rc ay_json_array(const json_t *o, const char *where, const char *key,
				     bool needed, const json_t **out, struct ay_err *e);

/* Well-formed UTF-8 [RFC3629]; NUL is an octet like another. */
bool ay_json_is_utf8(struct ay_bytes b);
/* A terminated printable name: 1 to AY_MAX_NAME_BYTES of A-Z a-z 0-9 . _ + : @ - and blank inside.
 */
bool ay_json_is_name(const char *s);

/*
 * Octets of a host as a text: what is not printable ASCII, and "\", as \xHH. Cut after
 * AY_MAX_SHOWN_OCTETS. NULL without memory.
 */
json_t *ay_json_octets(struct ay_bytes b);

/* Canonical text: no blanks, members in byte order of key. In the arena; {NULL, 0} without memory.
 */
struct ay_bytes ay_json_canonical(const json_t *j, struct ay_arena *a);

#endif
