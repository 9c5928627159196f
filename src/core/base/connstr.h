/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_BASE_CONNSTR_H
#define AY_BASE_CONNSTR_H

/*
 * Connection strings of the Mt. Wilson family (facts/mtwilson.md 1):
 *   intel:https://HOST:1443/;user;pw       microsoft:, citrix: likewise
 *   vmware:https://VCENTER:443/sdk;user;pw;h=ESXI   or ;h=ESXI;u=user;p=pw
 *   vmware:https://VCENTER:443/sdk;c=CLUSTER;u=user;p=pw   all hosts of a cluster
 *   intel:nats://HARDWARE-UUID             HOST:PORT, https://HOST:PORT
 * A password is skipped while reading: no caller stores or shows it by
 * accident. Who keeps it asks for it by name: ay_connstr_secret().
 */
#include "core/base/bytes.h"
#include "core/base/err.h"

enum ay_connstr_vendor {
	AY_CONNSTR_PLAIN = 0, /* without one */
	AY_CONNSTR_INTEL,
	AY_CONNSTR_VMWARE,
	AY_CONNSTR_CITRIX,
	AY_CONNSTR_MICROSOFT,
	AY_CONNSTR_VENDORS
};
const char *ay_connstr_vendor_name(enum ay_connstr_vendor v); /* "intel"; "" for plain */

struct ay_connstr {
	enum ay_connstr_vendor vendor;
	bool is_nats;
	bool has_secret;	 /* a password was given */
	struct ay_bytes host;	 /* name or address; of nats: the hardware UUID. Not empty */
	uint16_t port;		 /* 0: not given */
	struct ay_bytes path;	 /* behind the authority, "" or begins with '/' */
	struct ay_bytes user;	 /* empty: none */
	struct ay_bytes esxi;	 /* h=: the host behind a vCenter or pool; empty: none */
	struct ay_bytes cluster; /* c=: all hosts of it; empty: none */
};

/* Views borrow from text. AY_E_INPUT, AY_E_LIMIT (1,024 octets); zeroed on failure. */
AY_MUST_USE enum ay_rc ay_connstr_parse(struct ay_bytes text, struct ay_connstr *out,
					struct ay_err *e);
/* The password, a view of text; empty: none was given, or text cannot be parsed. */
struct ay_bytes ay_connstr_secret(struct ay_bytes text);
/* Reached through a manager that speaks for it: vmware: and citrix:. */
bool ay_connstr_is_managed(const struct ay_connstr *c);
#define AY_CONNSTR_TEXT 1100
/* The same without its password, in one spelling. */
void ay_connstr_format(const struct ay_connstr *c, char out[AY_CONNSTR_TEXT]);

#endif
