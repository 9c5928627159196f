/* SPDX-License-Identifier: Apache-2.0 */
#include "store_fixture.h"

#include "core/authz/audit.h"
#include "core/authz/proof.h"
#include "core/crypto/hash.h"

#include <signal.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <time.h>

/* What a callback saw last, and how often. */
struct seen {
	size_t n;
	struct ay_host_row host;
	struct ay_host_status status;
	char name[64], boot_log[65];
	uint64_t seq[16];
	uint64_t version[16];
	uint8_t state;
	uint32_t used;
	size_t k;
	char text[256];
};

static void see_host(void *arg, const struct ay_host_row *h, const struct ay_host_status *s,
		     const struct ay_host_context *c)
{
	struct seen *seen = arg;

	seen->n++;
	seen->host = *h;
	seen->status = *s;
	snprintf(seen->name, sizeof(seen->name), "%s", h->name);
	if (c->boot_log.n == 32)
		ay_hex_encode(c->boot_log, seen->boot_log);
}

static void see_past(void *arg, const struct ay_attest_past *p)
{
	struct seen *seen = arg;

	if (seen->n < 16) {
		seen->seq[seen->n] = p->seq;
		seen->version[seen->n] = p->version;
	}
	seen->n++;
}

static void see_token(void *arg, const struct ay_token_row *r)
{
	struct seen *seen = arg;

	seen->n++;
	seen->used = r->used;
	seen->k = r->k.n;
}

static void see_set(void *arg, const struct ay_refset_row *r)
{
	struct seen *seen = arg;

	if (seen->n < 16)
		seen->version[seen->n] = r->version;
	seen->n++;
	seen->state = (uint8_t)r->state;
}

static void see_event(void *arg, const struct ay_event_row *r)
{
	struct seen *seen = arg;

	if (seen->n < 16)
		seen->seq[seen->n] = r->seq;
	seen->n++;
	snprintf(seen->text, sizeof(seen->text), "%s", r->body);
}

static void check_audit(void *arg, uint64_t seq, struct ay_bytes record)
{
	struct ay_err e;

	(void)seq;
	assert_int_equal(ay_audit_check_add(arg, record, &e), AY_OK);
}

static struct seen get_host(struct fx *f, unsigned n)
{
	struct seen seen = { 0 };
	struct ay_uuid id = fx_id(n);

	assert_int_equal(ay_store_host(f->s, &id, see_host, &seen, &f->e), AY_OK);
	return seen;
}

static enum ay_rc attest(struct fx *f, unsigned n, uint64_t version)
{
	struct ay_blob *report = ay_blob_new(FX_BYTES("{\"verdict\":\"trusted\"}"));
	struct ay_attest_row a = fx_attest(n, version, report);
	enum ay_rc rc = fx_write(f, (struct ay_write){ .kind = AY_WR_ATTEST, .attest = &a });

	ay_blob_unref(report);
	return rc;
}

