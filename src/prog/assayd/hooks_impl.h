/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_ASSAYD_HOOKS_IMPL_H
#define AY_ASSAYD_HOOKS_IMPL_H

/*
 * Of webhooks alone: hook_rows.c keeps the targets, hook_post.c posts events to
 * them, hooks.c does what operators ask.
 */
#include "core/base/timefmt.h"
#include "prog/assayd/engine_impl.h"
#include "prog/assayd/hooks.h"
#include "prog/assayd/keepers.h"

enum {
	AY_HOOK_SECRET_ROOM = 6 + 44,
	AY_HOOK_WRAPPED_MAX = AY_HOOK_SECRET_ROOM + AY_WRAP_MORE,
};

/* One target. doc is the stored row: name url ca types labels paused cursor n secret old old_until
 * ... */
struct ay_hook {
	struct ay_hook *next;
	char id[AY_UUID_TEXT];
	json_t *doc;
	bool is_busy, is_removed;
	int64_t next_try; /* mono */
	uint64_t seen;	  /* events up to here are not for it; ahead of the cursor */
};

struct ay_hooks {
	struct ay_hook *first;
	struct ay_subscription *sub;
	size_t n;
};

/* A member of doc; "" or 0 when it is not there. */
const char *ay_hook_text(const struct ay_hook *h, const char *member);
int64_t ay_hook_number(const struct ay_hook *h, const char *member);
void ay_hook_set_number(struct ay_hook *h, const char *member, int64_t v);
void ay_hook_set_time(struct ay_hook *h, const char *member, int64_t at);
/* What a secret is bound to: its webhook, and which of its secrets it is. */
void ay_hook_secret_name(const struct ay_hook *h, int64_t n, char out[AY_UUID_TEXT + 24]);

/* Takes doc, also when it fails. The target is the last of the list; NULL: no memory, or no doc. */
struct ay_hook *ay_hook_new(struct ay_engine *g, const char *id, json_t *doc);
void ay_hook_free(struct ay_engine *g, struct ay_hook *h);
/* On disk when it returns AY_OK. */
AY_MUST_USE enum ay_rc ay_hook_keep(struct ay_engine *g, struct ay_hook *h, struct ay_err *e);
/* A cursor that is lost is an event that is posted twice, which is promised. */
void ay_hook_keep_lazily(struct ay_engine *g, struct ay_hook *h);

/* Posts the next event for a target, if it is its time. */
void ay_hook_look(struct ay_engine *g, struct ay_hook *h);
/* Posts an event of kind "test"; fn: {"delivered","status","text"}. The target is not busy. */
void ay_hook_test(struct ay_engine *g, struct ay_hook *h, ay_document_fn *fn, void *arg);

#endif
