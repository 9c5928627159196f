/* SPDX-License-Identifier: Apache-2.0 */
/* `assayd init`: every key and certificate of a new server, once. */
#include "prog/assayd/keys.h"
#include "prog/assayd/processes.h"

#include "io/net/cert.h"
#include "io/sys/clock.h"
#include "io/sys/file.h"
#include "prog/assay-ca/cakeys.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static enum ay_rc put(const struct ay_config *config, const char *name, mode_t mode,
		      struct ay_bytes b, struct ay_err *e)
{
	char path[PATH_MAX];

	if (!ay_config_state_path(config, name, path, sizeof(path)))
		return ay_fail(e, AY_E_LIMIT, "init", 0, "state_dir is too long");
	return ay_file_write(path, mode, b, e);
}

static enum ay_rc make_rows(const struct ay_config *config, const struct ay_cert_pem *root,
			    struct ay_err *e)
{
	size_t n;
	const struct ay_key_row *row = ay_keys_rows(&n);
	enum ay_rc rc = AY_OK;

	for (size_t i = 0; rc == AY_OK && i < n; i++)
		rc = ay_keys_make(config, &row[i], root, e);
	return rc;
}

/* What others own; an interrupted init may have made it already. */
static enum ay_rc make_rest(const struct ay_config *config, struct ay_err *e)
{
	char ca[PATH_MAX];
	enum ay_rc rc;

	if (!ay_config_state_path(config, AY_DIR_CA, ca, sizeof(ca)))
		return ay_fail(e, AY_E_LIMIT, "init", 0, "state_dir is too long");
	rc = ay_ca_init(ca, e);
	if (rc == AY_OK || rc == AY_E_EXISTS)
		rc = ay_admin_init(config, e);
	return rc == AY_OK || rc == AY_E_EXISTS ? ay_admin_link(config, e) : rc;
}

static enum ay_rc make_all(const struct ay_config *config, struct ay_err *e)
{
	AY_CLEANUP(ay_cert_pem_free) struct ay_cert_pem root = { { NULL, 0 }, { NULL, 0 } };
	enum ay_rc rc = ay_keys_root(config, ay_clock_wall_ms(), &root, e);

	if (rc == AY_OK)
		rc = make_rows(config, &root, e);
	if (rc == AY_OK)
		rc = make_rest(config, e);
	if (rc == AY_OK)
		rc = put(config, AY_FILE_ROOT_KEY, 0600, root.key, e);
	if (rc == AY_OK) /* last: its presence says that all is there */
		rc = put(config, AY_FILE_ROOT_CERT, 0644, root.cert, e);
	return rc;
}

enum ay_rc ay_server_init(const struct ay_config *config, struct ay_err *e)
{
	const char *state = ay_config_str(config, "state_dir");
	char path[PATH_MAX];
	enum ay_rc rc;

	if (!ay_config_state_path(config, AY_FILE_ROOT_CERT, path, sizeof(path)))
		return ay_fail(e, AY_E_LIMIT, "init", 0, "state_dir is too long");
	if (ay_file_exists(path))
		return ay_fail(e, AY_E_EXISTS, "init", 0, "%s exists: this server has its keys",
			       path);
	rc = ay_dir_make(state, 0700, e);
	return rc == AY_OK ? make_all(config, e) : rc;
}
