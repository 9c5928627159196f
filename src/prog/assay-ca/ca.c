/* SPDX-License-Identifier: Apache-2.0 */
#include "prog/assay-ca/ca.h"

#include "core/crypto/secret.h"
#include "io/sys/log.h"
#include "io/sys/rng.h"

#include <stdio.h>
#include <stdlib.h>

enum {
	BUCKETS = 256,
	PENDING_MAX = 4096,
	PLAIN_MAX = 64 * 1024,
	TRUST_AGE_MS = 10 * 1000, /* sets are read again when older */
};

#define CRL_LIFE_MS (7LL * 24 * 3600 * 1000)

/* A challenge under way: single use, 60 s. */
struct pending {
	struct pending *next;
	int64_t until_mono_ms;
	uint8_t secret[AY_CA_SECRET_BYTES];
	struct ay_ca_applicant who;
};

struct ay_ca {
	struct ay_ca_files files;
	struct ay_castore *store;
	struct ay_trust_sets trust;
	int64_t trust_at_ms; /* of the mono clock */
	char *trust_dir;
	struct ay_ca_policy policy;
	struct pending *bucket[BUCKETS];
	size_t n_pending;
	uint8_t plain[PLAIN_MAX];
};

static void pending_free(struct pending *p)
{
	if (p == NULL)
		return;
	ay_wipe(p, sizeof(*p));
	free(p);
}

static struct pending **bucket_of(struct ay_ca *ca, const char *jti)
{
	unsigned h = 5381;

	for (; *jti != '\0'; jti++)
		h = h * 33 + (unsigned char)*jti;
	return &ca->bucket[h % BUCKETS];
}

static void drop_late(struct ay_ca *ca, int64_t now_mono_ms)
{
	for (size_t i = 0; i < BUCKETS; i++) {
		struct pending **at = &ca->bucket[i];

		while (*at != NULL) {
			struct pending *p = *at;

			if (p->until_mono_ms > now_mono_ms) {
				at = &p->next;
				continue;
			}
			*at = p->next;
			ca->n_pending--;
			pending_free(p);
		}
	}
}

/* Takes it out: whatever comes of it, it has served. NULL = none. */
static struct pending *take(struct ay_ca *ca, const char *jti)
{
	for (struct pending **at = bucket_of(ca, jti); *at != NULL; at = &(*at)->next) {
		struct pending *p = *at;

		if (strcmp(p->who.ticket.jti, jti) == 0) {
			*at = p->next;
			ca->n_pending--;
			return p;
		}
	}
	return NULL;
}

static void load_trust(struct ay_ca *ca, int64_t mono_ms)
{
	struct ay_trust_sets fresh;
	struct ay_err e;

	if (ca->trust_at_ms != 0 && mono_ms - ca->trust_at_ms < TRUST_AGE_MS)
		return;
	ca->trust_at_ms = mono_ms;
	if (ay_trust_sets_load(ca->trust_dir, &fresh, &e) != AY_OK) {
		ay_log_err(AY_LOG_WARN, "EK trust sets not read, keeping the old ones", &e);
		return;
	}
	if (fresh.n_certs != ca->trust.n_certs || fresh.n_refused != ca->trust.n_refused)
		AY_LOG(AY_LOG_INFO, "EK trust sets", AY_LU("sets", fresh.n),
		       AY_LU("certificates", fresh.n_certs), AY_LU("refused", fresh.n_refused));
	ay_trust_sets_fini(&ca->trust);
	ca->trust = fresh;
	ca->policy.sets = ca->trust.sets;
	ca->policy.n_sets = ca->trust.n;
}

enum ay_rc ay_ca_open(const struct ay_ca_settings *s, struct ay_ca **out, struct ay_err *e)
{
	struct ay_ca *ca = calloc(1, sizeof(*ca));
	char path[4096];
	enum ay_rc rc;

	*out = NULL;
	if (ca == NULL)
		return ay_fail(e, AY_E_NOMEM, "ca", 0, "out of memory");
	ca->trust_dir = strdup(s->ek_trust_dir);
	ca->policy = (struct ay_ca_policy){ .tofu = s->ek_tofu,
					    .reveal_ek = s->reveal_ek,
					    .ignore_dates = s->ignore_ek_dates,
					    .crl = s->ek_crl_required ? AY_CRL_REQUIRE
								      : AY_CRL_IF_PRESENT,
					    .aik_life_ms = s->aik_life_ms };
	rc = ay_ca_files_load(s->dir, s->ticket_key, &ca->files, e);
	if (rc == AY_OK && snprintf(path, sizeof(path), "%s/ca.db", s->dir) >= (int)sizeof(path))
		rc = ay_fail(e, AY_E_INPUT, "state_dir", 0, "path too long");
	if (rc == AY_OK)
		rc = ay_castore_open(path, &ca->store, e);
	if (rc != AY_OK || ca->trust_dir == NULL) {
		ay_ca_close(ca);
		return rc != AY_OK ? rc : ay_fail(e, AY_E_NOMEM, "ca", 0, "out of memory");
	}
	*out = ca;
	return AY_OK;
}

