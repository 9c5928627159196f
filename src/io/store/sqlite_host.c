/* SPDX-License-Identifier: Apache-2.0 */
#include "io/store/sqlite_impl.h"

#include "core/crypto/hash.h"

#include <stdlib.h>

enum { CODEC_PLAIN = 0, CODEC_ZSTD = 1, PACK_FROM = 96, PACK_LEVEL = 3 };

/* A direct-mapped memory of ids: the same log or report comes with every attestation of a fleet. */
static struct ay_known_blob *known_slot(struct ay_store *s, const uint8_t *id)
{
	return &s->known[(size_t)id[0] << 8 | id[1]];
}

/* 0 also when it is not stored. */
static enum ay_rc stored_used(struct ay_store *s, struct ay_bytes id, uint64_t *used,
			      struct ay_err *e)
{
	sqlite3_stmt *st;
	enum ay_rc rc = ay_sqlite_stmt(s, AY_ST_BLOB_USED, &st, e);

	*used = 0;
	if (rc != AY_OK)
		return rc;
	ay_sql_bind_bytes(st, 1, id);
	if (sqlite3_step(st) == SQLITE_ROW)
		*used = (uint64_t)sqlite3_column_int64(st, 0);
	sqlite3_reset(st);
	return AY_OK;
}

/* Attestation `seq` names this content: make sure that retention knows. */
static enum ay_rc use_blob(struct ay_store *s, struct ay_bytes id, uint64_t seq, struct ay_err *e)
{
	struct ay_known_blob *k;
	sqlite3_stmt *st;
	enum ay_rc rc = AY_OK;

	if (id.n != sizeof(k->id))
		return AY_OK;
	k = known_slot(s, id.p);
	if (memcmp(k->id, id.p, sizeof(k->id)) != 0) {
		uint64_t used;

		rc = stored_used(s, id, &used, e);
		if (rc != AY_OK || used == 0)
			return rc; /* retention took it, and the row says so when it is asked for */
		memcpy(k->id, id.p, sizeof(k->id));
		k->used = used;
	}
	if (seq <= k->used)
		return AY_OK;
	k->used = seq + AY_USED_AHEAD;
	rc = ay_sqlite_stmt(s, AY_ST_BLOB_USE, &st, e);
	if (rc != AY_OK)
		return rc;
	ay_sql_bind_bytes(st, 1, id);
	sqlite3_bind_int64(st, 2, (int64_t)k->used);
	return ay_sqlite_run(s, st, e);
}

static enum ay_rc room_for(struct ay_store *s, size_t n, struct ay_err *e)
{
	uint8_t *bigger;

	if (n <= s->scratch_n)
		return AY_OK;
	bigger = realloc(s->scratch, n);
	if (bigger == NULL)
		return ay_fail(e, AY_E_NOMEM, "store.blob", 0, "no memory to pack %zu octets", n);
	s->scratch = bigger;
	s->scratch_n = n;
	return AY_OK;
}

/* Compressed into the scratch memory when that is worth it. */
static enum ay_rc pack(struct ay_store *s, const struct ay_blob *b, struct ay_bytes *out,
		       int *codec, struct ay_err *e)
{
	enum ay_rc rc;
	size_t n;

	*out = ay_blob_data(b);
	*codec = CODEC_PLAIN;
	if (b->n < PACK_FROM)
		return AY_OK;
	rc = room_for(s, ZSTD_compressBound(b->n), e);
	if (rc != AY_OK)
		return rc;
	n = ZSTD_compressCCtx(s->zstd, s->scratch, s->scratch_n, b->data, b->n, PACK_LEVEL);
	if (!ZSTD_isError(n) && n < b->n) {
		*out = (struct ay_bytes){ s->scratch, n };
		*codec = CODEC_ZSTD;
	}
	return AY_OK;
}

enum ay_rc ay_sqlite_put_blob(struct ay_store *s, const struct ay_blob *b, uint64_t seq,
			      struct ay_err *e)
{
	struct ay_bytes packed;
	sqlite3_stmt *st;
	int codec;
	enum ay_rc rc;

