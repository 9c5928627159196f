/* SPDX-License-Identifier: Apache-2.0 */
#include "core/predict/boot.h"

#include "core/base/reader.h"
#include "core/base/writer.h"
#include "core/evlog/efi_sig.h"
#include "core/predict/change.h"

static const uint8_t zeroes[4];

void ay_boot_begin(struct ay_forecast *f)
{
	struct ay_bytes action = ay_bytes_of("Calling EFI Application from Boot Option");

	ay_forecast_measure(f, 4, AY_EV_EFI_ACTION, action, action);
	ay_forecast_measure(f, 4, AY_EV_SEPARATOR, AY_BYTES(zeroes), AY_BYTES(zeroes));
}

void ay_boot_image(struct ay_forecast *f, const struct ay_pe *pe)
{
	struct ay_digests d;

	for (size_t k = 0; k < f->n_banks; k++)
		if (!ay_pe_hash(pe, f->bank[k], d.d[k]))
			memset(d.d[k], 0, sizeof(d.d[k])); /* not reached: see init */
	ay_forecast_add(f, 4, AY_EV_EFI_BOOT_SERVICES_APPLICATION, (struct ay_bytes){ 0 }, &d);
}

/* EV_EVENT_TAG [TCG-PFP 10.4.2.1]: number, size, text. */
static void add_tag(struct ay_forecast *f, uint32_t number, const char *text,
		    const struct ay_digests *d)
{
	uint8_t buf[64];
	struct ay_bytes data = { 0 };
	struct ay_writer w;

	ay_wr_init(&w, buf, sizeof(buf));
	ay_wr_le32(&w, number);
	ay_wr_le32(&w, (uint32_t)strlen(text) + 1);
	ay_wr_str(&w, text);
	ay_wr_u8(&w, 0);
	if (ay_wr_end(&w, "tag", &data, NULL) != AY_OK)
		f->failed = true;
	ay_forecast_add(f, 9, AY_EV_EVENT_TAG, data, d);
}

static void add_options(struct ay_forecast *f, const struct ay_digests *d)
{
	add_tag(f, AY_TAG_LOAD_OPTIONS, "LOADED_IMAGE::LoadOptions", d);
}

static void add_initrd(struct ay_forecast *f, const struct ay_digests *d)
{
	add_tag(f, AY_TAG_INITRD, "Linux initrd", d);
}

void ay_boot_stub(struct ay_forecast *f, const char *cmdline, const struct ay_bytes *initrd)
{
	size_t n = strlen(cmdline) + 1;
	uint8_t *p = ay_arena_alloc(f->arena, 2 * n);
	struct ay_digests d;

	if (p == NULL) {
		f->failed = true;
		return;
	}
	for (size_t i = 0; i < n; i++)
		p[2 * i] = (uint8_t)cmdline[i];
	if (n > 1) {
		ay_forecast_hash(f, (struct ay_bytes){ p, 2 * n }, &d);
		add_options(f, &d);
	}
	if (initrd != NULL) {
		ay_forecast_hash(f, *initrd, &d);
		add_initrd(f, &d);
	}
}

enum ay_rc ay_boot_uki(struct ay_forecast *f, const struct ay_uki *u, bool secure_boot,
		       struct ay_err *e)
{
	struct ay_digests options, initrd;
	struct ay_pe kernel;
	enum ay_rc rc = ay_uki_kernel(u, &kernel, e);

	if (rc == AY_OK)
		rc = ay_uki_options(u, f, &options, e);
	if (rc == AY_OK)
		rc = ay_uki_initrd(u, f, &initrd, e);
	if (rc != AY_OK)
		return rc;
	ay_boot_image(f, &u->pe);
	/* Under Secure Boot the stub takes the place of the firmware's checks, which measure. */
	if (!secure_boot)
		ay_boot_image(f, &kernel);
	ay_uki_measure_sections(u, f);
	add_options(f, &options);
	add_initrd(f, &initrd);
	return AY_OK;
}

