/* SPDX-License-Identifier: Apache-2.0 */
#include "io/store/row.h"

#include <assert.h>

#define AT(s, m) (uint16_t) offsetof(struct s, m)
#define ROW(var, tab, strct, list)                                                                 \
	const struct ay_row_type var = { tab, sizeof(struct strct), list, AY_COUNT(list) }

static const struct ay_field host_fields[] = {
	{ "id", AT(ay_host_row, id), AY_F_OCT16 },
	{ "rev", AT(ay_host_row, rev), AY_F_U64 },
	{ "name", AT(ay_host_row, name), AY_F_TEXT },
	{ "labels", AT(ay_host_row, labels), AY_F_TEXT },
	{ "connect", AT(ay_host_row, connect), AY_F_TEXT },
	{ "tls_kind", AT(ay_host_row, tls_kind), AY_F_TEXT },
	{ "agent_key", AT(ay_host_row, agent_key), AY_F_BYTES },
	{ "agent_cert", AT(ay_host_row, agent_cert), AY_F_BYTES },
	{ "policy", AT(ay_host_row, policy), AY_F_TEXT },
	{ "token", AT(ay_host_row, token), AY_F_BYTES },
	{ "state", AT(ay_host_row, state), AY_F_U8 },
	{ "created_at", AT(ay_host_row, created_at), AY_F_I64 },
	{ "note_code", AT(ay_host_row, note_code), AY_F_TEXT },
	{ "note_text", AT(ay_host_row, note_text), AY_F_TEXT },
	{ "note_at", AT(ay_host_row, note_at), AY_F_I64 },
	{ "grade", AT(ay_host_row, grade), AY_F_TEXT },
	{ "ak_name", AT(ay_host_row, ak_name), AY_F_BYTES },
	{ "qualified_name", AT(ay_host_row, qualified_name), AY_F_BYTES },
	{ "ak_public", AT(ay_host_row, ak_public), AY_F_BYTES },
	{ "cert", AT(ay_host_row, cert), AY_F_BYTES },
	{ "cert_serial", AT(ay_host_row, cert_serial), AY_F_BYTES },
	{ "cert_until", AT(ay_host_row, cert_until), AY_F_I64 },
	{ "cert_renew", AT(ay_host_row, cert_renew), AY_F_I64 },
	{ "pseudonym", AT(ay_host_row, pseudonym), AY_F_BYTES },
	{ "tls_spki", AT(ay_host_row, tls_spki), AY_F_BYTES },
	{ "tpm", AT(ay_host_row, tpm), AY_F_TEXT },
	{ "enrolled_at", AT(ay_host_row, enrolled_at), AY_F_I64 },
};
ROW(ay_row_host, "host", ay_host_row, host_fields);

static const struct ay_field status_fields[] = {
	{ "version", AT(ay_host_status, version), AY_F_U64 },
	{ "verdict", AT(ay_host_status, verdict), AY_F_U8 },
	{ "judged", AT(ay_host_status, judged), AY_F_BOOL },
	{ "attested_at", AT(ay_host_status, attested_at), AY_F_I64 },
	{ "lease_until", AT(ay_host_status, lease_until), AY_F_I64 },
	{ "report_id", AT(ay_host_status, report_id), AY_F_OCT16 },
	{ "components", AT(ay_host_status, components), AY_F_BYTES },
	{ "counters_known", AT(ay_host_status, counters_known), AY_F_BOOL },
	{ "clock_ms", AT(ay_host_status, clock_ms), AY_F_U64 },
	{ "tpm_firmware", AT(ay_host_status, tpm_firmware), AY_F_U64 },
	{ "reset_count", AT(ay_host_status, reset_count), AY_F_U32 },
	{ "restart_count", AT(ay_host_status, restart_count), AY_F_U32 },
	{ "attestation", AT(ay_host_status, attestation), AY_F_U64 },
};
ROW(ay_row_status, "host_status", ay_host_status, status_fields);
/* ... without its last field, the number of the last attestation. */
const struct ay_row_type ay_row_status_kept = { "host_status", sizeof(struct ay_host_status),
						status_fields, AY_COUNT(status_fields) - 1 };

