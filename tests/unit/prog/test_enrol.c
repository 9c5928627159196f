/* SPDX-License-Identifier: Apache-2.0 */
/* First contact, provisioning and renewal as the engine does them (design 4, 5), with a played
 * front. */
#include "unit/prog/engine_world.h"

#include "prog/assayd/claims.h"

static void proofs_that_are_false_bind_nothing(void **state)
{
	struct agent *other = enrolled_agent("other"), *a;
	static const uint8_t elsewhere[32] = { 7 };
	const struct {
		const char *name;
		struct false_proof f;
		const char *code;
	} cases[] = {
		{ "another host's certificate over my connection",
		  { .cert_of = other },
		  "AIK_CERT" },
		{ "signed by another AK", { .signed_by = &other->ak }, "QUOTE_SIGNATURE" },
		{ "made on another connection", { .exporter = elsewhere }, "QUOTE_NONCE" },
	};
	size_t hosts = ay_engine_host_count(engine);

	(void)state;
	for (size_t i = 0; i < AY_COUNT(cases); i++) {
		struct provision p;

		print_message("proof: %s\n", cases[i].name);
		a = agent_new("false");
		connect_as(a, 0);
		hello(a, false);
		prove_token(a, new_token(NULL, 1));
		assert_true(provisioned(a, &p));
		assert_true(certify(a, &p));
		send_proof(a, &p, &cases[i].f);
		assert_string_equal(failed(a), cases[i].code);
		assert_int_equal(ay_engine_host_count(engine), hosts);
		assert_null(ay_hosts_by_key(engine, a->spki));
		free(p.msg);
		agent_free(a);
	}
	agent_free(other);
}

/* The certificate was issued, but the key of the proof is not quite the certified one. */
static void the_certified_key_and_no_other(void **state)
{
	for (int renamed = 0; renamed < 2; renamed++) {
		struct agent *a = agent_new("otherkey");
		struct provision p;
		struct ay_name ek;

		(void)state;
		connect_as(a, 0);
		hello(a, false);
		prove_token(a, new_token(NULL, 1));
		assert_true(provisioned(a, &p));
		assert_true(certify(a, &p));
		if (renamed) { /* the same numbers with other attributes: another Name */
			a->ak.pub.attributes |= AY_OA_NO_DA;
			t_tpmkey_rewrite(&a->ak);
			assert_true(ay_public_name(&a->ek.pub, &ek));
		} else {
			agent_new_ak(a);
		}
		send_proof(a, &p, NULL);
		assert_string_equal(failed(a), renamed ? "AK_NAME" : "QUOTE_WRONG_AK");
		free(p.msg);
		agent_free(a);
	}
}

static void one_token_for_two(void **state)
{
	struct agent *a = agent_new("race-a"), *b = agent_new("race-b");
	struct provision pa, pb;
	char token[AY_MAX_TOKEN_BYTES];
	bool a_in, b_in;
	struct sent *s;

	(void)state;
	snprintf(token, sizeof(token), "%s", new_token(NULL, 1));
	connect_as(a, 0);
	connect_as(b, 0);
	hello(a, false);
	hello(b, false);
	prove_token(a, token);
	prove_token(b, token);
	assert_true(provisioned(a, &pa) && provisioned(b, &pb));
	assert_true(certify(a, &pa) && certify(b, &pb));
	send_proof(a, &pa, NULL);
	send_proof(b, &pb, NULL);
	run_ms(300);
	s = wait_for(a->conn, AY_MSG_FRAME, AY_FRAME_ENROLLED, 1000);
	a_in = s != NULL;
	free(s);
	s = wait_for(b->conn, AY_MSG_FRAME, AY_FRAME_ENROLLED, 300);
	b_in = s != NULL;
	free(s);
	assert_true(a_in != b_in);
	assert_string_equal(failed(a_in ? b : a), "TOKEN_SPENT");
	free(pa.msg);
	free(pb.msg);
	agent_free(a);
	agent_free(b);
}

