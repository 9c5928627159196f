/* SPDX-License-Identifier: Apache-2.0 */
#include "prog/assayd/inputs.h"

#include "prog/assayd/evidence.h"

#define VERSION 1
#define INLINE_VALUES 160

/* bits of the second octet pair */
enum {
	F_MALFORMED = 1 << 0,
	F_STICKY_COUNTER = 1 << 1,
	F_STICKY_DUPLICATE = 1 << 2,
	F_CERT_REVOKED = 1 << 3,
	F_LAST = 1 << 4,
	F_KNOWN_BOOT = 1 << 5,
	F_KNOWN_LOG = 1 << 6,
	F_ALL = (1 << 7) - 1,
};

/* ---- what must be kept ---- */

struct making {
	struct ay_job *j;
	struct ay_inputs in;
	struct ay_evidence ev;
};

static struct ay_bytes octets_of(const struct ay_blob *b)
{
	return b ? ay_blob_data(b) : (struct ay_bytes){ 0 };
}

static enum ay_kept_in into_extra(struct ay_bytes from, struct ay_bytes *to)
{
	if (from.n > AY_MAX_KEPT_BYTES)
		return AY_KEPT_LOST;
	*to = from;
	return AY_KEPT_EXTRA;
}

static void make_values(struct making *m)
{
	struct ay_inputs *in = &m->in;

	if (!m->ev.hints)
		return;
	if (m->ev.values.n <= INLINE_VALUES)
		in->values = m->ev.values;
	else if (m->ev.hints == 1 && m->j->attested && m->j->pcrs &&
		 ay_bytes_eq(m->ev.values, ay_blob_data(m->j->pcrs)))
		in->values_in = AY_KEPT_STORED;
	else
		in->values_in = into_extra(m->ev.values, &in->x_values);
}

static void make_known_pcrs(struct making *m)
{
	const struct ay_job *j = m->j;

	if (!j->known_pcrs)
		return;
	if (j->pcrs && memcmp(ay_blob_id(j->pcrs).p, ay_blob_id(j->known_pcrs).p, 32) == 0)
		m->in.known_pcrs_in = AY_KEPT_STORED;
	else
		m->in.known_pcrs_in = into_extra(octets_of(j->known_pcrs), &m->in.x_known_pcrs);
}

/* Octets of this boot's list that the store has, beginning with the first. */
static uint64_t stored_list(const struct making *m)
{
	const struct ay_job *j = m->j;

	return j->attested && !j->boot_broken &&
			       memcmp(j->boot.boot_id, m->ev.boot_id, sizeof(m->ev.boot_id)) == 0
		       ? j->ima_octets
		       : 0;
}

/* The store's list leads to where this one goes on: its state can be derived. */
static bool goes_on(const struct making *m)
{
	const struct ay_job *j = m->j;
	bool whole = m->ev.ima == AY_GIVEN_NEW && m->ev.ima_offset == 0;

	return !whole && stored_list(m) >= j->known_ima_octets &&
	       memcmp(j->known_boot.boot_id, m->ev.boot_id, sizeof(m->ev.boot_id)) == 0;
}

static void make_ima(struct making *m)
{
	struct ay_inputs *in = &m->in;
	struct ay_bytes piece = m->ev.ima_octets;
	uint64_t stored = stored_list(m), have;

	in->ima_n = piece.n;
	if (m->j->known_ima)
		in->known_ima_in =
			goes_on(m) ? AY_KEPT_STORED
				   : into_extra(octets_of(m->j->known_ima), &in->x_known_ima);
	have = stored > in->ima_offset ? stored - in->ima_offset : 0;
	if (have >= piece.n)
		return;
	piece.p += have;
	piece.n -= (size_t)have;
	in->tail_in = into_extra(piece, &in->x_tail);
}

static void make_known_log(struct making *m)
{
	const struct ay_job *j = m->j;

	m->in.has_known_log = j->has_known_log;
	if (j->has_known_log && (!j->has_log || memcmp(j->known_log_id, j->log_id, 32) != 0))
		m->in.known_log = AY_BYTES(j->known_log_id);
}

