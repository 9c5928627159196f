/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Only in a build with -DAY_MUTANTS (make mutants): the check named in
 * $AY_MUTANT is dropped, so that a named test must fail. A normal build has no
 * such code; tools/make-lint looks for the symbol.
 */
#include "core/base/defs.h"

#include <stdlib.h>
#include <string.h>

bool ay_mutant_dropped(const char *name)
{
	const char *dropped = getenv("AY_MUTANT");

	return dropped != NULL && strcmp(dropped, name) == 0;
}