static const struct ay_field context_fields[] = {
	{ "boot_id", AT(ay_host_context, boot_id), AY_F_BYTES },
	{ "boot_log", AT(ay_host_context, boot_log), AY_F_BYTES },
	{ "pcrs", AT(ay_host_context, pcrs), AY_F_BYTES },
	{ "ima", AT(ay_host_context, ima), AY_F_BYTES },
	{ "sticky", AT(ay_host_context, sticky), AY_F_BYTES },
	{ "ima_offset", AT(ay_host_context, ima_offset), AY_F_U64 },
	{ "ima_entries", AT(ay_host_context, ima_entries), AY_F_U64 },
};
ROW(ay_row_context, "host_context", ay_host_context, context_fields);

/* Only for the copy into the queue: the table row is written by a statement of its own. */
static const struct ay_field attest_fields[] = {
	{ "attest", AT(ay_attest_row, attest), AY_F_BYTES },
	{ "signature", AT(ay_attest_row, signature), AY_F_BYTES },
	{ "nonce", AT(ay_attest_row, nonce), AY_F_BYTES },
	{ "exporter", AT(ay_attest_row, exporter), AY_F_BYTES },
	{ "boot_id", AT(ay_attest_row, boot_id), AY_F_BYTES },
	{ "pcrs", AT(ay_attest_row, pcrs_id), AY_F_BYTES },
	{ "boot_log", AT(ay_attest_row, boot_log_id), AY_F_BYTES },
	{ "components", AT(ay_attest_row, status.components), AY_F_BYTES },
	{ "inputs", AT(ay_attest_row, inputs), AY_F_BYTES },
};
ROW(ay_row_attest, NULL, ay_attest_row, attest_fields);

static const struct ay_field past_fields[] = {
	{ "seq", AT(ay_attest_past, seq), AY_F_U64 },
	{ "prev", AT(ay_attest_past, prev), AY_F_U64 },
	{ "host", AT(ay_attest_past, host), AY_F_OCT16 },
	{ "at", AT(ay_attest_past, at), AY_F_I64 },
	{ "version", AT(ay_attest_past, version), AY_F_U64 },
	{ "verdict", AT(ay_attest_past, verdict), AY_F_U8 },
	{ "lease_until", AT(ay_attest_past, lease_until), AY_F_I64 },
	{ "report_id", AT(ay_attest_past, report_id), AY_F_OCT16 },
	{ "report", AT(ay_attest_past, report), AY_F_BYTES },
	{ "boot_id", AT(ay_attest_past, boot_id), AY_F_BYTES },
	{ "pcrs", AT(ay_attest_past, pcrs), AY_F_BYTES },
	{ "boot_log", AT(ay_attest_past, boot_log), AY_F_BYTES },
	{ "ima_offset", AT(ay_attest_past, ima_offset), AY_F_U64 },
	{ "attest", AT(ay_attest_past, attest), AY_F_BYTES },
	{ "signature", AT(ay_attest_past, signature), AY_F_BYTES },
	{ "nonce", AT(ay_attest_past, nonce), AY_F_BYTES },
	{ "exporter", AT(ay_attest_past, exporter), AY_F_BYTES },
	{ "inputs", AT(ay_attest_past, inputs), AY_F_BYTES },
	{ "rules", AT(ay_attest_past, rules), AY_F_BYTES },
	{ "extra", AT(ay_attest_past, extra), AY_F_BYTES },
};
ROW(ay_row_past, "attestation", ay_attest_past, past_fields);

static const struct ay_field aik_fields[] = {
	{ "host", AT(ay_aik_row, host), AY_F_OCT16 },
	{ "qualified_name", AT(ay_aik_row, qualified_name), AY_F_BYTES },
	{ "ak_public", AT(ay_aik_row, ak_public), AY_F_BYTES },
	{ "cert", AT(ay_aik_row, cert), AY_F_BYTES },
	{ "enrolled_at", AT(ay_aik_row, enrolled_at), AY_F_I64 },
};
ROW(ay_row_aik, "aik", ay_aik_row, aik_fields);

