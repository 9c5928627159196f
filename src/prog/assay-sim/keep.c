/* SPDX-License-Identifier: Apache-2.0 */
#include "prog/assay-sim/keep.h"

#include "io/sys/file.h"
#include "prog/assay-sim/keys.h"

#include <sys/stat.h>

enum { RECORD_MAX = 8192, HOSTS_FILE_MAX = 512 * 1024 * 1024, KEY_MAX = 2048 };

static void write_key(struct ay_writer *w, EVP_PKEY *key)
{
	uint8_t *der = NULL;
	int n = i2d_PrivateKey(key, &der);

	ay_wr_vec16(w, (struct ay_bytes){ der, n > 0 ? (size_t)n : 0 });
	OPENSSL_clear_free(der, n > 0 ? (size_t)n : 0);
}

static EVP_PKEY *read_key(struct ay_reader *r, const char *field)
{
	struct ay_bytes der = ay_rd_vec16(r, field, KEY_MAX);
	const uint8_t *p = der.p;
	EVP_PKEY *k = der.n == 0 ? NULL : d2i_AutoPrivateKey(NULL, &p, (long)der.n);

	if (k == NULL && ay_rd_ok(r))
		ay_rd_reject(r, field, "no private key");
	return k;
}

static enum ay_rc read_host(struct sim *s, struct ay_bytes record, struct ay_err *e)
{
	struct ay_reader r;
	struct sim_host *h, in = { .sim = s };
	struct ay_bytes pub;
	enum ay_rc rc;

	ay_rd_init(&r, record);
	in.index = ay_rd_be32(&r, "host.index");
	ay_rd_copy(&r, "host.id", in.id.b, sizeof(in.id.b));
	ay_rd_copy(&r, "host.boot", in.boot.b, sizeof(in.boot.b));
	in.ak_kind = ay_rd_u8(&r, "host.kind");
	if (!ay_rd_ok(&r) || in.index < s->conf.first ||
	    in.index - s->conf.first >= s->conf.hosts || in.ak_kind != s->conf.ak)
		return AY_OK; /* not of this run */
	in.tls_key = read_key(&r, "host.tls");
	in.ek = read_key(&r, "host.ek");
	in.ak = read_key(&r, "host.ak");
	pub = ay_rd_vec16(&r, "host.public", sizeof(in.ak_pub));
	rc = ay_rd_end(&r, "host", e);
	if (rc == AY_OK) {
		memcpy(in.ak_pub, pub.p, pub.n);
		in.ak_pub_n = (uint16_t)pub.n;
		rc = sim_keys_ak_name(&in, e);
	}
	if (rc == AY_OK)
		rc = sim_keys_certify(&in, e);
	if (rc != AY_OK) {
		sim_keys_free(&in);
		return rc;
	}
	in.enrolled = true;
	h = &s->host[in.index - s->conf.first];
	sim_keys_free(h);
	*h = in;
	return AY_OK;
}

enum ay_rc sim_keep_load(struct sim *s, struct ay_err *e)
{
	AY_CLEANUP(ay_file_free) struct ay_bytes file = { 0 };
	struct ay_reader r;
	char path[1024];
	enum ay_rc rc = ay_dir_make(s->conf.state_dir, 0700, e);

	if (rc != AY_OK)
		return rc;
	snprintf(path, sizeof(path), "%s/hosts.bin", s->conf.state_dir);
	rc = ay_file_read(path, HOSTS_FILE_MAX, &file, e);
	if (rc != AY_OK && rc != AY_E_NOENT)
		return rc;
	ay_rd_init(&r, file);
	while (ay_rd_left(&r) > 0 && ay_rd_ok(&r)) {
		struct ay_bytes record = ay_rd_vec32(&r, "hosts", RECORD_MAX);

		if (ay_rd_ok(&r) && (rc = read_host(s, record, e)) != AY_OK)
			return rc;
	}
	s->state_file = fopen(path, "ab");
	if (s->state_file == NULL)
		return ay_fail(e, AY_E_UNAVAIL, "sim.state", 0, "%s cannot be written", path);
	(void)fchmod(fileno(s->state_file), 0600);
	return AY_OK;
}

enum ay_rc sim_keep_add(struct sim *s, const struct sim_host *h, struct ay_err *e)
{
	uint8_t buf[RECORD_MAX];
	struct ay_writer w;
	struct ay_bytes all;
	size_t at;
	enum ay_rc rc;

	if (s->state_file == NULL)
		return AY_OK;
	ay_wr_init(&w, buf, sizeof(buf));
	at = ay_wr_open32(&w);
	ay_wr_be32(&w, h->index);
	ay_wr_bytes(&w, (struct ay_bytes){ h->id.b, sizeof(h->id.b) });
	ay_wr_bytes(&w, (struct ay_bytes){ h->boot.b, sizeof(h->boot.b) });
	ay_wr_u8(&w, h->ak_kind);
	write_key(&w, h->tls_key);
	write_key(&w, h->ek);
	write_key(&w, h->ak);
	ay_wr_vec16(&w, (struct ay_bytes){ h->ak_pub, h->ak_pub_n });
	ay_wr_close32(&w, at);
	rc = ay_wr_end(&w, "sim.state", &all, e);
	if (rc == AY_OK &&
	    (fwrite(all.p, 1, all.n, s->state_file) != all.n || fflush(s->state_file)))
		rc = ay_fail(e, AY_E_UNAVAIL, "sim.state", 0, "cannot be written");
	return rc;
}
