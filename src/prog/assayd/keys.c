/* SPDX-License-Identifier: Apache-2.0 */
#include "prog/assayd/keys_impl.h"

#include "io/net/tlspipe.h"
#include "io/sys/clock.h"
#include "io/sys/file.h"
#include "prog/assay-ca/cakeys.h"
#include "prog/assayd/processes.h"

#include "core/crypto/x509.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_NAMES = 32, NAME_ROOM = 256 };

#define YEARS(n) ((int64_t)(n)*365 * 24 * 3600)
#define DAY_MS ((int64_t)24 * 3600 * 1000)
#define NEXT ".next"

static const struct ay_key_row rows[] = {
	{ "channel", "agent channel, TLS", AY_FILE_CHANNEL_KEY, AY_FILE_CHANNEL_CERT,
	  "Assay agent channel", AY_CERT_CHANNEL, YEARS(5), false },
	{ "courier", "TLS client of a Privacy CA elsewhere", AY_FILE_COURIER_KEY,
	  AY_FILE_COURIER_CERT, AY_COURIER_CN, AY_CERT_CHANNEL, YEARS(5), false },
	{ "api", "HTTPS of the API", AY_FILE_API_KEY, AY_FILE_API_CERT, "Assay API", AY_CERT_API,
	  YEARS(2), false },
	{ "assertion", "assertions and attestation results", AY_FILE_ASSERTION_KEY,
	  AY_FILE_ASSERTION_CERT, "Assay assertions", AY_CERT_ASSERTION, YEARS(5), false },
	{ "assertion-rsa", "assertions for consumers that know only RSA", AY_FILE_ASSERTION_RSA_KEY,
	  AY_FILE_ASSERTION_RSA_CERT, "Assay assertions (RSA)", AY_CERT_ASSERTION_RSA, YEARS(5),
	  false },
	{ "ticket", "tickets for the Privacy CA", AY_FILE_TICKET_KEY, AY_FILE_TICKET_PUB, NULL,
	  AY_CERT_AGENT, 0, true },
	{ "order", "orders to agents", AY_FILE_ORDER_KEY, AY_FILE_ORDER_PUB, NULL, AY_CERT_AGENT, 0,
	  false },
	{ "audit-head", "heads of the audit", AY_FILE_HEAD_KEY, AY_FILE_HEAD_PUB, NULL,
	  AY_CERT_AGENT, 0, false },
};

/* The embedded Privacy CA's, by its own root; made with it. */
static const struct ay_key_row ca_rows[] = {
	{ "ca-issuer", "AIK certificates", AY_DIR_CA "/issuer.key", AY_DIR_CA "/issuer.pem", NULL,
	  AY_CERT_ROOT, 0, false },
	{ "ca-encryption", "identity requests", AY_DIR_CA "/encryption.key",
	  AY_DIR_CA "/encryption.pem", NULL, AY_CERT_ROOT, 0, false },
};
/* Certificates that operators bring, as the configuration names them. */
static const char *const own[] = { "oat1_cert", "oat2_cert", "mtwilson_cert", "secl_cert" };
enum { ALL_ROWS = AY_COUNT(rows) + AY_COUNT(ca_rows) };

static const struct ay_key_row *row_at(size_t i)
{
	return i < AY_COUNT(rows) ? &rows[i] : &ca_rows[i - AY_COUNT(rows)];
}

static bool is_of_ca(const struct ay_key_row *row)
{
	return row >= ca_rows && row < ca_rows + AY_COUNT(ca_rows);
}

const struct ay_key_row *ay_keys_rows(size_t *n)
{
	*n = AY_COUNT(rows);
	return rows;
}

const struct ay_key_row *ay_keys_row(const char *name)
{
	for (size_t i = 0; i < ALL_ROWS; i++)
		if (strcmp(row_at(i)->name, name) == 0)
			return row_at(i);
	return NULL;
}

/* ---- files ---- */

