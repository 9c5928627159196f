/* SPDX-License-Identifier: Apache-2.0 */
/* The whole Privacy CA against agents with keys in software: each refusal by its code. */
#include "support/simtpm.h"
#include "support/t.h"

#include "core/base/hex.h"
#include "core/crypto/aikclient.h"
#include "core/crypto/envelope.h"
#include "core/crypto/pem.h"
#include "core/tpm/credential.h"
#include "io/sys/file.h"
#include "prog/assay-ca/ca.h"

#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[256];
static struct ay_privkey *ticket_key;
static struct t_ca vendor, vtpm, stranger;
static struct t_tpmkey eks[3], aks[2]; /* L-1, L-2, H-3; ECDSA, RSA */
static struct ay_ca *ca;
static struct ay_ca_files shared; /* certificates as PROVISION carries them */
static int64_t mono = 1000000;

static const char *at(const char *name)
{
	static char path[4][512];
	static unsigned i;

	i = (i + 1) % 4;
	snprintf(path[i], sizeof(path[i]), "%s/%s", dir, name);
	return path[i];
}

static void write_pem(const char *name, const char *label, struct ay_bytes der)
{
	char pem[8192];

	ay_pem_write(label, der, pem);
	assert_int_equal(ay_file_write(at(name), 0644, ay_bytes_of(pem), NULL), AY_OK);
}

static void open_ca(bool tofu, bool reveal)
{
	struct ay_ca_settings s = { .dir = at("ca"),
				    .ticket_key = at("ticket.pub"),
				    .ek_trust_dir = at("trust"),
				    .ek_tofu = tofu,
				    .reveal_ek = reveal,
				    .aik_life_ms = T_YEAR_MS / 2 };
	struct ay_err e = { 0 };

	ay_ca_close(ca);
	if (ay_ca_open(&s, &ca, &e) != AY_OK)
		fail_msg("%s: %s", e.where, e.text);
}

static int set_up(void **state)
{
	uint8_t spki[AY_SPKI_P256];
	static const char *const names[] = { "L-1", "L-2", "H-3" };

	(void)state;
	snprintf(dir, sizeof(dir), "/tmp/ay-test-ca-XXXXXX");
	assert_non_null(mkdtemp(dir));
	assert_int_equal(ay_privkey_generate(&ticket_key, NULL), AY_OK);
	assert_int_equal(ay_privkey_spki(ticket_key, spki, NULL), AY_OK);
	write_pem("ticket.pub", "PUBLIC KEY", AY_BYTES(spki));
	t_ca_make(&vendor, &(struct t_ca_spec){ .name = "TPM Vendor CA", .path_len = -1 });
	t_ca_make(&vtpm, &(struct t_ca_spec){ .name = "vTPM CA", .path_len = -1 });
	t_ca_make(&stranger, &(struct t_ca_spec){ .name = "TPM Vendor CA", .path_len = -1 });
	mkdir(at("trust"), 0755);
	mkdir(at("trust/vendors"), 0755);
	mkdir(at("trust/vtpm-lab"), 0755);
	write_pem("trust/vendors/root.pem", "CERTIFICATE", t_ca_cert(&vendor));
	write_pem("trust/vtpm-lab/root.pem", "CERTIFICATE", t_ca_cert(&vtpm));
	for (size_t i = 0; i < AY_COUNT(eks); i++)
		t_ek_make(&eks[i], names[i]);
	t_ak_make(&aks[0], false);
	t_ak_make(&aks[1], true);
	assert_int_equal(ay_ca_init(at("ca"), NULL), AY_OK);
	assert_int_equal(ay_ca_init(at("ca"), NULL), AY_E_EXISTS);
	assert_int_equal(ay_ca_files_load(at("ca"), at("ticket.pub"), &shared, NULL), AY_OK);
	open_ca(false, false);
	return 0;
}

static int tear_down(void **state)
{
	char command[512];

	(void)state;
	ay_ca_close(ca);
	ay_ca_files_fini(&shared);
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command) == 0 ? 0 : -1;
}

