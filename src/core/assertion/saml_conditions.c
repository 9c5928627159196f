/* SPDX-License-Identifier: Apache-2.0 */
#include "core/assertion/saml_names.h"
#include "core/assertion/saml_parts.h"
#include "core/base/timefmt.h"

/* IDs that CIT and SecL give to every assertion. */
static const char *const constant_ids[] = { "HostTrustAssertion", "MultipleHostTrustAssertion",
					    "VMTrustAssertion", "MapAssertion" };

static enum ay_rc refuse(struct ay_err *e, const char *where, const char *text)
{
	return ay_saml_refuse(e, AY_E_INPUT, "SAML_CONDITIONS", where, text);
}

/* The text of an element, all of it; NULL without memory. Comments were refused before. */
static const char *text_of(const xmlNode *n, struct ay_arena *arena)
{
	xmlChar *s = n == NULL ? NULL : xmlNodeGetContent(n);
	char *copy = NULL;

	if (s != NULL)
		copy = ay_arena_str(arena, (struct ay_bytes){ s, (size_t)xmlStrlen(s) });
	xmlFree(s);
	return copy;
}

/* An instant in an attribute; absent leaves *out as it is. */
static enum ay_rc time_of(const xmlNode *n, const char *name, int64_t *out, struct ay_err *e)
{
	const xmlChar *s = ay_saml_attr(n, name);

	if (s == NULL)
		return AY_OK;
	if (ay_time_parse(ay_bytes_of((const char *)s), "saml.time", out, e) != AY_OK)
		return refuse(e, "saml.Conditions", "a time cannot be read");
	return AY_OK;
}

static enum ay_rc check_window(const xmlNode *n, const struct ay_saml_expect *want, int64_t *from,
			       int64_t *until, struct ay_err *e)
{
	enum ay_rc rc = time_of(n, "NotBefore", from, e);

	if (rc == AY_OK)
		rc = time_of(n, "NotOnOrAfter", until, e);
	if (rc != AY_OK)
		return rc;
	if (AY_CHECKED("SAML_CONDITIONS", *from != 0 && want->now_ms + want->skew_ms < *from))
		return refuse(e, "saml.NotBefore", "is not valid yet");
	if (AY_CHECKED("SAML_CONDITIONS", *until != 0 && want->now_ms - want->skew_ms >= *until))
		return refuse(e, "saml.NotOnOrAfter", "has expired");
	return AY_OK;
}

static bool names_audience(const xmlNode *restriction, const char *audience)
{
	for (xmlNodePtr n = ay_saml_next(restriction->children); n != NULL;
	     n = ay_saml_next(n->next)) {
		xmlChar *s = ay_saml_is(n, AY_NS_SAML, "Audience") ? xmlNodeGetContent(n) : NULL;
		bool same = s != NULL && xmlStrEqual(s, ay_x(audience));

		xmlFree(s);
		if (same)
			return true;
	}
	return false;
}

static enum ay_rc check_audience(const xmlNode *conditions, const char *audience, struct ay_err *e)
{
	size_t n_named = 0;

	for (xmlNodePtr n = ay_saml_next(conditions->children); n != NULL;
	     n = ay_saml_next(n->next)) {
		if (AY_CHECKED("SAML_CONDITIONS",
			       !ay_saml_is(n, AY_NS_SAML, "AudienceRestriction")))
			return refuse(e, "saml.Conditions", "a condition that we do not know");
		if (audience != NULL && ay_saml_is(n, AY_NS_SAML, "AudienceRestriction") &&
		    AY_CHECKED("SAML_CONDITIONS", !names_audience(n, audience)))
			return refuse(e, "saml.Audience", "is for somebody else");
		n_named++;
	}
	if (AY_CHECKED("SAML_CONDITIONS", audience != NULL && n_named == 0))
		return refuse(e, "saml.Audience", "names no audience");
	return AY_OK;
}