static void a_token_must_be_held(void **state)
{
	struct agent *a = agent_new("thief");
	struct ay_token t;
	char text[AY_MAX_TOKEN_BYTES];
	const char *real = new_token(NULL, 1);

	(void)state;
	assert_int_equal(ay_token_parse(ay_bytes_of(real), &t, NULL), AY_OK);
	t.secret[0] ^= 1; /* the id was seen, the secret was not */
	assert_int_equal(ay_token_build(&t, text, NULL), AY_OK);
	connect_as(a, 0);
	hello(a, false);
	prove_token(a, text);
	assert_string_equal(failed(a), "TOKEN");
	connect_as(a, 0);
	hello(a, false);
	t.id[0] = t.id[0] == 'a' ? 'b' : 'a';
	assert_int_equal(ay_token_build(&t, text, NULL), AY_OK);
	prove_token(a, text);
	assert_string_equal(failed(a), "TOKEN_UNKNOWN");
	agent_free(a);
}

static void tokens_end(void **state)
{
	struct agent *a = agent_new("ended");
	char token[AY_MAX_TOKEN_BYTES];
	int64_t life = engine->set.token_life_ms;
	struct ay_token t;

	(void)state;
	engine->set.token_life_ms = 1;
	snprintf(token, sizeof(token), "%s", new_token(NULL, 1));
	engine->set.token_life_ms = life;
	run_ms(20);
	connect_as(a, 0);
	hello(a, false);
	prove_token(a, token);
	assert_string_equal(failed(a), "TOKEN_EXPIRED");
	snprintf(token, sizeof(token), "%s", new_token(NULL, 1));
	assert_int_equal(ay_token_parse(ay_bytes_of(token), &t, NULL), AY_OK);
	assert_int_equal(ay_engine_token_revoke(engine, ay_bytes_of(t.id), NULL), AY_OK);
	connect_as(a, 0);
	hello(a, false);
	prove_token(a, token);
	assert_string_equal(failed(a), "TOKEN_REVOKED");
	snprintf(token, sizeof(token), "%s", new_token(NULL, 1));
	enrol(a, token);
	connect_as(a, 0);
	ay_rng_bytes(a->spki, 32);
	connect_as(a, 0);
	hello(a, false);
	prove_token(a, token);
	assert_string_equal(failed(a), "TOKEN_SPENT");
	agent_free(a);
}

/* A token for certain endorsement keys opens nothing to another TPM, and says so after a restart.
 */
static void a_token_for_one_ek(void **state)
{
	struct agent *a = agent_new("listed"), *b = agent_new("unlisted");
	char text[AY_MAX_TOKEN_BYTES], id[33];
	uint8_t ek[1][32];
	struct ay_token_spec spec = { .uses = 2, .ek = (const uint8_t(*)[32])ek, .n_eks = 1 };
	struct provision p;
	int64_t until;

	(void)state;
	ay_public_hash(&a->ek.pub, ek[0]);
	assert_int_equal(ay_engine_token_create(engine, &spec, text, id, &until, NULL), AY_OK);
	close_engine();
	open_engine();
	connect_as(b, 0);
	hello(b, false);
	prove_token(b, text);
	assert_true(provisioned(b, &p));
	assert_false(certify(b, &p));
	assert_string_equal(failed(b), "EK_NOT_LISTED");
	free(p.msg);
	disconnect(b);
	enrol(a, text);
	spec.n_eks = AY_MAX_TOKEN_EKS + 1;
	assert_int_equal(ay_engine_token_create(engine, &spec, text, id, &until, NULL), AY_E_LIMIT);
	agent_free(a);
	agent_free(b);
}

