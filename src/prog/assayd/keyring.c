/* SPDX-License-Identifier: Apache-2.0 */
#include "prog/assayd/keyring.h"

#include "core/base/hex.h"
#include "core/crypto/secret.h"
#include "io/sys/file.h"
#include "io/sys/rng.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define WORD "k1 "
enum {
	ID_AT = 3,
	KEY_AT = ID_AT + 2 * AY_WRAP_KEY_ID + 1,
	LINE = KEY_AT + 64 + 1,
};

static bool is_used(const struct ay_wrap_key *k)
{
	static const uint8_t none[AY_WRAP_KEY_ID];

	return memcmp(k->id, none, sizeof(none)) != 0;
}

static enum ay_rc write_line(const struct ay_keyring *k, size_t i, const char line[LINE],
			     struct ay_err *e)
{
	if (pwrite(k->fd, line, LINE, (off_t)(i * LINE)) != LINE || fsync(k->fd) != 0)
		return ay_fail(e, AY_E_UNAVAIL, "keeper.keys", 0, "cannot write: %s",
			       strerror(errno));
	return AY_OK;
}

static enum ay_rc parse_line(const char line[LINE], struct ay_wrap_key *out, struct ay_err *e)
{
	enum ay_rc rc;

	*out = (struct ay_wrap_key){ 0 };
	if (line[0] == '-')
		return AY_OK; /* destroyed */
	if (memcmp(line, WORD, 3) != 0 || line[KEY_AT - 1] != ' ' || line[LINE - 1] != '\n')
		return ay_fail(e, AY_E_INPUT, "keeper.keys", 0, "not a file of keys");
	rc = ay_hex_decode((struct ay_bytes){ (const uint8_t *)line + ID_AT, 2 * AY_WRAP_KEY_ID },
			   "keeper.keys", out->id, AY_WRAP_KEY_ID, e);
	if (rc == AY_OK)
		rc = ay_hex_decode((struct ay_bytes){ (const uint8_t *)line + KEY_AT, 64 },
				   "keeper.keys", out->key, 32, e);
	return rc;
}

static enum ay_rc load(struct ay_keyring *k, struct ay_err *e)
{
	char line[LINE];
	ssize_t n;
	enum ay_rc rc = AY_OK;

	while (rc == AY_OK && (n = pread(k->fd, line, LINE, (off_t)(k->n_lines * LINE))) == LINE) {
		if (k->n_lines == AY_KEYRING_MAX)
			rc = ay_fail(e, AY_E_LIMIT, "keeper.keys", 0, "more than %d keys",
				     AY_KEYRING_MAX);
		else
			rc = parse_line(line, &k->key[k->n_lines++], e);
	}
	ay_wipe(line, sizeof(line));
	return rc;
}

const struct ay_wrap_key *ay_keyring_find(const struct ay_keyring *k,
					  const uint8_t id[AY_WRAP_KEY_ID])
{
	for (size_t i = 0; i < k->n_lines; i++)
		if (is_used(&k->key[i]) && memcmp(k->key[i].id, id, AY_WRAP_KEY_ID) == 0)
			return &k->key[i];
	return NULL;
}

const struct ay_wrap_key *ay_keyring_newest(const struct ay_keyring *k)
{
	return &k->key[k->n_lines - 1];
}

static void put_line(const struct ay_wrap_key *key, char line[LINE])
{
	char hex[65];

	memcpy(line, WORD, 3);
	ay_hex_encode(AY_BYTES(key->id), hex);
	memcpy(line + ID_AT, hex, (size_t)2 * AY_WRAP_KEY_ID);
	line[KEY_AT - 1] = ' ';
	ay_hex_encode(AY_BYTES(key->key), hex);
	memcpy(line + KEY_AT, hex, 64);
	line[LINE - 1] = '\n';
	ay_wipe(hex, sizeof(hex));
}

size_t ay_keyring_ids(const struct ay_keyring *k, uint8_t out[AY_KEYRING_MAX * AY_WRAP_KEY_ID])
{
	size_t n = 0;

	for (size_t i = k->n_lines; i > 0; i--)
		if (is_used(&k->key[i - 1]))
			memcpy(out + AY_WRAP_KEY_ID * n++, k->key[i - 1].id, AY_WRAP_KEY_ID);
	return n;
}

/* Is the file as it was read? The newest key stands where it stood, and nothing behind it. */
static enum ay_rc lock(const struct ay_keyring *k, struct ay_err *e)
{
	char line[LINE], known[LINE];
	bool same = true;

