/* SPDX-License-Identifier: Apache-2.0 */
#include "core/soap/envelope.h"

#include <strings.h>

static bool is_word(struct ay_bytes b, const char *word)
{
	return b.n == strlen(word) && strncasecmp((const char *)b.p, word, b.n) == 0;
}

static struct ay_bytes trim(struct ay_bytes b)
{
	while (b.n > 0 && (b.p[0] == ' ' || b.p[0] == '\t'))
		b = (struct ay_bytes){ b.p + 1, b.n - 1 };
	while (b.n > 0 && (b.p[b.n - 1] == ' ' || b.p[b.n - 1] == '\t'))
		b.n--;
	return b;
}

/* Up to the next ';' outside quotes; rest moves behind it. */
static struct ay_bytes next_part(struct ay_bytes *rest)
{
	bool quoted = false;
	struct ay_bytes part;
	size_t n = 0;

	for (; n < rest->n && (quoted || rest->p[n] != ';'); n++)
		quoted ^= rest->p[n] == '"';
	part = (struct ay_bytes){ rest->p, n };
	*rest = n < rest->n ? (struct ay_bytes){ rest->p + n + 1, rest->n - n - 1 }
			    : (struct ay_bytes){ NULL, 0 };
	return trim(part);
}

/* Without its quotes; false: quotes that do not match. An escape in it is left as it is. */
static bool unquote(struct ay_bytes *b)
{
	if (b->n == 0 || b->p[0] != '"')
		return memchr(b->p == NULL ? (const uint8_t *)"" : b->p, '"', b->n) == NULL;
	if (b->n < 2 || b->p[b->n - 1] != '"')
		return false;
	*b = (struct ay_bytes){ b->p + 1, b->n - 2 };
	return b->n == 0 || memchr(b->p, '"', b->n) == NULL;
}

static enum ay_rc bad(struct ay_err *e, const char *text)
{
	enum ay_rc rc = ay_fail(e, AY_E_INPUT, "content-type", 0, "%s", text);

	ay_err_code(e, "SOAP_MEDIA");
	return rc;
}

/* name=value of a Content-Type. */
static enum ay_rc take_parameter(struct ay_bytes part, struct ay_soap_media *m, bool seen[2],
				 struct ay_err *e)
{
	const uint8_t *eq = part.n == 0 ? NULL : memchr(part.p, '=', part.n);
	struct ay_bytes name, value;

	if (part.n == 0)
		return AY_OK; /* a ';' at the end */
	if (eq == NULL)
		return bad(e, "a parameter without a value");
	name = (struct ay_bytes){ part.p, (size_t)(eq - part.p) };
	value = (struct ay_bytes){ eq + 1, part.n - name.n - 1 };
	if (!unquote(&value))
		return bad(e, "quotes that do not match");
	if (is_word(name, "charset")) {
		if (AY_CHECKED("SOAP_MEDIA", seen[0] || !is_word(value, "utf-8")))
			return bad(e, "the charset is not utf-8");
		seen[0] = true;
	} else if (is_word(name, "action") && m->version == AY_SOAP_12) {
		if (AY_CHECKED("SOAP_MEDIA", seen[1]))
			return bad(e, "two actions");
		m->action = value;
		seen[1] = true;
	}
	return AY_OK;
}

enum ay_rc ay_soap_media_parse(struct ay_bytes content_type, struct ay_bytes soapaction,
			       struct ay_soap_media *out, struct ay_err *e)
{
	struct ay_bytes rest = content_type, type = next_part(&rest);
	struct ay_soap_media m = { 0 };
	bool seen[2] = { false, false };
	enum ay_rc rc = AY_OK;

	*out = m;
	if (is_word(type, "text/xml"))
		m.version = AY_SOAP_11;
	else if (is_word(type, "application/soap+xml"))
		m.version = AY_SOAP_12;
	else
		return bad(e, "send text/xml (SOAP 1.1) or application/soap+xml (SOAP 1.2)");
	while (rc == AY_OK && rest.n > 0)
		rc = take_parameter(next_part(&rest), &m, seen, e);
	if (rc != AY_OK)
		return rc;
	if (m.version == AY_SOAP_11) {
		m.action = trim(soapaction);
		if (!unquote(&m.action))
			return bad(e, "SOAPAction has quotes that do not match");
	}
	*out = m;
	return AY_OK;
}

const char *ay_soap_media_type(enum ay_soap_version v)
{
	return v == AY_SOAP_12 ? "application/soap+xml; charset=utf-8" : "text/xml; charset=utf-8";
}

const char *ay_soap_namespace(enum ay_soap_version v)
{
	return v == AY_SOAP_12 ? AY_NS_SOAP12 : AY_NS_SOAP11;
}

enum ay_rc ay_soap_action_check(struct ay_bytes action, const char *operation, struct ay_err *e)
{
	static const char prefix[] = AY_NS_ASSAY "#";
	size_t n = sizeof(prefix) - 1;
	bool same = action.n > n && memcmp(action.p, prefix, n) == 0 &&
		    ay_bytes_eq((struct ay_bytes){ action.p + n, action.n - n },
				ay_bytes_of(operation));
	enum ay_rc rc;

	if (action.n == 0 || !AY_CHECKED("SOAP_ACTION", !same))
		return AY_OK;
	rc = ay_fail(e, AY_E_INPUT, "soapaction", 0, "the action is not that of the body: %s%s",
		     prefix, operation);
	ay_err_code(e, "SOAP_ACTION");
	return rc;
}
