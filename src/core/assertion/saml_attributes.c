/* SPDX-License-Identifier: Apache-2.0 */
#include "core/assertion/saml_build.h"
#include "core/assertion/saml_names.h"
#include "core/base/hex.h"
#include "core/base/timefmt.h"

#include <stdio.h>

enum value_type { VALUE_STRING, VALUE_TRUTH, VALUE_BASE64 };

/* Consumers of the family read typed values; the type's prefix is canonicalised with the rest. */
static void add_type(struct ay_saml_build *b, xmlNodePtr v, enum value_type type)
{
	/* CIT's own gives truths so */
	static const char *const cit[] = { "string", "anyType", "base64Binary" };
	xmlNsPtr xsi = xmlNewNs(v, ay_x(AY_NS_XSI), ay_x("xsi"));
	char name[24];

	snprintf(name, sizeof(name), "%s:%s", b->xs,
		 b->c->profile == AY_SAML_CIT ? cit[type] : "string");
	if (xsi == NULL || xmlNewNs(v, ay_x(AY_NS_XS), ay_x(b->xs)) == NULL ||
	    xmlNewNsProp(v, xsi, ay_x("type"), ay_x(name)) == NULL)
		b->failed = true;
}

static void add_typed(struct ay_saml_build *b, const char *name, const char *value,
		      enum value_type type)
{
	xmlNodePtr a, v;

	if (value == NULL || name == NULL)
		return;
	a = ay_saml_add(b, b->statement, "Attribute", NULL);
	ay_saml_set(b, a, "Name", name);
	if (b->xs == NULL)
		ay_saml_set(b, a, "NameFormat", AY_ATTR_BASIC);
	v = ay_saml_add(b, a, "AttributeValue", value);
	if (v != NULL && b->xs != NULL)
		add_type(b, v, type);
}

static void add_attribute(struct ay_saml_build *b, const char *name, const char *value)
{
	add_typed(b, name, value, VALUE_STRING);
}

static void add_truth(struct ay_saml_build *b, const char *name, bool v)
{
	add_typed(b, name, v ? "true" : "false", VALUE_TRUTH);
}

static bool is_trusted(const struct ay_saml_claims *c, enum ay_component k)
{
	return c->component[k] == AY_TRUSTED;
}

/* Trusted, Trusted_BIOS and Trusted_VMM as Mt. Wilson names them; unknown is false. */
static void add_verdicts(struct ay_saml_build *b, const struct ay_saml_claims *c)
{
	add_truth(b, "Trusted", c->verdict == AY_TRUSTED);
	add_truth(b, "Trusted_BIOS", is_trusted(c, AY_COMP_PLATFORM));
	add_truth(b, "Trusted_VMM", is_trusted(c, AY_COMP_OS));
	add_truth(b, "Asset_Tag", is_trusted(c, AY_COMP_ASSET_TAG));
}

static void add_components(struct ay_saml_build *b, const struct ay_saml_claims *c)
{
	add_attribute(b, "Verdict", ay_verdict_name(c->verdict));
	for (unsigned k = AY_COMP_IDENTITY; k < AY_COMPONENTS; k++) {
		char name[64];

		snprintf(name, sizeof(name), "Verdict[%s]",
			 ay_component_name((enum ay_component)k));
		add_attribute(b, name, ay_verdict_name(c->component[k]));
		if (c->grade[k] == AY_GRADE_NONE)
			continue;
		snprintf(name, sizeof(name), "Grade[%s]", ay_component_name((enum ay_component)k));
		add_attribute(b, name, ay_grade_name(c->grade[k]));
	}
}

static void add_tags(struct ay_saml_build *b, const struct ay_saml_claims *c, const char *before,
		     const char *after)
{
	for (size_t i = 0; is_trusted(c, AY_COMP_ASSET_TAG) && i < c->n_tags; i++) {
		char name[AY_MAX_NAME_BYTES + 8];

		snprintf(name, sizeof(name), "%s%s%s", before, c->tag[i].name, after);
		add_attribute(b, name, c->tag[i].value);
	}
}

