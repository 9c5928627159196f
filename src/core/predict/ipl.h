/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_PREDICT_IPL_H
#define AY_PREDICT_IPL_H

/*
 * What GRUB measures: its commands and the command lines of what it starts
 * (PCR 8, the digest covers the text behind a prefix, without terminator) and
 * the files it reads (PCR 9, the data is the name, with a terminator).
 */
#include "core/predict/forecast.h"

/* The data of an event without its terminator. */
struct ay_bytes ay_ipl_text(const struct ay_event *ev);
/* A file name without the device before it: "(hd0,gpt1)/x" is "/x". */
struct ay_bytes ay_ipl_bare(struct ay_bytes name);
/* The text that the digest of a PCR 8 event covers; {NULL, 0} if it is none of GRUB's. */
struct ay_bytes ay_ipl_covered(const struct ay_event *ev);
/* Did GRUB run commands? */
bool ay_ipl_has_grub(const struct ay_forecast *f);

/*
 * The one argument (or the first, for "linux") of the last command of that
 * name ("linux" also finds linuxefi). In the forecast's arena; NULL: none, or
 * several files.
 */
const char *ay_ipl_argument(struct ay_forecast *f, const char *command);
/* The name of the last file read whose name ends so; NULL = none. */
const char *ay_ipl_last_file(struct ay_forecast *f, const char *tail);

/* Append a command, a kernel command line, a file. */
void ay_ipl_add_command(struct ay_forecast *f, const char *text);
void ay_ipl_add_cmdline(struct ay_forecast *f, const char *text);
void ay_ipl_add_file(struct ay_forecast *f, const char *name, struct ay_bytes content);

/* See ay_change_text. */
AY_MUST_USE enum ay_rc ay_ipl_replace(struct ay_forecast *f, const char *old, const char *fresh,
				      size_t *n, struct ay_err *e);
/* See ay_change_cmdline. */
AY_MUST_USE enum ay_rc ay_ipl_change_cmdline(struct ay_forecast *f, const char *old,
					     const char *fresh, size_t *n, struct ay_err *e);

#endif
