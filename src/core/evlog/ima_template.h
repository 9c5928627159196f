/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_EVLOG_IMA_TEMPLATE_H
#define AY_EVLOG_IMA_TEMPLATE_H

/*
 * Which fields an IMA template has: by its name, or by the field descriptors
 * that a custom template has for a name ("d-ng|n-ng|sig").
 */
#include "core/base/bytes.h"

enum ay_ima_field {
	AY_IMA_FIELD_NONE = 0,
	AY_IMA_D,    /* digest alone */
	AY_IMA_D_NG, /* "sha256:" NUL digest; d-ngv2 and d-modsig as well */
	AY_IMA_D_MODSIG,
	AY_IMA_N,    /* name */
	AY_IMA_N_NG, /* path, terminated */
	AY_IMA_SIG,
	AY_IMA_BUF,
	AY_IMA_MODSIG,
	AY_IMA_EVMSIG,
	AY_IMA_TEXT, /* xattrnames */
	AY_IMA_HEX,  /* xattrlengths, xattrvalues */
	AY_IMA_U32,  /* iuid, igid */
	AY_IMA_U16,  /* imode */
};

#define AY_IMA_FIELDS_MAX 12

struct ay_ima_template {
	bool is_old; /* "ima": fixed form without field lengths */
	size_t n_fields;
	uint8_t field[AY_IMA_FIELDS_MAX]; /* enum ay_ima_field */
};

/*
 * The template of a name: a row of ours, or, for descriptors, scratch filled.
 * NULL when the name says nothing to us.
 */
const struct ay_ima_template *ay_ima_template_find(struct ay_bytes name,
						   struct ay_ima_template *scratch);

#endif
