/* SPDX-License-Identifier: Apache-2.0 */
/* Work on the store beside the server: the store's part of init, backup, restore. */
#include "prog/assayd/api/api.h"
#include "prog/assayd/processes.h"

#include "core/base/base64.h"
#include "core/crypto/hash.h"
#include "io/store/store.h"
#include "io/sys/clock.h"
#include "io/sys/file.h"
#include "io/sys/rng.h"

#include <errno.h>
#include <limits.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

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

/* https://HOST:PORT of the API, as a browser on this host or near it would write it. */
static void api_url(const struct ay_config *config, char *out, size_t room)
{
	const char *listen = ay_config_str(config, "listen_api"), *colon = strrchr(listen, ':');
	char host[256] = "";

	if (!ay_config_word(config, "names", 0, host, sizeof(host)))
		(void)gethostname(host, sizeof(host) - 1);
	snprintf(out, room, "https://%s%s", host, colon == NULL ? "" : colon);
}

static enum ay_rc write_link(const struct ay_config *config, const char *secret, struct ay_err *e)
{
	char path[PATH_MAX], line[512], url[300];
	enum ay_rc rc = state_path(config, AY_FILE_FIRST_ADMIN, path, e);

	api_url(config, url, sizeof(url));
	snprintf(line, sizeof(line), "%s/first-admin#%s\n", url, secret);
	if (rc == AY_OK && unlink(path) != 0 && errno != ENOENT)
		rc = ay_fail(e, AY_E_UNAVAIL, "first-admin", 0, "%s: %s", path, strerror(errno));
	if (rc == AY_OK)
		rc = ay_file_write(path, 0600, ay_bytes_of(line), e);
	OPENSSL_cleanse(line, sizeof(line));
	return rc;
}

static enum ay_rc keep_link(const struct ay_config *config, const char *secret, struct ay_err *e)
{
	uint64_t until =
		(uint64_t)(ay_clock_wall_ms() + ay_config_int(config, "login.first_admin_life"));
	uint8_t value[40];
	struct ay_audit_row audit = { ay_clock_wall_ms(), "system", "FIRST_ADMIN_LINK", "", "{}" };
	struct ay_write w[] = { { .kind = AY_WR_META, .meta = { "first-admin", AY_BYTES(value) } },
				{ .kind = AY_WR_AUDIT, .audit = &audit } };
	char path[PATH_MAX];
	struct ay_store_config cfg = { .path = path };
	struct ay_store *s;
	enum ay_rc rc = state_path(config, AY_FILE_DATABASE, path, e);

	ay_sha256(ay_bytes_of(secret), value);
	for (size_t i = 0; i < 8; i++)
		value[32 + i] = (uint8_t)(until >> (56 - 8 * i));
	if (rc == AY_OK)
		rc = ay_store_open(&ay_store_sqlite, &cfg, &s, e);
	if (rc != AY_OK)
		return rc;
	rc = ay_store_write(s, w, AY_COUNT(w), NULL, e);
	ay_store_close(s);
	return rc;
}

enum ay_rc ay_admin_link(const struct ay_config *config, struct ay_err *e)
{
	uint8_t random[24];
	char secret[AY_BASE64_ROOM(sizeof(random))];
	enum ay_rc rc;

	ay_rng_bytes(random, sizeof(random));
	ay_base64_encode(AY_BASE64_URL, AY_BYTES(random), secret);
	rc = write_link(config, secret, e);
	if (rc == AY_OK)
		rc = keep_link(config, secret, e);
	OPENSSL_cleanse(random, sizeof(random));
	OPENSSL_cleanse(secret, sizeof(secret));
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
