/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_SYS_CONFIG_H
#define AY_SYS_CONFIG_H

/*
 * One INI file per program; its keys are the rows of config.def. An unknown
 * key is an error with its line and the nearest known key. No environment, no
 * includes; secrets are file paths.
 */
#include "core/base/bytes.h"
#include "core/base/err.h"

enum ay_program { AY_PROGRAM_ASSAYD = 1, AY_PROGRAM_ASSAY_CA = 2, AY_PROGRAM_ASSAY_AGENT = 4 };

enum ay_config_type {
	AY_CONFIG_STR,
	AY_CONFIG_PATH,
	AY_CONFIG_ADDR,
	AY_CONFIG_INT,
	AY_CONFIG_BOOL,
	AY_CONFIG_DURATION,
	AY_CONFIG_SIZE,
	AY_CONFIG_LIST,
	AY_CONFIG_WORD,
};

/* One row of config.def. */
struct ay_config_row {
	unsigned programs; /* enum ay_program, or-ed */
	const char *section;
	const char *key;
	enum ay_config_type type;
	const char *fallback;
	int64_t min, max;
	bool secret;
	const char *doc;
};

/* All rows, in the order of config.def. */
const struct ay_config_row *ay_config_rows(size_t *n);

struct ay_config;

/* The built-in values only. */
AY_MUST_USE enum ay_rc ay_config_new(enum ay_program p, struct ay_config **out, struct ay_err *e);
/* The built-in values and the file's. AY_E_INPUT: e.where is the file's name, e.offset the line. */
AY_MUST_USE enum ay_rc ay_config_load(enum ay_program p, const char *path, struct ay_config **out,
				      struct ay_err *e);
/* As load, from memory; name stands for the path in errors. */
AY_MUST_USE enum ay_rc ay_config_parse(enum ay_program p, const char *name, const char *text,
				       struct ay_config **out, struct ay_err *e);
void ay_config_free(struct ay_config *c);

/*
 * Values by key, or by "section.key" below a section. A key that is no row of this program, or of another type, is
 * our own bug: assert. Strings live as long as c.
 */
const char *ay_config_str(const struct ay_config *c, const char *key); /* STR PATH ADDR WORD LIST */
int64_t ay_config_int(const struct ay_config *c, const char *key);     /* INT DURATION(ms) SIZE */
bool ay_config_bool(const struct ay_config *c, const char *key);
/* The i-th word of a LIST, trimmed; false when there is none. */
AY_MUST_USE bool ay_config_word(const struct ay_config *c, const char *key, size_t i, char *out,
				size_t room);
/* STATE/name in out; false if it does not fit. */
AY_MUST_USE bool ay_config_state_path(const struct ay_config *c, const char *name, char *out,
				      size_t room);

/* For `config show`: row by row; false at the end. Secrets come as "(hidden)". */
struct ay_config_shown {
	const struct ay_config_row *row;
	const char *value;  /* effective, as a user would write it */
	const char *source; /* "default", or the file's name */
	unsigned line;	    /* in the file; 0 for a default */
};
AY_MUST_USE bool ay_config_show(const struct ay_config *c, size_t i, struct ay_config_shown *out);

#endif
