/* SPDX-License-Identifier: Apache-2.0 */
/* assay audit verify FILE [--head FILE [--head-key SHA256]]: an exported audit, checked offline;
 * assay audit compare HEAD1 HEAD2 (docs/formats/audit.md). */
#include "core/authz/audit.h"
#include "core/authz/proof.h"
#include "core/base/base64.h"
#include "core/base/hex.h"
#include "core/base/json.h"
#include "core/base/timefmt.h"
#include "core/crypto/hash.h"
#include "prog/assay/client.h"
#include "prog/assay/commands.h"

#include <stdlib.h>
#include <string.h>

enum { FILE_MAX = 512 * 1024 * 1024, HEAD_MAX = 4096, LINE_MAX_BYTES = 256 * 1024 };

/* A head that was kept, and its signature when it has one. */
struct kept {
	struct ay_audit_head head;
	struct ay_audit_seal seal;
	bool has_seal, has_pin;
	uint8_t pin[32];
	uint8_t signature[64], key[256];
};

static enum ay_rc hex_member(const json_t *j, const char *name, uint8_t *out, size_t room,
			     size_t *n, struct ay_err *e)
{
	struct ay_arena arena;
	const char *text = NULL;
	enum ay_rc rc;

	ay_arena_init(&arena, HEAD_MAX);
	rc = ay_json_text(j, "head", name, true, 2 * room, &arena, &text, e);
	*n = rc == AY_OK ? strlen(text) / 2 : 0;
	if (rc == AY_OK)
		rc = ay_hex_decode(ay_bytes_of(text), name, out, *n, e);
	ay_arena_fini(&arena);
	return rc;
}

static enum ay_rc seal_parse(const json_t *j, struct kept *k, struct ay_err *e)
{
	const char *at = json_string_value(json_object_get(j, "at"));
	enum ay_rc rc = at != NULL ? ay_time_parse(ay_bytes_of(at), "head.at", &k->seal.at_ms, e)
				   : ay_fail(e, AY_E_INPUT, "head.at", 0, "is missing");

	if (rc == AY_OK)
		rc = hex_member(j, "signature", k->signature, sizeof(k->signature),
				&k->seal.signature.n, e);
	if (rc == AY_OK)
		rc = hex_member(j, "key", k->key, sizeof(k->key), &k->seal.key.n, e);
	k->seal.signature.p = k->signature;
	k->seal.key.p = k->key;
	k->has_seal = rc == AY_OK;
	return rc;
}

/* {"size":N,"root":HEX} and, of a signed one, "at", "signature", "key" */
static enum ay_rc head_parse(struct ay_bytes text, struct kept *k, struct ay_err *e)
{
	json_t *j = NULL;
	size_t n = 0;
	enum ay_rc rc = ay_json_load(text, HEAD_MAX, "head", &j, e);

	if (rc == AY_OK)
		rc = ay_json_u64(j, "head", "size", true, INT64_MAX, &k->head.size, e);
	if (rc == AY_OK)
		rc = hex_member(j, "root", k->head.root, sizeof(k->head.root), &n, e);
	if (rc == AY_OK && n != sizeof(k->head.root))
		rc = ay_fail(e, AY_E_INPUT, "head.root", 0, "is not 64 hex digits");
	if (rc == AY_OK && json_object_get(j, "signature") != NULL)
		rc = seal_parse(j, k, e);
	json_decref(j);
	return rc;
}

/* {"number":N,"record":BASE64}: the octets of the record, into buf. */
static enum ay_rc line_parse(struct ay_bytes line, struct ay_arena *a, struct ay_bytes *out,
			     struct ay_err *e)
{
	const char *base64 = NULL;
	json_t *j = NULL;
	uint8_t *record;
	size_t n = 0;
	enum ay_rc rc = ay_json_load(line, LINE_MAX_BYTES, "audit", &j, e);

	if (rc == AY_OK)
		rc = ay_json_text(j, "audit", "record", true, LINE_MAX_BYTES, a, &base64, e);
	json_decref(j);
	if (rc != AY_OK)
		return rc;
	record = ay_arena_alloc(a, AY_AUDIT_RECORD_MAX);
	if (record == NULL)
		return ay_fail(e, AY_E_NOMEM, "audit", 0, "out of memory");
	rc = ay_base64_decode(AY_BASE64_STD, ay_bytes_of(base64), "audit.record", record,
			      AY_AUDIT_RECORD_MAX, &n, e);
	*out = (struct ay_bytes){ record, n };
	return rc;
}