	if (memcmp(known_slot(s, b->id)->id, b->id, 32) == 0)
		return use_blob(s, ay_blob_id(b), seq, e);
	rc = pack(s, b, &packed, &codec, e);
	if (rc == AY_OK)
		rc = ay_sqlite_stmt(s, AY_ST_BLOB_ADD, &st, e);
	if (rc != AY_OK)
		return rc;
	ay_sql_bind_bytes(st, 1, ay_blob_id(b));
	sqlite3_bind_int64(st, 2, (int64_t)b->n);
	sqlite3_bind_int(st, 3, codec);
	sqlite3_bind_blob64(st, 4, packed.n == 0 ? "" : (const void *)packed.p, packed.n,
			    SQLITE_STATIC);
	sqlite3_bind_int64(st, 5, (int64_t)(seq + AY_USED_AHEAD));
	rc = ay_sqlite_run(s, st, e);
	if (rc != AY_OK)
		return rc;
	memcpy(known_slot(s, b->id)->id, b->id, 32);
	known_slot(s, b->id)->used = seq + AY_USED_AHEAD;
	return AY_OK;
}

/* Content that came, or is only named. */
static enum ay_rc put_or_use(struct ay_store *s, const struct ay_blob *b, struct ay_bytes id,
			     uint64_t seq, struct ay_err *e)
{
	return b != NULL ? ay_sqlite_put_blob(s, b, seq, e) : use_blob(s, id, seq, e);
}

enum ay_rc ay_sqlite_blob(sqlite3 *db, struct ay_bytes id, struct ay_arena *a, struct ay_bytes *out,
			  struct ay_err *e)
{
	sqlite3_stmt *st;
	struct ay_bytes packed;
	uint8_t hash[32], *p = NULL;
	size_t n = 0, got = 0;
	enum ay_rc rc =
		ay_sql_prepare(db, "SELECT size, codec, packed FROM blob WHERE id = ?1", &st, e);

	*out = (struct ay_bytes){ NULL, 0 };
	if (rc != AY_OK)
		return rc;
	ay_sql_bind_bytes(st, 1, id);
	if (sqlite3_step(st) != SQLITE_ROW) {
		sqlite3_finalize(st);
		return ay_fail(e, AY_E_NOENT, "store.blob", 0, "content is not kept any more");
	}
	n = (size_t)sqlite3_column_int64(st, 0);
	packed = ay_sql_bytes(st, 2);
	p = ay_arena_alloc(a, n);
	if (p != NULL && sqlite3_column_int(st, 1) == CODEC_ZSTD)
		got = ZSTD_decompress(p, n, packed.p, packed.n);
	else if (p != NULL && packed.n == n && n > 0)
		memcpy(p, packed.p, got = n);
	sqlite3_finalize(st);
	if (p == NULL)
		return ay_fail(e, AY_E_NOMEM, "store.blob", 0, "no memory for %zu octets", n);
	ay_sha256((struct ay_bytes){ p, n }, hash);
	if (got != n || id.n != sizeof(hash) || memcmp(hash, id.p, sizeof(hash)) != 0)
		return ay_fail_code(e, AY_E_CRYPTO, "STORE_CONTENT", "store.blob",
				    "stored content does not have the hash it is kept under");
	*out = (struct ay_bytes){ p, n };
	return AY_OK;
}

static enum ay_rc put_context(struct ay_store *s, const struct ay_uuid *host,
			      const struct ay_host_context *c, struct ay_err *e)
{
	sqlite3_stmt *st;
	enum ay_rc rc;

	if (c == NULL)
		return AY_OK;
	rc = ay_sqlite_stmt(s, AY_ST_CONTEXT_PUT, &st, e);
	if (rc != AY_OK)
		return rc;
	sqlite3_bind_blob(st, 1, host->b, 16, SQLITE_STATIC);
	ay_sql_bind(st, 2, &ay_row_context, c);
	return ay_sqlite_run(s, st, e);
}

static enum ay_rc lost_race(struct ay_err *e)
{
	return ay_fail_code(e, AY_E_EXISTS, "VERSION", "host.version",
			    "the host changed in between, or is not known");
}