static const struct ay_field refset_fields[] = {
	{ "id", AT(ay_refset_row, id), AY_F_OCT16 },
	{ "name", AT(ay_refset_row, name), AY_F_TEXT },
	{ "version", AT(ay_refset_row, version), AY_F_U32 },
	{ "state", AT(ay_refset_row, state), AY_F_U8 },
	{ "created_at", AT(ay_refset_row, created_at), AY_F_I64 },
	{ "created_by", AT(ay_refset_row, created_by), AY_F_TEXT },
	{ "sha256", AT(ay_refset_row, sha256), AY_F_BYTES },
	{ "body", AT(ay_refset_row, body), AY_F_BYTES },
	{ "activated_at", AT(ay_refset_row, activated_at), AY_F_I64 },
	{ "supersede_at", AT(ay_refset_row, supersede_at), AY_F_I64 },
};
ROW(ay_row_refset, "reference_set", ay_refset_row, refset_fields);

static const struct ay_field policy_fields[] = {
	{ "id", AT(ay_policy_row, id), AY_F_OCT16 },
	{ "name", AT(ay_policy_row, name), AY_F_TEXT },
	{ "version", AT(ay_policy_row, version), AY_F_U32 },
	{ "state", AT(ay_policy_row, state), AY_F_U8 },
	{ "created_at", AT(ay_policy_row, created_at), AY_F_I64 },
	{ "created_by", AT(ay_policy_row, created_by), AY_F_TEXT },
	{ "sha256", AT(ay_policy_row, sha256), AY_F_BYTES },
	{ "body", AT(ay_policy_row, body), AY_F_BYTES },
};
ROW(ay_row_policy, "policy", ay_policy_row, policy_fields);

static const struct ay_field token_fields[] = {
	{ "id", AT(ay_token_row, id), AY_F_BYTES },
	{ "k", AT(ay_token_row, k), AY_F_BYTES },
	{ "uses", AT(ay_token_row, uses), AY_F_U32 },
	{ "used", AT(ay_token_row, used), AY_F_U32 },
	{ "created_at", AT(ay_token_row, created_at), AY_F_I64 },
	{ "expires_at", AT(ay_token_row, expires_at), AY_F_I64 },
	{ "revoked", AT(ay_token_row, revoked), AY_F_BOOL },
	{ "for_host", AT(ay_token_row, for_host), AY_F_BOOL },
	{ "host", AT(ay_token_row, host), AY_F_OCT16 },
	{ "pool", AT(ay_token_row, pool), AY_F_TEXT },
	{ "ek_list", AT(ay_token_row, ek_list), AY_F_TEXT },
	{ "created_by", AT(ay_token_row, created_by), AY_F_TEXT },
};
ROW(ay_row_token, "token", ay_token_row, token_fields);

static const struct ay_field user_fields[] = {
	{ "name", AT(ay_user_row, name), AY_F_TEXT },
	{ "role", AT(ay_user_row, role), AY_F_TEXT },
	{ "disabled", AT(ay_user_row, disabled), AY_F_BOOL },
	{ "created_at", AT(ay_user_row, created_at), AY_F_I64 },
	{ "id", AT(ay_user_row, id), AY_F_U64 },
	{ "display", AT(ay_user_row, display), AY_F_TEXT },
	{ "grants", AT(ay_user_row, grants), AY_F_TEXT },
	{ "secrets", AT(ay_user_row, secrets), AY_F_BYTES },
	{ "removed", AT(ay_user_row, removed), AY_F_BOOL },
};
ROW(ay_row_user, "account", ay_user_row, user_fields);