/* ---- PCR 7 ---- */

/* EFI_GLOBAL_VARIABLE and EFI_IMAGE_SECURITY_DATABASE_GUID as they stand in memory. */
static const uint8_t global_guid[16] = { 0x61, 0xdf, 0xe4, 0x8b, 0xca, 0x93, 0xd2, 0x11,
					 0xaa, 0x0d, 0x00, 0xe0, 0x98, 0x03, 0x2b, 0x8c };
static const uint8_t database_guid[16] = { 0xcb, 0xb2, 0x19, 0xd7, 0x3a, 0x3d, 0x96, 0x45,
					   0xa3, 0xbc, 0xda, 0xd0, 0x0e, 0x67, 0x65, 0x6f };

/* An event whose digest covers the whole UEFI_VARIABLE_DATA. */
static void add_variable(struct ay_forecast *f, uint32_t type, const uint8_t guid[16],
			 const char *name, struct ay_bytes value)
{
	size_t n = 32 + 2 * strlen(name) + value.n;
	uint8_t *p = ay_arena_alloc(f->arena, n);
	struct ay_bytes data = { 0 };
	struct ay_writer w;

	if (p == NULL) {
		f->failed = true;
		return;
	}
	ay_wr_init(&w, p, n);
	ay_wr_bytes(&w, (struct ay_bytes){ guid, 16 });
	ay_wr_le64(&w, strlen(name));
	ay_wr_le64(&w, value.n);
	for (const char *c = name; *c != '\0'; c++)
		ay_wr_le16(&w, (uint8_t)*c);
	ay_wr_bytes(&w, value);
	if (ay_wr_end(&w, "variable", &data, NULL) != AY_OK)
		f->failed = true;
	ay_forecast_measure(f, 7, type, data, data);
}

struct certificates {
	size_t n;
	struct ay_bytes one; /* with its owner before it */
};

static bool count_certificate(void *arg, enum ay_efi_sig_kind kind, struct ay_bytes data)
{
	struct certificates *c = arg;

	if (kind != AY_EFI_SIG_X509)
		return true;
	c->n++;
	c->one = (struct ay_bytes){ data.p - 16, data.n + 16 };
	return true;
}

enum ay_rc ay_boot_secure(struct ay_forecast *f, const struct ay_boot_keys *k, struct ay_err *e)
{
	uint8_t on = k->secure_boot ? 1 : 0;
	struct certificates c = { 0 };
	enum ay_rc rc = ay_efi_sigs_parse(k->db, count_certificate, &c, e);

	if (rc == AY_OK && k->secure_boot && c.n != 1)
		rc = ay_fail(e, AY_E_NOENT, "db", 0,
			     "%zu certificates: not known which one the image is signed by", c.n);
	if (rc != AY_OK)
		return rc;
	add_variable(f, AY_EV_EFI_VARIABLE_DRIVER_CONFIG, global_guid, "SecureBoot",
		     (struct ay_bytes){ &on, 1 });
	add_variable(f, AY_EV_EFI_VARIABLE_DRIVER_CONFIG, global_guid, "PK", k->pk);
	add_variable(f, AY_EV_EFI_VARIABLE_DRIVER_CONFIG, global_guid, "KEK", k->kek);
	add_variable(f, AY_EV_EFI_VARIABLE_DRIVER_CONFIG, database_guid, "db", k->db);
	add_variable(f, AY_EV_EFI_VARIABLE_DRIVER_CONFIG, database_guid, "dbx", k->dbx);
	ay_forecast_measure(f, 7, AY_EV_SEPARATOR, AY_BYTES(zeroes), AY_BYTES(zeroes));
	if (k->secure_boot)
		add_variable(f, AY_EV_EFI_VARIABLE_AUTHORITY, database_guid, "db", c.one);
	return AY_OK;
}
