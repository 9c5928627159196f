/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_ASSAYD_DIRECTORY_H
#define AY_ASSAYD_DIRECTORY_H

/* Logins at the directory of [ldap], asked by courier. Never waits. */
#include "io/ipc/directory_msg.h"
#include "prog/assayd/engine.h"

/*
 * Called once, maybe before ay_directory_ask() returns. AY_OK: a says whether
 * name and password are right, and whose; its views live until fn returns. Else
 * AY_E_UNAVAIL and a code LDAP_*: the directory could not be asked.
 */
typedef void ay_directory_fn(void *arg, enum ay_rc rc, const struct ay_err *e,
			     const struct ay_directory_answer *a);
/* All of l is copied, and wiped once sent. A number for _forget(); 0: fn was called already. */
uint32_t ay_directory_ask(struct ay_engine *g, const struct ay_directory_login *l,
			  ay_directory_fn *fn, void *arg);
/* fn is not called any more; the login is given up. */
void ay_directory_forget(struct ay_engine *g, uint32_t number);

#endif
