/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_TESTS_SUPPORT_SWTPM_H
#define AY_TESTS_SUPPORT_SWTPM_H

/* A software TPM in a folder of its own, for tests; tpm2-tools on it are their oracle. */
#include <stdbool.h>
#include <sys/types.h>

struct t_swtpm {
	char dir[64];
	char tcti[128];
	pid_t pid; /* 0: not running */
};

/* False if swtpm or tpm2-tools are not installed. Without EK certificates. */
bool t_swtpm_start(struct t_swtpm *t);
void t_swtpm_stop(struct t_swtpm *t);
/* Power off and on: the reset count goes up. */
void t_swtpm_reset(struct t_swtpm *t);
/* A shell command in its folder with TPM2TOOLS_TCTI set; its exit status. Output goes to the file
 * "out". */
int t_swtpm_sh(const struct t_swtpm *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
