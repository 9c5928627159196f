/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_TESTS_UNIT_IO_STORE_FIXTURE_H
#define AY_TESTS_UNIT_IO_STORE_FIXTURE_H

/* A store in a folder of its own, and rows to put into it. */
#include "support/t.h"

#include "core/base/hex.h"
#include "io/store/store.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

struct fx {
	char dir[64];
	char path[96];
	struct ay_store *s;
	struct ay_err e;
};

static inline void fx_dir(struct fx *f)
{
	memset(f, 0, sizeof(*f));
	strcpy(f->dir, "/tmp/ay-store-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	snprintf(f->path, sizeof(f->path), "%s/store.db", f->dir);
}

static inline void fx_open_at(struct fx *f, const char *path, bool create)
{
	struct ay_store_config cfg = {
		.path = path, .create = create, .pause_min_ms = 1, .pause_max_ms = 5
	};

	if (ay_store_open(&ay_store_sqlite, &cfg, &f->s, &f->e) != AY_OK)
		fail_msg("open: %s: %s", f->e.where, f->e.text);
}

static inline void fx_open(struct fx *f, bool create)
{
	fx_open_at(f, f->path, create);
}

static inline void fx_close(struct fx *f)
{
	ay_store_close(f->s);
	f->s = NULL;
}

static inline void fx_end(struct fx *f)
{
	struct dirent *d;
	char name[512];
	DIR *dir;

	fx_close(f);
	dir = opendir(f->dir);
	assert_non_null(dir);
	while ((d = readdir(dir)) != NULL) {
		snprintf(name, sizeof(name), "%s/%s", f->dir, d->d_name);
		if (d->d_name[0] != '.')
			unlink(name);
	}
	closedir(dir);
	rmdir(f->dir);
}

static inline struct ay_uuid fx_id(unsigned n)
{
	struct ay_uuid u = { { 0 } };

	u.b[0] = (uint8_t)(n >> 16);
	u.b[1] = (uint8_t)(n >> 8);
	u.b[2] = (uint8_t)n;
	u.b[6] = 0x40;
	return u;
}

static inline struct ay_host_row fx_host(unsigned n, char name[32])
{
	struct ay_host_row h = { .id = fx_id(n),
				 .name = name,
				 .labels = "{\"a\":\"b\"}",
				 .connect = "192.0.2.1:1443",
				 .created_at = 1000 };

	snprintf(name, 32, "host%u", n);
	return h;
}

static inline enum ay_rc fx_write(struct fx *f, struct ay_write w)
{
	memset(&f->e, 0, sizeof(f->e));
	return ay_store_write(f->s, &w, 1, NULL, &f->e);
}

static inline void fx_add_host(struct fx *f, unsigned n)
{
	char name[32];
	struct ay_host_row h = fx_host(n, name);

	assert_int_equal(fx_write(f, (struct ay_write){ .kind = AY_WR_HOST_ADD, .host = &h }),
			 AY_OK);
}

#define FX_BYTES(text) ay_bytes_of(text)

/* An attestation of host n that makes its version `version`. */
static inline struct ay_attest_row fx_attest(unsigned n, uint64_t version, struct ay_blob *report)
{
	static const uint8_t quote[145] = { 0xff, 'T', 'C', 'G' }, sig[72] = { 1 },
			     nonce[32] = { 2 };
	struct ay_attest_row a = { .host = fx_id(n), .at = 1000 + (int64_t)version };

	a.status.version = version;
	a.status.verdict = 2;
	a.status.judged = true;
	a.status.attested_at = a.at;
	a.status.lease_until = a.at + 1000;
	a.status.counters_known = true;
	a.status.clock_ms = version * 10;
	a.attest = AY_BYTES(quote);
	a.signature = AY_BYTES(sig);
	a.nonce = AY_BYTES(nonce);
	a.exporter = AY_BYTES(nonce);
	a.report = report;
	return a;
}

#endif