static void make_evidence(struct making *m)
{
	struct ay_inputs *in = &m->in;
	const struct ay_job *j = m->j;

	if (ay_evidence_parse((struct ay_bytes){ j->body, j->body_n }, &m->ev, NULL) != AY_OK) {
		in->malformed = true;
		in->body_in = into_extra((struct ay_bytes){ j->body, j->body_n }, &in->x_body);
		return;
	}
	in->boot_id = AY_BYTES(m->ev.boot_id);
	in->hints = m->ev.hints;
	in->log = (uint8_t)m->ev.log;
	in->ima = (uint8_t)m->ev.ima;
	in->ima_offset = m->ev.ima_offset;
	in->ima_entries = m->ev.ima_entries;
	make_values(m);
	make_ima(m);
}

/* ---- octets ---- */

static uint16_t flags_of(const struct ay_inputs *in)
{
	return (uint16_t)((in->malformed ? F_MALFORMED : 0) |
			  (in->sticky_counter ? F_STICKY_COUNTER : 0) |
			  (in->sticky_duplicate ? F_STICKY_DUPLICATE : 0) |
			  (in->cert_revoked ? F_CERT_REVOKED : 0) | (in->last.known ? F_LAST : 0) |
			  (in->known_boot.known ? F_KNOWN_BOOT : 0) |
			  (in->has_known_log ? F_KNOWN_LOG : 0));
}

static void write_places(struct ay_writer *w, const struct ay_inputs *in)
{
	ay_wr_u8(w, (uint8_t)in->body_in);
	ay_wr_u8(w, (uint8_t)in->values_in);
	ay_wr_u8(w, (uint8_t)in->known_pcrs_in);
	ay_wr_u8(w, (uint8_t)in->known_ima_in);
	ay_wr_u8(w, (uint8_t)in->tail_in);
}

static void write_inputs(struct ay_writer *w, const struct ay_inputs *in)
{
	ay_wr_u8(w, VERSION);
	ay_wr_be16(w, flags_of(in));
	ay_wr_be64(w, (uint64_t)in->cert_until_ms);
	ay_wr_u8(w, in->identity_grade);
	ay_wr_bytes(w, AY_BYTES(in->ak));
	ay_pcr_selection_write(w, &in->asked);
	if (in->last.known) {
		ay_wr_be64(w, in->last.clock_ms);
		ay_wr_be64(w, in->last.firmware);
		ay_wr_be32(w, in->last.reset_count);
		ay_wr_be32(w, in->last.restart_count);
	}
	if (in->known_boot.known)
		ay_boot_mark_write(w, &in->known_boot);
	ay_wr_vec8(w, in->boot_id);
	ay_wr_u8(w, in->hints);
	ay_wr_u8(w, in->log);
	ay_wr_u8(w, in->ima);
	ay_wr_be64(w, in->ima_offset);
	ay_wr_be64(w, in->ima_entries);
	ay_wr_be64(w, in->ima_n);
	ay_wr_be64(w, in->known_ima_octets);
	ay_wr_be64(w, in->known_ima_entries);
	ay_wr_vec8(w, in->known_log);
	ay_wr_vec8(w, in->values);
	write_places(w, in);
}

static struct ay_blob *make_extra(const struct ay_inputs *in, struct ay_arena *a)
{
	const struct ay_bytes part[] = { in->x_body, in->x_values, in->x_known_pcrs,
					 in->x_known_ima, in->x_tail };
	size_t room = 1 + 4 * AY_COUNT(part), n = 0;
	struct ay_bytes wire;
	struct ay_writer w;
	uint8_t *buf;

	for (size_t i = 0; i < AY_COUNT(part); i++)
		n += part[i].n;
	if (n == 0)
		return NULL;
	buf = ay_arena_alloc(a, room + n);
	if (!buf)
		return NULL; /* then the words ask for what is not there, and that is seen */
	ay_wr_init(&w, buf, room + n);
	ay_wr_u8(&w, VERSION);
	for (size_t i = 0; i < AY_COUNT(part); i++)
		ay_wr_vec32(&w, part[i]);
	return ay_wr_end(&w, "extra", &wire, NULL) == AY_OK ? ay_blob_new(wire) : NULL;
}

