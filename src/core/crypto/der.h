/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_CRYPTO_DER_H
#define AY_CRYPTO_DER_H

/*
 * DER on top of the bounded reader [X690]: tags of one octet, definite lengths
 * in their shortest form, nothing else. What OpenSSL's decoder forgives or
 * refuses beyond that is decided by us (docs/formats/ek-cert.md), because the
 * two disagree about certificates that real TPMs carry.
 */
#include "core/base/reader.h"

enum ay_der_tag {
	AY_DER_BOOLEAN = 0x01,
	AY_DER_INTEGER = 0x02,
	AY_DER_BIT_STRING = 0x03,
	AY_DER_OCTET_STRING = 0x04,
	AY_DER_NULL = 0x05,
	AY_DER_OID = 0x06,
	AY_DER_UTF8 = 0x0c,
	AY_DER_UTC_TIME = 0x17,
	AY_DER_GENERALIZED_TIME = 0x18,
	AY_DER_SEQUENCE = 0x30,
	AY_DER_SET = 0x31,
	AY_DER_CONTEXT = 0x80,	   /* | number: primitive */
	AY_DER_CONTEXT_CONS = 0xa0 /* | number: constructed */
};

/* The tag of the next element; 0 when nothing is left or the reader has failed. */
uint8_t ay_der_peek(const struct ay_reader *r);

/* The contents of the next element, which must have this tag. */
struct ay_bytes ay_der_get(struct ay_reader *r, const char *field, uint8_t tag);
/* The next element of any tag, with tag and length; empty on failure. */
struct ay_bytes ay_der_whole(struct ay_reader *r, const char *field);
/* A reader over the contents of the next element; ends with ay_rd_window_end(). */
void ay_der_enter(struct ay_reader *r, const char *field, uint8_t tag, struct ay_reader *sub);
/* Enters if the next element has this tag; false (and nothing read) if not. */
bool ay_der_enter_if(struct ay_reader *r, const char *field, uint8_t tag, struct ay_reader *sub);

/* A non-negative INTEGER below 2^31. */
uint32_t ay_der_u31(struct ay_reader *r, const char *field);
/* TRUE is 0xff, nothing else [X690 11.1]. */
bool ay_der_bool(struct ay_reader *r, const char *field);
/* UTCTime or GeneralizedTime as RFC 5280 writes them, in ms since 1970 [RFC5280 4.1.2.5]. */
int64_t ay_der_time(struct ay_reader *r, const char *field);
/* BIT STRING without unused bits. */
struct ay_bytes ay_der_bits(struct ay_reader *r, const char *field);

#endif
