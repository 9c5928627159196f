/* SPDX-License-Identifier: Apache-2.0 */
/* What a boot log says of the machine: firmware and kernel, each with its grade. */
#include "core/appraise/match.h"

#include <string.h>

#include "core/base/reader.h"
#include "core/evlog/replay.h"
#include "core/evlog/tcg_data.h"

#define TEXT_MAX 512

/* Text as firmware writes it: UTF-16LE or ASCII, with or without terminator. "" if it is none. */
static const char *text_of(struct ay_bytes b, struct ay_arena *a)
{
	bool wide = b.n >= 2 && b.n % 2 == 0 && b.p[1] == 0;
	char out[TEXT_MAX];
	size_t n = 0;

	for (size_t i = 0; i < b.n && n + 1 < sizeof(out); i += wide ? 2 : 1) {
		if (b.p[i] == 0)
			break;
		if (b.p[i] < 0x20 || b.p[i] >= 0x7f || (wide && b.p[i + 1] != 0))
			return "";
		out[n++] = (char)b.p[i];
	}
	return ay_arena_str(a, (struct ay_bytes){ (const uint8_t *)out, n });
}

/* One text, or of two that differ none: nobody can say which is meant. */
static void note(struct ay_machine_fact *f, const char *text, enum ay_grade grade, bool *twice)
{
	if (text == NULL || *text == '\0' || f->grade > grade)
		return;
	if (f->grade < grade)
		*twice = false;
	else
		*twice |= strcmp(f->text == NULL ? "" : f->text, text) != 0;
	*f = (struct ay_machine_fact){ *twice ? NULL : text, grade };
}

/* GRUB's own command line event: the digest covers what follows the prefix. */
static const char *cmdline_of(const struct ay_event *ev, struct ay_arena *a)
{
	static const char prefix[] = "kernel_cmdline: ";
	size_t n = sizeof(prefix) - 1;

	if (ev->type != AY_EV_IPL || ev->data.n <= n || memcmp(ev->data.p, prefix, n) != 0)
		return NULL;
	return text_of((struct ay_bytes){ ev->data.p + n, ev->data.n - n }, a);
}

/* SP800-155 Event2 and Event3 [TCG-PFP 10.4.5.2]: who made platform and firmware. Not measured. */
static bool read_rim_reference(struct ay_bytes data, struct ay_bytes *vendor,
			       struct ay_bytes *version)
{
	static const char magic[] = "SP800-155 Event";
	struct ay_reader r;
	struct ay_bytes sign;

	ay_rd_init(&r, data);
	sign = ay_rd_bytes(&r, "sp800155.Signature", 16);
	if (sign.n != 16 || memcmp(sign.p, magic, sizeof(magic) - 1) != 0 || sign.p[15] == 0)
		return false;
	(void)ay_rd_bytes(&r, "sp800155.VendorId", 4 + 16);
	(void)ay_rd_vec8(&r, "sp800155.PlatformManufacturerStr", 255);
	(void)ay_rd_vec8(&r, "sp800155.PlatformModel", 255);
	(void)ay_rd_vec8(&r, "sp800155.PlatformVersion", 255);
	*vendor = ay_rd_vec8(&r, "sp800155.FirmwareManufacturerStr", 255);
	(void)ay_rd_le32(&r, "sp800155.FirmwareManufacturerId");
	*version = ay_rd_vec8(&r, "sp800155.FirmwareVersion", 255);
	return ay_rd_ok(&r);
}

static void note_event(const struct ay_event *ev, bool proven, struct ay_arena *a,
		       struct ay_machine *m, bool twice[3])
{
	struct ay_bytes vendor, version;

	if (ev->type == AY_EV_NO_ACTION && read_rim_reference(ev->data, &vendor, &version)) {
		note(&m->vendor, text_of(vendor, a), AY_GRADE_SELF_REPORTED, &twice[0]);
		note(&m->version, text_of(version, a), AY_GRADE_SELF_REPORTED, &twice[1]);
		return;
	}
	if (!proven || ev->check != AY_DATA_MATCH)
		return;
	if (ev->pcr == 0 && ev->type == AY_EV_S_CRTM_VERSION)
		note(&m->version, text_of(ev->data, a), AY_GRADE_LOG_REPLAYED, &twice[1]);
	if (ev->pcr == 8)
		note(&m->cmdline, cmdline_of(ev, a), AY_GRADE_LOG_REPLAYED, &twice[2]);
}

void ay_machine_of_log(const struct ay_evlog *log, uint32_t unexplained, struct ay_arena *a,
		       struct ay_machine *out)
{
	bool twice[3] = { false };

	*out = (struct ay_machine){ .log = log, .unexplained = unexplained };
	for (size_t i = 0; log != NULL && i < log->n_events; i++) {
		const struct ay_event *ev = &log->event[i];
		bool proven = ev->pcr < AY_PCR_COUNT && (unexplained >> ev->pcr & 1) == 0;

		note_event(ev, proven, a, out, twice);
	}
}

size_t ay_machine_version_event(const struct ay_evlog *log)
{
	for (size_t i = 0; i < log->n_events; i++)
		if (log->event[i].pcr == 0 && log->event[i].type == AY_EV_S_CRTM_VERSION &&
		    log->event[i].check == AY_DATA_MATCH)
			return i;
	return 0;
}
