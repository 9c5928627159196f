/* SPDX-License-Identifier: Apache-2.0 */
#include "core/evlog/tcg_names.h"

#include "core/base/reader.h"
#include "core/evlog/tcg_data.h"

#include <stdio.h>

/* [TCG-PFP 10.4.1] and, from 0x401, the launch events of TXT and Linux. */
static const struct {
	uint32_t type;
	const char *name;
} names[] = {
	{ 0x0, "EV_PREBOOT_CERT" },
	{ 0x1, "EV_POST_CODE" },
	{ 0x2, "EV_UNUSED" },
	{ 0x3, "EV_NO_ACTION" },
	{ 0x4, "EV_SEPARATOR" },
	{ 0x5, "EV_ACTION" },
	{ 0x6, "EV_EVENT_TAG" },
	{ 0x7, "EV_S_CRTM_CONTENTS" },
	{ 0x8, "EV_S_CRTM_VERSION" },
	{ 0x9, "EV_CPU_MICROCODE" },
	{ 0xa, "EV_PLATFORM_CONFIG_FLAGS" },
	{ 0xb, "EV_TABLE_OF_DEVICES" },
	{ 0xc, "EV_COMPACT_HASH" },
	{ 0xd, "EV_IPL" },
	{ 0xe, "EV_IPL_PARTITION_DATA" },
	{ 0xf, "EV_NONHOST_CODE" },
	{ 0x10, "EV_NONHOST_CONFIG" },
	{ 0x11, "EV_NONHOST_INFO" },
	{ 0x12, "EV_OMIT_BOOT_DEVICE_EVENTS" },
	{ 0x13, "EV_POST_CODE2" },
	{ 0x401, "PCR_MAPPING" },
	{ 0x402, "HASH_START" },
	{ 0x403, "COMBINED_HASH" },
	{ 0x404, "MLE_HASH" },
	{ 0x40a, "BIOSAC_REG_DATA" },
	{ 0x40b, "CPU_SCRTM_STAT" },
	{ 0x40c, "LCP_CONTROL_HASH" },
	{ 0x40d, "ELEMENTS_HASH" },
	{ 0x40e, "STM_HASH" },
	{ 0x40f, "OSSINITDATA_CAP_HASH" },
	{ 0x410, "SINIT_PUBKEY_HASH" },
	{ 0x411, "LCP_HASH" },
	{ 0x412, "LCP_DETAILS_HASH" },
	{ 0x413, "LCP_AUTHORITIES_HASH" },
	{ 0x414, "NV_INFO_HASH" },
	{ 0x416, "KM_HASH" },
	{ 0x417, "BPM_HASH" },
	{ 0x418, "KM_INFO_HASH" },
	{ 0x419, "BPM_INFO_HASH" },
	{ 0x41a, "BOOT_POL_HASH" },
	{ 0x4ff, "CAP_VALUE" },
	{ 0x501, "TBOOT" },
	{ 0x502, "SLAUNCH" },
	{ 0x503, "SLAUNCH_START" },
	{ 0x504, "SLAUNCH_END" },
	{ 0x80000000, "EV_EFI_EVENT_BASE" },
	{ 0x80000001, "EV_EFI_VARIABLE_DRIVER_CONFIG" },
	{ 0x80000002, "EV_EFI_VARIABLE_BOOT" },
	{ 0x80000003, "EV_EFI_BOOT_SERVICES_APPLICATION" },
	{ 0x80000004, "EV_EFI_BOOT_SERVICES_DRIVER" },
	{ 0x80000005, "EV_EFI_RUNTIME_SERVICES_DRIVER" },
	{ 0x80000006, "EV_EFI_GPT_EVENT" },
	{ 0x80000007, "EV_EFI_ACTION" },
	{ 0x80000008, "EV_EFI_PLATFORM_FIRMWARE_BLOB" },
	{ 0x80000009, "EV_EFI_HANDOFF_TABLES" },
	{ 0x8000000a, "EV_EFI_PLATFORM_FIRMWARE_BLOB2" },
	{ 0x8000000b, "EV_EFI_HANDOFF_TABLES2" },
	{ 0x8000000c, "EV_EFI_VARIABLE_BOOT2" },
	{ 0x8000000d, "EV_EFI_GPT_EVENT2" },
	{ 0x80000010, "EV_EFI_HCRTM_EVENT" },
	{ 0x800000e0, "EV_EFI_VARIABLE_AUTHORITY" },
	{ 0x800000e1, "EV_EFI_SPDM_FIRMWARE_BLOB" },
	{ 0x800000e2, "EV_EFI_SPDM_FIRMWARE_CONFIG" },
	{ 0x800000e3, "EV_EFI_SPDM_DEVICE_POLICY" },
	{ 0x800000e4, "EV_EFI_SPDM_DEVICE_AUTHORITY" },
	{ 0x60000001, "REPORTED_MODULE" },
	{ 0x60000002, "REPORTED_COMMAND_LINE" },
	{ 0x60000003, "REPORTED_BOOT_OPTIONS" },
	{ 0x60000004, "REPORTED_SECURITY_OPTION" },
	{ 0x6000ffff, "REPORTED_OTHER" },
};

