/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_SYS_CONFIG_VALUE_H
#define AY_SYS_CONFIG_VALUE_H

/* Reading and judging single values of a configuration file. */
#include "io/sys/config.h"

/* A number with the unit its type permits; false if it is none. */
AY_MUST_USE bool ay_config_number(enum ay_config_type type, const char *text, int64_t *out);
/* NULL, or why text is no value of this row; the reason may be in room. */
const char *ay_config_judge(const struct ay_config_row *row, const char *text, char *room,
			    size_t n);
/* Edit distance of two keys; for "did you mean". */
size_t ay_config_distance(const char *a, const char *b);
/* The i-th word of a list with commas or blanks between; false when there is none. */
AY_MUST_USE bool ay_config_list_word(const char *list, size_t i, char *out, size_t room);

#endif
