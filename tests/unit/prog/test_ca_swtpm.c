/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Privacy CA as its own sandboxed process, over its socket pair, with a
 * software TPM whose EK certificates are swtpm_localca's. tpm2-tools play the
 * agent's TPM: what they say about Names is the truth.
 */
#include "support/simtpm.h"
#include "support/t.h"

#include "core/base/hex.h"
#include "core/crypto/aikclient.h"
#include "core/crypto/pem.h"
#include "io/ipc/sign_msg.h"
#include "io/sys/clock.h"
#include "io/sys/file.h"
#include "prog/assay-ca/cakeys.h"
#include "prog/assayd/processes.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/rand.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static char dir[64];
static pid_t swtpm, child;
static int engine = -1;
static struct ay_privkey *ticket_key;
static uint8_t certs_buf[65536];
static struct ay_ca_ready ready;
static uint8_t pin[32];
static bool installed;

AY_PRINTF(1, 2)
static int sh(const char *fmt, ...)
{
	char line[2048], command[2400];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	snprintf(command, sizeof(command),
		 "cd %s && export PATH=$PATH:/usr/sbin TPM2TOOLS_TCTI=swtpm:path=%s/s "
		 "TSS2_LOG=all+NONE && { %s; } >>log 2>&1",
		 dir, dir, line);
	return system(command);
}

static struct ay_bytes get(const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return t_file(path);
}

static void put(const char *name, struct ay_bytes b)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	assert_int_equal(ay_file_write(path, 0600, b, NULL), AY_OK);
}

static void put_pem(const char *name, const char *label, struct ay_bytes der)
{
	char pem[8192];

	ay_pem_write(label, der, pem);
	put(name, ay_bytes_of(pem));
}

static void start_swtpm(void)
{
	char state[96], server[128], ctrl[128];

	assert_int_equal(
		sh("mkdir -p tpm lca state trust/vtpm-lab && "
		   "printf 'statedir = %s/lca\\nsigningkey = %s/lca/signkey.pem\\n"
		   "issuercert = %s/lca/issuercert.pem\\ncertserial = %s/lca/serial\\n' >lca.conf "
		   "&& "
		   "printf 'create_certs_tool = /usr/bin/swtpm_localca\\n"
		   "create_certs_tool_config = %s/lca.conf\\n"
		   "create_certs_tool_options = /etc/swtpm-localca.options\\n' >setup.conf && "
		   "swtpm_setup --tpm2 --tpmstate dir://%s/tpm --create-ek-cert --lock-nvram "
		   "--config setup.conf --pcr-banks sha256 --overwrite && "
		   "cp lca/issuercert.pem trust/vtpm-lab/ && cp lca/swtpm-localca-rootca-cert.pem "
		   "trust/vtpm-lab/",
		   dir, dir, dir, dir, dir, dir),
		0);
	snprintf(state, sizeof(state), "dir=%s/tpm", dir);
	snprintf(server, sizeof(server), "type=unixio,path=%s/s", dir);
	snprintf(ctrl, sizeof(ctrl), "type=unixio,path=%s/s.ctrl", dir);
	swtpm = fork();
	if (swtpm == 0) {
		if (freopen("/dev/null", "w", stderr) == NULL)
			_exit(126);
		execlp("swtpm", "swtpm", "socket", "--tpm2", "--tpmstate", state, "--server",
		       server, "--ctrl", ctrl, "--flags", "not-need-init,startup-clear",
		       (char *)NULL);
		_exit(127);
	}
	for (int i = 0; i < 200 && sh("test -S s && test -S s.ctrl") != 0; i++)
		usleep(20000);
}

/* ---- engine's end of the pair ---- */

static void send_msg(uint16_t type, uint32_t req, struct ay_bytes body)
{
	uint8_t *b = malloc(AY_IPC_HEAD + body.n);
	struct ay_writer w;
	struct ay_bytes out;

	ay_wr_init(&w, b, AY_IPC_HEAD + body.n);
	ay_wr_be32(&w, (uint32_t)body.n);
	ay_wr_be16(&w, type);
	ay_wr_be16(&w, 0);
	ay_wr_be32(&w, 77);
	ay_wr_be32(&w, req);
	ay_wr_bytes(&w, body);
	assert_int_equal(ay_wr_end(&w, "msg", &out, NULL), AY_OK);
	assert_int_equal(write(engine, out.p, out.n), (ssize_t)out.n);
	free(b);
}