/* One provisioning, with whatever a test wants changed. */
struct run {
	struct t_tpmkey *ek, *ak, *open_with; /* open_with: the TPM that activates; NULL: ek */
	const struct t_ca *by;		      /* of the EK certificate; NULL: none */
	struct ay_privkey *ticket_by;	      /* NULL: the server's ticket key */
	struct ay_uuid host;
	char ticket[AY_TICKET_TEXT_MAX];
	struct ay_ticket t;
	struct ay_err e;
	struct ay_ca_refusal why;
	uint8_t cert[AY_MAX_CERT_BYTES];
	size_t cert_n;
	struct ay_aikcert aik;
	uint8_t sealed[16384], reply[16384];
	struct ay_bytes body;
	uint8_t secret[64];
	size_t secret_n;
};

static const struct ay_ca_certs *certs(void)
{
	static struct ay_ca_certs list;

	list = (struct ay_ca_certs){ shared.certs, shared.n_certs };
	return &list;
}

static struct ay_ca_now now(void)
{
	return (struct ay_ca_now){ .wall_ms = T_NOW_MS, .mono_ms = mono };
}

static void make_ticket(struct run *r)
{
	uint8_t jti[16];

	RAND_bytes(jti, sizeof(jti));
	memset(r->t.spki, 0x5a, 32);
	memcpy(r->t.ca, shared.keys.root_pin, 32);
	r->t.host = r->host;
	ay_hex_encode(AY_BYTES(jti), r->t.jti);
	r->t.exp_s = T_NOW_MS / 1000 + 600;
	assert_int_equal(
		ay_ticket_sign(&r->t, r->ticket_by ? r->ticket_by : ticket_key, r->ticket, NULL),
		AY_OK);
}

static enum ay_rc identity(struct run *r)
{
	uint8_t cert[2048];
	struct ay_identity_request q = { .ticket = ay_bytes_of(r->ticket),
					 .ak = r->ak->raw,
					 .ek = r->ek->raw };
	struct ay_writer w;
	size_t n;
	enum ay_rc rc;

	if (r->by != NULL)
		q.ek_cert =
			(struct ay_bytes){ cert,
					   t_ek_cert(r->by, r->ek->key, T_NOW_MS - T_YEAR_MS,
						     T_NOW_MS + T_YEAR_MS, cert, sizeof(cert)) };
	assert_int_equal(ay_aikclient_request(&q, certs(), r->sealed, sizeof(r->sealed), &n, &r->e),
			 AY_OK);
	ay_wr_init(&w, r->reply, sizeof(r->reply));
	rc = ay_ca_identity(ca, (struct ay_bytes){ r->sealed, n }, now(), &w, &r->why, &r->e);
	if (rc == AY_OK)
		assert_int_equal(ay_wr_end(&w, "reply", &r->body, NULL), AY_OK);
	return rc;
}

/* TPM2_ActivateCredential; false if this TPM does not open it. */
static bool activate(struct run *r, struct ay_reader *in)
{
	struct t_tpmkey *tpm = r->open_with ? r->open_with : r->ek;
	struct ay_bytes id = ay_rd_vec16(in, "id", 512), enc = ay_rd_vec16(in, "enc", 512);
	struct ay_secret got = { 0 };
	struct ay_name name;

	assert_true(ay_public_name(&r->ak->pub, &name));
	if (ay_credential_open(tpm->key, &tpm->pub, ay_name_view(&name), id, enc, &got, NULL) !=
	    AY_OK)
		return false;
	memcpy(r->secret, got.b, got.n);
	r->secret_n = got.n;
	return true;
}

static enum ay_rc answer(struct run *r)
{
	struct ay_writer w;
	size_t n;
	enum ay_rc rc;

	assert_int_equal(ay_aikclient_answer(r->t.jti, (struct ay_bytes){ r->secret, r->secret_n },
					     certs(), r->sealed, sizeof(r->sealed), &n, &r->e),
			 AY_OK);
	ay_wr_init(&w, r->reply, sizeof(r->reply));
	rc = ay_ca_activated(ca, (struct ay_bytes){ r->sealed, n }, now(), &w, &r->e);
	if (rc == AY_OK)
		assert_int_equal(ay_wr_end(&w, "reply", &r->body, NULL), AY_OK);
	return rc;
}

