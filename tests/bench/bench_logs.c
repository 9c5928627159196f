/* SPDX-License-Identifier: Apache-2.0 */
/* Replay of an IMA list (SHA-256 bank, template hashes compared), and whole boot logs of 100 events
 * in two banks. */
#include "bench/bench.h"

#include "core/crypto/hash.h"
#include "core/evlog/ima_replay.h"
#include "core/evlog/replay.h"
#include "core/evlog/tcg_data.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ENTRIES = 20000, ENTRY_MAX = 256, EVENTS = 100, LOG_MAX = 65536 };

static void write_entry(struct ay_writer *w, unsigned i)
{
	uint8_t data[ENTRY_MAX], digest[32] = { (uint8_t)i, (uint8_t)(i >> 8) }, hash[20];
	char path[64];
	struct ay_writer t;
	int n = snprintf(path, sizeof(path), "/usr/lib/x86_64-linux-gnu/libbench-%u.so", i);

	ay_wr_init(&t, data, sizeof(data));
	ay_wr_le32(&t, 8 + 32);
	ay_wr_bytes(&t, (struct ay_bytes){ (const uint8_t *)"sha256:", 8 });
	ay_wr_bytes(&t, AY_BYTES(digest));
	ay_wr_le32(&t, (uint32_t)n + 1);
	ay_wr_bytes(&t, (struct ay_bytes){ (const uint8_t *)path, (size_t)n + 1 });
	if (!ay_hash_of(AY_ALG_SHA1, (struct ay_bytes){ data, t.n }, hash))
		bench_die("hash");
	ay_wr_le32(w, 10);
	ay_wr_bytes(w, AY_BYTES(hash));
	ay_wr_le32(w, 6);
	ay_wr_str(w, "ima-ng");
	ay_wr_le32(w, (uint32_t)t.n);
	ay_wr_bytes(w, (struct ay_bytes){ data, t.n });
}

static void bench_ima(double seconds)
{
	uint8_t *buf = malloc((size_t)ENTRIES * ENTRY_MAX);
	struct ay_ima_bank bank = { .alg = AY_ALG_SHA256 };
	static struct ay_ima_state state;
	static struct ay_ima_run run;
	struct ay_arena arena;
	struct ay_writer w;
	uint64_t n = 0;
	double began;

	ay_wr_init(&w, buf, (size_t)ENTRIES * ENTRY_MAX);
	for (unsigned i = 0; i < ENTRIES; i++)
		write_entry(&w, i);
	ay_ima_state_init(&state, &bank, 1);
	ay_arena_init(&arena, 64 << 20);
	for (began = bench_cpu(); bench_cpu() - began < seconds; n += ENTRIES) {
		ay_arena_reset(&arena);
		if (ay_ima_replay(&state, (struct ay_bytes){ buf, w.n }, AY_MAX_IMA_PREFIXES, &run,
				  &arena, NULL) != AY_OK ||
		    run.now.entries != ENTRIES || run.now.mismatches != 0)
			bench_die("the list is not replayed");
	}
	bench_print("ima_entries", (double)n / (bench_cpu() - began), "1/s/core");
	ay_arena_fini(&arena);
	free(buf);
}

static void write_header(struct ay_writer *w)
{
	static const uint8_t zero[20];

	ay_wr_le32(w, 0);
	ay_wr_le32(w, AY_EV_NO_ACTION);
	ay_wr_bytes(w, AY_BYTES(zero));
	ay_wr_le32(w, 16 + 4 + 4 + 4 + 8 + 1);
	ay_wr_bytes(w, (struct ay_bytes){ (const uint8_t *)"Spec ID Event03", 16 });
	ay_wr_le32(w, 0);
	ay_wr_bytes(w, (struct ay_bytes){ (const uint8_t *)"\x00\x02\x00\x02", 4 });
	ay_wr_le32(w, 2);
	ay_wr_le16(w, AY_ALG_SHA1);
	ay_wr_le16(w, 20);
	ay_wr_le16(w, AY_ALG_SHA256);
	ay_wr_le16(w, 32);
	ay_wr_u8(w, 0);
}

static void write_event(struct ay_writer *w, unsigned i)
{
	uint8_t data[120], md[32];
	struct ay_bytes d = AY_BYTES(data);

	memset(data, 'a' + (int)(i % 26), sizeof(data));
	ay_wr_le32(w, i % 8);
	ay_wr_le32(w, AY_EV_EFI_ACTION);
	ay_wr_le32(w, 2);
	ay_wr_le16(w, AY_ALG_SHA1);
	if (!ay_hash_of(AY_ALG_SHA1, d, md))
		bench_die("hash");
	ay_wr_bytes(w, (struct ay_bytes){ md, 20 });
	ay_wr_le16(w, AY_ALG_SHA256);
	ay_sha256(d, md);
	ay_wr_bytes(w, AY_BYTES(md));
	ay_wr_le32(w, sizeof(data));
	ay_wr_bytes(w, d);
}

static void bench_boot_logs(double seconds)
{
	static uint8_t buf[LOG_MAX];
	static struct ay_pcrs pcrs;
	struct ay_arena arena;
	struct ay_evlog log;
	struct ay_writer w;
	uint64_t n = 0;
	double began;

	ay_wr_init(&w, buf, sizeof(buf));
	write_header(&w);
	for (unsigned i = 0; i < EVENTS; i++)
		write_event(&w, i);
	ay_arena_init(&arena, 4 << 20);
	for (began = bench_cpu(); bench_cpu() - began < seconds; n++) {
		ay_arena_reset(&arena);
		if (ay_evlog_parse((struct ay_bytes){ buf, w.n }, &arena, &log, NULL) != AY_OK ||
		    log.n_events != EVENTS + 1 || ay_evlog_replay(&log, &pcrs, NULL) != AY_OK)
			bench_die("the log is not replayed");
		ay_evlog_check_data(&log);
	}
	bench_print("event_logs", (double)n / (bench_cpu() - began), "1/s/core");
	ay_arena_fini(&arena);
}

void bench_logs(double seconds)
{
	bench_ima(seconds);
	bench_boot_logs(seconds);
}
