/* SPDX-License-Identifier: Apache-2.0 */
/* OEMs and OSs: names that MLEs refer to. */
#include "prog/assayd/family/mle.h"

static const char *text(const json_t *o, const char *member)
{
	const char *s = json_string_value(json_object_get(o, member));

	return s == NULL ? "" : s;
}

/* Names cannot hold this octet: paths, queries and JSON texts of ours are printable. */
static const char *os_key(const char *name, const char *version, char room[320])
{
	snprintf(room, 320, "%.150s\x1f%.150s", name, version);
	return room;
}

const json_t *ay_oem_find(const struct ay_api *a, const char *name)
{
	return ay_object(a, "oem", name);
}

const json_t *ay_os_find(const struct ay_api *a, const char *name, const char *version)
{
	char key[320];

	return ay_object(a, "os", os_key(name, version, key));
}

static enum ay_rc put_named(struct ay_api *a, const char *kind, const char *key, bool is_new,
			    json_t *body, struct ay_err *e)
{
	const char *what = strcmp(kind, "oem") == 0 ? "OEM" : "OS";
	bool is_there = ay_object(a, kind, key) != NULL;
	char code[16];

	if (is_there != is_new)
		return ay_object_put(a, kind, key, body, e);
	json_decref(body);
	snprintf(code, sizeof(code), "%s_%s", what, is_new ? "EXISTS" : "UNKNOWN");
	return ay_fail_code(e, is_new ? AY_E_EXISTS : AY_E_NOENT, code, what,
			    is_new ? "this %s is configured already" : "there is no such %s", what);
}

enum ay_rc ay_oem_put(struct ay_api *a, bool is_new, const char *name, const char *description,
		      struct ay_err *e)
{
	return put_named(a, "oem", name, is_new,
			 json_pack("{s:s, s:s}", "name", name, "description", description), e);
}

enum ay_rc ay_os_put(struct ay_api *a, bool is_new, const char *name, const char *version,
		     const char *description, struct ay_err *e)
{
	char key[320];

	return put_named(a, "os", os_key(name, version, key), is_new,
			 json_pack("{s:s, s:s, s:s}", "name", name, "version", version,
				   "description", description),
			 e);
}

/* MLEs with these members; version NULL: any. */
static size_t count_mles(const struct ay_api *a, const char *member, const char *name,
			 const char *version)
{
	json_t *all = (json_t *)(uintptr_t)ay_objects(a, "mle"), *m;
	const char *key;
	size_t n = 0;

	json_object_foreach (all, key, m)
		n += strcmp(text(m, member), name) == 0 &&
		     (version == NULL || strcmp(text(m, "os_version"), version) == 0);
	return n;
}

enum ay_rc ay_oem_remove(struct ay_api *a, const char *name, struct ay_err *e)
{
	size_t n = count_mles(a, "oem", name, NULL);

	if (ay_oem_find(a, name) == NULL)
		return ay_fail_code(e, AY_E_NOENT, "OEM_UNKNOWN", "Name", "there is no such OEM");
	if (AY_CHECKED("FAMILY_OEM_IN_USE", n > 0))
		return ay_fail_code(e, AY_E_EXISTS, "OEM_IN_USE", "Name",
				    "the OEM cannot be deleted: %zu MLEs are associated with it",
				    n);
	return ay_object_drop(a, "oem", name, e);
}

enum ay_rc ay_os_remove(struct ay_api *a, const char *name, const char *version, struct ay_err *e)
{
	size_t n = count_mles(a, "os", name, version);
	char key[320];

	if (ay_os_find(a, name, version) == NULL)
		return ay_fail_code(e, AY_E_NOENT, "OS_UNKNOWN", "Name", "there is no such OS");
	if (AY_CHECKED("FAMILY_OS_IN_USE", n > 0))
		return ay_fail_code(e, AY_E_EXISTS, "OS_IN_USE", "Name",
				    "the OS cannot be deleted: %zu MLEs are associated with it", n);
	return ay_object_drop(a, "os", os_key(name, version, key), e);
}
