/* SPDX-License-Identifier: Apache-2.0 */
#include "support/t.h"

#include "core/assertion/saml.h"
#include "core/assertion/xml_init.h"
#include "core/authz/order.h"
#include "core/crypto/ticket.h"
#include "io/ipc/sign_msg.h"
#include "io/net/cert.h"
#include "io/sys/clock.h"
#include "io/sys/file.h"
#include "prog/assayd/processes.h"

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* A real signer in a process and sandbox of its own; this test plays engine and parent. */
struct world {
	char dir[64];
	struct ay_config *config;
	struct ay_cert_pem root, assertion, ticket, head, order;
	struct ay_loop *loop;
	struct ay_ipc *signer, *parent;
	pid_t pid;
	size_t n_msgs, n_gone;
	uint16_t type;
	uint32_t req;
	uint8_t body[65536];
	size_t n;
};

static void from_signer(void *arg, const struct ay_ipc_msg *m)
{
	struct world *w = arg;

	w->n_msgs++;
	w->type = m->type;
	w->req = m->req;
	w->n = m->body.n;
	assert_true(w->n < sizeof(w->body));
	memcpy(w->body, m->body.p, m->body.n);
	ay_loop_stop(w->loop);
}

static void on_gone(void *arg, const char *why)
{
	struct world *w = arg;

	(void)why;
	w->n_gone++;
	ay_loop_stop(w->loop);
}

static void from_child(void *arg, const struct ay_ipc_msg *m)
{
	(void)arg, (void)m;
}

static const struct ay_ipc_ops signer_ops = { from_signer, on_gone };
static const struct ay_ipc_ops parent_ops = { from_child, on_gone };

static void put(struct world *w, const char *name, struct ay_bytes b)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", w->dir, name);
	assert_int_equal(ay_file_write(path, 0600, b, NULL), AY_OK);
}

static void make_state(struct world *w)
{
	struct ay_cert_args a = { .kind = AY_CERT_ROOT, .cn = "root", .life_s = 3600 };
	char conf[128];

	snprintf(w->dir, sizeof(w->dir), "/tmp/ay-signer-XXXXXX");
	assert_non_null(mkdtemp(w->dir));
	a.now_s = ay_clock_wall_ms() / 1000;
	assert_int_equal(ay_cert_make(&a, NULL, &w->root, NULL), AY_OK);
	a.kind = AY_CERT_ASSERTION;
	assert_int_equal(ay_cert_make(&a, &w->root, &w->assertion, NULL), AY_OK);
	assert_int_equal(ay_cert_make_key(&w->ticket, NULL), AY_OK);
	assert_int_equal(ay_cert_make_key(&w->head, NULL), AY_OK);
	assert_int_equal(ay_cert_make_key(&w->order, NULL), AY_OK);
	put(w, AY_FILE_ROOT_CERT, w->root.cert);
	put(w, AY_FILE_ASSERTION_CERT, w->assertion.cert);
	put(w, AY_FILE_ASSERTION_KEY, w->assertion.key);
	put(w, AY_FILE_TICKET_KEY, w->ticket.key);
	put(w, AY_FILE_HEAD_KEY, w->head.key);
	put(w, AY_FILE_ORDER_KEY, w->order.key);
	snprintf(conf, sizeof(conf), "state_dir = %s\n", w->dir);
	assert_int_equal(ay_config_parse(AY_PROGRAM_ASSAYD, "t", conf, &w->config, NULL), AY_OK);
}

static int set_up(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	struct ay_signer_args a;
	int engine[2], parent[2];

	make_state(w);
	a.config = w->config;
	assert_int_equal(ay_ipc_pair(engine, NULL), AY_OK);
	assert_int_equal(ay_ipc_pair(parent, NULL), AY_OK);
	a.engine_fd = engine[1];
	a.parent_fd = parent[1];
	w->pid = fork();
	if (w->pid == 0) {
		close(engine[0]);
		close(parent[0]);
		_exit(ay_signer_run(&a));
	}
	close(engine[1]);
	close(parent[1]);
	assert_int_equal(ay_loop_new(&w->loop, NULL), AY_OK);
	assert_int_equal(ay_ipc_open(w->loop, engine[0], ay_ipc_table_of(AY_PAIR_SIGNER), AY_IPC_A,
				     &signer_ops, w, &w->signer, NULL),
			 AY_OK);
	assert_int_equal(ay_ipc_open(w->loop, parent[0], ay_ipc_table_of(AY_PAIR_PARENT), AY_IPC_A,
				     &parent_ops, w, &w->parent, NULL),
			 AY_OK);
	ay_loop_run(w->loop); /* SIGNER_READY */
	assert_int_equal(w->type, AY_MSG_SIGNER_READY);
	*state = w;
	return 0;
}