static const struct ay_field api_token_fields[] = {
	{ "id", AT(ay_api_token_row, id), AY_F_BYTES },
	{ "hash", AT(ay_api_token_row, hash), AY_F_BYTES },
	{ "account", AT(ay_api_token_row, user), AY_F_TEXT },
	{ "role", AT(ay_api_token_row, role), AY_F_TEXT },
	{ "label", AT(ay_api_token_row, label), AY_F_TEXT },
	{ "created_at", AT(ay_api_token_row, created_at), AY_F_I64 },
	{ "expires_at", AT(ay_api_token_row, expires_at), AY_F_I64 },
	{ "revoked", AT(ay_api_token_row, revoked), AY_F_BOOL },
	{ "scope", AT(ay_api_token_row, scope), AY_F_TEXT },
	{ "used_at", AT(ay_api_token_row, used_at), AY_F_I64 },
};
ROW(ay_row_api_token, "api_token", ay_api_token_row, api_token_fields);

static const struct ay_field role_fields[] = {
	{ "name", AT(ay_role_row, name), AY_F_TEXT },
	{ "permissions", AT(ay_role_row, permissions), AY_F_TEXT },
	{ "scope", AT(ay_role_row, scope), AY_F_TEXT },
	{ "doc", AT(ay_role_row, doc), AY_F_TEXT },
	{ "created_at", AT(ay_role_row, created_at), AY_F_I64 },
	{ "removed", AT(ay_role_row, removed), AY_F_BOOL },
};
ROW(ay_row_role, "role", ay_role_row, role_fields);

static const struct ay_field session_fields[] = {
	{ "hash", AT(ay_session_row, hash), AY_F_BYTES },
	{ "id", AT(ay_session_row, id), AY_F_TEXT },
	{ "account", AT(ay_session_row, user), AY_F_U64 },
	{ "created_at", AT(ay_session_row, created_at), AY_F_I64 },
	{ "used_at", AT(ay_session_row, used_at), AY_F_I64 },
	{ "ended", AT(ay_session_row, ended), AY_F_BOOL },
	{ "mfa", AT(ay_session_row, mfa), AY_F_BOOL },
	{ "scheme", AT(ay_session_row, scheme), AY_F_TEXT },
	{ "peer", AT(ay_session_row, peer), AY_F_TEXT },
	{ "agent", AT(ay_session_row, agent), AY_F_TEXT },
};
ROW(ay_row_session, "session", ay_session_row, session_fields);

static const struct ay_field identity_fields[] = {
	{ "source", AT(ay_identity_row, source), AY_F_TEXT },
	{ "subject", AT(ay_identity_row, subject), AY_F_TEXT },
	{ "account", AT(ay_identity_row, user), AY_F_U64 },
	{ "state", AT(ay_identity_row, state), AY_F_U8 },
	{ "detail", AT(ay_identity_row, detail), AY_F_TEXT },
	{ "created_at", AT(ay_identity_row, created_at), AY_F_I64 },
};
ROW(ay_row_identity, "identity", ay_identity_row, identity_fields);

static const struct ay_field approval_fields[] = {
	{ "id", AT(ay_approval_row, id), AY_F_OCT16 },
	{ "kind", AT(ay_approval_row, kind), AY_F_TEXT },
	{ "object", AT(ay_approval_row, object), AY_F_TEXT },
	{ "title", AT(ay_approval_row, title), AY_F_TEXT },
	{ "args", AT(ay_approval_row, args), AY_F_TEXT },
	{ "permission", AT(ay_approval_row, permission), AY_F_TEXT },
	{ "hash", AT(ay_approval_row, hash), AY_F_BYTES },
	{ "requester", AT(ay_approval_row, requester), AY_F_TEXT },
	{ "requested_at", AT(ay_approval_row, requested_at), AY_F_I64 },
	{ "expires_at", AT(ay_approval_row, expires_at), AY_F_I64 },
	{ "state", AT(ay_approval_row, state), AY_F_U8 },
	{ "decided_by", AT(ay_approval_row, decided_by), AY_F_TEXT },
	{ "decided_at", AT(ay_approval_row, decided_at), AY_F_I64 },
	{ "reason", AT(ay_approval_row, reason), AY_F_TEXT },
};
ROW(ay_row_approval, "approval", ay_approval_row, approval_fields);