const char *ay_event_type_name(uint32_t type)
{
	for (size_t i = 0; i < AY_COUNT(names); i++)
		if (names[i].type == type)
			return names[i].name;
	return NULL;
}

/* Appends at most room - 1 octets made printable; step 2 takes the low octet of UTF-16. */
static void put_text(struct ay_bytes b, size_t step, char *out, size_t room)
{
	size_t at = strlen(out);

	for (size_t i = 0; i + step <= b.n && at + 1 < room; i += step) {
		uint8_t high = step == 2 ? b.p[i + 1] : 0;

		if (b.p[i] == 0 && high == 0)
			break;
		out[at++] = high == 0 && b.p[i] >= 0x20 && b.p[i] < 0x7f ? (char)b.p[i] : '?';
	}
	out[at] = '\0';
}

static bool is_variable(uint32_t type)
{
	return type == AY_EV_EFI_VARIABLE_DRIVER_CONFIG || type == AY_EV_EFI_VARIABLE_BOOT ||
	       type == AY_EV_EFI_VARIABLE_BOOT2 || type == AY_EV_EFI_VARIABLE_AUTHORITY;
}

/* Mostly printable ASCII, or UTF-16 of such: worth showing. Returns 1 or 2, the width; 0: no text.
 */
static size_t text_width(struct ay_bytes b)
{
	size_t n = b.n, width = b.n >= 4 && b.p[1] == 0 && b.p[3] == 0 ? 2 : 1;

	while (n > 0 && b.p[n - 1] == 0)
		n--;
	if (n < 2)
		return 0;
	for (size_t i = 0; i < n; i += width)
		if (b.p[i] < 0x20 && b.p[i] != '\n' && b.p[i] != '\t')
			return 0;
	return width;
}

static void summarize_variable(const struct ay_event *ev, char *out, size_t room)
{
	struct ay_uefi_variable v;

	if (ay_uefi_variable_parse(ev->data, &v, NULL) != AY_OK)
		return;
	put_text(v.name, 2, out, room);
	if (v.value.n == 1) {
		size_t at = strlen(out);

		snprintf(out + at, room - at, "=%u", v.value.p[0]);
	}
}

static void summarize_separator(const struct ay_event *ev, char *out, size_t room)
{
	if (ev->data.n == 4)
		snprintf(out, room, "0x%02x%02x%02x%02x", ev->data.p[3], ev->data.p[2],
			 ev->data.p[1], ev->data.p[0]);
}

static bool is_image(uint32_t type)
{
	return type == AY_EV_EFI_BOOT_SERVICES_APPLICATION ||
	       type == AY_EV_EFI_BOOT_SERVICES_DRIVER || type == AY_EV_EFI_RUNTIME_SERVICES_DRIVER;
}

/*
 * UEFI_IMAGE_LOAD_EVENT (PFP 10.2.3): the file's name is in the nodes of type
 * MEDIA (4), FILEPATH (4) of its device path (UEFI 10.3.4.4); without one the
 * image came from somewhere else and stays without summary.
 */
static void summarize_image(const struct ay_event *ev, char *out, size_t room)
{
	struct ay_reader r;

	ay_rd_init(&r, ev->data);
	(void)ay_rd_bytes(&r, "image", 24); /* where, how long, link time */
	(void)ay_rd_le64(&r, "path length");
	while (ay_rd_ok(&r) && r.n > 0) {
		uint8_t type = ay_rd_u8(&r, "node type");
		uint8_t subtype = ay_rd_u8(&r, "node subtype");
		uint16_t n = ay_rd_le16(&r, "node length");
		struct ay_bytes body = ay_rd_bytes(&r, "node", n < 4 ? SIZE_MAX : n - 4u);

		if (ay_rd_ok(&r) && type == 4 && subtype == 4)
			put_text(body, 2, out, room);
	}
}

/* TCG_PCClientTaggedEvent (PFP 10.4.2.1): the kernel's EFI stub says in words what it measured. */
static void summarize_tag(const struct ay_event *ev, char *out, size_t room)
{
	struct ay_bytes words;
	struct ay_reader r;
	uint32_t n;

	ay_rd_init(&r, ev->data);
	(void)ay_rd_le32(&r, "tag");
	n = ay_rd_le32(&r, "size");
	words = ay_rd_bytes(&r, "words", n);
	if (ay_rd_ok(&r) && text_width(words) == 1)
		put_text(words, 1, out, room);
}

static void summarize_text(const struct ay_event *ev, char *out, size_t room)
{
	size_t width = text_width(ev->data);

	if (width > 0)
		put_text(ev->data, width, out, room);
}

void ay_event_summary(const struct ay_event *ev, char *out, size_t room)
{
	if (room == 0)
		return;
	out[0] = '\0';
	if (is_variable(ev->type)) {
		summarize_variable(ev, out, room);
		return;
	}
	if (ev->type == AY_EV_SEPARATOR) {
		summarize_separator(ev, out, room);
		return;
	}
	if (is_image(ev->type))
		summarize_image(ev, out, room);
	else if (ev->type == AY_EV_EVENT_TAG)
		summarize_tag(ev, out, room);
	if (out[0] == '\0') /* no such structure, but words perhaps */
		summarize_text(ev, out, room);
}