static void open_cert(struct run *r)
{
	struct ay_reader in;
	struct ay_name name;
	struct ay_pubkey *ak = NULL;
	struct ay_bytes iv, sealed;

	ay_rd_init(&in, r->body);
	assert_true(activate(r, &in));
	iv = ay_rd_bytes(&in, "iv", 12);
	sealed = ay_rd_vec16(&in, "sealed", 16384);
	assert_int_equal(ay_rd_end(&in, "CA_CERT", NULL), AY_OK);
	assert_true(ay_public_name(&r->ak->pub, &name));
	assert_int_equal(ay_aikclient_open((struct ay_bytes){ r->secret, r->secret_n }, iv, sealed,
					   ay_name_view(&name), r->cert, sizeof(r->cert),
					   &r->cert_n, &r->e),
			 AY_OK);
	assert_int_equal(ay_public_key(&r->ak->pub, &ak, NULL), AY_OK);
	if (ay_aikclient_check_cert((struct ay_bytes){ r->cert, r->cert_n }, certs(),
				    shared.keys.root_pin, &r->t, ak, ay_name_view(&name), T_NOW_MS,
				    &r->aik, &r->e) != AY_OK)
		fail_msg("%s %s: %s", r->e.code, r->e.where, r->e.text);
	ay_pubkey_free(ak);
}

static void start(struct run *r, struct t_tpmkey *ek, struct t_tpmkey *ak, const struct t_ca *by)
{
	memset(r, 0, sizeof(*r));
	r->ek = ek;
	r->ak = ak;
	r->by = by;
	RAND_bytes(r->host.b, 16);
	make_ticket(r);
}

static enum ay_rc whole(struct run *r)
{
	struct ay_reader in;
	enum ay_rc rc = identity(r);

	if (rc != AY_OK)
		return rc;
	ay_rd_init(&in, r->body);
	assert_true(activate(r, &in));
	rc = answer(r);
	if (rc == AY_OK)
		open_cert(r);
	return rc;
}

static struct run r; /* large */

static void every_kind_of_key(void **state)
{
	(void)state;
	for (size_t i = 0; i < AY_COUNT(eks); i++)
		for (size_t k = 0; k < AY_COUNT(aks); k++) {
			start(&r, &eks[i], &aks[k], &vendor);
			if (whole(&r) != AY_OK)
				fail_msg("%zu %zu: %s %s", i, k, r.e.code, r.e.text);
			assert_int_equal(r.aik.facts.grade, AY_GRADE_EK_CERTIFIED);
			assert_string_equal(r.aik.facts.manufacturer, "id:54455354");
			assert_string_equal(r.aik.facts.model, "sim");
			assert_false(r.aik.facts.has_ek);
			assert_true(r.aik.cert.not_after_ms <= T_NOW_MS + T_YEAR_MS / 2);
		}
}

static void grades(void **state)
{
	uint8_t pseudonym[32];

	(void)state;
	start(&r, &eks[1], &aks[0], &vtpm);
	assert_int_equal(whole(&r), AY_OK);
	assert_int_equal(r.aik.facts.grade, AY_GRADE_EK_VTPM);
	memcpy(pseudonym, r.aik.facts.ek_pseudonym, 32);
	start(&r, &eks[1], &aks[1], &vendor); /* the pseudonym is the EK's, not the host's */
	assert_int_equal(whole(&r), AY_OK);
	assert_memory_equal(pseudonym, r.aik.facts.ek_pseudonym, 32);
	open_ca(true, true);
	start(&r, &eks[0], &aks[0], NULL);
	assert_int_equal(whole(&r), AY_OK);
	assert_int_equal(r.aik.facts.grade, AY_GRADE_EK_TOFU);
	assert_true(r.aik.facts.has_ek);
	start(&r, &eks[0], &aks[0], &stranger); /* tofu is for EKs without certificate */
	assert_int_not_equal(whole(&r), AY_OK);
	assert_string_equal(r.e.code, "EK_CHAIN");
	open_ca(false, false);
}

static void refused(const char *code)
{
	if (identity(&r) == AY_OK)
		fail_msg("accepted, want %s", code);
	if (strcmp(r.e.code, code) != 0)
		fail_msg("%s (%s), want %s", r.e.code, r.e.text, code);
}

