/* SPDX-License-Identifier: Apache-2.0 */
#include "io/store/sqlite_impl.h"

#include <assert.h>
#include <stdlib.h>

/* A write holds a pointer to its row; which description it has, by kind. NULL: no row. */
static const struct ay_row_type *row_of(const struct ay_write *w, const void **row)
{
	switch (w->kind) {
	case AY_WR_ATTEST:
		*row = w->attest;
		return &ay_row_attest;
	case AY_WR_HOST_ADD:
	case AY_WR_HOST_UPDATE:
		*row = w->host;
		return &ay_row_host;
	case AY_WR_REFSET_ADD:
		*row = w->refset;
		return &ay_row_refset;
	case AY_WR_POLICY_ADD:
		*row = w->policy;
		return &ay_row_policy;
	case AY_WR_TOKEN_ADD:
		*row = w->token;
		return &ay_row_token;
	case AY_WR_USER_PUT:
		*row = w->user;
		return &ay_row_user;
	case AY_WR_ROLE_PUT:
		*row = w->role;
		return &ay_row_role;
	case AY_WR_FAMILY_PUT:
		*row = w->family;
		return &ay_row_family;
	case AY_WR_SESSION_PUT:
		*row = w->session;
		return &ay_row_session;
	case AY_WR_IDENTITY_PUT:
		*row = w->identity;
		return &ay_row_identity;
	case AY_WR_API_TOKEN_USED:
	case AY_WR_API_TOKEN_ADD:
		*row = w->api_token;
		return &ay_row_api_token;
	case AY_WR_EVENT:
		*row = w->event;
		return &ay_row_event;
	case AY_WR_AUDIT:
		*row = w->audit;
		return &ay_row_audit;
	case AY_WR_APPROVAL_ADD:
		*row = w->approval;
		return &ay_row_approval;
	case AY_WR_APPROVAL_END:
		*row = w->approval_end;
		return &ay_row_approval_end;
	case AY_WR_IDEM_PUT:
		*row = w->idem;
		return &ay_row_idem;
	case AY_WR_IDEM_DROP:
	case AY_WR_ENROL:
	case AY_WR_HOST_STATUS:
	case AY_WR_REFSET_STATE:
	case AY_WR_REFSET_UNTIL:
	case AY_WR_POLICY_STATE:
	case AY_WR_TOKEN_REVOKE:
	case AY_WR_API_TOKEN_REVOKE:
	case AY_WR_META:
		break;
	}
	*row = NULL;
	return NULL;
}

/* Where copies go: structs are aligned, text and octets follow. */
struct pack {
	uint8_t *at; /* NULL: only count */
	size_t n;
};

static void *pack_row(struct pack *p, const struct ay_row_type *t, const void *row)
{
	size_t room = t->size + ay_row_room(t, row);
	uint8_t *to = p->at, *tail;

	room = (room + 15) & ~(size_t)15;
	p->n += room;
	if (to == NULL)
		return NULL;
	tail = to + t->size;
	ay_row_copy(t, row, to, &tail);
	p->at += room;
	return to;
}

static void pack_bytes(struct pack *p, struct ay_bytes in, struct ay_bytes *out)
{
	size_t room = (in.n + 15) & ~(size_t)15;

	p->n += room;
	if (p->at == NULL)
		return;
	if (in.n > 0)
		memcpy(p->at, in.p, in.n);
	*out = (struct ay_bytes){ p->at, in.n };
	p->at += room;
}

static void pack_attest(struct pack *p, const struct ay_write *w, struct ay_write *to)
{
	const struct ay_attest_row *a = w->attest;
	struct ay_attest_row *copy = pack_row(p, &ay_row_attest, a);
	const struct ay_host_context *c =
		a->context == NULL ? NULL : pack_row(p, &ay_row_context, a->context);

	if (copy == NULL)
		return;
	copy->context = c;
	ay_blob_ref(a->report);
	ay_blob_ref(a->pcrs);
	ay_blob_ref(a->boot_log);
	ay_blob_ref(a->ima_chunk);
	ay_blob_ref(a->rules);
	ay_blob_ref(a->extra);
	to->attest = copy;
}