enum ay_rc ay_keys_path(const struct ay_config *c, const char *name, const char *ending,
			char out[PATH_MAX], struct ay_err *e)
{
	size_t n;

	if (!ay_config_state_path(c, name, out, PATH_MAX))
		return ay_fail(e, AY_E_LIMIT, "keys", 0, "state_dir is too long");
	n = strlen(out);
	if (n + strlen(ending) >= PATH_MAX)
		return ay_fail(e, AY_E_LIMIT, "keys", 0, "state_dir is too long");
	memcpy(out + n, ending, strlen(ending) + 1);
	return AY_OK;
}

enum ay_rc ay_keys_put(const struct ay_config *c, const char *name, const char *ending, mode_t mode,
		       struct ay_bytes b, struct ay_err *e)
{
	char path[PATH_MAX];
	enum ay_rc rc = ay_keys_path(c, name, ending, path, e);

	return rc == AY_OK ? ay_file_write(path, mode, b, e) : rc;
}

enum ay_rc ay_keys_get(const struct ay_config *c, const char *name, const char *ending,
		       struct ay_bytes *out, struct ay_err *e)
{
	char path[PATH_MAX];
	enum ay_rc rc = ay_keys_path(c, name, ending, path, e);

	*out = (struct ay_bytes){ NULL, 0 };
	return rc == AY_OK ? ay_file_read(path, AY_KEYS_PEM_MAX, out, e) : rc;
}

bool ay_keys_has(const struct ay_config *c, const char *name, const char *ending)
{
	char path[PATH_MAX];

	return ay_keys_path(c, name, ending, path, NULL) == AY_OK && ay_file_exists(path);
}

void ay_keys_drop(const struct ay_config *c, const char *name, const char *ending)
{
	char path[PATH_MAX];

	if (ay_keys_path(c, name, ending, path, NULL) == AY_OK)
		(void)unlink(path);
}

static enum ay_rc take_up(const struct ay_config *c, const char *name, struct ay_err *e)
{
	char from[PATH_MAX], to[PATH_MAX];
	enum ay_rc rc = ay_keys_path(c, name, NEXT, from, e);

	if (rc == AY_OK)
		rc = ay_keys_path(c, name, "", to, e);
	if (rc == AY_OK && rename(from, to) != 0)
		rc = ay_fail(e, AY_E_UNAVAIL, "keys", 0, "%.100s: %s", to, strerror(errno));
	return rc;
}

/* ---- making ---- */

struct names {
	char text[MAX_NAMES][NAME_ROOM];
	const char *list[MAX_NAMES + 1];
};

static void add_name(struct names *n, const char *name)
{
	size_t i = 0;

	for (; n->list[i] != NULL; i++)
		if (strcmp(n->list[i], name) == 0)
			return;
	if (i == MAX_NAMES || *name == 0)
		return;
	snprintf(n->text[i], NAME_ROOM, "%s", name);
	n->list[i] = n->text[i];
}

/* The host name, localhost, the loopback addresses, and what the configuration adds. */
static void collect_names(const struct ay_config *config, struct names *n)
{
	char name[NAME_ROOM] = "";

	*n = (struct names){ 0 };
	(void)gethostname(name, sizeof(name) - 1);
	add_name(n, name);
	add_name(n, "localhost");
	add_name(n, "127.0.0.1");
	add_name(n, "::1");
	for (size_t i = 0; ay_config_word(config, "names", i, name, sizeof(name)); i++)
		add_name(n, name);
}

/* As long as its kind lives, or shorter if the configuration says so. */
static int64_t life_of(const struct ay_config *c, int64_t own_s)
{
	int64_t most_s = ay_config_int(c, "certificate_life") / 1000;

	return most_s > 0 && most_s < own_s ? most_s : own_s;
}

static enum ay_rc renew_ca(const struct ay_config *c, const struct ay_key_row *row,
			   struct ay_cert_pem *p, struct ay_err *e)
{
	char dir[PATH_MAX];
	enum ay_rc rc = ay_keys_path(c, AY_DIR_CA, "", dir, e);

	if (rc == AY_OK && ay_config_str(c, "ca")[0] != '\0')
		return ay_fail(e, AY_E_INPUT, "keys", 0,
			       "the Privacy CA stands elsewhere; its keys are there");
	if (rc == AY_OK && !ay_keys_has(c, AY_DIR_CA "/root.key", ""))
		return ay_fail(e, AY_E_NOENT, "keys", 0,
			       "%s is not in the state folder: put it back while keys are replaced",
			       AY_DIR_CA "/root.key");
	return rc == AY_OK ? ay_ca_renew(dir, row == ca_rows ? AY_CA_ISSUER : AY_CA_ENCRYPTION,
					 &p->key, &p->cert, e)
			   : rc;
}

