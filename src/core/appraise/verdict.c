/* SPDX-License-Identifier: Apache-2.0 */
#include "core/appraise/verdict.h"

#include "core/appraise/report.h"

const char *ay_result_name(enum ay_result r)
{
	switch (r) {
	case AY_PASS:
		return "pass";
	case AY_NOT_CHECKED:
		return "not_checked";
	case AY_FAIL:
		break;
	}
	return "fail";
}

const char *ay_verdict_name(enum ay_verdict v)
{
	switch (v) {
	case AY_TRUSTED:
		return "trusted";
	case AY_UNKNOWN:
		return "unknown";
	case AY_UNTRUSTED:
		break;
	}
	return "untrusted";
}

static const char *const component_names[AY_COMPONENTS] = {
	[AY_COMP_OF_PCR] = "",
	[AY_COMP_IDENTITY] = "identity",
	[AY_COMP_PLATFORM] = "platform",
	[AY_COMP_OS] = "os",
	[AY_COMP_RUNTIME] = "runtime",
	[AY_COMP_ASSET_TAG] = "asset_tag",
	[AY_COMP_COMPLIANCE] = "compliance",
};

const char *ay_component_name(enum ay_component c)
{
	return (unsigned)c < AY_COMPONENTS ? component_names[c] : "";
}

enum ay_component ay_component_find(struct ay_bytes name)
{
	for (unsigned c = AY_COMP_IDENTITY; c < AY_COMPONENTS; c++)
		if (ay_bytes_eq(name, ay_bytes_of(component_names[c])))
			return (enum ay_component)c;
	return AY_COMP_OF_PCR;
}

const char *ay_grade_name(enum ay_grade g)
{
	static const char *const name[] = { "none", "self_reported", "reported", "log_replayed",
					    "tpm_signed" };

	return (unsigned)g < AY_COUNT(name) ? name[g] : "none";
}

enum ay_component ay_component_of_pcr(unsigned pcr)
{
	if (pcr == 10)
		return AY_COMP_RUNTIME;
	return pcr <= 3 || pcr == 6 || pcr == 7 ? AY_COMP_PLATFORM : AY_COMP_OS;
}

static enum ay_verdict component_verdict(const struct ay_component_state *c)
{
	enum ay_verdict v = AY_UNTRUSTED;

	if (c->n_fail == 0)
		v = c->n_open > 0 || c->n_judged == 0 ? AY_UNKNOWN : AY_TRUSTED;
	return v;
}

static enum ay_verdict host_verdict(const struct ay_report *rep, unsigned required)
{
	enum ay_verdict v = AY_TRUSTED;
	bool any = false;

	for (unsigned c = AY_COMP_IDENTITY; c < AY_COMPONENTS; c++) {
		if ((required & AY_COMP_BIT(c)) == 0)
			continue;
		any = true;
		if (rep->component[c].verdict < v)
			v = rep->component[c].verdict;
	}
	return any ? v : AY_UNKNOWN;
}

enum ay_rc ay_report_conclude(struct ay_report *rep, unsigned required, struct ay_err *e)
{
	rep->verdict = AY_UNTRUSTED;
	for (unsigned c = 0; c < AY_COMPONENTS; c++) {
		rep->component[c].verdict = AY_UNTRUSTED;
		rep->component[c].required = (required & AY_COMP_BIT(c)) != 0;
	}
	if (rep->fault != AY_OK)
		return ay_fail(e, rep->fault, "report", 0, "report could not be kept whole");
	for (unsigned c = AY_COMP_IDENTITY; c < AY_COMPONENTS; c++)
		rep->component[c].verdict = component_verdict(&rep->component[c]);
	rep->verdict = host_verdict(rep, required);
	return AY_OK;
}