static struct ay_bytes blob_or(const struct ay_blob *b, struct ay_bytes id)
{
	return b != NULL ? ay_blob_id(b) : id;
}

static void bind_attest(sqlite3_stmt *st, const struct ay_attest_row *a, uint64_t seq)
{
	sqlite3_bind_int64(st, 1, (int64_t)seq);
	sqlite3_bind_int64(st, 2, a->at);
	sqlite3_bind_int64(st, 3, (int64_t)a->status.version);
	sqlite3_bind_int(st, 4, a->status.verdict);
	sqlite3_bind_int64(st, 5, a->status.lease_until);
	sqlite3_bind_blob(st, 6, a->status.report_id, 16, SQLITE_STATIC);
	sqlite3_bind_blob(st, 7, a->report->id, 32, SQLITE_STATIC);
	ay_sql_bind_bytes(st, 8, a->boot_id);
	ay_sql_bind_bytes(st, 9, blob_or(a->pcrs, a->pcrs_id));
	ay_sql_bind_bytes(st, 10, blob_or(a->boot_log, a->boot_log_id));
	sqlite3_bind_int64(st, 11, (int64_t)a->ima_offset);
	ay_sql_bind_bytes(st, 12, a->attest);
	ay_sql_bind_bytes(st, 13, a->signature);
	ay_sql_bind_bytes(st, 14, a->nonce);
	ay_sql_bind_bytes(st, 15, a->exporter);
	sqlite3_bind_blob(st, 16, a->host.b, 16, SQLITE_STATIC);
	ay_sql_bind_bytes(st, 17, a->inputs);
	ay_sql_bind_bytes(st, 18, blob_or(a->rules, (struct ay_bytes){ 0 }));
	ay_sql_bind_bytes(st, 19, blob_or(a->extra, (struct ay_bytes){ 0 }));
}

/* The list of a new boot begins: those before it have ended. */
static enum ay_rc end_boots(struct ay_store *s, const struct ay_attest_row *a, uint64_t seq,
			    struct ay_err *e)
{
	sqlite3_stmt *st;
	enum ay_rc rc = ay_sqlite_stmt(s, AY_ST_CHUNK_END, &st, e);

	if (rc != AY_OK)
		return rc;
	sqlite3_bind_blob(st, 1, a->host.b, 16, SQLITE_STATIC);
	sqlite3_bind_blob(st, 2, a->boot_id.n == 0 ? (const void *)"" : a->boot_id.p,
			  (int)a->boot_id.n, SQLITE_STATIC);
	sqlite3_bind_int64(st, 3, (int64_t)seq);
	return ay_sqlite_run(s, st, e);
}

static enum ay_rc add_chunk(struct ay_store *s, const struct ay_attest_row *a,
			    const struct ay_blob *piece, uint64_t start, uint64_t seq,
			    struct ay_err *e)
{
	sqlite3_stmt *st;
	enum ay_rc rc = ay_sqlite_put_blob(s, piece, seq, e);

	if (rc == AY_OK)
		rc = ay_sqlite_index(s, ay_blob_id(piece), ay_blob_data(piece), AY_SEEN_IN_IMA,
				     2 * (int64_t)seq + 1, e);
	if (rc == AY_OK)
		rc = ay_sqlite_stmt(s, AY_ST_CHUNK_ADD, &st, e);
	if (rc != AY_OK)
		return rc;
	sqlite3_bind_blob(st, 1, a->host.b, 16, SQLITE_STATIC);
	sqlite3_bind_blob(st, 2, a->boot_id.n == 0 ? (const void *)"" : a->boot_id.p,
			  (int)a->boot_id.n, SQLITE_STATIC);
	sqlite3_bind_int64(st, 3, (int64_t)start);
	sqlite3_bind_int64(st, 4, (int64_t)piece->n);
	ay_sql_bind_bytes(st, 5, ay_blob_id(piece));
	sqlite3_bind_int64(st, 6, a->at);
	return ay_sqlite_run(s, st, e);
}