enum ay_rc ay_keys_pair(const struct ay_config *c, const struct ay_key_row *row,
			const struct ay_cert_pem *root, struct ay_cert_pem *p, struct ay_err *e)
{
	struct ay_cert_args a = { .kind = row->kind,
				  .cn = row->cn,
				  .now_s = ay_clock_wall_ms() / 1000,
				  .life_s = life_of(c, row->life_s) };
	struct names names;

	if (is_of_ca(row))
		return renew_ca(c, row, p, e);
	if (row->cn == NULL)
		return ay_cert_make_key(p, e);
	collect_names(c, &names);
	if (row->kind == AY_CERT_API)
		a.names = names.list;
	return ay_cert_make(&a, root, p, e);
}

enum ay_rc ay_keys_root(const struct ay_config *c, int64_t now_ms, struct ay_cert_pem *root,
			struct ay_err *e)
{
	char host[NAME_ROOM] = "", cn[64];
	struct ay_cert_args a = { .kind = AY_CERT_ROOT,
				  .cn = cn,
				  .now_s = now_ms / 1000,
				  .life_s = life_of(c, YEARS(20)) };

	(void)gethostname(host, sizeof(host) - 1);
	snprintf(cn, sizeof(cn), "Assay root of %.40s", host);
	return ay_cert_make(&a, NULL, root, e);
}

enum ay_rc ay_keys_make(const struct ay_config *c, const struct ay_key_row *row,
			const struct ay_cert_pem *root, struct ay_err *e)
{
	AY_CLEANUP(ay_cert_pem_free) struct ay_cert_pem p = { { NULL, 0 }, { NULL, 0 } };
	enum ay_rc rc = ay_keys_pair(c, row, root, &p, e);

	if (rc == AY_OK)
		rc = ay_keys_put(c, row->key, "", 0600, p.key, e);
	return rc == AY_OK ? ay_keys_put(c, row->pub, "", 0644, p.cert, e) : rc;
}

/* ---- rotation ---- */

static enum ay_rc read_root(const struct ay_config *c, const struct ay_key_row *row,
			    struct ay_cert_pem *root, struct ay_err *e)
{
	enum ay_rc rc;

	if (row->cn == NULL)
		return AY_OK;
	if (!ay_keys_has(c, AY_FILE_ROOT_KEY, ""))
		return ay_fail(e, AY_E_NOENT, "keys", 0,
			       "%s is not in the state folder: put it back while keys are replaced",
			       AY_FILE_ROOT_KEY);
	rc = ay_keys_get(c, AY_FILE_ROOT_KEY, "", &root->key, e);
	return rc == AY_OK ? ay_keys_get(c, AY_FILE_ROOT_CERT, "", &root->cert, e) : rc;
}

static size_t first_block(struct ay_bytes pem)
{
	static const char end[] = "-----END ";
	const uint8_t *at = pem.n ? memmem(pem.p, pem.n, end, strlen(end)) : NULL;
	const uint8_t *line = at ? memchr(at, '\n', pem.n - (size_t)(at - pem.p)) : NULL;

	return line ? (size_t)(line - pem.p) + 1 : pem.n;
}

/* The public half as readers find it: the new one, and after it the old one where they take both.
 */
static enum ay_rc put_public(const struct ay_config *c, const struct ay_key_row *row,
			     struct ay_bytes new, struct ay_bytes old, bool revoke,
			     struct ay_err *e)
{
	size_t n_old = row->both && !revoke ? first_block(old) : 0;
	uint8_t *both = malloc(new.n + n_old + 1);
	enum ay_rc rc;

	if (both == NULL)
		return ay_fail(e, AY_E_NOMEM, "keys", 0, "no memory");
	memcpy(both, new.p, new.n);
	if (n_old > 0)
		memcpy(both + new.n, old.p, n_old);
	rc = ay_keys_put(c, row->pub, NEXT, 0644, (struct ay_bytes){ both, new.n + n_old }, e);
	free(both);
	return rc;
}