static void one_tpm_is_one_host(void **state)
{
	struct agent *a = enrolled_agent("first"), *b = agent_new("second");
	struct provision p;

	(void)state;
	t_tpmkey_fini(&b->ek);
	memset(&b->ek, 0, sizeof(b->ek));
	b->ek = a->ek; /* the same EK, a new AK, another TLS key */
	agent_new_ak(b);
	connect_as(b, 0);
	hello(b, false);
	prove_token(b, new_token(NULL, 1));
	assert_true(provisioned(b, &p));
	if (certify(b, &p))
		send_proof(b, &p, NULL);
	assert_string_equal(failed(b), "EK_BOUND");
	assert_int_equal(host_of(a)->state, AY_HOST_ENROLLED);
	free(p.msg);
	memset(&b->ek, 0, sizeof(b->ek));
	agent_free(a);
	agent_free(b);
}

static void a_known_host_with_another_ek_is_refused(void **state)
{
	struct agent *a = enrolled_agent("swapped"), *b = agent_new("swapped");
	struct provision p;

	(void)state;
	connect_as(b, 0);
	hello(b, false);
	prove_token(b, new_token("swapped", 1));
	assert_true(provisioned(b, &p));
	if (certify(b, &p))
		send_proof(b, &p, NULL);
	assert_string_equal(failed(b), "EK_OTHER");
	assert_string_equal(host_of(a)->note_code, "EK_OTHER"); /* told to the operator */
	assert_int_equal(host_of(a)->state, AY_HOST_ENROLLED);
	assert_non_null(ay_hosts_by_key(engine, a->spki));
	free(p.msg);
	agent_free(a);
	agent_free(b);
}

static void unauthenticated_failures_change_no_record(void **state)
{
	struct agent *a = enrolled_agent("victim"), *b = agent_new("victim");
	uint64_t version = host_of(a)->version, rev = host_of(a)->run->rev;
	struct ay_token t;
	char text[AY_MAX_TOKEN_BYTES];

	(void)state;
	assert_int_equal(ay_token_parse(ay_bytes_of(new_token("victim", 1)), &t, NULL), AY_OK);
	t.secret[3] ^= 1;
	assert_int_equal(ay_token_build(&t, text, NULL), AY_OK);
	connect_as(b, 0);
	hello(b, false);
	prove_token(b, text);
	assert_string_equal(failed(b), "TOKEN");
	assert_int_equal(host_of(a)->version, version);
	assert_int_equal(host_of(a)->run->rev, rev);
	assert_null(host_of(a)->note_code);
	agent_free(a);
	agent_free(b);
}

static void a_host_removed_while_it_enrols_is_not_bound(void **state)
{
	struct agent *a = enrolled_agent("leaving");
	struct provision p;

	(void)state;
	disconnect(a);
	run_ms(50);
	agent_new_ak(a);
	connect_as(a, 0);
	hello(a, false);
	prove_token(a, new_token("leaving", 1));
	assert_true(provisioned(a, &p));
	assert_true(certify(a, &p));
	assert_int_equal(ay_engine_host_remove(engine, host_of(a), NULL), AY_OK);
	send_proof(a, &p, NULL);
	assert_string_equal(failed(a), "HOST_REMOVED");
	free(p.msg);
	close_engine();
	open_engine();
	assert_null(host_of(a));
	agent_free(a);
}

static void a_token_of_a_pool_ends_no_standing_failure(void **state)
{
	struct agent *a = agent_new("kept");
	char pool[AY_MAX_TOKEN_BYTES];
	struct asked q;

	(void)state;
	snprintf(pool, sizeof(pool), "%s", new_token(NULL, 3));
	enrol(a, pool);
	assert_true(attest(a) >= 0);
	ask_now(a);
	assert_true(challenged(a, &q, 5000));
	answer(a, &q, &(struct lie){ .clock_back_ms = 500000 });
	assert_int_equal(result(a), AY_UNTRUSTED);
	disconnect(a);
	agent_new_ak(a);
	enrol(a, pool); /* the machine has kept what it was enrolled with */
	assert_int_equal(attest(a), AY_UNTRUSTED);
	assert_true(reports(a, "COUNTER_BACK"));
	disconnect(a);
	enrol(a, new_token("kept", 1)); /* by an operator, but the AK is the one of before */
	assert_true(host_of(a)->sticky);
	disconnect(a);
	agent_new_ak(a);
	enrol(a, new_token("kept", 1));
	assert_false(host_of(a)->sticky);
	agent_free(a);
}

