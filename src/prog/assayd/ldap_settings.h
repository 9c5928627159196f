/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_ASSAYD_LDAP_SETTINGS_H
#define AY_ASSAYD_LDAP_SETTINGS_H

/*
 * What [ldap] says, judged: engine reads it to know roles and to refuse to
 * start with nonsense, courier to ask the directory. Texts borrow from config.
 */
#include "core/authz/directory.h"
#include "io/net/url.h"
#include "io/sys/config.h"

struct ay_ldap_settings {
	bool is_set;	   /* else nothing below is */
	struct ay_url url; /* host and port */
	char uri[300];	   /* ldaps://HOST:PORT, as libldap wants it */
	const char *ca, *bind_dn, *password_file;
	const char *user_dn, *base, *user_filter;
	const char *id_attribute, *name_attribute, *display_attribute;
	const char *group_attribute, *group_base, *group_filter;
	struct ay_group_map map;
	uint32_t deadline_ms;
};
/* AY_E_INPUT: e.where is the key. */
AY_MUST_USE enum ay_rc ay_ldap_settings_read(const struct ay_config *c,
					     struct ay_ldap_settings *out, struct ay_err *e);

#endif
