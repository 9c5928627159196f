/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_IPC_DIRECTORY_MSG_H
#define AY_IPC_DIRECTORY_MSG_H

/*
 * A login at the directory: bodies between engine and courier (courier.def,
 * docs/protocol/ipc.md). Rules as in outgoing_msg.h.
 */
#include "core/authz/directory.h"
#include "core/base/reader.h"
#include "core/base/writer.h"
#include "io/ipc/tables.h"

/* DIRECTORY_LOGIN */
struct ay_directory_login {
	uint32_t deadline_ms; /* for all of it; 1 to AY_MAX_OUTGOING_MS */
	struct ay_bytes name, password;
};
void ay_directory_login_build(struct ay_writer *w, const struct ay_directory_login *l);
/* A name or a password that the directory is not to be asked for is refused. */
AY_MUST_USE enum ay_rc ay_directory_login_parse(struct ay_bytes in, struct ay_directory_login *out,
						struct ay_err *e);

/* DIRECTORY_ANSWER */
struct ay_directory_answer {
	bool right; /* else all else is empty */
	struct ay_directory_person person;
	size_t n_groups;
	struct ay_bytes group[AY_GROUP_ROWS]; /* rows of the group map, as that has them */
};
void ay_directory_answer_build(struct ay_writer *w, const struct ay_directory_answer *a);
AY_MUST_USE enum ay_rc ay_directory_answer_parse(struct ay_bytes in,
						 struct ay_directory_answer *out, struct ay_err *e);

#endif