static enum ay_rc check_all(struct ay_bytes file, struct ay_audit_check *c, struct ay_err *e)
{
	struct ay_arena arena;
	enum ay_rc rc = AY_OK;

	ay_arena_init(&arena, 4 * AY_AUDIT_RECORD_MAX + 4 * LINE_MAX_BYTES);
	for (size_t at = 0, end; rc == AY_OK && at < file.n; at = end + 1) {
		struct ay_bytes record;

		for (end = at; end < file.n && file.p[end] != '\n';)
			end++;
		if (end == at)
			continue;
		rc = line_parse((struct ay_bytes){ file.p + at, end - at }, &arena, &record, e);
		if (rc == AY_OK)
			rc = ay_audit_check_add(c, record, e);
		ay_arena_reset(&arena);
	}
	ay_arena_fini(&arena);
	return rc != AY_OK ? rc : ay_audit_check_end(c, e);
}

static int tell(const struct ay_cli *cli, const struct ay_audit_check *c, const struct ay_err *e)
{
	bool good = e->code[0] == '\0';
	uint8_t root[32];
	char text[65];

	ay_audit_tree_root(&c->tree, root);
	ay_hex_encode(AY_BYTES(root), text);
	if (cli->json) {
		json_t *j =
			json_pack("{s:s, s:I, s:s, s:b, s:s?, s:s?}", "verdict",
				  good ? "valid" : "invalid", "records", (json_int_t)c->tree.size,
				  "root", text, "head_checked", (int)(c->head_met), "code",
				  good ? NULL : e->code, "text", good ? NULL : e->text);
		int rc = ay_cli_print_json(j);

		json_decref(j);
		return rc != AY_EXIT_OK ? rc : good ? AY_EXIT_OK : AY_EXIT_FINDING;
	}
	if (!good) {
		printf("invalid: %s: %s\n", e->code, e->text);
		return AY_EXIT_FINDING;
	}
	printf("valid: %llu records, root %s%s\n", (unsigned long long)c->tree.size, text,
	       c->head == NULL ? "; no head was given, so a shorter list would not show" : "");
	return AY_EXIT_OK;
}

/* A signature by whatever key: the reader decides whether it is the server's. */
static void tell_key(const struct kept *k)
{
	uint8_t hash[32];
	char text[65];

	ay_sha256(k->seal.key, hash);
	ay_hex_encode(AY_BYTES(hash), text);
	printf("head signed by key %s; name it with --head-key\n", text);
}

/* --head FILE and --head-key SHA256; without them kept stays empty. */
static int read_head(const struct ay_args *args, struct kept *kept, struct ay_audit_check *check)
{
	const char *file = ay_args_opt(args, "head", 0), *pin = ay_args_opt(args, "head-key", 0);
	struct ay_err e = { 0 };
	uint8_t *p = NULL;
	size_t n = 0;
	enum ay_rc rc;
	int status;

	kept->has_pin = pin != NULL;
	if (file == NULL)
		return pin == NULL ? AY_EXIT_OK
				   : ay_cli_error(AY_EXIT_USAGE, "--head-key needs --head FILE");
	status = ay_cli_read_file(file, HEAD_MAX, &p, &n);
	if (status != AY_EXIT_OK)
		return status;
	rc = head_parse((struct ay_bytes){ p, n }, kept, &e);
	free(p);
	if (rc == AY_OK && pin != NULL)
		rc = ay_hex_decode(ay_bytes_of(pin), "--head-key", kept->pin, sizeof(kept->pin),
				   &e);
	if (rc != AY_OK)
		return ay_cli_fault(AY_EXIT_USAGE, file, &e);
	check->head = &kept->head;
	return AY_EXIT_OK;
}

static enum ay_rc check_seal(const struct kept *kept, struct ay_err *e)
{
	return ay_audit_seal_check(&kept->head, kept->has_seal ? &kept->seal : NULL,
				   kept->has_pin ? kept->pin : NULL, e);
}

