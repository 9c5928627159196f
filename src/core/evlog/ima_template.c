/* SPDX-License-Identifier: Apache-2.0 */
#include "core/evlog/ima_template.h"

static const struct {
	const char *name;
	enum ay_ima_field field;
} fields[] = {
	{ "d-ng", AY_IMA_D_NG },
	{ "n-ng", AY_IMA_N_NG },
	{ "sig", AY_IMA_SIG },
	{ "d-ngv2", AY_IMA_D_NG },
	{ "buf", AY_IMA_BUF },
	{ "d-modsig", AY_IMA_D_MODSIG },
	{ "modsig", AY_IMA_MODSIG },
	{ "evmsig", AY_IMA_EVMSIG },
	{ "d", AY_IMA_D },
	{ "n", AY_IMA_N },
	{ "xattrnames", AY_IMA_TEXT },
	{ "xattrlengths", AY_IMA_HEX },
	{ "xattrvalues", AY_IMA_HEX },
	{ "iuid", AY_IMA_U32 },
	{ "igid", AY_IMA_U32 },
	{ "imode", AY_IMA_U16 },
};

/* The kernel's own (security/integrity/ima/ima_template.c), most frequent first. */
static const struct {
	const char *name;
	struct ay_ima_template t;
} rows[] = {
	{ "ima-ng", { false, 2, { AY_IMA_D_NG, AY_IMA_N_NG } } },
	{ "ima-sig", { false, 3, { AY_IMA_D_NG, AY_IMA_N_NG, AY_IMA_SIG } } },
	{ "ima-buf", { false, 3, { AY_IMA_D_NG, AY_IMA_N_NG, AY_IMA_BUF } } },
	{ "ima", { true, 2, { AY_IMA_D, AY_IMA_N } } },
	{ "ima-ngv2", { false, 2, { AY_IMA_D_NG, AY_IMA_N_NG } } },
	{ "ima-sigv2", { false, 3, { AY_IMA_D_NG, AY_IMA_N_NG, AY_IMA_SIG } } },
	{ "ima-modsig",
	  { false, 5, { AY_IMA_D_NG, AY_IMA_N_NG, AY_IMA_SIG, AY_IMA_D_MODSIG, AY_IMA_MODSIG } } },
	{ "evm-sig",
	  { false,
	    9,
	    { AY_IMA_D_NG, AY_IMA_N_NG, AY_IMA_EVMSIG, AY_IMA_TEXT, AY_IMA_HEX, AY_IMA_HEX,
	      AY_IMA_U32, AY_IMA_U32, AY_IMA_U16 } } },
};

static enum ay_ima_field find_field(struct ay_bytes name)
{
	for (size_t i = 0; i < AY_COUNT(fields); i++)
		if (ay_bytes_eq(name, ay_bytes_of(fields[i].name)))
			return fields[i].field;
	return AY_IMA_FIELD_NONE;
}

/* What a field gives: two forms of a digest are one thing, and so are two of a name. */
static enum ay_ima_field thing_of(enum ay_ima_field f)
{
	if (f == AY_IMA_D)
		return AY_IMA_D_NG;
	return f == AY_IMA_N ? AY_IMA_N_NG : f;
}

/* The second would stand for the first: nobody needs that but who wants to confuse. */
static bool is_double(const struct ay_ima_template *t, enum ay_ima_field f)
{
	for (size_t i = 0; i < t->n_fields; i++)
		if (thing_of((enum ay_ima_field)t->field[i]) == thing_of(f) && f != AY_IMA_HEX &&
		    f != AY_IMA_U32)
			return true;
	return false;
}

static const struct ay_ima_template *from_descriptors(struct ay_bytes name,
						      struct ay_ima_template *out)
{
	*out = (struct ay_ima_template){ 0 };
	while (name.n > 0 && out->n_fields < AY_IMA_FIELDS_MAX) {
		const uint8_t *bar = memchr(name.p, '|', name.n);
		size_t n = bar == NULL ? name.n : (size_t)(bar - name.p);
		enum ay_ima_field f = find_field((struct ay_bytes){ name.p, n });

		if (f == AY_IMA_FIELD_NONE || AY_CHECKED("IMA_FIELD_TWICE", is_double(out, f)) ||
		    n + 1 == name.n) /* as the kernel: no bar at the end */
			return NULL;
		out->field[out->n_fields++] = (uint8_t)f;
		n += bar != NULL;
		name = (struct ay_bytes){ name.p + n, name.n - n };
	}
	return name.n == 0 && out->n_fields > 0 ? out : NULL;
}

const struct ay_ima_template *ay_ima_template_find(struct ay_bytes name,
						   struct ay_ima_template *scratch)
{
	for (size_t i = 0; i < AY_COUNT(rows); i++)
		if (ay_bytes_eq(name, ay_bytes_of(rows[i].name)))
			return &rows[i].t;
	return from_descriptors(name, scratch);
}
