/* SPDX-License-Identifier: Apache-2.0 */
#include "io/net/channel.h"

#include "io/sys/clock.h"

#include <assert.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <unistd.h>

enum { SCRATCH = AY_FRAME_HEAD + AY_MAX_FRAME_BODY, PART_MIN = 1024 };

struct ay_chan_env {
	struct ay_chan_args a;
	const struct timeval *handshake, *hello, *frame; /* queues, not heaps: one per deadline */
	uint8_t in[SCRATCH];  /* what a read brings, when nothing is left from before */
	uint8_t out[SCRATCH]; /* one frame on its way */
	bool is_paused;
	LIST_HEAD(, ay_chan) paused; /* those that had something to say meanwhile */
};

enum state { CONNECTING, HANDSHAKING, AWAITING_HELLO, OPEN };

struct ay_chan {
	struct ay_chan_env *env;
	struct ay_tls_conn *tls;
	void *owner;
	int fd;
	uint8_t state; /* enum state */
	bool is_accepted;
	uint16_t depth; /* callbacks running: destruction waits for them */
	bool is_ending, is_timed, is_paused;
	LIST_ENTRY(ay_chan) paused;
	struct ay_frame_rules rules;
	int64_t deadline_ms; /* for what is going on now; 0: none */
	struct event rd, wr;
	uint8_t *part; /* a frame whose rest has not come yet */
	size_t part_len, part_cap;
	uint8_t *out; /* what the kernel would not take yet */
	size_t out_len, out_cap;
	struct ay_err *why; /* first reason to end */
};

/* ---- the end ---- */

static void destroy(struct ay_chan *c)
{
	static const struct ay_err no_reason = { .where = "channel", .text = "closed" };

	event_del(&c->rd);
	event_del(&c->wr);
	if (c->is_paused)
		LIST_REMOVE(c, paused);
	c->env->a.ops->down(c, c->owner, c->why != NULL ? c->why : &no_reason);
	ay_tls_conn_free(c->tls);
	close(c->fd);
	free(c->part);
	free(c->out);
	free(c->why);
	free(c);
}

/* Remember the first reason; the channel ends when no callback of it runs. */
static void end_err(struct ay_chan *c, const struct ay_err *e)
{
	if (c->is_ending)
		return;
	c->is_ending = true;
	c->why = malloc(sizeof(*c->why));
	if (c->why != NULL)
		*c->why = *e;
}

static void end(struct ay_chan *c, enum ay_rc rc, const char *why)
{
	struct ay_err e = { 0 };

	ay_err_set(&e, rc, "channel", 0, "%s", why);
	end_err(c, &e);
}

static void enter(struct ay_chan *c)
{
	c->depth++;
}

static void leave(struct ay_chan *c)
{
	if (--c->depth == 0 && c->is_ending)
		destroy(c);
}

void ay_chan_close(struct ay_chan *c, const char *why)
{
	enter(c);
	end(c, AY_OK, why);
	leave(c);
}

/* ---- deadlines ---- */

static const struct timeval *queue_of(const struct ay_chan_env *env, int64_t ms)
{
	return ms == env->a.handshake_ms ? env->handshake
	       : ms == env->a.hello_ms	 ? env->hello
					 : env->frame;
}

/* What goes on now must be over in ms, however often a few octets come. 0: no limit. */
static void set_deadline(struct ay_chan *c, int64_t ms)
{
	if (ms == 0 && !c->is_timed)
		return;
	c->is_timed = ms > 0;
	c->deadline_ms = ms > 0 ? ay_clock_mono_ms() + ms : 0;
	if (ms > 0)
		event_add(&c->rd, queue_of(c->env, ms));
	else
		event_remove_timer(&c->rd);
}

static bool is_late(struct ay_chan *c, short what)
{
	if (!c->is_timed || ((what & EV_TIMEOUT) == 0 && ay_clock_mono_ms() < c->deadline_ms))
		return false;
	end(c, AY_E_UNAVAIL,
	    c->state <= HANDSHAKING	 ? "deadline of the handshake"
	    : c->state == AWAITING_HELLO ? "deadline of HELLO"
					 : "deadline of a frame");
	return true;
}

/* ---- input ---- */

static void want_write(struct ay_chan *c)
{
	event_add(&c->wr, c->env->frame);
}

