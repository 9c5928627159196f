/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_TESTS_APPRAISE_BOOT_FIXTURE_H
#define AY_TESTS_APPRAISE_BOOT_FIXTURE_H

/* A made-up boot: events that a test changes, the crypto-agile log and the PCR values they give. */
#include "support/t.h"

#include "core/appraise/state.h"
#include "core/base/writer.h"
#include "core/crypto/hash.h"
#include "core/evlog/replay.h"
#include "core/evlog/tcg_data.h"

#include <stdlib.h>
#include <string.h>

struct boot_event {
	uint32_t pcr, type;
	const char *data;     /* with variable != NULL: the variable's value */
	const char *variable; /* name of a UEFI variable */
	const char *content;  /* what is measured; NULL: the data */
};

/* shim, GRUB, kernel; Secure Boot on. */
static const struct boot_event base_boot[] = {
	{ 0, AY_EV_S_CRTM_VERSION, "firmware 1.0", NULL, NULL },
	{ 0, AY_EV_EFI_PLATFORM_FIRMWARE_BLOB, "blob", NULL, "firmware image 1.0" },
	{ 7, AY_EV_EFI_VARIABLE_DRIVER_CONFIG, "\x01", "SecureBoot", NULL },
	{ 7, AY_EV_EFI_VARIABLE_DRIVER_CONFIG, "keys", "db", NULL },
	{ 7, AY_EV_EFI_VARIABLE_DRIVER_CONFIG, "revoked", "dbx", NULL },
	{ 1, AY_EV_EFI_VARIABLE_BOOT, "entry", "Boot0001", NULL },
	{ 0, AY_EV_SEPARATOR, "\0\0\0\0", NULL, NULL },
	{ 1, AY_EV_SEPARATOR, "\0\0\0\0", NULL, NULL },
	{ 7, AY_EV_SEPARATOR, "\0\0\0\0", NULL, NULL },
	{ 4, AY_EV_SEPARATOR, "\0\0\0\0", NULL, NULL },
	{ 4, AY_EV_EFI_BOOT_SERVICES_APPLICATION, "path1", NULL, "shim image" },
	{ 4, AY_EV_EFI_BOOT_SERVICES_APPLICATION, "path2", NULL, "grub image" },
	{ 4, AY_EV_EFI_BOOT_SERVICES_APPLICATION, "path3", NULL, "kernel image" },
	{ 8, AY_EV_IPL, "kernel_cmdline: /vmlinuz root=/dev/vda1 ro", NULL,
	  "/vmlinuz root=/dev/vda1 ro" },
	{ 9, AY_EV_IPL, "/boot/vmlinuz", NULL, "kernel image" },
	{ 9, AY_EV_IPL, "/boot/initrd.gz", NULL, "initrd image" },
};
#define BASE_EVENTS AY_COUNT(base_boot)
#define BOOT_MAX 32

struct boot {
	struct boot_event ev[BOOT_MAX];
	size_t n;
	uint16_t bank[AY_BANKS_MAX];
	size_t n_banks;
	/* after boot_make() */
	struct ay_bytes octets;
	struct ay_evlog log;
	struct ay_pcrs pcrs;
	uint8_t buf[32768];
};

static inline void boot_init(struct boot *b)
{
	memset(b, 0, sizeof(*b));
	memcpy(b->ev, base_boot, sizeof(base_boot));
	b->n = BASE_EVENTS;
	b->bank[0] = AY_ALG_SHA1;
	b->bank[1] = AY_ALG_SHA256;
	b->n_banks = 2;
}

static inline void boot_remove(struct boot *b, size_t at)
{
	memmove(&b->ev[at], &b->ev[at + 1], (b->n - at - 1) * sizeof(b->ev[0]));
	b->n--;
}

static inline void boot_insert(struct boot *b, size_t at, struct boot_event ev)
{
	memmove(&b->ev[at + 1], &b->ev[at], (b->n - at) * sizeof(b->ev[0]));
	b->ev[at] = ev;
	b->n++;
}

