/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_BASE_UTF8_H
#define AY_BASE_UTF8_H

#include <stddef.h>
#include <stdint.h>

/* Octets of the character at p, of n > 0 that are there; 0: none that is well-formed [RFC3629 4].
 */
size_t ay_utf8_length(const uint8_t *p, size_t n);

#endif
