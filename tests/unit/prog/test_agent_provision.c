/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The agent's side of provisioning against the real Privacy CA and a software
 * TPM: the whole flow, and every lie a server or somebody in between can tell.
 */
#include "support/swtpm.h"
#include "support/t.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/crypto/hash.h"
#include "core/tpm/qualify.h"
#include "io/net/cert.h"
#include "io/sys/clock.h"
#include "io/sys/file.h"
#include "prog/assay-agent/provision.h"
#include "prog/assay-ca/ca.h"

enum { ROOM = 64 * 1024 };

static struct t_swtpm tpm;
static struct ay_tpmdev *dev;
static struct ay_ca *ca;
static struct ay_privkey *ticket_key;
static struct ay_agent agent;
static struct ay_pins pins = { .known = true };
static uint8_t exporter[32] = { 0xee };
static const uint8_t proof_nonce[32] = { 0x77 };
static unsigned tickets;

static const char *path_of(const char *name)
{
	static char path[128];

	(void)snprintf(path, sizeof(path), "%s/%s", tpm.dir, name);
	return path;
}

static void must(enum ay_rc rc, const struct ay_err *e)
{
	if (rc != AY_OK)
		print_message("%s %s: %s\n", e->code, e->where, e->text);
	assert_int_equal(rc, AY_OK);
}

static void open_ca(void)
{
	struct ay_cert_pem key = { 0 };
	static char dir[128], ticket[128], trust[128];
	const struct ay_ca_settings s = { .dir = dir,
					  .ticket_key = ticket,
					  .ek_trust_dir = trust,
					  .ek_tofu = true,
					  .aik_life_ms = 3600000 };
	struct ay_err e;

	(void)strcpy(dir, path_of("ca"));
	(void)strcpy(ticket, path_of("ticket.pub"));
	(void)strcpy(trust, path_of("trust"));
	must(ay_dir_make(trust, 0700, &e), &e);
	must(ay_cert_make_key(&key, &e), &e);
	must(ay_file_write(ticket, 0600, key.cert, &e), &e);
	must(ay_privkey_new_pem(key.key, &ticket_key, &e), &e);
	ay_cert_pem_free(&key);
	must(ay_ca_init(dir, &e), &e);
	must(ay_ca_pin(dir, pins.ca, &e), &e);
	must(ay_ca_open(&s, &ca, &e), &e);
}

static int set_up(void **state)
{
	struct ay_tpmdev_conf conf = { .tcti = tpm.tcti };

	(void)state;
	if (!t_swtpm_start(&tpm))
		return 0;
	memset(agent.spki, 0x5a, sizeof(agent.spki));
	open_ca();
	return ay_tpmdev_tpm2.make(&conf, &dev, NULL) == AY_OK ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	if (dev == NULL)
		return 0;
	ay_tpmdev_tpm2.free(dev);
	ay_ca_close(ca);
	ay_privkey_free(ticket_key);
	t_swtpm_stop(&tpm);
	return 0;
}

static void need_tpm(void)
{
	if (dev != NULL)
		return;
	print_message("SKIP prog/agent_provision: package not installable (swtpm, tpm2-tools)\n");
	skip();
}

static struct ay_provision_env env_now(void)
{
	return (struct ay_provision_env){ .agent = &agent,
					  .identity = &agent.identity,
					  .pins = &pins,
					  .ops = &ay_tpmdev_tpm2,
					  .dev = dev,
					  .exporter = exporter,
					  .now_ms = ay_clock_wall_ms() };
}

static struct ay_ca_now ca_now(void)
{
	return (struct ay_ca_now){ ay_clock_wall_ms(), ay_clock_mono_ms() };
}

/* One exchange: what was said last, by either side. */
struct talk {
	struct ay_provisioning p;
	struct ay_provision_env env;
	uint8_t in[ROOM], out[ROOM];
	struct ay_bytes body; /* to the agent */
	struct ay_bytes answer;
	struct ay_err e;
};

