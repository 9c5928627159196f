/* SPDX-License-Identifier: Apache-2.0 */
#include "core/authz/audit.h"
#include "core/base/base64.h"
#include "prog/assayd/api/call.h"

#include <stdlib.h>

enum { EXPORT_MAX = 100000 };

struct page {
	struct ay_arena *arena;
	json_t *items;
	uint64_t next;
	bool bare; /* number and record only */
};

static json_t *text_of(struct ay_bytes b)
{
	return json_stringn((const char *)b.p, b.n);
}

static void see(void *arg, uint64_t seq, struct ay_bytes record)
{
	struct page *p = arg;
	struct ay_audit_record r;
	struct ay_err e;
	char *base64 = ay_arena_alloc(p->arena, AY_BASE64_ROOM(record.n));
	json_t *detail;

	p->next = seq + 1;
	if (base64 == NULL || ay_audit_record_parse(record, &r, &e) != AY_OK)
		return;
	ay_base64_encode(AY_BASE64_STD, record, base64);
	if (p->bare) {
		json_array_append_new(p->items, json_pack("{s:I, s:s}", "number", (json_int_t)seq,
							  "record", base64));
		return;
	}
	detail = json_loadb((const char *)r.detail.p, r.detail.n, 0, NULL);
	json_array_append_new(p->items,
			      json_pack("{s:I, s:o, s:o, s:o, s:o, s:o, s:s}", "number",
					(json_int_t)seq, "at", ay_api_time(r.at), "actor",
					text_of(r.actor), "action", text_of(r.action), "object",
					text_of(r.object), "detail",
					detail == NULL ? json_object() : detail, "record", base64));
}

/* One JSON object a line, from record 0: what assay audit verify reads. */
static void export(struct ay_api_call *c)
{
	struct page p = { .arena = &c->arena, .items = json_array(), .bare = true };
	struct ay_err e = { 0 };
	char *all = NULL;
	size_t n = 0, i;
	json_t *item;
	FILE *f;

	if (ay_api_refused(c, ay_store_audits(c->api->store, 0, EXPORT_MAX, see, &p, &e), &e)) {
		json_decref(p.items);
		return;
	}
	f = open_memstream(&all, &n);
	json_array_foreach (p.items, i, item)
		if (f != NULL && json_dumpf(item, f, JSON_COMPACT) == 0)
			fputc('\n', f);
	if (f != NULL)
		fclose(f);
	json_decref(p.items);
	ay_api_bytes(c, 200, "application/x-ndjson", (struct ay_bytes){ (const uint8_t *)all, n });
	free(all);
}

void ay_api_audit_list(struct ay_api_call *c)
{
	struct ay_bytes format = ay_api_param(c, "format");
	struct page p = { .arena = &c->arena };
	struct ay_err e = { 0 };
	uint64_t from;
	size_t limit;

	if (format.p != NULL && !ay_bytes_eq(format, ay_bytes_of("export"))) {
		ay_err_set(&e, AY_E_INPUT, "format", 0, "format is export, or left out");
		ay_api_problem(c, &e);
		return;
	}
	if (format.p != NULL) {
		export(c);
		return;
	}
	if (ay_api_refused(c, ay_api_page(c, &from, &limit, &e), &e))
		return;
	p.items = json_array();
	if (ay_api_refused(c, ay_store_audits(c->api->store, from, limit, see, &p, &e), &e)) {
		json_decref(p.items);
		return;
	}
	if (json_array_size(p.items) < limit)
		p.next = 0;
	ay_api_json(c, 200, ay_api_list(c, p.items, p.next));
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

void ay_api_audit_head(struct ay_api_call *c)
{
	struct ay_audit_tree tree = { 0 };
	struct ay_bytes wire;
	struct ay_err e = { 0 };
	uint8_t root[32];
	enum ay_rc rc = ay_store_meta(c->api->store, "audit.tree", &c->arena, &wire, &e);

	if (rc == AY_OK)
		rc = ay_audit_tree_parse(wire, &tree, &e);
	else if (rc == AY_E_NOENT)
		rc = AY_OK; /* nothing was audited yet */
	if (ay_api_refused(c, rc, &e))
		return;
	ay_audit_tree_root(&tree, root);
	ay_engine_audit_head(c->api->engine, tree.size, root, on_head, c);
}