/* True: DONE. False: the connection waits, or has ended. */
static bool went_on(struct ay_chan *c, enum ay_tls_io io, const struct ay_err *e)
{
	switch (io) {
	case AY_TLS_DONE:
		return true;
	case AY_TLS_WANT_WRITE:
		want_write(c);
		return false;
	case AY_TLS_WANT_READ:
		return false;
	case AY_TLS_CLOSED:
		end(c, AY_OK, e->text);
		return false;
	case AY_TLS_FAILED:
		break;
	}
	end_err(c, e);
	return false;
}

static bool read_head(struct ay_chan *c, const uint8_t *p, struct ay_frame_head *h)
{
	struct ay_err e;

	if (ay_frame_head_parse((struct ay_bytes){ p, AY_FRAME_HEAD }, h, &e) == AY_OK)
		return true;
	end_err(c, &e);
	return false;
}

static void hand_over(struct ay_chan *c, const struct ay_frame_head *h, const uint8_t *body)
{
	struct ay_frame f = { h->type, h->flags, h->req, { body, h->length } };

	if (c->state == AWAITING_HELLO && h->type == AY_FRAME_HELLO) {
		c->state = OPEN;
		set_deadline(c, 0);
	}
	c->env->a.ops->frame(c, c->owner, &f);
}

/* The head alone is judged first, so nothing is stored of a body that may not come. */
static bool permitted(struct ay_chan *c, const struct ay_frame_head *h, bool is_whole)
{
	struct ay_frame_rules trial = c->rules;
	struct ay_err e;

	if (ay_frame_check(&trial, h, &e) != AY_OK) {
		end_err(c, &e);
		return false;
	}
	if (is_whole)
		c->rules = trial;
	return true;
}

/* Delivers the whole frames in p; returns the octets used. want: the size of the next one. */
static size_t deliver(struct ay_chan *c, const uint8_t *p, size_t n, size_t *want)
{
	struct ay_frame_head h;
	size_t at = 0;

	*want = AY_FRAME_HEAD;
	while (!c->is_ending && n - at >= AY_FRAME_HEAD) {
		size_t total;
		bool is_whole;

		if (!read_head(c, p + at, &h))
			break;
		total = AY_FRAME_HEAD + h.length;
		is_whole = n - at >= total;
		*want = total;
		if (!permitted(c, &h, is_whole) || !is_whole)
			break;
		hand_over(c, &h, p + at + AY_FRAME_HEAD);
		at += total;
		*want = AY_FRAME_HEAD;
	}
	return at;
}

/* Room for want octets in the part, which holds len already. */
static bool fit_part(struct ay_chan *c, size_t want)
{
	size_t cap = want > PART_MIN ? want : PART_MIN;
	uint8_t *p;

	if (cap <= c->part_cap)
		return true;
	p = realloc(c->part, cap);
	if (p == NULL) {
		end(c, AY_E_NOMEM, "no memory for a frame");
		return false;
	}
	c->part = p;
	c->part_cap = cap;
	return true;
}

static void drop_part(struct ay_chan *c)
{
	free(c->part);
	c->part = NULL;
	c->part_len = 0;
	c->part_cap = 0;
	if (c->state == OPEN)
		set_deadline(c, 0);
}

/* Nearly always a read brings whole frames, so a connection at rest owns no buffer. */
static void read_fresh(struct ay_chan *c)
{
	struct ay_chan_env *env = c->env;
	struct ay_err e = { 0 };
	size_t n = 0, used, want;

	if (!went_on(c, ay_tls_read(c->tls, env->in, sizeof(env->in), &n, &e), &e))
		return;
	used = deliver(c, env->in, n, &want);
	if (c->is_ending || used == n || !fit_part(c, want > n - used ? want : n - used))
		return;
	memcpy(c->part, env->in + used, n - used);
	c->part_len = n - used;
	if (c->state == OPEN)
		set_deadline(c, env->a.frame_ms);
}

/* The rest of a frame is read to its place, and not an octet further. */
static void read_rest(struct ay_chan *c)
{
	size_t n = 0, want, used;
	struct ay_frame_head h;
	struct ay_err e = { 0 };

	want = AY_FRAME_HEAD;
	if (c->part_len >= AY_FRAME_HEAD) {
		if (!read_head(c, c->part, &h) || !permitted(c, &h, false))
			return;
		want += h.length;
	}
	if (!fit_part(c, want))
		return;
	if (want > c->part_len &&
	    !went_on(c, ay_tls_read(c->tls, c->part + c->part_len, want - c->part_len, &n, &e), &e))
		return;
	c->part_len += n;
	used = deliver(c, c->part, c->part_len, &want);
	if (!c->is_ending && used == c->part_len)
		drop_part(c);
}

