/* SPDX-License-Identifier: Apache-2.0 */
#include "core/evlog/txt_heap.h"

#include "core/evlog/txt.h"

#define SIZE_FIELD 8
#define HEADER_FRAME 32 /* of a TCG_PCR_EVENT, before its data */
#define ELEMENTS_MAX 32

/* A table: its size counts itself. */
static struct ay_bytes read_table(struct ay_reader *r, const char *field)
{
	uint64_t size = ay_rd_le64(r, field);

	if (ay_rd_ok(r) && (size < SIZE_FIELD || size - SIZE_FIELD > ay_rd_left(r)))
		ay_rd_reject(r, field, "a size of %llu does not fit", (unsigned long long)size);
	return ay_rd_bytes(r, field, ay_rd_ok(r) ? (size_t)size - SIZE_FIELD : 0);
}

/* [TXT-DEV C.1]; empty on machines whose firmware leaves nothing */
static void read_bios(struct ay_bytes in, struct ay_txt_heap *h)
{
	struct ay_reader r;

	ay_rd_init(&r, in);
	h->bios_version = ay_rd_le32(&r, "biosData.version");
	(void)ay_rd_le32(&r, "biosData.biosSinitSize");
	(void)ay_rd_le64(&r, "biosData.reserved");
	(void)ay_rd_le64(&r, "biosData.reserved");
	h->logical_processors = ay_rd_le32(&r, "biosData.numLogicalProcs");
}

static void add_log(struct ay_reader *r, struct ay_txt_heap *h, struct ay_txt_log_at at)
{
	if (h->n_logs == AY_TXT_LOGS_MAX)
		ay_rd_limit(r, "element.log", h->n_logs + 1, AY_TXT_LOGS_MAX);
	else if (ay_rd_ok(r))
		h->log[h->n_logs++] = at;
}

static void read_log_pointers(struct ay_reader *r, struct ay_txt_heap *h)
{
	uint32_t n = ay_rd_le32(r, "element7.count");

	if (ay_rd_ok(r) && n > AY_TXT_LOGS_MAX)
		ay_rd_limit(r, "element7.count", n, AY_TXT_LOGS_MAX);
	while (n-- > 0 && ay_rd_ok(r)) {
		struct ay_txt_log_at at = { .element = 7 };

		at.alg = ay_rd_le16(r, "element7.alg");
		(void)ay_rd_le16(r, "element7.reserved");
		at.phys = ay_rd_le64(r, "element7.physAddr");
		at.allocated = ay_rd_le32(r, "element7.size");
		at.first = ay_rd_le32(r, "element7.pcrEventsOffset");
		at.next = ay_rd_le32(r, "element7.nextEventOffset");
		add_log(r, h, at);
	}
}

static void read_log_pointer(struct ay_reader *r, uint32_t type, struct ay_txt_heap *h)
{
	struct ay_txt_log_at at = { .element = type };

	at.phys = ay_rd_le64(r, "element.physAddr");
	if (type == 8) {
		at.allocated = ay_rd_le32(r, "element8.allocatedSize");
		at.first = ay_rd_le32(r, "element8.firstRecordOffset");
		at.next = ay_rd_le32(r, "element8.nextRecordOffset");
	}
	add_log(r, h, at);
}

static void read_element(struct ay_reader *r, uint32_t type, uint32_t size, struct ay_txt_heap *h)
{
	struct ay_reader sub;

	ay_rd_window(r, "element", size, &sub);
	if (type == 5 || type == 8)
		read_log_pointer(&sub, type, h);
	else if (type == 7)
		read_log_pointers(&sub, h);
	(void)ay_rd_rest(&sub, "element.data");
	ay_rd_window_end(&sub, "element");
}

/* {type, size with this header, data} until type 0 or the table ends [TXT-DEV C.5] */
static void read_elements(struct ay_reader *r, struct ay_txt_heap *h)
{
	for (unsigned i = 0; ay_rd_left(r) >= 8; i++) {
		uint32_t type = ay_rd_le32(r, "element.type");
		uint32_t size = ay_rd_le32(r, "element.size");

		if (type == 0)
			break;
		if (i == ELEMENTS_MAX)
			ay_rd_limit(r, "element", i + 1, ELEMENTS_MAX);
		else if (ay_rd_ok(r) && (size < 8 || size - 8 > ay_rd_left(r)))
			ay_rd_reject(r, "element.size", "%u does not fit", size);
		if (!ay_rd_ok(r))
			return;
		read_element(r, type, size - 8, h);
	}
	(void)ay_rd_rest(r, "osSinitData.rest");
}

/* [TXT-DEV C.4] */
static void read_os_sinit(struct ay_reader *r, struct ay_txt_heap *h)
{
	h->os_sinit_version = ay_rd_le32(r, "osSinitData.version");
	h->os_sinit_flags = ay_rd_le32(r, "osSinitData.flags");
	(void)ay_rd_bytes(r, "osSinitData.mle", 24); /* page table, size, header */
	(void)ay_rd_bytes(r, "osSinitData.pmr", 32);
	(void)ay_rd_bytes(r, "osSinitData.lcpPo", 16);
	h->capabilities = ay_rd_le32(r, "osSinitData.capabilities");
	if (ay_rd_ok(r) && (h->os_sinit_version < 4 || h->os_sinit_version > 7))
		ay_rd_reject(r, "osSinitData.version", "%u is not 4 to 7", h->os_sinit_version);
	if (h->os_sinit_version >= 5)
		(void)ay_rd_le64(r, "osSinitData.efiRsdtPtr");
	if (h->os_sinit_version >= 6)
		read_elements(r, h);
	else
		(void)ay_rd_rest(r, "osSinitData.rest");
}

