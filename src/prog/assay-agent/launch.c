/* SPDX-License-Identifier: Apache-2.0 */
#include "prog/assay-agent/launch.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/crypto/hash.h"
#include "core/evlog/launch_source.h"
#include "io/sys/file.h"
#include "io/sys/log.h"

enum { PATH_ROOM = 4400, REG_MAX = 256, REGS_ROOM = 4096, ARENA_MAX = 1 << 20 };

/* What is read for one bundle; freed together. */
struct collect {
	struct ay_bytes boot, launch;
	char regs[REGS_ROOM];
	struct ay_arena arena;
	struct ay_bundle bundle;
};

/*
 * The event log in securityfs `slaunch/`: its name differs between versions of
 * the kernel patches, so it is the first regular file there that is a log.
 */
static bool find_slaunch_log(const char *dir, struct collect *c)
{
	DIR *d = opendir(dir);
	const struct dirent *ent;
	char path[PATH_ROOM];

	while (d != NULL && c->launch.n == 0 && (ent = readdir(d)) != NULL) {
		struct ay_bundle found = { 0 };

		if (ent->d_name[0] == '.' ||
		    (size_t)snprintf(path, sizeof(path), "%s/%s", dir, ent->d_name) >=
			    sizeof(path) ||
		    ay_file_read(path, AY_MAX_EVLOG_BYTES, &c->launch, NULL) != AY_OK)
			continue;
		if (ay_launch_source_read(c->launch, &c->arena, &found, NULL) != AY_OK ||
		    found.part[AY_BUNDLE_LAUNCH].n == 0)
			ay_file_free(&c->launch);
		else
			c->bundle.part[AY_BUNDLE_LAUNCH] = found.part[AY_BUNDLE_LAUNCH];
	}
	if (d != NULL)
		closedir(d);
	return c->launch.n > 0;
}

/* Registers of the launch, one a file: "errorcode=0xc0000001" a line. */
static void read_registers(const char *dir, struct collect *c)
{
	static const char *const names[] = { "sts",	 "ests",       "errorcode", "didvid",
					     "ver_emif", "scratchpad", "e2sts" };
	char path[PATH_ROOM];
	size_t n = 0;

	for (size_t i = 0; i < AY_COUNT(names); i++) {
		AY_CLEANUP(ay_file_free) struct ay_bytes v = { 0 };
		int len;

		if ((size_t)snprintf(path, sizeof(path), "%s/txt/%s", dir, names[i]) >=
			    sizeof(path) ||
		    ay_file_read(path, REG_MAX, &v, NULL) != AY_OK)
			continue;
		while (v.n > 0 && (v.p[v.n - 1] == '\n' || v.p[v.n - 1] == ' '))
			v.n--;
		len = snprintf(c->regs + n, sizeof(c->regs) - n, "%s=%.*s\n", names[i], (int)v.n,
			       (const char *)v.p);
		n += len > 0 ? (size_t)len : 0;
	}
	c->bundle.part[AY_BUNDLE_REGS] = (struct ay_bytes){ (const uint8_t *)c->regs, n };
}

static void read_file(const char *path, struct collect *c)
{
	struct ay_err e = { 0 };
	enum ay_rc rc;

	if (path[0] == '\0')
		return;
	rc = ay_file_read(path, AY_MAX_EVLOG_BYTES, &c->launch, &e);
	if (rc == AY_OK)
		rc = ay_launch_source_read(c->launch, &c->arena, &c->bundle, &e);
	if (rc != AY_OK && rc != AY_E_NOENT)
		ay_log_err(AY_LOG_WARN, "txt_log cannot be used, going on without", &e);
}

/* The boot log and the launch's in one piece; out takes it. */
static enum ay_rc write_bundle(const struct collect *c, struct ay_bytes *out)
{
	size_t room = ay_bundle_room(&c->bundle);
	uint8_t *buf = malloc(room);
	struct ay_writer w;
	enum ay_rc rc;

