/* SPDX-License-Identifier: Apache-2.0 */
#include "core/authz/audit.h"
#include "core/authz/proof.h"
#include "core/base/base64.h"
#include "io/sys/log.h"
#include "prog/assayd/api/call.h"

#include <stdlib.h>

enum {
	EXPORT_MAX = 10000,
	EXPORT_BYTES = 8 * 1024 * 1024,
	SCAN_MAX = 20000,
	HEAD_EVERY_MS = 60 * 1000
};

/* Which records are wanted; an empty view: all. */
struct filter {
	struct ay_bytes actor, action, object, outcome;
	int64_t since, until; /* ms; 0: none */
};

struct page {
	struct ay_arena *arena;
	json_t *items;
	uint64_t next;
	size_t limit;
	bool bare; /* number and record only */
	struct filter want;
};

static json_t *text_of(struct ay_bytes b)
{
	return json_stringn((const char *)b.p, b.n);
}

static bool has(struct ay_bytes in, struct ay_bytes part)
{
	return part.p == NULL || (in.n >= part.n && memmem(in.p, in.n, part.p, part.n) != NULL);
}

/* outcome: what detail.call.outcome begins with: done, begun, failed, denied. */
static bool has_outcome(const json_t *detail, struct ay_bytes want)
{
	const char *is =
		json_string_value(json_object_get(json_object_get(detail, "call"), "outcome"));

	return want.p == NULL ||
	       (is != NULL && strlen(is) >= want.n && memcmp(is, want.p, want.n) == 0);
}

static bool is_wanted(const struct filter *f, const struct ay_audit_record *r, const json_t *detail)
{
	if ((f->since != 0 && r->at < f->since) || (f->until != 0 && r->at >= f->until))
		return false;
	return has(r->actor, f->actor) && has(r->object, f->object) &&
	       (f->action.p == NULL || ay_bytes_eq(f->action, r->action)) &&
	       has_outcome(detail, f->outcome);
}

static void see(void *arg, uint64_t seq, struct ay_bytes record)
{
	struct page *p = arg;
	struct ay_audit_record r;
	struct ay_err e;
	char *base64;
	json_t *detail;

	if (json_array_size(p->items) >= p->limit)
		return;
	p->next = seq + 1;
	if (ay_audit_record_parse(record, &r, &e) != AY_OK)
		return;
	detail = json_loadb((const char *)r.detail.p, r.detail.n, 0, NULL);
	base64 = is_wanted(&p->want, &r, detail)
			 ? ay_arena_alloc(p->arena, AY_BASE64_ROOM(record.n))
			 : NULL;
	if (base64 == NULL) {
		json_decref(detail);
		return;
	}
	ay_base64_encode(AY_BASE64_STD, record, base64);
	json_array_append_new(p->items,
			      json_pack("{s:I, s:o, s:o, s:o, s:o, s:o, s:s}", "number",
					(json_int_t)seq, "at", ay_api_time(r.at), "actor",
					text_of(r.actor), "action", text_of(r.action), "object",
					text_of(r.object), "detail",
					detail == NULL ? json_object() : detail, "record", base64));
}

struct export
{
	FILE *f;
	struct ay_arena *arena;
	uint64_t next;
	size_t n, bytes;
	bool more; /* than one answer takes */
};

static void write_line(void *arg, uint64_t seq, struct ay_bytes record)
{
	struct export *x = arg;
	char *base64;

	x->more = x->more || x->n == EXPORT_MAX || x->bytes >= EXPORT_BYTES;
	base64 = x->more ? NULL : ay_arena_alloc(x->arena, AY_BASE64_ROOM(record.n));
	x->more = base64 == NULL;
	if (x->more)
		return;
	ay_base64_encode(AY_BASE64_STD, record, base64);
	x->bytes += strlen(base64);
	fprintf(x->f, "{\"number\":%llu,\"record\":\"%s\"}\n", (unsigned long long)seq, base64);
	x->next = seq + 1;
	x->n++;
	ay_arena_reset(x->arena);
}

/* One JSON object a line, from the cursor on: what assay audit verify reads. What is over
 * EXPORT_MAX records is a next page, named in Link [RFC8288]. */
static void export(struct ay_api_call *c)
{
	struct ay_arena arena;
	struct export x = { .arena = &arena };
	uint64_t from = 0;
	struct ay_err e = { 0 };
	char *all = NULL, link[96];
	size_t n = 0;
	enum ay_rc rc = ay_api_seconds(c, "cursor", INT64_MAX, &from, &e);

	ay_arena_init(&arena, 4 * AY_AUDIT_RECORD_MAX);
	x.f = rc == AY_OK ? open_memstream(&all, &n) : NULL;
	if (x.f != NULL)
		rc = ay_store_audits(c->api->store, from, EXPORT_MAX + 1, write_line, &x, &e);
	else if (rc == AY_OK)
		rc = ay_fail(&e, AY_E_NOMEM, "audit", 0, "out of memory");
	if (x.f != NULL && fclose(x.f) != 0 && rc == AY_OK)
		rc = ay_fail(&e, AY_E_NOMEM, "audit", 0, "out of memory");
	ay_arena_fini(&arena);
	snprintf(link, sizeof(link), "</api/v1/audit?format=ndjson&cursor=%llu>; rel=\"next\"",
		 (unsigned long long)x.next);
	if (!ay_api_refused(c, rc, &e)) {
		if (x.more)
			ay_api_header(c, "link", link);
		ay_api_bytes(c, 200, "application/x-ndjson",
			     (struct ay_bytes){ (const uint8_t *)all, n });
	}
	free(all);
}