/* [TXT-DEV C.5] */
static void read_sinit_mle(struct ay_reader *r, struct ay_txt_heap *h)
{
	h->sinit_mle_version = ay_rd_le32(r, "sinitMleData.version");
	if (ay_rd_ok(r) && (h->sinit_mle_version < 6 || h->sinit_mle_version > 9))
		ay_rd_reject(r, "sinitMleData.version", "%u is not 6 to 9", h->sinit_mle_version);
	ay_rd_copy(r, "sinitMleData.biosAcmId", h->bios_acm_id, 20);
	h->edx_senter_flags = ay_rd_le32(r, "sinitMleData.edxSenterFlags");
	h->mseg_valid = ay_rd_le64(r, "sinitMleData.msegValid");
	ay_rd_copy(r, "sinitMleData.sinitHash", h->sinit_hash, 20);
	ay_rd_copy(r, "sinitMleData.mleHash", h->mle_hash, 20);
	ay_rd_copy(r, "sinitMleData.stmHash", h->stm_hash, 20);
	ay_rd_copy(r, "sinitMleData.lcpPolicyHash", h->lcp_policy_hash, 20);
	h->lcp_policy_control = ay_rd_le32(r, "sinitMleData.policyControl");
	(void)ay_rd_bytes(r, "sinitMleData.rlpWakeupAddr", 8); /* and a reserved one */
	(void)ay_rd_bytes(r, "sinitMleData.mdrs", 8);
	(void)ay_rd_bytes(r, "sinitMleData.vtdDmars", 8);
	if (h->sinit_mle_version >= 8)
		h->scrtm_status = ay_rd_le32(r, "sinitMleData.processorScrtmStatus");
	(void)ay_rd_rest(r, "sinitMleData.rest");
}

/* A table with nothing in it says nothing: agents cut what is of no use. */
static enum ay_rc read_tables(struct ay_txt_heap *h, struct ay_err *e)
{
	struct ay_reader r;
	enum ay_rc rc = AY_OK;

	if (h->bios.n > 0)
		read_bios(h->bios, h);
	ay_rd_init(&r, h->os_sinit);
	if (h->os_sinit.n > 0) {
		read_os_sinit(&r, h);
		rc = ay_rd_end(&r, "osSinitData", e);
	}
	if (rc != AY_OK || h->sinit_mle.n == 0)
		return rc;
	ay_rd_init(&r, h->sinit_mle);
	read_sinit_mle(&r, h);
	return ay_rd_end(&r, "sinitMleData", e);
}

enum ay_rc ay_txt_heap_parse(struct ay_bytes in, struct ay_txt_heap *out, struct ay_err *e)
{
	struct ay_txt_heap h = { 0 };
	struct ay_reader r;
	enum ay_rc rc;

	*out = (struct ay_txt_heap){ 0 };
	ay_rd_init(&r, in);
	h.bios = read_table(&r, "biosData.size");
	h.os_mle = read_table(&r, "osMleData.size");
	h.os_sinit = read_table(&r, "osSinitData.size");
	h.sinit_mle = read_table(&r, "sinitMleData.size");
	h.used = ay_rd_offset(&r);
	(void)ay_rd_rest(&r, "heap.rest");
	rc = ay_rd_end(&r, "heap", e);
	if (rc == AY_OK)
		rc = read_tables(&h, e);
	if (rc == AY_OK)
		*out = h;
	else
		ay_err_code(e, "TXT_HEAP");
	return rc;
}

static struct ay_bytes find(struct ay_bytes in, const char *sig, size_t before)
{
	const uint8_t *p = memmem(in.p, in.n, sig, strlen(sig));

	if (p == NULL || (size_t)(p - in.p) < before)
		return (struct ay_bytes){ 0 };
	p -= before;
	return (struct ay_bytes){ p, in.n - (size_t)(p - in.p) };
}

/* containerSize of the frame, behind signature, reserved and versions. */
static size_t container_size(struct ay_bytes log)
{
	struct ay_reader r;

	ay_rd_init(&r, log);
	(void)ay_rd_bytes(&r, "container.head", 36);
	return ay_rd_le32(&r, "container.size");
}

struct ay_bytes ay_txt_heap_find_log(const struct ay_txt_heap *h, struct ay_bytes dump)
{
	struct ay_bytes log = find(dump, "Spec ID Event03", HEADER_FRAME);
	size_t n = 0;

	for (size_t i = 0; log.n > 0 && i < h->n_logs; i++)
		if (h->log[i].element == 8)
			n = h->log[i].next;
	if (log.n == 0) {
		log = find(dump, AY_TXT_CONTAINER_SIG, 0);
		n = container_size(log);
	}
	if (n == 0)
		return (struct ay_bytes){ 0 };
	if (n < log.n)
		log.n = n;
	return log;
}

size_t ay_txt_heap_room(const struct ay_txt_heap *h)
{
	return 4 * SIZE_FIELD + h->bios.n + h->os_sinit.n + h->sinit_mle.n;
}

void ay_txt_heap_write(struct ay_writer *w, const struct ay_txt_heap *h)
{
	const struct ay_bytes tables[] = { h->bios, { 0 }, h->os_sinit, h->sinit_mle };

	for (size_t i = 0; i < AY_COUNT(tables); i++) {
		ay_wr_le64(w, SIZE_FIELD + tables[i].n);
		ay_wr_bytes(w, tables[i]);
	}
}
