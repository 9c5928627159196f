/* SPDX-License-Identifier: Apache-2.0 */
#include "prog/assayd/engine_impl.h"

#include "core/appraise/policy.h"

#include <stdlib.h>

/* Deadlines that were missed, by policy, and whether there is time for all hosts. */

#define POLICIES_MAX 64 /* names are operators', yet a list that is walked stays short */

struct ay_missed {
	struct ay_missed *next;
	uint64_t late, silent;
	char policy[AY_MAX_NAME_BYTES + 1];
};

static struct ay_missed *missed_of(struct ay_engine *g, const char *policy)
{
	struct ay_missed **at = &g->missed;
	size_t n = 0;

	for (; *at; at = &(*at)->next, n++)
		if (strcmp((*at)->policy, policy) == 0 || n == POLICIES_MAX)
			return *at;
	*at = calloc(1, sizeof(**at));
	if (*at)
		snprintf((*at)->policy, sizeof((*at)->policy), "%s", policy);
	return *at;
}

void ay_freshness_missed(struct ay_engine *g, const struct ay_host *h)
{
	const struct ay_judge *j = h->run->judge;
	struct ay_missed *m = missed_of(g, j && j->policy ? j->policy->name : "");

	if (!m)
		return;
	if (h->run->pace.waits || h->run->in_flight)
		m->late++;
	else
		m->silent++;
}

bool ay_engine_deadline_misses(const struct ay_engine *g, size_t i, struct ay_deadline_misses *out)
{
	const struct ay_missed *m = g->missed;

	while (m && i-- > 0)
		m = m->next;
	*out = (struct ay_deadline_misses){ 0 };
	if (m)
		*out = (struct ay_deadline_misses){ m->policy, m->late, m->silent };
	return m != NULL;
}

void ay_freshness_look(struct ay_engine *g)
{
	const struct ay_pace_load *l = &g->pace.load;
	bool changed = ay_pace_look(&g->pace, g->mono_ms);
	char text[192];

	g->count.overloaded = l->overloaded;
	g->count.waiting = l->waiting;
	g->count.due_per_s = l->due_per_s;
	g->count.served_per_s = l->served_per_s;
	g->count.longest_wait_ms = (uint64_t)l->longest_wait_ms;
	g->count.overdue = l->late;
	if (!changed)
		return;
	snprintf(text, sizeof(text),
		 "%u hosts wait to be asked, the longest for %.1f s; %u/s become due, %u/s are "
		 "asked; %llu were asked too late since the start",
		 l->waiting, (double)l->longest_wait_ms / 1000, l->due_per_s, l->served_per_s,
		 (unsigned long long)l->late);
	if (l->overloaded)
		AY_LOG(AY_LOG_WARN, "overloaded: hosts are not attested in time",
		       AY_LS("load", text));
	else
		AY_LOG(AY_LOG_INFO, "hosts are attested in time again", AY_LS("load", text));
	ay_event_emit(g, "overload", NULL, l->overloaded ? "OVERLOAD" : "OVERLOAD_END", text);
}

void ay_freshness_fini(struct ay_engine *g)
{
	struct ay_missed *m;

	while ((m = g->missed)) {
		g->missed = m->next;
		free(m);
	}
}