static const struct ay_field approval_end_fields[] = {
	{ "id", AT(ay_approval_end, id), AY_F_OCT16 },
	{ "state", AT(ay_approval_end, state), AY_F_U8 },
	{ "decided_by", AT(ay_approval_end, decided_by), AY_F_TEXT },
	{ "decided_at", AT(ay_approval_end, decided_at), AY_F_I64 },
	{ "reason", AT(ay_approval_end, reason), AY_F_TEXT },
};
ROW(ay_row_approval_end, "approval", ay_approval_end, approval_end_fields);

static const struct ay_field idem_fields[] = {
	{ "key", AT(ay_idem_row, key), AY_F_BYTES },
	{ "request", AT(ay_idem_row, request), AY_F_BYTES },
	{ "at", AT(ay_idem_row, at), AY_F_I64 },
	{ "status", AT(ay_idem_row, status), AY_F_U32 },
	{ "secret", AT(ay_idem_row, secret), AY_F_BOOL },
	{ "location", AT(ay_idem_row, location), AY_F_TEXT },
	{ "body", AT(ay_idem_row, body), AY_F_BYTES },
};
ROW(ay_row_idem, "idempotency", ay_idem_row, idem_fields);

static const struct ay_field family_fields[] = {
	{ "kind", AT(ay_family_row, kind), AY_F_TEXT },
	{ "key", AT(ay_family_row, key), AY_F_TEXT },
	{ "body", AT(ay_family_row, body), AY_F_TEXT },
};
ROW(ay_row_family, "family", ay_family_row, family_fields);

static const struct ay_field event_fields[] = {
	{ "seq", AT(ay_event_row, seq), AY_F_U64 },
	{ "at", AT(ay_event_row, at), AY_F_I64 },
	{ "kind", AT(ay_event_row, kind), AY_F_TEXT },
	{ "has_host", AT(ay_event_row, has_host), AY_F_BOOL },
	{ "host", AT(ay_event_row, host), AY_F_OCT16 },
	{ "body", AT(ay_event_row, body), AY_F_TEXT },
};
ROW(ay_row_event, "event", ay_event_row, event_fields);

static const struct ay_field audit_fields[] = {
	{ "actor", AT(ay_audit_row, actor), AY_F_TEXT },
	{ "action", AT(ay_audit_row, action), AY_F_TEXT },
	{ "object", AT(ay_audit_row, object), AY_F_TEXT },
	{ "detail", AT(ay_audit_row, detail), AY_F_TEXT },
};
ROW(ay_row_audit, NULL, ay_audit_row, audit_fields);

size_t ay_row_room(const struct ay_row_type *t, const void *row)
{
	size_t room = 0;

	for (size_t i = 0; i < t->n; i++) {
		const void *m = (const uint8_t *)row + t->fields[i].offset;

		if (t->fields[i].type == AY_F_BYTES) {
			room += ((const struct ay_bytes *)m)->n;
		} else if (t->fields[i].type == AY_F_TEXT) {
			const char *text = *(const char *const *)m;

			room += text == NULL ? 1 : strlen(text) + 1;
		}
	}
	return room;
}

static void copy_bytes(struct ay_bytes *b, uint8_t **at)
{
	if (b->n > 0)
		memcpy(*at, b->p, b->n);
	b->p = *at;
	*at += b->n;
}

static void copy_text(const char **text, uint8_t **at)
{
	size_t n = *text == NULL ? 0 : strlen(*text);

	if (n > 0)
		memcpy(*at, *text, n);
	(*at)[n] = '\0';
	*text = (const char *)*at;
	*at += n + 1;
}

void ay_row_copy(const struct ay_row_type *t, const void *row, void *dst, uint8_t **at)
{
	memcpy(dst, row, t->size);
	for (size_t i = 0; i < t->n; i++) {
		void *m = (uint8_t *)dst + t->fields[i].offset;

		if (t->fields[i].type == AY_F_BYTES)
			copy_bytes(m, at);
		else if (t->fields[i].type == AY_F_TEXT)
			copy_text(m, at);
	}
}