static inline size_t boot_find(const struct boot *b, const char *name)
{
	for (size_t i = 0; i < b->n; i++)
		if ((b->ev[i].variable != NULL && strcmp(b->ev[i].variable, name) == 0) ||
		    strstr(b->ev[i].data, name) != NULL)
			return i;
	fail_msg("no event %s", name);
	return 0;
}

static inline size_t data_length(const struct boot_event *ev)
{
	return ev->type == AY_EV_SEPARATOR ? 4 : strlen(ev->data);
}

static inline struct ay_bytes boot_data(const struct boot_event *ev, uint8_t *buf, size_t room)
{
	struct ay_bytes out;
	struct ay_writer w;

	ay_wr_init(&w, buf, room);
	if (ev->variable != NULL) { /* UEFI_VARIABLE_DATA */
		ay_wr_bytes(&w, AY_BYTES(((uint8_t[16]){ 0x61, 0xdf, 0xe4, 0x8b })));
		ay_wr_le64(&w, strlen(ev->variable));
		ay_wr_le64(&w, data_length(ev));
		for (const char *c = ev->variable; *c != '\0'; c++)
			ay_wr_le16(&w, (uint8_t)*c);
	}
	ay_wr_bytes(&w, (struct ay_bytes){ (const uint8_t *)ev->data, data_length(ev) });
	assert_int_equal(ay_wr_end(&w, "data", &out, NULL), AY_OK);
	return out;
}

static inline void boot_write_event(const struct boot *b, struct ay_writer *w,
				    const struct boot_event *ev)
{
	uint8_t data[512], digest[AY_DIGEST_MAX];
	struct ay_bytes d = boot_data(ev, data, sizeof(data));

	ay_wr_le32(w, ev->pcr);
	ay_wr_le32(w, ev->type);
	ay_wr_le32(w, (uint32_t)b->n_banks);
	for (size_t k = 0; k < b->n_banks; k++) {
		assert_true(ay_hash_of(b->bank[k],
				       ev->content == NULL ? d : ay_bytes_of(ev->content), digest));
		ay_wr_le16(w, b->bank[k]);
		ay_wr_bytes(w, (struct ay_bytes){ digest, ay_alg_digest_size(b->bank[k]) });
	}
	ay_wr_le32(w, (uint32_t)d.n);
	ay_wr_bytes(w, d);
}

static inline void boot_write(struct boot *b)
{
	static const uint8_t no_digest[20];
	struct ay_writer w;

	ay_wr_init(&w, b->buf, sizeof(b->buf));
	ay_wr_le32(&w, 0);
	ay_wr_le32(&w, AY_EV_NO_ACTION);
	ay_wr_bytes(&w, AY_BYTES(no_digest));
	ay_wr_le32(&w, (uint32_t)(28 + 4 * b->n_banks + 1));
	ay_wr_bytes(&w, (struct ay_bytes){ (const uint8_t *)"Spec ID Event03", 16 });
	ay_wr_le32(&w, 0);
	ay_wr_bytes(&w, AY_BYTES(((uint8_t[4]){ 0, 2, 0, 2 }))); /* 2.0, errata 0, UINTN 2 */
	ay_wr_le32(&w, (uint32_t)b->n_banks);
	for (size_t k = 0; k < b->n_banks; k++) {
		ay_wr_le16(&w, b->bank[k]);
		ay_wr_le16(&w, (uint16_t)ay_alg_digest_size(b->bank[k]));
	}
	ay_wr_u8(&w, 0);
	for (size_t i = 0; i < b->n; i++)
		boot_write_event(b, &w, &b->ev[i]);
	assert_int_equal(ay_wr_end(&w, "log", &b->octets, NULL), AY_OK);
}