static void approval_of_an_unknown_ek(void **state)
{
	uint8_t hash[32];

	(void)state;
	start(&r, &eks[2], &aks[0], &stranger); /* a CA with the vendor's name and another key */
	refused("EK_CHAIN");
	assert_true(r.why.has_ek);
	ay_public_hash(&eks[2].pub, hash);
	assert_memory_equal(r.why.ek_hash, hash, 32);
	start(&r, &eks[2], &aks[0], NULL);
	refused("EK_CHAIN");
	assert_int_equal(
		ay_ca_approve(ca, hash, ay_bytes_of("op"), ay_bytes_of("lab"), T_NOW_MS, NULL),
		AY_OK);
	open_ca(false, false); /* it is remembered */
	start(&r, &eks[2], &aks[0], NULL);
	assert_int_equal(whole(&r), AY_OK);
	assert_int_equal(r.aik.facts.grade, AY_GRADE_EK_APPROVED);
	start(&r, &eks[0], &aks[0], NULL); /* another one is not */
	refused("EK_CHAIN");
}

/* The file that the CA reads: the server's key, and after it another one. */
static void two_ticket_keys(const struct ay_privkey *before)
{
	uint8_t spki[AY_SPKI_P256];
	char pem[2][AY_PEM_ROOM(AY_SPKI_P256)] = { "", "" };
	FILE *f = fopen(at("ticket.pub"), "w");

	assert_non_null(f);
	assert_int_equal(ay_privkey_spki(ticket_key, spki, NULL), AY_OK);
	ay_pem_write("PUBLIC KEY", AY_BYTES(spki), pem[0]);
	if (before != NULL) {
		assert_int_equal(ay_privkey_spki(before, spki, NULL), AY_OK);
		ay_pem_write("PUBLIC KEY", AY_BYTES(spki), pem[1]);
	}
	fprintf(f, "%s%s", pem[0], pem[1]);
	fclose(f);
}

static void tickets(void **state)
{
	struct ay_privkey *other = NULL;
	char kept[AY_TICKET_TEXT_MAX];

	(void)state;
	start(&r, &eks[1], &aks[0], &vendor);
	memcpy(kept, r.ticket, sizeof(kept));
	assert_int_equal(identity(&r), AY_OK);
	refused("TICKET"); /* twice */
	open_ca(false, false);
	refused("TICKET"); /* twice, over a restart */
	assert_int_equal(ay_privkey_generate(&other, NULL), AY_OK);
	start(&r, &eks[1], &aks[0], &vendor);
	r.ticket_by = other;
	make_ticket(&r);
	refused("TICKET");
	start(&r, &eks[1], &aks[0], &vendor);
	two_ticket_keys(other); /* it is the one before: served while both stand there */
	open_ca(false, false);
	r.ticket_by = other;
	make_ticket(&r);
	assert_int_equal(identity(&r), AY_OK);
	start(&r, &eks[1], &aks[0], &vendor);
	assert_int_equal(identity(&r), AY_OK);
	two_ticket_keys(NULL);
	open_ca(false, false);
	start(&r, &eks[1], &aks[0], &vendor);
	r.ticket_by = other;
	make_ticket(&r);
	refused("TICKET");
	ay_privkey_free(other);
	start(&r, &eks[1], &aks[0], &vendor);
	r.t.ca[0] ^= 1;
	assert_int_equal(ay_ticket_sign(&r.t, ticket_key, r.ticket, NULL), AY_OK);
	refused("TICKET");
	r.t.ca[0] ^= 1;
	r.t.exp_s = T_NOW_MS / 1000;
	assert_int_equal(ay_ticket_sign(&r.t, ticket_key, r.ticket, NULL), AY_OK);
	refused("TICKET");
	r.ticket[0] = '\0';
	refused("TICKET");
}

static void a_ticket_for_certain_eks(void **state)
{
	uint8_t hash[32];

	(void)state;
	ay_public_hash(&eks[1].pub, hash);
	start(&r, &eks[0], &aks[0], &vendor);
	r.t.n_eks = 2;
	memset(r.t.ek[0], 0x77, 32);
	memcpy(r.t.ek[1], hash, 32);
	assert_int_equal(ay_ticket_sign(&r.t, ticket_key, r.ticket, NULL), AY_OK);
	refused("EK_NOT_LISTED");
	start(&r, &eks[1], &aks[0], &vendor);
	r.t.n_eks = 2;
	memset(r.t.ek[0], 0x77, 32);
	memcpy(r.t.ek[1], hash, 32);
	assert_int_equal(ay_ticket_sign(&r.t, ticket_key, r.ticket, NULL), AY_OK);
	assert_int_equal(whole(&r), AY_OK);
}

