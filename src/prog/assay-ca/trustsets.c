/* SPDX-License-Identifier: Apache-2.0 */
#include "prog/assay-ca/trustsets.h"

#include "core/crypto/pem.h"
#include "io/sys/file.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>

enum {
	SETS_MAX = 64,
	CERTS_MAX = 4096, /* of one set */
	CRLS_MAX = 256,
	FILE_MAX = 8 * 1024 * 1024,
	ARENA_MAX = 64 * 1024 * 1024,
	PATH_ROOM = 4096,
};

struct loading {
	struct ay_trust_sets *all;
	struct ay_cert *certs;
	struct ay_crl *crls;
	size_t n_certs, n_crls;
};

static bool ends_with(const char *s, const char *end)
{
	size_t n = strlen(s), m = strlen(end);

	return n > m && strcmp(s + n - m, end) == 0;
}

static enum ay_rc add_certs(struct loading *l, struct ay_bytes text, struct ay_err *e)
{
	struct ay_bytes der;
	enum ay_rc rc;

	while ((rc = ay_pem_next(&text, "CERTIFICATE", &l->all->arena, &der, e)) != AY_E_NOENT) {
		if (rc == AY_E_NOMEM)
			return rc;
		if (l->n_certs == CERTS_MAX)
			return ay_fail(e, AY_E_LIMIT, "ek_trust_dir", 0, "too many certificates");
		if (rc == AY_OK && ay_cert_parse(der, &l->certs[l->n_certs], NULL) == AY_OK)
			l->n_certs++;
		else
			l->all->n_refused++;
	}
	return AY_OK;
}

static enum ay_rc add_crls(struct loading *l, struct ay_bytes text, struct ay_err *e)
{
	struct ay_bytes der;
	enum ay_rc rc;

	while ((rc = ay_pem_next(&text, "X509 CRL", &l->all->arena, &der, e)) != AY_E_NOENT) {
		if (rc == AY_E_NOMEM)
			return rc;
		if (l->n_crls == CRLS_MAX)
			return ay_fail(e, AY_E_LIMIT, "ek_trust_dir", 0, "too many lists");
		if (rc == AY_OK && ay_crl_parse(der, &l->crls[l->n_crls], NULL) == AY_OK)
			l->n_crls++;
		else
			l->all->n_refused++;
	}
	return AY_OK;
}

static enum ay_rc load_file(struct loading *l, const char *path, struct ay_err *e)
{
	struct ay_bytes text = { 0 };
	enum ay_rc rc = ay_file_read(path, FILE_MAX, &text, e);

	if (rc == AY_OK)
		rc = add_certs(l, text, e);
	if (rc == AY_OK)
		rc = add_crls(l, text, e);
	ay_file_free(&text);
	return rc;
}

static enum ay_rc load_folder(struct loading *l, const char *dir, struct ay_err *e)
{
	char path[PATH_ROOM];
	struct dirent *ent;
	enum ay_rc rc = AY_OK;
	DIR *d = opendir(dir);

	if (d == NULL)
		return errno == ENOTDIR ? AY_OK
					: ay_fail(e, AY_E_UNAVAIL, "ek_trust_dir", 0,
						  "cannot read a folder");
	while (rc == AY_OK && (ent = readdir(d)) != NULL) {
		if (!ends_with(ent->d_name, ".pem") && !ends_with(ent->d_name, ".crt") &&
		    !ends_with(ent->d_name, ".crl"))
			continue;
		if (snprintf(path, sizeof(path), "%s/%s", dir, ent->d_name) >= (int)sizeof(path))
			rc = ay_fail(e, AY_E_INPUT, "ek_trust_dir", 0, "path too long");
		else
			rc = load_file(l, path, e);
	}
	closedir(d);
	return rc;
}

static enum ay_rc load_set(struct ay_trust_sets *t, const char *dir, const char *name,
			   struct ay_err *e)
{
	struct ay_trust_set *set = &t->sets[t->n];
	struct loading l = { .all = t };
	char path[PATH_ROOM];
	enum ay_rc rc;

	l.certs = ay_arena_array(&t->arena, CERTS_MAX, sizeof(*l.certs));
	l.crls = ay_arena_array(&t->arena, CRLS_MAX, sizeof(*l.crls));
	set->name = ay_arena_str(&t->arena, ay_bytes_of(name));
	if (l.certs == NULL || l.crls == NULL || set->name == NULL)
		return ay_fail(e, AY_E_NOMEM, "ek_trust_dir", 0, "out of memory");
	if (snprintf(path, sizeof(path), "%s/%s", dir, name) >= (int)sizeof(path))
		return ay_fail(e, AY_E_INPUT, "ek_trust_dir", 0, "path too long");
	rc = load_folder(&l, path, e);
	if (rc != AY_OK || l.n_certs == 0)
		return rc;
	set->anchors = l.certs;
	set->n_anchors = l.n_certs;
	set->crls = l.crls;
	set->n_crls = l.n_crls;
	t->n_certs += l.n_certs;
	t->n++;
	return AY_OK;
}

enum ay_rc ay_trust_sets_load(const char *dir, struct ay_trust_sets *out, struct ay_err *e)
{
	struct dirent *ent;
	enum ay_rc rc = AY_OK;
	DIR *d = opendir(dir);

	memset(out, 0, sizeof(*out));
	ay_arena_init(&out->arena, ARENA_MAX);
	out->sets = ay_arena_array(&out->arena, SETS_MAX, sizeof(*out->sets));
	if (out->sets == NULL)
		rc = ay_fail(e, AY_E_NOMEM, "ek_trust_dir", 0, "out of memory");
	while (rc == AY_OK && d != NULL && (ent = readdir(d)) != NULL) {
		if (ent->d_name[0] == '.')
			continue;
		if (out->n == SETS_MAX)
			rc = ay_fail(e, AY_E_LIMIT, "ek_trust_dir", 0, "too many sets");
		else
			rc = load_set(out, dir, ent->d_name, e);
	}
	if (d != NULL)
		closedir(d);
	if (rc != AY_OK)
		ay_trust_sets_fini(out);
	return rc;
}

void ay_trust_sets_fini(struct ay_trust_sets *t)
{
	ay_arena_fini(&t->arena);
	memset(t, 0, sizeof(*t));
}
