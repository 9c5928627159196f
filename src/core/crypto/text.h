/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_CRYPTO_TEXT_H
#define AY_CRYPTO_TEXT_H

/*
 * Signed and sealed texts that we write ourselves (tickets, tokens, facts in
 * AIK certificates) are compact JSON with members in one fixed order. They are
 * read as exactly that form: one spelling each, no parser to disagree with.
 */
#include "core/base/reader.h"

/* These very octets. */
void ay_text_expect(struct ay_reader *r, const char *field, const char *literal);
/* True and read if these octets come next; else nothing is read. */
bool ay_text_expect_if(struct ay_reader *r, const char *field, const char *literal);
/* Printable ASCII without '"' and '\', up to the closing '"', which is read too; at most max. */
struct ay_bytes ay_text_quoted(struct ay_reader *r, const char *field, size_t max);
/* As ay_text_quoted, terminated, into out of size octets. */
void ay_text_copy(struct ay_reader *r, const char *field, char *out, size_t size);
/* 2 * n lower-case hex digits and a closing '"'. */
void ay_text_hex(struct ay_reader *r, const char *field, uint8_t *out, size_t n);
/* A number without leading zeros, below 10^15. */
int64_t ay_text_number(struct ay_reader *r, const char *field);
/* True if ay_text_quoted would read s whole: nothing in it needs an escape. */
bool ay_text_is_plain(const char *s);

#endif
