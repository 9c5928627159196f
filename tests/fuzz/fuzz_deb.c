/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz/smoke.h"

#include "io/pkg/deb.h"

static enum ay_rc visit(void *ctx, const struct ay_deb *d, const struct ay_deb_file *f,
			struct ay_err *e)
{
	uint64_t *left = ctx;

	for (const char *s = f->path; *s != '\0'; s++)
		if (*s < 0x20 || *s > 0x7e)
			__builtin_trap();
	if (d->package[0] == '\0' || d->version[0] == '\0')
		__builtin_trap();
	/* a bomb ends by the limits of the reader; here sooner */
	return (*left)-- == 0 ? ay_fail(e, AY_E_LIMIT, "fuzz", 0, "enough") : AY_OK;
}

/* A package from somewhere. */
int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	uint64_t left = 1000;
	struct ay_deb d;
	struct ay_err e;

	if (ay_deb_read((struct ay_bytes){ p, n }, AY_ALG_SHA256, &d, visit, &left, &e) == AY_OK)
		AY_FUZZ_ACCEPT();
	return 0;
}
