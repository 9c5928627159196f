/* SPDX-License-Identifier: Apache-2.0 */
#include "prog/assayd/receipt.h"

#include "core/appraise/policy.h"
#include "core/appraise/reference.h"
#include "core/base/base64.h"
#include "core/base/hex.h"
#include "core/base/timefmt.h"
#include "core/crypto/aikcert.h"
#include "core/crypto/hash.h"
#include "core/crypto/x509.h"
#include "core/tpm/key12.h"

#include <stdlib.h>

#define SEAL "sha256"

/* ---- octets as text ---- */

static json_t *b64_json(struct ay_bytes b)
{
	char *text = malloc(AY_BASE64_ROOM(b.n));
	json_t *o;
	size_t n;

	if (!text)
		return NULL;
	n = ay_base64_encode(AY_BASE64_STD, b, text);
	o = json_stringn(text, n);
	free(text);
	return o;
}

static enum ay_rc b64_read(const json_t *v, const char *field, size_t max, struct ay_arena *a,
			   struct ay_bytes *out, struct ay_err *e)
{
	struct ay_bytes text = { (const uint8_t *)json_string_value(v), json_string_length(v) };
	uint8_t *to;
	size_t n = 0;
	enum ay_rc rc;

	*out = (struct ay_bytes){ 0 };
	if (!json_is_string(v))
		return ay_fail(e, AY_E_INPUT, field, 0, "is missing or is no text");
	if (text.n / 4 * 3 > max + 2)
		return ay_fail(e, AY_E_LIMIT, field, 0, "is longer than %zu octets", max);
	to = ay_arena_alloc(a, text.n / 4 * 3 + 3);
	if (!to)
		return ay_fail(e, AY_E_NOMEM, field, 0, "no memory");
	rc = ay_base64_decode(AY_BASE64_STD, text, field, to, max, &n, e);
	if (rc == AY_OK && n)
		*out = (struct ay_bytes){ to, n };
	return rc;
}

/* Over the canonical text of everything but the seal itself. */
static bool seal_of(json_t *doc, struct ay_arena *a, char hex[65])
{
	json_t *bare = json_copy(doc);
	struct ay_bytes text = { 0 };
	uint8_t hash[32];

	if (bare) {
		json_object_del(bare, SEAL);
		text = ay_json_canonical(bare, a);
	}
	json_decref(bare);
	if (!text.p)
		return false;
	ay_sha256(text, hash);
	ay_hex_encode(AY_BYTES(hash), hex);
	return true;
}

bool ay_receipt_seal(json_t *doc, struct ay_arena *a)
{
	char hex[65];

	return seal_of(doc, a, hex) && json_object_set_new(doc, SEAL, json_string(hex)) == 0;
}

/* ---- writing ---- */

static json_t *evidence_json(const struct ay_recheck_in *in)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:b, s:o}", "attest",
			 b64_json(in->attest), "signature", b64_json(in->signature), "nonce",
			 b64_json(in->nonce), "exporter", b64_json(in->exporter), "pcrs",
			 b64_json(in->pcrs), "boot_log", b64_json(in->log), "ima",
			 b64_json(in->ima), "inputs", b64_json(in->inputs), "has_log",
			 (int)in->has_log, "extra", b64_json(in->extra));
}

static json_t *aik_json(const struct ay_receipt_parts *p)
{
	json_t *chain = json_array();

	for (size_t i = 0; i < p->n_chain; i++)
		json_array_append_new(chain, b64_json(p->chain[i]));
	return json_pack("{s:o, s:o, s:o, s:o}", "public", b64_json(p->in->ak_public),
			 "qualified_name", b64_json(p->in->qualified_name), "certificate",
			 b64_json(p->cert), "chain", chain);
}

json_t *ay_receipt_build(const struct ay_receipt_parts *p, struct ay_arena *a)
{
	char host[AY_UUID_TEXT];
	json_t *o;

	ay_uuid_format(&p->in->host, host);
	o = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:o, s:o, s:o?, s:o, s:o}", "format",
		      AY_RECEIPT_FORMAT, "engine", AY_VERSION, "host", host, "host_name",
		      p->host_name, "report_id", p->report_id, "at", p->at, "evidence",
		      evidence_json(p->in), "aik", aik_json(p), "policy", p->policy, "references",
		      p->sets, "report", p->report);
	if (o && !p->policy)
		json_object_set_new(o, "policy", json_null());
	if (!o || !ay_receipt_seal(o, a)) {
		json_decref(o);
		return NULL;
	}
	return o;
}

/* ---- reading ---- */

