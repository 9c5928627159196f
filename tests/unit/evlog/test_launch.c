/* SPDX-License-Identifier: Apache-2.0 */
/* Bundles of logs, the TXT heap, and where a launch leaves its log. */
#include "support/t.h"

#include "core/base/limits.h"
#include "core/evlog/bundle.h"
#include "core/evlog/launch_source.h"
#include "core/evlog/replay.h"
#include "core/evlog/txt_heap.h"
#include "unit/evlog/make.h"

#define MAGIC "61737361792d6c6f67732d31 00000000"

static const struct {
	const char *name;
	const char *hex;
	enum ay_rc rc;
	const char *where;
} bundles[] = {
	{ "one part", MAGIC "01 02 00000001 aa", AY_OK, NULL },
	{ "two parts", MAGIC "02 01 00000001 aa 05 00000002 bbcc", AY_OK, NULL },
	{ "no part", MAGIC "00", AY_E_INPUT, "bundle.count" },
	{ "unknown kind", MAGIC "01 06 00000001 aa", AY_E_INPUT, "bundle.kind" },
	{ "kind 0", MAGIC "01 00 00000001 aa", AY_E_INPUT, "bundle.kind" },
	{ "the same kind twice", MAGIC "02 02 00000001 aa 02 00000001 aa", AY_E_INPUT,
	  "bundle.kind" },
	{ "out of order", MAGIC "02 02 00000001 aa 01 00000001 aa", AY_E_INPUT, "bundle.kind" },
	{ "an empty part", MAGIC "01 02 00000000", AY_E_INPUT, "bundle.part" },
	{ "a part that is cut", MAGIC "01 02 00000002 aa", AY_E_INPUT, "bundle.part" },
	{ "a part of 4 GiB", MAGIC "01 02 ffffffff aa", AY_E_LIMIT, "bundle.part" },
	{ "octets behind", MAGIC "01 02 00000001 aa bb", AY_E_INPUT, "bundle" },
	{ "other magic", "61737361792d6c6f67732d32 00000000 01 02 00000001 aa", AY_E_INPUT,
	  "bundle.magic" },
};

static void bundle_frames(void **state)
{
	(void)state;
	for (size_t i = 0; i < AY_COUNT(bundles); i++) {
		struct ay_bundle b;
		struct ay_err e = { 0 };

		print_message("bundle: %s\n", bundles[i].name);
		assert_int_equal(ay_bundle_parse(t_hex(bundles[i].hex), &b, &e), bundles[i].rc);
		if (bundles[i].where == NULL)
			continue;
		assert_string_equal(e.where, bundles[i].where);
		assert_string_equal(e.code,
				    bundles[i].rc == AY_E_LIMIT ? "LOG_LIMIT" : "LOG_HEADER");
	}
}

/* ---- joined logs ---- */

struct both {
	struct t_list boot, launch;
	uint8_t buf[40000];
	struct ay_bytes bundle;
};

static void put_bundle(struct both *w, bool has_boot)
{
	struct ay_bundle b = { 0 };
	struct ay_writer wr;

	b.part[AY_BUNDLE_LAUNCH] = t_list_bytes(&w->launch);
	if (has_boot)
		b.part[AY_BUNDLE_BOOT] = t_list_bytes(&w->boot);
	ay_wr_init(&wr, w->buf, sizeof(w->buf));
	ay_bundle_write(&wr, &b);
	assert_int_equal(ay_wr_end(&wr, "bundle", &w->bundle, NULL), AY_OK);
	assert_int_equal(w->bundle.n, ay_bundle_room(&b));
}

static void event(struct t_list *l, uint32_t pcr, uint32_t type, const char *text)
{
	(void)t_log_event(l, pcr, type, ay_bytes_of(text), ay_bytes_of(text));
}

static struct both *make(void)
{
	struct both *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	t_log_header(&w->boot);
	event(&w->boot, 0, AY_EV_S_CRTM_VERSION, "firmware");
	event(&w->boot, 4, AY_EV_IPL, "loader");
	t_log_header(&w->launch);
	event(&w->launch, 17, AY_EV_TXT_HASH_START, "SINIT");
	event(&w->launch, 17, 0x404, "MLE");
	event(&w->launch, 18, 0x410, "key");
	return w;
}

