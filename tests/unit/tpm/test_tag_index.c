/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The index of an asset tag against a software TPM driven by tpm2-tools: Names,
 * policy, and what the tag CA signs are those that the TPM itself computes.
 */
#include "support/swtpm.h"
#include "support/t.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/crypto/pem.h"
#include "core/crypto/privkey.h"
#include "core/tpm/attested.h"
#include "core/tpm/tag_index.h"
#include "io/sys/file.h"

static struct t_swtpm tpm;
static struct ay_privkey *ca;
static struct ay_name key_name;
static uint8_t contents[AY_TAG_CONTENTS];

static const char *path_of(const char *name)
{
	static char path[128];

	(void)snprintf(path, sizeof(path), "%s/%s", tpm.dir, name);
	return path;
}

static void put(const char *name, struct ay_bytes b)
{
	assert_int_equal(ay_file_write(path_of(name), 0600, b, NULL), AY_OK);
}

static struct ay_bytes get(const char *name)
{
	struct ay_bytes b;

	assert_int_equal(ay_file_read(path_of(name), 65536, &b, NULL), AY_OK);
	return b;
}

#define SH(...) assert_int_equal(t_swtpm_sh(&tpm, __VA_ARGS__), 0)

static void make_ca(void)
{
	uint8_t spki[AY_SPKI_P256], pub[256];
	struct ay_public parsed;
	struct ay_pubkey *k;
	struct ay_bytes numbers, raw;
	struct ay_writer w;
	char pem[512];

	assert_int_equal(ay_privkey_generate(&ca, NULL), AY_OK);
	assert_int_equal(ay_privkey_spki(ca, spki, NULL), AY_OK);
	ay_pem_write("PUBLIC KEY", AY_BYTES(spki), pem);
	put("ca.pem", ay_bytes_of(pem));
	assert_int_equal(ay_privkey_public(ca, &k, NULL), AY_OK);
	numbers = ay_pubkey_numbers(k);
	assert_int_equal(numbers.n, 64);
	ay_wr_init(&w, pub, sizeof(pub));
	ay_tag_ca_public((struct ay_bytes){ numbers.p, 32 },
			 (struct ay_bytes){ numbers.p + 32, 32 }, &w);
	assert_int_equal(ay_wr_end(&w, "pub", &raw, NULL), AY_OK);
	assert_int_equal(ay_public_parse(raw, &parsed, NULL), AY_OK);
	assert_true(ay_public_name(&parsed, &key_name));
	ay_pubkey_free(k);
}

static int set_up(void **state)
{
	(void)state;
	if (!t_swtpm_start(&tpm))
		return 0;
	make_ca();
	memset(contents, 0xc7, sizeof(contents));
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	ay_privkey_free(ca);
	if (tpm.pid != 0)
		t_swtpm_stop(&tpm);
	return 0;
}

static void need_tpm(void)
{
	if (tpm.pid != 0)
		return;
	print_message("SKIP tpm/tag_index: package not installable (swtpm, tpm2-tools)\n");
	skip();
}

static void assert_name_in(const char *file, const struct ay_name *want)
{
	struct ay_bytes got = get(file);

	assert_int_equal(got.n, want->n);
	assert_memory_equal(got.p, want->b, want->n);
	ay_file_free(&got);
}

/* The Name that the TPM gives the index, in hex from `tpm2_nvreadpublic`. */
static void assert_index_name(bool written)
{
	struct ay_name want;
	char line[3 * AY_NAME_MAX] = "";

	ay_tag_index_name(ay_name_view(&key_name), written, &want);
	for (size_t i = 0; i < want.n; i++)
		(void)snprintf(line + 2 * i, 3, "%02x", want.b[i]);
	SH("tpm2_nvreadpublic 0x%x > public.txt && grep -i -q 'name: %s' public.txt", AY_TAG_INDEX,
	   line);
}

static void define(void)
{
	uint8_t policy[32];

	ay_tag_policy(ay_name_view(&key_name), policy);
	put("policy.bin", AY_BYTES(policy));
	SH("tpm2_nvdefine 0x%x -C o -g sha256 -s 32 -L policy.bin -a "
	   "'policywrite|writeall|ownerread|authread|no_da'",
	   AY_TAG_INDEX);
}

/* What the tag CA is asked to sign, as the tools say it and as we do. */
static void assert_permit(bool written, struct ay_bytes *permit, uint8_t room[256])
{
	static const size_t tail = 4 + 32 + sizeof(AY_TAG_POLICY_REF) - 1;
	struct ay_bytes raw;
	struct ay_writer w;

	SH("tpm2_nvwrite 0x%x -C 0x%x -i contents.bin --cphash cp.bin", AY_TAG_INDEX, AY_TAG_INDEX);
	SH("tpm2_policysigned -S session.ctx -c ca.ctx -g sha256 -x -q ref.bin "
	   "--cphash-input cp.bin --raw-data raw.bin");
	raw = get("raw.bin");
	assert_true(raw.n > tail);
	ay_wr_init(&w, room, 256);
	assert_int_equal(ay_tag_write_permit(&w, (struct ay_bytes){ raw.p, raw.n - tail },
					     ay_name_view(&key_name), written, contents, NULL),
			 AY_OK);
	assert_int_equal(ay_wr_end(&w, "permit", permit, NULL), AY_OK);
	assert_int_equal(permit->n, raw.n);
	assert_memory_equal(permit->p, raw.p, raw.n);
	ay_file_free(&raw);
}

