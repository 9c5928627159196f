/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_ASSAY_CA_RUN_H
#define AY_ASSAY_CA_RUN_H

/*
 * The Privacy CA as a child of assayd: one socket pair to engine (ca.def), one
 * to the parent. assayd/processes.h declares ay_ca_run().
 */
#include "io/ipc/ipc.h"
#include "prog/assay-ca/ca.h"

/* Besides the loop's: its database and the trust sets. No new processes. */
#define AY_CA_CALLS                                                                                \
	AY_SANDBOX_LOOP_CALLS, SCMP_SYS(openat), SCMP_SYS(fstat), SCMP_SYS(newfstatat),            \
		SCMP_SYS(stat), SCMP_SYS(lstat), SCMP_SYS(statx), SCMP_SYS(access),                \
		SCMP_SYS(faccessat), SCMP_SYS(faccessat2), SCMP_SYS(getdents64), SCMP_SYS(lseek),  \
		SCMP_SYS(pread64), SCMP_SYS(pwrite64), SCMP_SYS(fsync), SCMP_SYS(fdatasync),       \
		SCMP_SYS(ftruncate), SCMP_SYS(fcntl), SCMP_SYS(unlink), SCMP_SYS(unlinkat),        \
		SCMP_SYS(fchmod), SCMP_SYS(fchown), SCMP_SYS(getuid), SCMP_SYS(geteuid),           \
		SCMP_SYS(getcwd), SCMP_SYS(readlink), SCMP_SYS(nanosleep),                         \
		SCMP_SYS(clock_nanosleep)

/* Serve one peer's messages of ca.def; used embedded and alone. Answers through c. */
void ay_ca_serve(struct ay_ca *ca, struct ay_ipc *c, const struct ay_ipc_msg *m);
/* The settings that assayd's and assay-ca's configurations share; dir and ticket_key are the
 * caller's. */
struct ay_config;
void ay_ca_settings_read(const struct ay_config *c, struct ay_ca_settings *out);
/* Tell the peer the certificates (CA_READY). */
void ay_ca_greet(struct ay_ca *ca, struct ay_ipc *c);

#endif