/* ---- listening agents ---- */

/* The id of the next DIAL for this host; others are passed over. */
static uint32_t dialled(const char *name)
{
	const struct ay_host *h = ay_engine_host_find(engine, ay_bytes_of(name));
	struct sent *s;

	while ((s = wait_for(0, AY_MSG_DIAL, 0, 5000))) {
		uint32_t id = s->req;

		free(s);
		if (id == h->run->dial_id)
			return id;
	}
	return 0;
}

static struct ay_tls_policy policy_of(const struct agent *a)
{
	struct ay_tls_policy p = { .kind = AY_TLS_PUBLIC_KEY_DIGEST, .has_key = true };

	memcpy(p.key, a->spki, sizeof(p.key));
	return p;
}

static void add_listening(const char *name, const struct agent *pin, const char *token, bool tofu)
{
	struct ay_host_spec spec = { .name = ay_bytes_of(name),
				     .connect = ay_bytes_of("192.0.2.7:1443") };
	const struct ay_host *h;
	struct ay_err e;

	if (tofu)
		spec.tls.kind = AY_TLS_TRUST_FIRST_USE;
	if (pin)
		spec.tls = policy_of(pin);
	if (token)
		spec.token = ay_bytes_of(token);
	if (ay_engine_host_add(engine, &spec, &h, &e) != AY_OK)
		fail_msg("add: %s %s", e.where, e.text);
}

static void finish_enrolment(struct agent *a)
{
	struct provision p;
	struct sent *s;

	if (!provisioned(a, &p))
		fail_msg("no PROVISION: %s", failed(a));
	assert_true(certify(a, &p));
	send_proof(a, &p, NULL);
	s = wait_for(a->conn, AY_MSG_FRAME, AY_FRAME_ENROLLED, 5000);
	assert_non_null(s);
	free(s);
	free(p.msg);
}

static void a_pinned_agent_and_no_other(void **state)
{
	struct agent *a = agent_new("x"), *b = agent_new("y");

	(void)state;
	add_listening("pinned", a, NULL, false);
	connect_as(b, dialled("pinned"));
	hello(b, false);
	assert_string_equal(failed(b), "TLS_POLICY");
	disconnect(b);
	connect_as(a, dialled("pinned"));
	hello(a, false);
	finish_enrolment(a);
	assert_string_equal(host_of(a)->identity.grade, "ek_certified");
	agent_free(a);
	agent_free(b);
}

static void trust_at_first_use_is_for_the_first_only(void **state)
{
	struct agent *a = agent_new("x"), *b = agent_new("y");

	(void)state;
	add_listening("tofu", NULL, NULL, true);
	connect_as(a, dialled("tofu"));
	hello(a, false);
	finish_enrolment(a);
	assert_string_equal(host_of(a)->name, "tofu");
	assert_string_equal(host_of(a)->identity.grade, "tls_tofu");
	disconnect(a);
	connect_as(b, dialled("tofu"));
	hello(b, false);
	assert_string_equal(failed(b), "TLS_POLICY");
	disconnect(b);
	agent_free(a);
	agent_free(b);
}

static void with_policy(const char *name, const struct ay_tls_policy *p)
{
	const struct ay_host *h = ay_engine_host_find(engine, ay_bytes_of(name));
	struct ay_host_patch patch = { .tls = p };
	struct ay_err e;

	assert_non_null(h);
	if (ay_engine_host_patch(engine, h, &patch, &e) != AY_OK)
		fail_msg("patch: %s %s", e.where, e.text);
}

