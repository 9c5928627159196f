/* SPDX-License-Identifier: Apache-2.0 */
#include "prog/assayd/judge_impl.h"

/* The IMA list of one job: where it goes on, what the quote covers, what is kept of it. */

/* Where the list stood when it was verified last; tally may be NULL. */
static bool read_ima_context(const struct judging *v, struct ay_ima_state *state,
			     struct ay_ima_tally *tally)
{
	struct ay_reader r;
	struct ay_bytes s, t;

	if (!v->j->known_ima)
		return false;
	ay_rd_init(&r, ay_blob_data(v->j->known_ima));
	s = ay_rd_vec32(&r, "ima.state", AY_IMA_STATE_WIRE_MAX);
	t = ay_rd_vec32(&r, "ima.tally", AY_TALLY_WIRE_MAX);
	return ay_rd_end(&r, "ima", NULL) == AY_OK && ay_ima_state_parse(s, state, NULL) == AY_OK &&
	       (!tally || ay_tally_parse(t, tally, NULL) == AY_OK);
}

static bool is_known_boot(const struct judging *v)
{
	return memcmp(v->ev.boot_id, v->j->known_boot.boot_id, sizeof(v->ev.boot_id)) == 0;
}

static bool tally_is_current(const struct judging *v)
{
	static const uint8_t none[32];
	const uint8_t *key = v->j->judge ? v->j->judge->tally_key : none;

	return memcmp(v->tally->key, key, 32) == 0;
}

/* Where the piece that came begins: at the start of the list, or where we stand. */
static bool begin_ima(struct judging *v)
{
	struct ay_job *j = v->j;
	uint64_t from = v->ev.ima == AY_GIVEN_NEW ? v->ev.ima_offset : j->known_ima_octets;
	bool padded = j->judge && j->judge->policy && j->judge->policy->allow_padded_bank;

	if (v->ev.ima == AY_GIVEN_NEW && from == 0) {
		ay_ima_state_init_for(&v->begin, &v->hints, padded);
		return true;
	}
	if (from == j->known_ima_octets && j->known_ima &&
	    !read_ima_context(v, &v->begin, v->tally)) {
		j->ask_again = true; /* kept by an older server: the whole list is judged anew */
		return false;
	}
	if (from != j->known_ima_octets || !j->known_ima) {
		/* it goes on from where we asked, and we stand elsewhere by now */
		j->ask_again = v->ev.ima == AY_GIVEN_NEW && from == j->asked_ima_octets;
		if (!j->ask_again)
			(void)ay_check_ima_continuity(&v->begin, false, v->ev.ima_entries, from,
						      &v->rep);
		return false;
	}
	j->ask_again = !tally_is_current(v); /* the rules changed: the whole list is needed */
	return !j->ask_again;
}

bool ay_judge_ima_replay(struct judging *v)
{
	v->tally = ay_arena_alloc(v->a, sizeof(*v->tally));
	if (!v->tally) {
		v->j->fault = ay_fail(&v->j->err, AY_E_NOMEM, "ima", 0, "no memory");
		return false;
	}
	v->has_list = v->ev.ima == AY_GIVEN_NEW ||
		      (v->ev.ima == AY_GIVEN_KNOWN && v->j->known_ima != NULL);
	if (!v->has_list)
		return true;
	if (!begin_ima(v))
		return !v->j->ask_again;
	v->has_run = ay_ima_replay(&v->begin, v->ev.ima_octets, AY_MAX_IMA_PREFIXES, &v->run, v->a,
				   &v->ima_error) == AY_OK;
	return true;
}

/* The prefix that the quote covers; by the rule of kernels before 5.8 only where the policy allows
 * it. */
void ay_judge_ima_fit(struct judging *v)
{
	const struct ay_judge *judge = v->j->judge;
	struct ay_ima_run old = v->run;

	v->fits = ay_ima_run_fit(&v->run, &v->facts.pcrs, false);
	if (v->fits || !judge || !judge->policy || !judge->policy->allow_padded_bank)
		return;
	v->padded = v->fits = ay_ima_run_fit(&old, &v->facts.pcrs, true);
	if (v->fits)
		v->run = old;
}

/* The list came whole: what was verified of it in this boot must be there still. */
void ay_judge_ima_kept(struct judging *v)
{
	struct ay_job *j = v->j;
	struct ay_ima_state *before;

	if (!v->fits || v->begin.octets || !j->known_ima_octets || !is_known_boot(v))
		return;
	before = ay_arena_alloc(v->a, sizeof(*before));
	if (before && !read_ima_context(v, before, NULL))
		return;
	if (!before)
		j->fault = ay_fail(&j->err, AY_E_NOMEM, "ima", 0, "no memory");
	else if (ay_check_ima_kept(before, v->ev.ima_octets, v->run.now.entries, v->a, &v->rep,
				   &j->fault) == AY_FAIL)
		j->boot_broken = true;
}

static struct ay_blob *wire_ima(struct judging *v)
{
	size_t room = 8 + AY_IMA_STATE_WIRE_MAX + AY_TALLY_WIRE_MAX, at;
	uint8_t *buf = ay_arena_alloc(v->a, room);
	struct ay_writer w;
	struct ay_bytes wire;

	if (!buf)
		return NULL;
	ay_wr_init(&w, buf, room);
	at = ay_wr_open32(&w);
	ay_ima_state_write(&w, &v->run.now);
	ay_wr_close32(&w, at);
	at = ay_wr_open32(&w);
	ay_tally_write(&w, v->tally);
	ay_wr_close32(&w, at);
	return ay_wr_end(&w, "ima", &wire, NULL) == AY_OK ? ay_blob_new(wire) : NULL;
}

void ay_judge_ima_carry(struct judging *v)
{
	struct ay_job *j = v->j;
	size_t n;

	if (!v->has_list)
		return;
	/* What is known of one boot says nothing about the list of another. */
	if (is_known_boot(v)) {
		j->ima = ay_blob_ref(j->known_ima);
		j->ima_octets = j->known_ima_octets;
		j->ima_entries = j->known_ima_entries;
	}
	if (!v->has_run || !v->fits || (v->ev.ima_octets.n == 0 && v->begin.octets != 0))
		return;
	ay_blob_unref(j->ima);
	j->ima = wire_ima(v);
	j->ima_octets = v->run.now.octets;
	j->ima_entries = v->run.now.entries;
	j->ima_chunk_offset = v->begin.octets;
	n = (size_t)(v->run.now.octets - v->begin.octets);
	if (n && n <= v->ev.ima_octets.n)
		j->ima_chunk = ay_blob_new((struct ay_bytes){ v->ev.ima_octets.p, n });
	j->context_changed = true;
}