/* Ask again only if the TLS engine holds octets: the read that would say EAGAIN is saved. */
static void read_all(struct ay_chan *c)
{
	do {
		if (c->part != NULL)
			read_rest(c);
		else
			read_fresh(c);
	} while (!c->is_ending && ay_tls_has_pending(c->tls));
}

static void come_up(struct ay_chan *c)
{
	bool awaits = c->env->a.role == AY_ROLE_SERVER;
	struct ay_tls_peer peer;
	struct ay_err e;

	if (ay_tls_peer(c->tls, &peer, &e) != AY_OK) {
		end_err(c, &e);
		return;
	}
	c->state = awaits ? AWAITING_HELLO : OPEN;
	set_deadline(c, awaits ? c->env->a.hello_ms : 0);
	c->env->a.ops->up(c, c->owner, &peer);
	if (!c->is_ending && ay_tls_has_pending(c->tls))
		read_all(c);
}

static void handshake(struct ay_chan *c)
{
	struct ay_err e = { 0 };

	c->state = HANDSHAKING;
	if (went_on(c, ay_tls_handshake(c->tls, &e), &e))
		come_up(c);
}

/* Out of the loop until the pause ends; what waits stays in the kernel. */
static void set_aside(struct ay_chan *c)
{
	event_del(&c->rd);
	c->is_paused = true;
	LIST_INSERT_HEAD(&c->env->paused, c, paused);
}

static void take_up(struct ay_chan *c)
{
	LIST_REMOVE(c, paused);
	c->is_paused = false;
	event_add(&c->rd, NULL);
	if (c->is_timed)
		set_deadline(c, c->state == OPEN ? c->env->a.frame_ms : c->env->a.hello_ms);
}

void ay_chan_env_pause(struct ay_chan_env *env, bool pause)
{
	struct ay_chan *c;

	env->is_paused = pause;
	while (!pause && (c = LIST_FIRST(&env->paused)) != NULL)
		take_up(c);
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct ay_chan *c = arg;

	(void)fd;
	if (c->env->is_paused && c->state > HANDSHAKING && (what & EV_READ) != 0) {
		set_aside(c);
		return;
	}
	enter(c);
	if (!is_late(c, what)) {
		if (c->state <= HANDSHAKING)
			handshake(c);
		else
			read_all(c);
	}
	leave(c);
}

/* ---- output ---- */

static void flush(struct ay_chan *c)
{
	struct ay_err e = { 0 };
	size_t n = 0, done = 0;

	while (done < c->out_len) {
		if (!went_on(c, ay_tls_write(c->tls, c->out + done, c->out_len - done, &n, &e), &e))
			break;
		done += n;
	}
	memmove(c->out, c->out + done, c->out_len - done);
	c->out_len -= done;
	if (c->out_len > 0 || c->is_ending)
		return;
	free(c->out);
	c->out = NULL;
	c->out_cap = 0;
}

static void on_writable(evutil_socket_t fd, short what, void *arg)
{
	struct ay_chan *c = arg;

	(void)fd;
	enter(c);
	if ((what & EV_TIMEOUT) != 0)
		end(c, AY_E_UNAVAIL,
		    c->state <= HANDSHAKING ? "deadline of the handshake"
					    : "the peer does not read");
	else if (c->state <= HANDSHAKING)
		handshake(c);
	else if (c->out_len > 0)
		flush(c);
	leave(c);
}

static void queue(struct ay_chan *c, const uint8_t *p, size_t n)
{
	size_t cap = c->out_cap > 0 ? c->out_cap : PART_MIN;
	uint8_t *bigger;

	if (c->out_len + n > c->env->a.max_out) {
		end(c, AY_E_LIMIT, "the peer does not read");
		event_active(&c->wr, EV_WRITE, 1); /* ended from the loop, not under the sender */
		return;
	}
	while (cap < c->out_len + n)
		cap *= 2;
	bigger = cap == c->out_cap ? c->out : realloc(c->out, cap);
	if (bigger == NULL) {
		end(c, AY_E_NOMEM, "no memory for output");
		event_active(&c->wr, EV_WRITE, 1);
		return;
	}
	c->out = bigger;
	c->out_cap = cap;
	memcpy(c->out + c->out_len, p, n);
	c->out_len += n;
	want_write(c);
}