/* The machine was set up anew: its TPM is the same, its agent's key is not. */
static void another_tls_key_is_proved_by_the_same_tpm(void **state)
{
	struct agent *a = agent_new("x"), *thief = agent_new("y");
	struct ay_tls_policy p;
	struct provision got;
	uint32_t dial;

	(void)state;
	add_listening("moved", a, NULL, false);
	connect_as(a, dialled("moved"));
	hello(a, false);
	finish_enrolment(a);
	disconnect(a);
	dial = dialled("moved");

	p = policy_of(thief);
	with_policy("moved", &p);
	connect_as(thief, dial);
	hello(thief, false);
	if (!provisioned(thief, &got))
		fail_msg("no PROVISION: %s", failed(thief));
	assert_false(certify(thief, &got));
	assert_string_equal(failed(thief), "EK_OTHER");
	free(got.msg);
	disconnect(thief);
	dial = dialled("moved");

	ay_rng_bytes(a->spki, sizeof(a->spki));
	p = policy_of(a);
	with_policy("moved", &p);
	connect_as(a, dial);
	hello(a, false);
	finish_enrolment(a);
	assert_string_equal(host_of(a)->name, "moved");
	agent_free(a);
	agent_free(thief);
}

/* The same key in another certificate is not the certificate that was meant. */
static void a_certificate_and_no_other(void **state)
{
	struct agent *a = agent_new("x");
	struct ay_tls_policy p = policy_of(a);

	(void)state;
	add_listening("certified", a, NULL, false);
	p.kind = AY_TLS_CERTIFICATE;
	p.has_cert = true;
	p.cert[0] = 1; /* a played agent's is all zero */
	with_policy("certified", &p);
	connect_as(a, dialled("certified"));
	hello(a, false);
	assert_string_equal(failed(a), "TLS_POLICY");
	disconnect(a);
	assert_string_equal(ay_engine_host_find(engine, ay_bytes_of("certified"))->note_code,
			    "TLS_POLICY");
	agent_free(a);
}

/* A bound host that answers at the address of another is not that other. */
static void a_known_host_in_another_place(void **state)
{
	struct agent *a = enrolled_agent("elsewhere");
	struct ay_tls_policy p = { .kind = AY_TLS_CERTIFICATE_DIGEST, .has_cert = true };

	(void)state;
	p.cert[0] = 1;
	disconnect(a);
	add_listening("place", NULL, NULL, true);
	with_policy("place", &p);
	connect_as(a, dialled("place"));
	hello(a, true);
	assert_string_equal(failed(a), "TLS_POLICY");
	assert_string_equal(ay_engine_host_find(engine, ay_bytes_of("place"))->note_code,
			    "TLS_POLICY");
	assert_null(ay_engine_host_find(engine, ay_bytes_of("elsewhere"))->note_code);
	disconnect(a);
	agent_free(a);
}

static void a_listening_agent_proves_its_own_token(void **state)
{
	struct agent *a = agent_new("x");
	char mine[AY_MAX_TOKEN_BYTES], others[AY_MAX_TOKEN_BYTES];
	struct agent *other = enrolled_agent("owner");

	(void)state;
	snprintf(others, sizeof(others), "%s", new_token("owner", 1));
	snprintf(mine, sizeof(mine), "%s", new_token(NULL, 1));
	add_listening("listener", NULL, mine, false);
	connect_as(a, dialled("listener"));
	hello(a, false);
	prove_token(a, others);
	assert_string_equal(failed(a), "TOKEN_HOST");
	disconnect(a);
	connect_as(a, dialled("listener"));
	hello(a, false);
	prove_token(a, new_token(NULL, 5)); /* good for any new host, not for this one */
	assert_string_equal(failed(a), "TOKEN_HOST");
	disconnect(a);
	connect_as(a, dialled("listener"));
	hello(a, false);
	prove_token(a, mine);
	finish_enrolment(a);
	assert_string_equal(host_of(a)->name, "listener");
	agent_free(a);
	agent_free(other);
}

