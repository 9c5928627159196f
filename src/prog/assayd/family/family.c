/* SPDX-License-Identifier: Apache-2.0 */
#include "prog/assayd/family/family.h"

#include <stdlib.h>

static char *written(enum ay_media m, const char *root, const json_t *doc)
{
	if (m == AY_MEDIA_XML)
		return ay_xml_of_json(root, doc);
	return m == AY_MEDIA_YAML ? ay_yaml_of_json(doc) : json_dumps(doc, JSON_COMPACT);
}

void ay_family_document(struct ay_api_call *c, int status, const char *root, json_t *doc)
{
	enum ay_media m = ay_family_media(c, AY_MEDIA_DOCUMENTS, AY_MEDIA_JSON);
	char *text;
	struct ay_err e;

	if (m == AY_MEDIA_NONE)
		m = AY_MEDIA_JSON; /* clients of the family send Accept carelessly */
	text = doc == NULL ? NULL : written(m, root, doc);
	json_decref(doc);
	if (text == NULL) {
		ay_err_set(&e, AY_E_NOMEM, "answer", 0, "out of memory");
		ay_api_problem(c, &e);
		return;
	}
	ay_api_answer(c, status, ay_media_type(m), ay_bytes_of(text), NULL, NULL);
	free(text);
}

void ay_family_done(struct ay_api_call *c)
{
	ay_family_text(c, 200, c->dialect == AY_DIALECT_OAT1 ? "True" : "true");
}

void ay_family_text(struct ay_api_call *c, int status, const char *text)
{
	ay_api_answer(c, status, "text/plain", ay_bytes_of(text), NULL, NULL);
}

/* ---- is anybody there? ---- */

void ay_oat_status(struct ay_api_call *c)
{
	ay_family_done(c);
}

void ay_mtw_status(struct ay_api_call *c)
{
	ay_family_done(c);
}

void ay_cit_version(struct ay_api_call *c)
{
	ay_family_document(c, 200, "version", json_pack("{s:s}", "version", AY_VERSION));
}

void ay_hvs_version(struct ay_api_call *c)
{
	ay_family_text(c, 200, "Service Name: Assay\nVersion: " AY_VERSION "\n");
}
