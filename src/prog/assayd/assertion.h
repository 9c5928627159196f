/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_ASSAYD_ASSERTION_H
#define AY_ASSAYD_ASSERTION_H

/*
 * Signed statements of what is known of hosts, for every interface that gives
 * them out. Formats: docs/formats/saml.md, saml-cit.md, ear.md.
 */
#include "core/assertion/jwks.h"
#include "core/base/bytes.h"
#include "core/base/err.h"

struct ay_engine;
struct ay_host;

/* AY_OK and a document, or a fault with its code. Called once, maybe before the call returns. */
typedef void ay_document_fn(void *arg, enum ay_rc rc, const struct ay_err *e,
			    struct ay_bytes document);

enum ay_assertion_form {
	AY_ASSERTION_SAML = 0, /* ours; one host; nothing is said of one whose verdict is unknown */
	AY_ASSERTION_CIT,      /* SAML as Mt. Wilson and CIT say it; one host or several */
	AY_ASSERTION_SECL,     /* SAML with the attribute names of SecL; one host */
	AY_ASSERTION_EAR,      /* EAT attestation result, a JWT; one host */
	AY_ASSERTION_FORMS
};
/* Media type of its document. */
static inline const char *ay_assertion_type(enum ay_assertion_form form)
{
	return form == AY_ASSERTION_EAR ? "application/eat+jwt" : "application/samlassertion+xml";
}

/* Of whom. */
struct ay_assertion_host {
	const struct ay_host *host; /* NULL: nobody is known by that name */
	struct ay_bytes name;	    /* as it was asked for; empty: the host's own */
};

/* How. All views are copied before the call returns. */
struct ay_assertion_ask {
	enum ay_assertion_form form;
	bool rsa;		  /* SAML: signed with RSA; AY_ASSERTION_CIT and _SECL always are */
	struct ay_bytes audience; /* may be empty */
	struct ay_bytes nonce;	  /* of the requester; may be empty */
	bool force_verify;	  /* attest first ... */
	int64_t wait_ms;	  /* ... and wait for it so long at most */
};

/*
 * One document about n hosts (at most AY_MAX_ASSERTION_HOSTS), that ends with
 * the earliest lease of them. The same document is given again while all that
 * it says holds, unless the requester gave a nonce.
 *
 * Trusted is said only of a host whose whole verdict is trusted. A host that
 * nobody knows: AY_ASSERTION_CIT says that it is not trusted; the others
 * refuse, AY_E_NOENT, code HOST. Codes with AY_E_EXISTS (409): VERDICT_UNKNOWN,
 * nothing to assert in form AY_ASSERTION_SAML. AY_E_UNAVAIL: ATTEST_TIMEOUT,
 * force_verify and one host that gave no answer in time; of several, it is
 * said that it is not trusted.
 */
void ay_engine_assertion(struct ay_engine *g, const struct ay_assertion_host *hosts, size_t n,
			 const struct ay_assertion_ask *ask, ay_document_fn *fn, void *arg);

/* Keys that attestation results are signed by, the one in use first; n 0: none is known yet. */
void ay_engine_jwks(const struct ay_engine *g, struct ay_jwks *out);

#endif
