/* SPDX-License-Identifier: Apache-2.0 */
#include "core/evlog/tcg_frame.h"

#include "core/base/limits.h"
#include "core/crypto/hash.h"
#include "core/evlog/tcg_names.h"

/* How far behind a bad event we look for a good one. */
#define SEARCH_BYTES 65536

static size_t bank_index(const struct ay_evlog *log, uint16_t alg)
{
	for (size_t i = 0; i < log->n_banks; i++)
		if (log->bank[i] == alg)
			return i;
	return log->n_banks;
}

static void read_digest(struct ay_reader *r, const struct ay_evlog *log, struct ay_event *ev)
{
	uint16_t alg = ay_rd_le16(r, "event.algorithmId");
	size_t k = bank_index(log, alg);

	if (!ay_rd_ok(r))
		return;
	if (k == log->n_banks) {
		ay_rd_reject(r, "event.algorithmId", "0x%04x is not in the header", alg);
		return;
	}
	if (ev->digest[k] != NULL) {
		ay_rd_reject(r, "event.algorithmId", "0x%04x stands twice", alg);
		return;
	}
	ev->digest[k] = ay_rd_bytes(r, "event.digest", ay_alg_digest_size(alg)).p;
}

static void read_digests(struct ay_reader *r, const struct ay_evlog *log, struct ay_event *ev)
{
	uint32_t n = ay_rd_le32(r, "event.digestCount");

	if (ay_rd_ok(r) && (n == 0 || n > log->n_banks)) {
		ay_rd_reject(r, "event.digestCount", "%u, the header has %zu banks", n,
			     log->n_banks);
		return;
	}
	while (n-- > 0 && ay_rd_ok(r))
		read_digest(r, log, ev);
}

static void read_data(struct ay_reader *r, struct ay_event *ev)
{
	uint32_t size = ay_rd_le32(r, "event.eventSize");

	if (size > AY_MAX_EVLOG_EVENT_BYTES)
		ay_rd_limit(r, "event.eventSize", size, AY_MAX_EVLOG_EVENT_BYTES);
	ev->data = ay_rd_bytes(r, "event.event", size);
}

void ay_event_read(struct ay_reader *r, const struct ay_evlog *log, struct ay_event *out)
{
	struct ay_event ev = { .offset = ay_rd_offset(r) };

	ev.pcr = ay_rd_le32(r, "event.pcrIndex");
	ev.type = ay_rd_le32(r, "event.eventType");
	if (ay_rd_ok(r) && ev.pcr >= AY_PCR_COUNT &&
	    (ev.pcr != AY_EVLOG_NO_PCR || ev.type != AY_EV_NO_ACTION))
		ay_rd_reject(r, "event.pcrIndex", "no PCR %u", ev.pcr);
	if (log->format == AY_EVLOG_AGILE)
		read_digests(r, log, &ev);
	else
		ev.digest[0] = ay_rd_bytes(r, "event.digest", 20).p;
	read_data(r, &ev);
	*out = ay_rd_ok(r) ? ev : (struct ay_event){ 0 };
}

size_t ay_evlog_filler(struct ay_bytes b)
{
	size_t n = 0;

	if (b.n == 0 || (b.p[0] != 0x00 && b.p[0] != 0xff))
		return 0;
	while (n < b.n && b.p[n] == b.p[0])
		n++;
	return n;
}

/* What can be said of the octets at a place where no event could be read. */
struct probe {
	bool is_short;	/* the octets end before the event does */
	bool is_shaped; /* all but the PCR fits an event */
	bool is_huge;
	bool has_pcr, has_type;
};

/* The data ran out, yet what is there is what was measured: the size is wrong, not the file. */
static bool is_measured(const struct ay_evlog *log, const struct ay_event *ev, struct ay_bytes data)
{
	uint8_t got[AY_DIGEST_MAX];

	for (size_t k = 0; k < log->n_banks; k++)
		if (ev->digest[k] != NULL && ay_hash_of(log->bank[k], data, got) &&
		    memcmp(got, ev->digest[k], ay_alg_digest_size(log->bank[k])) == 0)
			return true;
	return false;
}

