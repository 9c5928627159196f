/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_CRYPTO_DER_WRITE_H
#define AY_CRYPTO_DER_WRITE_H

/* DER by the bounded writer, the counterpart of core/crypto/der.h [X690]. */
#include "core/base/writer.h"
#include "core/crypto/der.h"

/* Opens a constructed element; its length is put in by the close that gets the place. */
AY_MUST_USE size_t ay_der_open(struct ay_writer *w, uint8_t tag);
void ay_der_close(struct ay_writer *w, size_t at);
/* A whole primitive element. */
void ay_der_put(struct ay_writer *w, uint8_t tag, struct ay_bytes contents);
/* A positive INTEGER of these big-endian octets, in its shortest form. */
void ay_der_put_integer(struct ay_writer *w, struct ay_bytes magnitude);
/* GeneralizedTime in whole seconds, as RFC 5280 writes it. */
void ay_der_put_time(struct ay_writer *w, int64_t ms);

#endif
