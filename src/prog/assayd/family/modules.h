/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_ASSAYD_FAMILY_MODULES_H
#define AY_ASSAYD_FAMILY_MODULES_H

/* Modules and source of an MLE: what every dialect may do with them (documents: mle.h). */
#include "prog/assayd/family/mle.h"

enum ay_module_change { AY_MODULE_ADD, AY_MODULE_EDIT, AY_MODULE_REMOVE };

/* Texts as sent, "" for what is not there. */
struct ay_module {
	const char *component, *event;
	const char *pcr; /* "": 19, where tboot measures modules */
	const char *digest, *package_name, *package_vendor, *package_version;
	bool host_specific;
};
/* In a copy of the document, for ay_mle_keep(). MODULE_EXISTS, MODULE_MISSING, PCR_UNKNOWN. */
AY_MUST_USE enum ay_rc ay_module_change(json_t *mle, const struct ay_module *m,
					enum ay_module_change how, struct ay_err *e);
/* What a module of an MLE is known by in /mtwilson/v2: a hash of its names. */
#define AY_MODULE_ID 33
void ay_module_id(const json_t *module, char out[AY_MODULE_ID]);
/* Its place in the list, by that id; -1: none. */
int ay_module_by_id(const json_t *mle, const char *id);

/* SOURCE_EXISTS, SOURCE_MISSING. host "": none any more. */
AY_MUST_USE enum ay_rc ay_mle_source(json_t *mle, enum ay_module_change how, const char *host,
				     struct ay_err *e);

#endif