static void test_open(void **state)
{
	struct ay_store_config cfg = { 0 };
	struct ay_store *other;
	struct stat st;
	struct fx f;

	(void)state;
	fx_dir(&f);
	cfg.path = f.path;
	assert_int_equal(ay_store_open(&ay_store_sqlite, &cfg, &f.s, &f.e), AY_E_NOENT);
	fx_open(&f, true);
	assert_int_equal(stat(f.path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	/* a second server */
	assert_int_equal(ay_store_open(&ay_store_sqlite, &cfg, &other, &f.e), AY_E_UNAVAIL);
	assert_string_equal(f.e.code, "STORE_IN_USE");
	fx_add_host(&f, 7);
	fx_close(&f);
	fx_open(&f, false); /* migrations are not applied twice */
	assert_string_equal(get_host(&f, 7).name, "host7");
	assert_int_equal(ay_store_verify(f.s, &f.e), AY_OK);
	fx_end(&f);
}

static void test_newer_schema(void **state)
{
	struct ay_store_config cfg = { 0 };
	sqlite3 *db;
	struct fx f;

	(void)state;
	fx_dir(&f);
	fx_open(&f, true);
	fx_close(&f);
	assert_int_equal(sqlite3_open(f.path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "INSERT INTO migration VALUES (9999, 'future', 0)", NULL,
				      NULL, NULL),
			 SQLITE_OK);
	sqlite3_close(db);
	cfg.path = f.path;
	assert_int_equal(ay_store_open(&ay_store_sqlite, &cfg, &f.s, &f.e), AY_E_INPUT);
	assert_string_equal(f.e.code, "STORE_SCHEMA");
	fx_end(&f);
}

static void test_hosts(void **state)
{
	char name[32];
	struct ay_host_row h, back;
	struct seen seen = { 0 };
	struct fx f;

	(void)state;
	fx_dir(&f);
	fx_open(&f, true);
	h = fx_host(1, name);
	assert_int_equal(fx_write(&f, (struct ay_write){ .kind = AY_WR_HOST_ADD, .host = &h }),
			 AY_OK);
	h.id = fx_id(2); /* same name */
	assert_int_equal(fx_write(&f, (struct ay_write){ .kind = AY_WR_HOST_ADD, .host = &h }),
			 AY_E_EXISTS);
	assert_string_equal(f.e.code, "NAME_TAKEN");
	h = fx_host(1, name);
	h.rev = 1;
	h.state = 3;
	assert_int_equal(fx_write(&f, (struct ay_write){ .kind = AY_WR_HOST_UPDATE, .host = &h }),
			 AY_OK);
	assert_int_equal(fx_write(&f, (struct ay_write){ .kind = AY_WR_HOST_UPDATE, .host = &h }),
			 AY_E_EXISTS); /* rev is 2 by now */
	assert_string_equal(f.e.code, "VERSION");
	h.id = fx_id(2); /* the name of a retired host is free */
	h.state = 0;
	assert_int_equal(fx_write(&f, (struct ay_write){ .kind = AY_WR_HOST_ADD, .host = &h }),
			 AY_OK);
	back = get_host(&f, 1).host;
	assert_int_equal(back.rev, 2);
	assert_int_equal(back.state, 3);
	assert_int_equal(ay_store_hosts(f.s, see_host, &seen, &f.e), AY_OK);
	assert_int_equal(seen.n, 2);
	fx_end(&f);
}

static void test_attest_cas(void **state)
{
	struct seen seen = { 0 };
	struct ay_uuid id = fx_id(1);
	struct ay_write w;
	struct ay_host_status status = { .version = 5 };
	struct fx f;

	(void)state;
	fx_dir(&f);
	fx_open(&f, true);
	fx_add_host(&f, 1);
	assert_int_equal(attest(&f, 1, 1), AY_OK);
	assert_int_equal(attest(&f, 1, 1), AY_E_EXISTS); /* the same again */
	assert_string_equal(f.e.code, "VERSION");
	assert_int_equal(attest(&f, 1, 3), AY_E_EXISTS);
	assert_int_equal(attest(&f, 2, 1), AY_E_EXISTS); /* no such host */
	for (uint64_t v = 2; v <= 4; v++)
		assert_int_equal(attest(&f, 1, v), AY_OK);
	w = (struct ay_write){ .kind = AY_WR_HOST_STATUS };
	w.by_uuid.uuid = id;
	w.by_uuid.status = &status;
	assert_int_equal(fx_write(&f, w), AY_OK);
	assert_int_equal(fx_write(&f, w), AY_E_EXISTS);
	seen = get_host(&f, 1);
	assert_int_equal(seen.status.version, 5);
	assert_int_equal(seen.status.attestation, 4); /* kept */
	memset(&seen, 0, sizeof(seen));
	assert_int_equal(ay_store_attestations(f.s, 4, 3, see_past, &seen, &f.e), AY_OK);
	assert_int_equal(seen.n, 3);
	assert_int_equal(seen.seq[0], 4);
	assert_int_equal(seen.version[2], 2);
	memset(&seen, 0, sizeof(seen));
	assert_int_equal(ay_store_history(f.s, INT64_MAX, 2, see_past, &seen, &f.e), AY_OK);
	assert_int_equal(seen.n, 2);
	assert_int_equal(seen.seq[0], 4);
	assert_int_equal(seen.seq[1], 3);
	memset(&seen, 0, sizeof(seen));
	assert_int_equal(ay_store_history(f.s, 2, 9, see_past, &seen, &f.e), AY_OK);
	assert_int_equal(seen.n, 2);
	assert_int_equal(seen.seq[0], 2);
	fx_end(&f);
}

static void see_family(void *arg, const struct ay_family_row *r)
{
	char *text = arg;
	size_t n = strlen(text);

	snprintf(text + n, 256 - n, "%s/%s=%s;", r->kind, r->key, r->body);
}

static void objects_of_the_family_are_replaced_by_key(void **state)
{
	struct ay_family_row rows[] = { { "oem", "b", "{}" },
					{ "oem", "a", "{}" },
					{ "mle", "a", "{}" },
					{ "oem", "b", "{\"x\":1}" },
					{ "oem", "a", "" } };
	char seen[256] = "";
	struct fx f;

	(void)state;
	fx_dir(&f);
	fx_open(&f, true);
	for (size_t i = 0; i < AY_COUNT(rows); i++)
		assert_int_equal(fx_write(&f, (struct ay_write){ .kind = AY_WR_FAMILY_PUT,
								 .family = &rows[i] }),
				 AY_OK);
	assert_int_equal(ay_store_family(f.s, see_family, seen, &f.e), AY_OK);
	assert_string_equal(seen, "mle/a={};oem/a=;oem/b={\"x\":1};");
	fx_end(&f);
}

static void fill_identity(struct ay_host_row *h, const uint8_t *ak, const uint8_t *ek,
			  const uint8_t *tls)
{
	h->state = 2;
	h->grade = "ek_certified";
	h->ak_name = (struct ay_bytes){ ak, 34 };
	h->pseudonym = (struct ay_bytes){ ek, 32 };
	h->tls_spki = (struct ay_bytes){ tls, 32 };
	h->enrolled_at = 2000;
}

static void test_enrol(void **state)
{
	static const uint8_t one[34] = { 1 }, two[34] = { 2 }, three[34] = { 3 }, id[16] = { 9 },
			     k[32] = { 8 };
	struct ay_token_row token = {
		.id = AY_BYTES(id), .k = AY_BYTES(k), .uses = 1, .expires_at = 5000
	};
	struct ay_enrol_row r = { .now = 2000 };
	struct ay_write w = { .kind = AY_WR_ENROL, .enrol = &r };
	struct seen seen = { 0 };
	char name[32];
	struct fx f;

	(void)state;
	fx_dir(&f);
	fx_open(&f, true);
	assert_int_equal(
		fx_write(&f, (struct ay_write){ .kind = AY_WR_TOKEN_ADD, .token = &token }), AY_OK);
	r.token = token.id;
	/* two registrations race for one token: the second loses, and leaves nothing behind */
	r.host = fx_host(1, name);
	fill_identity(&r.host, one, one, one);
	assert_int_equal(fx_write(&f, w), AY_OK);
	r.host = fx_host(2, name);
	fill_identity(&r.host, two, two, two);
	assert_int_equal(fx_write(&f, w), AY_E_DENIED);
	assert_string_equal(f.e.code, "TOKEN_SPENT");
	assert_int_equal(ay_store_tokens(f.s, see_token, &seen, &f.e), AY_OK);
	assert_int_equal(seen.used, 1);
	assert_int_equal(seen.k, 0); /* the secret is gone with the last use */
	memset(&seen, 0, sizeof(seen));
	assert_int_equal(ay_store_hosts(f.s, see_host, &seen, &f.e), AY_OK);
	assert_int_equal(seen.n, 1);
	r.token = (struct ay_bytes){ NULL, 0 };
	fill_identity(&r.host, one, two, two);
	assert_int_equal(fx_write(&f, w), AY_E_EXISTS);
	assert_string_equal(f.e.code, "AK_BOUND");
	fill_identity(&r.host, two, one, two);
	assert_int_equal(fx_write(&f, w), AY_E_EXISTS);
	assert_string_equal(f.e.code, "EK_BOUND");
	fill_identity(&r.host, two, two, one);
	assert_int_equal(fx_write(&f, w), AY_E_EXISTS);
	assert_string_equal(f.e.code, "TLS_KEY_BOUND");
	/* renewal by the same EK, then another EK */
	r.host = fx_host(1, name);
	r.host.rev = 1;
	fill_identity(&r.host, three, one, one);
	assert_int_equal(fx_write(&f, w), AY_OK);
	r.host.rev = 2;
	fill_identity(&r.host, three, two, one);
	assert_int_equal(fx_write(&f, w), AY_E_DENIED);
	assert_string_equal(f.e.code, "HOST_EK");
	/* a retired host is not enrolled again, with whatever key */
	r.host.state = 3;
	assert_int_equal(
		fx_write(&f, (struct ay_write){ .kind = AY_WR_HOST_UPDATE, .host = &r.host }),
		AY_OK);
	r.host.rev = 3;
	fill_identity(&r.host, three, two, one);
	assert_int_equal(fx_write(&f, w), AY_E_EXISTS);
	assert_string_equal(f.e.code, "VERSION");
	fx_end(&f);
}

static void test_token_refusals(void **state)
{
	static const uint8_t one[34] = { 1 };
	static const struct {
		uint8_t id;
		bool revoked, for_host;
		int64_t expires;
		const char *code;
	} cases[] = {
		{ 1, true, false, 9000, "TOKEN_REVOKED" },
		{ 2, false, false, 2000, "TOKEN_EXPIRED" },
		{ 3, false, true, 9000, "TOKEN_HOST" },
		{ 0, false, false, 0, "TOKEN_UNKNOWN" },
	};
	struct fx f;

	(void)state;
	fx_dir(&f);
	fx_open(&f, true);
	for (size_t i = 0; i < AY_COUNT(cases); i++) {
		uint8_t id[16] = { cases[i].id }, other[16] = { 77 };
		struct ay_token_row t = { .id = AY_BYTES(id),
					  .uses = 2,
					  .revoked = cases[i].revoked,
					  .for_host = cases[i].for_host,
					  .host = fx_id(99),
					  .expires_at = cases[i].expires };
		struct ay_enrol_row r = { .now = 2000, .token = AY_BYTES(id) };
		char name[32];

		if (cases[i].id == 0)
			r.token = AY_BYTES(other);
		else
			assert_int_equal(fx_write(&f, (struct ay_write){ .kind = AY_WR_TOKEN_ADD,
									 .token = &t }),
					 AY_OK);
		r.host = fx_host(1, name);
		fill_identity(&r.host, one, one, one);
		assert_int_equal(
			fx_write(&f, (struct ay_write){ .kind = AY_WR_ENROL, .enrol = &r }),
			AY_E_DENIED);
		assert_string_equal(f.e.code, cases[i].code);
	}
	fx_end(&f);
}

static void test_sets(void **state)
{
	static const uint8_t hash[32] = { 1 };
	struct ay_refset_row r = { .name = "fw",
				   .created_by = "user:admin",
				   .sha256 = AY_BYTES(hash),
				   .body = FX_BYTES("{}") };
	struct ay_store_result res;
	struct ay_write w = { .kind = AY_WR_REFSET_ADD, .refset = &r };
	struct seen seen = { 0 };
	struct fx f;

	(void)state;
	fx_dir(&f);
	fx_open(&f, true);
	for (unsigned i = 1; i <= 2; i++) {
		r.id = fx_id(i);
		assert_int_equal(ay_store_write(f.s, &w, 1, &res, &f.e), AY_OK);
		assert_int_equal(res.number, i);
	}
	w = (struct ay_write){ .kind = AY_WR_REFSET_STATE };
	w.by_uuid.uuid = fx_id(2);
	w.by_uuid.state = AY_SET_REVOKED;
	assert_int_equal(fx_write(&f, w), AY_OK);
	w.by_uuid.state = AY_SET_ACTIVE; /* never back */
	assert_int_equal(fx_write(&f, w), AY_E_EXISTS);
	assert_string_equal(f.e.code, "STATE");
	assert_int_equal(ay_store_refsets(f.s, see_set, &seen, &f.e), AY_OK);
	assert_int_equal(seen.n, 2);
	assert_int_equal(seen.state, AY_SET_REVOKED);
	fx_end(&f);
}

/* All writes of a transaction or none, and the audit's tree does not advance with what was undone.
 */
static void test_transaction(void **state)
{
	struct ay_event_row event = { .at = 5, .kind = "HOST", .body = "{\"n\":1}" };
	struct ay_audit_row audit = { .at = 5,
				      .actor = "user:admin",
				      .action = "HOST_ADD",
				      .object = "host1",
				      .detail = "{}" };
	struct ay_audit_check check = { 0 };
	struct ay_host_row h;
	struct ay_write w[3] = { { .kind = AY_WR_AUDIT, .audit = &audit },
				 { .kind = AY_WR_EVENT, .event = &event },
				 { .kind = AY_WR_HOST_ADD, .host = &h } };
	struct seen seen = { 0 };
	char name[32];
	struct fx f;

	(void)state;
	fx_dir(&f);
	fx_open(&f, true);
	h = fx_host(1, name);
	assert_int_equal(ay_store_write(f.s, w, 3, NULL, &f.e), AY_OK);
	assert_int_equal(ay_store_write(f.s, w, 3, NULL, &f.e), AY_E_EXISTS);
	h = fx_host(2, name);
	assert_int_equal(ay_store_write(f.s, w, 3, NULL, &f.e), AY_OK);
	assert_int_equal(ay_store_events(f.s, 0, 10, see_event, &seen, &f.e), AY_OK);
	assert_int_equal(seen.n, 2);
	assert_int_equal(seen.seq[1], 2);
	assert_int_equal(ay_store_audits(f.s, 0, 10, check_audit, &check, &f.e), AY_OK);
	assert_int_equal(check.tree.size, 2);
	assert_int_equal(ay_store_verify(f.s, &f.e), AY_OK);
	fx_end(&f);
}

/* All content as if it had not been used for long, and one that nothing names: only that goes. */
static void drop_unnamed(struct fx *f)
{
	struct ay_retention r = { 1 << 20, 1 << 20 };
	sqlite3_stmt *st;
	sqlite3 *db;

	assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
	assert_int_equal(
		sqlite3_exec(db,
			     "UPDATE blob SET used = 0; INSERT INTO blob (id, size, codec, "
			     "packed, used) VALUES (zeroblob(32), 1, 0, x'00', 0)",
			     NULL, NULL, NULL),
		SQLITE_OK);
	assert_int_equal(ay_store_retain(f->s, &r, true, &f->e), AY_OK);
	assert_int_equal(sqlite3_prepare_v2(db, "SELECT COUNT(*), SUM(id = zeroblob(32)) FROM blob",
					    -1, &st, NULL),
			 SQLITE_OK);
	assert_int_equal(sqlite3_step(st), SQLITE_ROW);
	assert_int_equal(sqlite3_column_int(st, 0), 4); /* report, log, two chunks */
	assert_int_equal(sqlite3_column_int(st, 1), 0);
	sqlite3_finalize(st);
	sqlite3_close(db);
}

/* Content is kept once, compressed, and found again by its hash; IMA chunks join. */
static void test_content(void **state)
{
	struct ay_blob *report = ay_blob_new(FX_BYTES("{}")), *log, *chunk[2];
	static uint8_t big[100000];
	struct ay_host_context ctx = { .boot_id = FX_BYTES("0123456789abcdef") };
	struct ay_attest_row a;
	struct ay_arena arena;
	struct ay_bytes out;
	struct ay_uuid id = fx_id(1);
	struct seen seen;
	struct fx f;

	(void)state;
	fx_dir(&f);
	fx_open(&f, true);
	fx_add_host(&f, 1);
	for (size_t i = 0; i < sizeof(big); i++)
		big[i] = (uint8_t)(i % 251);
	log = ay_blob_new(AY_BYTES(big));
	chunk[0] = ay_blob_new((struct ay_bytes){ big, 1000 });
	chunk[1] = ay_blob_new((struct ay_bytes){ big + 1000, 500 });
	for (unsigned i = 0; i < 2; i++) {
		a = fx_attest(1, i + 1, report);
		a.boot_log = log;
		a.boot_id = ctx.boot_id;
		a.ima_chunk = chunk[i];
		a.ima_chunk_offset = i * 1000;
		a.context = &ctx;
		ctx.boot_log = ay_blob_id(log);
		assert_int_equal(
			fx_write(&f, (struct ay_write){ .kind = AY_WR_ATTEST, .attest = &a }),
			AY_OK);
	}
	ay_arena_init(&arena, 1 << 20);
	assert_int_equal(ay_store_blob(f.s, ay_blob_id(log), &arena, &out, &f.e), AY_OK);
	assert_true(ay_bytes_eq(out, AY_BYTES(big)));
	assert_int_equal(ay_store_ima(f.s, &id, ctx.boot_id, 1200, &arena, &out, &f.e), AY_OK);
	assert_int_equal(out.n, 1200);
	assert_memory_equal(out.p, big, 1200);
	assert_int_equal(ay_store_ima(f.s, &id, ctx.boot_id, 1501, &arena, &out, &f.e), AY_E_NOENT);
	seen = get_host(&f, 1);
	assert_int_equal(strlen(seen.boot_log), 64);
	/* retention keeps what the newest row names, drops the rest of history */
	assert_int_equal(
		ay_store_retain(f.s, &(struct ay_retention){ 1 << 20, 1 << 20 }, true, &f.e),
		AY_OK);
	memset(&seen, 0, sizeof(seen));
	assert_int_equal(ay_store_attestations(f.s, 2, 10, see_past, &seen, &f.e), AY_OK);
	assert_int_equal(seen.n, 1);
	assert_int_equal(ay_store_blob(f.s, ay_blob_id(log), &arena, &out, &f.e), AY_OK);
	assert_int_equal(ay_store_verify(f.s, &f.e), AY_OK);
	drop_unnamed(&f);
	assert_int_equal(ay_store_blob(f.s, ay_blob_id(log), &arena, &out, &f.e), AY_OK);
	assert_int_equal(ay_store_blob(f.s, ay_blob_id(report), &arena, &out, &f.e), AY_OK);
	assert_int_equal(ay_store_ima(f.s, &id, ctx.boot_id, 1500, &arena, &out, &f.e), AY_OK);
	ay_arena_fini(&arena);
	ay_blob_unref(log);
	ay_blob_unref(report);
	ay_blob_unref(chunk[0]);
	ay_blob_unref(chunk[1]);
	fx_end(&f);
}

/* The change and who asked for it stand or fall together. */
static void test_witness(void **state)
{
	struct ay_audit_row row = {
		.at = 5, .actor = "user:a", .action = "REQUEST", .object = "", .detail = "{}"
	};
	struct ay_audit_check check = { 0 };
	struct ay_host_row h;
	struct ay_write w = { .kind = AY_WR_HOST_ADD, .host = &h };
	struct ay_event_row event = { .at = 5, .kind = "HOST", .body = "{}" };
	struct ay_store_result res;
	sqlite3 *db;
	char name[32];
	struct fx f;

	(void)state;
	fx_dir(&f);
	fx_open(&f, true);
	h = fx_host(1, name);
	ay_store_witness(f.s, &row);
	assert_false(ay_store_witnessed(f.s));
	assert_int_equal(ay_store_write(f.s, &w, 1, NULL, &f.e), AY_OK);
	assert_true(ay_store_witnessed(f.s));
	ay_store_witness(f.s, &row);
	assert_int_equal(ay_store_write(f.s, &w, 1, NULL, &f.e), AY_E_EXISTS);
	assert_false(ay_store_witnessed(f.s)); /* nothing was changed, nothing stands */
	w = (struct ay_write){ .kind = AY_WR_EVENT, .event = &event };
	assert_int_equal(ay_store_write(f.s, &w, 1, &res, &f.e), AY_OK);
	assert_int_equal(res.number, 1); /* of the change, not of the record */
	assert_int_equal(ay_store_audits(f.s, 0, 10, check_audit, &check, &f.e), AY_OK);
	assert_int_equal(check.tree.size, 2);

	/* the audit takes nothing: no change, but attestations go on */
	assert_int_equal(sqlite3_open(f.path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db,
				      "CREATE TRIGGER lost BEFORE INSERT ON audit BEGIN "
				      "SELECT RAISE(ABORT, 'no space'); END",
				      NULL, NULL, NULL),
			 SQLITE_OK);
	sqlite3_close(db);
	ay_store_witness(f.s, &row);
	h = fx_host(2, name);
	w = (struct ay_write){ .kind = AY_WR_HOST_ADD, .host = &h };
	assert_int_equal(ay_store_write(f.s, &w, 1, NULL, &f.e), AY_E_UNAVAIL);
	assert_string_equal(f.e.code, "AUDIT_UNAVAILABLE");
	ay_store_witness(f.s, NULL);
	assert_int_equal(attest(&f, 1, 1), AY_OK);
	assert_int_equal(ay_store_write(f.s, &w, 1, NULL, &f.e), AY_OK); /* it was not there */
	fx_end(&f);
}

/* How many octets a file may have; the most: no limit. */
static void limit_files(rlim_t octets)
{
	struct rlimit l;

	signal(SIGXFSZ, SIG_IGN); /* a full disk sends no signal */
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &l), 0);
	l.rlim_cur = octets < l.rlim_max ? octets : l.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &l), 0);
}

