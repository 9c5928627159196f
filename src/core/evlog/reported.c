/* SPDX-License-Identifier: Apache-2.0 */
#include "core/evlog/reported.h"

#include <string.h>

static const uint8_t head[AY_REPORTED_LOG_HEAD] = "ASSAY REPORTED\x01";
static const char spec_id[16] = "Spec ID Event03";

bool ay_reported_log_is(struct ay_bytes in)
{
	return in.n >= sizeof(head) && memcmp(in.p, head, sizeof(head)) == 0;
}

/* [TCG-PFP 10.4.5.1]: platform class server, specification 2.00 errata 0, 64-bit words. */
void ay_reported_log_begin(struct ay_writer *w, const uint16_t *bank, size_t n_banks)
{
	static const uint8_t no_digest[20];

	ay_wr_bytes(w, AY_BYTES(head));
	ay_wr_le32(w, 0);
	ay_wr_le32(w, AY_EV_NO_ACTION);
	ay_wr_bytes(w, AY_BYTES(no_digest));
	ay_wr_le32(w, (uint32_t)(sizeof(spec_id) + 4 + 4 + 4 + 4 * n_banks + 1));
	ay_wr_bytes(w, (struct ay_bytes){ (const uint8_t *)spec_id, sizeof(spec_id) });
	ay_wr_le32(w, 1);
	ay_wr_u8(w, 0);
	ay_wr_u8(w, 2);
	ay_wr_u8(w, 0);
	ay_wr_u8(w, 2);
	ay_wr_le32(w, (uint32_t)n_banks);
	for (size_t i = 0; i < n_banks; i++) {
		ay_wr_le16(w, bank[i]);
		ay_wr_le16(w, (uint16_t)ay_alg_digest_size(bank[i]));
	}
	ay_wr_u8(w, 0);
}

void ay_reported_log_event(struct ay_writer *w, const struct ay_reported_event *ev)
{
	ay_wr_le32(w, ev->pcr);
	ay_wr_le32(w, ev->type);
	ay_wr_le32(w, 1);
	ay_wr_le16(w, ev->bank);
	ay_wr_bytes(w, (struct ay_bytes){ ev->digest, ay_alg_digest_size(ev->bank) });
	ay_wr_le32(w, (uint32_t)ev->text.n);
	ay_wr_bytes(w, ev->text);
}

size_t ay_reported_log_room(size_t n_banks, size_t n_events, size_t text_bytes)
{
	return 128 + 4 * n_banks + n_events * (18 + AY_DIGEST_MAX) + text_bytes;
}
