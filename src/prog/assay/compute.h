/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_PROG_ASSAY_COMPUTE_H
#define AY_PROG_ASSAY_COMPUTE_H

/* assay reference compute: what its parts share (docs/formats/compute.md). */
#include "core/appraise/reference.h"
#include "core/predict/forecast.h"
#include "prog/assay/cmd.h"

enum { AY_COMPUTE_INPUTS = 64 };

/* Files read so far; freed together. Their hashes become the set's provenance. */
struct ay_inputs {
	size_t n;
	struct {
		const char *role; /* option it was given with */
		const char *path;
		uint8_t *p;
		size_t size;
	} file[AY_COMPUTE_INPUTS];
};

/* Read a file given with an option. An enum ay_exit, said on stderr. */
AY_MUST_USE int ay_inputs_read(struct ay_inputs *in, const char *role, const char *path, size_t max,
			       struct ay_bytes *out);
void ay_inputs_free(struct ay_inputs *in);
/* "role path sha256:..; .." of all of them, cut to what a note may hold. In the arena. */
const char *ay_inputs_note(const struct ay_inputs *in, struct ay_arena *a);

/* The name of the set: --name, else made of --out. AY_EXIT_USAGE when it is no name. */
AY_MUST_USE int ay_compute_name(const struct ay_args *args, char name[AY_MAX_NAME_BYTES + 1]);
/* Write the set to --out and say what it holds. */
AY_MUST_USE int ay_compute_write(const struct ay_refset *s, const char *path);

/* Without a log: the events that the files given decide, into a new forecast. An enum ay_exit. */
AY_MUST_USE int ay_compute_boot(const struct ay_args *args, struct ay_inputs *in,
				struct ay_arena *arena, struct ay_forecast *f);
/* --deb, --repository: file digests of packages. An enum ay_exit. */
int ay_compute_packages(struct ay_cli *cli, const struct ay_args *args);

#endif