	if (buf == NULL)
		return AY_E_NOMEM;
	ay_wr_init(&w, buf, room);
	ay_bundle_write(&w, &c->bundle);
	rc = ay_wr_end(&w, "bundle", out, NULL);
	if (rc != AY_OK)
		free(buf);
	return rc;
}

static bool has_launch(const struct ay_bundle *b)
{
	for (unsigned k = AY_BUNDLE_LAUNCH; k < AY_BUNDLE_KINDS; k++)
		if (b->part[k].n > 0)
			return true;
	return false;
}

static void collect(const struct ay_config *conf, struct collect *c)
{
	const char *slaunch = ay_config_str(conf, "slaunch");

	if (slaunch[0] != '\0') {
		(void)find_slaunch_log(slaunch, c);
		read_registers(slaunch, c);
	}
	if (c->launch.n == 0)
		read_file(ay_config_str(conf, "txt_log"), c);
}

static void take_bundle(struct collect *c, const uint8_t known[32], struct ay_measured *out)
{
	uint8_t hash[32];

	c->boot = out->bytes; /* the bundle copies it */
	out->bytes = (struct ay_bytes){ 0 };
	if (write_bundle(c, &out->bytes) != AY_OK) {
		out->state = AY_CHAN_LOG_UNREADABLE;
		return;
	}
	ay_sha256(out->bytes, hash);
	out->state = AY_CHAN_LOG_FOLLOWS;
	if (memcmp(hash, known, sizeof(hash)) == 0) {
		out->state = AY_CHAN_LOG_AS_KNOWN;
		ay_file_free(&out->bytes);
	}
}

bool ay_launch_is_looked_for(const struct ay_config *conf)
{
	const char *slaunch = ay_config_str(conf, "slaunch");

	return ay_config_str(conf, "txt_log")[0] != '\0' ||
	       (slaunch[0] != '\0' && access(slaunch, F_OK) == 0);
}

/* LCP owner and tboot's policy, as old and as new tboot defines them with TPM 2.0. */
void ay_launch_read_nv(const struct ay_tpmdev_ops *ops, struct ay_tpmdev *dev, struct ay_arena *a,
		       uint8_t buf[AY_LAUNCH_NV_MAX], struct ay_bytes *out)
{
	static const uint32_t indices[] = { 0x01200001, 0x01400001, 0x01c10106, 0x01c10131 };
	struct ay_writer w;

	*out = (struct ay_bytes){ 0 };
	ay_wr_init(&w, buf, AY_LAUNCH_NV_MAX);
	for (size_t i = 0; ops->nv_read != NULL && i < AY_COUNT(indices); i++) {
		struct ay_bytes held;

		if (ops->nv_read(dev, indices[i], a, &held, NULL) != AY_OK || held.n > 1000)
			continue;
		ay_wr_be32(&w, indices[i]);
		ay_wr_vec16(&w, held);
	}
	if (ay_wr_end(&w, "nv", out, NULL) != AY_OK)
		*out = (struct ay_bytes){ 0 };
}

void ay_measure_logs(const struct ay_config *conf, struct ay_bytes nv, const uint8_t known[32],
		     struct ay_measured *out)
{
	static const uint8_t none[32];
	const char *path = ay_config_str(conf, "eventlog");
	struct collect c = { 0 };

	ay_arena_init(&c.arena, ARENA_MAX);
	collect(conf, &c);
	if (!has_launch(&c.bundle)) {
		ay_measure_boot_log(path, known, out);
	} else {
		ay_measure_boot_log(path, none, out);
		c.bundle.part[AY_BUNDLE_BOOT] = out->bytes;
		c.bundle.part[AY_BUNDLE_NV] = nv;
		/* A boot log that is there and cannot be read must not look like one that is not.
		 */
		if (out->state != AY_CHAN_LOG_UNREADABLE)
			take_bundle(&c, known, out);
	}
	ay_file_free(&c.boot);
	ay_file_free(&c.launch);
	ay_arena_fini(&c.arena);
}
