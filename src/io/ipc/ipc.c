/* SPDX-License-Identifier: Apache-2.0 */
#include "io/ipc/ipc.h"

#include "core/base/reader.h"

#include <assert.h>
#include <errno.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	READ_BYTES = 1 << 20,	  /* of one read */
	KEEP_OUT_BYTES = 4 << 20, /* what an idle output buffer may keep */
	MAX_OUT_BYTES = 64 << 20, /* waiting for a peer that does not read */
	KERNEL_BYTES = 4 << 20,	  /* asked of the kernel for each direction */
};

struct ay_ipc {
	LIST_ENTRY(ay_ipc) link;
	struct ay_loop *loop;
	const struct ay_ipc_table *table;
	const struct ay_ipc_ops *ops;
	void *arg;
	enum ay_ipc_side me;
	int fd;
	struct event rd, wr;
	uint8_t *in, *out;
	size_t in_len, in_cap, out_len, out_cap;
	const char *gone_why; /* set: the peer is gone, to be told at the end of the turn */
	bool told, closed, wipes;
	uint64_t calls;
};

struct ay_loop {
	struct event_base *base;
	LIST_HEAD(, ay_ipc) pairs;
	void (*at_turn)(void *arg);
	void (*after_flush)(void *arg);
	void *at_turn_arg, *after_flush_arg;
	bool stop;
};

enum ay_rc ay_ipc_pair(int fd[2], struct ay_err *e)
{
	int size = KERNEL_BYTES;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fd) != 0)
		return ay_fail(e, AY_E_UNAVAIL, "ipc.pair", 0, "socketpair: %s", strerror(errno));
	for (int i = 0; i < 2; i++)
		(void)setsockopt(fd[i], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	return AY_OK;
}

enum ay_rc ay_loop_new(struct ay_loop **out, struct ay_err *e)
{
	struct ay_loop *l = calloc(1, sizeof(*l));

	*out = NULL;
	if (l == NULL || (l->base = event_base_new()) == NULL) {
		free(l);
		return ay_fail(e, AY_E_NOMEM, "loop", 0, "no event loop");
	}
	LIST_INIT(&l->pairs);
	*out = l;
	return AY_OK;
}

struct event_base *ay_loop_base(struct ay_loop *l)
{
	return l->base;
}

void ay_loop_at_turn(struct ay_loop *l, void (*fn)(void *arg), void *arg)
{
	l->at_turn = fn;
	l->at_turn_arg = arg;
}

void ay_loop_after_flush(struct ay_loop *l, void (*fn)(void *arg), void *arg)
{
	l->after_flush = fn;
	l->after_flush_arg = arg;
}

/* Octets that were sent or handled: of secrets, if the pair carries any. */
static void used(const struct ay_ipc *c, uint8_t *p, size_t n)
{
	if (c->wipes && n > 0)
		explicit_bzero(p, n);
}

static void destroy(struct ay_ipc *c)
{
	LIST_REMOVE(c, link);
	used(c, c->in, c->in_cap);
	used(c, c->out, c->out_cap);
	free(c->in);
	free(c->out);
	free(c);
}

void ay_loop_free(struct ay_loop *l)
{
	struct ay_ipc *c;

	if (l == NULL)
		return;
	while ((c = LIST_FIRST(&l->pairs)) != NULL) {
		ay_ipc_close(c);
		destroy(c);
	}
	event_base_free(l->base);
	free(l);
}

/* The first reason counts; told at the end of the turn, when nobody is inside the pair. */
static void set_gone(struct ay_ipc *c, const char *why)
{
	if (c->gone_why != NULL || c->closed)
		return;
	c->gone_why = why;
	event_del(&c->rd);
	event_del(&c->wr);
	event_base_loopbreak(c->loop->base); /* so that this turn ends soon */
}

static void flush(struct ay_ipc *c)
{
	size_t done = 0;

	while (done < c->out_len) {
		ssize_t n = send(c->fd, c->out + done, c->out_len - done, MSG_NOSIGNAL);

		c->calls++;
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno != EAGAIN)
			set_gone(c, "the peer does not take messages");
		if (n < 0)
			break;
		done += (size_t)n;
	}
	memmove(c->out, c->out + done, c->out_len - done);
	c->out_len -= done;
	used(c, c->out + c->out_len, done);
	if (c->out_len > 0 && c->gone_why == NULL)
		event_add(&c->wr, NULL);
	if (c->out_len == 0 && c->out_cap > KEEP_OUT_BYTES) {
		free(c->out);
		c->out = NULL;
		c->out_cap = 0;
	}
}

