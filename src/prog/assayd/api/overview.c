/* SPDX-License-Identifier: Apache-2.0 */
/* /overview, /metrics, /config, /version, /healthz, /readyz: from kept counters, never a scan. */
#include "prog/assayd/api/call.h"

#include <stdarg.h>
#include <stdio.h>

static json_t *missed_json(const struct ay_engine *g)
{
	json_t *list = json_array();
	struct ay_deadline_misses m;

	for (size_t i = 0; ay_engine_deadline_misses(g, i, &m); i++)
		json_array_append_new(list, json_pack("{s:s, s:I, s:I}", "policy", m.policy, "late",
						      (json_int_t)m.late, "silent",
						      (json_int_t)m.silent));
	return list;
}

static json_t *schedule_json(const struct ay_engine *g, const struct ay_overview *o)
{
	return json_pack("{s:b, s:I, s:I, s:I, s:I, s:I, s:o}", "overloaded", o->overloaded,
			 "waiting", (json_int_t)o->waiting, "longest_wait_ms",
			 (json_int_t)o->longest_wait_ms, "due_per_s", (json_int_t)o->due_per_s,
			 "served_per_s", (json_int_t)o->served_per_s, "late",
			 (json_int_t)o->overdue, "missed", missed_json(g));
}

static json_t *service_json(const struct ay_overview *o)
{
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "attestations",
			 (json_int_t)o->attestations, "accepted", (json_int_t)o->accepted,
			 "rejected", (json_int_t)o->rejected, "deadlines_missed",
			 (json_int_t)o->late, "enrolments", (json_int_t)o->enrolments,
			 "enrolment_failures", (json_int_t)o->enrolment_failures, "protocol_errors",
			 (json_int_t)o->protocol_errors);
}

/* Counted now, not kept: only for somebody whose role is limited to some hosts. */
static void count_his(struct ay_api_call *c, struct ay_overview *o)
{
	const struct ay_host *h;
	size_t at = 0;

	*o = (struct ay_overview){ 0 };
	while ((h = ay_api_host_next(c, &at)) != NULL) {
		if (h->state == AY_HOST_RETIRED)
			continue;
		o->hosts++;
		o->state[h->state]++;
		o->connected += h->connected;
		if (h->state == AY_HOST_ENROLLED)
			o->verdict[h->lease.verdict]++;
	}
}

void ay_api_overview_show(struct ay_api_call *c)
{
	bool all = ay_may(&c->who, c->route->perm);
	struct ay_overview o;
	json_t *body;

	if (AY_CHECKED("OVERVIEW_SCOPE", !all))
		count_his(c, &o);
	else
		ay_engine_overview(c->api->engine, &o);
	body = json_pack("{s:o, s:b, s:{s:I, s:I, s:I, s:I, s:I, s:I}}", "at",
			 ay_api_time(c->api->now_ms), "limited", (int)!all, "hosts", "total",
			 (json_int_t)o.hosts, "trusted", (json_int_t)o.verdict[AY_TRUSTED],
			 "untrusted", (json_int_t)o.verdict[AY_UNTRUSTED], "unknown",
			 (json_int_t)o.verdict[AY_UNKNOWN], "connected", (json_int_t)o.connected,
			 "enrolled", (json_int_t)o.state[AY_HOST_ENROLLED]);
	if (all) { /* what the server does for all hosts says something of others' */
		json_object_set_new(body, "service", service_json(&o));
		json_object_set_new(body, "schedule", schedule_json(c->api->engine, &o));
	}
	json_object_set_new(body, "warnings",
			    all ? ay_engine_warnings(c->api->engine) : json_array());
	ay_api_json(c, 200, body);
}

static void line(FILE *f, const char *name, const char *kind, const char *doc, uint64_t value)
{
	fprintf(f, "# HELP assay_%s %s\n# TYPE assay_%s %s\nassay_%s %llu\n", name, doc, name, kind,
		name, (unsigned long long)value);
}

static void fleet_lines(FILE *f, const struct ay_overview *o)
{
	line(f, "hosts", "gauge", "hosts that are not retired", o->hosts);
	line(f, "hosts_connected", "gauge", "hosts connected now", o->connected);
	fputs("# HELP assay_host_verdicts enrolled hosts by verdict\n"
	      "# TYPE assay_host_verdicts gauge\n",
	      f);
	for (int v = AY_UNTRUSTED; v <= AY_TRUSTED; v++)
		fprintf(f, "assay_host_verdicts{verdict=\"%s\"} %llu\n",
			ay_verdict_name((enum ay_verdict)v), (unsigned long long)o->verdict[v]);
	line(f, "challenges_total", "counter", "challenges sent", o->challenges);
	line(f, "attestations_total", "counter", "attestations settled", o->attestations);
	line(f, "attestations_accepted_total", "counter", "settled with verdict trusted",
	     o->accepted);
	line(f, "attestations_rejected_total", "counter", "settled with verdict untrusted",
	     o->rejected);
	line(f, "challenges_late_total", "counter", "challenges that got no answer in time",
	     o->late);
	line(f, "challenges_stale_total", "counter", "answers to no challenge in force", o->stale);
	line(f, "protocol_errors_total", "counter", "connections that broke the protocol",
	     o->protocol_errors);
	line(f, "enrolments_total", "counter", "hosts enrolled", o->enrolments);
	line(f, "enrolment_failures_total", "counter", "enrolments refused", o->enrolment_failures);
}

