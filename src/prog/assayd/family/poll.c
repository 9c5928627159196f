/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PollHosts: what a scheduler asks about all its hosts at once
 * (facts/mtwilson.md 2.2). It is answered from kept state; only who says how
 * old a result may be (OAT1, timeThreshold) makes hosts attest.
 */
#include "prog/assayd/family/poll.h"

#include <stdlib.h>

enum { ASK_MS = 10000 };

/* Hosts of one request that are asked now. */
struct poll {
	struct ay_api_call *call;
	int64_t max_age_ms; /* -1: any */
	uint32_t mask;	    /* PCRs to be shown */
	size_t n_asked;
	bool is_asking; /* the request is still being gone through */
};

const char *ay_poll_time(int64_t at_ms, char out[AY_POLL_TIME])
{
	static const char zone[] = "+0000";
	char second[AY_TIME_ROOM];
	int ms = (int)(at_ms % 1000);

	ay_time_format(at_ms - ms, second); /* ends with Z */
	memcpy(out, second, 19);
	out[19] = '.';
	out[20] = (char)('0' + ms / 100);
	out[21] = (char)('0' + ms / 10 % 10);
	out[22] = (char)('0' + ms % 10);
	memcpy(out + 23, zone, sizeof(zone));
	return out;
}

static bool is_stale(const struct poll *p, const struct ay_host *h)
{
	return p->max_age_ms >= 0 &&
	       (h->attested_ms == 0 || p->call->api->now_ms - h->attested_ms > p->max_age_ms);
}

/* The whole verdict of the host; what only a fresh result would do for is no more than unknown. */
static const char *level(const struct poll *p, const struct ay_host *h)
{
	enum ay_verdict v;

	if (h == NULL || h->state != AY_HOST_ENROLLED)
		return "unknown";
	v = ay_lease_verdict(&h->lease, p->call->api->now_ms);
	if (v == AY_UNTRUSTED)
		return "untrusted";
	if (AY_CHECKED("POLL_STALE", is_stale(p, h)))
		return "timeout";
	return v == AY_TRUSTED ? "trusted" : "unknown";
}

/* [{"number":17,"value":hex}] in the first bank that has them. */
static void write_values(const struct poll *p, const struct ay_host *h, struct ay_json_out *o)
{
	struct ay_pcrs pcrs;
	const struct ay_pcr_bank *bank;

	if (!ay_engine_host_pcrs(p->call->api->engine, h, &pcrs))
		return;
	bank = ay_pcrs_find(&pcrs, AY_ALG_SHA256);
	bank = bank != NULL ? bank : &pcrs.bank[0];
	for (unsigned n = 0; pcrs.n_banks > 0 && n < AY_PCR_COUNT; n++) {
		if (((p->mask & bank->have) >> n & 1) == 0)
			continue;
		ay_jo_open(o, '{');
		ay_jo_key(o, "number");
		ay_jo_int(o, n);
		ay_jo_key(o, "value");
		ay_jo_hex(o, ay_pcrs_value(&pcrs, bank->alg, n));
		ay_jo_close(o, '}');
	}
}

/* One row; the name is told as it was asked. */
static void write_host(const struct poll *p, const char *name, struct ay_json_out *o)
{
	struct ay_api_call *c = p->call;
	const struct ay_host *h = ay_api_host_find(c, ay_bytes_of(name));
	int64_t at = h == NULL || h->attested_ms == 0 ? c->api->now_ms : h->attested_ms;
	const char *lvl = level(p, h);
	char time[AY_POLL_TIME];

	ay_jo_open(o, '{');
	ay_jo_key(o, "host_name");
	ay_jo_text(o, name);
	ay_jo_key(o, "trust_lvl");
	ay_jo_text(o, lvl);
	ay_jo_key(o, "vtime");
	ay_jo_text(o, ay_poll_time(at, time));
	if (p->mask != 0 && h != NULL && strcmp(lvl, "unknown") != 0) {
		ay_jo_key(o, "pcr_values");
		ay_jo_open(o, '[');
		write_values(p, h, o);
		ay_jo_close(o, ']');
	}
	ay_jo_close(o, '}');
}

static void write_answer(const struct poll *p, struct ay_json_out *o)
{
	json_t *name, *hosts = json_object_get(p->call->body, "hosts");
	size_t i;

	ay_jo_open(o, '{');
	ay_jo_key(o, "hosts");
	ay_jo_open(o, '[');
	json_array_foreach (hosts, i, name)
		write_host(p, json_string_value(name), o);
	ay_jo_close(o, ']');
	ay_jo_close(o, '}');
}

