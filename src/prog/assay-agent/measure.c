/* SPDX-License-Identifier: Apache-2.0 */
#include "prog/assay-agent/measure.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "core/base/reader.h"
#include "core/crypto/hash.h"
#include "io/sys/file.h"

void ay_measured_fini(struct ay_measured *m)
{
	ay_file_free(&m->bytes);
}

static enum ay_chan_log state_of(enum ay_rc rc)
{
	return rc == AY_E_NOENT ? AY_CHAN_LOG_NONE : AY_CHAN_LOG_UNREADABLE;
}

void ay_measure_boot_log(const char *path, const uint8_t known[32], struct ay_measured *out)
{
	uint8_t hash[32];
	enum ay_rc rc;

	*out = (struct ay_measured){ .state = AY_CHAN_LOG_NONE };
	if (path[0] == '\0')
		return;
	rc = ay_file_read(path, AY_MAX_EVLOG_BYTES, &out->bytes, NULL);
	if (rc != AY_OK) {
		out->state = state_of(rc);
		return;
	}
	ay_sha256(out->bytes, hash);
	out->state = AY_CHAN_LOG_FOLLOWS;
	if (memcmp(hash, known, sizeof(hash)) == 0) {
		out->state = AY_CHAN_LOG_AS_KNOWN;
		ay_file_free(&out->bytes);
	}
}

/*
 * Entries of the binary list in little-endian form: u32 PCR, 20 octets of
 * template hash, u32 and name, u32 and data. The old template "ima" has no
 * length of its data: 20 octets of digest, u32 and file name.
 */
static bool skip_entry(struct ay_reader *r)
{
	struct ay_bytes name;

	(void)ay_rd_bytes(r, "ima.pcr", 24);
	name = ay_rd_bytes(r, "ima.name", ay_rd_le32(r, "ima.nameLength"));
	if (ay_bytes_eq(name, ay_bytes_of("ima")))
		(void)ay_rd_bytes(r, "ima.digest", 20);
	(void)ay_rd_bytes(r, "ima.data", ay_rd_le32(r, "ima.dataLength"));
	return ay_rd_ok(r);
}

size_t ay_measure_ima_cut(struct ay_bytes list, size_t max)
{
	struct ay_reader r;
	size_t whole = 0;

	if (list.n > max)
		list.n = max;
	ay_rd_init(&r, list);
	while (ay_rd_left(&r) > 0 && skip_entry(&r))
		whole = ay_rd_offset(&r);
	return whole;
}

void ay_measure_ima(const char *path, uint64_t offset, uint64_t entries, size_t max,
		    struct ay_measured *out)
{
	enum ay_rc rc = AY_E_NOENT;
	struct stat st;

	*out = (struct ay_measured){ .state = AY_CHAN_LOG_NONE };
	/* A list that shrank (securityfs never does, and has no size) is sent whole, to be judged.
	 */
	if (stat(path, &st) == 0 && st.st_size > 0 && (uint64_t)st.st_size < offset)
		offset = entries = 0;
	out->offset = offset;
	out->entries = entries;
	if (path[0] != '\0')
		rc = ay_file_read_from(path, offset, AY_MAX_IMA_BYTES, &out->bytes, NULL);
	if (rc != AY_OK) {
		out->state = state_of(rc);
		return;
	}
	if (out->bytes.n > max)
		out->bytes.n = ay_measure_ima_cut(out->bytes, max);
	out->state = AY_CHAN_LOG_FOLLOWS;
	if (out->bytes.n == 0 && out->offset > 0) {
		out->state = AY_CHAN_LOG_AS_KNOWN;
		ay_file_free(&out->bytes);
	}
}

/* securityfs gives its files no size; the number of entries stands beside the list. */
static uint64_t count_beside(const char *path)
{
	char beside[4200];
	AY_CLEANUP(ay_file_free) struct ay_bytes text = { 0 };
	const char *slash = strrchr(path, '/');
	int dir = slash != NULL ? (int)(slash - path) : 0;

	(void)snprintf(beside, sizeof(beside), "%.*s/runtime_measurements_count", dir, path);
	if (ay_file_read(beside, 64, &text, NULL) != AY_OK)
		return 0;
	return strtoull((const char *)text.p, NULL, 10);
}

uint64_t ay_measure_ima_mark(const char *path)
{
	struct stat st;

	if (path[0] == '\0' || stat(path, &st) != 0)
		return 0;
	return st.st_size > 0 ? (uint64_t)st.st_size : count_beside(path);
}

enum ay_rc ay_measure_boot_id(const char *path, struct ay_uuid *out, struct ay_err *e)
{
	AY_CLEANUP(ay_file_free) struct ay_bytes text = { 0 };
	enum ay_rc rc = ay_file_read(path, 64, &text, e);

	*out = (struct ay_uuid){ 0 };
	if (rc != AY_OK)
		return rc;
	struct ay_bytes t = text;

	while (t.n > 0 && (t.p[t.n - 1] == '\n' || t.p[t.n - 1] == ' '))
		t.n--;
	return ay_uuid_parse(t, "boot_id", out, e);
}