/* A list that comes whole once more (the rules changed) adds only what is new in it. */
static enum ay_rc put_chunk(struct ay_store *s, const struct ay_attest_row *a, uint64_t seq,
			    struct ay_err *e)
{
	struct ay_blob *piece = ay_blob_ref(a->ima_chunk);
	size_t known = 0;
	enum ay_rc rc = AY_OK;

	if (a->ima_chunk == NULL)
		return AY_OK;
	if (a->ima_chunk_offset == 0)
		rc = end_boots(s, a, seq, e);
	if (rc == AY_OK && a->ima_chunk_offset == 0)
		rc = ay_sqlite_ima_known(s, a, &known, e);
	if (rc == AY_OK && known > 0 && known < piece->n) {
		ay_blob_unref(piece);
		piece = ay_blob_new(
			(struct ay_bytes){ a->ima_chunk->data + known, a->ima_chunk->n - known });
		if (piece == NULL)
			return ay_fail(e, AY_E_NOMEM, "store.ima", 0, "no memory");
	}
	if (rc == AY_OK && known < a->ima_chunk->n)
		rc = add_chunk(s, a, piece, a->ima_chunk_offset + known, seq, e);
	ay_blob_unref(piece);
	return rc;
}

/* The insert itself is the compare: it takes its row from host_status of the version before. */
static enum ay_rc add_history(struct ay_store *s, const struct ay_attest_row *a, uint64_t seq,
			      struct ay_err *e)
{
	sqlite3_stmt *st;
	enum ay_rc rc = ay_sqlite_stmt(s, AY_ST_ATTEST_ADD, &st, e);

	if (rc != AY_OK)
		return rc;
	bind_attest(st, a, seq);
	rc = ay_sqlite_run(s, st, e);
	if (rc == AY_OK && AY_CHECKED("STORE_VERSION", sqlite3_changes(s->db) != 1))
		return lost_race(e);
	return rc;
}

static enum ay_rc set_status(struct ay_store *s, const struct ay_attest_row *a, uint64_t seq,
			     struct ay_err *e)
{
	struct ay_host_status status = a->status;
	sqlite3_stmt *st;
	enum ay_rc rc = ay_sqlite_stmt(s, AY_ST_STATUS_SET, &st, e);

	if (rc != AY_OK)
		return rc;
	status.attestation = seq;
	ay_sql_bind(st, 1, &ay_row_status, &status);
	sqlite3_bind_blob(st, (int)ay_row_status.n + 1, a->host.b, 16, SQLITE_STATIC);
	return ay_sqlite_run(s, st, e);
}

enum ay_rc ay_sqlite_attest(struct ay_store *s, const struct ay_attest_row *a,
			    struct ay_store_result *res, struct ay_err *e)
{
	uint64_t seq = s->next_attestation;
	enum ay_rc rc = add_history(s, a, seq, e);

	if (rc == AY_OK)
		rc = set_status(s, a, seq, e);
	if (rc == AY_OK)
		rc = ay_sqlite_put_blob(s, a->report, seq, e);
	if (rc == AY_OK)
		rc = put_or_use(s, a->pcrs, a->pcrs_id, seq, e);
	if (rc == AY_OK)
		rc = put_or_use(s, a->boot_log, a->boot_log_id, seq, e);
	if (rc == AY_OK && a->rules != NULL)
		rc = ay_sqlite_put_blob(s, a->rules, seq, e);
	if (rc == AY_OK && a->extra != NULL)
		rc = ay_sqlite_put_blob(s, a->extra, seq, e);
	if (rc == AY_OK && a->boot_log != NULL)
		rc = ay_sqlite_log_seen(s, a, seq, e);
	if (rc == AY_OK)
		rc = put_chunk(s, a, seq, e);
	if (rc == AY_OK)
		rc = put_context(s, &a->host, a->context, e);
	if (rc != AY_OK)
		return rc;
	s->next_attestation++;
	res->number = seq;
	return AY_OK;
}

