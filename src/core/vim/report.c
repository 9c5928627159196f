/* SPDX-License-Identifier: Apache-2.0 */
#include "core/vim/report.h"

#include "core/base/timetext.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EVENTS_MAX = 4096, TEXT_MAX = 1024 };

static enum ay_rc bad(struct ay_err *e, const char *what)
{
	return ay_fail_code(e, AY_E_INPUT, "MANAGER_ANSWER", "manager",
			    "%s of the manager's answer cannot be read", what);
}

/* ---- facts of a host ---- */

/* Fractions of a second in any number of digits: three are kept. */
static void cut_fraction(char *text)
{
	char *dot = strchr(text, '.'), *end = dot;
	size_t n;

	if (dot == NULL)
		return;
	for (end++; *end >= '0' && *end <= '9'; end++)
		;
	n = (size_t)(end - dot) - 1;
	if (n > 3)
		memmove(dot + 4, end, strlen(end) + 1);
	else if (n < 3)
		memmove(dot, end, strlen(end) + 1);
}

static int64_t instant(const xmlNode *n)
{
	char text[48];
	int64_t at;

	if (ay_vim_text(n, text, sizeof(text)))
		cut_fraction(text);
	if (text[0] == '\0' ||
	    ay_time_parse_iso(ay_bytes_of(text), "time", &at, NULL) != AY_OK)
		return 0;
	return at;
}

static void read_status(const xmlNode *n, struct ay_vim_host *h)
{
	char status[32];

	if (n == NULL)
		return;
	h->facts.attested_ms = instant(ay_vim_child(n, "time"));
	if (!ay_vim_text(ay_vim_child(n, "status"), status, sizeof(status)))
		return;
	/* a word that we do not know is no acceptance */
	h->facts.status =
		strcmp(status, "accepted") == 0 ? AY_MANAGED_ACCEPTED : AY_MANAGED_REFUSED;
	(void)!ay_vim_text(ay_vim_child(ay_vim_child(n, "message"), "message"), h->message,
			   sizeof(h->message));
}

struct one_host {
	struct ay_vim_host *h;
	size_t n;
	bool ok;
};

static void take_host(void *arg, const struct ay_vim_object *o)
{
	struct one_host *one = arg;
	struct ay_vim_host *h = one->h;
	const xmlNode *product = ay_vim_property(o, "summary.config.product");
	char uuid[64], state[32];

	one->n++;
	if (!ay_vim_text(ay_vim_property(o, "hardware.systemInfo.uuid"), uuid, sizeof(uuid)) ||
	    ay_uuid_parse(ay_bytes_of(uuid), "uuid", &h->facts.id, NULL) != AY_OK)
		return;
	one->ok = true;
	h->connected =
		ay_vim_text(ay_vim_property(o, "runtime.connectionState"), state, sizeof(state)) &&
		strcmp(state, "connected") == 0;
	h->facts.boot_ms = instant(ay_vim_property(o, "runtime.bootTime"));
	(void)!ay_vim_text(ay_vim_child(product, "name"), h->product, sizeof(h->product));
	(void)!ay_vim_text(ay_vim_child(product, "version"), h->version, sizeof(h->version));
	(void)!ay_vim_text(ay_vim_child(product, "build"), h->build, sizeof(h->build));
	read_status(ay_vim_property(o, "summary.tpmAttestation"), h);
}

enum ay_rc ay_vim_host_parse(struct ay_bytes text, struct ay_vim_host *out, struct ay_err *e)
{
	struct one_host one = { .h = out };
	char token[AY_VIM_ID];
	enum ay_rc rc;

	memset(out, 0, sizeof(*out));
	rc = ay_vim_objects_parse(text, "RetrievePropertiesEx", take_host, &one, token, e);
	if (rc == AY_OK && (one.n != 1 || !one.ok))
		rc = bad(e, one.n == 1 ? "hardware.systemInfo.uuid" : "the one host");
	if (rc != AY_OK)
		memset(out, 0, sizeof(*out));
	else
		out->facts.message = ay_bytes_of(out->message);
	return rc;
}

/* ---- digests ---- */

static bool octet(const xmlNode *n, uint8_t *out)
{
	char text[8], *rest;
	long v;

	if (!ay_vim_text(n, text, sizeof(text)))
		return false;
	v = strtol(text, &rest, 10);
	if (*rest != '\0' || rest == text || v < -128 || v > 127)
		return false;
	*out = (uint8_t)v;
	return true;
}

/* Repeated elements of signed octets; *n of them, at most AY_DIGEST_MAX. */
static bool octets(const xmlNode *first, uint8_t out[AY_DIGEST_MAX], size_t *n)
{
	*n = 0;
	for (const xmlNode *c = first; c != NULL; c = ay_vim_like(c))
		if (*n == AY_DIGEST_MAX || !octet(c, &out[(*n)++]))
			return false;
	return true;
}

