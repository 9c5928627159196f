/* SPDX-License-Identifier: Apache-2.0 */
#include "prog/assayd/engine_impl.h"

#include "core/tpm/key12.h"

#include <stdlib.h>

/* Hosts and their rows: what is read again, and what is written beside attestations. */

static void reload_one(void *arg, const struct ay_host_row *row, const struct ay_host_status *s,
		       const struct ay_host_context *c)
{
	struct ay_host *h = arg;

	(void)c;
	h->run->rev = row->rev;
	if (s)
		h->version = h->run->claimed = s->version;
}

void ay_hosts_reload(struct ay_engine *g, struct ay_host *h)
{
	struct ay_err e;

	if (ay_store_host(g->store, &h->id, reload_one, h, &e) != AY_OK)
		ay_log_err(AY_LOG_ERROR, "host cannot be read again", &e);
}

/* ---- the AK of a host that connects ---- */

static void load_ak(void *arg, const struct ay_host_row *row, const struct ay_host_status *s,
		    const struct ay_host_context *c)
{
	struct ay_host *h = arg;
	struct ay_name name;

	(void)s, (void)c;
	h->run->is_tpm12 = ay_public12_looks_like(row->ak_public);
	if (ay_any_public(row->ak_public, &h->run->ak, &name, NULL) != AY_OK)
		h->run->ak = NULL;
}

enum ay_rc ay_hosts_load_ak(struct ay_engine *g, struct ay_host *h, struct ay_err *e)
{
	enum ay_rc rc;

	if (h->run->ak)
		return AY_OK;
	rc = ay_store_host(g->store, &h->id, load_ak, h, e);
	if (rc == AY_OK && !h->run->ak)
		return ay_fail(e, AY_E_BUG, "host.ak", 0, "stored AK does not load");
	return rc;
}

/* ---- writing ---- */

void ay_hosts_status(const struct ay_host *h, struct ay_host_status *out, uint8_t comps[32])
{
	for (size_t i = 0; i < AY_COMPONENTS; i++) {
		comps[2 * i] = h->components[i];
		comps[2 * i + 1] = h->grades[i];
	}
	*out = (struct ay_host_status){
		.version = h->run->claimed,
		.verdict = (uint8_t)h->lease.verdict,
		.judged = h->lease.judged,
		.attested_at = h->attested_ms,
		.lease_until = h->lease.until_ms,
		.components = { comps, 2 * AY_COMPONENTS },
		.attestation = h->run->seq,
		.counters_known = h->run->counters.known,
		.clock_ms = h->run->counters.clock_ms,
		.tpm_firmware = h->run->counters.firmware,
		.reset_count = h->run->counters.reset_count,
		.restart_count = h->run->counters.restart_count,
	};
	memcpy(out->report_id, h->report_id, sizeof(out->report_id));
}

static uint8_t sticky_of(const struct ay_host *h)
{
	return (uint8_t)((h->sticky && !h->sticky_duplicate ? AY_STICKY_COUNTER : 0) |
			 (h->sticky_duplicate ? AY_STICKY_DUPLICATE : 0));
}

struct ay_bytes ay_hosts_boot_octets(const struct ay_boot_mark *m, struct ay_context_room *room)
{
	struct ay_bytes b;
	struct ay_writer w;

	ay_wr_init(&w, room->boot, sizeof(room->boot));
	ay_boot_mark_write(&w, m);
	return ay_wr_end(&w, "boot", &b, NULL) == AY_OK ? b : (struct ay_bytes){ 0 };
}

void ay_hosts_context(const struct ay_host *h, struct ay_host_context *out,
		      struct ay_context_room *room)
{
	const struct ay_host_run *r = h->run;

	room->sticky[0] = sticky_of(h);
	*out = (struct ay_host_context){ .ima_offset = r->ima_octets,
					 .ima_entries = r->ima_entries };
	out->boot_id = ay_hosts_boot_octets(&r->boot, room);
	if (r->has_log)
		out->boot_log = AY_BYTES(r->log_id);
	if (r->pcrs)
		out->pcrs = ay_blob_id(r->pcrs);
	if (r->ima)
		out->ima = ay_blob_data(r->ima);
	if (room->sticky[0])
		out->sticky = AY_BYTES(room->sticky);
}

enum ay_rc ay_hosts_write_status(struct ay_engine *g, struct ay_host *h, struct ay_err *e)
{
	struct ay_host_status s;
	struct ay_host_context c;
	struct ay_context_room room;
	uint8_t comps[32];
	struct ay_write w = { .kind = AY_WR_HOST_STATUS };
	struct ay_store_result res;
	enum ay_rc rc;

	h->run->claimed++;
	ay_hosts_status(h, &s, comps);
	ay_hosts_context(h, &c, &room);
	w.by_uuid.uuid = h->id;
	w.by_uuid.status = &s;
	w.by_uuid.context = &c;
	rc = ay_store_write(g->store, &w, 1, &res, e);
	if (rc == AY_OK)
		h->version = h->run->claimed;
	return rc;
}

/* Read the row, let fn change it, write it back: rows hold more than memory does. */
struct edit {
	struct ay_engine *g;
	struct ay_host *h;
	void (*fn)(void *arg, struct ay_host_row *row);
	void *arg;
	enum ay_rc rc;
	struct ay_err *e;
};

static void edit_row(void *arg, const struct ay_host_row *row, const struct ay_host_status *s,
		     const struct ay_host_context *c)
{
	struct edit *d = arg;
	struct ay_host_row r = *row;
	struct ay_store_result res;
	struct ay_write w = { .kind = AY_WR_HOST_UPDATE, .host = &r };

	(void)s, (void)c;
	d->fn(d->arg, &r);
	d->rc = ay_store_write(d->g->store, &w, 1, &res, d->e);
	if (d->rc == AY_OK)
		d->h->run->rev = row->rev + 1;
}

enum ay_rc ay_hosts_edit(struct ay_engine *g, struct ay_host *h,
			 void (*fn)(void *arg, struct ay_host_row *row), void *arg,
			 struct ay_err *e)
{
	struct edit d = { g, h, fn, arg, AY_E_BUG, e };
	enum ay_rc rc = ay_store_host(g->store, &h->id, edit_row, &d, e);

	return rc != AY_OK ? rc : d.rc;
}

static void edit_note(void *arg, struct ay_host_row *row)
{
	const struct ay_host *h = arg;

	row->note_code = h->note_code ? h->note_code : "";
	row->note_text = h->note_text ? h->note_text : "";
	row->note_at = h->note_ms;
}

void ay_hosts_note(struct ay_engine *g, struct ay_host *h, const struct ay_err *e)
{
	struct ay_err failed = { 0 };
	const char *code = e->code[0] ? e->code : ay_rc_name(e->rc);

	/* the same again says nothing new, and a peer that repeats itself costs no write */
	if (h->note_code && strcmp(h->note_code, code) == 0 && h->note_text &&
	    strcmp(h->note_text, e->text) == 0)
		return;
	free(h->note_code);
	free(h->note_text);
	h->note_code = strdup(code);
	h->note_text = strdup(e->text);
	h->note_ms = g->now_ms;
	if (ay_hosts_edit(g, h, edit_note, h, &failed) != AY_OK)
		ay_log_err(AY_LOG_WARN, "note of a failed step is not stored", &failed);
}
