/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_CRYPTO_OIDS_H
#define AY_CRYPTO_OIDS_H

/* Object identifiers we know, as the contents of a DER OBJECT IDENTIFIER. */
#include "core/base/bytes.h"

/* For the string literals below: embedded zeros count, the terminator does not. */
#define AY_OID_INIT(literal)                                                                       \
	{                                                                                          \
		(const uint8_t *)(literal), sizeof(literal) - 1                                    \
	}
#define AY_OID(literal) ((struct ay_bytes)AY_OID_INIT(literal))

#define AY_OID_RSA "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01" /* 1.2.840.113549.1.1.1 */
#define AY_OID_RSA_SHA1 "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x05"
#define AY_OID_RSAES_OAEP "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x07"
#define AY_OID_RSA_SHA256 "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b"
#define AY_OID_RSA_SHA384 "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0c"
#define AY_OID_RSA_SHA512 "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0d"
#define AY_OID_EC_KEY "\x2a\x86\x48\xce\x3d\x02\x01" /* 1.2.840.10045.2.1 */
#define AY_OID_ECDSA_SHA256 "\x2a\x86\x48\xce\x3d\x04\x03\x02"
#define AY_OID_ECDSA_SHA384 "\x2a\x86\x48\xce\x3d\x04\x03\x03"
#define AY_OID_ECDSA_SHA512 "\x2a\x86\x48\xce\x3d\x04\x03\x04"
#define AY_OID_P256 "\x2a\x86\x48\xce\x3d\x03\x01\x07"
#define AY_OID_P384 "\x2b\x81\x04\x00\x22"
#define AY_OID_P521 "\x2b\x81\x04\x00\x23"

#define AY_OID_DIRECTORY_ATTRIBUTES "\x55\x1d\x09" /* 2.5.29.9 */
#define AY_OID_SUBJECT_KEY_ID "\x55\x1d\x0e"
#define AY_OID_KEY_USAGE "\x55\x1d\x0f"
#define AY_OID_SUBJECT_ALT_NAME "\x55\x1d\x11"
#define AY_OID_BASIC_CONSTRAINTS "\x55\x1d\x13"
#define AY_OID_CRL_POINTS "\x55\x1d\x1f"
#define AY_OID_POLICIES "\x55\x1d\x20"
#define AY_OID_AUTHORITY_KEY_ID "\x55\x1d\x23"
#define AY_OID_EXT_KEY_USAGE "\x55\x1d\x25"
#define AY_OID_AUTHORITY_INFO "\x2b\x06\x01\x05\x05\x07\x01\x01"

#define AY_OID_TPM_MANUFACTURER "\x67\x81\x05\x02\x01" /* 2.23.133.2.1 */
#define AY_OID_TPM_MODEL "\x67\x81\x05\x02\x02"
#define AY_OID_TPM_VERSION "\x67\x81\x05\x02\x03"
#define AY_OID_KP_EK "\x67\x81\x05\x08\x01"  /* 2.23.133.8.1 tcg-kp-EKCertificate */
#define AY_OID_KP_AIK "\x67\x81\x05\x08\x03" /* 2.23.133.8.3 tcg-kp-AIKCertificate */

#define AY_OID_AIK_FACTS "\x2b\x06\x01\x04\x01\x83\xde\x32\x01\x01" /* 1.3.6.1.4.1.61234.1.1 */

#define AY_OID_AUTH_ENVELOPED                                                                      \
	"\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x01\x17" /* id-ct-authEnvelopedData */
#define AY_OID_CMS_DATA "\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01"
#define AY_OID_STDDH_SHA256 "\x2b\x81\x04\x01\x0b\x01" /* dhSinglePass-stdDH-sha256kdf-scheme */
#define AY_OID_AES256_WRAP "\x60\x86\x48\x01\x65\x03\x04\x01\x2d"
#define AY_OID_AES256_GCM "\x60\x86\x48\x01\x65\x03\x04\x01\x2e"

#endif
