/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_BASE_ERR_H
#define AY_BASE_ERR_H

/*
 * Why a call could not do its work. A fault is never a verdict: whoever gets
 * one must not conclude anything about the thing that was examined.
 */
#include "core/base/defs.h"

enum ay_rc {
	AY_OK = 0,
#define X(name, http, soap, retry, text) AY_E_##name,
#include "core/base/err.def"
#undef X
};

/* Where and why a call failed. Lives on the caller's stack; never allocates. */
struct ay_err {
	enum ay_rc rc;
	const char *where; /* field or step, static string: "quote.extraData" */
	size_t offset;	   /* byte offset in the input, or 0 */
	char code[32];	   /* stable code a user may see, e.g. "EK_CHAIN", or "" */
	char text[200];	   /* one line, printable ASCII only, safe to log */
};

/*
 * Fill e (may be NULL) and return rc. The text is made printable: octets
 * outside 0x20..0x7e become '?'.
 */
AY_MUST_USE enum ay_rc ay_fail(struct ay_err *e, enum ay_rc rc, const char *where, size_t offset,
			       const char *fmt, ...) AY_PRINTF(5, 6);

/* As ay_fail, with a stable code that the user is told (facts' and issues' code words). */
AY_MUST_USE enum ay_rc ay_fail_code(struct ay_err *e, enum ay_rc rc, const char *code,
				    const char *where, const char *fmt, ...) AY_PRINTF(5, 6);

/* Give a failure that e already holds the stable code; e may be NULL. */
void ay_err_code(struct ay_err *e, const char *code);

/* Give a failure that has no code yet this one. e may be NULL. Returns rc. */
AY_MUST_USE enum ay_rc ay_err_coded(struct ay_err *e, enum ay_rc rc, const char *code);

/* Record a failure to be reported later (reader, writer). */
void ay_err_set(struct ay_err *e, enum ay_rc rc, const char *where, size_t offset, const char *fmt,
		...) AY_PRINTF(5, 6);

const char *ay_rc_name(enum ay_rc rc); /* "INPUT"; "OK" for AY_OK */
const char *ay_rc_text(enum ay_rc rc);
int ay_rc_http(enum ay_rc rc); /* 200 for AY_OK */

#endif
