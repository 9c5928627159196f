/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_TPMDEV_TPMDEV_H
#define AY_TPMDEV_TPMDEV_H

/*
 * The TPM of a host as the agent uses it, behind a table of functions, so that
 * TPM 1.2 stands beside TPM 2.0 without the agent's flow knowing the family.
 *
 * A device is opened for one piece of work and closed after it: a raw TPM and
 * swtpm serve one client at a time, and other programs want it too. close()
 * leaves no transient object and no session behind; open() removes those that
 * a crash of ours left (see tpm2_guard.c). All calls block.
 */
#include "core/base/arena.h"
#include "core/base/err.h"
#include "core/base/limits.h"
#include "core/tpm/pcr.h"
#include "core/tpm/qualify.h"
#include "core/tpm/tag_index.h"

enum ay_ek_kind {
	AY_EK_AUTO = 0, /* the first of the following that the TPM has */
	AY_EK_ECC_P256,
	AY_EK_ECC_P384,
	AY_EK_RSA_2048,
	AY_EK_RSA_3072,
	AY_EK_ECC, /* any ECC, any RSA: only for asking */
	AY_EK_RSA,
};

enum ay_ak_kind { AY_AK_AUTO = 0, AY_AK_ECDSA_P256, AY_AK_RSA_2048 };

struct ay_tpm_info {
	uint8_t family; /* 2 or 1 */
	char manufacturer[5];
	char model[20];
	uint64_t firmware;
	size_t n_banks;
	uint16_t bank[AY_BANKS_MAX]; /* allocated banks in ascending order */
};

/* An endorsement key: which template made it, what it is, what vouches for it. */
struct ay_tpm_ek {
	uint32_t nv_cert; /* NV index its template is named by: 0x01c0000a ... */
	enum ay_ek_kind kind;
	struct ay_bytes pub;  /* TPMT_PUBLIC; of a TPM 1.2 TPM_PUBKEY */
	struct ay_bytes cert; /* as it stands in NV; empty = none */
	size_t n_chain;
	struct ay_bytes chain[AY_MAX_CERT_CHAIN]; /* certificates of 0x01c00100-0x01c001ff */
};

/* An attestation key as kept in the state folder; useless without its TPM. */
struct ay_tpm_ak {
	uint32_t ek_nv;		 /* the EK that is its parent */
	struct ay_bytes pub;	 /* TPMT_PUBLIC; TPM_PUBKEY */
	struct ay_bytes priv;	 /* contents of TPM2B_PRIVATE; TPM_KEY12 */
	struct ay_bytes binding; /* TPM 1.2, when new: its signature over TPM_IDENTITY_CONTENTS */
};

struct ay_ak_ask {
	uint32_t ek_nv;
	enum ay_ak_kind kind;
	const uint8_t *label_digest; /* TPM 1.2: 20 octets, labelPrivCADigest; else NULL */
};

struct ay_tpm_quote {
	struct ay_bytes attest; /* TPMS_ATTEST; TPM_QUOTE_INFO2 or TPM_QUOTE_INFO */
	struct ay_bytes sig;	/* TPMT_SIGNATURE; raw RSA */
	struct ay_pcrs values;	/* of the same selection, read after the quote */
};

struct ay_tpmdev;

struct ay_tpmdev_conf {
	const char *tcti; /* "device:/dev/tpmrm0", "swtpm:host=127.0.0.1,port=2321", ... */
	const char *owner_secret, *srk_secret; /* TPM 1.2: files; NULL or "" = well-known */
	const char *guard_path; /* file that remembers what others had loaded; NULL = no guard */
};

/* The key that lets an asset tag be written: P-256, coordinates big-endian. */
struct ay_tag_ca {
	uint8_t x[32], y[32];
};

/* Makes qualifyingData of x, SHA-256 of the index's Name. */
typedef void ay_tag_qualify(const void *arg, const uint8_t x[32], uint8_t out[AY_QUALIFY_BYTES]);

struct ay_tpmdev_ops {
	const char *name;

	/* A device that is not open yet; keeps what speeds up the next piece of work. */
	enum ay_rc (*make)(const struct ay_tpmdev_conf *c, struct ay_tpmdev **out,
			   struct ay_err *e);
	void (*free)(struct ay_tpmdev *d);

	/* Retries a busy device for some seconds; then AY_E_UNAVAIL. */
	enum ay_rc (*open)(struct ay_tpmdev *d, struct ay_err *e);
	void (*close)(struct ay_tpmdev *d);

