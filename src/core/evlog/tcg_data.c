/* SPDX-License-Identifier: Apache-2.0 */
#include "core/evlog/tcg_data.h"

#include "core/base/reader.h"
#include "core/crypto/hash_many.h"
#include "core/evlog/tcg_names.h"

/* At most this many readings of one event's data can be what was measured. */
#define READINGS_MAX 4

#define EVENTS_AT_ONCE 64 /* hashed together: a few times the lanes of hash_many */

/* What of an event's data its digest may cover. */
struct readings {
	size_t n;
	struct ay_bytes b[READINGS_MAX];
	bool is_covered; /* one of them must be it: else the data is wrong */
};

static void add(struct readings *s, struct ay_bytes b)
{
	if (s->n < READINGS_MAX)
		s->b[s->n++] = b;
}

enum ay_rc ay_uefi_variable_parse(struct ay_bytes data, struct ay_uefi_variable *out,
				  struct ay_err *e)
{
	struct ay_uefi_variable v = { 0 };
	uint64_t n_name, n_value;
	struct ay_reader r;
	enum ay_rc rc;

	ay_rd_init(&r, data);
	ay_rd_copy(&r, "variable.VariableName", v.guid, sizeof(v.guid));
	n_name = ay_rd_le64(&r, "variable.UnicodeNameLength");
	n_value = ay_rd_le64(&r, "variable.VariableDataLength");
	if (ay_rd_ok(&r) && n_name > data.n / 2)
		ay_rd_reject(&r, "variable.UnicodeNameLength", "longer than the event");
	v.name = ay_rd_bytes(&r, "variable.UnicodeName", (size_t)n_name * 2);
	if (ay_rd_ok(&r) && n_value > data.n)
		ay_rd_reject(&r, "variable.VariableDataLength", "longer than the event");
	v.value = ay_rd_bytes(&r, "variable.VariableData", (size_t)n_value);
	rc = ay_rd_end(&r, "variable", e);
	*out = rc == AY_OK ? v : (struct ay_uefi_variable){ 0 };
	return rc;
}

/* The octets after a prefix, without the terminator; {NULL, 0} if it does not begin so. */
static struct ay_bytes after_prefix(struct ay_bytes b, const char *prefix)
{
	size_t n = strlen(prefix);

	if (b.n < n || memcmp(b.p, prefix, n) != 0)
		return (struct ay_bytes){ 0 };
	b = (struct ay_bytes){ b.p + n, b.n - n };
	if (b.n > 0 && b.p[b.n - 1] == 0)
		b.n--;
	return b;
}

/* GRUB measures the command, and says before it in the event what it is. */
static void add_ipl(struct readings *s, struct ay_bytes data)
{
	static const char *const prefixes[] = { "grub_cmd: ", "kernel_cmdline: ",
						"module_cmdline: " };

	add(s, data);
	for (size_t i = 0; i < AY_COUNT(prefixes); i++) {
		struct ay_bytes b = after_prefix(data, prefixes[i]);

		if (b.p == NULL)
			continue;
		s->is_covered = true;
		add(s, b);
	}
}

/* The digest covers the whole structure or, as other firmware does it, the value alone. */
static void add_variable(struct readings *s, struct ay_bytes data)
{
	struct ay_uefi_variable v;

	s->is_covered = true;
	add(s, data);
	if (ay_uefi_variable_parse(data, &v, NULL) == AY_OK)
		add(s, v.value);
}

static void add_string(struct readings *s, struct ay_bytes data)
{
	s->is_covered = true;
	add(s, data);
	if (data.n > 0 && data.p[data.n - 1] == 0)
		add(s, (struct ay_bytes){ data.p, data.n - 1 });
}

static void collect(const struct ay_event *ev, struct readings *s)
{
	switch (ev->type) {
	case AY_EV_NO_ACTION:
		return;
	case AY_EV_ACTION:
	case AY_EV_EFI_ACTION:
		add_string(s, ev->data);
		return;
	case AY_EV_SEPARATOR:
	case AY_EV_EFI_GPT_EVENT:
		s->is_covered = true;
		add(s, ev->data);
		return;
	case AY_EV_EFI_VARIABLE_DRIVER_CONFIG:
	case AY_EV_EFI_VARIABLE_BOOT:
	case AY_EV_EFI_VARIABLE_BOOT2:
	case AY_EV_EFI_VARIABLE_AUTHORITY:
		add_variable(s, ev->data);
		return;
	case AY_EV_IPL:
		add_ipl(s, ev->data);
		return;
	default:
		/* Some firmware measures the data itself: then it can be shown; else nobody knows.
		 */
		add(s, ev->data);
		return;
	}
}