static struct talk *talk_new(void)
{
	struct talk *t = calloc(1, sizeof(*t));

	assert_non_null(t);
	ay_provisioning_init(&t->p);
	t->env = env_now();
	return t;
}

static void talk_free(struct talk *t)
{
	ay_provisioning_fini(&t->p);
	free(t);
}

static struct ay_ticket good_ticket(void)
{
	struct ay_ticket k = { .host.b = { 1, 2, 3 }, .exp_s = ay_clock_wall_ms() / 1000 + 300 };

	memcpy(k.spki, agent.spki, 32);
	memcpy(k.ca, pins.ca, 32);
	(void)snprintf(k.jti, sizeof(k.jti), "%032x", ++tickets);
	return k;
}

static void put_provision(struct talk *t, const struct ay_ticket *k, const struct ay_uuid *host,
			  size_t skip_certs)
{
	struct ay_pcr_selection s = { .n_banks = 1, .bank[0] = { AY_ALG_SHA256, 0xff } };
	char text[AY_TICKET_TEXT_MAX];
	size_t n;
	const struct ay_bytes *certs = ay_ca_certs(ca, &n);
	struct ay_writer w;

	must(ay_ticket_sign(k, ticket_key, text, &t->e), &t->e);
	ay_wr_init(&w, t->in, sizeof(t->in));
	ay_wr_bytes(&w, AY_BYTES(host->b));
	ay_wr_vec16(&w, ay_bytes_of(text));
	ay_wr_u8(&w, (uint8_t)(n - skip_certs));
	for (size_t i = skip_certs; i < n; i++)
		ay_wr_vec16(&w, certs[i]);
	ay_wr_bytes(&w, AY_BYTES(proof_nonce));
	ay_pcr_selection_write(&w, &s);
	must(ay_wr_end(&w, "provision", &t->body, &t->e), &t->e);
}

typedef enum ay_rc step_fn(struct ay_provisioning *p, const struct ay_provision_env *env,
			   struct ay_bytes body, struct ay_writer *answer, struct ay_err *e);

static enum ay_rc step(struct talk *t, step_fn *fn)
{
	struct ay_writer w;
	enum ay_rc rc;

	ay_wr_init(&w, t->out, sizeof(t->out));
	t->e = (struct ay_err){ 0 };
	rc = fn(&t->p, &t->env, t->body, &w, &t->e);
	return rc == AY_OK ? ay_wr_end(&w, "answer", &t->answer, &t->e) : rc;
}

static void refused(struct talk *t, step_fn *fn, const char *code)
{
	assert_int_not_equal(step(t, fn), AY_OK);
	assert_string_equal(t->e.code, code);
}

/* PROVISION for the ticket's own host, up to the CA's challenge. */
static void to_challenge(struct talk *t)
{
	struct ay_ticket k = good_ticket();
	struct ay_ca_refusal why;
	struct ay_reader r;
	struct ay_writer w;

	put_provision(t, &k, &k.host, 0);
	must(step(t, ay_provision_begin), &t->e);
	ay_rd_init(&r, t->answer);
	ay_wr_init(&w, t->in, sizeof(t->in));
	must(ay_ca_identity(ca, ay_rd_vec32(&r, "sealed", ROOM), ca_now(), &w, &why, &t->e), &t->e);
	must(ay_wr_end(&w, "challenge", &t->body, &t->e), &t->e);
}

static void to_cert(struct talk *t)
{
	struct ay_reader r;
	struct ay_writer w;

	to_challenge(t);
	must(step(t, ay_provision_challenge), &t->e);
	ay_rd_init(&r, t->answer);
	ay_wr_init(&w, t->in, sizeof(t->in));
	must(ay_ca_activated(ca, ay_rd_vec32(&r, "sealed", ROOM), ca_now(), &w, &t->e), &t->e);
	must(ay_wr_end(&w, "cert", &t->body, &t->e), &t->e);
}