static enum ay_rc take_filter(struct ay_api_call *c, struct filter *f, struct ay_err *e)
{
	struct ay_bytes since = ay_api_param(c, "since"), until = ay_api_param(c, "until");
	enum ay_rc rc = AY_OK;

	*f = (struct filter){ .actor = ay_api_param(c, "actor"),
			      .action = ay_api_param(c, "action"),
			      .object = ay_api_param(c, "object"),
			      .outcome = ay_api_param(c, "outcome") };
	if (since.p != NULL)
		rc = ay_time_parse(since, "since", &f->since, e);
	if (rc == AY_OK && until.p != NULL)
		rc = ay_time_parse(until, "until", &f->until, e);
	return rc;
}

static bool is_filtered(const struct filter *f)
{
	return f->actor.p || f->action.p || f->object.p || f->outcome.p || f->since || f->until;
}

/* A filter may leave a page short, even empty: there is more while next is not null. */
static void list(struct ay_api_call *c)
{
	struct page p = { .arena = &c->arena };
	struct ay_err e = { 0 };
	uint64_t from, scan, size = 0;

	if (ay_api_refused(c, ay_api_page(c, &from, &p.limit, &e), &e) ||
	    ay_api_refused(c, take_filter(c, &p.want, &e), &e))
		return;
	p.items = json_array();
	scan = is_filtered(&p.want) ? SCAN_MAX : p.limit;
	p.next = from;
	if (ay_api_refused(c, ay_store_audits(c->api->store, from, scan, see, &p, &e), &e)) {
		json_decref(p.items);
		return;
	}
	size = p.next - from;
	if (json_array_size(p.items) < p.limit && size < scan)
		p.next = 0;
	ay_api_json(c, 200, ay_api_list(c, p.items, p.next));
}

void ay_api_audit_list(struct ay_api_call *c)
{
	struct ay_bytes format = ay_api_param(c, "format");
	struct ay_err e = { 0 };

	if (format.p == NULL) {
		list(c);
	} else if (ay_bytes_eq(format, ay_bytes_of("ndjson")) ||
		   ay_bytes_eq(format, ay_bytes_of("export"))) {
		export(c);
	} else {
		ay_err_set(&e, AY_E_INPUT, "format", 0, "format is ndjson, or left out");
		ay_api_problem(c, &e);
	}
}

static void on_head(void *arg, enum ay_rc rc, const struct ay_err *e,
		    const struct ay_signed_head *h)
{
	struct ay_api_call *c = arg;

	if (ay_api_refused(c, rc, e))
		return;
	ay_api_json(c, 200,
		    json_pack("{s:I, s:o, s:o, s:o, s:o}", "size", (json_int_t)h->size, "root",
			      ay_api_hex(AY_BYTES(h->root)), "at", ay_api_time(h->at_ms),
			      "signature", ay_api_hex(AY_BYTES(h->signature)), "key",
			      ay_api_hex((struct ay_bytes){ h->key, h->key_n })));
}

static enum ay_rc tree_now(struct ay_api_call *c, struct ay_audit_tree *tree, struct ay_err *e)
{
	struct ay_bytes wire;
	enum ay_rc rc = ay_store_meta(c->api->store, "audit.tree", &c->arena, &wire, e);

	memset(tree, 0, sizeof(*tree));
	if (rc == AY_E_NOENT)
		return AY_OK; /* nothing was audited yet */
	return rc != AY_OK ? rc : ay_audit_tree_parse(wire, tree, e);
}

void ay_api_audit_head(struct ay_api_call *c)
{
	struct ay_audit_tree tree;
	struct ay_err e = { 0 };
	uint8_t root[32];

	if (ay_api_refused(c, tree_now(c, &tree, &e), &e))
		return;
	ay_audit_tree_root(&tree, root);
	ay_engine_audit_head(c->api->engine, tree.size, root, on_head, c);
}

/* ---- proofs ---- */

static enum ay_rc node(void *arg, unsigned level, uint64_t index, uint8_t out[32], struct ay_err *e)
{
	return ay_store_audit_node(arg, level, index, out, e);
}

static json_t *path_json(const struct ay_proof *p)
{
	json_t *path = json_array();

	for (size_t i = 0; i < p->n; i++)
		json_array_append_new(path, ay_api_hex(AY_BYTES(p->hash[i])));
	return path;
}