/* Which of the unique keys was taken; SQLite names the column. */
static enum ay_rc taken(struct ay_store *s, enum ay_rc rc, struct ay_err *e)
{
	static const struct {
		const char *column, *code, *text;
	} keys[] = {
		{ "host.name", "NAME_TAKEN", "a host has this name already" },
		{ "host.ak_name", "AK_BOUND", "another host has this AK" },
		{ "host.pseudonym", "EK_BOUND", "another host has this EK" },
		{ "host.tls_spki", "TLS_KEY_BOUND", "another host has this TLS key" },
	};

	if (rc == AY_OK || sqlite3_extended_errcode(s->db) != SQLITE_CONSTRAINT_UNIQUE)
		return rc;
	for (size_t i = 0; i < AY_COUNT(keys); i++)
		if (strstr(sqlite3_errmsg(s->db), keys[i].column) != NULL)
			return ay_fail_code(e, AY_E_EXISTS, keys[i].code, keys[i].column, "%s",
					    keys[i].text);
	return rc;
}

enum ay_rc ay_sqlite_host_add(struct ay_store *s, const struct ay_host_row *h, struct ay_err *e)
{
	static const struct ay_host_status none = { 0 };
	sqlite3_stmt *st;
	enum ay_rc rc = ay_sqlite_stmt(s, AY_ST_HOST_ADD, &st, e);

	if (rc != AY_OK)
		return rc;
	ay_sql_bind(st, 1, &ay_row_host, h);
	sqlite3_bind_int64(st, 2, 1); /* rev */
	rc = taken(s, ay_sqlite_run(s, st, e), e);
	if (rc == AY_OK)
		rc = ay_sqlite_stmt(s, AY_ST_STATUS_NEW, &st, e);
	if (rc != AY_OK)
		return rc;
	sqlite3_bind_blob(st, 1, h->id.b, 16, SQLITE_STATIC);
	ay_sql_bind(st, 2, &ay_row_status, &none);
	return ay_sqlite_run(s, st, e);
}

enum ay_rc ay_sqlite_host_set(struct ay_store *s, const struct ay_host_row *h, struct ay_err *e)
{
	sqlite3_stmt *st;
	enum ay_rc rc = ay_sqlite_stmt(s, AY_ST_HOST_SET, &st, e);

	if (rc != AY_OK)
		return rc;
	ay_sql_bind(st, 1, &ay_row_host, h);
	sqlite3_bind_int64(st, 2, (int64_t)h->rev + 1);
	rc = taken(s, ay_sqlite_run(s, st, e), e);
	if (rc == AY_OK && AY_CHECKED("STORE_REV", sqlite3_changes(s->db) != 1))
		return lost_race(e);
	return rc;
}

enum ay_rc ay_sqlite_host_status(struct ay_store *s, const struct ay_uuid *id,
				 const struct ay_host_status *status,
				 const struct ay_host_context *c, struct ay_err *e)
{
	sqlite3_stmt *st;
	enum ay_rc rc = ay_sqlite_stmt(s, AY_ST_STATUS_CAS, &st, e);

	if (rc != AY_OK)
		return rc;
	ay_sql_bind(st, 1, &ay_row_status_kept, status);
	sqlite3_bind_blob(st, (int)ay_row_status_kept.n + 1, id->b, 16, SQLITE_STATIC);
	rc = ay_sqlite_run(s, st, e);
	if (rc == AY_OK && sqlite3_changes(s->db) != 1)
		return lost_race(e);
	return rc != AY_OK ? rc : put_context(s, id, c, e);
}

/* Why a token could not be spent. */
static enum ay_rc token_refusal(struct ay_store *s, struct ay_bytes id, int64_t now,
				struct ay_err *e)
{
	const char *code = "TOKEN_HOST", *text = "the token is for another host";
	sqlite3_stmt *st;
	enum ay_rc rc = ay_sqlite_stmt(s, AY_ST_TOKEN_GET, &st, e);