void ay_ca_close(struct ay_ca *ca)
{
	if (ca == NULL)
		return;
	drop_late(ca, INT64_MAX);
	ay_castore_close(ca->store);
	ay_trust_sets_fini(&ca->trust);
	ay_ca_files_fini(&ca->files);
	free(ca->trust_dir);
	ay_wipe(ca->plain, sizeof(ca->plain));
	free(ca);
}

const struct ay_bytes *ay_ca_certs(const struct ay_ca *ca, size_t *n)
{
	*n = ca->files.n_certs;
	return ca->files.certs;
}

static enum ay_rc look_up(struct ay_ca *ca, const struct ay_ca_applicant *who,
			  struct ay_ca_known *known, struct ay_err *e)
{
	enum ay_rc rc = ay_castore_is_approved(ca->store, who->ek_hash, &known->ek_approved, e);

	return rc == AY_OK ? ay_castore_host_ek(ca->store, &who->ticket.host, &known->has_ek,
						known->ek_hash, e)
			   : rc;
}

/* The ticket serves at its first sight, so that nothing can be tried twice with it. */
static enum ay_rc admit(struct ay_ca *ca, const struct ay_identity_request *q, struct ay_ca_now now,
			struct ay_ca_applicant *who, struct ay_err *e)
{
	struct ay_ca_known known = { 0 };
	enum ay_rc rc = ay_ca_identify(&ca->files.keys, q, now.wall_ms, who, e);

	if (rc == AY_OK)
		rc = ay_castore_use_ticket(ca->store, who->ticket.jti, who->ticket.exp_s,
					   now.wall_ms / 1000, e);
	if (rc == AY_OK)
		rc = look_up(ca, who, &known, e);
	if (rc == AY_OK)
		rc = ay_ca_judge(&ca->policy, q, &known, now.wall_ms, who, e);
	return rc;
}

static enum ay_rc challenge(struct ay_ca *ca, struct pending *p, struct ay_ca_now now,
			    struct ay_writer *w, struct ay_err *e)
{
	uint8_t random[AY_CREDENTIAL_RANDOM];
	struct pending **at;
	enum ay_rc rc;

	ay_rng_bytes(p->secret, sizeof(p->secret));
	ay_rng_bytes(random, sizeof(random));
	rc = ay_ca_challenge(&p->who, p->secret, random, w, e);
	ay_wipe(random, sizeof(random));
	if (rc != AY_OK)
		return rc;
	p->until_mono_ms = now.mono_ms + AY_CA_CHALLENGE_LIFE_MS;
	at = bucket_of(ca, p->who.ticket.jti);
	p->next = *at;
	*at = p;
	ca->n_pending++;
	return AY_OK;
}

enum ay_rc ay_ca_identity(struct ay_ca *ca, struct ay_bytes sealed, struct ay_ca_now now,
			  struct ay_writer *w, struct ay_ca_refusal *why, struct ay_err *e)
{
	struct ay_identity_request q;
	struct pending *p;
	enum ay_rc rc;

	*why = (struct ay_ca_refusal){ 0 };
	drop_late(ca, now.mono_ms);
	if (ca->n_pending >= PENDING_MAX)
		return ay_fail_code(e, AY_E_UNAVAIL, "CA_BUSY", "ca",
				    "too many challenges under way");
	p = calloc(1, sizeof(*p));
	if (p == NULL)
		return ay_fail_code(e, AY_E_NOMEM, "CA_BUSY", "ca", "out of memory");
	load_trust(ca, now.mono_ms);
	rc = ay_ca_open_request(&ca->files.keys, sealed, ca->plain, sizeof(ca->plain), &q, e);
	if (rc == AY_OK)
		rc = admit(ca, &q, now, &p->who, e);
	ay_wipe(ca->plain, sizeof(ca->plain));
	if (rc == AY_OK)
		rc = challenge(ca, p, now, w, e);
	if (rc == AY_OK)
		return rc;
	why->has_ek = p->who.ek_n > 0;
	memcpy(why->ek_hash, p->who.ek_hash, sizeof(why->ek_hash));
	pending_free(p);
	return ay_err_coded(e, rc, "CA_FAULT");
}

