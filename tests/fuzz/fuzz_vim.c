/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz/smoke.h"

#include "core/evlog/reported.h"
#include "core/vim/evidence.h"
#include "core/vim/report.h"

#include <stdlib.h>

static void see(void *arg, const struct ay_vim_object *o)
{
	(void)arg;
	(void)ay_vim_property(o, "name");
}

/* First octet: which answer; the rest as a manager could send it. A report's log must be readable.
 */
int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct ay_bytes in = { p + 1, n - 1 };
	enum ay_rc rc = AY_E_INPUT;
	struct ay_vim_report report;
	struct ay_vim_host host;
	struct ay_vim_content content;
	struct ay_managed_facts facts;
	struct ay_evlog log;
	struct ay_arena a;
	char token[AY_VIM_ID];

	if (n == 0)
		return 0;
	ay_arena_init(&a, 16 << 20);
	if (p[0] == '0') {
		rc = ay_vim_report_parse(in, &a, &report, NULL);
		if (rc == AY_OK && report.log.n > 0 &&
		    ay_evlog_parse(report.log, &a, &log, NULL) != AY_OK)
			abort();
	} else if (p[0] == '1') {
		rc = ay_vim_host_parse(in, &host, NULL);
	} else if (p[0] == '2') {
		rc = ay_vim_content_parse(in, &content, NULL);
	} else if (p[0] == '3') {
		rc = ay_vim_objects_parse(in, "RetrievePropertiesEx", see, NULL, token, NULL);
	} else {
		rc = ay_vim_facts_parse(in, &facts, NULL);
	}
	if (rc == AY_OK)
		AY_FUZZ_ACCEPT();
	ay_arena_fini(&a);
	return 0;
}