static uint16_t bank_of(const xmlNode *n)
{
	static const struct {
		const char *name;
		uint16_t alg;
	} names[] = { { "SHA1", AY_ALG_SHA1 },	   { "SHA-1", AY_ALG_SHA1 },
		      { "SHA256", AY_ALG_SHA256 }, { "SHA-256", AY_ALG_SHA256 },
		      { "SHA384", AY_ALG_SHA384 }, { "SHA-384", AY_ALG_SHA384 },
		      { "SHA512", AY_ALG_SHA512 }, { "SHA-512", AY_ALG_SHA512 } };
	char text[16];

	if (!ay_vim_text(n, text, sizeof(text)))
		return 0;
	for (size_t i = 0; i < AY_COUNT(names); i++)
		if (strcmp(text, names[i].name) == 0)
			return names[i].alg;
	return 0;
}

/* vCenter 6.5 gives a value of nothing but zeros in a length of its own. */
static bool fit(uint16_t alg, uint8_t d[AY_DIGEST_MAX], size_t n)
{
	size_t want = ay_alg_digest_size(alg);

	if (n == want)
		return true;
	for (size_t i = 0; i < n; i++)
		if (d[i] != 0)
			return false;
	memset(d, 0, AY_DIGEST_MAX);
	return n >= 20;
}

static bool number(const xmlNode *n, uint32_t max, uint32_t *out)
{
	char text[16], *rest;
	unsigned long v;

	if (!ay_vim_text(n, text, sizeof(text)) || text[0] < '0' || text[0] > '9')
		return false;
	v = strtoul(text, &rest, 10);
	*out = (uint32_t)v;
	return *rest == '\0' && v <= max;
}

static enum ay_rc read_value(const xmlNode *v, struct ay_pcrs *out, struct ay_err *e)
{
	uint16_t alg = bank_of(ay_vim_child(v, "digestMethod"));
	uint8_t d[AY_DIGEST_MAX] = { 0 };
	uint32_t pcr;
	size_t n;

	if (!number(ay_vim_child(v, "pcrNumber"), AY_PCR_COUNT - 1, &pcr))
		return bad(e, "pcrNumber");
	if ((AY_PCR_ASKED >> pcr & 1) == 0)
		return AY_OK; /* software may reset it: never judged */
	if (alg == 0)
		return bad(e, "digestMethod of a PCR");
	if (!octets(ay_vim_child(v, "digestValue"), d, &n) || !fit(alg, d, n))
		return bad(e, "digestValue");
	if (ay_pcrs_value(out, alg, pcr).n > 0)
		return bad(e, "a PCR that stands twice");
	return ay_pcrs_set(out, alg, pcr, (struct ay_bytes){ d, ay_alg_digest_size(alg) }, e);
}

/* ---- events ---- */

/* The words of an event by its type; what stands in them no digest covers. */
static void describe(const xmlNode *d, struct ay_reported_event *ev, char text[TEXT_MAX])
{
	static const struct {
		const char *type;
		uint32_t kind;
		const char *label, *member[4];
	} kinds[] = {
		{ "HostTpmSoftwareComponentEventDetails",
		  AY_EV_REPORTED_SOFTWARE,
		  "module",
		  { "componentName", "vibName", "vibVersion", "vibVendor" } },
		{ "HostTpmCommandEventDetails",
		  AY_EV_REPORTED_COMMAND,
		  "command line",
		  { "commandLine" } },
		{ "HostTpmOptionEventDetails",
		  AY_EV_REPORTED_OPTION,
		  "boot options",
		  { "optionsFileName" } },
		{ "HostTpmBootSecurityOptionEventDetails",
		  AY_EV_REPORTED_SECURITY,
		  "security option",
		  { "bootSecurityOption" } },
		{ "HostTpmVersionEventDetails", AY_EV_REPORTED_OTHER, "version", { "version" } },
		{ "HostTpmSignerEventDetails",
		  AY_EV_REPORTED_OTHER,
		  "signer",
		  { "certificateAuthority" } },
	};
	char type[64] = "", word[512];
	size_t at;

	ev->type = AY_EV_REPORTED_OTHER;
	(void)!ay_vim_type(d, type, sizeof(type));
	at = (size_t)snprintf(text, TEXT_MAX, "%s", type);
	for (size_t i = 0; i < AY_COUNT(kinds); i++) {
		if (strcmp(type, kinds[i].type) != 0)
			continue;
		ev->type = kinds[i].kind;
		at = (size_t)snprintf(text, TEXT_MAX, "%s", kinds[i].label);
		for (size_t k = 0; k < AY_COUNT(kinds[i].member) && kinds[i].member[k]; k++)
			if (ay_vim_text(ay_vim_child(d, kinds[i].member[k]), word, sizeof(word)) &&
			    at + strlen(word) + 1 < TEXT_MAX)
				at += (size_t)snprintf(text + at, TEXT_MAX - at, " %s", word);
	}
	ev->text = (struct ay_bytes){ (const uint8_t *)text, at };
}

