/* SPDX-License-Identifier: Apache-2.0 */
/* A changed db is told as the certificates and digests that came or went. */
#include "support/t.h"

#include "core/appraise/signatures.h"
#include "core/base/writer.h"
#include "core/crypto/hash.h"

/* `openssl x509 -fingerprint -sha256` of tests/vectors/ima_sig/rsa2048-ski.der */
#define SIGNER "x509 f73db32a93e103faa3fed8e6c4bba5be12958e9fcd14fdf535f71edc6575fe4d file signer"

/* EFI_CERT_X509_GUID, EFI_CERT_SHA256_GUID, and one of neither */
static const uint8_t x509[16] = { 0xa1, 0x59, 0xc0, 0xa5, 0xe4, 0x94, 0xa7, 0x4a,
				  0x87, 0xb5, 0xab, 0x15, 0x5c, 0x2b, 0xf0, 0x72 };
static const uint8_t sha256[16] = { 0x26, 0x16, 0xc4, 0xc1, 0x4c, 0x50, 0x92, 0x40,
				    0xac, 0xa9, 0x41, 0xf9, 0x36, 0x93, 0x43, 0x28 };
static const uint8_t neither[16] = { 1 };

static struct ay_arena arena;
static uint8_t buf[8192];

static int setup(void **state)
{
	(void)state;
	ay_arena_init(&arena, AY_MAX_ARENA_BYTES);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	ay_arena_fini(&arena);
	return 0;
}

/* One EFI_SIGNATURE_LIST of one signature. */
static void put_list(struct ay_writer *w, const uint8_t guid[16], struct ay_bytes data)
{
	static const uint8_t owner[16];

	ay_wr_bytes(w, (struct ay_bytes){ guid, 16 });
	ay_wr_le32(w, (uint32_t)(28 + 16 + data.n));
	ay_wr_le32(w, 0);
	ay_wr_le32(w, (uint32_t)(16 + data.n));
	ay_wr_bytes(w, AY_BYTES(owner));
	ay_wr_bytes(w, data);
}

/* Event "db" with n digests 00.., 01.. and the certificate or not. */
static struct ay_event db_event(unsigned n, bool with_cert)
{
	struct ay_event ev = { .pcr = 7,
			       .type = AY_EV_EFI_VARIABLE_DRIVER_CONFIG,
			       .check = AY_DATA_MATCH };
	uint8_t value[4096], digest[32];
	struct ay_writer v, w;

	ay_wr_init(&v, value, sizeof(value));
	for (unsigned i = 0; i < n; i++) {
		memset(digest, (int)i, sizeof(digest));
		put_list(&v, sha256, AY_BYTES(digest));
	}
	if (with_cert)
		put_list(&v, x509, t_vector("ima_sig/rsa2048-ski.der"));
	ay_wr_init(&w, buf, sizeof(buf));
	ay_wr_bytes(&w, (struct ay_bytes){ neither, 16 });
	ay_wr_le64(&w, 2);
	ay_wr_le64(&w, v.n);
	ay_wr_bytes(&w, (struct ay_bytes){ (const uint8_t *)"d\0b\0", 4 });
	ay_wr_bytes(&w, (struct ay_bytes){ value, v.n });
	ev.data = (struct ay_bytes){ buf, w.n };
	return ev;
}

static void names_what_is_there(void **state)
{
	struct ay_event ev = db_event(1, true);
	json_t *list = ay_signatures_json(&ev);

	(void)state;
	assert_int_equal(json_array_size(list), 2);
	assert_string_equal(
		json_string_value(json_array_get(list, 0)),
		"sha256 0000000000000000000000000000000000000000000000000000000000000000");
	assert_string_equal(json_string_value(json_array_get(list, 1)), SIGNER);
	json_decref(list);
}

/* Data that no digest covers, other events, what is no list: nothing is said. */
static void says_nothing_of_what_was_not_measured(void **state)
{
	struct ay_event ev = db_event(1, false);

	(void)state;
	ev.check = AY_DATA_NOT_COVERED;
	assert_null(ay_signatures_json(&ev));
	ev.check = AY_DATA_MISMATCH;
	assert_null(ay_signatures_json(&ev));
	ev.check = AY_DATA_MATCH;
	ev.type = AY_EV_IPL;
	assert_null(ay_signatures_json(&ev));
	ev.type = AY_EV_EFI_VARIABLE_DRIVER_CONFIG;
	ev.data.n--;
	assert_null(ay_signatures_json(&ev));
	ev.data.n++;
	buf[16 + 16 + 4 + 16] ^= 1; /* size of the list */
	assert_null(ay_signatures_json(&ev));
	ev = db_event(0, false);
	assert_null(ay_signatures_json(&ev));
}

static void set_expected(struct ay_ref_event *want, const struct ay_event *ev)
{
	json_t *list = ay_signatures_json(ev);

	*want = (struct ay_ref_event){ .n_signatures = json_array_size(list) };
	want->signature = ay_arena_array(&arena, want->n_signatures, sizeof(char *));
	for (size_t i = 0; i < want->n_signatures; i++)
		want->signature[i] =
			ay_arena_printf(&arena, "%s", json_string_value(json_array_get(list, i)));
	json_decref(list);
}

static void names_exactly_what_changed(void **state)
{
	struct ay_event ev = db_event(2, false);
	struct ay_ref_event want;

	(void)state;
	set_expected(&want, &ev);
	assert_null(ay_signatures_diff(&want, &ev, &arena));
	ev = db_event(2, true);
	assert_string_equal(ay_signatures_diff(&want, &ev, &arena), "1 added: " SIGNER);
	set_expected(&want, &ev);
	ev = db_event(2, false);
	assert_string_equal(ay_signatures_diff(&want, &ev, &arena), "1 removed: " SIGNER);
	ev = db_event(8, false);
	assert_non_null(strstr(ay_signatures_diff(&want, &ev, &arena), "6 added: sha256 02"));
	assert_non_null(strstr(ay_signatures_diff(&want, &ev, &arena), ", ...; 1 removed: x509"));
	want.n_signatures = 0; /* a set of before: nothing is known */
	assert_null(ay_signatures_diff(&want, &ev, &arena));
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(names_what_is_there),
		T(says_nothing_of_what_was_not_measured),
		T(names_exactly_what_changed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
