/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_ASSAYD_FAMILY_OBJECTS_H
#define AY_ASSAYD_FAMILY_OBJECTS_H

/*
 * Documents that clients of the family keep here and that are no objects of
 * ours: by kind ("oem", "os", "mle", "host", ...) and key, in memory and in the
 * store. What a put or drop has changed when it returns AY_OK is on disk.
 */
#include "prog/assayd/api/call.h"

struct ay_objects;

AY_MUST_USE enum ay_rc ay_objects_load(struct ay_api *a, struct ay_err *e);
void ay_objects_free(struct ay_api *a);

/* NULL = none. Borrowed until the next put or drop of that key. */
const json_t *ay_object(const struct ay_api *a, const char *kind, const char *key);
/* All of a kind: an object of documents by key, borrowed; NULL: none. */
const json_t *ay_objects(const struct ay_api *a, const char *kind);
/* Insert or replace. Takes body. */
AY_MUST_USE enum ay_rc ay_object_put(struct ay_api *a, const char *kind, const char *key,
				     json_t *body, struct ay_err *e);
AY_MUST_USE enum ay_rc ay_object_drop(struct ay_api *a, const char *kind, const char *key,
				      struct ay_err *e);

#endif