static void ek_is_not_what_it_says(void **state)
{
	struct t_tpmkey other;
	struct run *q = &r;
	uint8_t cert[2048];
	struct ay_identity_request req = { 0 };
	struct ay_writer w;
	size_t n;

	(void)state;
	/* the certificate of another EK: EK_MISMATCH, though its chain is right */
	t_ek_make(&other, "L-2");
	start(q, &eks[1], &aks[0], NULL);
	n = t_ek_cert(&vendor, other.key, T_NOW_MS - 1000, T_NOW_MS + T_YEAR_MS, cert,
		      sizeof(cert));
	req = (struct ay_identity_request){ .ticket = ay_bytes_of(q->ticket),
					    .ak = q->ak->raw,
					    .ek = q->ek->raw,
					    .ek_cert = { cert, n } };
	assert_int_equal(
		ay_aikclient_request(&req, certs(), q->sealed, sizeof(q->sealed), &n, NULL), AY_OK);
	ay_wr_init(&w, q->reply, sizeof(q->reply));
	assert_int_not_equal(
		ay_ca_identity(ca, (struct ay_bytes){ q->sealed, n }, now(), &w, &q->why, &q->e),
		AY_OK);
	assert_string_equal(q->e.code, "EK_MISMATCH");
	/* a key of the right kind that is no EK: attributes, policy */
	other.pub.attributes |= AY_OA_SIGN;
	t_tpmkey_rewrite(&other);
	start(&r, &other, &aks[0], &vendor);
	refused("EK_TEMPLATE");
	start(&r, &aks[0], &aks[0], &vendor);
	refused("EK_TEMPLATE");
	t_tpmkey_fini(&other);
	/* a known host comes back with another EK */
	start(&r, &eks[1], &aks[0], &vendor);
	assert_int_equal(whole(&r), AY_OK);
	r.ek = &eks[0];
	make_ticket(&r);
	refused("EK_OTHER");
	r.ek = &eks[1];
	make_ticket(&r);
	assert_int_equal(whole(&r), AY_OK); /* renewal with the same */
}

static void activation(void **state)
{
	struct ay_reader in;

	(void)state;
	/* wrong answer, and the challenge is gone with it */
	start(&r, &eks[1], &aks[0], &vendor);
	assert_int_equal(identity(&r), AY_OK);
	ay_rd_init(&in, r.body);
	assert_true(activate(&r, &in));
	r.secret[31] ^= 1;
	assert_int_not_equal(answer(&r), AY_OK);
	assert_string_equal(r.e.code, "ACTIVATION");
	r.secret[31] ^= 1;
	assert_int_not_equal(answer(&r), AY_OK);
	assert_string_equal(r.e.code, "ACTIVATION_STALE");
	/* twice */
	start(&r, &eks[1], &aks[0], &vendor);
	assert_int_equal(whole(&r), AY_OK);
	assert_int_not_equal(answer(&r), AY_OK);
	assert_string_equal(r.e.code, "ACTIVATION_STALE");
	/* late */
	start(&r, &eks[1], &aks[0], &vendor);
	assert_int_equal(identity(&r), AY_OK);
	ay_rd_init(&in, r.body);
	assert_true(activate(&r, &in));
	mono += AY_CA_CHALLENGE_LIFE_MS;
	assert_int_not_equal(answer(&r), AY_OK);
	assert_string_equal(r.e.code, "ACTIVATION_STALE");
	/* a TPM with another EK, and a software key under a real TPM's Name, get nothing out of it
	 */
	start(&r, &eks[1], &aks[0], &vendor);
	assert_int_equal(identity(&r), AY_OK);
	r.open_with = &eks[0];
	ay_rd_init(&in, r.body);
	assert_false(activate(&r, &in));
	r.open_with = NULL;
	r.ak = &aks[1];
	ay_rd_init(&in, r.body);
	assert_false(activate(&r, &in));
}

static void envelopes(void **state)
{
	struct ay_writer w;
	uint8_t plain[4] = { 0, 1, 0, 5 };
	size_t n;

	(void)state;
	ay_wr_init(&w, r.reply, sizeof(r.reply));
	assert_int_not_equal(ay_ca_identity(ca, t_hex("3003020100"), now(), &w, &r.why, &r.e),
			     AY_OK);
	assert_string_equal(r.e.code, "CA_ENVELOPE");
	assert_int_equal(ay_envelope_seal(shared.certs[0], AY_BYTES(plain), r.sealed,
					  sizeof(r.sealed), &n, NULL),
			 AY_OK);
	assert_int_not_equal(
		ay_ca_identity(ca, (struct ay_bytes){ r.sealed, n }, now(), &w, &r.why, &r.e),
		AY_OK);
	assert_string_equal(r.e.code, "CA_MALFORMED");
	r.sealed[n - 1] ^= 1;
	assert_int_not_equal(ay_ca_activated(ca, (struct ay_bytes){ r.sealed, n }, now(), &w, &r.e),
			     AY_OK);
	assert_string_equal(r.e.code, "CA_ENVELOPE");
}