	if (flock(k->fd, LOCK_EX) != 0)
		return ay_fail(e, AY_E_UNAVAIL, "keeper.keys", 0, "cannot lock: %s",
			       strerror(errno));
	if (k->n_lines > 0) {
		put_line(ay_keyring_newest(k), known);
		same = pread(k->fd, line, LINE, (off_t)((k->n_lines - 1) * LINE)) == LINE &&
		       memcmp(line, known, LINE) == 0;
	}
	if (same)
		same = pread(k->fd, line, LINE, (off_t)(k->n_lines * LINE)) < LINE;
	ay_wipe(line, sizeof(line));
	ay_wipe(known, sizeof(known));
	if (same)
		return AY_OK;
	(void)flock(k->fd, LOCK_UN);
	return ay_fail_code(e, AY_E_UNAVAIL, "KEPT_KEYS", "keeper.keys",
			    "another program changes it; do it again");
}

static enum ay_rc add_key(struct ay_keyring *k, struct ay_err *e)
{
	struct ay_wrap_key key;
	char line[LINE];
	enum ay_rc rc;

	if (k->n_lines == AY_KEYRING_MAX)
		return ay_fail_code(e, AY_E_LIMIT, "KEPT_KEYS", "keeper.keys",
				    "%d keys: secrets must be wrapped anew first", AY_KEYRING_MAX);
	do
		ay_rng_bytes(&key, sizeof(key));
	while (!is_used(&key) || ay_keyring_find(k, key.id) != NULL);
	put_line(&key, line);
	rc = write_line(k, k->n_lines, line, e);
	if (rc == AY_OK)
		k->key[k->n_lines++] = key;
	ay_wipe(line, sizeof(line));
	ay_wipe(&key, sizeof(key));
	return rc;
}

/*
 * The newest goes to the first line, then the file is cut behind it. A crash
 * in between leaves it there twice, or a line of dashes: both are harmless.
 */
static enum ay_rc keep_newest(struct ay_keyring *k, struct ay_err *e)
{
	char line[LINE], dashes[LINE];
	enum ay_rc rc = AY_OK;
	size_t n = k->n_lines;

	if (n == 1)
		return AY_OK;
	memset(dashes, '-', sizeof(dashes));
	dashes[LINE - 1] = '\n';
	put_line(ay_keyring_newest(k), line);
	for (size_t i = 1; rc == AY_OK && i + 1 < n; i++)
		rc = write_line(k, i, dashes, e);
	if (rc == AY_OK)
		rc = write_line(k, 0, line, e);
	if (rc == AY_OK && (ftruncate(k->fd, LINE) != 0 || fsync(k->fd) != 0))
		rc = ay_fail(e, AY_E_UNAVAIL, "keeper.keys", 0, "cannot cut: %s", strerror(errno));
	ay_wipe(line, sizeof(line));
	if (rc != AY_OK)
		return rc;
	k->key[0] = k->key[n - 1];
	ay_wipe(&k->key[1], (n - 1) * sizeof(k->key[0]));
	k->n_lines = 1;
	return AY_OK;
}

enum ay_rc ay_keyring_rotate(struct ay_keyring *k, struct ay_err *e)
{
	enum ay_rc rc = lock(k, e);

	if (rc != AY_OK)
		return rc;
	rc = add_key(k, e);
	(void)flock(k->fd, LOCK_UN);
	return rc;
}

enum ay_rc ay_keyring_retire(struct ay_keyring *k, struct ay_err *e)
{
	enum ay_rc rc = lock(k, e);

	if (rc != AY_OK)
		return rc;
	rc = keep_newest(k, e);
	(void)flock(k->fd, LOCK_UN);
	return rc;
}

static enum ay_rc check_mode(int fd, const char *path, struct ay_err *e)
{
	struct stat st;

	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
		return ay_fail(e, AY_E_INPUT, "keeper.keys", 0, "%s: not a file", path);
	if (AY_CHECKED("KEEPER_MODE", (st.st_mode & 077) != 0))
		return ay_fail(e, AY_E_DENIED, "keeper.keys", 0,
			       "%s: others may read it; chmod 600, and rotate the key", path);
	return AY_OK;
}

enum ay_rc ay_keyring_open(const char *path, struct ay_keyring *out, struct ay_err *e)
{
	enum ay_rc rc;

	*out = (struct ay_keyring){ .fd = -1 };
	out->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (out->fd < 0)
		return ay_fail(e, AY_E_UNAVAIL, "keeper.keys", 0, "%s: %s", path, strerror(errno));
	rc = check_mode(out->fd, path, e);
	if (rc == AY_OK)
		rc = load(out, e);
	if (rc == AY_OK && out->n_lines > 0 && !is_used(&out->key[out->n_lines - 1]))
		rc = ay_fail(e, AY_E_INPUT, "keeper.keys", 0, "%s: its last key is destroyed",
			     path);
	if (rc == AY_OK && out->n_lines == 0)
		rc = ay_keyring_rotate(out, e);
	if (rc != AY_OK)
		ay_keyring_close(out);
	return rc;
}

void ay_keyring_close(struct ay_keyring *k)
{
	ay_fd_close(&k->fd);
	ay_wipe(k, sizeof(*k));
	k->fd = -1;
}
