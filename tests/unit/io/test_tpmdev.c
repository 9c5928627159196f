/* SPDX-License-Identifier: Apache-2.0 */
#include "support/t.h"

#include "support/swtpm.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/crypto/hash.h"
#include "core/tpm/credential.h"
#include "core/tpm/ek_template.h"
#include "core/tpm/quote.h"
#include "io/sys/rng.h"
#include "io/tpmdev/tpmdev.h"

/*
 * Against a real software TPM; tpm2-tools are the oracle for signatures,
 * credentials and what is left in the TPM.
 */
struct fixture {
	struct t_swtpm tpm;
	char guard[128];
	struct ay_tpmdev *dev;
	struct ay_arena arena;
};

static const struct ay_tpmdev_ops *const ops = &ay_tpmdev_tpm2;
static struct fixture fx;

#define sh(...) t_swtpm_sh(&fx.tpm, __VA_ARGS__)

static int set_up(void **state)
{
	struct ay_tpmdev_conf c = { .tcti = fx.tpm.tcti, .guard_path = fx.guard };

	(void)state;
	if (!t_swtpm_start(&fx.tpm))
		return 0;
	(void)snprintf(fx.guard, sizeof(fx.guard), "%s/guard", fx.tpm.dir);
	ay_arena_init(&fx.arena, 4 << 20);
	return ops->make(&c, &fx.dev, NULL) == AY_OK ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	if (fx.tpm.pid > 0) {
		ops->free(fx.dev);
		ay_arena_fini(&fx.arena);
		t_swtpm_stop(&fx.tpm);
	}
	return 0;
}

static void need_tpm(void)
{
	if (fx.tpm.pid > 0)
		return;
	print_message("SKIP io/tpmdev: package not installable (swtpm, tpm2-tools)\n");
	skip();
}

static void must(enum ay_rc rc, const struct ay_err *e)
{
	if (rc != AY_OK)
		print_message("%s: %s\n", e->where, e->text);
	assert_int_equal(rc, AY_OK);
}

static void put(const char *name, struct ay_bytes b)
{
	char path[128];
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/%s", fx.tpm.dir, name);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_int_equal(fwrite(b.p, 1, b.n, f), b.n);
	fclose(f);
}

static void put_2b(const char *name, struct ay_bytes b)
{
	uint8_t buf[2048];
	struct ay_writer w;
	struct ay_bytes out;

	ay_wr_init(&w, buf, sizeof(buf));
	ay_wr_vec16(&w, b);
	assert_int_equal(ay_wr_end(&w, "2b", &out, NULL), AY_OK);
	put(name, out);
}

static void assert_nothing_left(void)
{
	assert_int_equal(
		sh("tpm2 getcap handles-transient >l && tpm2 getcap handles-loaded-session >>l"
		   " && test ! -s l"),
		0);
}

static void info(void **state)
{
	struct ay_tpm_info i;
	struct ay_err e;

	(void)state;
	need_tpm();
	must(ops->open(fx.dev, &e), &e);
	must(ops->info(fx.dev, &i, &e), &e);
	ops->close(fx.dev);
	assert_int_equal(i.family, 2);
	assert_string_equal(i.manufacturer, "IBM");
	assert_string_equal(i.model, "SW   TPM");
	assert_true(i.n_banks >= 1);
	for (size_t k = 1; k < i.n_banks; k++)
		assert_true(i.bank[k - 1] < i.bank[k]);
}

static void fill_selection(struct ay_pcr_selection *s)
{
	*s = (struct ay_pcr_selection){ .n_banks = 2 };
	s->bank[0].alg = AY_ALG_SHA1;
	s->bank[1].alg = AY_ALG_SHA256;
	s->bank[0].mask = s->bank[1].mask = AY_PCR_ASKED;
}

static void digest_of(const struct ay_pcrs *v, uint8_t out[32])
{
	struct ay_hash h;

	assert_true(ay_hash_init(&h, AY_ALG_SHA256));
	for (size_t b = 0; b < v->n_banks; b++)
		for (unsigned p = 0; p < AY_PCR_COUNT; p++)
			ay_hash_update(&h, ay_pcrs_value(v, v->bank[b].alg, p));
	ay_hash_final(&h, out);
}

