/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_SYS_FILE_H
#define AY_SYS_FILE_H

/* Whole files with a limit; writes that are all there or not at all. */
#include "core/base/bytes.h"
#include "core/base/err.h"

#include <sys/types.h>

/*
 * Read a whole file; works for files of /sys and /proc that tell no size. The
 * octets are malloc'ed and followed by a zero that is not counted; the caller
 * frees out->p through ay_file_free(). AY_E_NOENT, AY_E_UNAVAIL (not readable),
 * AY_E_LIMIT (more than max octets).
 */
AY_MUST_USE enum ay_rc ay_file_read(const char *path, size_t max, struct ay_bytes *out,
				    struct ay_err *e);
/* As ay_file_read from offset on; AY_E_INPUT if the file is shorter. */
AY_MUST_USE enum ay_rc ay_file_read_from(const char *path, uint64_t offset, size_t max,
					 struct ay_bytes *out, struct ay_err *e);
/* Wipes and frees what ay_file_read gave; *b is emptied. Fits AY_CLEANUP. */
void ay_file_free(struct ay_bytes *b);

/*
 * Write path whole: temporary file beside it, fsync, rename, fsync of the
 * folder. A reader sees the old or the new octets, nothing between.
 */
AY_MUST_USE enum ay_rc ay_file_write(const char *path, mode_t mode, struct ay_bytes b,
				     struct ay_err *e);
/* As write, but AY_E_EXISTS if there is such a file already. */
AY_MUST_USE enum ay_rc ay_file_create(const char *path, mode_t mode, struct ay_bytes b,
				      struct ay_err *e);
bool ay_file_exists(const char *path);
/* Make a folder and those above it; AY_OK if it is there. */
AY_MUST_USE enum ay_rc ay_dir_make(const char *path, mode_t mode, struct ay_err *e);
/* For AY_CLEANUP: closes *fd unless negative. */
void ay_fd_close(int *fd);

#endif