static void revocation(void **state)
{
	struct ay_aikcert_want want = {
		.chain = shared.certs, .n_chain = shared.n_certs, .pin = shared.keys.root_pin, .now_ms = T_NOW_MS
	};
	struct ay_bytes crl, der;
	struct ay_aikcert out;
	struct ay_err e;

	(void)state;
	start(&r, &eks[1], &aks[0], &vendor);
	assert_int_equal(whole(&r), AY_OK);
	der = (struct ay_bytes){ r.cert, r.cert_n };
	assert_int_equal(ay_ca_crl(ca, T_NOW_MS, &crl, NULL), AY_OK);
	want.crl = crl;
	assert_int_equal(ay_aikcert_check(der, &want, &out, &e), AY_OK);
	ay_certgen_free(&crl);
	assert_int_equal(ay_ca_revoke(ca, r.aik.cert.serial, 5, T_NOW_MS, NULL), AY_OK);
	assert_int_equal(ay_ca_revoke(ca, t_hex("0102"), 5, T_NOW_MS, NULL), AY_E_NOENT);
	open_ca(false, false);
	assert_int_equal(ay_ca_crl(ca, T_NOW_MS, &crl, NULL), AY_OK);
	want.crl = crl;
	assert_int_equal(ay_aikcert_check(der, &want, &out, &e), AY_E_CRYPTO);
	assert_string_equal(e.code, "AIK_CERT");
	assert_int_equal(out.facts.grade, AY_EK_GRADE_NONE);
	ay_certgen_free(&crl);
	r.ek = &eks[0]; /* its host id was freed */
	make_ticket(&r);
	assert_int_equal(whole(&r), AY_OK);
}

static void aik_certificates_of_others(void **state)
{
	struct ay_aikcert_want want = {
		.chain = shared.certs, .n_chain = shared.n_certs, .pin = shared.keys.root_pin, .now_ms = T_NOW_MS
	};
	struct ay_uuid other = { { 1 } };
	struct ay_ca_files ca2;
	struct ay_aikcert out;
	struct ay_bytes der;

	(void)state;
	start(&r, &eks[1], &aks[0], &vendor);
	assert_int_equal(whole(&r), AY_OK);
	der = (struct ay_bytes){ r.cert, r.cert_n };
#define REFUSED()                                                                                  \
	do {                                                                                       \
		memset(&r.e, 0, sizeof(r.e));                                                      \
		assert_int_not_equal(ay_aikcert_check(der, &want, &out, &r.e), AY_OK);             \
		assert_string_equal(r.e.code, "AIK_CERT");                                         \
	} while (0)
	want.host = &r.host;
	want.ticket = r.t.jti;
	assert_int_equal(ay_aikcert_check(der, &want, &out, &r.e), AY_OK);
	want.host = &other;
	REFUSED();
	want.host = NULL;
	want.ticket = "00000000000000000000000000000000";
	REFUSED();
	want.ticket = NULL;
	want.now_ms = r.aik.cert.not_after_ms + 1000;
	REFUSED();
	want.now_ms = T_NOW_MS;
	/* another Privacy CA's, with the same names */
	assert_int_equal(ay_ca_init(at("ca2"), NULL), AY_OK);
	assert_int_equal(ay_ca_files_load(at("ca2"), at("ticket.pub"), &ca2, NULL), AY_OK);
	want.pin = ca2.keys.root_pin;
	REFUSED();
	want.chain = ca2.certs;
	REFUSED();
	ay_ca_files_fini(&ca2);
	want.pin = shared.keys.root_pin;
	want.chain = shared.certs;
	for (size_t i = 0; i < r.cert_n; i++) {
		r.cert[i] ^= 0x04;
		REFUSED();
		r.cert[i] ^= 0x04;
	}
	assert_int_equal(ay_aikcert_check(der, &want, &out, &r.e), AY_OK);
}

