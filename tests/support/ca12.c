/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Privacy CA's part for one TPM 1.2 identity request, by files: what
 * another stack's client asks and is answered.
 *
 *   ca12 key DIR              DIR/ca.pem, DIR/ca.mod (the modulus)
 *   ca12 answer DIR LABEL     DIR/request and DIR/pubek; makes asym, sym with
 *                             the contents of DIR/secret (32 octets)
 */
#include "core/authz/caflow12.h"

#include <stdio.h>
#include <stdlib.h>

static const char *dir;

static struct ay_bytes get(const char *name)
{
	static uint8_t buf[4][16384];
	static unsigned at;
	uint8_t *p = buf[at++ % 4];
	char path[512];
	size_t n;
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "rb");
	n = f ? fread(p, 1, sizeof(buf[0]), f) : 0;
	if (n == 0) {
		perror(path);
		exit(3);
	}
	fclose(f);
	return (struct ay_bytes){ p, n };
}

static void put(const char *name, struct ay_bytes b)
{
	char path[512];
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "wb");
	if (!f || fwrite(b.p, 1, b.n, f) != b.n || fclose(f) != 0) {
		perror(path);
		exit(3);
	}
}

static void must(enum ay_rc rc, const struct ay_err *e)
{
	if (rc == AY_OK)
		return;
	fprintf(stderr, "%s: %s: %s\n", e->code, e->where ? e->where : "", e->text);
	exit(1);
}

static void make_key(void)
{
	struct ay_rsakey *k;
	char pem[4096];
	struct ay_err e;

	must(ay_rsakey_generate(&k, &e), &e);
	must(ay_rsakey_pem(k, pem, sizeof(pem), &e), &e);
	put("ca.pem", ay_bytes_of(pem));
	put("ca.mod", ay_pubkey_numbers(ay_rsakey_public(k)));
	ay_rsakey_free(k);
}

static void answer(const char *label)
{
	static uint8_t plain[16384], random[AY_CREDENTIAL_RANDOM];
	static struct ay_ca_applicant who = { .is_tpm12 = true };
	struct ay_ca_keys keys = { 0 };
	struct ay_rsakey *k;
	struct ay_bytes ak, ek = get("pubek"), secret = get("secret"), b;
	uint8_t buf[2048];
	struct ay_reader r;
	struct ay_writer w;
	struct ay_err e = { 0 };
	FILE *f = fopen("/dev/urandom", "rb");

	if (!f || fread(random, 1, sizeof(random), f) != sizeof(random))
		exit(3);
	fclose(f);
	must(ay_rsakey_new_pem(get("ca.pem"), &k, &e), &e);
	keys.identity = k;
	must(ay_ca12_open(&keys, get("request"), label, plain, sizeof(plain), &ak, &e), &e);
	if (ek.n > sizeof(who.ek) || ak.n > sizeof(who.ak))
		exit(2);
	memcpy(who.ek, ek.p, who.ek_n = ek.n);
	memcpy(who.ak, ak.p, who.ak_n = ak.n);
	put("ak.of.request", ak);
	ay_wr_init(&w, buf, sizeof(buf));
	must(ay_ca12_credential(&who, secret, random, &w, &e), &e);
	must(ay_wr_end(&w, "credential", &b, &e), &e);
	ay_rd_init(&r, b);
	put("sym", ay_rd_vec16(&r, "sym", 1024));
	put("asym", ay_rd_vec16(&r, "asym", 1024));
	ay_rsakey_free(k);
}

int main(int argc, char **argv)
{
	if (argc < 3)
		return 2;
	dir = argv[2];
	if (strcmp(argv[1], "key") == 0)
		make_key();
	else if (argc == 4 && strcmp(argv[1], "answer") == 0)
		answer(argv[3]);
	else
		return 2;
	return 0;
}