static enum ay_rc log_issue(struct ay_ca *ca, const struct pending *p, struct ay_bytes der,
			    struct ay_ca_now now, struct ay_err *e)
{
	struct ay_cert cert;
	struct ay_ca_issued i = { .host = p->who.ticket.host,
				  .cert = der,
				  .at_ms = now.wall_ms,
				  .ak_name = ay_name_view(&p->who.ak_name),
				  .grade = ay_ek_grade_name(p->who.grade),
				  .ticket = p->who.ticket.jti };
	enum ay_rc rc = ay_cert_parse(der, &cert, e);

	if (rc != AY_OK)
		return rc;
	i.serial = cert.serial;
	i.not_after_ms = cert.not_after_ms;
	memcpy(i.ek_hash, p->who.ek_hash, sizeof(i.ek_hash));
	return ay_castore_issue(ca->store, &i, e);
}

/* The issue log is written before the certificate leaves. */
static enum ay_rc issue(struct ay_ca *ca, const struct pending *p, struct ay_ca_now now,
			struct ay_writer *w, struct ay_err *e)
{
	uint8_t der[AY_MAX_CERT_BYTES];
	struct ay_ca_random random;
	size_t n;
	enum ay_rc rc;

	ay_rng_bytes(&random, sizeof(random));
	rc = ay_ca_issue(&ca->files.keys, &ca->policy, &p->who, &random, now.wall_ms, w, der,
			 sizeof(der), &n, e);
	ay_wipe(&random, sizeof(random));
	return rc == AY_OK ? log_issue(ca, p, (struct ay_bytes){ der, n }, now, e) : rc;
}

enum ay_rc ay_ca_activated(struct ay_ca *ca, struct ay_bytes sealed, struct ay_ca_now now,
			   struct ay_writer *w, struct ay_err *e)
{
	struct ay_ca_answer a;
	struct pending *p;
	enum ay_rc rc = ay_ca_open_answer(&ca->files.keys, sealed, &a, e);

	if (rc != AY_OK)
		return ay_err_coded(e, rc, "CA_FAULT");
	p = take(ca, a.jti);
	if (p == NULL)
		rc = ay_fail_code(e, AY_E_DENIED, "ACTIVATION_STALE", "answer",
				  "no challenge of this ticket is open");
	else if (AY_CHECKED("ACTIVATION_STALE", p->until_mono_ms <= now.mono_ms))
		rc = ay_fail_code(e, AY_E_DENIED, "ACTIVATION_STALE", "answer",
				  "the challenge is older than 60 s");
	else if (AY_CHECKED("ACTIVATION",
			    !ay_bytes_eq_secret(AY_BYTES(a.secret), AY_BYTES(p->secret))))
		rc = ay_fail_code(e, AY_E_CRYPTO, "ACTIVATION", "answer",
				  "not what was sealed for this TPM");
	else
		rc = issue(ca, p, now, w, e);
	ay_wipe(&a, sizeof(a));
	pending_free(p);
	return ay_err_coded(e, rc, "CA_FAULT");
}

enum ay_rc ay_ca_approve(struct ay_ca *ca, const uint8_t ek_hash[32], struct ay_bytes who,
			 struct ay_bytes reason, int64_t now_ms, struct ay_err *e)
{
	return ay_castore_approve(ca->store, ek_hash, who, reason, now_ms, e);
}

enum ay_rc ay_ca_revoke(struct ay_ca *ca, struct ay_bytes serial, unsigned reason, int64_t now_ms,
			struct ay_err *e)
{
	return ay_castore_revoke(ca->store, serial, reason, now_ms, e);
}

enum ay_rc ay_ca_crl(struct ay_ca *ca, int64_t now_ms, struct ay_bytes *out, struct ay_err *e)
{
	struct ay_revoked *list = NULL;
	struct ay_arena a;
	uint64_t number = 0;
	size_t n = 0;
	enum ay_rc rc;

	*out = (struct ay_bytes){ 0 };
	ay_arena_init(&a, 16 * 1024 * 1024);
	rc = ay_castore_revoked(ca->store, now_ms, &a, &list, &n, &number, e);
	if (rc == AY_OK)
		rc = ay_crlgen(ca->files.keys.issuer_cert, ca->files.issuer, list, n, number,
			       now_ms, now_ms + CRL_LIFE_MS, out, e);
	ay_arena_fini(&a);
	return rc;
}
