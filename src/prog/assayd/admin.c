/* SPDX-License-Identifier: Apache-2.0 */
/* Work on the store beside the server: the store's part of init, backup, restore. */
#include "prog/assayd/api/api.h"
#include "prog/assayd/processes.h"

#include "io/store/store.h"
#include "io/sys/clock.h"
#include "io/sys/file.h"

#include <limits.h>
#include <openssl/crypto.h>
#include <string.h>

static enum ay_rc state_path(const struct ay_config *config, const char *name, char out[PATH_MAX],
			     struct ay_err *e)
{
	if (!ay_config_state_path(config, name, out, PATH_MAX))
		return ay_fail(e, AY_E_LIMIT, "state_dir", 0, "state_dir is too long");
	return AY_OK;
}

/* The token with a line end, so that `cat` shows it well. */
static enum ay_rc write_token(void *arg, const char *text, struct ay_err *e)
{
	const struct ay_config *config = arg;
	char path[PATH_MAX], line[AY_API_TOKEN_TEXT + 1];
	enum ay_rc rc = state_path(config, AY_FILE_ADMIN_TOKEN, path, e);

	if (rc != AY_OK)
		return rc;
	memcpy(line, text, strlen(text));
	line[strlen(text)] = '\n';
	rc = ay_file_write(path, 0600, (struct ay_bytes){ (const uint8_t *)line, strlen(text) + 1 },
			   e);
	OPENSSL_cleanse(line, sizeof(line));
	return rc;
}

enum ay_rc ay_admin_init(const struct ay_config *config, struct ay_err *e)
{
	char path[PATH_MAX];
	struct ay_store_config cfg = { .path = path, .create = true };
	struct ay_store *s;
	enum ay_rc rc = state_path(config, AY_FILE_DATABASE, path, e);

	if (rc == AY_OK)
		rc = ay_store_open(&ay_store_sqlite, &cfg, &s, e);
	if (rc != AY_OK)
		return rc;
	rc = ay_api_make_admin(s, ay_clock_wall_ms(), write_token, (void *)(uintptr_t)config, e);
	ay_store_close(s);
	return rc;
}

enum ay_rc ay_admin_backup(const struct ay_config *config, const char *file, struct ay_err *e)
{
	char path[PATH_MAX];
	enum ay_rc rc = state_path(config, AY_FILE_DATABASE, path, e);

	return rc != AY_OK ? rc : ay_store_backup(&ay_store_sqlite, path, file, e);
}

enum ay_rc ay_admin_restore(const struct ay_config *config, const char *file, struct ay_err *e)
{
	char path[PATH_MAX];
	enum ay_rc rc = state_path(config, AY_FILE_DATABASE, path, e);

	return rc != AY_OK ? rc : ay_store_restore(&ay_store_sqlite, file, path, e);
}