enum ay_rc ay_keys_replace(const struct ay_config *c, const struct ay_key_row *row,
			   const struct ay_cert_pem *p, bool revoke, struct ay_err *e)
{
	AY_CLEANUP(ay_file_free) struct ay_bytes old = { NULL, 0 };
	enum ay_rc rc = AY_OK;

	if (ay_keys_has(c, row->pub, ""))
		rc = ay_keys_get(c, row->pub, "", &old, e);
	if (rc == AY_OK && AY_CHECKED("KEYS_REVOKE", revoke))
		ay_keys_drop(c, row->pub, AY_KEYS_OLD);
	else if (rc == AY_OK && old.n > 0)
		rc = ay_keys_put(c, row->pub, AY_KEYS_OLD, 0644, old, e);
	if (rc == AY_OK)
		rc = put_public(c, row, p->cert, old, revoke, e);
	if (rc == AY_OK)
		rc = ay_keys_put(c, row->key, NEXT, 0600, p->key, e);
	if (rc == AY_OK)
		rc = take_up(c, row->key, e);
	return rc == AY_OK ? take_up(c, row->pub, e) : rc;
}

enum ay_rc ay_keys_rotate(const struct ay_config *c, const char *name, bool revoke,
			  struct ay_err *e)
{
	AY_CLEANUP(ay_cert_pem_free) struct ay_cert_pem root = { { NULL, 0 }, { NULL, 0 } };
	AY_CLEANUP(ay_cert_pem_free) struct ay_cert_pem p = { { NULL, 0 }, { NULL, 0 } };
	const struct ay_key_row *row = ay_keys_row(name);
	enum ay_rc rc = ay_keys_settle(c, e);

	if (row == NULL)
		return ay_fail(e, AY_E_NOENT, "keys", 0, "%.60s: no such key (assayd keys list)",
			       name);
	if (rc == AY_OK)
		rc = read_root(c, row, &root, e);
	if (rc == AY_OK)
		rc = ay_keys_pair(c, row, &root, &p, e);
	return rc == AY_OK ? ay_keys_replace(c, row, &p, revoke, e) : rc;
}

/* Does the public half that waits belong to the key in place? */
static bool is_pair(const struct ay_config *c, const struct ay_key_row *row)
{
	AY_CLEANUP(ay_file_free) struct ay_bytes key = { NULL, 0 }, pub = { NULL, 0 };
	uint8_t a[32], b[32];

	return ay_keys_get(c, row->key, "", &key, NULL) == AY_OK &&
	       ay_keys_get(c, row->pub, NEXT, &pub, NULL) == AY_OK &&
	       ay_cert_spki(key, a, NULL) == AY_OK && ay_cert_spki(pub, b, NULL) == AY_OK &&
	       memcmp(a, b, sizeof(a)) == 0;
}

/*
 * The key's name is taken first and its public half's last: a public half that
 * waits alone belongs to the key in place; a key that waits was not taken yet.
 */
enum ay_rc ay_keys_settle(const struct ay_config *c, struct ay_err *e)
{
	for (size_t i = 0; i < ALL_ROWS; i++) {
		const struct ay_key_row *row = row_at(i);
		enum ay_rc rc;

		if (!ay_keys_has(c, row->pub, NEXT))
			continue;
		if (ay_keys_has(c, row->key, NEXT) || !is_pair(c, row)) {
			ay_keys_drop(c, row->key, NEXT);
			ay_keys_drop(c, row->pub, NEXT);
			continue;
		}
		rc = take_up(c, row->pub, e);
		if (rc != AY_OK)
			return rc;
	}
	return AY_OK;
}

bool ay_keys_tell(const struct ay_config *c)
{
	char path[PATH_MAX], text[32] = "";
	int fd = ay_keys_path(c, "lock", "", path, NULL) == AY_OK ? open(path, O_RDONLY | O_CLOEXEC)
								  : -1;
	bool runs = fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) != 0;
	ssize_t n = runs ? read(fd, text, sizeof(text) - 1) : 0;
	long pid = n > 0 ? strtol(text, NULL, 10) : 0;

	if (fd >= 0)
		close(fd);
	return pid > 1 && kill((pid_t)pid, SIGHUP) == 0;
}