static enum ay_rc read_evidence(const json_t *o, struct ay_arena *a, struct ay_receipt *r,
				struct ay_err *e)
{
	static const char *const known[] = { "attest", "signature", "nonce", "exporter",
					     "pcrs",   "boot_log",  "ima",   "inputs",
					     "extra",  "has_log",   NULL };
	struct ay_recheck_in *in = &r->in;
	const struct {
		const char *key, *field;
		size_t max;
		struct ay_bytes *to;
	} part[] = {
		{ "attest", "evidence.attest", AY_MAX_ATTEST_BYTES, &in->attest },
		{ "signature", "evidence.signature", AY_MAX_SIGNATURE_BYTES, &in->signature },
		{ "nonce", "evidence.nonce", 32, &in->nonce },
		{ "exporter", "evidence.exporter", 32, &in->exporter },
		{ "pcrs", "evidence.pcrs", AY_PCRS_WIRE_MAX, &in->pcrs },
		{ "boot_log", "evidence.boot_log", AY_MAX_EVLOG_BYTES, &in->log },
		{ "ima", "evidence.ima", AY_MAX_EVIDENCE_BYTES, &in->ima },
		{ "inputs", "evidence.inputs", 4096, &in->inputs },
		{ "extra", "evidence.extra", 6 * AY_MAX_KEPT_BYTES, &in->extra },
	};
	enum ay_rc rc = ay_json_only(o, known, "evidence", e);

	for (size_t i = 0; rc == AY_OK && i < AY_COUNT(part); i++)
		rc = b64_read(json_object_get(o, part[i].key), part[i].field, part[i].max, a,
			      part[i].to, e);
	if (rc == AY_OK)
		rc = ay_json_bool(o, "evidence", "has_log", true, &in->has_log, e);
	if (rc == AY_OK && in->has_log != (in->log.n > 0))
		rc = ay_fail(e, AY_E_INPUT, "evidence.has_log", 0, "does not fit boot_log");
	if (rc == AY_OK && in->has_log)
		ay_sha256(in->log, in->log_id);
	return rc;
}

static enum ay_rc read_aik(const json_t *o, struct ay_arena *a, struct ay_receipt *r,
			   struct ay_err *e)
{
	static const char *const known[] = { "public", "qualified_name", "certificate", "chain",
					     NULL };
	const json_t *chain = NULL, *v;
	size_t i;
	enum ay_rc rc = ay_json_only(o, known, "aik", e);

	if (rc == AY_OK)
		rc = b64_read(json_object_get(o, "public"), "aik.public", AY_MAX_PUBLIC_BYTES, a,
			      &r->in.ak_public, e);
	if (rc == AY_OK)
		rc = b64_read(json_object_get(o, "qualified_name"), "aik.qualified_name",
			      AY_NAME_MAX, a, &r->in.qualified_name, e);
	if (rc == AY_OK)
		rc = b64_read(json_object_get(o, "certificate"), "aik.certificate",
			      AY_MAX_CERT_BYTES, a, &r->cert, e);
	if (rc == AY_OK)
		rc = ay_json_array(o, "aik", "chain", true, &chain, e);
	if (rc == AY_OK && json_array_size(chain) > AY_MAX_CERT_CHAIN)
		rc = ay_fail(e, AY_E_LIMIT, "aik.chain", 0, "more than %d certificates",
			     AY_MAX_CERT_CHAIN);
	json_array_foreach (chain, i, v) {
		if (rc != AY_OK)
			break;
		rc = b64_read(v, "aik.chain", AY_MAX_CERT_BYTES, a, &r->chain[r->n_chain++], e);
	}
	return rc;
}

static enum ay_rc read_set(const json_t *o, struct ay_receipt *r, struct ay_err *e)
{
	static const char *const known[] = { "state", "parts", "set", NULL };
	struct ay_refset *set = NULL;
	enum ay_set_state state;
	uint64_t parts = 0;
	enum ay_rc rc = ay_json_only(o, known, "references", e);

	if (rc == AY_OK &&
	    !ay_set_state_find(ay_bytes_of(json_is_string(json_object_get(o, "state"))
						   ? json_string_value(json_object_get(o, "state"))
						   : ""),
			       &state))
		rc = ay_fail(e, AY_E_INPUT, "references.state", 0, "is no state");
	if (rc == AY_OK)
		rc = ay_json_u64(o, "references", "parts", true, AY_PARTS_ALL, &parts, e);
	if (rc == AY_OK)
		rc = ay_refset_from_json(json_object_get(o, "set"), &set, e);
	if (rc != AY_OK)
		return rc;
	set->state = state;
	r->set[r->n_sets] = set;
	r->parts[r->n_sets++] = (uint32_t)parts;
	return AY_OK;
}