static void count_host(void *arg, const struct ay_host_row *h, const struct ay_host_status *s,
		       const struct ay_host_context *c)
{
	(void)h, (void)s, (void)c;
	++*(unsigned *)arg;
}

/* Nothing is half done, what was there can be read, and all goes on when there is room again. */
static void test_full_disk(void **state)
{
	const struct ay_audit_row row = {
		.at = 5, .actor = "user:a", .action = "REQUEST", .object = "x", .detail = "{}"
	};
	const struct ay_event_row event = { .at = 5, .kind = "host", .body = "{}" };
	struct ay_write w = { .kind = AY_WR_HOST_ADD };
	struct ay_host_row h;
	unsigned n = 0;
	char name[32];
	struct fx f;

	(void)state;
	fx_dir(&f);
	fx_open(&f, true);
	h = fx_host(1, name);
	w.host = &h;
	assert_int_equal(ay_store_write(f.s, &w, 1, NULL, &f.e), AY_OK);
	for (unsigned round = 0; round < 3; round++) {
		limit_files(4096);
		ay_store_witness(f.s, &row);
		assert_true(ay_store_announce(f.s, &event));
		h = fx_host(2 + round, name);
		for (unsigned i = 0; i < 3; i++)
			assert_int_equal(ay_store_write(f.s, &w, 1, NULL, &f.e), AY_E_UNAVAIL);
		assert_int_equal(ay_store_announced(f.s, &event), 0);
		assert_int_equal(attest(&f, 1, round + 1), AY_E_UNAVAIL);
		assert_int_equal(ay_store_hosts(f.s, count_host, &n, &f.e), AY_OK);
		assert_int_equal(n, 1 + round);
		limit_files(RLIM_INFINITY);
		assert_int_equal(ay_store_write(f.s, &w, 1, NULL, &f.e), AY_OK);
		assert_true(ay_store_witnessed(f.s));
		assert_int_equal(attest(&f, 1, round + 1), AY_OK);
		n = 0;
	}
	assert_int_equal(ay_store_verify(f.s, &f.e), AY_OK);
	fx_end(&f);
}

