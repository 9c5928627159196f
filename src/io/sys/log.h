/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_SYS_LOG_H
#define AY_SYS_LOG_H

/*
 * Lines on standard error, key=value or JSON, with journald's level prefix
 * when its socket is behind it. Programs log once, at the place where an error
 * stops propagating; core never does. Every string is escaped and cut here.
 *
 *   AY_LOG(AY_LOG_WARN, "agent refused", AY_LS("peer", addr), AY_LU("conn", id));
 */
#include "core/base/bytes.h"
#include "core/base/err.h"

enum ay_log_level {
	AY_LOG_ERROR, /* someone must act */
	AY_LOG_WARN,  /* degraded, proceeding */
	AY_LOG_INFO,  /* life cycle */
	AY_LOG_DEBUG,
};

struct ay_log_field {
	const char *key;
	enum { AY_LOG_STR, AY_LOG_BYTES, AY_LOG_HEX, AY_LOG_UINT, AY_LOG_INT } kind;
	union {
		const char *s;
		struct ay_bytes b;
		uint64_t u;
		int64_t i;
	} v;
};

/* A text; text in octets; octets as hex; unsigned; signed. */
#define AY_LS(k, x) ((struct ay_log_field){ .key = (k), .kind = AY_LOG_STR, .v.s = (x) })
#define AY_LB(k, x) ((struct ay_log_field){ .key = (k), .kind = AY_LOG_BYTES, .v.b = (x) })
#define AY_LH(k, x) ((struct ay_log_field){ .key = (k), .kind = AY_LOG_HEX, .v.b = (x) })
#define AY_LU(k, x) ((struct ay_log_field){ .key = (k), .kind = AY_LOG_UINT, .v.u = (x) })
#define AY_LI(k, x) ((struct ay_log_field){ .key = (k), .kind = AY_LOG_INT, .v.i = (x) })

/* process: "front", "engine", ...; static text. level and format as in the configuration. */
void ay_log_init(const char *program, const char *process, const char *level, const char *format);
bool ay_log_is_on(enum ay_log_level level);

/* what: static text of ours. Use the macro. */
void ay_log_write(enum ay_log_level level, const char *what, const struct ay_log_field *f,
		  size_t n);
#define AY_LOG(level, what, ...)                                                                   \
	ay_log_write((level), (what), (const struct ay_log_field[]){ __VA_ARGS__ },                \
		     sizeof((const struct ay_log_field[]){ __VA_ARGS__ }) /                        \
			     sizeof(struct ay_log_field))

/* Without fields. */
void ay_log(enum ay_log_level level, const char *what);
/* An error with its place: rc, where, offset, code, text. */
void ay_log_err(enum ay_log_level level, const char *what, const struct ay_err *e);

#endif