static void flush_all(struct ay_loop *l)
{
	struct ay_ipc *c;

	LIST_FOREACH(c, &l->pairs, link)
	if (!c->closed && c->gone_why == NULL && c->out_len > 0)
		flush(c);
}

static void end_of_turn(struct ay_loop *l)
{
	struct ay_ipc *c, *next;

	if (l->at_turn != NULL)
		l->at_turn(l->at_turn_arg);
	flush_all(l);
	if (l->after_flush != NULL)
		l->after_flush(l->after_flush_arg);
	LIST_FOREACH(c, &l->pairs, link)
	{
		if (!c->closed && c->gone_why != NULL && !c->told) {
			c->told = true;
			c->ops->gone(c->arg, c->gone_why);
		}
	}
	for (c = LIST_FIRST(&l->pairs); c != NULL; c = next) {
		next = LIST_NEXT(c, link);
		if (c->closed)
			destroy(c);
	}
}

void ay_loop_run(struct ay_loop *l)
{
	l->stop = false;
	end_of_turn(l); /* what was queued while setting up */
	while (!l->stop) {
		event_base_loop(l->base, EVLOOP_ONCE);
		end_of_turn(l);
	}
}

void ay_loop_stop(struct ay_loop *l)
{
	l->stop = true;
	event_base_loopbreak(l->base);
}

static const struct ay_ipc_type *type_of(const struct ay_ipc *c, uint16_t type)
{
	for (size_t i = 0; i < c->table->n_types; i++)
		if (c->table->types[i].type == type)
			return &c->table->types[i];
	return NULL;
}

/* NULL, or what is wrong with a head as the peer sent it. */
static const char *judge(const struct ay_ipc *c, const struct ay_ipc_msg *m, size_t len)
{
	const struct ay_ipc_type *t = type_of(c, m->type);

	if (t == NULL)
		return "unknown message type";
	if ((t->sender & ~(unsigned)c->me) == 0)
		return "message from the wrong side";
	if (len > t->max_body)
		return "oversized message";
	return NULL;
}

/* Reads a head; returns the length of its body. */
static size_t read_head(const uint8_t *p, struct ay_ipc_msg *m)
{
	struct ay_reader r;
	size_t len;

	ay_rd_init(&r, (struct ay_bytes){ p, AY_IPC_HEAD });
	len = ay_rd_be32(&r, "ipc.length");
	m->type = ay_rd_be16(&r, "ipc.type");
	m->sub = ay_rd_u8(&r, "ipc.sub");
	m->flags = ay_rd_u8(&r, "ipc.flags");
	m->conn = ay_rd_be32(&r, "ipc.conn");
	m->req = ay_rd_be32(&r, "ipc.req");
	return len;
}

/* Hand over the whole messages; returns the octets of an incomplete last one that are needed. */
static size_t deliver(struct ay_ipc *c)
{
	size_t at = 0, want = 0;

	while (c->in_len - at >= AY_IPC_HEAD && c->gone_why == NULL && !c->closed) {
		struct ay_ipc_msg m = { 0 };
		size_t len = read_head(c->in + at, &m);
		const char *wrong = judge(c, &m, len);

		if (wrong != NULL) {
			set_gone(c, wrong);
			break;
		}
		want = AY_IPC_HEAD + len;
		if (c->in_len - at < want)
			break;
		m.body = (struct ay_bytes){ c->in + at + AY_IPC_HEAD, len };
		c->ops->msg(c->arg, &m);
		at += want;
		want = 0;
	}
	memmove(c->in, c->in + at, c->in_len - at);
	c->in_len -= at;
	used(c, c->in + c->in_len, at);
	return want;
}

/* The buffer holds at least READ_BYTES, or the one message that is longer. */
static bool fit_input(struct ay_ipc *c, size_t want)
{
	size_t cap = want > READ_BYTES ? want : READ_BYTES;
	uint8_t *p;

	if (cap == c->in_cap || c->in_len > cap)
		return true;
	p = realloc(c->in, cap);
	if (p == NULL)
		return false;
	c->in = p;
	c->in_cap = cap;
	return true;
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct ay_ipc *c = arg;
	ssize_t n;

	(void)what;
	n = recv(fd, c->in + c->in_len, c->in_cap - c->in_len, 0);
	c->calls++;
	if (n == 0)
		set_gone(c, "the peer ended");
	else if (n < 0 && errno != EAGAIN && errno != EINTR)
		set_gone(c, "the pair broke");
	if (n <= 0)
		return;
	c->in_len += (size_t)n;
	if (!fit_input(c, deliver(c)))
		set_gone(c, "out of memory");
}

