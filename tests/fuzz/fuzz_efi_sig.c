/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz/smoke.h"

#include "core/evlog/efi_sig.h"

#include <stdlib.h>

struct seen {
	struct ay_bytes in;
	size_t octets;
};

static bool one(void *arg, enum ay_efi_sig_kind kind, struct ay_bytes data)
{
	struct seen *s = arg;

	if (data.p < s->in.p || data.p + data.n > s->in.p + s->in.n || kind > AY_EFI_SIG_X509)
		abort();
	s->octets += data.n;
	return true;
}

/* Signatures lie in the value and do not overlap; a level is searched without an end. */
int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct seen s = { .in = { p, n } };
	uint32_t generation;

	if (ay_sbat_level_find(s.in, "shim", &generation))
		AY_FUZZ_ACCEPT();
	if (ay_efi_sigs_parse(s.in, one, &s, NULL) != AY_OK)
		return 0;
	if (s.octets > n)
		abort();
	if (n > 0)
		AY_FUZZ_ACCEPT();
	return 0;
}