static enum ay_rc read_rules(const json_t *o, struct ay_arena *a, struct ay_receipt *r,
			     struct ay_err *e)
{
	const json_t *policy = json_object_get(o, "policy"), *sets = NULL, *v;
	size_t i, n;
	enum ay_rc rc = ay_json_array(o, "receipt", "references", true, &sets, e);

	if (rc == AY_OK && !policy)
		rc = ay_fail(e, AY_E_INPUT, "receipt.policy", 0, "is missing");
	if (rc == AY_OK && !json_is_null(policy))
		rc = ay_policy_from_json(policy, &r->policy, e);
	n = json_array_size(sets);
	r->set = ay_arena_array(a, n + 1, sizeof(struct ay_refset *));
	r->parts = ay_arena_array(a, n + 1, sizeof(*r->parts));
	if (rc == AY_OK && (!r->set || !r->parts))
		rc = ay_fail(e, AY_E_NOMEM, "references", 0, "no memory");
	json_array_foreach (sets, i, v) {
		if (rc != AY_OK)
			break;
		rc = read_set(v, r, e);
	}
	return rc;
}

static enum ay_rc read_head(const json_t *o, struct ay_arena *a, struct ay_receipt *r,
			    struct ay_err *e)
{
	const char *format = NULL, *engine = NULL, *host = NULL;
	enum ay_rc rc = ay_json_text(o, "receipt", "format", true, 64, a, &format, e);

	if (rc == AY_OK && strcmp(format, AY_RECEIPT_FORMAT) != 0)
		rc = ay_fail(e, AY_E_INPUT, "receipt.format", 0, "is not " AY_RECEIPT_FORMAT);
	if (rc == AY_OK)
		rc = ay_json_text(o, "receipt", "engine", true, 64, a, &engine, e);
	if (rc == AY_OK)
		rc = ay_json_text(o, "receipt", "host", true, 64, a, &host, e);
	if (rc == AY_OK)
		rc = ay_uuid_parse(ay_bytes_of(host), "receipt.host", &r->in.host, e);
	if (rc == AY_OK)
		rc = ay_json_text(o, "receipt", "host_name", true, AY_MAX_NAME_BYTES, a,
				  &r->host_name, e);
	if (rc == AY_OK)
		rc = ay_json_text(o, "receipt", "report_id", true, 64, a, &r->report_id, e);
	if (rc == AY_OK)
		rc = ay_json_text(o, "receipt", "at", true, AY_TIME_ROOM, a, &r->at, e);
	if (rc == AY_OK)
		rc = ay_time_parse(ay_bytes_of(r->at), "receipt.at", &r->in.now_ms, e);
	return rc;
}

static enum ay_rc check_seal(json_t *doc, struct ay_arena *a, struct ay_err *e)
{
	const char *told = NULL;
	char hex[65];
	enum ay_rc rc = ay_json_text(doc, "receipt", SEAL, true, 64, a, &told, e);

	if (rc != AY_OK)
		return rc;
	if (!seal_of(doc, a, hex))
		return ay_fail(e, AY_E_NOMEM, "receipt", 0, "no memory");
	if (AY_CHECKED("RECEIPT_SEAL", strcmp(hex, told) != 0))
		return ay_fail_code(e, AY_E_CRYPTO, "RECEIPT_SEAL", "receipt.sha256",
				    "the receipt was altered: its hash is another one");
	return AY_OK;
}

static enum ay_rc read_all(json_t *doc, struct ay_arena *a, struct ay_receipt *r, struct ay_err *e)
{
	static const char *const known[] = { "format", "engine",     "host",	  "host_name",
					     "at",     "evidence",   "report_id", "aik",
					     "policy", "references", "report",	  SEAL,
					     NULL };
	const json_t *part = NULL;
	enum ay_rc rc = ay_json_only(doc, known, "receipt", e);

	if (rc == AY_OK)
		rc = check_seal(doc, a, e);
	if (rc == AY_OK)
		rc = read_head(doc, a, r, e);
	if (rc == AY_OK)
		rc = ay_json_object(doc, "receipt", "evidence", true, &part, e);
	if (rc == AY_OK)
		rc = read_evidence(part, a, r, e);
	if (rc == AY_OK)
		rc = ay_json_object(doc, "receipt", "aik", true, &part, e);
	if (rc == AY_OK)
		rc = read_aik(part, a, r, e);
	if (rc == AY_OK)
		rc = read_rules(doc, a, r, e);
	if (rc == AY_OK)
		rc = ay_json_object(doc, "receipt", "report", true, &r->report, e);
	return rc;
}