struct told {
	unsigned n;
	uint64_t seq[8];
	char body[8][24];
};

static void take_told(void *arg, const struct ay_event_row *r)
{
	struct told *t = arg;

	assert_true(t->n < AY_COUNT(t->seq));
	t->seq[t->n] = r->seq;
	snprintf(t->body[t->n++], sizeof(t->body[0]), "%s", r->body);
}

/* What is told of a change stands with it, or neither does. */
static void test_announced(void **state)
{
	const struct ay_event_row one = { .at = 5, .kind = "host", .body = "{\"n\":1}" };
	const struct ay_event_row two = { .at = 5, .kind = "host", .body = "{\"n\":2}" };
	struct ay_write w = { .kind = AY_WR_HOST_ADD };
	struct ay_host_row h;
	struct told told = { 0 };
	char name[32];
	struct fx f;

	(void)state;
	fx_dir(&f);
	fx_open(&f, true);
	h = fx_host(1, name);
	w.host = &h;
	assert_true(ay_store_announce(f.s, &one));
	assert_true(ay_store_announce(f.s, &two));
	assert_int_equal(ay_store_write(f.s, &w, 1, NULL, &f.e), AY_OK);
	/* refused: nothing was changed, nothing is told; what was told is not told again */
	assert_int_equal(ay_store_write(f.s, &w, 1, NULL, &f.e), AY_E_EXISTS);
	assert_int_equal(ay_store_announced(f.s, &one), 1);
	assert_int_equal(ay_store_announced(f.s, &two), 2);
	assert_true(ay_store_announce(f.s, &one));
	assert_int_equal(ay_store_write(f.s, &w, 1, NULL, &f.e), AY_E_EXISTS);
	assert_int_equal(ay_store_announced(f.s, &one), 0);
	h = fx_host(2, name);
	assert_int_equal(ay_store_write(f.s, &w, 1, NULL, &f.e), AY_OK); /* it was taken back */
	for (unsigned i = 0; i < AY_ANNOUNCED; i++)
		assert_true(ay_store_announce(f.s, &one));
	assert_false(ay_store_announce(f.s, &two));
	assert_int_equal(ay_store_announced(f.s, &one), 0);
	fx_close(&f); /* and the database says the same */
	fx_open(&f, false);
	assert_int_equal(ay_store_events(f.s, 0, 10, take_told, &told, &f.e), AY_OK);
	assert_int_equal(told.n, 2);
	assert_int_equal(told.seq[0], 1);
	assert_string_equal(told.body[0], one.body);
	assert_int_equal(told.seq[1], 2);
	assert_string_equal(told.body[1], two.body);
	fx_end(&f);
}