/* A number of the query that must be there, or else is the size of the tree. */
static enum ay_rc place(const struct ay_api_call *c, const char *name, bool needed, uint64_t size,
			uint64_t *out, struct ay_err *e)
{
	*out = size;
	if (needed && ay_api_param(c, name).p == NULL)
		return ay_fail(e, AY_E_INPUT, name, 0, "%s is missing", name);
	return ay_api_seconds(c, name, size, out, e);
}

/* Subtrees come from a table of their own: what they make must be the tree that is signed. */
static enum ay_rc root_of(struct ay_api_call *c, const struct ay_audit_tree *tree, uint64_t size,
			  uint8_t root[32], struct ay_err *e)
{
	uint8_t now[32];
	enum ay_rc rc = ay_proof_root(node, c->api->store, size, root, e);

	ay_audit_tree_root(tree, now);
	if (rc == AY_OK && size == tree->size && memcmp(root, now, 32) != 0)
		rc = ay_fail_code(e, AY_E_CRYPTO, "AUDIT_CHAIN", "audit",
				  "the kept subtrees do not make the tree");
	return rc;
}

void ay_api_audit_proof(struct ay_api_call *c)
{
	struct ay_store *s = c->api->store;
	struct ay_audit_tree tree;
	struct ay_proof p;
	struct ay_err e = { 0 };
	uint64_t leaf = 0, size = 0;
	uint8_t hash[32], root[32];
	enum ay_rc rc = tree_now(c, &tree, &e);

	if (rc == AY_OK)
		rc = place(c, "leaf", true, tree.size, &leaf, &e);
	if (rc == AY_OK)
		rc = place(c, "size", false, tree.size, &size, &e);
	if (rc == AY_OK)
		rc = ay_proof_inclusion(node, s, leaf, size, &p, &e);
	if (rc == AY_OK)
		rc = node(s, 0, leaf, hash, &e);
	if (rc == AY_OK)
		rc = root_of(c, &tree, size, root, &e);
	if (rc == AY_OK)
		rc = ay_proof_check_inclusion(&p, leaf, size, hash, root, &e);
	if (ay_api_refused(c, rc, &e))
		return;
	ay_api_json(c, 200,
		    json_pack("{s:I, s:I, s:o, s:o, s:o}", "leaf", (json_int_t)leaf, "size",
			      (json_int_t)size, "leaf_hash", ay_api_hex(AY_BYTES(hash)), "root",
			      ay_api_hex(AY_BYTES(root)), "path", path_json(&p)));
}

void ay_api_audit_consistency(struct ay_api_call *c)
{
	struct ay_store *s = c->api->store;
	struct ay_audit_tree tree;
	struct ay_proof p;
	struct ay_err e = { 0 };
	uint64_t from = 0, to = 0;
	uint8_t old[32], new[32];
	enum ay_rc rc = tree_now(c, &tree, &e);

	if (rc == AY_OK)
		rc = place(c, "from", true, tree.size, &from, &e);
	if (rc == AY_OK)
		rc = place(c, "to", false, tree.size, &to, &e);
	if (rc == AY_OK)
		rc = ay_proof_consistency(node, s, from, to, &p, &e);
	if (rc == AY_OK)
		rc = root_of(c, &tree, from, old, &e);
	if (rc == AY_OK)
		rc = root_of(c, &tree, to, new, &e);
	if (rc == AY_OK)
		rc = ay_proof_check_consistency(&p, from, to, old, new, &e);
	if (ay_api_refused(c, rc, &e))
		return;
	ay_api_json(c, 200,
		    json_pack("{s:I, s:I, s:o, s:o, s:o}", "from", (json_int_t)from, "to",
			      (json_int_t)to, "from_root", ay_api_hex(AY_BYTES(old)), "to_root",
			      ay_api_hex(AY_BYTES(new)), "path", path_json(&p)));
}

/* ---- heads that go outside by themselves ---- */

static void on_interval(void *arg, enum ay_rc rc, const struct ay_err *e,
			const struct ay_signed_head *h)
{
	struct ay_api *a = arg;

	if (rc != AY_OK)
		ay_log_err(AY_LOG_WARN, "the audit's head is not signed", e);
	else
		a->head_size = h->size;
	a->head_asked = false;
}

void ay_audit_head_tick(struct ay_api *a)
{
	struct ay_audit_tree tree = { 0 };
	struct ay_arena arena;
	struct ay_bytes wire;
	struct ay_err e = { 0 };
	uint8_t root[32];

	if (a->head_asked || a->now_ms < a->head_next_ms)
		return;
	a->head_next_ms = a->now_ms + HEAD_EVERY_MS;
	ay_arena_init(&arena, 2 * AY_AUDIT_TREE_WIRE);
	if (ay_store_meta(a->store, "audit.tree", &arena, &wire, &e) == AY_OK &&
	    ay_audit_tree_parse(wire, &tree, &e) == AY_OK && tree.size != a->head_size) {
		ay_audit_tree_root(&tree, root);
		a->head_asked = true;
		ay_engine_audit_head(a->engine, tree.size, root, on_interval, a);
	}
	ay_arena_fini(&arena);
}
