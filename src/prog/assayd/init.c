/* SPDX-License-Identifier: Apache-2.0 */
/* `assayd init`: every key and certificate of a new server, once. */
#include "prog/assayd/processes.h"

#include "io/net/cert.h"
#include "io/net/tlspipe.h"
#include "io/sys/clock.h"
#include "io/sys/file.h"
#include "prog/assay-ca/cakeys.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { MAX_NAMES = 32, NAME_ROOM = 256 };

#define YEARS(n) ((int64_t)(n)*365 * 24 * 3600)

/* Certificates by the root, in the order they are made. */
static const struct {
	enum ay_cert_kind kind;
	const char *cn, *cert, *key;
	int64_t life_s;
} issued[] = {
	{ AY_CERT_CHANNEL, "Assay agent channel", AY_FILE_CHANNEL_CERT, AY_FILE_CHANNEL_KEY,
	  YEARS(5) },
	{ AY_CERT_CHANNEL, AY_COURIER_CN, AY_FILE_COURIER_CERT, AY_FILE_COURIER_KEY, YEARS(5) },
	{ AY_CERT_API, "Assay API", AY_FILE_API_CERT, AY_FILE_API_KEY, YEARS(2) },
	{ AY_CERT_ASSERTION, "Assay assertions", AY_FILE_ASSERTION_CERT, AY_FILE_ASSERTION_KEY,
	  YEARS(5) },
	{ AY_CERT_ASSERTION_RSA, "Assay assertions (RSA)", AY_FILE_ASSERTION_RSA_CERT,
	  AY_FILE_ASSERTION_RSA_KEY, YEARS(5) },
};

/* Keys without certificate. */
static const struct {
	const char *key, *pub;
} bare[] = {
	{ AY_FILE_TICKET_KEY, AY_FILE_TICKET_PUB },
	{ AY_FILE_ORDER_KEY, AY_FILE_ORDER_PUB },
	{ AY_FILE_HEAD_KEY, AY_FILE_HEAD_PUB },
};

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

static enum ay_rc put(const struct ay_config *config, const char *name, mode_t mode,
		      struct ay_bytes b, struct ay_err *e)
{
	char path[PATH_MAX];

	if (!ay_config_state_path(config, name, path, sizeof(path)))
		return ay_fail(e, AY_E_LIMIT, "init", 0, "state_dir is too long");
	return ay_file_write(path, mode, b, e);
}

static enum ay_rc put_pair(const struct ay_config *config, const struct ay_cert_pem *p,
			   const char *cert, const char *key, struct ay_err *e)
{
	enum ay_rc rc = put(config, key, 0600, p->key, e);

	return rc == AY_OK ? put(config, cert, 0644, p->cert, e) : rc;
}

static enum ay_rc make_issued(const struct ay_config *config, const struct ay_cert_pem *root,
			      struct ay_err *e)
{
	struct names names;
	enum ay_rc rc = AY_OK;

	collect_names(config, &names);
	for (size_t i = 0; rc == AY_OK && i < AY_COUNT(issued); i++) {
		AY_CLEANUP(ay_cert_pem_free) struct ay_cert_pem p = { { NULL, 0 }, { NULL, 0 } };
		struct ay_cert_args a = { .kind = issued[i].kind,
					  .cn = issued[i].cn,
					  .now_s = ay_clock_wall_ms() / 1000,
					  .life_s = issued[i].life_s };

		if (issued[i].kind == AY_CERT_API)
			a.names = names.list;
		rc = ay_cert_make(&a, root, &p, e);
		if (rc == AY_OK)
			rc = put_pair(config, &p, issued[i].cert, issued[i].key, e);
	}
	return rc;
}

static enum ay_rc make_bare(const struct ay_config *config, struct ay_err *e)
{
	enum ay_rc rc = AY_OK;

	for (size_t i = 0; rc == AY_OK && i < AY_COUNT(bare); i++) {
		AY_CLEANUP(ay_cert_pem_free) struct ay_cert_pem p = { { NULL, 0 }, { NULL, 0 } };

		rc = ay_cert_make_key(&p, e);
		if (rc == AY_OK)
			rc = put_pair(config, &p, bare[i].pub, bare[i].key, e);
	}
	return rc;
}

static enum ay_rc make_root(struct ay_cert_pem *root, struct ay_err *e)
{
	char host[NAME_ROOM] = "", cn[64];
	struct ay_cert_args a = { .kind = AY_CERT_ROOT,
				  .cn = cn,
				  .now_s = ay_clock_wall_ms() / 1000,
				  .life_s = YEARS(20) };

	(void)gethostname(host, sizeof(host) - 1);
	snprintf(cn, sizeof(cn), "Assay root of %.40s", host);
	return ay_cert_make(&a, NULL, root, e);
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
	enum ay_rc rc = make_root(&root, e);

	if (rc == AY_OK)
		rc = make_issued(config, &root, e);
	if (rc == AY_OK)
		rc = make_bare(config, e);
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