/* An AK, a quote that tpm2_checkquote accepts, and values whose digest is in it. */
static void quote_with(enum ay_ek_kind ek_kind, enum ay_ak_kind ak_kind)
{
	struct ay_pcr_selection s;
	struct ay_tpm_ek ek;
	struct ay_tpm_ak ak;
	struct ay_tpm_quote q;
	struct ay_err e;
	uint8_t digest[32];

	fill_selection(&s);
	must(ops->open(fx.dev, &e), &e);
	must(ops->ek_find(fx.dev, ek_kind, 0, &fx.arena, &ek, &e), &e);
	must(ops->ak_create(fx.dev, &(struct ay_ak_ask){ .ek_nv = ek.nv_cert, .kind = ak_kind },
			    &fx.arena, &ak, &e),
	     &e);
	/* Twice: the second one comes from the saved context. */
	for (int i = 0; i < 2; i++)
		must(ops->quote(fx.dev, &ak, &s, ay_bytes_of("qualifying"), &fx.arena, &q, &e), &e);
	ops->close(fx.dev);

	digest_of(&q.values, digest);
	assert_memory_equal(q.attest.p + q.attest.n - 32, digest, 32);
	put("msg", q.attest);
	put("sig", q.sig);
	put_2b("ak.pub", ak.pub);
	assert_int_equal(sh("tpm2 print -t TPM2B_PUBLIC -f pem ak.pub >ak.pem; "
			    "tpm2 checkquote -u ak.pem -m msg -s sig -g sha256 -q %s",
			    "7175616c696679696e67"),
			 0);
	assert_nothing_left();
}

static void quote_ecc(void **state)
{
	(void)state;
	need_tpm();
	quote_with(AY_EK_AUTO, AY_AK_AUTO);
	quote_with(AY_EK_ECC_P384, AY_AK_ECDSA_P256);
}

static void quote_rsa(void **state)
{
	(void)state;
	need_tpm();
	quote_with(AY_EK_RSA_2048, AY_AK_RSA_2048);
}

/* tpm2_makecredential hides a secret; only this AK under this EK gets it back. */
static void activate_with(enum ay_ek_kind kind)
{
	struct ay_tpm_ek ek;
	struct ay_tpm_ak ak, other;
	struct ay_reader r;
	struct ay_bytes blob, id, secret;
	struct ay_err e;
	uint8_t name[34] = { 0, AY_ALG_SHA256 }, got[AY_DIGEST_MAX];
	char path[128];
	size_t n;

	must(ops->open(fx.dev, &e), &e);
	must(ops->ek_find(fx.dev, kind, 0, &fx.arena, &ek, &e), &e);
	must(ops->ak_create(fx.dev, &(struct ay_ak_ask){ .ek_nv = ek.nv_cert, .kind = AY_AK_AUTO },
			    &fx.arena, &ak, &e),
	     &e);
	must(ops->ak_create(fx.dev, &(struct ay_ak_ask){ .ek_nv = ek.nv_cert, .kind = AY_AK_AUTO },
			    &fx.arena, &other, &e),
	     &e);
	ops->close(fx.dev);

	ay_sha256(ak.pub, name + 2);
	put_2b("ek.pub", ek.pub);
	put("name", (struct ay_bytes){ name, sizeof(name) });
	put("secret", ay_bytes_of("0123456789abcdef0123456789abcdef"));
	assert_int_equal(
		sh("tpm2 makecredential -T none -u ek.pub -s secret -n $(od -An -tx1 -v name "
		   "| tr -d ' \\n') -o cred"),
		0);
	(void)snprintf(path, sizeof(path), "%s/cred", fx.tpm.dir);
	blob = t_file(path);
	ay_rd_init(&r, blob);
	(void)ay_rd_bytes(&r, "magic and version", 8);
	id = ay_rd_vec16(&r, "id", 200);
	secret = ay_rd_vec16(&r, "secret", 600);
	assert_true(ay_rd_ok(&r));

	must(ops->open(fx.dev, &e), &e);
	must(ops->activate(fx.dev, &ak, id, secret, got, &n, &e), &e);
	assert_int_equal(n, 32);
	assert_memory_equal(got, "0123456789abcdef0123456789abcdef", 32);
	assert_int_equal(ops->activate(fx.dev, &other, id, secret, got, &n, &e), AY_E_CRYPTO);
	assert_string_equal(e.code, "ACTIVATION");
	ops->close(fx.dev);
	assert_nothing_left();
}