/* r and s as TPMT_SIGNATURE, which the tools take by default. */
static void put_signature(struct ay_bytes permit)
{
	uint8_t sig[64], out[128];
	struct ay_writer w;
	struct ay_bytes b;

	assert_int_equal(ay_privkey_sign(ca, permit, sig, NULL), AY_OK);
	ay_wr_init(&w, out, sizeof(out));
	ay_wr_be16(&w, AY_ALG_ECDSA);
	ay_wr_be16(&w, AY_ALG_SHA256);
	ay_wr_vec16(&w, (struct ay_bytes){ sig, 32 });
	ay_wr_vec16(&w, (struct ay_bytes){ sig + 32, 32 });
	assert_int_equal(ay_wr_end(&w, "sig", &b, NULL), AY_OK);
	put("sig.bin", b);
}

static int write_index(const char *file)
{
	return t_swtpm_sh(&tpm,
			  "tpm2_policysigned -S session.ctx -c ca.ctx -g sha256 -x -q ref.bin "
			  "--cphash-input cp.bin -s sig.bin && "
			  "tpm2_policycommandcode -S session.ctx TPM2_CC_NV_Write && "
			  "tpm2_nvwrite 0x%x -C 0x%x -P session:session.ctx -i %s",
			  AY_TAG_INDEX, AY_TAG_INDEX, file);
}

static void new_session(void)
{
	SH("tpm2_flushcontext session.ctx 2>/dev/null; tpm2_flushcontext -t; "
	   "tpm2_loadexternal -C n -G ecc -g sha256 -u ca.pem -a 'userwithauth|sign' -c ca.ctx "
	   "-n ca.name && tpm2_flushcontext -t; tpm2_startauthsession --policy-session -g sha256 "
	   "-S session.ctx");
}

static void the_tpm_agrees(void **state)
{
	uint8_t room[256];
	struct ay_bytes permit;

	(void)state;
	need_tpm();
	put("contents.bin", AY_BYTES(contents));
	put("other.bin", ay_bytes_of("0123456789abcdef0123456789abcdef"));
	put("ref.bin", ay_bytes_of(AY_TAG_POLICY_REF));
	new_session();
	assert_name_in("ca.name", &key_name);
	define();
	assert_index_name(false);
	assert_permit(false, &permit, room);
	put_signature(permit);
	assert_int_not_equal(write_index("other.bin"), 0); /* signed for other octets */
	new_session();
	assert_permit(false, &permit, room);
	put_signature(permit);
	assert_int_equal(write_index("contents.bin"), 0);
	assert_index_name(true);
	new_session(); /* the signature of before is of another nonce */
	assert_int_not_equal(write_index("contents.bin"), 0);
	assert_int_not_equal(t_swtpm_sh(&tpm, "tpm2_nvwrite 0x%x -C o -i other.bin", AY_TAG_INDEX),
			     0);
	new_session();
	assert_permit(true, &permit, room);
}

/* TPM2_NV_Certify and TPM2_Certify as the TPM says them. */
static void certified(void **state)
{
	struct ay_bytes attest;
	struct ay_nv_certified nv;
	struct ay_key_certified key;
	struct ay_name name;
	struct ay_quote q;

	(void)state;
	need_tpm();
	SH("tpm2_flushcontext session.ctx; tpm2_flushcontext -t; tpm2_createprimary -C o -c p.ctx");
	SH("tpm2_flushcontext -t; tpm2_create -C p.ctx -G ecc:ecdsa-sha256:null -u ak.pub "
	   "-r ak.priv -a "
	   "'fixedtpm|fixedparent|sensitivedataorigin|userwithauth|restricted|sign'");
	SH("tpm2_flushcontext -t; tpm2_load -C p.ctx -u ak.pub -r ak.priv -c ak.ctx");
	SH("tpm2_flushcontext -t; tpm2_nvcertify -C ak.ctx -c 0x%x -g sha256 -s ecdsa -o nv.sig "
	   "--attestation nv.att -q aabb --size 32 0x%x",
	   AY_TAG_INDEX, AY_TAG_INDEX);
	attest = get("nv.att");
	assert_int_equal(ay_quote_parse(attest, &q, NULL), AY_OK);
	assert_int_equal(ay_key_certified_parse(&q, &key, NULL), AY_E_INPUT);
	assert_int_equal(ay_nv_certified_parse(&q, &nv, NULL), AY_OK);
	ay_tag_index_name(ay_name_view(&key_name), true, &name);
	assert_true(ay_bytes_eq(nv.index_name, ay_name_view(&name)));
	assert_true(ay_bytes_eq(nv.contents, AY_BYTES(contents)));
	assert_int_equal(nv.offset, 0);
	ay_file_free(&attest);
	SH("tpm2_flushcontext -t; tpm2_certify -c p.ctx -C ak.ctx -g sha256 -o key.att -s key.sig "
	   "&& "
	   "tpm2_readpublic -c p.ctx -n p.name");
	attest = get("key.att");
	assert_int_equal(ay_quote_parse(attest, &q, NULL), AY_OK);
	assert_int_equal(ay_nv_certified_parse(&q, &nv, NULL), AY_E_INPUT);
	assert_int_equal(ay_key_certified_parse(&q, &key, NULL), AY_OK);
	memcpy(name.b, key.name.p, key.name.n);
	name.n = key.name.n;
	assert_name_in("p.name", &name);
	q.magic ^= 1;
	assert_int_equal(ay_key_certified_parse(&q, &key, NULL), AY_E_INPUT);
	ay_file_free(&attest);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(the_tpm_agrees),
					    cmocka_unit_test(certified) };

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
