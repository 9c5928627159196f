/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_EVLOG_IMA_SIG_H
#define AY_EVLOG_IMA_SIG_H

/*
 * The signature of a file as the kernel keeps it in security.ima (or, for a
 * portable one over metadata, in security.evm) and copies it to the fields sig
 * and evmsig of an IMA list.
 *
 *   v2  octet type (3), octet 2, octet hash, key id of 4 octets, u16 length and
 *       the signature over the file's digest
 *   v3  the same with 3 in the second place; what is signed is the hash over
 *       {type, hash, digest} (fs-verity: type 6)
 */
#include "core/base/bytes.h"
#include "core/base/err.h"

enum ay_ima_sig_form {
	AY_IMA_SIG_NONE = 0, /* nothing that can be verified */
	AY_IMA_SIG_V1,	     /* the old form with a time and GnuPG numbers: not verified */
	AY_IMA_SIG_V2,
	AY_IMA_SIG_V3,
	AY_IMA_SIG_PORTABLE, /* v2 over metadata (type 5): says nothing of the contents alone */
};

/* First octet: enum evm_ima_xattr_type of the kernel. */
#define AY_IMA_XATTR_DIGSIG 3
#define AY_IMA_XATTR_PORTABLE 5
#define AY_IMA_XATTR_VERITY 6

struct ay_ima_sig {
	enum ay_ima_sig_form form;
	uint8_t type;	   /* first octet */
	uint8_t hash_id;   /* enum hash_algo of the kernel */
	uint16_t hash_alg; /* TPM number; 0: one that we cannot compute */
	uint8_t key_id[4];
	struct ay_bytes value;
};

/*
 * Parse the octets of the extended attribute. Nothing is verified.
 *
 *   out  filled on AY_OK, zeroed on failure; value borrows from in. A v1 header
 *        gives form V1 and nothing else.
 *
 * AY_E_INPUT  another type or version, a length that is not that of the rest
 */
AY_MUST_USE enum ay_rc ay_ima_sig_parse(struct ay_bytes in, struct ay_ima_sig *out,
					struct ay_err *e);

#endif
