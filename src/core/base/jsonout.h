/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_BASE_JSONOUT_H
#define AY_BASE_JSONOUT_H

/*
 * JSON of ours as text, written from first to last: for long lists, where a
 * tree of each row costs ten times its text. Compact; sticky on failure. The
 * caller balances brackets; commas before members and items come by themselves.
 */
#include "core/base/bytes.h"

struct ay_json_out {
	char *p;
	size_t n, room;
	bool failed;
};

/* Zeroed is as good. */
void ay_jo_init(struct ay_json_out *o);
void ay_jo_fini(struct ay_json_out *o);
/* '{' or '[', with a comma before it if something of the same level stands there. */
void ay_jo_open(struct ay_json_out *o, char bracket);
void ay_jo_close(struct ay_json_out *o, char bracket);
void ay_jo_key(struct ay_json_out *o, const char *key);
/* Values. NULL, no octets and the instant 0 are null; what is no UTF-8 becomes U+FFFD. */
void ay_jo_text(struct ay_json_out *o, const char *text);
void ay_jo_hex(struct ay_json_out *o, struct ay_bytes b);
void ay_jo_time(struct ay_json_out *o, int64_t at_ms);
void ay_jo_int(struct ay_json_out *o, int64_t v);
void ay_jo_bool(struct ay_json_out *o, bool v);
void ay_jo_null(struct ay_json_out *o);
/* As it is: JSON that somebody else made. */
void ay_jo_raw(struct ay_json_out *o, struct ay_bytes json);
/* What was written, until fini; n 0: out of memory. */
struct ay_bytes ay_jo_end(const struct ay_json_out *o);

#endif
