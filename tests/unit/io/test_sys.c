/* SPDX-License-Identifier: Apache-2.0 */
#include "support/t.h"

#include "io/sys/file.h"
#include "io/sys/log.h"
#include "io/sys/wipe.h"

#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- log ---- */

static char line[8192];

/* What one call of fn writes to standard error. */
static void capture(void (*fn)(void))
{
	int saved = dup(STDERR_FILENO), fd[2];
	ssize_t n;

	assert_int_equal(pipe(fd), 0);
	dup2(fd[1], STDERR_FILENO);
	fn();
	dup2(saved, STDERR_FILENO);
	close(fd[1]);
	n = read(fd[0], line, sizeof(line) - 1);
	line[n > 0 ? n : 0] = 0;
	close(fd[0]);
	close(saved);
}

static const char evil[] = "a\" level=error msg=\"x\n\x1b[2J\\\xc3\xa9";

static void log_evil(void)
{
	AY_LOG(AY_LOG_WARN, "m", AY_LS("peer", evil), AY_LU("n", 7), AY_LI("i", -1),
	       AY_LH("h", ((struct ay_bytes){ (const uint8_t *)"\x01\xff", 2 })));
}

static void log_long(void)
{
	static char text[5000];

	memset(text, 'x', sizeof(text) - 1);
	AY_LOG(AY_LOG_WARN, "m", AY_LS("a", text), AY_LS("b", text), AY_LS("c", text));
}

static void log_debug(void)
{
	ay_log(AY_LOG_DEBUG, "not on");
}

static void a_peers_text_stays_one_value(void **state)
{
	(void)state;
	ay_log_init("p", "q", "info", "text");
	capture(log_evil);
	assert_non_null(
		strstr(line, " peer=\"a\\\" level=error msg=\\\"x\\x0a\\x1b[2J\\\\\\xc3\\xa9\" "));
	assert_non_null(strstr(line, " n=7 i=-1 h=\"01ff\"\n"));
	assert_int_equal(strcspn(line, "\n"), strlen(line) - 1); /* one line */
}

static void json_lines_parse(void **state)
{
	json_t *j;

	(void)state;
	ay_log_init("p", "q", "info", "json");
	capture(log_evil);
	j = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(j);
	assert_string_equal(json_string_value(json_object_get(j, "level")), "warn");
	assert_int_equal(json_integer_value(json_object_get(j, "n")), 7);
	json_decref(j);
	ay_log_init("p", "q", "info", "text");
}

static void log_much(void)
{
	static char text[300];

	memset(text, 1, sizeof(text) - 1); /* six characters each when escaped */
	AY_LOG(AY_LOG_WARN, "m", AY_LS("a", text), AY_LS("b", text), AY_LS("c", text),
	       AY_LS("d", text), AY_LS("end", "here"));
}

static void lines_have_a_limit(void **state)
{
	json_t *j;

	(void)state;
	capture(log_long);
	assert_true(strlen(line) < 4097);
	assert_int_equal(line[strlen(line) - 1], '\n');
	ay_log_init("p", "q", "info", "json");
	capture(log_much);
	j = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(j); /* what does not fit is left out whole */
	assert_string_equal(json_string_value(json_object_get(j, "end")), "here");
	json_decref(j);
	ay_log_init("p", "q", "info", "text");
}

static void what_is_below_the_level_is_not_written(void **state)
{
	(void)state;
	capture(log_debug);
	assert_string_equal(line, "");
}

/* ---- files ---- */

static char dir[] = "/tmp/ay-sys-XXXXXX";