static void read_all(uint8_t *p, size_t n)
{
	while (n > 0) {
		ssize_t k = read(engine, p, n);

		if (k < 0 && errno == EINTR)
			continue;
		assert_true(k > 0);
		p += k;
		n -= (size_t)k;
	}
}

/* The next message; its type. */
static uint16_t receive(uint32_t req, uint8_t *buf, size_t max, struct ay_bytes *body)
{
	uint8_t head[AY_IPC_HEAD];
	struct ay_reader r;
	uint32_t n, conn;
	uint16_t type;

	read_all(head, sizeof(head));
	ay_rd_init(&r, AY_BYTES(head));
	n = ay_rd_be32(&r, "n");
	type = ay_rd_be16(&r, "type");
	ay_rd_be16(&r, "flags");
	conn = ay_rd_be32(&r, "conn");
	assert_int_equal(ay_rd_be32(&r, "req"), req);
	assert_int_equal(conn, req ? 77 : 0);
	assert_true(n <= max);
	read_all(buf, n);
	*body = (struct ay_bytes){ buf, n };
	return type;
}

static void start_ca(void)
{
	char text[512];
	int pair[2];
	struct ay_config *c = NULL;
	struct ay_err e = { 0 };
	struct ay_bytes body;

	snprintf(text, sizeof(text), "state_dir = %s/state\nek_trust_dir = %s/trust\n", dir, dir);
	if (ay_config_parse(AY_PROGRAM_ASSAYD, "test", text, &c, &e) != AY_OK)
		fail_msg("%s %s", e.where, e.text);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	child = fork();
	if (child == 0) {
		struct ay_ca_args a = { .config = c, .parent_fd = -1, .engine_fd = pair[1] };

		close(pair[0]);
		fcntl(pair[1], F_SETFL, O_NONBLOCK);
		_exit(ay_ca_run(&a));
	}
	close(pair[1]);
	engine = pair[0];
	assert_int_equal(receive(0, certs_buf, sizeof(certs_buf), &body), AY_MSG_CA_READY);
	assert_int_equal(ay_ca_ready_parse(body, &ready, NULL), AY_OK);
	assert_int_equal(ready.n_certs,
			 4); /* encryption, identity requests of TPM 1.2, issuing, root */
	ay_config_free(c);
}

