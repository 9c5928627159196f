/* SPDX-License-Identifier: Apache-2.0 */
/* assay reference compute: the files it reads and the set it writes. */
#include "prog/assay/compute.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/hex.h"
#include "core/crypto/hash.h"

int ay_inputs_read(struct ay_inputs *in, const char *role, const char *path, size_t max,
		   struct ay_bytes *out)
{
	size_t i = in->n;
	int rc;

	*out = (struct ay_bytes){ 0 };
	if (i == AY_COMPUTE_INPUTS)
		return ay_cli_error(AY_EXIT_USAGE, "more than %d files", AY_COMPUTE_INPUTS);
	rc = ay_cli_read_file(path, max, &in->file[i].p, &in->file[i].size);
	if (rc != AY_EXIT_OK)
		return rc;
	in->file[i].role = role;
	in->file[i].path = path;
	in->n++;
	*out = (struct ay_bytes){ in->file[i].p, in->file[i].size };
	return AY_EXIT_OK;
}

void ay_inputs_free(struct ay_inputs *in)
{
	for (size_t i = 0; i < in->n; i++)
		free(in->file[i].p);
	*in = (struct ay_inputs){ 0 };
}

const char *ay_inputs_note(const struct ay_inputs *in, struct ay_arena *a)
{
	char note[AY_MAX_TEXT_BYTES] = "";
	size_t n = 0;

	for (size_t i = 0; i < in->n; i++) {
		const char *base = strrchr(in->file[i].path, '/');
		uint8_t digest[32];
		char hex[65], item[256];
		int len;

		ay_sha256((struct ay_bytes){ in->file[i].p, in->file[i].size }, digest);
		ay_hex_encode(AY_BYTES(digest), hex);
		len = snprintf(item, sizeof(item), "%s%s %.100s sha256:%s", n == 0 ? "" : "; ",
			       in->file[i].role, base == NULL ? in->file[i].path : base + 1, hex);
		if (len < 0 || n + (size_t)len >= sizeof(note))
			break;
		memcpy(note + n, item, (size_t)len + 1);
		n += (size_t)len;
	}
	return ay_arena_printf(a, "%s", note);
}

int ay_compute_name(const struct ay_args *args, char name[AY_MAX_NAME_BYTES + 1])
{
	const char *given = ay_args_opt(args, "name", 0), *out = ay_args_opt(args, "out", 0);
	const char *base = given != NULL ? given : out == NULL ? "computed" : strrchr(out, '/');
	size_t n;

	if (base == NULL)
		base = out;
	else if (given == NULL && *base == '/')
		base++;
	snprintf(name, AY_MAX_NAME_BYTES + 1, "%.*s", AY_MAX_NAME_BYTES, base);
	n = strlen(name);
	if (given == NULL && n > 5 && strcmp(name + n - 5, ".json") == 0)
		name[n - 5] = '\0';
	if (ay_json_is_name(name))
		return AY_EXIT_OK;
	if (given != NULL)
		return ay_cli_error(AY_EXIT_USAGE, "not a name: %s", given);
	snprintf(name, AY_MAX_NAME_BYTES + 1, "computed");
	return AY_EXIT_OK;
}

int ay_compute_write(const struct ay_refset *s, const char *path)
{
	json_t *j = ay_refset_json(s, true);
	int rc = AY_EXIT_OK;

	if (j == NULL)
		return ay_cli_error(AY_EXIT_IO, "out of memory");
	if (json_dump_file(j, path, JSON_INDENT(1) | JSON_SORT_KEYS) != 0)
		rc = ay_cli_error(AY_EXIT_IO, "%s: cannot be written", path);
	json_decref(j);
	return rc;
}
