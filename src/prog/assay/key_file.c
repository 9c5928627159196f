/* SPDX-License-Identifier: Apache-2.0 */
#include "prog/assay/key_file.h"

#include "core/tpm/any_key.h"
#include "prog/assay/cmd.h"

#include <stdlib.h>

enum { KEY_FILE_MAX = 64 * 1024 };

int ay_cli_key_file(const char *path, struct ay_pubkey **out)
{
	struct ay_err e = { 0 };
	uint8_t *p = NULL;
	size_t n = 0;
	int rc = ay_cli_read_file(path, KEY_FILE_MAX, &p, &n);

	*out = NULL;
	if (rc == AY_EXIT_OK && ay_key_from_any((struct ay_bytes){ p, n }, out, &e) != AY_OK)
		rc = ay_cli_fault(AY_EXIT_USAGE, path, &e);
	free(p);
	return rc;
}
