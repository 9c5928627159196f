/* SPDX-License-Identifier: Apache-2.0 */
#include "core/appraise/state.h"
#include "core/appraise/waiver.h"

void ay_check_identity_grade(const struct ay_policy *p, const char *grade, bool offline,
			     struct ay_report *rep)
{
	struct ay_place at = { .optional = offline };
	unsigned got = ay_identity_grade(ay_bytes_of(grade)), want;

	if (p == NULL || p->grades.identity == 0)
		return;
	want = p->grades.identity;
	at.expected_text = ay_identity_grade_name(want);
	at.measured_text = got == 0 ? "unknown" : grade;
	if (offline)
		ay_report_add(rep, AY_CHECK_GRADE_IDENTITY, AY_NOT_CHECKED, &at,
			      "offline nobody knows the grade of the identity");
	else if (AY_CHECKED("GRADE_IDENTITY", got < want))
		ay_report_add(rep, AY_CHECK_GRADE_IDENTITY, AY_FAIL, &at,
			      "identity is %s, the policy demands %s", at.measured_text,
			      at.expected_text);
	else
		ay_report_add(rep, AY_CHECK_GRADE_IDENTITY, AY_PASS, &at, "identity is %s", grade);
}

/* Where nothing was judged there is no grade, and the verdict says so already. */
static void check_component_grades(const struct ay_policy *p, unsigned required,
				   struct ay_report *rep)
{
	for (unsigned c = AY_COMP_PLATFORM; c < AY_COMPONENTS; c++) {
		enum ay_grade want = p->grades.component[c], got = rep->component[c].grade;
		struct ay_place at = { .component = (enum ay_component)c,
				       .expected_text = ay_grade_name(want),
				       .measured_text = ay_grade_name(got) };

		if ((required & AY_COMP_BIT(c)) != 0 && got != AY_GRADE_NONE &&
		    AY_CHECKED("GRADE_COMPONENT", got < want))
			ay_report_add(rep, AY_CHECK_GRADE_COMPONENT, AY_FAIL, &at,
				      "%s is known as %s, the policy demands %s",
				      ay_component_name((enum ay_component)c), at.measured_text,
				      at.expected_text);
	}
}

enum ay_rc ay_appraise_conclude(const struct ay_policy *policy, unsigned required, int64_t now_ms,
				struct ay_report *rep, struct ay_err *e)
{
	if (policy != NULL) {
		check_component_grades(policy, required, rep);
		ay_waivers_apply(policy, now_ms, rep);
	}
	return ay_report_conclude(rep, required, e);
}