static void put_enrolled(struct talk *t, const struct ay_uuid *host)
{
	struct ay_writer w;

	ay_wr_init(&w, t->in, sizeof(t->in));
	ay_wr_bytes(&w, AY_BYTES(host->b));
	ay_wr_vec8(&w, ay_bytes_of("host-1"));
	ay_wr_be64(&w, 1900000000000);
	ay_wr_be64(&w, 1800000000000);
	must(ay_wr_end(&w, "enrolled", &t->body, &t->e), &t->e);
}

static void put_file(const char *name, struct ay_bytes b)
{
	must(ay_file_write(path_of(name), 0600, b, NULL), &(struct ay_err){ 0 });
}

/* What ENROL_PROOF says is checked by openssl and tpm2_checkquote, not by our own code. */
static void check_proof(struct talk *t)
{
	struct ay_reader r;
	struct ay_bytes cert, pub, attest, sig;
	uint8_t x[32], data[32];
	char hex[65];

	ay_rd_init(&r, t->answer);
	cert = ay_rd_vec16(&r, "certificate", ROOM);
	pub = ay_rd_vec16(&r, "public", ROOM);
	attest = ay_rd_vec16(&r, "attest", ROOM);
	sig = ay_rd_vec16(&r, "signature", ROOM);
	must(ay_rd_end(&r, "proof", &t->e), &t->e);
	assert_true(pub.n > 0);
	put_file("aik.der", cert);
	put_file("msg", attest);
	put_file("sig", sig);
	ay_qualify_enrol_x(agent.spki, cert, x);
	ay_qualify(AY_QUALIFY_ENROL, proof_nonce, exporter, &t->p.msg.host, x, data);
	for (size_t i = 0; i < 32; i++)
		(void)snprintf(hex + 2 * i, 3, "%02x", data[i]);
	assert_int_equal(t_swtpm_sh(&tpm,
				    "openssl x509 -inform der -in aik.der -out aik.pem && "
				    "openssl verify -ignore_critical -CAfile ca/root.pem "
				    "-untrusted ca/issuer.pem aik.pem && "
				    "openssl x509 -in aik.pem -pubkey -noout >aik.pub && "
				    "tpm2 checkquote -u aik.pub -m msg -s sig -g sha256 -q %s",
				    hex),
			 0);
}

static void whole_flow(void **state)
{
	struct talk *t;
	struct ay_identity id;
	char hash[65];

	(void)state;
	need_tpm();
	t = talk_new();
	to_cert(t);
	must(step(t, ay_provision_cert), &t->e);
	check_proof(t);
	assert_true(ay_provision_ek_hash(&t->p, hash));
	put_enrolled(t, &t->p.msg.host);
	must(ay_provision_enrolled(&t->p, &t->env, t->body, &id, &t->e), &t->e);
	assert_true(id.enrolled);
	assert_string_equal(id.name, "host-1");
	assert_true(id.ak.priv.n > 0);
	assert_true(id.cert.n > 0);
	ay_identity_fini(&id);
	talk_free(t);
}

/* Tickets and CA certificates that are not meant for this agent: nothing is sealed, no key is made.
 */
static void tickets_refused(void **state)
{
	struct talk *t;
	struct ay_ticket k;
	struct ay_pins other = pins;

	(void)state;
	need_tpm();
	t = talk_new();
	k = good_ticket();
	k.spki[0] ^= 1;
	put_provision(t, &k, &k.host, 0);
	refused(t, ay_provision_begin, "TICKET");

	k = good_ticket();
	k.exp_s = ay_clock_wall_ms() / 1000 - 1;
	put_provision(t, &k, &k.host, 0);
	refused(t, ay_provision_begin, "TICKET");

	k = good_ticket();
	put_provision(t, &k, &(struct ay_uuid){ .b = { 9 } }, 0);
	refused(t, ay_provision_begin, "TICKET");

	k = good_ticket();
	k.ca[0] ^= 1;
	put_provision(t, &k, &k.host, 0);
	refused(t, ay_provision_begin, "TICKET");

	/* A CA that is not the pinned one, and one without its encryption certificate. */
	k = good_ticket();
	other.ca[0] ^= 1;
	t->env.pins = &other;
	put_provision(t, &k, &k.host, 0);
	refused(t, ay_provision_begin, "CA_PIN");
	t->env.pins = &pins;
	put_provision(t, &k, &k.host, 1);
	refused(t, ay_provision_begin, "CA_PIN");
	put_provision(t, &k, &k.host, 3);
	refused(t, ay_provision_begin, "CA_PIN");
	assert_int_equal(t->p.ek.pub.n, 0);
	talk_free(t);
}