enum ay_rc ay_receipt_parse(struct ay_bytes text, struct ay_arena *a, struct ay_receipt *out,
			    struct ay_err *e)
{
	enum ay_rc rc;

	*out = (struct ay_receipt){ 0 };
	rc = ay_json_load(text, AY_MAX_RECEIPT_BYTES, "receipt", &out->doc, e);
	if (rc == AY_OK)
		rc = read_all(out->doc, a, out, e);
	if (rc != AY_OK)
		ay_receipt_fini(out);
	return rc;
}

void ay_receipt_fini(struct ay_receipt *r)
{
	for (size_t i = 0; i < r->n_sets; i++)
		ay_refset_free(r->set[i]);
	ay_policy_free(r->policy);
	json_decref(r->doc);
	*r = (struct ay_receipt){ 0 };
}

/* ---- checking ---- */

/* Is the AK this host's, by the CA? The root is believed as it stands unless it is pinned. */
static enum ay_rc check_aik(const struct ay_receipt *r, const uint8_t *pin, struct ay_err *e)
{
	struct ay_aikcert_want want = { .chain = r->chain,
					.n_chain = r->n_chain,
					.pin = pin,
					.host = &r->in.host,
					.now_ms = r->in.now_ms };
	struct ay_pubkey *key = NULL;
	struct ay_aikcert cert;
	struct ay_name name;
	struct ay_cert root;
	uint8_t own[32];
	enum ay_rc rc = AY_OK;

	if (r->n_chain == 0)
		return ay_fail(e, AY_E_INPUT, "aik.chain", 0, "is empty");
	if (!pin) {
		rc = ay_cert_parse(r->chain[r->n_chain - 1], &root, e);
		if (rc == AY_OK)
			ay_sha256(root.spki, own);
		want.pin = own;
	}
	if (rc == AY_OK)
		rc = ay_aikcert_check(r->cert, &want, &cert, e);
	if (rc == AY_OK)
		rc = ay_any_public(r->in.ak_public, &key, &name, e);
	ay_pubkey_free(key);
	if (rc != AY_OK)
		return rc;
	if (AY_CHECKED(
		    "RECEIPT_AIK",
		    !ay_bytes_eq(ay_name_view(&name),
				 (struct ay_bytes){ cert.facts.ak_name, cert.facts.ak_name_n }) ||
			    !ay_bytes_eq(r->in.qualified_name,
					 (struct ay_bytes){ cert.facts.ak_qualified_name,
							    cert.facts.ak_qualified_name_n })))
		return ay_fail_code(e, AY_E_CRYPTO, "AIK_CERT", "aik.public",
				    "the certificate is of another key");
	return AY_OK;
}

static enum ay_rc derive(const struct ay_receipt *r, struct ay_arena *a, struct ay_recheck_out *out,
			 struct ay_err *e)
{
	const struct ay_refset *const *sets = (const struct ay_refset *const *)r->set;
	struct ay_memo_table *memos = ay_memo_table_new();
	struct ay_recheck_in in = r->in;
	enum ay_rc rc = AY_E_NOMEM;

	in.judge = r->policy ? ay_judge_make(r->policy, sets, r->parts, r->n_sets, r->in.now_ms)
			     : NULL;
	if (memos && (in.judge || !r->policy))
		rc = ay_recheck(&in, memos, a, out, e);
	else
		ay_err_set(e, AY_E_NOMEM, "recheck", 0, "no memory");
	ay_judge_unref(in.judge);
	ay_memo_table_free(memos);
	return rc;
}

enum ay_rc ay_receipt_check(const struct ay_receipt *r, const uint8_t *pin, struct ay_arena *a,
			    struct ay_receipt_result *out, struct ay_err *e)
{
	struct ay_recheck_out derived;
	struct ay_bytes told;
	enum ay_rc rc;

	*out = (struct ay_receipt_result){ 0 };
	rc = derive(r, a, &derived, e);
	if (rc != AY_OK)
		return rc;
	told = ay_json_canonical(r->report, a);
	if (!told.p)
		rc = ay_fail(e, AY_E_NOMEM, "recheck", 0, "no memory");
	if (rc == AY_OK)
		rc = ay_json_load(ay_blob_data(derived.report), AY_MAX_RECEIPT_BYTES, "report",
				  &out->derived, e);
	if (rc == AY_OK) {
		out->has_key = r->in.ak_public.n > 0;
		out->certified = check_aik(r, pin, &out->cert_error) == AY_OK;
		out->verdict = derived.verdict;
		out->same = ay_bytes_eq(told, ay_blob_data(derived.report));
	}
	ay_blob_unref(derived.report);
	return rc;
}
