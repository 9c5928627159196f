/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A TPM 1.2 client that is not ours: TrouSerS. Its identity request is given to
 * our Privacy CA, the CA's answer to its TPM_ActivateIdentity, its quote to our
 * verifier. Built for tests only. Owner and SRK have the well-known secret.
 *
 *   tspi_client collate LABEL CA_MODULUS_FILE oaep|pkcs1 OUT_DIR
 *       OUT_DIR/request, pubek, aik.pub (TPM_PUBKEY), aik.blob
 *   tspi_client activate OUT_DIR ASYM SYM OUT
 *   tspi_client quote|quote2 OUT_DIR NONCE_FILE   20 octets; PCRs 0-7: OUT_DIR/message, signature
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tss/platform.h>
#include <tss/tspi.h>

#include <trousers/trousers.h>

static TSS_HCONTEXT ctx;
static TSS_HTPM tpm;
static TSS_HKEY srk;

static void must(const char *what, TSS_RESULT r)
{
	if (r == TSS_SUCCESS)
		return;
	fprintf(stderr, "%s: %s (0x%x)\n", what, Trspi_Error_String(r), r);
	exit(1);
}

static UINT32 get(const char *path, BYTE *buf, size_t max)
{
	FILE *f = fopen(path, "rb");
	size_t n = f ? fread(buf, 1, max, f) : 0;

	if (!f || n == 0) {
		perror(path);
		exit(3);
	}
	fclose(f);
	return (UINT32)n;
}

static void put(const char *dir, const char *name, const BYTE *b, UINT32 n)
{
	char path[512];
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s%s%s", dir, dir[0] ? "/" : "", name);
	f = fopen(path, "wb");
	if (!f || fwrite(b, 1, n, f) != n || fclose(f) != 0) {
		perror(path);
		exit(3);
	}
}

static void well_known(TSS_HOBJECT o)
{
	BYTE zero[20] = { 0 };
	TSS_HPOLICY p;

	must("policy", Tspi_GetPolicyObject(o, TSS_POLICY_USAGE, &p));
	must("secret", Tspi_Policy_SetSecret(p, TSS_SECRET_MODE_SHA1, sizeof(zero), zero));
}

static void own_policy(TSS_HOBJECT o)
{
	BYTE zero[20] = { 0 };
	TSS_HPOLICY p;

	must("policy",
	     Tspi_Context_CreateObject(ctx, TSS_OBJECT_TYPE_POLICY, TSS_POLICY_USAGE, &p));
	must("secret", Tspi_Policy_SetSecret(p, TSS_SECRET_MODE_SHA1, sizeof(zero), zero));
	must("assign", Tspi_Policy_AssignToObject(p, o));
}

static void start(void)
{
	TSS_UUID id = TSS_UUID_SRK;

	must("context", Tspi_Context_Create(&ctx));
	must("connect", Tspi_Context_Connect(ctx, NULL));
	must("tpm", Tspi_Context_GetTpmObject(ctx, &tpm));
	must("srk", Tspi_Context_LoadKeyByUUID(ctx, TSS_PS_TYPE_SYSTEM, id, &srk));
	well_known(srk);
	well_known(tpm);
}