/* Values as a TPM has them: replayed, zero without events, all ones for 17-22. */
static inline void boot_values(struct boot *b)
{
	struct ay_pcrs replayed = { 0 };
	uint8_t zero[AY_DIGEST_MAX] = { 0 }, ones[AY_DIGEST_MAX];

	memset(ones, 0xff, sizeof(ones));
	memset(&b->pcrs, 0, sizeof(b->pcrs));
	assert_int_equal(ay_evlog_replay(&b->log, &replayed, NULL), AY_OK);
	for (size_t k = 0; k < b->n_banks; k++)
		for (unsigned pcr = 0; pcr < AY_PCR_COUNT; pcr++) {
			struct ay_bytes v = ay_pcrs_value(&replayed, b->bank[k], pcr);
			size_t n = ay_alg_digest_size(b->bank[k]);

			if ((AY_PCR_ASKED & (1u << pcr)) == 0)
				continue;
			if (v.n == 0)
				v = (struct ay_bytes){ pcr >= 17 ? ones : zero, n };
			assert_int_equal(ay_pcrs_set(&b->pcrs, b->bank[k], pcr, v, NULL), AY_OK);
		}
}

static inline void boot_make(struct boot *b, struct ay_arena *a)
{
	struct ay_err e = { 0 };

	boot_write(b);
	if (ay_evlog_parse(b->octets, a, &b->log, &e) != AY_OK)
		fail_msg("log: %s %s", e.where, e.text);
	ay_evlog_check_data(&b->log);
	boot_values(b);
}

static inline struct ay_refset *boot_learn(const struct boot *b, const char *name)
{
	struct ay_learn_from from = { .pcrs = &b->pcrs, .log = &b->log };
	struct ay_learn_options opt = { .name = name };
	struct ay_refset *s;
	struct ay_err e = { 0 };

	if (ay_refset_learn(&from, &opt, &s, &e) != AY_OK)
		fail_msg("learn: %s %s", e.where, e.text);
	return s;
}

/* ---- an IMA list ---- */

struct ima {
	struct ay_writer w;
	struct ay_bytes octets; /* what was written so far */
	uint8_t buf[16384];
};

static inline void ima_init(struct ima *m)
{
	ay_wr_init(&m->w, m->buf, sizeof(m->buf));
}

/* content NULL: a violation. */
static inline void ima_add(struct ima *m, const char *path, struct ay_bytes digest, bool violation)
{
	uint8_t data[512], hash[20] = { 0 };
	struct ay_bytes d;
	struct ay_writer w;

	ay_wr_init(&w, data, sizeof(data));
	ay_wr_le32(&w, (uint32_t)(8 + digest.n));
	ay_wr_bytes(&w, (struct ay_bytes){ (const uint8_t *)"sha256:", 8 });
	ay_wr_bytes(&w, digest);
	ay_wr_le32(&w, (uint32_t)(strlen(path) + 1));
	ay_wr_bytes(&w, (struct ay_bytes){ (const uint8_t *)path, strlen(path) + 1 });
	assert_int_equal(ay_wr_end(&w, "template", &d, NULL), AY_OK);
	if (!violation)
		assert_true(ay_hash_of(AY_ALG_SHA1, d, hash));
	ay_wr_le32(&m->w, 10);
	ay_wr_bytes(&m->w, AY_BYTES(hash));
	ay_wr_le32(&m->w, 6);
	ay_wr_str(&m->w, "ima-ng");
	ay_wr_le32(&m->w, (uint32_t)d.n);
	ay_wr_bytes(&m->w, d);
	assert_int_equal(ay_wr_end(&m->w, "ima", &m->octets, NULL), AY_OK);
}

static inline void ima_file(struct ima *m, const char *path, const char *content)
{
	uint8_t digest[32];

	ay_sha256(ay_bytes_of(content), digest);
	ima_add(m, path, AY_BYTES(digest), false);
}

/* SHA-256 over PCR 0-9 of the SHA-256 bank, as kernels from 5.8 on make it. */
static inline void ima_aggregate(struct ima *m, const struct ay_pcrs *p)
{
	uint8_t digest[32];
	struct ay_hash h;

	assert_true(ay_hash_init(&h, AY_ALG_SHA256));
	for (unsigned pcr = 0; pcr < 10; pcr++)
		ay_hash_update(&h, ay_pcrs_value(p, AY_ALG_SHA256, pcr));
	ay_hash_final(&h, digest);
	ima_add(m, "boot_aggregate", AY_BYTES(digest), false);
}

#endif
