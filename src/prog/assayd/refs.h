/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_ASSAYD_REFS_H
#define AY_ASSAYD_REFS_H

/* Reference sets and policies in memory: refs.c keeps them, learn.c makes new ones. */
#include "prog/assayd/engine_impl.h"

/* Memory of one learning, and of one set that is read again. */
#define AY_LEARN_ARENA (256u << 20)

/* A version of a reference set, as stored. The set in memory never changes: a new state is a new
 * one. */
struct ay_set {
	struct ay_uuid id;
	struct ay_refset *set;
	int64_t created_ms;
	int64_t activated_ms; /* 0: never */
	int64_t supersede_ms; /* planned end of an active set; 0: none */
};

struct ay_active_policy {
	struct ay_uuid id;
	int64_t created_ms;
	char created_by[AY_MAX_NAME_BYTES + 1];
	struct ay_policy *policy;
	enum ay_set_state state;
	struct ay_judge_table *judges; /* for each kind of host, while it is in force */
};

/* Sets that were replaced: a worker may still read them. Freed at the end. */
struct ay_old_set {
	struct ay_old_set *next;
	struct ay_refset *set;
};

struct ay_refs {
	struct ay_set *set;
	size_t n_sets, max_sets;
	struct ay_active_policy *policy;
	size_t n_policies, max_policies;
	struct ay_attachment *attachment; /* attach.c; in order of precedence */
	size_t n_attachments;
	int64_t next_end_ms; /* when what is in force changes by itself */
	struct ay_old_set *old;
};

/* NULL without memory; the set is then still the caller's. */
struct ay_set *ay_refs_add_set(struct ay_refs *r, const struct ay_uuid *id, struct ay_refset *s);
/* Takes p unless it is NULL, without memory. */
struct ay_active_policy *ay_refs_add_policy(struct ay_refs *r, const struct ay_policy_row *row,
					    struct ay_policy *p);
/* As the API shows it; NULL without memory. */
json_t *ay_refs_set_json(const struct ay_set *s, bool full);
/* By id, NAME@VERSION, or the newest version of a name; NULL = none. */
struct ay_set *ay_refs_find(struct ay_refs *r, struct ay_bytes id_or_name);
/* Sets changed: every host is judged by what is in force from now on, by the default policy at
 * least. */
AY_MUST_USE enum ay_rc ay_refs_in_force(struct ay_engine *g, struct ay_err *e);
/* A policy in force that names this set, of which no other version is active; NULL = none. */
const char *ay_refs_policy_naming(const struct ay_engine *g, const struct ay_set *s);

/* ---- learn.c ---- */
uint32_t ay_refs_next_version(const struct ay_refs *r, const char *name);
/* Store a new draft; takes s, also on failure. */
AY_MUST_USE enum ay_rc ay_refs_keep(struct ay_engine *g, struct ay_refset *s, const char *user,
				    struct ay_set **out, struct ay_err *e);

/* ---- reflife.c ---- */
AY_MUST_USE enum ay_rc ay_refs_activate(struct ay_engine *g, struct ay_set *s,
					const struct ay_reference_change *how,
					const struct ay_also *also, struct ay_err *e);
/* Hosts whose last verdict rests on it. */
size_t ay_refs_users(struct ay_engine *g, const struct ay_set *s);

#endif