static int tear_down(void **state)
{
	struct world *w = *state;
	char command[128];
	int status = -1;

	ay_ipc_send(w->parent, AY_MSG_CHILD_STOP, 0, 0, (struct ay_bytes){ NULL, 0 });
	while (w->n_gone < 2)
		ay_loop_run(w->loop);
	assert_int_equal(waitpid(w->pid, &status, 0), w->pid);
	assert_int_equal(status, 0);
	ay_loop_free(w->loop);
	ay_config_free(w->config);
	ay_cert_pem_free(&w->root);
	ay_cert_pem_free(&w->assertion);
	ay_cert_pem_free(&w->ticket);
	ay_cert_pem_free(&w->head);
	ay_cert_pem_free(&w->order);
	snprintf(command, sizeof(command), "rm -r %s", w->dir);
	assert_int_equal(system(command), 0);
	free(w);
	return 0;
}

static void ask(struct world *w, uint16_t type, struct ay_bytes body)
{
	size_t before = w->n_msgs;

	ay_ipc_send(w->signer, type, 0, 42, body);
	while (w->n_msgs == before && w->n_gone == 0)
		ay_loop_run(w->loop);
	assert_int_equal(w->req, 42);
}

static void ready_names_the_keys(void **state)
{
	struct world *w = *state;
	struct ay_signer_ready r;
	uint8_t spki[32];

	assert_int_equal(ay_signer_ready_parse((struct ay_bytes){ w->body, w->n }, &r, NULL),
			 AY_OK);
	assert_int_equal(ay_cert_spki(w->ticket.cert, spki, NULL), AY_OK);
	assert_memory_equal(r.ticket_spki, spki, 32);
	assert_int_equal(ay_cert_spki(w->head.cert, spki, NULL), AY_OK);
	assert_memory_equal(r.head_spki, spki, 32);
}

static struct ay_pubkey *public_of(struct ay_bytes pem)
{
	struct ay_privkey *k;
	struct ay_pubkey *pub;

	assert_int_equal(ay_privkey_new_pem(pem, &k, NULL), AY_OK);
	assert_int_equal(ay_privkey_public(k, &pub, NULL), AY_OK);
	ay_privkey_free(k);
	return pub;
}

static void ask_ticket(struct world *w, int64_t life_s)
{
	struct ay_sign_ticket t = { .expires_at_s = ay_clock_wall_ms() / 1000 + life_s };
	uint8_t room[256];
	struct ay_writer wr;
	struct ay_bytes body;

	memset(t.agent_spki, 0xaa, sizeof(t.agent_spki));
	memset(t.ca_spki, 0xcc, sizeof(t.ca_spki));
	t.n_eks = 1;
	memset(t.ek[0], 0xee, sizeof(t.ek[0]));
	ay_wr_init(&wr, room, sizeof(room));
	ay_sign_ticket_build(&wr, &t);
	assert_int_equal(ay_wr_end(&wr, "t", &body, NULL), AY_OK);
	ask(w, AY_MSG_SIGN_TICKET, body);
}

static void a_ticket_is_signed_for_ten_minutes_at_most(void **state)
{
	struct world *w = *state;
	struct ay_pubkey *pub = public_of(w->ticket.key);
	struct ay_ticket t;
	uint8_t ca[32];

	memset(ca, 0xcc, sizeof(ca));
	ask_ticket(w, 590);
	assert_int_equal(w->type, AY_MSG_SIGNED);
	assert_int_equal(ay_ticket_check((struct ay_bytes){ w->body, w->n }, pub, ca,
					 ay_clock_wall_ms(), &t, NULL),
			 AY_OK);
	assert_int_equal(t.n_eks, 1);
	assert_int_equal(t.ek[0][31], 0xee);
	ask_ticket(w, 700);
	assert_int_equal(w->type, AY_MSG_SIGN_REFUSED);
	ay_pubkey_free(pub);
}