static void joined_logs(void **state)
{
	struct both *w = make();
	struct ay_arena a;
	struct ay_evlog log;
	struct ay_pcrs got;

	(void)state;
	put_bundle(w, true);
	ay_arena_init(&a, AY_MAX_ARENA_BYTES);
	assert_int_equal(ay_evlog_parse(w->bundle, &a, &log, NULL), AY_OK);
	assert_true(log.is_joined && ay_evlog_has_boot(&log) && ay_evlog_has_launch(&log));
	assert_int_equal(log.n_events, 7);
	assert_int_equal(log.n_boot, 3);
	assert_int_equal(ay_evlog_replay(&log, &got, NULL), AY_OK);
	for (size_t k = 0; k < T_BANKS; k++) {
		static const struct {
			unsigned pcr;
			bool launch;
		} of[] = { { 0, false }, { 4, false }, { 17, true }, { 18, true } };

		for (size_t i = 0; i < AY_COUNT(of); i++) {
			const struct t_list *l = of[i].launch ? &w->launch : &w->boot;

			assert_true(ay_bytes_eq(ay_pcrs_value(&got, t_banks[k], of[i].pcr),
						ay_pcrs_value(&l->pcrs, t_banks[k], of[i].pcr)));
		}
	}
	ay_arena_fini(&a);
	free(w);
}

static void launch_alone(void **state)
{
	struct both *w = make();
	struct ay_arena a;
	struct ay_evlog log;

	(void)state;
	put_bundle(w, false);
	ay_arena_init(&a, AY_MAX_ARENA_BYTES);
	assert_int_equal(ay_evlog_parse(w->bundle, &a, &log, NULL), AY_OK);
	assert_false(ay_evlog_has_boot(&log));
	assert_false(ay_evlog_speaks(&log, 0, 4));
	assert_true(ay_evlog_speaks(&log, 0, 17));
	ay_arena_fini(&a);
	free(w);
}

/* A launch that says something of PCR 0 says it in the wrong place. */
static void launch_of_other_pcr(void **state)
{
	static const uint32_t pcrs[] = { 0, 16, 23 };
	struct ay_arena a;
	struct ay_evlog log;

	(void)state;
	for (size_t i = 0; i < AY_COUNT(pcrs); i++) {
		struct both *w = make();
		struct ay_err e = { 0 };

		event(&w->launch, pcrs[i], AY_EV_IPL, "another");
		put_bundle(w, true);
		ay_arena_init(&a, AY_MAX_ARENA_BYTES);
		assert_int_equal(ay_evlog_parse(w->bundle, &a, &log, &e), AY_E_INPUT);
		assert_string_equal(e.code, "LOG_MALFORMED");
		assert_string_equal(e.where, "launch.pcrIndex");
		ay_arena_fini(&a);
		free(w);
	}
}

static void bundle_in_bundle(void **state)
{
	struct both *w = make();
	struct ay_bundle b = { 0 };
	uint8_t *outer = malloc(50000);
	struct ay_arena a;
	struct ay_writer wr;
	struct ay_evlog log;
	struct ay_err e = { 0 };

	(void)state;
	put_bundle(w, true);
	b.part[AY_BUNDLE_BOOT] = w->bundle;
	ay_wr_init(&wr, outer, 50000);
	ay_bundle_write(&wr, &b);
	ay_arena_init(&a, AY_MAX_ARENA_BYTES);
	assert_int_equal(ay_evlog_parse((struct ay_bytes){ outer, wr.n }, &a, &log, &e),
			 AY_E_INPUT);
	assert_string_equal(e.code, "LOG_HEADER");
	ay_arena_fini(&a);
	free(outer);
	free(w);
}

/* ---- the heap ---- */

#define BIOS "2400000000000000 03000000 00000400 0000000000000000 0000000000000000 04000000"
#define OS_MLE "0a00000000000000 aabb"
#define OS_SINIT(version)                                                                          \
	version "00000000" ZEROS72 "0f000000"                                                      \
		"0000000000000000"