/* ---- what there is ---- */

static int64_t ends_at(struct ay_bytes pem)
{
	AY_CLEANUP(ay_file_free) struct ay_bytes der = { NULL, 0 };
	struct ay_cert cert;

	if (ay_cert_der(pem, &der, NULL) != AY_OK || ay_cert_parse(der, &cert, NULL) != AY_OK)
		return 0;
	return cert.not_after_ms;
}

bool ay_keys_old(const struct ay_config *c, const char *pub, int64_t now_ms, struct ay_bytes *out,
		 int64_t *until_ms)
{
	char path[PATH_MAX];
	struct stat st;

	*out = (struct ay_bytes){ NULL, 0 };
	if (ay_keys_path(c, pub, AY_KEYS_OLD, path, NULL) != AY_OK || stat(path, &st) != 0)
		return false;
	*until_ms = (int64_t)st.st_mtim.tv_sec * 1000 + AY_KEYS_OVERLAP_MS;
	if (AY_CHECKED("KEYS_OVERLAP", *until_ms <= now_ms))
		return false;
	return ay_file_read(path, AY_KEYS_PEM_MAX, out, NULL) == AY_OK;
}

static void read_one(const struct ay_config *c, const char *name, const char *use, const char *pub,
		     int64_t now_ms, struct ay_key_info out[AY_KEYS_MAX], size_t *n)
{
	AY_CLEANUP(ay_file_free) struct ay_bytes pem = { NULL, 0 }, old = { NULL, 0 };
	struct ay_key_info k = { .name = name, .use = use };

	if (*n == AY_KEYS_MAX || ay_keys_get(c, pub, "", &pem, NULL) != AY_OK ||
	    ay_cert_spki(pem, k.spki, NULL) != AY_OK)
		return;
	k.until_ms = ends_at(pem);
	if (!ay_keys_old(c, pub, now_ms, &old, &k.old_until))
		k.old_until = 0;
	out[(*n)++] = k;
}

/* Not ours to replace, but they end like ours. */
static void read_own(const struct ay_config *c, const char *name,
		     struct ay_key_info out[AY_KEYS_MAX], size_t *n)
{
	AY_CLEANUP(ay_file_free) struct ay_bytes pem = { NULL, 0 };
	struct ay_key_info k = { .name = name, .use = "an address of [compat]", .is_own = true };
	char key[40];

	snprintf(key, sizeof(key), "compat.%s", name);
	if (*n == AY_KEYS_MAX || ay_config_str(c, key)[0] == '\0' ||
	    ay_file_read(ay_config_str(c, key), AY_KEYS_PEM_MAX, &pem, NULL) != AY_OK ||
	    ay_cert_spki(pem, k.spki, NULL) != AY_OK)
		return;
	k.until_ms = ends_at(pem);
	out[(*n)++] = k;
}

void ay_keys_read(const struct ay_config *c, int64_t now_ms, struct ay_key_info out[AY_KEYS_MAX],
		  size_t *n)
{
	*n = 0;
	read_one(c, "root", "signs the certificates below", AY_FILE_ROOT_CERT, now_ms, out, n);
	for (size_t i = 0; i < AY_COUNT(rows); i++)
		read_one(c, rows[i].name, rows[i].use, rows[i].pub, now_ms, out, n);
	read_one(c, "ca-root", "Privacy CA", AY_DIR_CA "/root.pem", now_ms, out, n);
	for (size_t i = 0; i < AY_COUNT(ca_rows); i++)
		read_one(c, ca_rows[i].name, ca_rows[i].use, ca_rows[i].pub, now_ms, out, n);
	for (size_t i = 0; i < AY_COUNT(own); i++)
		read_own(c, own[i], out, n);
}

int ay_keys_warning(int64_t until_ms, int64_t now_ms)
{
	if (until_ms == 0 || until_ms - now_ms > 30 * DAY_MS)
		return 0;
	return until_ms - now_ms > 7 * DAY_MS ? 1 : 2;
}
