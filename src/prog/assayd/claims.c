/* SPDX-License-Identifier: Apache-2.0 */
#include "prog/assayd/claims.h"

#include "core/base/hex.h"
#include "core/crypto/hash.h"
#include "core/crypto/pem.h"

#include <stdlib.h>
#include <unistd.h>

/* ---- what stands in the store, kept for the hosts that were asked about last ---- */

enum { SLOTS = 1024 }; /* each holds the newest host that falls into it */

/* It is as it was while the host has this binding, this row and this last attestation. */
struct ay_claims_kept {
	struct ay_uuid host;
	uint32_t binding;
	uint64_t rev, seq;
	struct ay_claims d; /* of its claims, only what the report says */
};

static struct ay_claims_kept *slot_of(struct ay_engine *g, const struct ay_host *h)
{
	if (!g->kept)
		g->kept = calloc(SLOTS, sizeof(*g->kept));
	return g->kept ? &g->kept[(h->id.b[0] << 8 | h->id.b[1]) % SLOTS] : NULL;
}

static void copy_stored(struct ay_claims *to, const struct ay_claims *from)
{
	const struct ay_saml_claims *c = &from->claims;

	memcpy(to->aik_sha1, from->aik_sha1, sizeof(to->aik_sha1));
	memcpy(to->tpm_version, from->tpm_version, sizeof(to->tpm_version));
	memcpy(to->references, from->references, sizeof(to->references));
	to->aik = from->aik ? strdup(from->aik) : NULL;
	to->claims.has_evidence = c->has_evidence;
	to->claims.has_policy = c->has_policy;
	to->claims.policy_version = c->policy_version;
	memcpy(to->claims.evidence_sha256, c->evidence_sha256, sizeof(c->evidence_sha256));
	memcpy(to->claims.policy_sha256, c->policy_sha256, sizeof(c->policy_sha256));
}

static bool find_kept(struct ay_engine *g, const struct ay_host *h, struct ay_claims *d)
{
	const struct ay_claims_kept *k = slot_of(g, h);

	if (!k || h->run->seq == 0 || memcmp(&k->host, &h->id, sizeof(k->host)) != 0 ||
	    k->binding != h->run->binding || k->rev != h->run->rev || k->seq != h->run->seq)
		return false;
	copy_stored(d, &k->d);
	return (d->aik != NULL) == (k->d.aik != NULL);
}

static void keep(struct ay_engine *g, const struct ay_host *h, const struct ay_claims *d)
{
	struct ay_claims_kept *k = slot_of(g, h);

	if (!k)
		return;
	ay_claims_fini(&k->d);
	*k = (struct ay_claims_kept){
		.host = h->id, .binding = h->run->binding, .rev = h->run->rev, .seq = h->run->seq
	};
	copy_stored(&k->d, d);
	if (d->aik && !k->d.aik)
		k->seq = 0; /* no memory: of no use */
}

void ay_claims_forget(struct ay_engine *g)
{
	for (size_t i = 0; g->kept && i < SLOTS; i++)
		ay_claims_fini(&g->kept[i].d);
	free(g->kept);
	g->kept = NULL;
}

static void read_row(void *arg, const struct ay_host_row *row, const struct ay_host_status *s,
		     const struct ay_host_context *c)
{
	struct ay_claims *d = arg;
	uint8_t digest[20];

	(void)s, (void)c;
	if (row->cert.n == 0)
		return;
	d->aik = malloc(AY_PEM_ROOM(row->cert.n));
	if (d->aik)
		ay_pem_write("CERTIFICATE", row->cert, d->aik);
	if (ay_hash_of(AY_ALG_SHA1, row->cert, digest))
		ay_hex_encode(AY_BYTES(digest), d->aik_sha1);
	snprintf(d->tpm_version, sizeof(d->tpm_version), "%s",
		 row->tpm && strstr(row->tpm, "\"1.2\"") ? "1.2" : "2.0");
}

static bool hex_of(const json_t *o, const char *key, uint8_t out[32])
{
	const char *text = json_string_value(json_object_get(o, key));

	return text && ay_hex_decode(ay_bytes_of(text), key, out, 32, NULL) == AY_OK;
}

/* "name vN, name vN" */
static void name_references(struct ay_claims *d, const json_t *report)
{
	json_t *list = json_object_get(report, "references"), *r;
	size_t i, at = 0;

	json_array_foreach (list, i, r) {
		int n = snprintf(d->references + at, sizeof(d->references) - at, "%s%s v%d",
				 at ? ", " : "", json_string_value(json_object_get(r, "name")),
				 (int)json_integer_value(json_object_get(r, "version")));

		if (n < 0 || at + (size_t)n >= sizeof(d->references)) {
			d->references[at] = 0; /* those that fit, whole */
			return;
		}
		at += (size_t)n;
	}
}