static enum ay_rc fx_node(void *arg, unsigned level, uint64_t index, uint8_t out[32],
			  struct ay_err *e)
{
	return ay_store_audit_node(arg, level, index, out, e);
}

/* Kept subtrees make the root, also those of a database from before there were any. */
static void test_nodes(void **state)
{
	struct ay_audit_row audit = {
		.at = 5, .actor = "user:a", .action = "X", .object = "", .detail = "{}"
	};
	uint8_t root[32], want[32];
	sqlite3 *db;
	struct fx f;

	(void)state;
	fx_dir(&f);
	fx_open(&f, true);
	for (uint64_t n = 1; n <= 13; n++) {
		struct ay_audit_check check = { 0 };

		assert_int_equal(
			fx_write(&f, (struct ay_write){ .kind = AY_WR_AUDIT, .audit = &audit }),
			AY_OK);
		assert_int_equal(ay_store_audits(f.s, 0, 20, check_audit, &check, &f.e), AY_OK);
		ay_audit_tree_root(&check.tree, want);
		assert_int_equal(ay_proof_root(fx_node, f.s, n, root, &f.e), AY_OK);
		assert_memory_equal(root, want, 32);
	}
	ay_store_close(f.s);
	assert_int_equal(sqlite3_open(f.path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "DELETE FROM audit_node", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	fx_open(&f, false);
	assert_int_equal(ay_proof_root(fx_node, f.s, 13, root, &f.e), AY_OK);
	assert_memory_equal(root, want, 32);
	fx_end(&f);
}

static void test_damage(void **state)
{
	struct ay_audit_row audit = {
		.at = 5, .actor = "user:a", .action = "X", .object = "", .detail = "{}"
	};
	sqlite3 *db;
	struct fx f;

	(void)state;
	fx_dir(&f);
	fx_open(&f, true);
	fx_add_host(&f, 1);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(
			fx_write(&f, (struct ay_write){ .kind = AY_WR_AUDIT, .audit = &audit }),
			AY_OK);
	assert_int_equal(attest(&f, 1, 1), AY_OK);
	assert_int_equal(ay_store_verify(f.s, &f.e), AY_OK);
	assert_int_equal(sqlite3_open(f.path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "DELETE FROM audit WHERE seq = 1", NULL, NULL, NULL),
			 SQLITE_OK);
	assert_int_equal(ay_store_verify(f.s, &f.e), AY_E_CRYPTO);
	assert_string_equal(f.e.code, "AUDIT_CHAIN");
	assert_int_equal(sqlite3_exec(db, "DELETE FROM audit", NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(ay_store_verify(f.s, &f.e), AY_E_CRYPTO); /* the end cut off */
	assert_int_equal(
		sqlite3_exec(db, "DELETE FROM meta WHERE key = 'audit.tree'", NULL, NULL, NULL),
		SQLITE_OK);
	assert_int_equal(ay_store_verify(f.s, &f.e), AY_OK);
	assert_int_equal(sqlite3_exec(db, "UPDATE blob SET packed = x'00'", NULL, NULL, NULL),
			 SQLITE_OK);
	assert_int_equal(ay_store_verify(f.s, &f.e), AY_E_CRYPTO);
	assert_string_equal(f.e.code, "STORE_CONTENT");
	sqlite3_close(db);
	fx_end(&f);
}

static void test_backup_restore(void **state)
{
	struct ay_store_stats stats;
	char backup[128];
	struct fx f;

	(void)state;
	fx_dir(&f);
	fx_open(&f, true);
	snprintf(backup, sizeof(backup), "%s/backup.db", f.dir);
	fx_add_host(&f, 1);
	assert_int_equal(attest(&f, 1, 1), AY_OK);
	assert_int_equal(ay_store_backup(&ay_store_sqlite, f.path, backup, &f.e),
			 AY_OK); /* while it is open */
	assert_int_equal(ay_store_backup(&ay_store_sqlite, f.path, backup, &f.e), AY_E_EXISTS);
	assert_int_equal(attest(&f, 1, 2), AY_OK);
	fx_add_host(&f, 2);
	if (ay_store_restore(&ay_store_sqlite, backup, f.path, &f.e) != AY_OK)
		fail_msg("restore: %s", f.e.text);
	/* the server that has it open learns that its memory is of another past */
	assert_int_equal(attest(&f, 1, 3), AY_E_UNAVAIL);
	assert_string_equal(f.e.code, "STORE_RESTORED");
	ay_store_stats(f.s, &stats);
	assert_true(stats.replaced);
	assert_int_equal(attest(&f, 1, 2), AY_E_UNAVAIL);
	fx_close(&f);
	fx_open(&f, false);
	assert_int_equal(get_host(&f, 1).status.version, 1);
	assert_int_equal(attest(&f, 1, 2), AY_OK);
	assert_int_equal(ay_store_verify(f.s, &f.e), AY_OK);
	/* what is no backup changes nothing */
	assert_int_equal(ay_store_restore(&ay_store_sqlite, f.dir, f.path, &f.e), AY_E_UNAVAIL);
	assert_int_equal(attest(&f, 1, 3), AY_OK);
	fx_end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(objects_of_the_family_are_replaced_by_key),
		cmocka_unit_test(test_open),
		cmocka_unit_test(test_newer_schema),
		cmocka_unit_test(test_hosts),
		cmocka_unit_test(test_attest_cas),
		cmocka_unit_test(test_enrol),
		cmocka_unit_test(test_token_refusals),
		cmocka_unit_test(test_sets),
		cmocka_unit_test(test_transaction),
		cmocka_unit_test(test_content),
		cmocka_unit_test(test_witness),
		cmocka_unit_test(test_announced),
		cmocka_unit_test(test_full_disk),
		cmocka_unit_test(test_nodes),
		cmocka_unit_test(test_damage),
		cmocka_unit_test(test_backup_restore),

	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