static void send_octets(struct ay_chan *c, const uint8_t *p, size_t n)
{
	struct ay_err e = { 0 };
	size_t done = 0;

	while (c->out_len == 0 && n > 0) {
		enum ay_tls_io io = ay_tls_write(c->tls, p, n, &done, &e);

		if (io == AY_TLS_FAILED || io == AY_TLS_CLOSED)
			return; /* a dead connection shows itself at the next read */
		if (io != AY_TLS_DONE)
			break;
		p += done;
		n -= done;
	}
	if (n > 0)
		queue(c, p, n);
}

void ay_chan_send_frame(struct ay_chan *c, const struct ay_frame *f)
{
	struct ay_frame_head h = { (uint32_t)f->body.n, f->type, f->flags, f->req };
	uint8_t *out = c->env->out;

	assert(f->body.n <= ay_frame_max(f->type));
	if (c->is_ending || c->state <= HANDSHAKING)
		return;
	ay_frame_head_build(&h, out);
	if (f->body.n > 0)
		memcpy(out + AY_FRAME_HEAD, f->body.p, f->body.n);
	send_octets(c, out, AY_FRAME_HEAD + f->body.n);
}

void ay_chan_send(struct ay_chan *c, uint8_t type, uint32_t req, struct ay_bytes body)
{
	size_t max = ay_frame_max(type);

	while (body.n > max && type == AY_FRAME_EVIDENCE) {
		struct ay_frame part = { type, AY_FRAME_MORE, req, { body.p, max } };

		ay_chan_send_frame(c, &part);
		body.p += max;
		body.n -= max;
	}
	ay_chan_send_frame(c, &(struct ay_frame){ type, 0, req, body });
}

/* ---- set up ---- */

static const struct timeval *common(struct event_base *base, int64_t ms)
{
	struct timeval t = { ms / 1000, (ms % 1000) * 1000 };

	return event_base_init_common_timeout(base, &t);
}

enum ay_rc ay_chan_env_new(const struct ay_chan_args *a, struct ay_chan_env **out, struct ay_err *e)
{
	struct ay_chan_env *env = calloc(1, sizeof(*env));

	*out = NULL;
	if (env == NULL)
		return ay_fail(e, AY_E_NOMEM, "channel", 0, "no memory");
	env->a = *a;
	env->handshake = common(a->base, a->handshake_ms);
	env->hello = common(a->base, a->hello_ms);
	env->frame = common(a->base, a->frame_ms);
	if (env->handshake == NULL || env->hello == NULL || env->frame == NULL) {
		free(env);
		return ay_fail(e, AY_E_NOMEM, "channel", 0, "no memory for deadlines");
	}
	*out = env;
	return AY_OK;
}

void ay_chan_env_free(struct ay_chan_env *env)
{
	free(env);
}

enum ay_rc ay_chan_open(struct ay_chan_env *env, int fd, struct ay_tls_conn *tls, bool is_accepted,
			void *owner, struct ay_chan **out, struct ay_err *e)
{
	struct ay_chan *c = calloc(1, sizeof(*c));

	*out = NULL;
	if (c == NULL || tls == NULL) {
		free(c);
		ay_tls_conn_free(tls);
		close(fd);
		return ay_fail(e, AY_E_NOMEM, "channel", 0, "no memory");
	}
	c->env = env;
	c->tls = tls;
	c->owner = owner;
	c->fd = fd;
	c->is_accepted = is_accepted;
	c->rules.sender = env->a.role == AY_ROLE_SERVER ? AY_ROLE_AGENT : AY_ROLE_SERVER;
	c->rules.judges_bound = env->a.role == AY_ROLE_SERVER;
	event_assign(&c->rd, env->a.base, fd, EV_READ | EV_PERSIST, on_readable, c);
	event_assign(&c->wr, env->a.base, fd, EV_WRITE, on_writable, c);
	set_deadline(c, env->a.handshake_ms);
	if (!is_accepted) /* writable: connected */
		event_add(&c->wr, env->handshake);
	*out = c;
	return AY_OK;
}

void ay_chan_set_bound(struct ay_chan *c)
{
	c->rules.is_bound = true;
}

bool ay_chan_is_up(const struct ay_chan *c)
{
	return c->state >= AWAITING_HELLO && !c->is_ending;
}

struct ay_tls_conn *ay_chan_tls(struct ay_chan *c)
{
	return c->tls;
}

void *ay_chan_owner(const struct ay_chan *c)
{
	return c->owner;
}