	if (rc != AY_OK)
		return rc;
	ay_sql_bind_bytes(st, 1, id);
	if (sqlite3_step(st) != SQLITE_ROW) {
		code = "TOKEN_UNKNOWN";
		text = "no such token";
	} else if (sqlite3_column_int(st, 2) != 0) {
		code = "TOKEN_REVOKED";
		text = "the token was revoked";
	} else if (sqlite3_column_int64(st, 3) <= now) {
		code = "TOKEN_EXPIRED";
		text = "the token has expired";
	} else if (sqlite3_column_int64(st, 1) >= sqlite3_column_int64(st, 0)) {
		code = "TOKEN_SPENT";
		text = "the token was used already";
	}
	sqlite3_reset(st);
	return ay_fail_code(e, AY_E_DENIED, code, "enrol.token", "%s", text);
}

static enum ay_rc spend_token(struct ay_store *s, const struct ay_enrol_row *r, struct ay_err *e)
{
	sqlite3_stmt *st;
	enum ay_rc rc;

	if (r->token.n == 0)
		return AY_OK;
	rc = ay_sqlite_stmt(s, AY_ST_TOKEN_SPEND, &st, e);
	if (rc != AY_OK)
		return rc;
	ay_sql_bind_bytes(st, 1, r->token);
	sqlite3_bind_int64(st, 2, r->now);
	sqlite3_bind_blob(st, 3, r->host.id.b, 16, SQLITE_STATIC);
	rc = ay_sqlite_run(s, st, e);
	if (rc == AY_OK && AY_CHECKED("TOKEN_SPEND", sqlite3_changes(s->db) != 1))
		return token_refusal(s, r->token, r->now, e);
	return rc;
}

/* The EK of a known host never changes here; a board replacement is another flow. */
static enum ay_rc same_ek(struct ay_store *s, const struct ay_host_row *h, struct ay_err *e)
{
	struct ay_bytes stored;
	bool same, retired = false;
	sqlite3_stmt *st;
	enum ay_rc rc = ay_sqlite_stmt(s, AY_ST_HOST_EK, &st, e);

	if (rc != AY_OK)
		return rc;
	sqlite3_bind_blob(st, 1, h->id.b, 16, SQLITE_STATIC);
	if (sqlite3_step(st) != SQLITE_ROW) {
		sqlite3_reset(st);
		return lost_race(e);
	}
	stored = ay_sql_bytes(st, 0);
	same = stored.n == 0 || ay_bytes_eq(stored, h->pseudonym);
	retired = sqlite3_column_int(st, 1) == 3;
	sqlite3_reset(st);
	if (AY_CHECKED("HOST_RETIRED", retired))
		return lost_race(e);
	if (AY_CHECKED("HOST_EK", !same))
		return ay_fail_code(e, AY_E_DENIED, "HOST_EK", "enrol.pseudonym",
				    "the host is known with another EK");
	return AY_OK;
}

/* Verdicts by this AIK can be derived again after the next one came. */
static enum ay_rc keep_aik(struct ay_store *s, const struct ay_host_row *h, struct ay_err *e)
{
	const struct ay_aik_row row = { h->id, h->qualified_name, h->ak_public, h->cert,
					h->enrolled_at };
	sqlite3_stmt *st;
	enum ay_rc rc;

	if (h->qualified_name.n == 0 || h->ak_public.n == 0 || h->cert.n == 0)
		return AY_OK;
	rc = ay_sqlite_stmt(s, AY_ST_AIK_PUT, &st, e);
	if (rc != AY_OK)
		return rc;
	ay_sql_bind(st, 1, &ay_row_aik, &row);
	return ay_sqlite_run(s, st, e);
}

static enum ay_rc bind_host(struct ay_store *s, const struct ay_enrol_row *r, struct ay_err *e)
{
	enum ay_rc rc;

	if (r->host.rev == 0)
		return ay_sqlite_host_add(s, &r->host, e);
	rc = same_ek(s, &r->host, e);
	return rc != AY_OK ? rc : ay_sqlite_host_set(s, &r->host, e);
}

enum ay_rc ay_sqlite_enrol(struct ay_store *s, const struct ay_enrol_row *r, struct ay_err *e)
{
	enum ay_rc rc = spend_token(s, r, e);

	if (rc == AY_OK)
		rc = bind_host(s, r, e);
	return rc != AY_OK ? rc : keep_aik(s, &r->host, e);
}
