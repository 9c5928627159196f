/* SPDX-License-Identifier: Apache-2.0 */
#include "prog/assayd/signers.h"

#include "core/crypto/pem.h"
#include "io/sys/file.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>

enum { PEM_MAX = 16384 };

static enum ay_rc parse_key(struct ay_bytes pem, struct ay_sigkey **out, struct ay_err *e)
{
	struct ay_arena a;
	struct ay_bytes der;
	enum ay_rc rc;

	ay_arena_init(&a, (size_t)2 * PEM_MAX);
	rc = ay_pem_next(&pem, "PUBLIC KEY", &a, &der, e);
	if (rc == AY_OK)
		rc = ay_sigkey_new_spki(der, out, e);
	ay_arena_fini(&a);
	return rc;
}

static enum ay_rc add(struct ay_signers *s, const char *dir, const char *file, struct ay_err *e)
{
	char path[4096 + 256];
	struct ay_bytes pem;
	struct ay_err why = { 0 };
	enum ay_rc rc;

	if (s->n == AY_SIGNERS_MAX)
		return ay_fail(e, AY_E_LIMIT, "reference_signers", 0, "more than %d keys",
			       AY_SIGNERS_MAX);
	snprintf(path, sizeof(path), "%s/%s", dir, file);
	rc = ay_file_read(path, PEM_MAX, &pem, &why);
	if (rc == AY_OK)
		rc = parse_key(pem, &s->key[s->n], &why);
	ay_file_free(&pem);
	if (rc != AY_OK)
		return ay_fail(e, rc, "reference_signers", 0, "%.60s: %.50s", file, why.text);
	snprintf(s->name[s->n], sizeof(s->name[0]), "%.*s", (int)strlen(file) - 4, file);
	s->n++;
	return AY_OK;
}

static int is_pem(const struct dirent *d)
{
	size_t n = strlen(d->d_name);

	return n > 4 && d->d_name[0] != '.' && strcmp(d->d_name + n - 4, ".pem") == 0;
}

enum ay_rc ay_signers_load(const struct ay_config *c, struct ay_signers *out, struct ay_err *e)
{
	const char *dir = ay_config_str(c, "reference_signers");
	struct dirent **file = NULL;
	enum ay_rc rc = AY_OK;
	int n = 0;

	*out = (struct ay_signers){ .unsigned_too =
					    ay_config_bool(c, "reference_import_unsigned") };
	if (dir[0] != '\0')
		n = scandir(dir, &file, is_pem, alphasort);
	if (n < 0)
		return ay_fail(e, AY_E_UNAVAIL, "reference_signers", 0, "%.80s: %s", dir,
			       strerror(errno));
	for (int i = 0; i < n; i++) {
		if (rc == AY_OK)
			rc = add(out, dir, file[i]->d_name, e);
		free(file[i]);
	}
	free(file);
	if (rc != AY_OK)
		ay_signers_fini(out);
	return rc;
}

void ay_signers_fini(struct ay_signers *s)
{
	while (s->n > 0)
		ay_sigkey_free(s->key[--s->n]);
}