static void collate(char **a)
{
	BYTE modulus[512], label[256], *request, *blob, *text;
	UINT32 n = get(a[1], modulus, sizeof(modulus)), label_n, request_n, blob_n, utf_n;
	TSS_HKEY ca, aik;
	BYTE *utf;
	UINT32 scheme =
		strcmp(a[2], "pkcs1") == 0 ? TSS_ES_RSAESPKCSV15 : TSS_ES_RSAESOAEP_SHA1_MGF1;

	must("ca", Tspi_Context_CreateObject(ctx, TSS_OBJECT_TYPE_RSAKEY,
					     TSS_KEY_TYPE_LEGACY | TSS_KEY_SIZE_2048, &ca));
	must("ca.n", Tspi_SetAttribData(ca, TSS_TSPATTRIB_RSAKEY_INFO,
					TSS_TSPATTRIB_KEYINFO_RSA_MODULUS, n, modulus));
	must("ca.scheme", Tspi_SetAttribUint32(ca, TSS_TSPATTRIB_KEY_INFO,
					       TSS_TSPATTRIB_KEYINFO_ENCSCHEME, scheme));
	must("ca.sig", Tspi_SetAttribUint32(ca, TSS_TSPATTRIB_KEY_INFO,
					    TSS_TSPATTRIB_KEYINFO_SIGSCHEME, TSS_SS_NONE));
	must("aik", Tspi_Context_CreateObject(ctx, TSS_OBJECT_TYPE_RSAKEY,
					      TSS_KEY_TYPE_IDENTITY | TSS_KEY_SIZE_2048, &aik));
	own_policy(aik);
	/* as octets: the library would turn a text into UTF-16 by itself */
	label_n = (UINT32)strlen(a[0]);
	memcpy(label, a[0], label_n);
	must("collate", Tspi_TPM_CollateIdentityRequest(tpm, srk, ca, label_n, label, aik,
							TSS_ALG_AES, &request_n, &request));
	put(a[3], "request", request, request_n);
	must("aik.blob", Tspi_GetAttribData(aik, TSS_TSPATTRIB_KEY_BLOB, TSS_TSPATTRIB_KEYBLOB_BLOB,
					    &blob_n, &blob));
	put(a[3], "aik.blob", blob, blob_n);
	must("aik.pub", Tspi_GetAttribData(aik, TSS_TSPATTRIB_KEY_BLOB,
					   TSS_TSPATTRIB_KEYBLOB_PUBLIC_KEY, &utf_n, &utf));
	put(a[3], "aik.pub", utf, utf_n);
	{
		TSS_HKEY ek;

		must("pubek", Tspi_TPM_GetPubEndorsementKey(tpm, TRUE, NULL, &ek));
		must("pubek.blob",
		     Tspi_GetAttribData(ek, TSS_TSPATTRIB_KEY_BLOB,
					TSS_TSPATTRIB_KEYBLOB_PUBLIC_KEY, &utf_n, &text));
		put(a[3], "pubek", text, utf_n);
	}
}

static TSS_HKEY load_aik(const char *dir)
{
	char path[512];
	BYTE blob[2048];
	UINT32 n;
	TSS_HKEY aik;

	(void)snprintf(path, sizeof(path), "%s/aik.blob", dir);
	n = get(path, blob, sizeof(blob));
	must("load", Tspi_Context_LoadKeyByBlob(ctx, srk, n, blob, &aik));
	own_policy(aik);
	return aik;
}

static void activate(char **a)
{
	BYTE asym[1024], sym[4096], *cred;
	UINT32 asym_n = get(a[1], asym, sizeof(asym)), sym_n = get(a[2], sym, sizeof(sym)), n;
	TSS_HKEY aik = load_aik(a[0]);

	must("activate", Tspi_TPM_ActivateIdentity(tpm, aik, asym_n, asym, sym_n, sym, &n, &cred));
	put("", a[3], cred, n);
}

static void quote(char **a, int second)
{
	TSS_HKEY aik = load_aik(a[0]);
	TSS_HPCRS pcrs;
	TSS_VALIDATION v = { .ulExternalDataLength = 20 };
	BYTE nonce[20], *info;
	UINT32 n;

	(void)get(a[1], nonce, sizeof(nonce));
	v.rgbExternalData = nonce;
	must("pcrs", Tspi_Context_CreateObject(
			     ctx, TSS_OBJECT_TYPE_PCRS,
			     second ? TSS_PCRS_STRUCT_INFO_SHORT : TSS_PCRS_STRUCT_INFO, &pcrs));
	for (UINT32 i = 0; i < 8; i++)
		must("select", second ? Tspi_PcrComposite_SelectPcrIndexEx(
						pcrs, i, TSS_PCRS_DIRECTION_RELEASE)
				      : Tspi_PcrComposite_SelectPcrIndex(pcrs, i));
	if (second)
		must("quote2", Tspi_TPM_Quote2(tpm, aik, FALSE, pcrs, &v, &n, &info));
	else
		must("quote", Tspi_TPM_Quote(tpm, aik, pcrs, &v));
	put(a[0], "message", v.rgbData, v.ulDataLength);
	put(a[0], "signature", v.rgbValidationData, v.ulValidationDataLength);
}

int main(int argc, char **argv)
{
	if (argc < 5 && !(argc == 4 && strncmp(argv[1], "quote", 5) == 0))
		return 2;
	start();
	if (strcmp(argv[1], "collate") == 0 && argc == 6)
		collate(argv + 2);
	else if (strcmp(argv[1], "activate") == 0 && argc == 6)
		activate(argv + 2);
	else if (strncmp(argv[1], "quote", 5) == 0)
		quote(argv + 2, strcmp(argv[1], "quote2") == 0);
	else
		return 2;
	Tspi_Context_Close(ctx);
	return 0;
}
