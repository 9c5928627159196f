/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_TESTS_BENCH_BENCH_H
#define AY_TESTS_BENCH_BENCH_H

/*
 * Figures of one core: work / CPU time of this thread. Each bench runs for
 * about the seconds given and prints one line {"name": {"value": N, "unit": U}}.
 */
#include <stdint.h>

double bench_cpu(void);
void bench_print(const char *name, double value, const char *unit);
_Noreturn void bench_die(const char *what);

void bench_appraise(double seconds);
void bench_logs(double seconds);
void bench_tls(double seconds);
void bench_saml(double seconds);
void bench_runtime(double seconds);
void bench_history(double seconds);

#endif
