/* SPDX-License-Identifier: Apache-2.0 */
#include "prog/assayd/ldap_settings.h"

#include <stdio.h>

enum { LDAPS_PORT = 636 };

/* Never in clear, and no path, filter or extension, which would be settings of another place. */
static enum ay_rc read_url(const char *text, struct ay_ldap_settings *s, struct ay_err *e)
{
	bool is_ldaps = strncmp(text, "ldaps://", 8) == 0;
	const char *host = is_ldaps ? text + 8 : text, *colon = strrchr(host, ':');
	bool has_port = colon != NULL && strchr(colon, ']') == NULL;
	char https[320];
	enum ay_rc rc;

	if (AY_CHECKED("LDAP_URL", !is_ldaps))
		return ay_fail(e, AY_E_INPUT, "ldap.url", 0,
			       "give ldaps://NAME or ldaps://NAME:PORT");
	snprintf(https, sizeof(https), has_port ? "https://%.300s" : "https://%.300s:%d", host,
		 LDAPS_PORT);
	rc = ay_url_parse(ay_bytes_of(https), &s->url, e);
	if (rc == AY_OK && s->url.target.n > 0)
		rc = ay_fail(e, AY_E_INPUT, "ldap.url", 0, "nothing stands after the port");
	if (rc == AY_OK)
		snprintf(s->uri, sizeof(s->uri),
			 strchr(s->url.host, ':') != NULL ? "ldaps://[%s]:%u" : "ldaps://%s:%u",
			 s->url.host, s->url.port);
	s->url.target = (struct ay_bytes){ NULL, 0 };
	return rc;
}

static enum ay_rc check_filter(const char *text, const char *key, bool knows_dn, struct ay_err *e)
{
	const struct ay_directory_values v = { "u", knows_dn ? "cn=u" : NULL };
	bool has = strstr(text, "{user}") != NULL || (knows_dn && strstr(text, "{dn}") != NULL);
	size_t n = strlen(text);
	char room[AY_DIRECTORY_TEXT];

	if (!has || text[0] != '(' || text[n - 1] != ')')
		return ay_fail(e, AY_E_INPUT, key, 0, "a filter is (..) with %s in it",
			       knows_dn ? "{dn} or {user}" : "{user}");
	return ay_directory_expand(text, AY_DIRECTORY_FILTER, &v, key, room, e);
}

static enum ay_rc check_person(const struct ay_ldap_settings *s, struct ay_err *e)
{
	const struct ay_directory_values v = { "u", NULL };
	char room[AY_DIRECTORY_TEXT];

	if (s->user_dn[0] == '\0' && s->base[0] == '\0')
		return ay_fail(e, AY_E_INPUT, "ldap.base", 0,
			       "give base, below which people are looked up, or user_dn");
	if (s->user_dn[0] == '\0')
		return check_filter(s->user_filter, "ldap.user_filter", false, e);
	if (strstr(s->user_dn, "{user}") == NULL)
		return ay_fail(e, AY_E_INPUT, "ldap.user_dn", 0, "has no {user} in it");
	return ay_directory_expand(s->user_dn, AY_DIRECTORY_NAME, &v, "ldap.user_dn", room, e);
}

/* A name without its password would be an unauthenticated bind [RFC4513 5.1.2]. */
static enum ay_rc check_search(const struct ay_ldap_settings *s, struct ay_err *e)
{
	if (AY_CHECKED("LDAP_BIND_PASSWORD",
		       (s->bind_dn[0] == '\0') != (s->password_file[0] == '\0')))
		return ay_fail(e, AY_E_INPUT, "ldap.bind_password_file", 0,
			       "bind_dn and bind_password_file go together");
	return AY_OK;
}

static void take_texts(struct ay_ldap_settings *s, const struct ay_config *c)
{
	s->ca = ay_config_str(c, "ldap.ca");
	if (s->ca[0] == '\0')
		s->ca = ay_config_str(c, "outgoing_roots");
	s->bind_dn = ay_config_str(c, "ldap.bind_dn");
	s->password_file = ay_config_str(c, "ldap.bind_password_file");
	s->user_dn = ay_config_str(c, "ldap.user_dn");
	s->base = ay_config_str(c, "ldap.base");
	s->user_filter = ay_config_str(c, "ldap.user_filter");
	s->id_attribute = ay_config_str(c, "ldap.id_attribute");
	s->name_attribute = ay_config_str(c, "ldap.name_attribute");
	s->display_attribute = ay_config_str(c, "ldap.display_attribute");
	s->group_attribute = ay_config_str(c, "ldap.group_attribute");
	s->group_base = ay_config_str(c, "ldap.group_base");
	s->group_filter = ay_config_str(c, "ldap.group_filter");
	s->deadline_ms = (uint32_t)ay_config_int(c, "ldap.deadline");
}

enum ay_rc ay_ldap_settings_read(const struct ay_config *c, struct ay_ldap_settings *out,
				 struct ay_err *e)
{
	struct ay_ldap_settings s = { .is_set = true };
	enum ay_rc rc;

	memset(out, 0, sizeof(*out));
	if (ay_config_str(c, "ldap.url")[0] == '\0')
		return AY_OK;
	take_texts(&s, c);
	rc = read_url(ay_config_str(c, "ldap.url"), &s, e);
	if (rc == AY_OK)
		rc = check_person(&s, e);
	if (rc == AY_OK)
		rc = check_search(&s, e);
	if (rc == AY_OK)
		rc = ay_directory_id_check(s.id_attribute, e);
	if (rc == AY_OK && s.group_base[0] != '\0')
		rc = check_filter(s.group_filter, "ldap.group_filter", true, e);
	if (rc == AY_OK)
		rc = ay_group_map_parse(ay_config_str(c, "ldap.roles"), "ldap.roles", &s.map, e);
	if (rc == AY_OK)
		*out = s;
	return rc;
}
