/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A message of SOAP: Content-Type, line end, SOAPAction, line end, envelope.
 * The element in its Body is read as the object of that name in schemas.def,
 * and what was read is written and must be readable.
 */
#include "fuzz/smoke.h"

#include "core/soap/convert.h"
#include "core/soap/envelope.h"
#include "prog/assayd/api/schema.h"

#include <libxml/parser.h>
#include <stdlib.h>

static struct ay_bytes line(struct ay_bytes *in)
{
	size_t n = 0;
	struct ay_bytes out;

	while (n < in->n && in->p[n] != '\n')
		n++;
	out = (struct ay_bytes){ in->p, n };
	in->p += n < in->n ? n + 1 : n;
	in->n -= n < in->n ? n + 1 : n;
	return out;
}

static const struct ay_schema *schema_named(const char *name)
{
	struct ay_schemas all = ay_schema_table();

	for (size_t i = 1; i < all.n; i++)
		if (all.row[i].kind == AY_SCHEMA_OBJECT && strcmp(all.row[i].name, name) == 0)
			return &all.row[i];
	return NULL;
}

/* What we write is well-formed, whatever was in it. */
static void write_it(const json_t *v, const struct ay_schema *s, const struct ay_schemas *all)
{
	struct ay_xml_text t;
	struct ay_bytes text;
	xmlDocPtr doc;

	ay_xt_init(&t);
	ay_xt_open(&t, "o");
	ay_soap_from_json(&t, v, s, all, NULL);
	ay_xt_close(&t, "o");
	if (ay_xt_end(&t, &text, NULL) == AY_OK) {
		doc = xmlReadMemory((const char *)text.p, (int)text.n, NULL, NULL,
				    XML_PARSE_NOERROR | XML_PARSE_NOWARNING | XML_PARSE_HUGE);
		if (doc == NULL)
			abort();
		xmlFreeDoc(doc);
	}
	ay_xt_fini(&t);
}

static void read_it(const struct ay_soap_envelope *m)
{
	struct ay_schemas all = ay_schema_table();
	const struct ay_schema *s = schema_named((const char *)m->operation->name);
	json_t *v = NULL;

	if (s == NULL || ay_soap_to_json(m->operation, s->members, &all, &v, NULL) != AY_OK)
		return;
	write_it(v, s, &all);
	if (ay_schema_check((enum ay_schema_id)(s - all.row), v, (struct ay_bytes){ NULL, 0 },
			    NULL) == AY_OK)
		AY_FUZZ_ACCEPT();
	json_decref(v);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct ay_bytes in = { p, n }, type = line(&in), action = line(&in);
	struct ay_soap_envelope m;
	struct ay_soap_media media;

	if (ay_soap_media_parse(type, action, &media, NULL) != AY_OK ||
	    ay_soap_envelope_load(in, media.version, &m, NULL) != AY_OK)
		return 0;
	if (ay_soap_action_check(media.action, (const char *)m.operation->name, NULL) == AY_OK)
		read_it(&m);
	ay_soap_envelope_free(&m);
	return 0;
}
