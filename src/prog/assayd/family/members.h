/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_ASSAYD_FAMILY_MEMBERS_H
#define AY_ASSAYD_FAMILY_MEMBERS_H

/*
 * Members of what clients of the family send: one thing has several spellings,
 * and truths and numbers may be texts (what came as XML is text alone).
 */
#include "core/base/json.h"

#include <jansson.h>

/* Text under the first of these names that is there ("a,b"); "": none. A number is not one. */
const char *ay_member_text(const json_t *o, const char *names);
/* otherwise, when none of them is there or it is neither a truth nor such a text. */
bool ay_member_truth(const json_t *o, const char *names, bool otherwise);
/* The member itself, null and missing as NULL. */
json_t *ay_member(const json_t *o, const char *names);
/*
 * Items of a list: of an array, of the one member of an object that holds one
 * ({"host_record":[..]} as XML has it), or the thing itself.
 */
const json_t *ay_member_item(const json_t *list, size_t i);
size_t ay_member_items(const json_t *list);

#endif