/* first: the digest of the first reading, which nearly always is what was measured. */
static bool is_reading(uint16_t alg, const uint8_t *digest, const struct readings *s,
		       const uint8_t *first)
{
	size_t n = ay_alg_digest_size(alg);
	uint8_t got[AY_DIGEST_MAX];

	if (memcmp(first, digest, n) == 0)
		return true;
	for (size_t i = 1; i < s->n; i++)
		if (ay_hash_of(alg, s->b[i], got) && memcmp(got, digest, n) == 0)
			return true;
	return false;
}

/* One bank of a few events; their first readings are hashed together. */
static void compare_bank(const struct ay_evlog *log, size_t k, struct ay_event *ev, size_t n,
			 const struct readings *s)
{
	uint8_t first[EVENTS_AT_ONCE][AY_DIGEST_MAX] AY_NO_INIT;
	struct ay_bytes data[EVENTS_AT_ONCE] AY_NO_INIT;

	for (size_t i = 0; i < n; i++)
		data[i] = s[i].b[0];
	if (!ay_hash_many(log->bank[k], data, n, first[0], AY_DIGEST_MAX))
		return;
	for (size_t i = 0; i < n; i++) {
		if (ev[i].digest[k] == NULL || s[i].n == 0)
			continue;
		if (is_reading(log->bank[k], ev[i].digest[k], &s[i], first[i]))
			ev[i].agrees |= (uint8_t)(1u << k);
		else
			ev[i].differs |= (uint8_t)(1u << k);
	}
}

static void conclude(struct ay_event *ev, const struct readings *s)
{
	/* One bank that agrees shows that the data is covered, whatever the type says. */
	if (!s->is_covered && ev->agrees == 0)
		ev->differs = 0;
	if (ev->differs != 0)
		ev->check = AY_DATA_MISMATCH;
	else if (ev->agrees != 0)
		ev->check = AY_DATA_MATCH;
}

static void check_events(const struct ay_evlog *log, struct ay_event *ev, size_t n)
{
	struct readings s[EVENTS_AT_ONCE];

	for (size_t i = 0; i < n; i++) {
		s[i] = (struct readings){ 0 };
		ev[i].agrees = ev[i].differs = 0;
		ev[i].check = AY_DATA_NOT_COVERED;
		collect(&ev[i], &s[i]);
	}
	for (size_t k = 0; k < log->n_banks; k++)
		compare_bank(log, k, ev, n, s);
	for (size_t i = 0; i < n; i++)
		conclude(&ev[i], &s[i]);
}

void ay_evlog_check_data(struct ay_evlog *log)
{
	for (size_t i = 0, n; i < log->n_events; i += n) {
		n = log->n_events - i < EVENTS_AT_ONCE ? log->n_events - i : EVENTS_AT_ONCE;
		check_events(log, &log->event[i], n);
	}
}

const char *ay_event_misfit(const struct ay_event *ev)
{
	struct ay_uefi_variable v;

	switch (ev->type) {
	case AY_EV_SEPARATOR:
		return ev->data.n == 4 ? NULL : "a separator has four octets";
	case AY_EV_EFI_VARIABLE_DRIVER_CONFIG:
	case AY_EV_EFI_VARIABLE_BOOT:
	case AY_EV_EFI_VARIABLE_BOOT2:
	case AY_EV_EFI_VARIABLE_AUTHORITY:
		return ay_uefi_variable_parse(ev->data, &v, NULL) == AY_OK
			       ? NULL
			       : "the data is no UEFI variable";
	case AY_EV_EFI_BOOT_SERVICES_APPLICATION:
	case AY_EV_EFI_BOOT_SERVICES_DRIVER:
	case AY_EV_EFI_RUNTIME_SERVICES_DRIVER:
		return ev->data.n >= 32 ? NULL : "the data is no image load event";
	case AY_EV_EFI_GPT_EVENT:
		return ev->data.n >= 92 + 8 ? NULL : "the data is no partition table";
	default:
		return ay_event_type_name(ev->type) != NULL ? NULL : "type is not a known one";
	}
}
