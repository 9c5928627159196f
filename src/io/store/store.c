/* SPDX-License-Identifier: Apache-2.0 */
#include "io/store/store.h"

#include "core/base/hex.h"
#include "core/crypto/hash.h"

#include <stdlib.h>
#include <string.h>

/* Every kind of store begins with the pointer to its functions. */
struct ay_store_head {
	const struct ay_store_kind *kind;
	const struct ay_audit_row *witness;
	struct ay_announced announced[AY_ANNOUNCED];
};

static struct ay_store_head *head_of(struct ay_store *s)
{
	return (struct ay_store_head *)(void *)s;
}

static const struct ay_store_kind *const kinds[] = {
	&ay_store_sqlite,
};

static const struct ay_store_kind *of(const struct ay_store *s)
{
	return ((const struct ay_store_head *)(const void *)s)->kind;
}

const struct ay_store_kind *ay_store_kind_find(const char *name)
{
	for (size_t i = 0; i < AY_COUNT(kinds); i++)
		if (strcmp(kinds[i]->name, name) == 0)
			return kinds[i];
	return NULL;
}

enum ay_rc ay_store_open(const struct ay_store_kind *kind, const struct ay_store_config *cfg,
			 struct ay_store **out, struct ay_err *e)
{
	*out = NULL;
	return kind->open(cfg, out, e);
}

void ay_store_close(struct ay_store *s)
{
	if (s != NULL)
		of(s)->close(s);
}

enum ay_rc ay_store_submit(struct ay_store *s, const struct ay_write *w, size_t n,
			   enum ay_submit how, uint64_t cookie, struct ay_err *e)
{
	return of(s)->submit(s, w, n, how, cookie, e);
}

static bool waits(const struct ay_announced *a)
{
	return a->row != NULL && a->seq == 0;
}

static bool has_company(const struct ay_store_head *head)
{
	bool any = head->witness != NULL;

	for (size_t i = 0; i < AY_ANNOUNCED; i++)
		any = any || waits(&head->announced[i]);
	return any;
}

/* First of the transaction, so that the result is that of the change. Refused: they wait on. */
static enum ay_rc write_with(struct ay_store *s, const struct ay_write *w, size_t n,
			     struct ay_store_result *out, struct ay_err *e)
{
	struct ay_store_head *head = head_of(s);
	struct ay_write *all = calloc(n + 1 + AY_ANNOUNCED, sizeof(*all));
	size_t before = 0;
	uint64_t last;
	enum ay_rc rc;

	memset(out, 0, sizeof(*out));
	if (all == NULL)
		return ay_fail(e, AY_E_NOMEM, "store.write", 0, "no memory for a transaction");
	if (head->witness != NULL)
		all[before++] = (struct ay_write){ .kind = AY_WR_AUDIT, .audit = head->witness };
	for (size_t i = 0; i < AY_ANNOUNCED; i++)
		if (waits(&head->announced[i]))
			all[before++] = (struct ay_write){ .kind = AY_WR_EVENT,
							   .event = head->announced[i].row };
	memcpy(all + before, w, n * sizeof(*w));
	rc = of(s)->write(s, all, before + n, out, e);
	free(all);
	if (rc != AY_OK)
		return rc;
	head->witness = NULL;
	last = out->event;
	for (size_t i = AY_ANNOUNCED; i-- > 0;) /* their numbers follow on each other */
		if (waits(&head->announced[i]))
			head->announced[i].seq = last--;
	return AY_OK;
}

enum ay_rc ay_store_write(struct ay_store *s, const struct ay_write *w, size_t n,
			  struct ay_store_result *out, struct ay_err *e)
{
	struct ay_store_result unused;

	if (out == NULL)
		out = &unused;
	return has_company(head_of(s)) ? write_with(s, w, n, out, e)
				       : of(s)->write(s, w, n, out, e);
}

bool ay_store_announce(struct ay_store *s, const struct ay_event_row *row)
{
	struct ay_store_head *head = head_of(s);

	for (size_t i = 0; i < AY_ANNOUNCED; i++)
		if (head->announced[i].row == NULL) {
			head->announced[i] = (struct ay_announced){ row, 0 };
			return true;
		}
	return false;
}