/* Our own MakeCredential, opened by the TPM: only with the Name it was made for. */
static void activate_ours(enum ay_ek_kind kind)
{
	uint8_t random[AY_CREDENTIAL_RANDOM], got[AY_DIGEST_MAX];
	struct ay_bytes value = ay_bytes_of("0123456789abcdef0123456789abcdef");
	struct ay_public ek_pub, ak_pub;
	struct ay_credential c;
	struct ay_name name;
	struct ay_tpm_ek ek;
	struct ay_tpm_ak ak;
	struct ay_err e;
	size_t n;

	ay_rng_bytes(random, sizeof(random));
	must(ops->open(fx.dev, &e), &e);
	must(ops->ek_find(fx.dev, kind, 0, &fx.arena, &ek, &e), &e);
	must(ops->ak_create(fx.dev, &(struct ay_ak_ask){ .ek_nv = ek.nv_cert, .kind = AY_AK_AUTO },
			    &fx.arena, &ak, &e),
	     &e);
	must(ay_public_parse(ek.pub, &ek_pub, &e), &e);
	must(ay_public_parse(ak.pub, &ak_pub, &e), &e);
	assert_non_null(ay_ek_template_match(&ek_pub));
	assert_true(ay_public_name(&ak_pub, &name));
	must(ay_credential_make(&ek_pub, ay_name_view(&name), value, random, &c, &e), &e);
	must(ops->activate(fx.dev, &ak, (struct ay_bytes){ c.id_object, c.id_object_n },
			   (struct ay_bytes){ c.secret, c.secret_n }, got, &n, &e),
	     &e);
	assert_int_equal(n, 32);
	assert_memory_equal(got, value.p, 32);
	name.b[7] ^= 1;
	must(ay_credential_make(&ek_pub, ay_name_view(&name), value, random, &c, &e), &e);
	assert_int_equal(ops->activate(fx.dev, &ak, (struct ay_bytes){ c.id_object, c.id_object_n },
				       (struct ay_bytes){ c.secret, c.secret_n }, got, &n, &e),
			 AY_E_CRYPTO);
	ops->close(fx.dev);
}

static void make_credential(void **state)
{
	(void)state;
	need_tpm();
	activate_ours(AY_EK_ECC_P256);
	activate_ours(AY_EK_ECC_P384);
	activate_ours(AY_EK_RSA_2048);
}

static void activate(void **state)
{
	(void)state;
	need_tpm();
	activate_with(AY_EK_ECC_P256);
	activate_with(AY_EK_ECC_P384);
	activate_with(AY_EK_RSA_2048);
}

/* A process is killed with an object loaded; the next open() removes it, and only it. */
static void crash_leaves_nothing(void **state)
{
	struct ay_tpm_ak ak;
	struct ay_err e;
	pid_t pid;

	(void)state;
	need_tpm();
	assert_int_equal(
		sh("tpm2 createprimary -C o -c foreign.ctx && cp guard guard.before || true"), 0);
	pid = fork();
	if (pid == 0) {
		if (ops->open(fx.dev, &e) != AY_OK)
			_exit(1);
		/* Left by tpm2-tools, which knows nothing of the guard file: as an agent cut short
		 * would. */
		_exit(sh("tpm2 createprimary -C e -c left.ctx && tpm2 startauthsession -S left.s"));
	}
	waitpid(pid, NULL, 0);
	assert_int_equal(sh("test -e guard"), 0);
	must(ops->open(fx.dev, &e), &e);
	must(ops->ak_create(fx.dev, &(struct ay_ak_ask){ .ek_nv = 0x01c0000a, .kind = AY_AK_AUTO },
			    &fx.arena, &ak, &e),
	     &e);
	ops->close(fx.dev);
	assert_int_equal(sh("test ! -e guard"), 0);
	assert_int_equal(sh("tpm2 getcap handles-loaded-session >l && test ! -s l"), 0);
	assert_int_equal(sh("tpm2 flushcontext -t"), 0);
}

static void kinds(void **state)
{
	enum ay_ek_kind k;
	enum ay_ak_kind a;
	struct ay_err e;

	(void)state;
	assert_int_equal(ay_ek_kind_parse("P-384", &k, &e), AY_OK);
	assert_int_equal(k, AY_EK_ECC_P384);
	assert_int_equal(ay_ek_kind_parse("rsa2048", &k, &e), AY_OK);
	assert_int_equal(k, AY_EK_RSA_2048);
	assert_int_equal(ay_ek_kind_parse("p512", &k, &e), AY_E_INPUT);
	assert_int_equal(k, AY_EK_AUTO);
	assert_int_equal(ay_ak_kind_parse("ECDSA-P256", &a, &e), AY_OK);
	assert_int_equal(a, AY_AK_ECDSA_P256);
	assert_int_equal(ay_ak_kind_parse("rsa1024", &a, &e), AY_E_INPUT);
}