static void print_label(FILE *f, const char *text)
{
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			fputc('\\', f);
		fputc(*text == '\n' ? ' ' : *text, f);
	}
}

static void schedule_lines(FILE *f, const struct ay_engine *g, const struct ay_overview *o)
{
	struct ay_deadline_misses m;

	line(f, "overloaded", "gauge", "1: there is not time to attest all hosts", o->overloaded);
	line(f, "hosts_waiting", "gauge", "hosts that wait to be asked", o->waiting);
	line(f, "longest_wait_milliseconds", "gauge", "longest wait in the last second",
	     o->longest_wait_ms);
	line(f, "asked_late_total", "counter", "hosts asked after their deadline", o->overdue);
	fputs("# HELP assay_deadline_misses_total evidence became older than the policy allows\n"
	      "# TYPE assay_deadline_misses_total counter\n",
	      f);
	for (size_t i = 0; ay_engine_deadline_misses(g, i, &m); i++) {
		fputs("assay_deadline_misses_total{policy=\"", f);
		print_label(f, m.policy);
		fprintf(f, "\",cause=\"late\"} %llu\n", (unsigned long long)m.late);
		fputs("assay_deadline_misses_total{policy=\"", f);
		print_label(f, m.policy);
		fprintf(f, "\",cause=\"silent\"} %llu\n", (unsigned long long)m.silent);
	}
}

static void store_lines(FILE *f, const struct ay_store_stats *s)
{
	line(f, "store_commits_total", "counter", "commits", s->commits);
	line(f, "store_transactions_total", "counter", "transactions", s->transactions);
	line(f, "store_refused_total", "counter", "transactions refused", s->refused);
	line(f, "store_queued", "gauge", "transactions that wait for the disk", s->queued);
	line(f, "store_bytes", "gauge", "size of the database file", s->database_bytes);
}

static void key_lines(FILE *f, struct ay_engine *g)
{
	AY_CLEANUP(ay_json_unref) json_t *all = NULL;
	const json_t *k;
	int64_t at_ms;
	size_t i;

	if (ay_engine_keys(g, &all, NULL) != AY_OK)
		return;
	fputs("# HELP assay_key_expires_seconds when a certificate of the server ends, since 1970\n"
	      "# TYPE assay_key_expires_seconds gauge\n",
	      f);
	json_array_foreach (all, i, k) {
		const char *until = json_string_value(json_object_get(k, "until"));

		if (until == NULL ||
		    ay_time_parse(ay_bytes_of(until), "until", &at_ms, NULL) != AY_OK)
			continue;
		fprintf(f, "assay_key_expires_seconds{key=\"%s\"} %lld\n",
			json_string_value(json_object_get(k, "name")), (long long)(at_ms / 1000));
	}
}

static void api_lines(FILE *f, const struct ay_api_metrics *m)
{
#define X(name, kind, doc) line(f, "api_" #name, #kind, doc, m->name);
#include "prog/assayd/api/metrics.def"
#undef X
}

void ay_api_metrics_show(struct ay_api_call *c)
{
	struct ay_store_stats stats;
	struct ay_overview o;
	char text[32768];
	FILE *f = fmemopen(text, sizeof(text), "w");
	long n = 0;

	ay_engine_overview(c->api->engine, &o);
	ay_store_stats(c->api->store, &stats);
	if (f != NULL) {
		fleet_lines(f, &o);
		schedule_lines(f, c->api->engine, &o);
		store_lines(f, &stats);
		key_lines(f, c->api->engine);
		api_lines(f, &c->api->metrics);
		fflush(f);
		n = ftell(f);
		fclose(f);
	}
	ay_api_bytes(c, 200, "text/plain; version=0.0.4",
		     (struct ay_bytes){ (const uint8_t *)text, n < 0 ? 0 : (size_t)n });
}

void ay_api_config_show(struct ay_api_call *c)
{
	struct ay_err e = { 0 };
	json_t *all = NULL;

	if (!ay_api_refused(c, ay_engine_config(c->api->engine, &all, &e), &e))
		ay_api_array(c, all);
}

void ay_api_version_show(struct ay_api_call *c)
{
	ay_api_json(c, 200, json_pack("{s:s, s:s}", "version", AY_VERSION, "api", "v1"));
}

void ay_api_health_show(struct ay_api_call *c)
{
	ay_api_bytes(c, 200, "text/plain", ay_bytes_of("ok\n"));
}

void ay_api_ready_show(struct ay_api_call *c)
{
	struct ay_store_stats stats;

	ay_store_stats(c->api->store, &stats);
	ay_api_bytes(c, stats.replaced ? 503 : 200, "text/plain",
		     ay_bytes_of(stats.replaced ? "not ready\n" : "ready\n"));
}