static void read_report(struct ay_claims *d, const json_t *report)
{
	const json_t *policy = json_object_get(report, "policy");

	d->claims.has_evidence = hex_of(report, "evidence", d->claims.evidence_sha256);
	d->claims.has_policy = hex_of(policy, "sha256", d->claims.policy_sha256);
	d->claims.policy_version = (uint32_t)json_integer_value(json_object_get(policy, "version"));
	name_references(d, report);
}

static const char *or_null(const char *s)
{
	return s && *s ? s : NULL;
}

/* Half a lease to a whole one from now, in steps, so that the same is said for a while. */
static int64_t as_if_leased(int64_t now_ms, int64_t lease_ms)
{
	int64_t step = lease_ms / 2;

	return step > 0 ? (now_ms / step + 2) * step : now_ms + lease_ms;
}

/* What is not trusted has no lease: it is said for as long as one would have been given. */
static int64_t lease_of(struct ay_engine *g, const struct ay_host *h, enum ay_verdict v)
{
	int64_t lease = ay_refs_lease_ms(g, h), until = h->attested_ms + lease;

	if (v == AY_TRUSTED)
		return h->lease.until_ms;
	return until > g->now_ms ? until : as_if_leased(g->now_ms, lease);
}

static void fill_issuer(struct ay_claims *d)
{
	char name[100] = "localhost";

	if (gethostname(name, sizeof(name) - 1) == 0)
		snprintf(d->issuer, sizeof(d->issuer), "https://%s/", name);
}

static void fill_host(struct ay_engine *g, const struct ay_host *h, struct ay_claims *d)
{
	struct ay_uuid report;
	struct ay_saml_claims *c = &d->claims;
	struct ay_host_policy policy;

	fill_issuer(d);
	ay_uuid_format(&h->id, d->id);
	memcpy(report.b, h->report_id, sizeof(report.b));
	ay_uuid_format(&report, d->report_id);
	ay_hex_encode((struct ay_bytes){ h->identity.ak_name, h->identity.ak_name_n }, d->ak_name);
	c->quote_ms = h->attested_ms;
	c->verdict = ay_lease_verdict(&h->lease, g->now_ms);
	for (size_t i = 0; i < AY_COMPONENTS; i++) {
		c->component[i] = h->components[i];
		/* what has run out with the lease is not asserted */
		if (c->verdict == AY_UNKNOWN && c->component[i] == AY_TRUSTED)
			c->component[i] = AY_UNKNOWN;
		c->grade[i] = h->grades[i];
	}
	c->lease_ms = lease_of(g, h, c->verdict);
	c->issuer = d->issuer;
	c->host_id = d->id;
	c->host_name = h->name;
	c->host_address = or_null(h->dial.connect);
	c->identity_grade = or_null(h->identity.grade);
	c->ak_name = or_null(d->ak_name);
	ay_engine_host_policy(g, h, &policy);
	c->policy_name = policy.name;
	c->report_id = h->attested_ms ? d->report_id : NULL;
	c->engine = "assay " AY_VERSION;
}

static enum ay_rc read_stored(struct ay_engine *g, const struct ay_host *h, struct ay_claims *d,
			      struct ay_err *e)
{
	json_t *report = NULL;
	struct ay_err none;
	enum ay_rc rc = ay_store_host(g->store, &h->id, read_row, d, e);

	if (rc != AY_OK || ay_engine_report(g, h, &report, &none) != AY_OK)
		return rc;
	read_report(d, report);
	json_decref(report);
	keep(g, h, d);
	return AY_OK;
}

enum ay_rc ay_claims_gather(struct ay_engine *g, const struct ay_host *h, struct ay_claims *d,
			    struct ay_err *e)
{
	enum ay_rc rc = AY_OK;

	fill_host(g, h, d);
	if (!find_kept(g, h, d))
		rc = read_stored(g, h, d, e);
	d->claims.aik_certificate = d->aik;
	d->claims.aik_sha1 = or_null(d->aik_sha1);
	d->claims.tpm_version = or_null(d->tpm_version);
	d->claims.references = or_null(d->references);
	return rc;
}

void ay_claims_nobody(struct ay_engine *g, const char *name, struct ay_claims *d)
{
	fill_issuer(d);
	d->claims = (struct ay_saml_claims){ .verdict = AY_UNKNOWN,
					     .lease_ms = as_if_leased(g->now_ms, g->set.lease_ms),
					     .issuer = d->issuer,
					     .host_name = name,
					     .engine = "assay " AY_VERSION };
	for (size_t i = 0; i < AY_COMPONENTS; i++)
		d->claims.component[i] = AY_UNKNOWN;
}

void ay_claims_silent(struct ay_claims *d)
{
	struct ay_saml_claims *c = &d->claims;

	c->verdict = c->verdict == AY_TRUSTED ? AY_UNKNOWN : c->verdict;
	for (size_t i = 0; i < AY_COMPONENTS; i++)
		if (c->component[i] == AY_TRUSTED)
			c->component[i] = AY_UNKNOWN;
}

void ay_claims_fini(struct ay_claims *d)
{
	free(d->aik);
	d->aik = NULL;
}