static const char *in_dir(const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static void files_are_whole_and_private(void **state)
{
	struct ay_bytes b;
	struct stat st;

	(void)state;
	assert_int_equal(ay_file_write(in_dir("k"), 0600, ay_bytes_of("secret"), NULL), AY_OK);
	assert_int_equal(stat(in_dir("k"), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(ay_file_write(in_dir("k"), 0600, ay_bytes_of("other"), NULL), AY_OK);
	assert_int_equal(ay_file_read(in_dir("k"), 100, &b, NULL), AY_OK);
	assert_true(ay_bytes_eq(b, ay_bytes_of("other")));
	assert_int_equal(b.p[b.n], 0);
	ay_file_free(&b);
	assert_null(b.p);
	assert_false(ay_file_exists(in_dir("k.tmp")));
	assert_int_equal(ay_file_create(in_dir("k"), 0600, ay_bytes_of("x"), NULL), AY_E_EXISTS);
	assert_int_equal(ay_file_create(in_dir("new"), 0600, ay_bytes_of("x"), NULL), AY_OK);
}

static void reading_has_a_limit_and_a_start(void **state)
{
	struct ay_bytes b;

	(void)state;
	assert_int_equal(ay_file_write(in_dir("r"), 0600, ay_bytes_of("0123456789"), NULL), AY_OK);
	assert_int_equal(ay_file_read(in_dir("r"), 9, &b, NULL), AY_E_LIMIT);
	assert_null(b.p);
	assert_int_equal(ay_file_read(in_dir("r"), 10, &b, NULL), AY_OK);
	ay_file_free(&b);
	assert_int_equal(ay_file_read_from(in_dir("r"), 7, 10, &b, NULL), AY_OK);
	assert_true(ay_bytes_eq(b, ay_bytes_of("789")));
	ay_file_free(&b);
	assert_int_equal(ay_file_read(in_dir("none"), 10, &b, NULL), AY_E_NOENT);
	assert_int_equal(ay_file_read("/proc/self/stat", 4096, &b, NULL),
			 AY_OK); /* tells no size */
	assert_true(b.n > 0);
	ay_file_free(&b);
}

/* A link that somebody put in the place of the temporary file is not followed. */
static void a_planted_link_is_not_followed(void **state)
{
	struct ay_bytes b;

	(void)state;
	assert_int_equal(ay_file_write(in_dir("victim"), 0600, ay_bytes_of("v"), NULL), AY_OK);
	assert_int_equal(symlink("victim", in_dir("t.tmp")), 0);
	assert_int_equal(ay_file_write(in_dir("t"), 0600, ay_bytes_of("new"), NULL), AY_OK);
	assert_int_equal(ay_file_read(in_dir("victim"), 10, &b, NULL), AY_OK);
	assert_true(ay_bytes_eq(b, ay_bytes_of("v")));
	ay_file_free(&b);
}

static void folders_are_made_down_to_the_last(void **state)
{
	(void)state;
	assert_int_equal(ay_dir_make(in_dir("a/b/c"), 0700, NULL), AY_OK);
	assert_int_equal(ay_dir_make(in_dir("a/b/c"), 0700, NULL), AY_OK);
	assert_true(ay_file_exists(in_dir("a/b/c")));
	assert_int_equal(ay_dir_make(in_dir("new/x"), 0700, NULL),
			 AY_E_UNAVAIL); /* new is a file */
}

static int make_dir(void **state)
{
	(void)state;
	return mkdtemp(dir) == NULL;
}

static int drop_dir(void **state)
{
	char command[64];

	(void)state;
	snprintf(command, sizeof(command), "rm -r %s", dir);
	return system(command);
}

static void test_wipe(void **state)
{
	char *p = malloc(64);
	json_malloc_t make;
	json_free_t drop;

	(void)state;
	memset(p, 'x', 64);
	ay_wipe_block(p);
	for (int i = 0; i < 64; i++)
		assert_int_equal(p[i], 0);
	ay_wipe_free(p);
	ay_wipe_free(NULL);
	ay_wipe_json();
	json_get_alloc_funcs(&make, &drop);
	assert_true(drop == ay_wipe_free);
	json_decref(json_pack("{s:s}", "password", "secret"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_wipe),
		cmocka_unit_test(a_peers_text_stays_one_value),
		cmocka_unit_test(json_lines_parse),
		cmocka_unit_test(lines_have_a_limit),
		cmocka_unit_test(what_is_below_the_level_is_not_written),
		cmocka_unit_test(files_are_whole_and_private),
		cmocka_unit_test(reading_has_a_limit_and_a_start),
		cmocka_unit_test(a_planted_link_is_not_followed),
		cmocka_unit_test(folders_are_made_down_to_the_last),
	};

	return cmocka_run_group_tests(tests, make_dir, drop_dir);
}
