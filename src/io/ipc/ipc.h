/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_IPC_IPC_H
#define AY_IPC_IPC_H

/*
 * Messages between our own processes over a SOCK_STREAM socket pair.
 *
 * A message is a head of 16 octets {u32 length of the body, u16 type, u8 sub,
 * u8 flags, u32 conn, u32 req}, big-endian, and the body. All messages of one
 * turn of the loop go out in one write; reads take 1 MiB at a time
 * (docs/protocol/ipc.md). Each pair has a table of types (*.def) that says who
 * may send what and how much; a peer that breaks it is treated as gone, since
 * it may have been taken over.
 */
#include "core/base/bytes.h"
#include "core/base/err.h"

struct event_base;
struct ay_ipc;

#define AY_IPC_HEAD 16

/* Who may send a type. The words are the sides of the pair; see each .def. */
enum ay_ipc_side { AY_IPC_A = 1, AY_IPC_B = 2, AY_IPC_BOTH = 3 };

/* One row of a pair's table. */
struct ay_ipc_type {
	uint16_t type;
	uint8_t sender; /* enum ay_ipc_side */
	uint32_t max_body;
	const char *name;
};

struct ay_ipc_table {
	const char *name;
	const struct ay_ipc_type *types;
	size_t n_types;
};

/* One message, as received; the body borrows from the pair's buffer until the handler returns. */
struct ay_ipc_msg {
	uint16_t type;
	uint8_t sub;
	uint8_t flags;
	uint32_t conn;
	uint32_t req;
	struct ay_bytes body;
};

/*
 * msg   one message that the table permits. May send; may call ay_ipc_close().
 * gone  the peer ended or broke the protocol (why: static text). Called once;
 *       no message comes afterwards and sends are dropped. May close.
 */
struct ay_ipc_ops {
	void (*msg)(void *arg, const struct ay_ipc_msg *m);
	void (*gone)(void *arg, const char *why);
};

/* A pair for two processes: non-blocking, close-on-exec, with large kernel buffers. */
AY_MUST_USE enum ay_rc ay_ipc_pair(int fd[2], struct ay_err *e);

/*
 * The process's loop: runs libevent turn by turn and after each turn flushes
 * every pair that was opened on it (libevent 2.1 has no hook for that).
 */
struct ay_loop;
AY_MUST_USE enum ay_rc ay_loop_new(struct ay_loop **out, struct ay_err *e);
void ay_loop_free(struct ay_loop *l);
struct event_base *ay_loop_base(struct ay_loop *l);
/* Called at the end of every turn, before the flush; NULL takes it away. */
void ay_loop_at_turn(struct ay_loop *l, void (*fn)(void *arg), void *arg);
/* As at_turn, after the flush: looks at backlogs, sends nothing. */
void ay_loop_after_flush(struct ay_loop *l, void (*fn)(void *arg), void *arg);
/* Until ay_loop_stop(). */
void ay_loop_run(struct ay_loop *l);
void ay_loop_stop(struct ay_loop *l);

/*
 * Take over fd as side `me` of a pair. The table and ops must outlive the pair.
 */
AY_MUST_USE enum ay_rc ay_ipc_open(struct ay_loop *l, int fd, const struct ay_ipc_table *table,
				   enum ay_ipc_side me, const struct ay_ipc_ops *ops, void *arg,
				   struct ay_ipc **out, struct ay_err *e);
/* Closes the descriptor; what was queued and could not be written is lost. NULL is fine. */
void ay_ipc_close(struct ay_ipc *c);

/*
 * Queue one message. type, sender and size must fit the table (assert: it is
 * our own bug). What cannot be queued because the peer does not read (64 MiB
 * waiting) makes the peer gone.
 */
void ay_ipc_send(struct ay_ipc *c, uint16_t type, uint32_t conn, uint32_t req,
		 struct ay_bytes body);
/* As ay_ipc_send, with all fields of the head; m->body is copied. */
void ay_ipc_send_msg(struct ay_ipc *c, const struct ay_ipc_msg *m);
/*
 * Room for a body of n octets to be written in place, sent by the end of the
 * turn; the pointer is valid until the next send. NULL when the peer is gone.
 */
uint8_t *ay_ipc_reserve(struct ay_ipc *c, const struct ay_ipc_msg *head, size_t n);

/* The pair carries secrets: what was sent or handled is overwritten in its buffers. */
void ay_ipc_wipe(struct ay_ipc *c);

bool ay_ipc_is_gone(const struct ay_ipc *c);
/* Octets that wait to be written: a sender that can wait should look at it. */
size_t ay_ipc_backlog(const struct ay_ipc *c);
/* Number of read and write calls so far (bench). */
uint64_t ay_ipc_calls(const struct ay_ipc *c);

#endif