static void an_audit_head_is_signed_under_its_label(void **state)
{
	struct world *w = *state;
	struct ay_pubkey *pub = public_of(w->head.key);
	struct ay_sign_head h = { .size = 5, .at_ms = 6 };
	uint8_t room[256];
	struct ay_writer wr;
	struct ay_bytes body;

	ay_wr_init(&wr, room, sizeof(room));
	ay_wr_str(&wr, "assay-audit-head-1");
	ay_sign_head_build(&wr, &h);
	assert_int_equal(ay_wr_end(&wr, "h", &body, NULL), AY_OK);
	ask(w, AY_MSG_SIGN_HEAD, (struct ay_bytes){ body.p + 18, body.n - 18 });
	assert_int_equal(w->type, AY_MSG_SIGNED);
	assert_true(w->n > 64);
	assert_int_equal(ay_es256_verify(pub, body, (struct ay_bytes){ w->body, 64 }, NULL), AY_OK);
	ay_pubkey_free(pub);
	/* and the key beside it is that key */
	assert_int_equal(
		ay_pubkey_new_spki((struct ay_bytes){ w->body + 64, w->n - 64 }, &pub, NULL),
		AY_OK);
	assert_int_equal(ay_es256_verify(pub, body, (struct ay_bytes){ w->body, 64 }, NULL), AY_OK);
	ay_pubkey_free(pub);
}

static void an_order_is_signed_if_it_may_be_given(void **state)
{
	struct world *w = *state;
	struct ay_order o = { .verb = AY_ORDER_REMEDIATE, .n_approvers = 2 };
	uint8_t room[AY_ORDER_STATEMENT_MAX];
	struct ay_pubkey *pub;
	struct ay_bytes body;

	o.approver[0] = ay_bytes_of("ann");
	o.approver[1] = ay_bytes_of("bob");
	o.expires_ms = ay_clock_wall_ms() + 60000;
	assert_int_equal(ay_order_write(&o, room, &body, NULL), AY_OK);
	ask(w, AY_MSG_SIGN_ORDER, body);
	assert_int_equal(w->type, AY_MSG_SIGNED);
	assert_int_equal(w->n, 64 + AY_SPKI_P256);
	pub = public_of(w->order.key);
	assert_int_equal(ay_es256_verify(pub, body, (struct ay_bytes){ w->body, 64 }, NULL), AY_OK);
	ay_pubkey_free(pub);
	o.n_approvers = 1;
	assert_int_equal(ay_order_write(&o, room, &body, NULL), AY_OK);
	ask(w, AY_MSG_SIGN_ORDER, body);
	assert_int_equal(w->type, AY_MSG_SIGN_REFUSED);
	o.n_approvers = 2;
	o.expires_ms += AY_ORDER_LIFE_MS;
	assert_int_equal(ay_order_write(&o, room, &body, NULL), AY_OK);
	ask(w, AY_MSG_SIGN_ORDER, body);
	assert_int_equal(w->type, AY_MSG_SIGN_REFUSED);
}

static void an_assertion_is_signed_in_the_sandbox(void **state)
{
	struct world *w = *state;
	struct ay_saml_claims c = { .profile = AY_SAML_CIT,
				    .issuer = "https://assay.example",
				    .host_id = "6ba7b810-9dad-11d1-80b4-00c04fd430c8",
				    .host_name = "web1" };
	struct ay_saml_expect want = { .skew_ms = 1000 };
	struct ay_saml_facts facts;
	static uint8_t room[65536];
	struct ay_arena arena;
	struct ay_writer wr;
	struct ay_bytes body, der;

	c.lease_ms = ay_clock_wall_ms() + 60000;
	ay_wr_init(&wr, room, sizeof(room));
	ay_saml_claims_write(&wr, &c, 1);
	assert_int_equal(ay_wr_end(&wr, "c", &body, NULL), AY_OK);
	ask(w, AY_MSG_SIGN_SAML, body);
	assert_int_equal(w->type, AY_MSG_SIGNED);
	assert_int_equal(ay_xml_init(NULL), AY_OK);
	assert_int_equal(ay_cert_der(w->assertion.cert, &der, NULL), AY_OK);
	ay_arena_init(&arena, 1 << 20);
	want.cert = der;
	want.now_ms = ay_clock_wall_ms();
	assert_int_equal(
		ay_saml_verify((struct ay_bytes){ w->body, w->n }, &want, &arena, &facts, NULL),
		AY_OK);
	assert_string_equal(ay_saml_fact(&facts, "Trusted"), "false");
	ay_arena_fini(&arena);
	ay_file_free(&der);
}

static void what_cannot_be_read_is_refused(void **state)
{
	struct world *w = *state;

	for (uint16_t type = AY_MSG_SIGN_TICKET; type <= AY_MSG_SIGN_HEAD; type++) {
		ask(w, type, ay_bytes_of("x"));
		assert_int_equal(w->type, AY_MSG_SIGN_REFUSED);
	}
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(ready_names_the_keys),
		T(a_ticket_is_signed_for_ten_minutes_at_most),
		T(an_audit_head_is_signed_under_its_label),
		T(an_order_is_signed_if_it_may_be_given),
		T(an_assertion_is_signed_in_the_sandbox),
		T(what_cannot_be_read_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