/* ---- renewal and revocation ---- */

static void a_renewal_keeps_the_host_and_changes_the_ak(void **state)
{
	struct agent *a = enrolled_agent("renewal");
	static const uint8_t ends_soon[] = { 3 };
	const struct ay_host *h = host_of(a);
	uint8_t old_name[AY_NAME_MAX];
	struct t_tpmkey old;
	struct asked q;

	(void)state;
	trust(a);
	memcpy(old_name, h->identity.ak_name, sizeof(old_name));
	old = a->ak;
	memset(&a->ak, 0, sizeof(a->ak)); /* kept for the lie below */
	say(a, AY_FRAME_NOTICE, 0, AY_BYTES(ends_soon));
	agent_new_ak(a);
	finish_enrolment(a);
	assert_ptr_equal(host_of(a), h);
	assert_int_equal(h->state, AY_HOST_ENROLLED);
	assert_int_equal(verdict_of(a), AY_TRUSTED); /* the verdict in force is not lost */
	assert_memory_not_equal(h->identity.ak_name, old_name, h->identity.ak_name_n);
	assert_int_equal(attest(a), AY_TRUSTED);
	ask_now(a);
	assert_true(challenged(a, &q, 5000));
	answer(a, &q, &(struct lie){ .signed_by = &old });
	assert_int_equal(result(a), AY_UNTRUSTED); /* the old AK counts for nothing */
	assert_true(reports(a, "QUOTE_SIGNATURE"));
	t_tpmkey_fini(&old);
	agent_free(a);
}

struct stored {
	char certificate[sizeof(((struct ay_claims *)0)->aik_sha1)];
	uint8_t evidence[32];
};

/* What would be asserted of the host, gathered twice: read, and as it was kept. */
static void assert_stored(const struct agent *a, struct stored *out)
{
	struct ay_claims d[2] = { 0 };

	for (int i = 0; i < 2; i++)
		assert_int_equal(ay_claims_gather(engine, host_of(a), &d[i], NULL), AY_OK);
	assert_non_null(d[0].aik);
	assert_string_equal(d[0].aik, d[1].aik);
	assert_string_equal(d[0].aik_sha1, d[1].aik_sha1);
	assert_string_equal(d[0].references, d[1].references);
	assert_true(d[0].claims.has_evidence && d[1].claims.has_evidence);
	assert_memory_equal(d[0].claims.evidence_sha256, d[1].claims.evidence_sha256, 32);
	memcpy(out->certificate, d[1].aik_sha1, sizeof(out->certificate));
	memcpy(out->evidence, d[1].claims.evidence_sha256, sizeof(out->evidence));
	ay_claims_fini(&d[0]);
	ay_claims_fini(&d[1]);
}

/* What is kept for assertions is never that of before. */
static void what_is_asserted_is_of_now(void **state)
{
	struct agent *a = enrolled_agent("asserted-now");
	static const uint8_t ends_soon[] = { 3 };
	struct stored first, again, renewed;

	(void)state;
	trust(a);
	assert_stored(a, &first);
	assert_int_equal(attest(a), AY_TRUSTED);
	assert_stored(a, &again);
	assert_memory_not_equal(again.evidence, first.evidence, sizeof(first.evidence));
	assert_string_equal(again.certificate, first.certificate);
	t_tpmkey_fini(&a->ak);
	say(a, AY_FRAME_NOTICE, 0, AY_BYTES(ends_soon));
	agent_new_ak(a);
	finish_enrolment(a);
	assert_stored(a, &renewed);
	assert_string_not_equal(renewed.certificate, first.certificate);
	agent_free(a);
}

