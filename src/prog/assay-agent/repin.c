/* SPDX-License-Identifier: Apache-2.0 */
#include "prog/assay-agent/repin.h"

#include "core/base/hex.h"
#include "core/crypto/x509.h"
#include "io/net/agent_msg.h"
#include "io/sys/log.h"

/* The new root comes along, since servers do not send theirs to hosts that know it. */
static enum ay_rc check_cert(const struct ay_pin_change *c, struct ay_bytes cert, struct ay_err *e)
{
	uint8_t spki[32];

	if (c->purpose != AY_PIN_ROOT)
		return AY_OK;
	if (ay_cert_spki_hash_of(cert, spki, NULL) != AY_OK ||
	    AY_CHECKED("PIN_CERTIFICATE", memcmp(spki, c->next, sizeof(spki)) != 0))
		return ay_fail_code(e, AY_E_CRYPTO, "PIN_CERTIFICATE", "pin.certificate",
				    "is not of the new key");
	return AY_OK;
}

static bool knows_cert(const struct ay_agent *a, int64_t now_ms)
{
	struct ay_tls_root roots[AY_TLS_ROOTS];
	size_t n = ay_identity_roots(&a->pins, &a->identity, now_ms, roots);

	return n > 0 && roots[0].cert.n > 0;
}

/* On disk first: a change that was answered is never forgotten. */
static enum ay_rc store(struct ay_agent *a, const struct ay_pins *pins, struct ay_bytes cert,
			struct ay_err *e)
{
	struct ay_identity id = a->identity; /* its arena stays a's */
	struct ay_bytes copy = cert.n > 0 ? ay_arena_dup(&a->identity.arena, cert) : cert;
	enum ay_rc rc;

	if (cert.n > 0 && copy.p == NULL)
		return ay_fail_code(e, AY_E_NOMEM, "PIN_STORE", "pin", "no memory");
	id.pins = *pins;
	if (copy.n > 0) {
		id.root_before = id.root_der;
		id.root_der = copy;
	}
	rc = ay_identity_save(a->identity_path, &id, e);
	if (rc != AY_OK)
		return ay_err_coded(e, rc, "PIN_STORE");
	a->pins = a->identity.pins = *pins;
	a->identity.root_der = id.root_der;
	a->identity.root_before = id.root_before;
	return AY_OK;
}

static void tell(const struct ay_pin_change *c)
{
	char pin[65], label[AY_PIN_LABEL_MAX + 1] = "";

	ay_hex_encode(AY_BYTES(c->next), pin);
	memcpy(label, c->label.p, c->label.n);
	label[c->label.n] = '\0';
	AY_LOG(AY_LOG_INFO, "another key is pinned",
	       AY_LS("purpose", ay_pin_purpose_name(c->purpose)), AY_LS("sha256", pin),
	       AY_LS("label", label));
}

static enum ay_rc take(struct ay_agent *a, const struct ay_pin_change *c, struct ay_bytes cert,
		       int64_t now_ms, struct ay_err *e)
{
	struct ay_pins pins = a->pins;
	enum ay_rc rc = ay_pins_take(&pins, c, now_ms, e);
	bool is_known = rc == AY_E_EXISTS;

	if (is_known && (c->purpose != AY_PIN_ROOT || knows_cert(a, now_ms)))
		return AY_OK;
	if (rc == AY_OK || is_known)
		rc = check_cert(c, cert, e);
	if (rc == AY_OK)
		rc = store(a, &pins, c->purpose == AY_PIN_ROOT ? cert : (struct ay_bytes){ 0 }, e);
	if (rc == AY_OK && !is_known)
		tell(c);
	return rc;
}

enum ay_rc ay_repin(struct ay_agent *a, struct ay_bytes body, int64_t now_ms,
		    struct ay_writer *answer, bool *roots, struct ay_err *e)
{
	struct ay_chan_pin_state state = { 0 };
	struct ay_chan_pin_change m;
	struct ay_pin_change c;
	struct ay_err why = { 0 };
	enum ay_rc rc = ay_chan_pin_change_parse(body, &m, e);

	*roots = false;
	if (rc == AY_OK)
		rc = ay_pin_change_parse(m.statement, &c, e);
	if (rc != AY_OK)
		return rc;
	rc = take(a, &c, m.cert, now_ms, &why);
	if (rc != AY_OK)
		ay_log_err(AY_LOG_WARN, "a change of a pinned key is refused", &why);
	*roots = rc == AY_OK && c.purpose == AY_PIN_ROOT;
	state.purpose = (uint8_t)c.purpose;
	memcpy(state.pin, ay_pins_now(&a->pins, c.purpose), sizeof(state.pin));
	state.code = ay_bytes_of(rc == AY_OK ? "" : why.code[0] ? why.code : "PIN_STORE");
	ay_chan_pin_state_write(answer, &state);
	return AY_OK;
}

void ay_repin_seen(struct ay_agent *a, struct ay_bytes root_der)
{
	struct ay_pins pins = a->pins;
	uint8_t spki[32];
	struct ay_err e;

	if (!a->identity.enrolled || root_der.n == 0 ||
	    ay_cert_spki_hash_of(root_der, spki, NULL) != AY_OK ||
	    !ay_pins_seen(&pins, AY_PIN_ROOT, spki))
		return;
	if (store(a, &pins, (struct ay_bytes){ 0 }, &e) != AY_OK)
		ay_log_err(AY_LOG_WARN, "not stored that the server changed its root", &e);
}

void ay_repin_roots(const struct ay_agent *a, int64_t now_ms, struct ay_writer *w)
{
	struct ay_tls_root roots[AY_TLS_ROOTS];
	size_t n = ay_identity_roots(&a->pins, &a->identity, now_ms, roots);

	ay_wr_u8(w, (uint8_t)n);
	for (size_t i = 0; i < n; i++) {
		ay_wr_bytes(w, AY_BYTES(roots[i].pin));
		ay_wr_vec16(w, roots[i].cert);
	}
}