static void add_strings(struct ay_saml_build *b, const struct ay_saml_claims *c)
{
	const bool ALWAYS = true, IF_PLATFORM = is_trusted(c, AY_COMP_PLATFORM),
		   IF_OS = is_trusted(c, AY_COMP_OS), IF_TAG = is_trusted(c, AY_COMP_ASSET_TAG);

#define X(field, attribute, when, type)                                                            \
	if (when)                                                                                  \
		add_typed(b, attribute, c->field, VALUE_##type);
#include "core/assertion/saml_claims.def"
#undef X
}

static void add_provenance(struct ay_saml_build *b, const struct ay_saml_claims *c)
{
	char text[65];

	if (c->quote_ms != 0) {
		ay_time_format(c->quote_ms, text);
		add_attribute(b, "Quote_Time", text);
	}
	if (c->has_evidence) {
		ay_hex_encode(AY_BYTES(c->evidence_sha256), text);
		add_attribute(b, "Evidence_SHA256", text);
	}
	if (c->has_policy) {
		ay_hex_encode(AY_BYTES(c->policy_sha256), text);
		add_attribute(b, "Policy_SHA256", text);
		snprintf(text, sizeof(text), "%u", c->policy_version);
		add_attribute(b, "Policy_Version", text);
	}
}

/* ---- SecL ---- */

/* NA: there was no rule for it. Never for what every host must satisfy. */
static void add_trust(struct ay_saml_build *b, const struct ay_saml_claims *c, const char *name,
		      enum ay_component k)
{
	bool ruled = k == AY_COMP_PLATFORM || k == AY_COMP_OS || c->grade[k] != AY_GRADE_NONE ||
		     c->component[k] != AY_UNKNOWN;

	if (ruled)
		add_truth(b, name, is_trusted(c, k));
	else
		add_attribute(b, name, "NA");
}

/* The base64 of a PEM certificate, which SecL has without its frame. */
static void add_der(struct ay_saml_build *b, const char *name, const char *pem)
{
	const char *at = pem ? strchr(pem, '\n') : NULL;
	char text[AY_MAX_CERT_BYTES * 2];
	size_t n = 0;

	for (; at != NULL && *at != '\0' && *at != '-' && n < sizeof(text) - 1; at++)
		if (*at != '\n' && *at != '\r')
			text[n++] = *at;
	text[n] = '\0';
	if (n > 0)
		add_attribute(b, name, text);
}

static void add_secl(struct ay_saml_build *b, const struct ay_saml_claims *c)
{
	add_truth(b, "TRUST_OVERALL", c->verdict == AY_TRUSTED);
	add_trust(b, c, "TRUST_PLATFORM", AY_COMP_PLATFORM);
	add_trust(b, c, "TRUST_OS", AY_COMP_OS);
	add_attribute(b, "TRUST_HOST_UNIQUE", "NA");
	add_trust(b, c, "TRUST_ASSET_TAG", AY_COMP_ASSET_TAG);
	add_attribute(b, "TRUST_SOFTWARE", "NA");
	add_trust(b, c, "TRUST_IMA", AY_COMP_RUNTIME);
	add_attribute(b, "HostName", c->host_name);
	add_attribute(b, "HardwareUUID", c->host_id);
	add_attribute(b, "BiosName", is_trusted(c, AY_COMP_PLATFORM) ? c->bios_name : NULL);
	add_attribute(b, "BiosVersion", is_trusted(c, AY_COMP_PLATFORM) ? c->bios_version : NULL);
	add_attribute(b, "OSName", is_trusted(c, AY_COMP_OS) ? c->vmm_os_name : NULL);
	add_attribute(b, "OSVersion", is_trusted(c, AY_COMP_OS) ? c->vmm_os_version : NULL);
	add_attribute(b, "VMMName", is_trusted(c, AY_COMP_OS) ? c->vmm_name : NULL);
	add_attribute(b, "VMMVersion", is_trusted(c, AY_COMP_OS) ? c->vmm_version : NULL);
	add_truth(b, "FEATURE_TPM", c->ak_name != NULL);
	add_attribute(b, "TPMVersion", c->tpm_version);
	add_der(b, "AIK_Certificate", c->aik_certificate);
	add_attribute(b, "Nonce", c->nonce);
	add_tags(b, c, "TAG_", "");
}

void ay_saml_add_statement(struct ay_saml_build *b, const struct ay_saml_claims *c)
{
	b->statement = ay_saml_add(b, b->root, "AttributeStatement", NULL);
	if (c->profile == AY_SAML_SECL) {
		add_secl(b, c);
		return;
	}
	if (c->profile == AY_SAML_ASSAY)
		add_verdicts(b, c);
	add_strings(b, c);
	if (c->profile == AY_SAML_CIT)
		add_verdicts(b, c);
	add_tags(b, c, "TAG[", "]");
	add_components(b, c);
	add_provenance(b, c);
}
