/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_ASSAYD_FAMILY_MLE_H
#define AY_ASSAYD_FAMILY_MLE_H

/*
 * OEMs, OSs and MLEs of the Mt. Wilson family on our reference sets
 * (docs/compat-mapping.md). OEM and OS are names. An MLE is a document of kind
 * "mle" by its id, and, as soon as every PCR it requires has a value, an active
 * reference set: part platform for BIOS, os for VMM; its PCR whitelist is a
 * `pcr` rule each, its modules are an `includes` rule for each PCR. The set is
 * for hosts that were registered with the MLE: their labels bios_mle and
 * vmm_mle hold its id. A change is the set's next version, which supersedes the
 * one before.
 *
 * The document of an MLE:
 *   {"id","name","version","type":"BIOS"|"VMM","attestation":"PCR"|"MODULE",
 *    "oem" or "os" and "os_version","description","required":[17,..],
 *    "pcrs":{"17":{"sha256":hex}},"modules":[MODULE],"source":host name,
 *    "set":reference set "NAME@VERSION" or absent}
 * MODULE: {"event","component","pcr":19,"digest":hex,"package_name",
 *          "package_vendor","package_version","host_specific":bool}
 *
 * Failures have the codes of errors.def. Who calls has checked the lengths its
 * dialect allows.
 */
#include "prog/assayd/family/objects.h"

/* ---- OEM and OS: document {"name","version","description"}, version of an OS only ---- */

const json_t *ay_oem_find(const struct ay_api *a, const char *name);
const json_t *ay_os_find(const struct ay_api *a, const char *name, const char *version);
/* is_new: OEM_EXISTS, OS_EXISTS; else OEM_UNKNOWN, OS_UNKNOWN. */
AY_MUST_USE enum ay_rc ay_oem_put(struct ay_api *a, bool is_new, const char *name,
				  const char *description, struct ay_err *e);
AY_MUST_USE enum ay_rc ay_os_put(struct ay_api *a, bool is_new, const char *name,
				 const char *version, const char *description, struct ay_err *e);
/* OEM_IN_USE, OS_IN_USE: an MLE names it. */
AY_MUST_USE enum ay_rc ay_oem_remove(struct ay_api *a, const char *name, struct ay_err *e);
AY_MUST_USE enum ay_rc ay_os_remove(struct ay_api *a, const char *name, const char *version,
				    struct ay_err *e);

/* ---- MLE ---- */

/* How the family names an MLE: a BIOS by its OEM, a VMM by its OS. Others are NULL. */
struct ay_mle_key {
	const char *name, *version;
	const char *oem;
	const char *os, *os_version;
};
/* The newest of them borrowed; NULL = none. */
const json_t *ay_mle_find(const struct ay_api *a, const struct ay_mle_key *k);
const json_t *ay_mle_by_id(const struct ay_api *a, const char *id);
/* Hosts that are registered with it. */
size_t ay_mle_users(const struct ay_api *a, const char *id);

/*
 * Keep an MLE: a new one (the document has no "id", gets one: id, room
 * AY_UUID_TEXT) or another state of one. Checks what all dialects want: OEM or
 * OS is there and not both (OEM_UNKNOWN, OS_UNKNOWN, OEM_AND_OS), the key is
 * free (MLE_EXISTS), PCRs are 0-9, 11-15, 17-22 (PCR_UNKNOWN), digests are such
 * of SHA-1, SHA-256, SHA-384 or SHA-512 (WHITELIST_VALUE). Then its reference
 * set is made anew. Takes mle. c: who asks; where two persons must activate a
 * set, it is a draft until somebody else approves.
 */
AY_MUST_USE enum ay_rc ay_mle_keep(struct ay_api_call *c, json_t *mle, char *id, struct ay_err *e);
/* MLE_IN_USE: a host is registered with it. Its set ends. */
AY_MUST_USE enum ay_rc ay_mle_remove(struct ay_api_call *c, const char *id, struct ay_err *e);

/* Values of one PCR in a copy of the document, for ay_mle_keep(). value "": required only. */
AY_MUST_USE enum ay_rc ay_mle_set_pcr(json_t *mle, const char *pcr, const char *value,
				      struct ay_err *e);
/* PCR_MISSING */
AY_MUST_USE enum ay_rc ay_mle_drop_pcr(json_t *mle, const char *pcr, struct ay_err *e);
/* The value the family shows: of the longest digest there is; NULL: none. */
const char *ay_mle_pcr_value(const json_t *mle, const char *pcr);
/* A name of the bank by the length of a digest in hex: "sha256"; NULL: none. */
const char *ay_mle_bank(const char *hex);

/* The reference set of an MLE as a document, pure: NULL when there is nothing to compare with, or
 * a required PCR has no value. */
json_t *ay_mle_set_json(const json_t *mle);

/* ---- hosts and their MLEs: documents of kind "host" by id ---- */

const json_t *ay_family_host(const struct ay_api *a, const struct ay_host *h);
/*
 * What a host was registered with: {"bios_mle":id|null,"vmm_mle":id|null,...}
 * and whatever a dialect keeps. Takes body. The host's labels follow.
 */
AY_MUST_USE enum ay_rc ay_family_host_keep(struct ay_api *a, const struct ay_host *h, json_t *body,
					   struct ay_err *e);

#endif