uint64_t ay_store_announced(struct ay_store *s, const struct ay_event_row *row)
{
	struct ay_store_head *head = head_of(s);
	uint64_t seq = 0;

	for (size_t i = 0; i < AY_ANNOUNCED; i++)
		if (head->announced[i].row == row) {
			seq = head->announced[i].seq;
			head->announced[i] = (struct ay_announced){ NULL, 0 };
		}
	return seq;
}

void ay_store_witness(struct ay_store *s, const struct ay_audit_row *row)
{
	head_of(s)->witness = row;
}

bool ay_store_witnessed(const struct ay_store *s)
{
	return ((const struct ay_store_head *)(const void *)s)->witness == NULL;
}

int ay_store_done_fd(const struct ay_store *s)
{
	return of(s)->done_fd(s);
}

size_t ay_store_done(struct ay_store *s, struct ay_store_result *out, size_t max)
{
	return of(s)->done(s, out, max);
}

void ay_store_stats(struct ay_store *s, struct ay_store_stats *out)
{
	of(s)->stats(s, out);
}

enum ay_rc ay_store_hosts(struct ay_store *s, ay_host_cb *cb, void *arg, struct ay_err *e)
{
	return of(s)->hosts(s, cb, arg, e);
}

enum ay_rc ay_store_host(struct ay_store *s, const struct ay_uuid *id, ay_host_cb *cb, void *arg,
			 struct ay_err *e)
{
	return of(s)->host(s, id, cb, arg, e);
}

enum ay_rc ay_store_attestations(struct ay_store *s, uint64_t from, size_t limit, ay_attest_cb *cb,
				 void *arg, struct ay_err *e)
{
	return of(s)->attestations(s, from, limit, cb, arg, e);
}

enum ay_rc ay_store_history(struct ay_store *s, uint64_t from, size_t limit, ay_attest_cb *cb,
			    void *arg, struct ay_err *e)
{
	return of(s)->history(s, from, limit, cb, arg, e);
}

enum ay_rc ay_store_blob(struct ay_store *s, struct ay_bytes id, struct ay_arena *a,
			 struct ay_bytes *out, struct ay_err *e)
{
	*out = (struct ay_bytes){ NULL, 0 };
	return of(s)->blob(s, id, a, out, e);
}

enum ay_rc ay_store_ima(struct ay_store *s, const struct ay_uuid *host, struct ay_bytes boot_id,
			uint64_t octets, struct ay_arena *a, struct ay_bytes *out, struct ay_err *e)
{
	*out = (struct ay_bytes){ NULL, 0 };
	return of(s)->ima(s, host, boot_id, octets, a, out, e);
}

enum ay_rc ay_store_aiks(struct ay_store *s, const struct ay_uuid *host, ay_aik_cb *cb, void *arg,
			 struct ay_err *e)
{
	return of(s)->aiks(s, host, cb, arg, e);
}

enum ay_rc ay_store_sightings(struct ay_store *s, struct ay_bytes digest, ay_sighting_cb *cb,
			      void *arg, struct ay_err *e)
{
	return of(s)->sightings(s, digest, cb, arg, e);
}

enum ay_rc ay_store_reader(struct ay_store *s, struct ay_store **out, struct ay_err *e)
{
	*out = NULL;
	return of(s)->reader(s, out, e);
}

void ay_store_reader_close(struct ay_store *reader)
{
	if (reader != NULL)
		of(reader)->reader_close(reader);
}

enum ay_rc ay_store_refsets(struct ay_store *s, ay_refset_cb *cb, void *arg, struct ay_err *e)
{
	return of(s)->refsets(s, cb, arg, e);
}

enum ay_rc ay_store_policies(struct ay_store *s, ay_policy_cb *cb, void *arg, struct ay_err *e)
{
	return of(s)->policies(s, cb, arg, e);
}

enum ay_rc ay_store_tokens(struct ay_store *s, ay_token_cb *cb, void *arg, struct ay_err *e)
{
	return of(s)->tokens(s, cb, arg, e);
}