#define ZEROS8 "0000000000000000"
#define ZEROS72 ZEROS8 ZEROS8 ZEROS8 ZEROS8 ZEROS8 ZEROS8 ZEROS8 ZEROS8 ZEROS8
#define ELEMENT8 "08000000 1c000000 4c01010000000000 00200000 00000000 ba060000"
#define HASH(x) x x x x x x x x x x x x x x x x x x x x
#define SINIT_MLE                                                                                  \
	"09000000" HASH("11") "01000000 0200000000000000" HASH("22") HASH("33") HASH("44")         \
		HASH("55") "02000000" ZEROS8 ZEROS8 ZEROS8 "07000000"

static const struct {
	const char *name;
	const char *hex;
	const char *where; /* NULL: read */
} heaps[] = {
	{ "all four",
	  BIOS OS_MLE "8800000000000000" OS_SINIT("07000000") ELEMENT8 "0000000008000000"
								       "9c00000000000000" SINIT_MLE,
	  NULL },
	{ "octets behind",
	  BIOS OS_MLE "0800000000000000"
		      "0800000000000000"
		      "ffff",
	  NULL },
	{ "a size below 8", "0700000000000000", "biosData.size" },
	{ "a size beyond the dump", BIOS "ff00000000000000 aabb", "osMleData.size" },
	{ "a size of 2^64-1", BIOS "ffffffffffffffff aabb", "osMleData.size" },
	{ "OsSinitData 3", BIOS OS_MLE "6400000000000000" OS_SINIT("03000000") "0800000000000000",
	  "osSinitData.version" },
	{ "an element that is cut",
	  BIOS OS_MLE "7400000000000000" OS_SINIT("07000000") "08000000 1c000000 0000000000000000"
							      "0800000000000000",
	  "element.size" },
	{ "an element below its header",
	  BIOS OS_MLE "7400000000000000" OS_SINIT("07000000") "08000000 07000000 0000000000000000"
							      "0800000000000000",
	  "element.size" },
	{ "nine logs",
	  BIOS OS_MLE "7400000000000000" OS_SINIT("07000000") "07000000 0c000000 09000000 00000000"
							      "0800000000000000",
	  "element7.count" },
	{ "SinitMleData 5",
	  BIOS OS_MLE "0800000000000000"
		      "0c00000000000000 05000000",
	  "sinitMleData.version" },
	{ "SinitMleData cut",
	  BIOS OS_MLE "0800000000000000"
		      "0c00000000000000 09000000",
	  "sinitMleData.biosAcmId" },
};

static void heap_tables(void **state)
{
	struct ay_txt_heap h;

	(void)state;
	for (size_t i = 0; i < AY_COUNT(heaps); i++) {
		struct ay_err e = { 0 };
		enum ay_rc rc = ay_txt_heap_parse(t_hex(heaps[i].hex), &h, &e);

		print_message("heap: %s\n", heaps[i].name);
		assert_int_equal(rc == AY_OK, heaps[i].where == NULL);
		if (heaps[i].where == NULL)
			continue;
		assert_string_equal(e.where, heaps[i].where);
		assert_string_equal(e.code, "TXT_HEAP");
		assert_int_equal(h.used, 0);
	}
}

static void heap_members(void **state)
{
	struct ay_txt_heap h;

	(void)state;
	assert_int_equal(ay_txt_heap_parse(t_hex(heaps[0].hex), &h, NULL), AY_OK);
	assert_int_equal(h.bios_version, 3);
	assert_int_equal(h.logical_processors, 4);
	assert_int_equal(h.os_sinit_version, 7);
	assert_int_equal(h.capabilities, 15);
	assert_int_equal(h.n_logs, 1);
	assert_int_equal(h.log[0].phys, 0x1014c);
	assert_int_equal(h.log[0].allocated, 8192);
	assert_int_equal(h.log[0].next, 0x6ba);
	assert_int_equal(h.sinit_mle_version, 9);
	assert_int_equal(h.bios_acm_id[19], 0x11);
	assert_int_equal(h.sinit_hash[0], 0x22);
	assert_int_equal(h.mle_hash[0], 0x33);
	assert_int_equal(h.stm_hash[0], 0x44);
	assert_int_equal(h.lcp_policy_hash[19], 0x55);
	assert_int_equal(h.mseg_valid, 2);
	assert_int_equal(h.lcp_policy_control, 2);
	assert_int_equal(h.scrtm_status, 7);
}

