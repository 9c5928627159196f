/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_CRYPTO_X509_IMPL_H
#define AY_CRYPTO_X509_IMPL_H

/* What certificates and CRLs have in common; for x509*.c only. */
#include "core/base/reader.h"
#include "core/crypto/x509.h"

/* By the whole AlgorithmIdentifier. */
enum ay_cert_sig ay_cert_sig_of(struct ay_bytes algorithm);
struct ay_bytes ay_cert_read_serial(struct ay_reader *r, uint32_t *flags);
/* The Name with its tag. */
struct ay_bytes ay_cert_read_name(struct ay_reader *r, const char *field, uint32_t *flags,
				  bool *is_empty);
AY_MUST_USE enum ay_rc ay_cert_sig_check(enum ay_cert_sig alg, struct ay_bytes tbs,
					 struct ay_bytes sig, const struct ay_pubkey *key,
					 struct ay_err *e);

#endif
