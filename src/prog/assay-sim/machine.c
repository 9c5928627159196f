/* SPDX-License-Identifier: Apache-2.0 */
#include "prog/assay-sim/machine.h"

#include "core/crypto/hash.h"
#include "core/evlog/tcg.h"

#include <stdlib.h>

enum { LOG_MAX = 8192, BEFORE_SEPARATORS = 5 };

static const struct {
	uint8_t pcr;
	uint32_t type;
	bool digest_of_data;
	const char *data;
} events[] = {
	{ 0, AY_EV_S_CRTM_VERSION, true, "assay-sim firmware 1.0" },
	{ 0, AY_EV_POST_CODE, true, "POST CODE" },
	{ 1, AY_EV_EVENT_TAG, false, "setup defaults" },
	{ 2, AY_EV_EVENT_TAG, false, "option rom" },
	{ 7, AY_EV_EVENT_TAG, false, "secure boot on" },
	/* the separators come here */
	{ 4, AY_EV_EFI_ACTION, true, "Calling EFI Application from Boot Option" },
	{ 4, AY_EV_EVENT_TAG, false, "boot loader 2.12" },
	{ 5, AY_EV_EVENT_TAG, false, "partition table" },
	{ 9, AY_EV_EVENT_TAG, false, "kernel 6.1 and initrd" },
	{ 14, AY_EV_EVENT_TAG, false, "machine owner keys" },
	{ 5, AY_EV_EFI_ACTION, true, "Exit Boot Services Invocation" },
	{ 5, AY_EV_EFI_ACTION, true, "Exit Boot Services Returned with Success" },
};

static void write_header(struct ay_writer *w)
{
	static const uint8_t zero[20];

	ay_wr_le32(w, 0);
	ay_wr_le32(w, AY_EV_NO_ACTION);
	ay_wr_bytes(w, AY_BYTES(zero));
	ay_wr_le32(w, 16 + 4 + 4 + 4 + 4 + 1);
	ay_wr_bytes(w, (struct ay_bytes){ (const uint8_t *)"Spec ID Event03", 16 });
	ay_wr_le32(w, 0); /* platform class: client */
	ay_wr_bytes(w, (struct ay_bytes){ (const uint8_t *)"\x00\x02\x00\x02", 4 });
	ay_wr_le32(w, 1);
	ay_wr_le16(w, AY_ALG_SHA256);
	ay_wr_le16(w, 32);
	ay_wr_u8(w, 0);
}

static void extend(struct sim *s, unsigned pcr, const uint8_t digest[32])
{
	struct ay_pcr_bank *bank = ay_pcrs_bank(&s->pcrs, AY_ALG_SHA256);
	uint8_t both[64];

	memcpy(both, bank->value[pcr], 32);
	memcpy(both + 32, digest, 32);
	ay_sha256(AY_BYTES(both), bank->value[pcr]);
}

static void add_event(struct sim *s, struct ay_writer *w, unsigned pcr, uint32_t type,
		      const uint8_t digest[32], struct ay_bytes data)
{
	ay_wr_le32(w, pcr);
	ay_wr_le32(w, type);
	ay_wr_le32(w, 1);
	ay_wr_le16(w, AY_ALG_SHA256);
	ay_wr_bytes(w, (struct ay_bytes){ digest, 32 });
	ay_wr_le32(w, (uint32_t)data.n);
	ay_wr_bytes(w, data);
	extend(s, pcr, digest);
}

/* What was measured is a name's hash; where the digest does not cover the data it is of two. */
static void add_named(struct sim *s, struct ay_writer *w, size_t i)
{
	struct ay_bytes data = ay_bytes_of(events[i].data);
	uint8_t digest[32];

	ay_sha256(data, digest);
	if (!events[i].digest_of_data)
		ay_sha256(AY_BYTES(digest), digest);
	add_event(s, w, events[i].pcr, events[i].type, digest, data);
}

static void add_separators(struct sim *s, struct ay_writer *w)
{
	static const uint8_t none[4];
	uint8_t digest[32];

	ay_sha256(AY_BYTES(none), digest);
	for (unsigned pcr = 0; pcr < 8; pcr++)
		add_event(s, w, pcr, AY_EV_SEPARATOR, digest, AY_BYTES(none));
}

static void init_pcrs(struct sim *s)
{
	struct ay_pcr_bank *bank = ay_pcrs_bank(&s->pcrs, AY_ALG_SHA256);

	bank->have = (1u << AY_PCR_COUNT) - 1;
	for (unsigned pcr = 17; pcr <= 22; pcr++)
		memset(bank->value[pcr], 0xff, 32);
}

enum ay_rc sim_machine_make(struct sim *s, struct ay_err *e)
{
	uint8_t *buf = malloc(LOG_MAX);
	struct ay_writer w;
	enum ay_rc rc;

	if (buf == NULL)
		return ay_fail(e, AY_E_NOMEM, "sim.log", 0, "out of memory");
	init_pcrs(s);
	ay_wr_init(&w, buf, LOG_MAX);
	write_header(&w);
	for (size_t i = 0; i < BEFORE_SEPARATORS; i++)
		add_named(s, &w, i);
	add_separators(s, &w);
	for (size_t i = BEFORE_SEPARATORS; i < AY_COUNT(events); i++)
		add_named(s, &w, i);
	rc = ay_wr_end(&w, "sim.log", &s->log, e);
	if (rc != AY_OK) {
		free(buf);
		s->log = (struct ay_bytes){ NULL, 0 };
		return rc;
	}
	ay_sha256(s->log, s->log_hash);
	return AY_OK;
}

void sim_machine_free(struct sim *s)
{
	free((void *)(uintptr_t)s->log.p);
}