static void finish(struct poll *p)
{
	struct ay_api_call *c = p->call;
	struct ay_json_out o = { 0 };
	struct ay_bytes text;
	struct ay_err e;

	write_answer(p, &o);
	text = ay_jo_end(&o);
	c->left = NULL;
	c->state = NULL;
	free(p);
	if (text.n > 0) {
		ay_api_bytes(c, 200, "application/json", text);
	} else {
		ay_err_set(&e, AY_E_NOMEM, "answer", 0, "out of memory");
		ay_api_problem(c, &e);
	}
	ay_jo_fini(&o);
}

static void asked(void *arg, enum ay_rc rc, const struct ay_err *e, const struct ay_host *h)
{
	struct poll *p = arg;

	(void)rc, (void)e, (void)h; /* what is kept of the host says it all */
	if (--p->n_asked == 0 && !p->is_asking)
		finish(p);
}

static void client_left(struct ay_api_call *c)
{
	struct poll *p = c->state;

	ay_engine_attest_forget(c->api->engine, p);
	c->left = NULL;
	c->state = NULL;
	free(p);
	if (c->gone)
		ay_api_empty(c, 204); /* nobody hears it; ends the call */
}

static void ask_stale(struct poll *p)
{
	json_t *name, *hosts = json_object_get(p->call->body, "hosts");
	size_t i;
	struct ay_err e;

	p->is_asking = true;
	json_array_foreach (hosts, i, name) {
		const struct ay_host *h =
			ay_api_host_find(p->call, ay_bytes_of(json_string_value(name)));

		if (h == NULL || !is_stale(p, h))
			continue;
		p->n_asked++;
		if (ay_engine_attest(p->call->api->engine, h, ASK_MS, asked, p, &e) != AY_OK)
			p->n_asked--; /* not enrolled, or not there: it is told as it is */
	}
	p->is_asking = false;
}

static bool read_mask(const char *hex, uint32_t *out)
{
	char *end;
	unsigned long long n;

	*out = 0;
	if (hex == NULL || hex[0] == '\0')
		return true;
	if (strlen(hex) > 8 || strspn(hex, "0123456789abcdefABCDEF") != strlen(hex))
		return false;
	n = strtoull(hex, &end, 16);
	*out = (uint32_t)n & AY_PCR_ASKED;
	return true;
}

static enum ay_rc bad(struct ay_err *e, const char *member, const char *why)
{
	return ay_fail_code(e, AY_E_INPUT, "MISSING_INPUT", member, "%s: %s", member, why);
}

static enum ay_rc read_request(struct ay_api_call *c, struct poll *p, struct ay_err *e)
{
	const json_t *hosts = json_object_get(c->body, "hosts"), *name;
	const json_t *age = json_object_get(c->body, "timeThreshold");
	size_t i;

	p->max_age_ms = -1;
	if (!json_is_array(hosts))
		return bad(e, "hosts", "an array of host names is needed");
	json_array_foreach (hosts, i, name)
		if (!json_is_string(name))
			return bad(e, "hosts", "a host name is no text");
	if (c->dialect != AY_DIALECT_OAT1)
		return AY_OK;
	if (json_is_integer(age) && json_integer_value(age) >= 0)
		p->max_age_ms = json_integer_value(age);
	else if (age != NULL && !json_is_null(age))
		return bad(e, "timeThreshold", "a number of milliseconds is needed");
	if (!read_mask(json_string_value(json_object_get(c->body, "PCRmask")), &p->mask))
		return bad(e, "PCRmask", "at most 8 hexadecimal digits");
	return AY_OK;
}

void ay_oat_poll(struct ay_api_call *c)
{
	struct poll *p = calloc(1, sizeof(*p));
	struct ay_err e = { 0 };
	enum ay_rc rc = p == NULL ? ay_fail(&e, AY_E_NOMEM, "poll", 0, "out of memory")
				  : read_request(c, p, &e);

	if (ay_api_refused(c, rc, &e)) {
		free(p);
		return;
	}
	p->call = c;
	c->state = p;
	c->left = client_left;
	if (p->max_age_ms >= 0)
		ask_stale(p);
	if (p->n_asked == 0)
		finish(p);
}
