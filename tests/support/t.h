/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_TESTS_SUPPORT_T_H
#define AY_TESTS_SUPPORT_T_H

/* What every unit test needs: cmocka in its order of includes, bytes from hex, files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base/bytes.h"

/* Octets of a hex text; blanks are passed over. Freed by the process's end. */
struct ay_bytes t_hex(const char *hex);
/* A whole file, or the test fails. */
struct ay_bytes t_file(const char *path);
/* A file of tests/vectors. */
struct ay_bytes t_vector(const char *name);
/*
 * The corpus folder ($ASSAY_CORPUS, else ../shared/corpus beside the sources),
 * or NULL: then the test prints "SKIP name: no corpus" and calls skip(), unless
 * ASSAY_TEST_STRICT is set, when it fails.
 */
const char *t_corpus(const char *test);
/* A file of the corpus; the test skips as t_corpus() when there is none. */
struct ay_bytes t_corpus_file(const char *test, const char *name);

#endif
