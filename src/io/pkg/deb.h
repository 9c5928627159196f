/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_PKG_DEB_H
#define AY_PKG_DEB_H

/*
 * Debian packages as lists of file digests. A package is untrusted input: it
 * is read in memory, nothing is written anywhere, sizes and counts are
 * bounded, paths are text and are never opened.
 */
#include "core/base/bytes.h"
#include "core/base/err.h"
#include "core/tpm/alg.h"

/* From the control file; each printable, without blanks, terminated. */
struct ay_deb {
	char package[129];
	char version[129];
	char architecture[65];
};

struct ay_deb_file {
	char path[1024]; /* absolute, printable: other octets are '?', longer ones cut */
	uint64_t size;
	bool is_program; /* may be executed, or is loaded as code by its name (.so, .ko, .py, ..) */
	uint8_t digest[AY_DIGEST_MAX];
};

/*
 * What is done with each regular file. d is whole by then. Maintainer scripts
 * come as the files they are when dpkg runs them. Another result than AY_OK
 * ends the reading with it.
 */
typedef enum ay_rc ay_deb_visit(void *ctx, const struct ay_deb *d, const struct ay_deb_file *f,
				struct ay_err *e);

/*
 * Read a package (deb(5), format 2.0; members compressed by gzip, xz, zstd,
 * bzip2, lzma or not at all).
 *
 *   in   the whole file
 *   alg  the hash that IMA uses on the hosts
 *   d    filled as soon as the control file is read; zeroed on failure
 *
 * AY_E_INPUT: no package, a broken archive, no control file before the data.
 * AY_E_LIMIT: more than AY_MAX_PKG_FILES files or AY_MAX_PKG_MIB
 * unpacked. AY_E_NOMEM.
 */
AY_MUST_USE enum ay_rc ay_deb_read(struct ay_bytes in, uint16_t alg, struct ay_deb *d,
				   ay_deb_visit *visit, void *ctx, struct ay_err *e);

#endif