/* EK template and nonce in NV: the key is the one they make, and another than without. */
static void ek_nonce_from_nv(void **state)
{
	struct ay_tpm_ek plain, with;
	struct ay_err e;

	(void)state;
	need_tpm();
	must(ops->open(fx.dev, &e), &e);
	must(ops->ek_find(fx.dev, AY_EK_ECC_P256, 0, &fx.arena, &plain, &e), &e);
	ops->close(fx.dev);
	put("nonce", ay_bytes_of("a nonce of this TPM"));
	put("template", t_hex("0023 000b 000300b2 0020 "
			      "837197674484b3f81a90cc8d46a5d724fd52d76e06520b64f2a1da1b331469aa"
			      "0006 0080 0043 0010 0003 0010 0000 0000"));
	assert_int_equal(sh("for i in b-nonce c-template; do f=${i#?-}; i=0x01c0000${i%%%%-*}; "
			    "tpm2 nvdefine $i -C o -s $(stat -c %%s $f) -a "
			    "'ownerwrite|authread|ownerread' && "
			    "tpm2 nvwrite $i -C o -i $f || exit 1; done"),
			 0);
	must(ops->open(fx.dev, &e), &e);
	must(ops->ek_find(fx.dev, AY_EK_ECC_P256, 0, &fx.arena, &with, &e), &e);
	ops->close(fx.dev);
	assert_int_equal(with.nv_cert, 0x01c0000a);
	assert_false(ay_bytes_eq(plain.pub, with.pub));
	put("with", with.pub);
	assert_int_equal(
		sh("python3 $AY_SOURCE/tests/support/ek_primary.py s 'a nonce of this TPM' "
		   ">theirs && cmp theirs with"),
		0);
	assert_int_equal(sh("tpm2 nvundefine 0x01c0000b -C o; tpm2 nvundefine 0x01c0000c -C o"), 0);
}

/* Certificates of the chain run through several indices; octets after them are passed over. */
static void chain_from_nv(void **state)
{
	struct ay_tpm_ek ek;
	struct ay_err e;

	(void)state;
	need_tpm();
	assert_int_equal(
		sh("for i in 1 2; do openssl req -x509 -newkey ec -pkeyopt "
		   "ec_paramgen_curve:P-256 -nodes -keyout k -subj /CN=$i -outform der -out c$i; "
		   "done; cat c1 c2 >both; head -c 600 both >n0; tail -c +601 both >n1; "
		   "printf '\\377\\377' >>n1; for i in 0 1; do tpm2 nvdefine 0x01c0010$i -C o "
		   "-s $(stat -c %%s n$i) -a 'ownerwrite|authread|ownerread' && "
		   "tpm2 nvwrite 0x01c0010$i -C o -i n$i || exit 1; done"),
		0);
	must(ops->open(fx.dev, &e), &e);
	must(ops->ek_find(fx.dev, AY_EK_ECC_P256, 0, &fx.arena, &ek, &e), &e);
	ops->close(fx.dev);
	assert_int_equal(ek.n_chain, 2);
	put("got1", ek.chain[0]);
	put("got2", ek.chain[1]);
	assert_int_equal(sh("cmp c1 got1 && cmp c2 got2"), 0);
	assert_int_equal(sh("tpm2 nvundefine 0x01c00100 -C o; tpm2 nvundefine 0x01c00101 -C o"), 0);
}

/* No TPM there: a fault after some tries, never a hang. */
static void no_device(void **state)
{
	struct ay_tpmdev_conf c = { .tcti = "device:/nonexistent/tpm0" };
	struct ay_tpmdev *d;
	struct ay_err e;

	(void)state;
	assert_int_equal(ops->make(&c, &d, &e), AY_OK);
	assert_int_equal(ops->open(d, &e), AY_E_UNAVAIL);
	assert_non_null(strstr(e.text, "/nonexistent/tpm0"));
	ops->free(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kinds),
		cmocka_unit_test(info),
		cmocka_unit_test(quote_ecc),
		cmocka_unit_test(quote_rsa),
		cmocka_unit_test(activate),
		cmocka_unit_test(make_credential),
		cmocka_unit_test(crash_leaves_nothing),
		cmocka_unit_test(ek_nonce_from_nv),
		cmocka_unit_test(chain_from_nv),
		cmocka_unit_test(no_device),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