/* Writing happens at the end of the turn that this event began. */
static void on_writable(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what, (void)arg;
}

enum ay_rc ay_ipc_open(struct ay_loop *l, int fd, const struct ay_ipc_table *table,
		       enum ay_ipc_side me, const struct ay_ipc_ops *ops, void *arg,
		       struct ay_ipc **out, struct ay_err *e)
{
	struct ay_ipc *c = calloc(1, sizeof(*c));

	*out = NULL;
	if (c == NULL || !fit_input(c, 0)) {
		free(c);
		return ay_fail(e, AY_E_NOMEM, "ipc.open", 0, "no memory for a pair");
	}
	c->loop = l;
	c->table = table;
	c->ops = ops;
	c->arg = arg;
	c->me = me;
	c->fd = fd;
	event_assign(&c->rd, l->base, fd, EV_READ | EV_PERSIST, on_readable, c);
	event_assign(&c->wr, l->base, fd, EV_WRITE, on_writable, c);
	event_add(&c->rd, NULL);
	LIST_INSERT_HEAD(&l->pairs, c, link);
	*out = c;
	return AY_OK;
}

void ay_ipc_close(struct ay_ipc *c)
{
	if (c == NULL || c->closed)
		return;
	if (c->gone_why == NULL && c->out_len > 0)
		flush(c);
	event_del(&c->rd);
	event_del(&c->wr);
	close(c->fd);
	c->closed = true; /* freed at the end of the turn: a handler may be inside */
}

/* The buffer as it is, in another place. */
static uint8_t *moved(struct ay_ipc *c, size_t cap)
{
	uint8_t *p;

	if (!c->wipes)
		return realloc(c->out, cap);
	p = malloc(cap);
	if (p == NULL)
		return NULL;
	if (c->out_len > 0)
		memcpy(p, c->out, c->out_len);
	used(c, c->out, c->out_len);
	free(c->out);
	return p;
}

static bool fit_output(struct ay_ipc *c, size_t more)
{
	size_t cap = c->out_cap > 0 ? c->out_cap : 1 << 16;
	uint8_t *p;

	if (c->out_len + more > MAX_OUT_BYTES) {
		set_gone(c, "the peer does not read");
		return false;
	}
	while (cap < c->out_len + more)
		cap *= 2;
	if (cap == c->out_cap)
		return true;
	p = moved(c, cap);
	if (p == NULL) {
		set_gone(c, "out of memory");
		return false;
	}
	c->out = p;
	c->out_cap = cap;
	return true;
}

static void put_be32(uint8_t *p, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		p[i] = (uint8_t)(v >> (24 - 8 * i));
}

uint8_t *ay_ipc_reserve(struct ay_ipc *c, const struct ay_ipc_msg *head, size_t n)
{
	const struct ay_ipc_type *t = type_of(c, head->type);
	uint8_t *p;

	assert(t != NULL && (t->sender & c->me) != 0 && n <= t->max_body);
	if (c->closed || c->gone_why != NULL || !fit_output(c, AY_IPC_HEAD + n))
		return NULL;
	p = c->out + c->out_len;
	put_be32(p, (uint32_t)n);
	p[4] = (uint8_t)(head->type >> 8);
	p[5] = (uint8_t)head->type;
	p[6] = head->sub;
	p[7] = head->flags;
	put_be32(p + 8, head->conn);
	put_be32(p + 12, head->req);
	c->out_len += AY_IPC_HEAD + n;
	return p + AY_IPC_HEAD;
}

void ay_ipc_send_msg(struct ay_ipc *c, const struct ay_ipc_msg *m)
{
	uint8_t *p = ay_ipc_reserve(c, m, m->body.n);

	if (p != NULL && m->body.n > 0)
		memcpy(p, m->body.p, m->body.n);
}

void ay_ipc_send(struct ay_ipc *c, uint16_t type, uint32_t conn, uint32_t req, struct ay_bytes body)
{
	struct ay_ipc_msg m = { .type = type, .conn = conn, .req = req, .body = body };

	ay_ipc_send_msg(c, &m);
}

void ay_ipc_wipe(struct ay_ipc *c)
{
	c->wipes = true;
}

bool ay_ipc_is_gone(const struct ay_ipc *c)
{
	return c->closed || c->gone_why != NULL;
}

size_t ay_ipc_backlog(const struct ay_ipc *c)
{
	return c->out_len;
}

uint64_t ay_ipc_calls(const struct ay_ipc *c)
{
	return c->calls;
}