	enum ay_rc (*info)(struct ay_tpmdev *d, struct ay_tpm_info *out, struct ay_err *e);
	/*
	 * Find the EK of the kind asked, make it, and read its certificates.
	 * nv_cert names the template at a renewal, 0 chooses by kind. A TPM has
	 * an EK if it holds a certificate for it; if it holds none at all, the
	 * first kind that it can make.
	 */
	enum ay_rc (*ek_find)(struct ay_tpmdev *d, enum ay_ek_kind kind, uint32_t nv_cert,
			      struct ay_arena *a, struct ay_tpm_ek *out, struct ay_err *e);
	/* A new AK, child of the EK named (TPM 1.2: of the SRK); nothing is made persistent. */
	enum ay_rc (*ak_create)(struct ay_tpmdev *d, const struct ay_ak_ask *ask,
				struct ay_arena *a, struct ay_tpm_ak *out, struct ay_err *e);
	/*
	 * AY_E_CRYPTO when the TPM refuses: not for this EK, AK or answer. secret:
	 * digest size of room. TPM 1.2: TPM_SYM_CA_ATTESTATION, TPM_ASYM_CA_CONTENTS.
	 */
	enum ay_rc (*activate)(struct ay_tpmdev *d, const struct ay_tpm_ak *ak,
			       struct ay_bytes id_object, struct ay_bytes encrypted,
			       uint8_t secret[AY_DIGEST_MAX], size_t *n, struct ay_err *e);
	/*
	 * Quote the selection and read its values. If the update counter moved
	 * in between, quote again with the same qualifying data, three times at
	 * most, and return the last. A TPM 1.2 signs its first 20 octets.
	 */
	enum ay_rc (*quote)(struct ay_tpmdev *d, const struct ay_tpm_ak *ak,
			    const struct ay_pcr_selection *s, struct ay_bytes qualifying,
			    struct ay_arena *a, struct ay_tpm_quote *out, struct ay_err *e);

	/* NULL below: this kind of TPM cannot do it. */

	/*
	 * The asset tag's index (core/tpm/tag_index.h) is there or made, and a
	 * policy session waits for the tag CA's signature over nonce (n octets).
	 * It ends with tag_write or close. written: the index holds a tag now.
	 * Codes TAG_INDEX (another index is there; replace removes it).
	 */
	enum ay_rc (*tag_begin)(struct ay_tpmdev *d, const struct ay_tag_ca *ca, bool replace,
				uint8_t nonce[32], size_t *n, bool *written, struct ay_err *e);
	/* rs: the signature (r, s) over ay_tag_write_permit(). TAG_PERMIT: the TPM refuses it. */
	enum ay_rc (*tag_write)(struct ay_tpmdev *d, const struct ay_tag_ca *ca,
				const uint8_t contents[AY_TAG_CONTENTS], const uint8_t rs[64],
				struct ay_err *e);
	/* TPM2_NV_Certify of the index; out->values stays empty. AY_E_NOENT: there is none. */
	enum ay_rc (*tag_certify)(struct ay_tpmdev *d, const struct ay_tpm_ak *ak,
				  ay_tag_qualify *qualify, const void *arg, struct ay_arena *a,
				  struct ay_tpm_quote *out, struct ay_err *e);
	/* An NV index that is open to read, in the arena. AY_E_NOENT: there is none. */
	enum ay_rc (*nv_read)(struct ay_tpmdev *d, uint32_t index, struct ay_arena *a,
			      struct ay_bytes *out, struct ay_err *e);
};

/* The backends in one readable array, ended by NULL: TPM 2.0 by ESYS, TPM 1.2 by raw commands. */
extern const struct ay_tpmdev_ops *const ay_tpmdev_backends[];
extern const struct ay_tpmdev_ops ay_tpmdev_tpm2, ay_tpmdev_tpm12;

/*
 * Whose device that is: "tpm12:..." is a TPM 1.2. A kernel has /dev/tpmrm0 for
 * TPM 2.0 only, so where "device:/dev/tpmrm0" is not there and /dev/tpm0 is, it
 * is a TPM 1.2 as well. *tcti becomes what make() is given.
 */
const struct ay_tpmdev_ops *ay_tpmdev_of(const char **tcti);

/* Texts of configuration keys `ek` and `ak`: "auto", "p256", "ecc-p384", "rsa2048", "rsa", ... */
AY_MUST_USE enum ay_rc ay_ek_kind_parse(const char *text, enum ay_ek_kind *out, struct ay_err *e);
AY_MUST_USE enum ay_rc ay_ak_kind_parse(const char *text, enum ay_ak_kind *out, struct ay_err *e);
const char *ay_ek_kind_name(enum ay_ek_kind k);

#endif