static bool is_prefix_of_pcr(struct ay_bytes b)
{
	for (size_t i = 1; i < b.n; i++)
		if (b.p[i] != 0)
			return false;
	return b.p[0] < AY_PCR_COUNT;
}

static void probe_size(struct ay_reader *r, const struct ay_evlog *log, const struct ay_event *ev,
		       struct probe *p)
{
	uint32_t size = ay_rd_le32(r, "size");

	if (!ay_rd_ok(r)) {
		p->is_short = r->fail->where[0] != 'e'; /* not rejected by read_digests() */
	} else if (size <= ay_rd_left(r)) {
		p->is_shaped = true;
		p->is_huge = size > AY_MAX_EVLOG_EVENT_BYTES;
	} else if (size <= AY_MAX_EVLOG_EVENT_BYTES) {
		struct ay_bytes rest = ay_rd_rest(r, "rest");

		p->is_short = !is_measured(log, ev, rest);
	} else {
		p->is_huge = size < 0x80000000u;
	}
}

static struct probe probe(struct ay_bytes b, const struct ay_evlog *log)
{
	struct ay_event ev = { 0 };
	struct probe p = { 0 };
	struct ay_reader r;

	ay_rd_init(&r, b);
	if (b.n < 4) {
		p.has_pcr = p.is_short = b.n == 0 || is_prefix_of_pcr(b);
		return p;
	}
	p.has_pcr = ay_rd_le32(&r, "pcr") < AY_PCR_COUNT;
	ev.type = ay_rd_le32(&r, "type");
	p.has_type = ay_rd_ok(&r) && ay_event_type_name(ev.type) != NULL;
	if (log->format == AY_EVLOG_AGILE)
		read_digests(&r, log, &ev);
	else
		ev.digest[0] = ay_rd_bytes(&r, "digest", 20).p;
	/* The reader calls a field short and a bad value alike a failure: tell them apart. */
	if (!ay_rd_ok(&r) && strncmp(r.fail->text, "need ", 5) == 0)
		p.is_short = true;
	else
		probe_size(&r, log, &ev, &p);
	return p;
}

static bool has_event_after(struct ay_bytes in, size_t at, const struct ay_evlog *log)
{
	size_t from = at < 8 ? 1 : at - 7; /* an event may have lost its first octets */
	size_t to = in.n - from > SEARCH_BYTES ? from + SEARCH_BYTES : in.n;

	for (size_t i = from; i < to; i++) {
		struct ay_bytes b = { in.p + i, in.n - i };
		struct probe p;

		if (i == at || b.n < 32 || b.p[0] >= AY_PCR_COUNT || b.p[1] != 0 || b.p[2] != 0)
			continue;
		p = probe(b, log);
		if (p.has_pcr && p.has_type && p.is_shaped && ay_evlog_filler(b) < AY_EVLOG_FILLER)
			return true;
	}
	return false;
}

const char *ay_evlog_diagnose(struct ay_bytes in, size_t at, const struct ay_evlog *log)
{
	struct ay_bytes b = { in.p + at, in.n - at };
	struct probe p;

	if (ay_evlog_filler(b) >= AY_EVLOG_FILLER)
		return "LOG_TRAILING";
	p = probe(b, log);
	if (p.has_pcr && p.is_short)
		return "LOG_TRUNCATED";
	if (p.is_huge && p.has_pcr && p.has_type)
		return "LOG_LIMIT";
	if (p.is_shaped || (p.has_pcr && p.has_type) || at == 0)
		return "LOG_MALFORMED";
	return has_event_after(in, at, log) ? "LOG_MALFORMED" : "LOG_TRAILING";
}
