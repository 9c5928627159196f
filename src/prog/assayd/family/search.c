/* SPDX-License-Identifier: Apache-2.0 */
#include "prog/assayd/family/search.h"

#include "core/base/numbers.h"
#include "core/base/timetext.h"

#include <stdlib.h>

#define DAY_MS (INT64_C(24) * 3600 * 1000)

/* ---- what is asked ---- */

enum ay_rc ay_family_page(const struct ay_api_call *c, uint64_t otherwise,
			  struct ay_family_page *out, struct ay_err *e)
{
	uint64_t page = 1;
	enum ay_rc rc;

	*out = (struct ay_family_page){ .limit = otherwise };
	rc = ay_api_seconds(c, "limit", 100000, &out->limit, e);
	if (rc == AY_OK)
		rc = ay_api_seconds(c, "page", 1000000, &page, e);
	if (rc == AY_OK && (out->limit == 0 || page == 0))
		return ay_fail(e, AY_E_INPUT, "page", 0, "limit and page begin with 1");
	out->skip = (page - 1) * out->limit;
	return rc;
}

/* A day is whole: it begins, or as an end of a span it ends. */
static enum ay_rc instant(const struct ay_api_call *c, const char *name, bool is_end,
			  int64_t *out_ms, struct ay_err *e)
{
	struct ay_bytes text = ay_api_param(c, name);
	char day[32];
	enum ay_rc rc;

	if (text.n == 0)
		return AY_OK;
	if (text.n != 10)
		return ay_time_parse_iso(text, name, out_ms, e);
	snprintf(day, sizeof(day), "%.10sT00:00:00Z", (const char *)text.p);
	rc = ay_time_parse_iso(ay_bytes_of(day), name, out_ms, e);
	if (rc == AY_OK && is_end)
		*out_ms += DAY_MS - 1;
	return rc;
}

enum ay_rc ay_family_span(const struct ay_api_call *c, int64_t *from_ms, int64_t *to_ms,
			  struct ay_err *e)
{
	struct ay_bytes days = ay_api_param(c, "numberOfDays");
	uint64_t n = 0;
	enum ay_rc rc = AY_OK;

	*from_ms = *to_ms = 0;
	if (days.n > 0)
		rc = ay_number_parse(days, "numberOfDays", 36500, &n, e);
	if (rc == AY_OK && n > 0)
		*from_ms = c->api->now_ms - (int64_t)n * DAY_MS;
	if (rc == AY_OK)
		rc = instant(c, "fromDate", false, from_ms, e);
	if (rc == AY_OK)
		rc = instant(c, "toDate", true, to_ms, e);
	return rc;
}

bool ay_family_truth(const struct ay_api_call *c, const char *name, bool otherwise)
{
	struct ay_bytes v = ay_api_param(c, name);

	if (v.n == 4 && strncasecmp((const char *)v.p, "true", 4) == 0)
		return true;
	return !(v.n == 5 && strncasecmp((const char *)v.p, "false", 5) == 0) && otherwise;
}

static bool is_id(const struct ay_host *h, struct ay_bytes text)
{
	char id[AY_UUID_TEXT];

	ay_uuid_format(&h->id, id);
	return text.n == sizeof(id) - 1 && strncasecmp(id, (const char *)text.p, text.n) == 0;
}

static bool has_aik(struct ay_api_call *c, const struct ay_host *h, struct ay_bytes v)
{
	char sha1[41];

	free(ay_family_aik(c, h, sha1));
	return v.n == 40 && strncasecmp(sha1, (const char *)v.p, 40) == 0;
}

static bool meets(struct ay_api_call *c, const struct ay_host *h, const char *name,
		  struct ay_bytes v)
{
	if (strcmp(name, "nameEqualTo") == 0 || strcmp(name, "hostName") == 0)
		return ay_bytes_eq(v, ay_bytes_of(h->name));
	if (strcmp(name, "nameContains") == 0)
		return strstr(h->name, (const char *)v.p) != NULL;
	if (strcmp(name, "trusted") == 0)
		return ay_bytes_eq(v, ay_bytes_of("true")) == ay_family_trust_of(c, h).whole;
	if (strcmp(name, "hostStatus") == 0)
		return ay_bytes_eq(v, ay_bytes_of(ay_family_host_state(h)));
	return strncmp(name, "aik", 3) == 0 ? has_aik(c, h, v) : is_id(h, v);
}

bool ay_family_wanted(struct ay_api_call *c, const struct ay_host *h, bool is_host)
{
	static const char *const names[] = {
		"nameEqualTo", "nameContains", "hostName",	 "host_id",	  "hostId",
		"host_uuid",   "hostUuid",     "hostHardwareId", "hardware_uuid", "trusted",
		"hostStatus",  "aik_sha1",     "aikSha1",	 "aik",		  "id"
	};

	for (size_t i = 0; i + !is_host < AY_COUNT(names); i++) {
		struct ay_bytes v = ay_api_param(c, names[i]);

		if (v.n > 0 && !meets(c, h, names[i], v))
			return false;
	}
	return true;
}

/* ---- one attestation ---- */

void ay_family_attestation_now(struct ay_api_call *c, const struct ay_host *h, const json_t *report,
			       struct ay_family_attestation *out)
{
	bool shown = ay_lease_verdict(&h->lease, c->api->now_ms) != AY_UNKNOWN;