static enum ay_rc check_conditions(const struct ay_saml_doc *d, const struct ay_saml_expect *want,
				   struct ay_saml_facts *f, struct ay_err *e)
{
	xmlNodePtr c = ay_saml_child(d->root, AY_NS_SAML, "Conditions");
	enum ay_rc rc;

	if (c == NULL && want->allow_legacy)
		return AY_OK;
	if (AY_CHECKED("SAML_CONDITIONS", c == NULL))
		return refuse(e, "saml.Conditions", "no Conditions");
	if (c == NULL)
		return AY_OK;
	rc = check_window(c, want, &f->not_before_ms, &f->not_on_or_after_ms, e);
	if (rc == AY_OK && AY_CHECKED("SAML_CONDITIONS", f->not_on_or_after_ms == 0))
		rc = refuse(e, "saml.Conditions", "no NotOnOrAfter");
	if (rc == AY_OK)
		rc = check_audience(c, want->audience, e);
	return rc;
}

static bool tells_of_several(const xmlNode *root)
{
	xmlNodePtr first = ay_saml_child(root, AY_NS_SAML, "AttributeStatement");
	xmlNodePtr n = first == NULL ? NULL : ay_saml_next(first->next);

	while (n != NULL && !ay_saml_is(n, AY_NS_SAML, "AttributeStatement"))
		n = ay_saml_next(n->next);
	return n != NULL;
}

static enum ay_rc check_subject(const struct ay_saml_doc *d, const struct ay_saml_expect *want,
				struct ay_arena *arena, struct ay_saml_facts *f, struct ay_err *e)
{
	xmlNodePtr s = ay_saml_child(d->root, AY_NS_SAML, "Subject");
	xmlNodePtr data = ay_saml_child(ay_saml_child(s, AY_NS_SAML, "SubjectConfirmation"),
					AY_NS_SAML, "SubjectConfirmationData");
	int64_t from = 0, until = 0;

	f->subject = text_of(ay_saml_child(s, AY_NS_SAML, "NameID"), arena);
	if (s == NULL && tells_of_several(d->root))
		return AY_OK;
	if (AY_CHECKED("SAML_CONDITIONS",
		       !want->allow_legacy && (f->subject == NULL || f->subject[0] == '\0')))
		return refuse(e, "saml.Subject", "no subject");
	return data == NULL ? AY_OK : check_window(data, want, &from, &until, e);
}

static bool is_constant(const xmlChar *id)
{
	for (size_t i = 0; i < AY_COUNT(constant_ids); i++)
		if (xmlStrEqual(id, ay_x(constant_ids[i])))
			return true;
	return false;
}

static enum ay_rc check_origin(const struct ay_saml_doc *d, const struct ay_saml_expect *want,
			       struct ay_arena *arena, struct ay_saml_facts *f, struct ay_err *e)
{
	f->issuer = text_of(ay_saml_child(d->root, AY_NS_SAML, "Issuer"), arena);
	f->id = ay_arena_str(arena, (struct ay_bytes){ d->id, (size_t)xmlStrlen(d->id) });
	if (AY_CHECKED("SAML_CONDITIONS", f->issuer == NULL || f->issuer[0] == '\0'))
		return refuse(e, "saml.Issuer", "no issuer");
	if (AY_CHECKED("SAML_CONDITIONS",
		       want->issuer != NULL && strcmp(f->issuer, want->issuer) != 0))
		return refuse(e, "saml.Issuer", "is not the expected one");
	if (AY_CHECKED("SAML_CONDITIONS", !want->allow_legacy && is_constant(d->id)))
		return refuse(e, "saml.ID", "every assertion has this ID");
	return time_of(d->root, "IssueInstant", &f->issued_ms, e);
}