enum ay_rc ay_store_users(struct ay_store *s, ay_user_cb *cb, void *arg, struct ay_err *e)
{
	return of(s)->users(s, cb, arg, e);
}

enum ay_rc ay_store_api_tokens(struct ay_store *s, ay_api_token_cb *cb, void *arg, struct ay_err *e)
{
	return of(s)->api_tokens(s, cb, arg, e);
}

enum ay_rc ay_store_family(struct ay_store *s, ay_family_cb *cb, void *arg, struct ay_err *e)
{
	return of(s)->family(s, cb, arg, e);
}

enum ay_rc ay_store_roles(struct ay_store *s, ay_role_cb *cb, void *arg, struct ay_err *e)
{
	return of(s)->roles(s, cb, arg, e);
}

enum ay_rc ay_store_sessions(struct ay_store *s, ay_session_cb *cb, void *arg, struct ay_err *e)
{
	return of(s)->sessions(s, cb, arg, e);
}

enum ay_rc ay_store_identities(struct ay_store *s, ay_identity_cb *cb, void *arg, struct ay_err *e)
{
	return of(s)->identities(s, cb, arg, e);
}

enum ay_rc ay_store_approvals(struct ay_store *s, ay_approval_cb *cb, void *arg, struct ay_err *e)
{
	return of(s)->approvals(s, cb, arg, e);
}

enum ay_rc ay_store_idem(struct ay_store *s, struct ay_bytes key, ay_idem_cb *cb, void *arg,
			 struct ay_err *e)
{
	return of(s)->idem(s, key, cb, arg, e);
}

enum ay_rc ay_store_event_newest(struct ay_store *s, uint64_t *seq, struct ay_err *e)
{
	*seq = 0;
	return of(s)->event_newest(s, seq, e);
}

enum ay_rc ay_store_events(struct ay_store *s, uint64_t after, size_t limit, ay_event_cb *cb,
			   void *arg, struct ay_err *e)
{
	return of(s)->events(s, after, limit, cb, arg, e);
}

enum ay_rc ay_store_audits(struct ay_store *s, uint64_t from, size_t limit, ay_audit_cb *cb,
			   void *arg, struct ay_err *e)
{
	return of(s)->audits(s, from, limit, cb, arg, e);
}

enum ay_rc ay_store_audit_node(struct ay_store *s, unsigned level, uint64_t index, uint8_t out[32],
			       struct ay_err *e)
{
	return of(s)->audit_node(s, level, index, out, e);
}

enum ay_rc ay_store_meta(struct ay_store *s, const char *key, struct ay_arena *a,
			 struct ay_bytes *out, struct ay_err *e)
{
	*out = (struct ay_bytes){ NULL, 0 };
	return of(s)->meta(s, key, a, out, e);
}

enum ay_rc ay_store_retain(struct ay_store *s, const struct ay_retention *r, bool wait,
			   struct ay_err *e)
{
	return of(s)->retain(s, r, wait, e);
}

enum ay_rc ay_store_verify(struct ay_store *s, struct ay_err *e)
{
	return of(s)->verify(s, e);
}

enum ay_rc ay_store_backup(const struct ay_store_kind *kind, const char *path, const char *to,
			   struct ay_err *e)
{
	return kind->backup(path, to, e);
}

enum ay_rc ay_store_restore(const struct ay_store_kind *kind, const char *from, const char *path,
			    struct ay_err *e)
{
	return kind->restore(from, path, e);
}

void ay_store_evidence_name(const struct ay_attest_past *r, char hex[65])
{
	struct ay_hash hash;
	uint8_t id[32];

	hex[0] = 0;
	if (!ay_hash_init(&hash, AY_ALG_SHA256))
		return;
	ay_hash_update(&hash, r->attest);
	ay_hash_update(&hash, r->signature);
	ay_hash_update(&hash, r->nonce);
	ay_hash_update(&hash, r->exporter);
	ay_hash_update(&hash, r->boot_log);
	ay_hash_final(&hash, id);
	ay_hex_encode(AY_BYTES(id), hex);
}