static void a_renewal_ends_no_standing_failure(void **state)
{
	struct agent *a = enrolled_agent("standing");
	static const uint8_t ends_soon[] = { 3 };
	struct asked q;

	(void)state;
	trust(a);
	ask_now(a);
	assert_true(challenged(a, &q, 5000));
	answer(a, &q, &(struct lie){ .clock_back_ms = 500000 });
	assert_int_equal(result(a), AY_UNTRUSTED);
	say(a, AY_FRAME_NOTICE, 0, AY_BYTES(ends_soon));
	agent_new_ak(a);
	finish_enrolment(a);
	assert_int_equal(attest(a), AY_UNTRUSTED);
	assert_true(reports(a, "COUNTER_BACK"));
	/* a new AK of the same EK that an operator started does */
	disconnect(a);
	agent_new_ak(a);
	connect_as(a, 0);
	hello(a, false);
	prove_token(a, new_token("standing", 1));
	finish_enrolment(a);
	assert_int_equal(attest(a), AY_TRUSTED);
	agent_free(a);
}

struct serial {
	uint8_t b[64];
	size_t n;
};

static void read_serial(void *arg, const struct ay_host_row *row, const struct ay_host_status *s,
			const struct ay_host_context *c)
{
	struct serial *out = arg;

	(void)s, (void)c;
	assert_true(row->cert_serial.n <= sizeof(out->b));
	out->n = row->cert_serial.n;
	memcpy(out->b, row->cert_serial.p, out->n);
}

static void what_the_ca_revoked_is_refused_at_once(void **state)
{
	struct agent *a = enrolled_agent("revoked");
	struct serial serial;
	struct asked q;

	(void)state;
	trust(a);
	assert_int_equal(ay_store_host(store, &a->id, read_serial, &serial, NULL), AY_OK);
	assert_int_equal(ay_ca_revoke(ca, (struct ay_bytes){ serial.b, serial.n }, 1,
				      ay_engine_now_ms(engine), NULL),
			 AY_OK);
	ay_relay_refresh_crl(engine);
	assert_true(closed(a->conn));
	assert_int_not_equal(verdict_of(a), AY_TRUSTED);
	assert_string_equal(host_of(a)->note_code, "AIK_CERT");
	disconnect(a);
	connect_as(a, 0);
	hello(a, true);
	assert_false(challenged(a, &q, 300)); /* a stranger until a token brings it back */
	agent_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_token_of_a_pool_ends_no_standing_failure),
		cmocka_unit_test(proofs_that_are_false_bind_nothing),
		cmocka_unit_test(the_certified_key_and_no_other),
		cmocka_unit_test(one_token_for_two),
		cmocka_unit_test(a_token_must_be_held),
		cmocka_unit_test(tokens_end),
		cmocka_unit_test(a_token_for_one_ek),
		cmocka_unit_test(one_tpm_is_one_host),
		cmocka_unit_test(a_known_host_with_another_ek_is_refused),
		cmocka_unit_test(unauthenticated_failures_change_no_record),
		cmocka_unit_test(a_host_removed_while_it_enrols_is_not_bound),
		cmocka_unit_test(a_pinned_agent_and_no_other),
		cmocka_unit_test(trust_at_first_use_is_for_the_first_only),
		cmocka_unit_test(another_tls_key_is_proved_by_the_same_tpm),
		cmocka_unit_test(a_certificate_and_no_other),
		cmocka_unit_test(a_known_host_in_another_place),
		cmocka_unit_test(a_listening_agent_proves_its_own_token),
		cmocka_unit_test(a_renewal_keeps_the_host_and_changes_the_ak),
		cmocka_unit_test(what_is_asserted_is_of_now),
		cmocka_unit_test(a_renewal_ends_no_standing_failure),
		cmocka_unit_test(what_the_ca_revoked_is_refused_at_once),
	};
	return cmocka_run_group_tests(tests, world_set_up, world_tear_down);
}
