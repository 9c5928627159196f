/* SPDX-License-Identifier: Apache-2.0 */
#include "core/appraise/signatures.h"

#include <stdio.h>
#include <string.h>

#include "core/base/hex.h"
#include "core/crypto/der.h"
#include "core/crypto/hash.h"
#include "core/crypto/x509.h"
#include "core/evlog/efi_sig.h"
#include "core/evlog/tcg_data.h"

#define TEXT_MAX 160
#define NAMED_MAX 3 /* of each direction; the others are counted */

static const uint8_t oid_common_name[] = { 0x55, 0x04, 0x03 };

/* The common name in a Name [RFC5280 4.1.2.4], made printable; "" if there is none. */
static void common_name(struct ay_bytes name, char *out, size_t room)
{
	struct ay_reader r, seq, set, pair;

	out[0] = '\0';
	ay_rd_init(&r, name);
	ay_der_enter(&r, "name", AY_DER_SEQUENCE, &seq);
	while (ay_der_enter_if(&seq, "name.rdn", AY_DER_SET, &set)) {
		ay_der_enter(&set, "name.attribute", AY_DER_SEQUENCE, &pair);
		struct ay_bytes oid = ay_der_get(&pair, "name.type", AY_DER_OID);
		struct ay_bytes v = ay_der_get(&pair, "name.value", ay_der_peek(&pair));

		ay_rd_window_end(&pair, "name.attribute");
		(void)ay_rd_rest(&set, "name.rdn");
		if (ay_rd_ok(&r) && ay_bytes_eq(oid, AY_BYTES(oid_common_name)))
			(void)snprintf(out, room, "%.*s", (int)(v.n < 96 ? v.n : 96),
				       (const char *)v.p);
	}
	for (char *c = out; *c != '\0'; c++)
		if (*c < 0x20 || *c > 0x7e)
			*c = '?';
}

static void entry_text(enum ay_efi_sig_kind kind, struct ay_bytes data, char out[TEXT_MAX])
{
	char hex[2 * 32 + 1], name[100] = "";
	struct ay_cert cert;
	uint8_t digest[32];

	ay_sha256(data, digest);
	if (kind == AY_EFI_SIG_SHA256)
		memcpy(digest, data.p, sizeof(digest)); /* it is one itself */
	ay_hex_encode(AY_BYTES(digest), hex);
	if (kind == AY_EFI_SIG_X509 && ay_cert_parse(data, &cert, NULL) == AY_OK)
		common_name(cert.subject, name, sizeof(name));
	(void)snprintf(out, TEXT_MAX, "%s %s%s%s",
		       kind == AY_EFI_SIG_X509	   ? "x509"
		       : kind == AY_EFI_SIG_SHA256 ? "sha256"
						   : "other",
		       hex, name[0] == '\0' ? "" : " ", name);
}

/* ---- what an event holds ---- */

static bool collect(void *arg, enum ay_efi_sig_kind kind, struct ay_bytes data)
{
	json_t *list = arg;
	char text[TEXT_MAX];

	entry_text(kind, data, text);
	return json_array_append_new(list, json_string(text)) == 0 &&
	       json_array_size(list) < AY_SIGNATURES_MAX;
}

json_t *ay_signatures_json(const struct ay_event *ev)
{
	struct ay_uefi_variable v;
	json_t *list;

	if (ev->type != AY_EV_EFI_VARIABLE_DRIVER_CONFIG || ev->check != AY_DATA_MATCH ||
	    ay_uefi_variable_parse(ev->data, &v, NULL) != AY_OK)
		return NULL;
	list = json_array();
	if (ay_efi_sigs_parse(v.value, collect, list, NULL) != AY_OK ||
	    json_array_size(list) == 0) {
		json_decref(list);
		return NULL;
	}
	return list;
}

/* ---- differences ---- */

static bool has(const json_t *list, const char *text)
{
	const json_t *v;
	size_t i;

	json_array_foreach ((json_t *)(uintptr_t)list, i, v)
		if (strcmp(json_string_value(v), text) == 0)
			return true;
	return false;
}

static bool expects(const struct ay_ref_event *want, const char *text)
{
	for (size_t i = 0; i < want->n_signatures; i++)
		if (strcmp(want->signature[i], text) == 0)
			return true;
	return false;
}

/* One direction: counted, and the first few named. */
struct change {
	unsigned n;
	char named[NAMED_MAX * (TEXT_MAX + 2)];
};

static void change_add(struct change *c, const char *text)
{
	size_t at = strlen(c->named);

	if (c->n++ < NAMED_MAX)
		(void)snprintf(c->named + at, sizeof(c->named) - at, "%s%s", at == 0 ? "" : ", ",
			       text);
}

static const char *change_text(const struct change *c, const char *word, struct ay_arena *a)
{
	if (c->n == 0)
		return "";
	return ay_arena_printf(a, "%u %s: %s%s", c->n, word, c->named,
			       c->n > NAMED_MAX ? ", ..." : "");
}

const char *ay_signatures_diff(const struct ay_ref_event *want, const struct ay_event *got,
			       struct ay_arena *a)
{
	struct change added = { 0 }, removed = { 0 };
	const char *text = NULL, *plus, *minus;
	json_t *list = want->n_signatures == 0 ? NULL : ay_signatures_json(got), *v;
	size_t i;

	if (list == NULL)
		return NULL;
	json_array_foreach (list, i, v)
		if (!expects(want, json_string_value(v)))
			change_add(&added, json_string_value(v));
	for (i = 0; i < want->n_signatures; i++)
		if (!has(list, want->signature[i]))
			change_add(&removed, want->signature[i]);
	json_decref(list);
	plus = change_text(&added, "added", a);
	minus = change_text(&removed, "removed", a);
	if (plus != NULL && minus != NULL && added.n + removed.n > 0)
		text = ay_arena_printf(a, "%s%s%s", plus, added.n > 0 && removed.n > 0 ? "; " : "",
				       minus);
	return text;
}
