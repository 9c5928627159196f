/* SPDX-License-Identifier: Apache-2.0 */
/* Secure Boot variables as files, and what firmware appends. */
#include "support/t.h"

#include "core/predict/siglist.h"

/* EFI_CERT_SHA256_GUID; owners and hashes of one octet repeated */
#define TYPE "2616c4c14c509240aca941f936934328"
#define HEAD1 TYPE "4c000000 00000000 30000000"
#define HEAD2 TYPE "7c000000 00000000 30000000"
#define OWN "11111111111111111111111111111111"
#define OWN2 "22222222222222222222222222222222"
#define A OWN "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define A2 OWN2 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B OWN "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
/* EFI_CERT_X509_GUID, the same sizes */
#define CERT "a159c0a5e494a74a87b5ab155c2bf072 4c000000 00000000 30000000" A
/* EFI_TIME, then WIN_CERTIFICATE_UEFI_GUID with four octets of signature */
#define SIGNED(n, rev, type)                                                                       \
	"e8070101000000000000000000000000" n rev type "9dd2af4adf68ee498aa9347d375665a7 01020304"

static const struct {
	const char *name;
	const char *hex;
	enum ay_siglist_form form; /* 0: refused */
	const char *value;
} files[] = {
	{ "lists", HEAD1 A, AY_SIGLIST_PLAIN, HEAD1 A },
	{ "an empty variable", "", AY_SIGLIST_PLAIN, "" },
	{ "two lists", HEAD1 A CERT, AY_SIGLIST_PLAIN, HEAD1 A CERT },
	{ "efivarfs", "27000000" HEAD1 A, AY_SIGLIST_EFIVARFS, HEAD1 A },
	{ "efivarfs, empty", "27000000", AY_SIGLIST_EFIVARFS, "" },
	{ "a signed update", SIGNED("1c000000", "0002", "f10e") HEAD1 A, AY_SIGLIST_SIGNED,
	  HEAD1 A },
	{ "attributes that none has", "ff000000" HEAD1 A, 0, NULL },
	{ "attributes without non-volatile", "06000000" HEAD1 A, 0, NULL },
	{ "another revision", SIGNED("1c000000", "0001", "f10e") HEAD1 A, 0, NULL },
	{ "another certificate type", SIGNED("1c000000", "0002", "020e") HEAD1 A, 0, NULL },
	{ "a signature longer than the file", SIGNED("ffffffff", "0002", "f10e") HEAD1 A, 0, NULL },
	{ "a signature shorter than its head", SIGNED("08000000", "0002", "f10e") HEAD1 A, 0,
	  NULL },
	{ "a list cut short", HEAD1 OWN, 0, NULL },
	{ "octets behind the lists", HEAD1 A "00", 0, NULL },
	{ "text", "68656c6c6f", 0, NULL },
};

static void forms_of_files(void **state)
{
	(void)state;
	for (size_t i = 0; i < AY_COUNT(files); i++) {
		struct ay_bytes value = { (const uint8_t *)"x", 1 };
		enum ay_siglist_form form = 0;
		enum ay_rc rc = ay_siglist_open(t_hex(files[i].hex), &value, &form, NULL);

		print_message("file: %s\n", files[i].name);
		assert_int_equal(rc, files[i].form == 0 ? AY_E_INPUT : AY_OK);
		assert_int_equal(form, files[i].form);
		assert_true(ay_bytes_eq(value, files[i].value == NULL ? (struct ay_bytes){ 0 }
								      : t_hex(files[i].value)));
	}
}

static const struct {
	const char *name;
	const char *old, *more, *out;
} appends[] = {
	{ "to nothing", "", HEAD1 A, HEAD1 A },
	{ "nothing", HEAD1 A, "", HEAD1 A },
	{ "another", HEAD1 A, HEAD1 B, HEAD1 A HEAD1 B },
	{ "the same", HEAD1 A, HEAD1 A, HEAD1 A },
	{ "one of two is there", HEAD1 A, HEAD2 A B, HEAD1 A HEAD1 B },
	{ "both are there, in two lists", HEAD1 A HEAD1 B, HEAD2 B A, HEAD1 A HEAD1 B },
	{ "the same hash of another owner", HEAD1 A, HEAD1 A2, HEAD1 A HEAD1 A2 },
	{ "the same octets of another type", HEAD1 A, CERT, HEAD1 A CERT },
	{ "the first list is there, the second not", HEAD1 A, HEAD1 A CERT, HEAD1 A CERT },
};

static void appended_as_firmware_does(void **state)
{
	struct ay_arena a;
	struct ay_bytes out;

	(void)state;
	ay_arena_init(&a, 1 << 16);
	for (size_t i = 0; i < AY_COUNT(appends); i++) {
		print_message("append: %s\n", appends[i].name);
		assert_int_equal(ay_siglist_append(t_hex(appends[i].old), t_hex(appends[i].more),
						   &a, &out, NULL),
				 AY_OK);
		assert_true(ay_bytes_eq(out, t_hex(appends[i].out)));
	}
	assert_int_equal(ay_siglist_append(t_hex(HEAD1 A "00"), t_hex(HEAD1 B), &a, &out, NULL),
			 AY_E_INPUT);
	assert_int_equal(ay_siglist_append(t_hex(HEAD1 A), t_hex(HEAD1 OWN), &a, &out, NULL),
			 AY_E_INPUT);
	ay_arena_fini(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(forms_of_files),
		cmocka_unit_test(appended_as_firmware_does),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