/* What an agent checks before it says anything, and before it believes anything. */
static void agent_side(void **state)
{
	struct ay_ca_certs list = *certs(), reversed;
	struct ay_bytes turned[3] = { list.der[2], list.der[1], list.der[0] }, two[2];
	uint8_t pin[32], mine[32];
	struct ay_uuid other = { { 9 } };
	struct ay_ticket t;
	struct ay_pubkey *ak = NULL;
	struct ay_name name;
	struct ay_err e = { 0 };

	(void)state;
	memcpy(pin, shared.keys.root_pin, 32);
	assert_int_equal(ay_aikclient_check_ca(&list, pin, T_NOW_MS, &e), AY_OK);
	reversed = (struct ay_ca_certs){ turned, 3 };
	assert_int_not_equal(ay_aikclient_check_ca(&reversed, pin, T_NOW_MS, &e), AY_OK);
	two[0] = list.der[1]; /* the issuer's key is not for encryption */
	two[1] = list.der[2];
	reversed = (struct ay_ca_certs){ two, 2 };
	assert_int_not_equal(ay_aikclient_check_ca(&reversed, pin, T_NOW_MS, &e), AY_OK);
	assert_string_equal(e.code, "CA_PIN");
	assert_int_not_equal(ay_aikclient_check_ca(&list, pin, T_NOW_MS + 30 * T_YEAR_MS, &e),
			     AY_OK);
	pin[0] ^= 1;
	assert_int_not_equal(ay_aikclient_check_ca(&list, pin, T_NOW_MS, &e), AY_OK);
	assert_string_equal(e.code, "CA_PIN");
	pin[0] ^= 1;

	start(&r, &eks[1], &aks[0], &vendor);
	memcpy(mine, r.t.spki, 32);
#define CHECK(spki, host, now)                                                                     \
	ay_aikclient_check_ticket(ay_bytes_of(r.ticket), spki, host, pin, now, &t, &e)
	assert_int_equal(CHECK(mine, &r.host, T_NOW_MS), AY_OK);
	assert_int_not_equal(CHECK(mine, &other, T_NOW_MS), AY_OK);
	assert_string_equal(e.code, "TICKET");
	assert_int_not_equal(CHECK(mine, &r.host, T_NOW_MS + 601 * 1000), AY_OK);
	pin[0] ^= 1;
	assert_int_not_equal(CHECK(mine, &r.host, T_NOW_MS), AY_OK);
	pin[0] ^= 1;
	mine[0] ^= 1;
	assert_int_not_equal(CHECK(mine, &r.host, T_NOW_MS), AY_OK);
	assert_string_equal(e.code, "TICKET");

	assert_int_equal(whole(&r), AY_OK);
	assert_true(ay_public_name(&aks[0].pub, &name));
	assert_int_equal(ay_public_key(&aks[1].pub, &ak, NULL), AY_OK);
	assert_int_not_equal(ay_aikclient_check_cert((struct ay_bytes){ r.cert, r.cert_n }, certs(),
						     pin, &r.t, ak, ay_name_view(&name), T_NOW_MS,
						     &r.aik, &e),
			     AY_OK);
	assert_string_equal(e.code, "AIK_CERT");
	ay_pubkey_free(ak);
	assert_int_equal(ay_public_key(&aks[0].pub, &ak, NULL), AY_OK);
	name.b[5] ^= 1;
	assert_int_not_equal(ay_aikclient_check_cert((struct ay_bytes){ r.cert, r.cert_n }, certs(),
						     pin, &r.t, ak, ay_name_view(&name), T_NOW_MS,
						     &r.aik, &e),
			     AY_OK);
	ay_pubkey_free(ak);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_of_key),
		cmocka_unit_test(grades),
		cmocka_unit_test(approval_of_an_unknown_ek),
		cmocka_unit_test(tickets),
		cmocka_unit_test(a_ticket_for_certain_eks),
		cmocka_unit_test(ek_is_not_what_it_says),
		cmocka_unit_test(activation),
		cmocka_unit_test(envelopes),
		cmocka_unit_test(revocation),
		cmocka_unit_test(aik_certificates_of_others),
		cmocka_unit_test(agent_side),
	};

	return cmocka_run_group_tests_name("prog/ca", tests, set_up, tear_down);
}