static void pack_enrol(struct pack *p, const struct ay_write *w, struct ay_write *to)
{
	static const struct ay_field fields[] = {
		{ "token", (uint16_t)offsetof(struct ay_enrol_row, token), AY_F_BYTES },
	};
	static const struct ay_row_type type = { NULL, sizeof(struct ay_enrol_row), fields, 1 };
	struct ay_enrol_row *copy = pack_row(p, &type, w->enrol);
	const struct ay_host_row *host = pack_row(p, &ay_row_host, &w->enrol->host);

	if (copy == NULL)
		return;
	copy->host = *host;
	to->enrol = copy;
}

static void pack_status(struct pack *p, const struct ay_write *w, struct ay_write *to)
{
	const struct ay_host_status *st = pack_row(p, &ay_row_status, w->by_uuid.status);
	const struct ay_host_context *c =
		w->by_uuid.context == NULL ? NULL
					   : pack_row(p, &ay_row_context, w->by_uuid.context);

	if (st == NULL)
		return;
	to->by_uuid.status = st;
	to->by_uuid.context = c;
}

static void pack_meta(struct pack *p, const struct ay_write *w, struct ay_write *to)
{
	struct ay_bytes key = { (const uint8_t *)w->meta.key, strlen(w->meta.key) + 1 };
	struct ay_bytes copy = { NULL, 0 };

	pack_bytes(p, key, &copy);
	pack_bytes(p, w->meta.value, &to->meta.value);
	if (copy.p != NULL)
		to->meta.key = (const char *)copy.p;
}

static void pack_write(struct pack *p, const struct ay_write *w, struct ay_write *to)
{
	const void *row;
	const struct ay_row_type *t = row_of(w, &row);

	if (w->kind == AY_WR_ATTEST) {
		pack_attest(p, w, to);
	} else if (w->kind == AY_WR_ENROL) {
		pack_enrol(p, w, to);
	} else if (w->kind == AY_WR_HOST_STATUS) {
		pack_status(p, w, to);
	} else if (w->kind == AY_WR_META) {
		pack_meta(p, w, to);
	} else if (w->kind == AY_WR_TOKEN_REVOKE || w->kind == AY_WR_API_TOKEN_REVOKE ||
		   w->kind == AY_WR_IDEM_DROP) {
		pack_bytes(p, w->id, &to->id);
	} else if (t != NULL) {
		row = pack_row(p, t, row);
		to->host = row; /* all row pointers share the union */
	}
}

struct ay_txn *ay_txn_new(const struct ay_write *w, size_t n, struct ay_err *e)
{
	struct pack count = { NULL, 0 }, fill;
	struct ay_write none = { 0 };
	size_t head = (sizeof(struct ay_txn) + n * sizeof(*w) + 15) & ~(size_t)15;
	struct ay_txn *t;

	for (size_t i = 0; i < n; i++)
		pack_write(&count, &w[i], &none);
	t = malloc(head + count.n);
	if (t == NULL) {
		ay_err_set(e, AY_E_NOMEM, "store.submit", 0, "no memory for a transaction");
		return NULL;
	}
	memset(t, 0, sizeof(*t));
	t->n = n;
	t->bytes = head + count.n;
	fill = (struct pack){ (uint8_t *)t + head, 0 };
	for (size_t i = 0; i < n; i++) {
		t->writes[i] = w[i];
		pack_write(&fill, &w[i], &t->writes[i]);
	}
	assert(fill.n == count.n);
	return t;
}

void ay_txn_free(struct ay_txn *t)
{
	for (size_t i = 0; i < t->n; i++) {
		if (t->writes[i].kind != AY_WR_ATTEST)
			continue;
		ay_blob_unref(t->writes[i].attest->report);
		ay_blob_unref(t->writes[i].attest->pcrs);
		ay_blob_unref(t->writes[i].attest->boot_log);
		ay_blob_unref(t->writes[i].attest->ima_chunk);
		ay_blob_unref(t->writes[i].attest->rules);
		ay_blob_unref(t->writes[i].attest->extra);
	}
	free(t);
}