static void stop_ca(void)
{
	int status;

	close(engine);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static int set_up(void **state)
{
	uint8_t spki[AY_SPKI_P256];
	char path[128];

	(void)state;
	installed = system("command -v swtpm_setup >/dev/null && command -v tpm2 >/dev/null && "
			   "command -v swtpm_localca >/dev/null") == 0;
	if (!installed)
		return 0;
	snprintf(dir, sizeof(dir), "/tmp/ay-ca-swtpm-XXXXXX");
	assert_non_null(mkdtemp(dir));
	start_swtpm();
	assert_int_equal(ay_privkey_generate(&ticket_key, NULL), AY_OK);
	assert_int_equal(ay_privkey_spki(ticket_key, spki, NULL), AY_OK);
	put_pem("state/ticket.pub", "PUBLIC KEY", AY_BYTES(spki));
	snprintf(path, sizeof(path), "%s/state/ca", dir);
	assert_int_equal(ay_ca_init(path, NULL), AY_OK);
	assert_int_equal(ay_ca_pin(path, pin, NULL), AY_OK);
	start_ca();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	if (!installed)
		return 0;
	stop_ca();
	kill(swtpm, SIGTERM);
	waitpid(swtpm, NULL, 0);
	ay_privkey_free(ticket_key);
	return getenv("KEEP") ? 0 : sh("rm -rf %s", dir);
}

static void need_tpm(void)
{
	if (installed)
		return;
	print_message("SKIP ca_swtpm: package not installable\n");
	if (getenv("ASSAY_TEST_STRICT") != NULL)
		fail_msg("no swtpm");
	skip();
}

/* ---- the agent, whose TPM speaks through tpm2-tools ---- */

struct host {
	bool rsa_ek;
	const char *auth; /* how the EK is used: a policy session, or its empty password */
	uint8_t sealed[32768], reply[32768];
	struct ay_uuid id;
	struct ay_ticket ticket;
	char ticket_text[AY_TICKET_TEXT_MAX];
	struct ay_bytes body;
	uint32_t req;
};

#define FLUSH "{ tpm2 flushcontext -t; tpm2 flushcontext -l; tpm2 flushcontext -s; true; } && "
#define SESSION                                                                                    \
	"tpm2 startauthsession --policy-session -S ses.ctx && tpm2 policysecret -S ses.ctx -c e "  \
	"&& "

/* EK of L-1 (RSA) or H-3 (ECC P-384, made persistent by swtpm_setup), and an AK below it. */
static void make_keys(struct host *h, bool rsa_ek, bool rsa_ak)
{
	const char *kind = rsa_ak ? "rsa2048:rsassa-sha256:null" : "ecc256:ecdsa-sha256:null";
	const char *session = rsa_ek ? SESSION : "";

	memset(h, 0, sizeof(*h));
	h->rsa_ek = rsa_ek;
	h->auth = rsa_ek ? "-P session:ses.ctx" : "";
	assert_int_equal(sh("rm -f ek.ctx ak.*; " FLUSH "true"), 0);
	if (rsa_ek)
		assert_int_equal(sh("tpm2 createek -G rsa -c ek.ctx -u ek.pub && " FLUSH "true"),
				 0);
	else
		assert_int_equal(sh("echo 0x81010016 >ek.handle"), 0);
	assert_int_equal(sh("EK=%s; tpm2 readpublic -c $EK -f tpmt -o ek.tpmt && " FLUSH
			    "tpm2 nvread -C o %s -o ek.crt",
			    rsa_ek ? "ek.ctx" : "0x81010016", rsa_ek ? "0x1c00002" : "0x1c00016"),
			 0);
	assert_int_equal(
		sh("EK=%s; %s tpm2 create -C $EK %s -G %s -u ak.pub -r ak.priv -a "
		   "'fixedtpm|fixedparent|sensitivedataorigin|userwithauth|restricted|sign' "
		   "&& " FLUSH "%s tpm2 load -C $EK %s -u ak.pub -r ak.priv -c ak.ctx && " FLUSH
		   "tpm2 readpublic -c ak.ctx -f tpmt -o ak.tpmt -n ak.name -q ak.qname && " FLUSH
		   "true",
		   rsa_ek ? "ek.ctx" : "0x81010016", session, h->auth, kind, session, h->auth),
		0);
}

static void new_ticket(struct host *h)
{
	uint8_t jti[16];

	RAND_bytes(jti, sizeof(jti));
	if (h->id.b[0] == 0)
		RAND_bytes(h->id.b, 16);
	h->ticket.host = h->id;
	memcpy(h->ticket.ca, pin, 32);
	ay_hex_encode(AY_BYTES(jti), h->ticket.jti);
	h->ticket.exp_s = ay_clock_wall_ms() / 1000 + 600;
	assert_int_equal(ay_ticket_sign(&h->ticket, ticket_key, h->ticket_text, NULL), AY_OK);
}

static struct ay_ca_certs provision(void)
{
	return (struct ay_ca_certs){ ready.cert, ready.n_certs };
}

static uint16_t ask(struct host *h, struct ay_bytes ak, struct ay_bytes ek_cert)
{
	struct ay_identity_request q = { .ticket = ay_bytes_of(h->ticket_text),
					 .ak = ak,
					 .ek = get("ek.tpmt"),
					 .ek_cert = ek_cert };
	struct ay_ca_certs ca = provision();
	size_t n;

	assert_int_equal(ay_aikclient_check_ca(&ca, pin, ay_clock_wall_ms(), NULL), AY_OK);
	assert_int_equal(ay_aikclient_request(&q, &ca, h->sealed, sizeof(h->sealed), &n, NULL),
			 AY_OK);
	send_msg(AY_MSG_CA_IDENTITY, ++h->req, (struct ay_bytes){ h->sealed, n });
	return receive(h->req, h->reply, sizeof(h->reply), &h->body);
}

/* TPM2_ActivateCredential with what begins at p (id object, encrypted secret); its length. */
static int activate(const struct host *h, struct ay_bytes credential)
{
	uint8_t blob[2048] = { 0xba, 0xdc, 0xc0, 0xde, 0, 0, 0, 1 };
	int rc;

	memcpy(blob + 8, credential.p, credential.n);
	put("cred.blob", (struct ay_bytes){ blob, 8 + credential.n });
	rc = sh("rm -f secret; %s tpm2 activatecredential -c ak.ctx -C %s %s -i cred.blob -o "
		"secret",
		h->rsa_ek ? SESSION : "", h->rsa_ek ? "ek.ctx" : "0x81010016", h->auth);
	assert_int_equal(sh(FLUSH "true"), 0);
	return rc;
}

static size_t credential_size(struct ay_bytes body)
{
	struct ay_reader r;

	ay_rd_init(&r, body);
	ay_rd_vec16(&r, "id", 1024);
	ay_rd_vec16(&r, "enc", 1024);
	return ay_rd_offset(&r);
}

static uint16_t answer(struct host *h, struct ay_bytes secret)
{
	struct ay_ca_certs ca = provision();
	size_t n;

	assert_int_equal(ay_aikclient_answer(h->ticket.jti, secret, &ca, h->sealed,
					     sizeof(h->sealed), &n, NULL),
			 AY_OK);
	send_msg(AY_MSG_CA_ACTIVATED, ++h->req, (struct ay_bytes){ h->sealed, n });
	return receive(h->req, h->reply, sizeof(h->reply), &h->body);
}

static void refused(uint16_t type, const struct host *h, const char *code)
{
	struct ay_refusal r;
	char got[32] = "";

	assert_int_equal(type, AY_MSG_CA_REFUSED);
	assert_int_equal(ay_refusal_parse(h->body, &r, NULL), AY_OK);
	memcpy(got, r.code.p, r.code.n);
	print_message("  refused: %s: %.*s\n", got, (int)r.text.n, r.text.p);
	assert_string_equal(got, code);
	assert_int_equal(r.ek_hash.n, strcmp(code, "EK_CHAIN") == 0 ? 32 : 0);
}

static struct ay_aikcert open_cert(struct host *h)
{
	static uint8_t der[AY_MAX_CERT_BYTES];
	size_t at = credential_size(h->body), n;
	struct ay_ca_certs ca = provision();
	struct ay_bytes name = get("ak.name"), iv, sealed;
	struct ay_pubkey *key = NULL;
	struct ay_aikcert cert;
	struct ay_public ak;
	struct ay_reader r;
	struct ay_err e = { 0 };

	assert_int_equal(activate(h, (struct ay_bytes){ h->body.p, at }), 0);
	ay_rd_init(&r, (struct ay_bytes){ h->body.p + at, h->body.n - at });
	iv = ay_rd_bytes(&r, "iv", 12);
	sealed = ay_rd_vec16(&r, "sealed", 32768);
	assert_int_equal(ay_rd_end(&r, "CA_CERT", NULL), AY_OK);
	assert_int_equal(
		ay_aikclient_open(get("secret"), iv, sealed, name, der, sizeof(der), &n, &e),
		AY_OK);
	assert_int_equal(ay_public_parse(get("ak.tpmt"), &ak, &e), AY_OK);
	assert_int_equal(ay_public_key(&ak, &key, &e), AY_OK);
	if (ay_aikclient_check_cert((struct ay_bytes){ der, n }, &ca, pin, &h->ticket, key, name,
				    ay_clock_wall_ms(), &cert, &e) != AY_OK)
		fail_msg("%s %s", e.where, e.text);
	ay_pubkey_free(key);
	put_pem("aik.pem", "CERTIFICATE", cert.cert.der);
	return cert;
}

static struct host h;

static struct ay_aikcert provisioned(bool rsa_ek, bool rsa_ak)
{
	uint16_t type;

	make_keys(&h, rsa_ek, rsa_ak);
	new_ticket(&h);
	type = ask(&h, get("ak.tpmt"), get("ek.crt"));
	if (type != AY_MSG_CA_CHALLENGED)
		refused(type, &h, "");
	assert_int_equal(activate(&h, h.body), 0);
	assert_int_equal(answer(&h, get("secret")), AY_MSG_CA_ISSUED);
	return open_cert(&h);
}

static void every_kind(void **state)
{
	struct ay_aikcert c;

	(void)state;
	need_tpm();
	put_pem("root.pem", "CERTIFICATE", ready.cert[ready.n_certs - 1]);
	put_pem("issuer.pem", "CERTIFICATE", ready.cert[ready.n_certs - 2]);
	for (int i = 0; i < 4; i++) {
		print_message("%s EK, %s AK\n", i & 1 ? "RSA" : "ECC", i & 2 ? "RSA" : "ECDSA");
		c = provisioned(i & 1, i & 2);
		/* the TPM's own words */
		assert_true(ay_bytes_eq(
			(struct ay_bytes){ c.facts.ak_qualified_name, c.facts.ak_qualified_name_n },
			get("ak.qname")));
		assert_int_equal(c.facts.grade, AY_GRADE_EK_VTPM);
		assert_string_equal(c.facts.manufacturer, "id:00001014");
		assert_string_equal(c.facts.model, "swtpm");
		assert_int_equal(
			sh("openssl verify -CAfile root.pem -untrusted issuer.pem aik.pem"), 0);
		assert_int_equal(sh("openssl x509 -in aik.pem -noout -text >aik.txt && "
				    "grep -q 'URI:urn:uuid:' aik.txt && "
				    "grep -A1 'Extended Key Usage: critical' aik.txt | grep -q "
				    "2.23.133.8.3 && grep -q 'Subject: *$' aik.txt && "
				    "grep -q 1.3.6.1.4.1.61234.1.1 aik.txt"),
				 0);
	}
}

/* The credential is for the Name of a key this TPM does not hold. */
static void software_key_under_a_real_ek(void **state)
{
	struct t_tpmkey soft;

	(void)state;
	need_tpm();
	make_keys(&h, true, false);
	new_ticket(&h);
	t_ak_make(&soft, false);
	assert_int_equal(ask(&h, soft.raw, get("ek.crt")), AY_MSG_CA_CHALLENGED);
	assert_int_not_equal(activate(&h, h.body), 0);
	refused(answer(&h,
		       t_hex("00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff")),
		&h, "ACTIVATION");
	t_tpmkey_fini(&soft);
}

static void replayed_answer(void **state)
{
	(void)state;
	need_tpm();
	provisioned(true, false);
	/* the very octets again, and the answer to an older challenge */
	send_msg(AY_MSG_CA_ACTIVATED, ++h.req, (struct ay_bytes){ h.sealed, 0 });
	refused(receive(h.req, h.reply, sizeof(h.reply), &h.body), &h, "CA_ENVELOPE");
	refused(answer(&h,
		       t_hex("00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff")),
		&h, "ACTIVATION_STALE");
	refused(ask(&h, get("ak.tpmt"), get("ek.crt")), &h, "TICKET");
}

static void same_named_issuer(void **state)
{
	struct t_ca fake = { 0 };
	struct ay_ekcert cert;
	struct ay_pubkey *key = NULL;
	struct ay_public ek;
	uint8_t der[2048];
	size_t n;

	(void)state;
	need_tpm();
	make_keys(&h, true, false);
	assert_int_equal(ay_ekcert_parse(get("ek.crt"), &cert, NULL), AY_OK);
	assert_int_equal(sh("openssl x509 -in lca/issuercert.pem -noout -subject | grep -q "
			    "'CN = swtpm-localca$'"),
			 0);
	t_ca_make(&fake, &(struct t_ca_spec){ .name = "swtpm-localca", .path_len = -1 });
	assert_int_equal(ay_public_parse(get("ek.tpmt"), &ek, NULL), AY_OK);
	assert_int_equal(ay_public_key(&ek, &key, NULL), AY_OK);
	n = t_ek_cert(&fake, ay_pubkey_pkey(key), T_NOW_MS - 1000, T_NOW_MS + T_YEAR_MS, der,
		      sizeof(der));
	new_ticket(&h);
	refused(ask(&h, get("ak.tpmt"), (struct ay_bytes){ der, n }), &h, "EK_CHAIN");
	/* and the real certificate of another EK of this TPM */
	assert_int_equal(sh("tpm2 nvread -C o 0x1c00016 -o other.crt"), 0);
	new_ticket(&h);
	refused(ask(&h, get("ak.tpmt"), get("other.crt")), &h, "EK_MISMATCH");
	ay_pubkey_free(key);
	t_ca_fini(&fake);
}

static void ak_that_may_leave(void **state)
{
	(void)state;
	need_tpm();
	make_keys(&h, false, false);
	assert_int_equal(sh("rm -f ak.*; tpm2 create -C 0x81010016 -G ecc256:ecdsa-sha256:null "
			    "-u ak.pub -r ak.priv -a "
			    "'sensitivedataorigin|userwithauth|sign|fixedtpm|fixedparent' && " FLUSH
			    "tpm2 load -C 0x81010016 -u ak.pub -r ak.priv -c ak.ctx && " FLUSH
			    "tpm2 readpublic -c ak.ctx -f tpmt -o ak.tpmt && " FLUSH "true"),
			 0);
	new_ticket(&h); /* signs whatever it is given: not restricted */
	refused(ask(&h, get("ak.tpmt"), get("ek.crt")), &h, "AK_ATTRIBUTES");
}

static void approval_and_revocation(void **state)
{
	uint8_t body[256], hash[32];
	struct ay_aikcert c;
	struct ay_public ek;
	struct ay_writer w;
	struct ay_bytes out;

	(void)state;
	need_tpm();
	c = provisioned(true, true);
	ay_wr_init(&w, body, sizeof(body));
	ay_wr_vec8(&w, c.cert.serial);
	ay_wr_u8(&w, 5);
	assert_int_equal(ay_wr_end(&w, "revoke", &out, NULL), AY_OK);
	send_msg(AY_MSG_CA_REVOKE, ++h.req, out);
	assert_int_equal(receive(h.req, h.reply, sizeof(h.reply), &h.body), AY_MSG_CA_DONE);
	send_msg(AY_MSG_CA_GET_CRL, ++h.req, (struct ay_bytes){ 0 });
	assert_int_equal(receive(h.req, h.reply, sizeof(h.reply), &h.body), AY_MSG_CA_CRL);
	put("aik.crl", h.body);
	assert_int_equal(
		sh("openssl crl -inform DER -in aik.crl -out crl.pem && cat root.pem >cas.pem && "
		   "openssl verify -CAfile root.pem -untrusted issuer.pem aik.pem && "
		   "! openssl verify -crl_check -CRLfile crl.pem -CAfile root.pem -untrusted "
		   "issuer.pem aik.pem >verify.txt 2>&1; grep -q 'certificate revoked' "
		   "verify.txt"),
		0);
	/* without its certificate the EK is unknown, until an operator approves it */
	new_ticket(&h);
	refused(ask(&h, get("ak.tpmt"), (struct ay_bytes){ 0 }), &h, "EK_CHAIN");
	assert_int_equal(ay_public_parse(get("ek.tpmt"), &ek, NULL), AY_OK);
	ay_public_hash(&ek, hash);
	ay_wr_init(&w, body, sizeof(body));
	ay_wr_bytes(&w, AY_BYTES(hash));
	ay_wr_vec8(&w, ay_bytes_of("operator"));
	ay_wr_vec16(&w, ay_bytes_of("test"));
	assert_int_equal(ay_wr_end(&w, "approve", &out, NULL), AY_OK);
	send_msg(AY_MSG_CA_EK_APPROVE, ++h.req, out);
	assert_int_equal(receive(h.req, h.reply, sizeof(h.reply), &h.body), AY_MSG_CA_DONE);
	stop_ca();
	start_ca(); /* it is remembered */
	new_ticket(&h);
	assert_int_equal(ask(&h, get("ak.tpmt"), (struct ay_bytes){ 0 }), AY_MSG_CA_CHALLENGED);
	assert_int_equal(activate(&h, h.body), 0);
	assert_int_equal(answer(&h, get("secret")), AY_MSG_CA_ISSUED);
	assert_int_equal(open_cert(&h).facts.grade, AY_GRADE_EK_APPROVED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind),	     cmocka_unit_test(software_key_under_a_real_ek),
		cmocka_unit_test(replayed_answer),   cmocka_unit_test(same_named_issuer),
		cmocka_unit_test(ak_that_may_leave), cmocka_unit_test(approval_and_revocation),
	};

	return cmocka_run_group_tests_name("prog/ca_swtpm", tests, set_up, tear_down);
}