	*out = (struct ay_family_attestation){
		.h = h,
		.row = { .host = h->id,
			 .at_ms = h->attested_ms,
			 .lease_until_ms = h->lease.until_ms,
			 .verdict = ay_lease_verdict(&h->lease, c->api->now_ms) },
		.report = report,
		.trust = ay_family_trust_of(c, h),
	};
	memcpy(out->row.report.b, h->report_id, sizeof(out->row.report.b));
	for (size_t i = 0; i < AY_COMPONENTS; i++)
		out->components[i] = shown ? h->components[i] : AY_UNKNOWN;
}

static enum ay_verdict component_then(const json_t *report, enum ay_component part)
{
	const json_t *of =
		json_object_get(json_object_get(report, "components"), ay_component_name(part));
	const char *verdict = json_string_value(json_object_get(of, "verdict"));

	for (int v = AY_TRUSTED; verdict != NULL && v > AY_UNTRUSTED; v--)
		if (strcmp(verdict, ay_verdict_name((enum ay_verdict)v)) == 0)
			return (enum ay_verdict)v;
	return verdict == NULL ? AY_UNKNOWN : AY_UNTRUSTED;
}

/* What was said then, by the same rule as for now. */
static void attestation_then(const struct ay_host *h, const struct ay_kept_row *row,
			     const json_t *report, struct ay_family_attestation *out)
{
	*out = (struct ay_family_attestation){ .h = h, .row = *row, .report = report };
	for (size_t i = 0; i < AY_COMPONENTS; i++)
		out->components[i] = (uint8_t)component_then(report, (enum ay_component)i);
	out->trust = ay_family_trust_by(row->verdict, out->components);
}

enum ay_rc ay_family_attestation_of(struct ay_api_call *c, const struct ay_host *h,
				    const struct ay_kept_row *row, json_t **report,
				    struct ay_family_attestation *out, struct ay_err *e)
{
	enum ay_rc rc = ay_engine_kept_report(c->api->engine, row->seq, report, e);

	if (rc != AY_OK)
		return rc;
	if (memcmp(h->report_id, row->report.b, sizeof(row->report.b)) == 0)
		ay_family_attestation_now(c, h, *report, out);
	else
		attestation_then(h, row, *report, out);
	return AY_OK;
}

/* ---- finding ---- */

const struct ay_host *ay_family_kept_find(struct ay_api_call *c, struct ay_bytes id,
					  struct ay_kept_row *out, struct ay_err *e)
{
	char host[AY_UUID_TEXT];
	const struct ay_host *h = NULL;
	struct ay_uuid report;
	enum ay_rc rc = ay_uuid_parse(id, "id", &report, e);

	if (rc == AY_OK)
		rc = ay_engine_kept_find(c->api->engine, &report, out, e);
	if (rc == AY_OK) {
		ay_uuid_format(&out->host, host);
		h = ay_api_host_find(c, ay_bytes_of(host));
	}
	if (h == NULL && (rc == AY_OK || rc == AY_E_NOENT || rc == AY_E_INPUT))
		ay_err_set(e, AY_E_NOENT, "id", 0, "there is no such report, or it is not kept");
	return h;
}

/* At most one: "id" names it. */
static enum ay_rc search_id(struct ay_api_call *c, struct ay_kept_row *out, size_t *n,
			    struct ay_err *e)
{
	const struct ay_host *h = ay_family_kept_find(c, ay_api_param(c, "id"), out, e);

	*n = h != NULL && ay_family_wanted(c, h, false);
	return h == NULL && e->rc != AY_E_NOENT ? e->rc : AY_OK;
}

/* Hosts of the caller that the query wants; *all is the caller's to free. */
static bool wanted_hosts(struct ay_api_call *c, const struct ay_host ***all, size_t *n)
{
	const struct ay_host *h, **more;
	size_t room = 0, at = 0;

	while ((h = ay_api_host_next(c, &at)) != NULL) {
		if (h->attested_ms == 0 || !ay_family_wanted(c, h, false))
			continue;
		if (*n == room) {
			room = room == 0 ? 64 : 2 * room;
			more = reallocarray(*all, room, sizeof(**all));
			if (more == NULL)
				return false;
			*all = more;
		}
		(*all)[(*n)++] = h;
	}
	return true;
}

enum ay_rc ay_family_search(struct ay_api_call *c, uint64_t limit, bool latest,
			    struct ay_kept_row **out, size_t *n, struct ay_err *e)
{
	struct ay_kept_ask ask = { .latest = ay_family_truth(c, "latestPerHost", latest) };
	struct ay_family_page page;
	const struct ay_host **hosts = NULL;
	enum ay_rc rc = ay_family_page(c, limit, &page, e);

	*out = NULL;
	*n = 0;
	if (rc == AY_OK)
		rc = ay_family_span(c, &ask.from_ms, &ask.to_ms, e);
	if (rc != AY_OK)
		return rc;
	ask.skip = page.skip;
	ask.limit = page.limit < AY_MAX_HISTORY_WALK ? page.limit : AY_MAX_HISTORY_WALK;
	*out = calloc(ask.limit, sizeof(**out));
	if (*out == NULL || !wanted_hosts(c, &hosts, &ask.n_hosts))
		rc = ay_fail(e, AY_E_NOMEM, "search", 0, "out of memory");
	else if (ay_api_param(c, "id").n > 0)
		rc = search_id(c, *out, n, e);
	ask.host = hosts;
	if (rc == AY_OK && ay_api_param(c, "id").n == 0)
		rc = ay_engine_kept(c->api->engine, &ask, *out, n, e);
	free(hosts);
	if (rc != AY_OK) {
		free(*out);
		*out = NULL;
	}
	return rc;
}
