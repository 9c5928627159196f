/* SPDX-License-Identifier: Apache-2.0 */
#include "prog/assay/pcrs_file.h"

#include "core/tpm/pcrs_json.h"
#include "prog/assay/cmd.h"

#include <stdlib.h>

enum { PCRS_FILE_MAX = 256 * 1024 };

int ay_cli_pcrs_file(const char *path, struct ay_pcrs *out)
{
	struct ay_err e = { 0 };
	uint8_t *p = NULL;
	size_t n = 0;
	int rc = ay_cli_read_file(path, PCRS_FILE_MAX, &p, &n);

	*out = (struct ay_pcrs){ 0 };
	if (rc == AY_EXIT_OK && ay_pcrs_from_json((struct ay_bytes){ p, n }, out, &e) != AY_OK)
		rc = ay_cli_fault(AY_EXIT_USAGE, path, &e);
	free(p);
	return rc;
}