static int run_verify(struct ay_cli *cli, const struct ay_args *args)
{
	struct ay_audit_check check = { 0 };
	struct kept kept = { 0 };
	struct ay_err e = { 0 };
	uint8_t *p = NULL;
	size_t n = 0;
	enum ay_rc rc = AY_OK;
	int status = read_head(args, &kept, &check);

	if (status == AY_EXIT_OK)
		status = ay_cli_read_file(args->pos[0], FILE_MAX, &p, &n);
	if (status != AY_EXIT_OK)
		return status;
	if (check.head != NULL)
		rc = check_seal(&kept, &e);
	if (rc == AY_OK)
		rc = check_all((struct ay_bytes){ p, n }, &check, &e);
	free(p);
	if (rc != AY_OK && rc != AY_E_CRYPTO)
		return ay_cli_fault(AY_EXIT_USAGE, args->pos[0], &e);
	if (rc == AY_OK && kept.has_seal && !kept.has_pin && !cli->json)
		tell_key(&kept);
	return tell(cli, &check, &e);
}

static const struct ay_opt verify_opts[] = {
	{ "head", "FILE", "a head that was kept, as GET /audit/head gave it" },
	{ "head-key", "SHA256", "the head must be signed by this key (hash of its SPKI)" },
	{ NULL, NULL, NULL },
};

const struct ay_cmd ay_cmd_audit_verify = {
	"audit", "verify", "FILE", 1, 1, verify_opts, "check an exported audit offline", run_verify
};

/* ---- compare ---- */

static int read_kept(const char *file, const char *pin, struct kept *k, struct ay_err *e)
{
	uint8_t *p = NULL;
	size_t n = 0;
	enum ay_rc rc;
	int status = ay_cli_read_file(file, HEAD_MAX, &p, &n);

	if (status != AY_EXIT_OK)
		return status;
	k->has_pin = pin != NULL;
	rc = head_parse((struct ay_bytes){ p, n }, k, e);
	free(p);
	if (rc == AY_OK && pin != NULL)
		rc = ay_hex_decode(ay_bytes_of(pin), "--head-key", k->pin, sizeof(k->pin), e);
	return rc == AY_OK ? AY_EXIT_OK : ay_cli_fault(AY_EXIT_USAGE, file, e);
}

/* {"path":[HEX..]}, as GET /audit/consistency gives it. */
static enum ay_rc proof_parse(const json_t *j, struct ay_proof *out, struct ay_err *e)
{
	const json_t *path = json_object_get(j, "path");

	*out = (struct ay_proof){ 0 };
	if (!json_is_array(path) || json_array_size(path) > AY_PROOF_MAX)
		return ay_fail(e, AY_E_INPUT, "proof", 0, "no list of hashes named path");
	for (; out->n < json_array_size(path); out->n++) {
		const char *hex = json_string_value(json_array_get(path, out->n));

		if (ay_hex_decode(ay_bytes_of(hex != NULL ? hex : ""), "proof.path",
				  out->hash[out->n], 32, e) != AY_OK)
			return AY_E_INPUT;
	}
	return AY_OK;
}

static int ask_proof(struct ay_cli *cli, const struct kept k[2], struct ay_proof *out)
{
	char path[96];
	struct ay_answer a = { 0 };
	struct ay_client *c;
	struct ay_err e = { 0 };
	int status = ay_client_open(cli, &c);

	snprintf(path, sizeof(path), "/audit/consistency?from=%llu&to=%llu",
		 (unsigned long long)k[0].head.size, (unsigned long long)k[1].head.size);
	if (status == AY_EXIT_OK)
		status = ay_client_call(c, "GET", path, NULL, NULL, &a);
	if (status == AY_EXIT_OK && proof_parse(a.json, out, &e) != AY_OK)
		status = ay_cli_fault(AY_EXIT_USAGE, "proof", &e);
	ay_answer_fini(&a);
	ay_client_close(c);
	return status;
}

static int read_proof(const char *file, struct ay_proof *out)
{
	uint8_t *p = NULL;
	json_t *j = NULL;
	size_t n = 0;
	struct ay_err e = { 0 };
	enum ay_rc rc;
	int status = ay_cli_read_file(file, LINE_MAX_BYTES, &p, &n);

	if (status != AY_EXIT_OK)
		return status;
	rc = ay_json_load((struct ay_bytes){ p, n }, LINE_MAX_BYTES, "proof", &j, &e);
	free(p);
	if (rc == AY_OK)
		rc = proof_parse(j, out, &e);
	json_decref(j);
	return rc == AY_OK ? AY_EXIT_OK : ay_cli_fault(AY_EXIT_USAGE, file, &e);
}