/* TPM 1.2 has no dataHashMethod: SHA-1. */
static enum ay_rc read_event(const xmlNode *n, struct ay_reported_event *ev, char text[TEXT_MAX],
			     struct ay_err *e)
{
	const xmlNode *d = ay_vim_child(n, "eventDetails");
	const xmlNode *method = ay_vim_child(d, "dataHashMethod");
	size_t len;

	memset(ev, 0, sizeof(*ev));
	ev->bank = method == NULL ? AY_ALG_SHA1 : bank_of(method);
	if (!number(ay_vim_child(n, "pcrIndex"), AY_PCR_COUNT - 1, &ev->pcr))
		return bad(e, "pcrIndex");
	if (ev->bank == 0)
		return bad(e, "dataHashMethod");
	if (!octets(ay_vim_child(d, "dataHash"), ev->digest, &len) ||
	    len != ay_alg_digest_size(ev->bank))
		return bad(e, "dataHash");
	describe(d, ev, text);
	return AY_OK;
}

/* Banks in the order that they come up. */
static bool add_bank(uint16_t banks[AY_BANKS_MAX], size_t *n, uint16_t alg)
{
	for (size_t i = 0; i < *n; i++)
		if (banks[i] == alg)
			return true;
	if (*n == AY_BANKS_MAX)
		return false;
	banks[(*n)++] = alg;
	return true;
}

struct events {
	size_t n, text_n;
	uint16_t bank[AY_BANKS_MAX];
	size_t n_banks;
};

/* Two walks: which banks and how long, then the log itself; w NULL in the first. */
static enum ay_rc walk(const xmlNode *first, struct events *s, struct ay_writer *w,
		       struct ay_err *e)
{
	struct ay_reported_event ev;
	char text[TEXT_MAX];
	enum ay_rc rc = AY_OK;

	for (const xmlNode *n = first; rc == AY_OK && n != NULL; n = ay_vim_like(n)) {
		rc = read_event(n, &ev, text, e);
		if (rc != AY_OK)
			break;
		if (w != NULL) {
			ay_reported_log_event(w, &ev);
			continue;
		}
		s->text_n += ev.text.n;
		if (++s->n > EVENTS_MAX || !add_bank(s->bank, &s->n_banks, ev.bank))
			rc = ay_fail_code(e, AY_E_LIMIT, "MANAGER_ANSWER", "manager",
					  "more than %d events", EVENTS_MAX);
	}
	return rc;
}

static enum ay_rc read_events(const xmlNode *first, struct ay_arena *a, struct ay_vim_report *out,
			      struct ay_err *e)
{
	struct events s = { 0 };
	struct ay_writer w;
	size_t room;
	uint8_t *p;
	enum ay_rc rc = walk(first, &s, NULL, e);

	if (rc != AY_OK || s.n == 0)
		return rc;
	room = ay_reported_log_room(s.n_banks, s.n, s.text_n);
	p = ay_arena_alloc(a, room);
	if (p == NULL)
		return ay_fail(e, AY_E_NOMEM, "manager", 0, "no memory");
	ay_wr_init(&w, p, room);
	ay_reported_log_begin(&w, s.bank, s.n_banks);
	rc = walk(first, &s, &w, e);
	out->n_events = s.n;
	return rc == AY_OK ? ay_wr_end(&w, "log", &out->log, e) : rc;
}

/* ---- the report ---- */

enum ay_rc ay_vim_report_read(const xmlNode *n, struct ay_arena *a, struct ay_vim_report *out,
			      struct ay_err *e)
{
	char reliable[8];
	enum ay_rc rc = AY_OK;

	memset(out, 0, sizeof(*out));
	if (n == NULL)
		return ay_fail_code(e, AY_E_NOENT, "MANAGER_NO_TPM", "manager",
				    "the manager has no TPM report of this host");
	for (const xmlNode *v = ay_vim_child(n, "tpmPcrValues"); rc == AY_OK && v != NULL;
	     v = ay_vim_like(v))
		rc = read_value(v, &out->pcrs, e);
	if (rc == AY_OK && out->pcrs.n_banks == 0)
		rc = bad(e, "tpmPcrValues");
	if (rc == AY_OK)
		rc = read_events(ay_vim_child(n, "tpmEvents"), a, out, e);
	out->log_reliable =
		ay_vim_text(ay_vim_child(n, "tpmLogReliable"), reliable, sizeof(reliable)) &&
		(strcmp(reliable, "true") == 0 || strcmp(reliable, "1") == 0);
	if (rc != AY_OK)
		memset(out, 0, sizeof(*out));
	return rc;
}

enum ay_rc ay_vim_report_parse(struct ay_bytes text, struct ay_arena *a, struct ay_vim_report *out,
			       struct ay_err *e)
{
	AY_CLEANUP(ay_vim_answer_free) struct ay_vim_answer answer;
	enum ay_rc rc = ay_vim_answer_open(text, "QueryTpmAttestationReport", &answer, e);

	memset(out, 0, sizeof(*out));
	if (rc != AY_OK)
		return rc;
	return ay_vim_report_read(ay_vim_child(answer.body, "returnval"), a, out, e);
}
