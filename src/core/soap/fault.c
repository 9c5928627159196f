/* SPDX-License-Identifier: Apache-2.0 */
#include "core/soap/fault.h"

static bool is_version(const char *code)
{
	return strcmp(code, "SOAP_VERSION") == 0;
}

static bool is_header(const char *code)
{
	return strcmp(code, "SOAP_MUST_UNDERSTAND") == 0;
}

/* The class of a fault, as the version calls it. */
static const char *class_of(enum ay_soap_version v, int status, const char *code)
{
	if (is_version(code))
		return "VersionMismatch";
	if (is_header(code))
		return "MustUnderstand";
	if (status >= 500)
		return v == AY_SOAP_12 ? "Receiver" : "Server";
	return v == AY_SOAP_12 ? "Sender" : "Client";
}

int ay_soap_status(enum ay_soap_version v, int status, const char *code)
{
	static const int http_own[] = { 401, 405, 413, 415, 429 };

	if (status < 400)
		return 200;
	for (size_t i = 0; i < AY_COUNT(http_own); i++)
		if (status == http_own[i])
			return status;
	if (v != AY_SOAP_12 || status >= 500 || is_version(code) || is_header(code))
		return 500;
	return 400;
}

static void open_envelope(struct ay_xml_text *t, enum ay_soap_version v)
{
	ay_xt_put(t, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<soap:Envelope xmlns:soap=\"");
	ay_xt_put(t, ay_soap_namespace(v));
	ay_xt_put(t, "\">");
}

void ay_soap_body_open(struct ay_xml_text *t, enum ay_soap_version v)
{
	open_envelope(t, v);
	ay_xt_open(t, "soap:Body");
}

void ay_soap_body_close(struct ay_xml_text *t)
{
	ay_xt_put(t, "</soap:Body></soap:Envelope>\n");
}

static void put_detail(struct ay_xml_text *t, const struct ay_soap_error *e)
{
	ay_xt_put(t, "<error xmlns=\"" AY_NS_ASSAY "\">");
	ay_xt_element(t, "code", ay_bytes_of(e->code));
	if (e->field != NULL)
		ay_xt_element(t, "field", ay_bytes_of(e->field));
	if (e->has_offset)
		ay_xt_format(t, "<offset>%llu</offset>", (unsigned long long)e->offset);
	ay_xt_element(t, "text", ay_bytes_of(e->text));
	ay_xt_close(t, "error");
}

static void fault_11(struct ay_xml_text *t, int status, const struct ay_soap_error *e)
{
	ay_xt_format(t, "<faultcode>soap:%s</faultcode>", class_of(AY_SOAP_11, status, e->code));
	ay_xt_element(t, "faultstring", ay_bytes_of(e->text));
	ay_xt_open(t, "detail");
	put_detail(t, e);
	ay_xt_close(t, "detail");
}

static void fault_12(struct ay_xml_text *t, int status, const struct ay_soap_error *e)
{
	ay_xt_format(t, "<soap:Code><soap:Value>soap:%s</soap:Value><soap:Subcode>",
		     class_of(AY_SOAP_12, status, e->code));
	ay_xt_put(t, "<soap:Value xmlns:a=\"" AY_NS_ASSAY "\">a:");
	ay_xt_escape(t, ay_bytes_of(e->code));
	ay_xt_put(t, "</soap:Value></soap:Subcode></soap:Code><soap:Reason>"
		     "<soap:Text xml:lang=\"en\">");
	ay_xt_escape(t, ay_bytes_of(e->text));
	ay_xt_put(t, "</soap:Text></soap:Reason><soap:Detail>");
	put_detail(t, e);
	ay_xt_close(t, "soap:Detail");
}

/* What a client may speak instead [SOAP12-1 5.4.7]. */
static void put_upgrade(struct ay_xml_text *t)
{
	ay_xt_put(t, "<soap:Header><soap:Upgrade>"
		     "<soap:SupportedEnvelope qname=\"v:Envelope\" xmlns:v=\"" AY_NS_SOAP12 "\"/>"
		     "<soap:SupportedEnvelope qname=\"v:Envelope\" xmlns:v=\"" AY_NS_SOAP11 "\"/>"
		     "</soap:Upgrade></soap:Header>");
}

void ay_soap_fault(struct ay_xml_text *t, enum ay_soap_version v, int status,
		   const struct ay_soap_error *error)
{
	open_envelope(t, v);
	if (v == AY_SOAP_12 && is_version(error->code))
		put_upgrade(t);
	ay_xt_put(t, "<soap:Body><soap:Fault>");
	if (v == AY_SOAP_12)
		fault_12(t, status, error);
	else
		fault_11(t, status, error);
	ay_xt_close(t, "soap:Fault");
	ay_soap_body_close(t);
}