/* ---- sources ---- */

static void sources(void **state)
{
	static uint8_t dump[9000];
	struct both *w = make();
	struct ay_bytes head = t_hex(heaps[0].hex), log = t_list_bytes(&w->launch);
	struct ay_bundle b = { 0 };
	struct ay_txt_heap kept;
	struct ay_arena a;
	struct ay_err e = { 0 };

	(void)state;
	ay_arena_init(&a, 1 << 20);
	assert_int_equal(ay_launch_source_read(log, &a, &b, NULL), AY_OK);
	assert_ptr_equal(b.part[AY_BUNDLE_LAUNCH].p, log.p);
	assert_int_equal(b.part[AY_BUNDLE_HEAP].n, 0);

	memcpy(dump, head.p, head.n);
	memcpy(dump + 4096, log.p, log.n);
	memset(dump + 4096 + 0x6ba, 0xcc, 100); /* what stands behind the log is not of it */
	assert_true(log.n < 0x6ba);
	assert_int_equal(ay_launch_source_read(AY_BYTES(dump), &a, &b, NULL), AY_OK);
	assert_ptr_equal(b.part[AY_BUNDLE_LAUNCH].p, dump + 4096);
	assert_int_equal(b.part[AY_BUNDLE_LAUNCH].n, 0x6ba);
	assert_int_equal(ay_txt_heap_parse(b.part[AY_BUNDLE_HEAP], &kept, NULL), AY_OK);
	assert_int_equal(kept.os_mle.n, 0); /* the launching software's own */
	assert_int_equal(kept.mle_hash[0], 0x33);

	assert_int_equal(ay_launch_source_read(ay_bytes_of("not a log at all"), &a, &b, &e),
			 AY_E_INPUT);
	assert_string_equal(e.code, "LAUNCH_SOURCE");
	ay_arena_fini(&a);
	free(w);
}

/* A real dump: what follows its first page is the heap. The log in it is the published one's kin.
 */
static void corpus_heap(void **state)
{
	struct ay_bytes in = t_corpus_file("evlog/launch", "txt/txt_heap_info.bin");
	struct ay_bundle b = { 0 };
	struct ay_txt_heap h;
	struct ay_arena a;
	struct ay_evlog log;

	(void)state;
	in = (struct ay_bytes){ in.p + 4096, in.n - 4096 };
	ay_arena_init(&a, AY_MAX_ARENA_BYTES);
	assert_int_equal(ay_launch_source_read(in, &a, &b, NULL), AY_OK);
	assert_int_equal(ay_txt_heap_parse(b.part[AY_BUNDLE_HEAP], &h, NULL), AY_OK);
	assert_int_equal(h.bios_version, 3);
	assert_int_equal(h.logical_processors, 72);
	assert_int_equal(h.os_sinit_version, 7);
	assert_int_equal(h.n_logs, 1);
	assert_int_equal(h.log[0].element, 8);
	assert_int_equal(h.sinit_mle_version, 9);
	assert_int_equal(b.part[AY_BUNDLE_LAUNCH].n, 0x6ba);
	assert_int_equal(ay_evlog_parse(b.part[AY_BUNDLE_LAUNCH], &a, &log, NULL), AY_OK);
	assert_true(ay_evlog_has_launch(&log));
	assert_int_equal(log.padding, 0);
	ay_arena_fini(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bundle_frames),    cmocka_unit_test(joined_logs),
		cmocka_unit_test(launch_alone),	    cmocka_unit_test(launch_of_other_pcr),
		cmocka_unit_test(bundle_in_bundle), cmocka_unit_test(heap_tables),
		cmocka_unit_test(heap_members),	    cmocka_unit_test(sources),
		cmocka_unit_test(corpus_heap),
	};

	return cmocka_run_group_tests_name("evlog/launch", tests, NULL, NULL);
}