/* The server may renew an enrolled host, not make another host of it. */
static void host_id_stays(void **state)
{
	struct talk *t;
	struct ay_identity enrolled = { .enrolled = true };
	struct ay_ticket k;

	(void)state;
	need_tpm();
	t = talk_new();
	k = good_ticket();
	memset(enrolled.host.b, 0x44, 16);
	enrolled.ak.ek_nv = 0x01c0000a;
	t->env.identity = &enrolled;
	put_provision(t, &k, &k.host, 0);
	refused(t, ay_provision_begin, "HOST_ID");
	enrolled.host = k.host;
	must(step(t, ay_provision_begin), &t->e);
	talk_free(t);
}

/* Each message only after the one before it, and once. */
static void order_of_steps(void **state)
{
	struct talk *t;
	struct ay_identity id;
	struct ay_bytes cert;
	uint8_t *copy;

	(void)state;
	need_tpm();
	t = talk_new();
	t->body = ay_bytes_of("x");
	refused(t, ay_provision_challenge, "PEER_PROTOCOL");
	refused(t, ay_provision_cert, "PEER_PROTOCOL");
	to_cert(t);
	refused(t, ay_provision_challenge, "PEER_PROTOCOL");
	copy = malloc(t->body.n);
	assert_non_null(copy);
	cert = (struct ay_bytes){ memcpy(copy, t->body.p, t->body.n), t->body.n };
	put_enrolled(t, &t->p.msg.host);
	assert_int_not_equal(ay_provision_enrolled(&t->p, &t->env, t->body, &id, &t->e), AY_OK);
	assert_string_equal(t->e.code, "PEER_PROTOCOL");
	assert_false(id.enrolled);
	t->body = cert;
	must(step(t, ay_provision_cert), &t->e);
	refused(t, ay_provision_cert, "PEER_PROTOCOL");
	put_enrolled(t, &(struct ay_uuid){ .b = { 8 } });
	assert_int_not_equal(ay_provision_enrolled(&t->p, &t->env, t->body, &id, &t->e), AY_OK);
	assert_string_equal(t->e.code, "HOST_ID");
	ay_identity_fini(&id);
	talk_free(t);
	free(copy);
}

/* Changed on the way: the TPM refuses the credential, or the certificate does not open. */
static void changed_on_the_way(void **state)
{
	struct talk *t;

	(void)state;
	need_tpm();
	t = talk_new();
	to_challenge(t);
	t->in[10] ^= 1;
	refused(t, ay_provision_challenge, "ACTIVATION");
	to_cert(t);
	t->in[t->body.n - 1] ^= 1;
	refused(t, ay_provision_cert, "AIK_CERT");
	to_cert(t);
	t->in[10] ^= 1;
	refused(t, ay_provision_cert, "ACTIVATION");
	talk_free(t);
}

/* A certificate for the key of an earlier exchange of this very TPM. */
static void cert_of_another_key(void **state)
{
	struct talk *first, *second;

	(void)state;
	need_tpm();
	first = talk_new();
	second = talk_new();
	to_cert(first);
	to_cert(second);
	second->body = first->body;
	refused(second, ay_provision_cert, "ACTIVATION");
	talk_free(first);
	talk_free(second);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_flow),	      cmocka_unit_test(tickets_refused),
		cmocka_unit_test(host_id_stays),      cmocka_unit_test(order_of_steps),
		cmocka_unit_test(changed_on_the_way), cmocka_unit_test(cert_of_another_key),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