void ay_inputs_ak(struct ay_bytes qualified_name, uint8_t out[8])
{
	memset(out, 0, 8);
	if (qualified_name.n >= 10) /* behind the algorithm: a digest */
		memcpy(out, qualified_name.p + 2, 8);
}

void ay_inputs_make(struct ay_job *j, struct ay_arena *a)
{
	struct making m = { .j = j };
	struct ay_inputs *in = &m.in;
	struct ay_bytes wire;
	struct ay_writer w;

	*in = (struct ay_inputs){
		.sticky_counter = j->was_sticky_counter,
		.sticky_duplicate = j->sticky_duplicate,
		.cert_revoked = j->cert_revoked,
		.cert_until_ms = j->cert_until_ms,
		.identity_grade = (uint8_t)ay_identity_grade(ay_bytes_of(j->identity_grade)),
		.asked = j->asked,
		.last = j->last,
		.known_boot = j->known_boot,
		.known_ima_octets = j->known_ima_octets,
		.known_ima_entries = j->known_ima_entries,
	};
	ay_inputs_ak((struct ay_bytes){ j->qualified_name, j->qualified_name_n }, in->ak);
	make_evidence(&m);
	make_known_pcrs(&m);
	make_known_log(&m);
	ay_wr_init(&w, j->inputs, sizeof(j->inputs));
	write_inputs(&w, in);
	j->inputs_n = ay_wr_end(&w, "inputs", &wire, NULL) == AY_OK ? (uint16_t)wire.n : 0;
	j->extra = make_extra(in, a);
}

/* ---- and back ---- */

static enum ay_kept_in read_place(struct ay_reader *r)
{
	uint8_t v = ay_rd_u8(r, "inputs.place");

	if (v > AY_KEPT_LOST)
		ay_rd_reject(r, "inputs.place", "%u is not one of 0 to 3", v);
	return (enum ay_kept_in)v;
}

static void read_last(struct ay_reader *r, struct ay_counters *c)
{
	c->known = true;
	c->clock_ms = ay_rd_be64(r, "inputs.clock");
	c->firmware = ay_rd_be64(r, "inputs.firmware");
	c->reset_count = ay_rd_be32(r, "inputs.resetCount");
	c->restart_count = ay_rd_be32(r, "inputs.restartCount");
}

static void read_boot(struct ay_reader *r, struct ay_boot_mark *m)
{
	struct ay_bytes b = ay_rd_bytes(r, "inputs.knownBoot", AY_BOOT_MARK_WIRE);

	if (ay_rd_ok(r) && ay_boot_mark_parse(b, m, NULL) != AY_OK)
		ay_rd_reject(r, "inputs.knownBoot", "is no boot mark");
}

static void read_flags(struct ay_reader *r, struct ay_inputs *in)
{
	uint16_t f;

	if (ay_rd_u8(r, "inputs.version") != VERSION)
		ay_rd_reject(r, "inputs.version", "is not %d", VERSION);
	f = ay_rd_be16(r, "inputs.flags");
	if (f & ~F_ALL)
		ay_rd_reject(r, "inputs.flags", "%04x has unknown bits", f);
	in->malformed = f & F_MALFORMED;
	in->sticky_counter = f & F_STICKY_COUNTER;
	in->sticky_duplicate = f & F_STICKY_DUPLICATE;
	in->cert_revoked = f & F_CERT_REVOKED;
	in->last.known = f & F_LAST;
	in->known_boot.known = f & F_KNOWN_BOOT;
	in->has_known_log = f & F_KNOWN_LOG;
}

static void read_evidence(struct ay_reader *r, struct ay_inputs *in)
{
	in->boot_id = ay_rd_vec8(r, "inputs.bootId", 16);
	if (ay_rd_ok(r) && in->boot_id.n != (in->malformed ? 0 : 16))
		ay_rd_reject(r, "inputs.bootId", "has %zu octets", in->boot_id.n);
	in->hints = ay_rd_u8(r, "inputs.hints");
	in->log = ay_rd_u8(r, "inputs.log");
	in->ima = ay_rd_u8(r, "inputs.ima");
	if (in->hints > 2 || in->log > AY_GIVEN_UNREADABLE || in->ima > AY_GIVEN_UNREADABLE)
		ay_rd_reject(r, "inputs.hints", "an unknown way to give evidence");
	in->ima_offset = ay_rd_be64(r, "inputs.imaOffset");
	in->ima_entries = ay_rd_be64(r, "inputs.imaEntries");
	in->ima_n = ay_rd_be64(r, "inputs.imaOctets");
	if (in->ima_n > AY_MAX_EVIDENCE_BYTES)
		ay_rd_limit(r, "inputs.imaOctets", (size_t)in->ima_n, AY_MAX_EVIDENCE_BYTES);
}