/* One entry a value; an attribute without values is kept with an empty one. */
static enum ay_rc take_attribute(const xmlNode *a, struct ay_arena *arena, struct ay_saml_facts *f,
				 size_t max, struct ay_err *e)
{
	const xmlChar *name = ay_saml_attr(a, "Name");

	if (name == NULL)
		return ay_saml_refuse(e, AY_E_INPUT, "SAML_SHAPE", "saml.Attribute", "no name");
	for (xmlNodePtr v = ay_saml_next(a->children); v != NULL; v = ay_saml_next(v->next)) {
		struct ay_saml_attribute *out = &f->attribute[f->n_attributes];

		if (f->n_attributes == max || !ay_saml_is(v, AY_NS_SAML, "AttributeValue"))
			return ay_saml_refuse(e, AY_E_INPUT, "SAML_SHAPE", "saml.Attribute",
					      "holds more than values");
		out->name = ay_arena_str(arena, ay_bytes_of((const char *)name));
		out->value = text_of(v, arena);
		out->statement = f->n_statements;
		if (out->name == NULL || out->value == NULL)
			return ay_fail(e, AY_E_NOMEM, "saml", 0, "no memory for attributes");
		f->n_attributes++;
	}
	return AY_OK;
}

static enum ay_rc take_statement(const xmlNode *statement, struct ay_arena *arena,
				 struct ay_saml_facts *f, size_t max, struct ay_err *e)
{
	enum ay_rc rc = AY_OK;

	for (xmlNodePtr a = ay_saml_next(statement->children); a != NULL && rc == AY_OK;
	     a = ay_saml_next(a->next)) {
		if (!ay_saml_is(a, AY_NS_SAML, "Attribute"))
			return ay_saml_refuse(e, AY_E_INPUT, "SAML_SHAPE",
					      "saml.AttributeStatement",
					      "holds more than attributes");
		rc = take_attribute(a, arena, f, max, e);
	}
	return rc;
}

static enum ay_rc take_attributes(const xmlNode *root, struct ay_arena *arena,
				  struct ay_saml_facts *f, struct ay_err *e)
{
	size_t max = 0;
	enum ay_rc rc = AY_OK;

	for (xmlNodePtr s = ay_saml_next(root->children); s != NULL; s = ay_saml_next(s->next))
		for (xmlNodePtr a = ay_saml_next(s->children); a != NULL; a = ay_saml_next(a->next))
			for (xmlNodePtr v = ay_saml_next(a->children); v != NULL;
			     v = ay_saml_next(v->next))
				max++;
	f->attribute = ay_arena_array(arena, max, sizeof(*f->attribute));
	if (f->attribute == NULL)
		return ay_fail(e, AY_E_NOMEM, "saml", 0, "no memory for attributes");
	for (xmlNodePtr s = ay_saml_next(root->children); s != NULL && rc == AY_OK;
	     s = ay_saml_next(s->next))
		if (ay_saml_is(s, AY_NS_SAML, "AttributeStatement")) {
			rc = take_statement(s, arena, f, max, e);
			f->n_statements++;
		}
	return rc;
}

/* In every statement: one that answers it does not speak for another. */
static bool has_nonce(const struct ay_saml_facts *f, const char *nonce)
{
	for (size_t i = 0; i < f->n_statements; i++) {
		const char *said = ay_saml_fact_of(f, i, "Nonce");

		if (said == NULL || strcmp(said, nonce) != 0)
			return false;
	}
	return f->n_statements > 0;
}

enum ay_rc ay_saml_check_conditions(const struct ay_saml_doc *d, const struct ay_saml_expect *want,
				    struct ay_arena *arena, struct ay_saml_facts *out,
				    struct ay_err *e)
{
	enum ay_rc rc = check_origin(d, want, arena, out, e);

	if (rc == AY_OK)
		rc = check_subject(d, want, arena, out, e);
	if (rc == AY_OK)
		rc = check_conditions(d, want, out, e);
	if (rc == AY_OK)
		rc = take_attributes(d->root, arena, out, e);
	if (rc != AY_OK)
		return rc;
	if (AY_CHECKED("SAML_CONDITIONS", want->nonce != NULL && !has_nonce(out, want->nonce)))
		return refuse(e, "saml.Nonce", "is not the one that was asked for");
	return AY_OK;
}