/* Both heads against one export: each must be the root of what it covers. */
static int by_export(const char *file, const struct kept k[2], struct ay_err *e)
{
	uint8_t *p = NULL;
	size_t n = 0;
	int status = ay_cli_read_file(file, FILE_MAX, &p, &n);
	enum ay_rc rc = AY_OK;

	for (size_t i = 0; status == AY_EXIT_OK && rc == AY_OK && i < 2; i++) {
		struct ay_audit_check check = { .head = &k[i].head };

		rc = check_all((struct ay_bytes){ p, n }, &check, e);
	}
	free(p);
	return rc == AY_OK || rc == AY_E_CRYPTO ? status : ay_cli_fault(AY_EXIT_USAGE, file, e);
}

static int by_proof(struct ay_cli *cli, const struct ay_args *args, const struct kept k[2],
		    struct ay_err *e)
{
	const char *file = ay_args_opt(args, "proof", 0);
	struct ay_proof proof = { 0 };
	int status = AY_EXIT_OK;

	/* of nothing, or of the same, the heads say it all */
	if (k[0].head.size != 0 && k[0].head.size != k[1].head.size)
		status = file != NULL ? read_proof(file, &proof) : ask_proof(cli, k, &proof);
	if (status == AY_EXIT_OK)
		(void)(ay_proof_check_consistency(&proof, k[0].head.size, k[1].head.size,
						  k[0].head.root, k[1].head.root, e) == AY_OK);
	return status;
}

static int tell_compared(const struct ay_cli *cli, const struct kept k[2], const struct ay_err *e)
{
	bool good = e->code[0] == '\0';
	json_t *j;
	int rc = AY_EXIT_OK;

	if (cli->json) {
		j = json_pack("{s:s, s:I, s:I, s:s?, s:s?}", "verdict", good ? "valid" : "invalid",
			      "from", (json_int_t)k[0].head.size, "to", (json_int_t)k[1].head.size,
			      "code", good ? NULL : e->code, "text", good ? NULL : e->text);
		rc = ay_cli_print_json(j);
		json_decref(j);
	} else if (good) {
		printf("valid: the head of %llu records holds all of that of %llu\n",
		       (unsigned long long)k[1].head.size, (unsigned long long)k[0].head.size);
	} else {
		printf("invalid: %s: %s\n", e->code, e->text);
	}
	return rc != AY_EXIT_OK ? rc : good ? AY_EXIT_OK : AY_EXIT_FINDING;
}

/* The earlier one first, in whatever order they were named. */
static void put_in_order(struct kept k[2])
{
	struct kept first = k[0];

	if (k[0].head.size <= k[1].head.size)
		return;
	k[0] = k[1];
	k[1] = first;
	for (size_t i = 0; i < 2; i++) {
		k[i].seal.signature.p = k[i].signature;
		k[i].seal.key.p = k[i].key;
	}
}

static int run_compare(struct ay_cli *cli, const struct ay_args *args)
{
	const char *pin = ay_args_opt(args, "head-key", 0), *audit = ay_args_opt(args, "audit", 0);
	struct kept k[2] = { { .has_pin = false } };
	struct ay_err e = { 0 };
	enum ay_rc rc = AY_OK;
	int status = AY_EXIT_OK;

	for (size_t i = 0; status == AY_EXIT_OK && i < 2; i++)
		status = read_kept(args->pos[i], pin, &k[i], &e);
	if (status != AY_EXIT_OK)
		return status;
	put_in_order(k);
	for (size_t i = 0; rc == AY_OK && i < 2; i++)
		if (k[i].has_seal || pin != NULL)
			rc = check_seal(&k[i], &e);
	if (rc == AY_OK)
		status = audit != NULL ? by_export(audit, k, &e) : by_proof(cli, args, k, &e);
	return status == AY_EXIT_OK ? tell_compared(cli, k, &e) : status;
}

static const struct ay_opt compare_opts[] = {
	{ "audit", "FILE", "an export that holds both: offline" },
	{ "proof", "FILE",
	  "a proof, as GET /audit/consistency gave it: offline; else it is asked for" },
	{ "head-key", "SHA256", "both must be signed by this key (hash of its SPKI)" },
	{ NULL, NULL, NULL },
};

const struct ay_cmd ay_cmd_audit_compare = { "audit",
					     "compare",
					     "HEAD1 HEAD2",
					     2,
					     2,
					     compare_opts,
					     "that the later of two kept heads holds the earlier",
					     run_compare };
