/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <unistd.h>

#include "io/tpmdev/tpmdev.h"

const struct ay_tpmdev_ops *const ay_tpmdev_backends[] = { &ay_tpmdev_tpm2, &ay_tpmdev_tpm12,
							   NULL };

static const char managed[] = "device:/dev/tpmrm0", plain[] = "/dev/tpm0";

const struct ay_tpmdev_ops *ay_tpmdev_of(const char **tcti)
{
	if (strcmp(*tcti, managed) == 0 && access("/dev/tpmrm0", F_OK) != 0 &&
	    access(plain, F_OK) == 0)
		*tcti = "tpm12:device:/dev/tpm0";
	return strncmp(*tcti, "tpm12:", 6) == 0 ? &ay_tpmdev_tpm12 : &ay_tpmdev_tpm2;
}

struct word {
	const char *text;
	int kind;
};

/* Users write P-256, ecc_p256, ECDSA-P256: letters and digits count, nothing else. */
static void squeeze(const char *text, char *out, size_t room)
{
	size_t n = 0;

	for (; *text != '\0' && n + 1 < room; text++)
		if (isalnum((unsigned char)*text))
			out[n++] = (char)tolower((unsigned char)*text);
	out[n] = '\0';
}

static const struct word *find(const struct word *w, const char *text)
{
	char key[32];

	squeeze(text, key, sizeof(key));
	while (w->text != NULL && strcmp(w->text, key) != 0)
		w++;
	return w->text != NULL ? w : NULL;
}

enum ay_rc ay_ek_kind_parse(const char *text, enum ay_ek_kind *out, struct ay_err *e)
{
	static const struct word words[] = {
		{ "", AY_EK_AUTO },
		{ "auto", AY_EK_AUTO },
		{ "eccp256", AY_EK_ECC_P256 },
		{ "eccnistp256", AY_EK_ECC_P256 },
		{ "p256", AY_EK_ECC_P256 },
		{ "ecc256", AY_EK_ECC_P256 },
		{ "ecc384", AY_EK_ECC_P384 },
		{ "eccp384", AY_EK_ECC_P384 },
		{ "eccnistp384", AY_EK_ECC_P384 },
		{ "p384", AY_EK_ECC_P384 },
		{ "rsa2048", AY_EK_RSA_2048 },
		{ "rsa3072", AY_EK_RSA_3072 },
		{ "ecc", AY_EK_ECC },
		{ "rsa", AY_EK_RSA },
		{ NULL, 0 },
	};
	const struct word *w = find(words, text);

	*out = AY_EK_AUTO;
	if (w == NULL)
		return ay_fail(e, AY_E_INPUT, "ek", 0,
			       "'%s' is none of auto, ecc-p256, ecc-p384, rsa2048, rsa3072", text);
	*out = (enum ay_ek_kind)w->kind;
	return AY_OK;
}

enum ay_rc ay_ak_kind_parse(const char *text, enum ay_ak_kind *out, struct ay_err *e)
{
	static const struct word words[] = {
		{ "", AY_AK_AUTO },
		{ "auto", AY_AK_AUTO },
		{ "ecdsap256", AY_AK_ECDSA_P256 },
		{ "eccp256", AY_AK_ECDSA_P256 },
		{ "ecc256", AY_AK_ECDSA_P256 },
		{ "p256", AY_AK_ECDSA_P256 },
		{ "ecdsa", AY_AK_ECDSA_P256 },
		{ "ecc", AY_AK_ECDSA_P256 },
		{ "rsa2048", AY_AK_RSA_2048 },
		{ "rsa", AY_AK_RSA_2048 },
		{ NULL, 0 },
	};
	const struct word *w = find(words, text);

	*out = AY_AK_AUTO;
	if (w == NULL)
		return ay_fail(e, AY_E_INPUT, "ak", 0, "'%s' is none of auto, ecdsa-p256, rsa2048",
			       text);
	*out = (enum ay_ak_kind)w->kind;
	return AY_OK;
}

const char *ay_ek_kind_name(enum ay_ek_kind k)
{
	static const char *const names[] = { "auto",	"ecc-p256", "ecc-p384", "rsa2048",
					     "rsa3072", "ecc",	    "rsa" };

	return (size_t)k < AY_COUNT(names) ? names[k] : "?";
}