static void read_known(struct ay_reader *r, struct ay_inputs *in)
{
	in->known_ima_octets = ay_rd_be64(r, "inputs.knownImaOctets");
	in->known_ima_entries = ay_rd_be64(r, "inputs.knownImaEntries");
	in->known_log = ay_rd_vec8(r, "inputs.knownLog", 32);
	if (ay_rd_ok(r) && in->known_log.n != 0 && in->known_log.n != 32)
		ay_rd_reject(r, "inputs.knownLog", "has %zu octets", in->known_log.n);
	in->values = ay_rd_vec8(r, "inputs.values", INLINE_VALUES);
	in->body_in = read_place(r);
	in->values_in = read_place(r);
	in->known_pcrs_in = read_place(r);
	in->known_ima_in = read_place(r);
	in->tail_in = read_place(r);
}

static enum ay_rc read_extra(struct ay_bytes extra, struct ay_inputs *in, struct ay_err *e)
{
	struct ay_reader r;

	if (extra.n == 0)
		return AY_OK;
	ay_rd_init(&r, extra);
	if (ay_rd_u8(&r, "extra.version") != VERSION)
		ay_rd_reject(&r, "extra.version", "is not %d", VERSION);
	in->x_body = ay_rd_vec32(&r, "extra.body", AY_MAX_KEPT_BYTES);
	in->x_values = ay_rd_vec32(&r, "extra.values", AY_MAX_KEPT_BYTES);
	in->x_known_pcrs = ay_rd_vec32(&r, "extra.knownPcrs", AY_MAX_KEPT_BYTES);
	in->x_known_ima = ay_rd_vec32(&r, "extra.knownIma", AY_MAX_KEPT_BYTES);
	in->x_tail = ay_rd_vec32(&r, "extra.tail", AY_MAX_KEPT_BYTES);
	return ay_rd_end(&r, "extra", e);
}

enum ay_rc ay_inputs_parse(struct ay_bytes inputs, struct ay_bytes extra, struct ay_inputs *out,
			   struct ay_err *e)
{
	struct ay_inputs in = { 0 };
	struct ay_reader r;
	enum ay_rc rc;

	ay_rd_init(&r, inputs);
	read_flags(&r, &in);
	in.cert_until_ms = (int64_t)ay_rd_be64(&r, "inputs.certUntil");
	in.identity_grade = ay_rd_u8(&r, "inputs.identityGrade");
	ay_rd_copy(&r, "inputs.ak", in.ak, sizeof(in.ak));
	ay_pcr_selection_read(&r, &in.asked);
	if (ay_rd_ok(&r) && in.last.known)
		read_last(&r, &in.last);
	if (ay_rd_ok(&r) && in.known_boot.known)
		read_boot(&r, &in.known_boot);
	read_evidence(&r, &in);
	read_known(&r, &in);
	rc = ay_rd_end(&r, "inputs", e);
	if (rc == AY_OK)
		rc = read_extra(extra, &in, e);
	*out = rc == AY_OK ? in : (struct ay_inputs){ 0 };
	return rc;
}

bool ay_inputs_whole(const struct ay_inputs *in)
{
	const struct {
		enum ay_kept_in in;
		size_t n;
	} part[] = { { in->body_in, in->x_body.n },
		     { in->values_in, in->x_values.n },
		     { in->known_pcrs_in, in->x_known_pcrs.n },
		     { in->known_ima_in, in->x_known_ima.n },
		     { in->tail_in, in->x_tail.n } };

	for (size_t i = 0; i < AY_COUNT(part); i++)
		if (part[i].in == AY_KEPT_LOST || (part[i].in == AY_KEPT_EXTRA && part[i].n == 0))
			return false;
	return true;
}
