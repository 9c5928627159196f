/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_ASSAYD_MANAGED_JUDGE_H
#define AY_ASSAYD_MANAGED_JUDGE_H

/*
 * What workers do with the evidence of a host without agent. Its octets begin
 * with a head that engine wrote, not the manager: whose it is. read() makes of
 * them the EVIDENCE body that an agent would have sent, so that what is judged
 * is what is stored, and what is stored can be judged again; the quote of that
 * body is the connector's own, with the same head.
 */
#include "core/base/connstr.h"
#include "core/base/uuid.h"
#include "prog/assayd/judge_impl.h"

/* First in raw evidence and in the attest member of the body that is made of it. */
struct ay_managed_head {
	enum ay_connstr_vendor vendor;
	struct ay_uuid bound; /* the manager's id of the host that was asked for */
	bool first_use;	      /* the manager's key was taken at first use */
};
#define AY_MANAGED_HEAD 24
void ay_managed_head_write(struct ay_writer *w, const struct ay_managed_head *h);
void ay_managed_head_read(struct ay_reader *r, struct ay_managed_head *out);
/* AY_CONNSTR_PLAIN: these octets have no such head. */
enum ay_connstr_vendor ay_managed_vendor_of(struct ay_bytes octets);

struct ay_managed_judge {
	enum ay_connstr_vendor vendor;
	/* Raw octets to an EVIDENCE body in the arena; a fault is EVIDENCE_MALFORMED. */
	enum ay_rc (*read)(struct ay_bytes raw, struct ay_arena *a, struct ay_bytes *body,
			   struct ay_err *e);
	/*
	 * In place of the quote's checks, for v->ev and v->hints: findings of the
	 * identity, and v->facts. pcrs_attested only if they speak for this host
	 * now. Values whose grade is no more than `reported` say so by
	 * v->reported. False: a fault, in v->j->fault.
	 */
	bool (*check)(struct judging *v);
};
/* NULL: none. */
const struct ay_managed_judge *ay_managed_judge_find(enum ay_connstr_vendor v);

#endif
