/* SPDX-License-Identifier: Apache-2.0 */
/* assay audit verify FILE [--head FILE]: an exported audit, checked offline
 * (docs/formats/audit.md). */
#include "core/authz/audit.h"
#include "core/base/base64.h"
#include "core/base/hex.h"
#include "core/base/json.h"
#include "prog/assay/client.h"
#include "prog/assay/commands.h"

#include <stdlib.h>

enum { FILE_MAX = 512 * 1024 * 1024, HEAD_MAX = 4096, LINE_MAX_BYTES = 256 * 1024 };

/* {"size":N,"root":HEX} */
static enum ay_rc head_parse(struct ay_bytes text, struct ay_audit_head *out, struct ay_err *e)
{
	struct ay_audit_head h = { 0 };
	struct ay_arena arena;
	const char *root = NULL;
	json_t *j = NULL;
	enum ay_rc rc = ay_json_load(text, HEAD_MAX, "head", &j, e);

	ay_arena_init(&arena, HEAD_MAX);
	if (rc == AY_OK)
		rc = ay_json_u64(j, "head", "size", true, INT64_MAX, &h.size, e);
	if (rc == AY_OK)
		rc = ay_json_text(j, "head", "root", true, 64, &arena, &root, e);
	if (rc == AY_OK)
		rc = ay_hex_decode(ay_bytes_of(root), "head.root", h.root, sizeof(h.root), e);
	json_decref(j);
	ay_arena_fini(&arena);
	*out = rc == AY_OK ? h : (struct ay_audit_head){ 0 };
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

static int run_verify(struct ay_cli *cli, const struct ay_args *args)
{
	const char *head_file = ay_args_opt(args, "head", 0);
	struct ay_audit_check check = { 0 };
	struct ay_audit_head head;
	struct ay_err e = { 0 };
	uint8_t *p = NULL;
	size_t n = 0;
	enum ay_rc rc = AY_OK;
	int status = AY_EXIT_OK;

	if (head_file != NULL) {
		status = ay_cli_read_file(head_file, HEAD_MAX, &p, &n);
		if (status != AY_EXIT_OK)
			return status;
		rc = head_parse((struct ay_bytes){ p, n }, &head, &e);
		free(p);
		if (rc != AY_OK)
			return ay_cli_fault(AY_EXIT_USAGE, head_file, &e);
		check.head = &head;
	}
	status = ay_cli_read_file(args->pos[0], FILE_MAX, &p, &n);
	if (status != AY_EXIT_OK)
		return status;
	rc = check_all((struct ay_bytes){ p, n }, &check, &e);
	free(p);
	if (rc != AY_OK && rc != AY_E_CRYPTO)
		return ay_cli_fault(AY_EXIT_USAGE, args->pos[0], &e);
	return tell(cli, &check, &e);
}

static const struct ay_opt verify_opts[] = {
	{ "head", "FILE", "a head that was kept: {\"size\":N,\"root\":HEX}" },
	{ NULL, NULL, NULL },
};

const struct ay_cmd ay_cmd_audit_verify = {
	"audit", "verify", "FILE", 1, 1, verify_opts, "check an exported audit offline", run_verify
};
