/* SPDX-License-Identifier: Apache-2.0 */
#include "io/sys/listeners.h"

#include <stdio.h>

enum { KEY_ROOM = 48 };

/* "compat.oat1_role" */
static const char *key_of(enum ay_listener l, const char *what, char room[KEY_ROOM])
{
	snprintf(room, KEY_ROOM, "compat.%s_%s", ay_listener_name(l), what);
	return room;
}

static enum ay_rc read_networks(const struct ay_config *c, const char *key,
				struct ay_listener_set *out, struct ay_err *e)
{
	char word[80];

	for (size_t i = 0; ay_config_word(c, key, i, word, sizeof(word)); i++) {
		enum ay_rc rc;

		if (i == AY_LISTENER_NETWORKS)
			return ay_fail(e, AY_E_LIMIT, "compat", 0, "%s: more than %d networks", key,
				       AY_LISTENER_NETWORKS);
		rc = ay_cidr_parse(ay_bytes_of(word), &out->from[i], e);
		if (rc != AY_OK)
			return ay_fail(e, AY_E_INPUT, "compat", 0,
				       "%s: %s is not a network (10.0.0.0/8, 2001:db8::/32)", key,
				       word);
		out->n_from = i + 1;
	}
	return AY_OK;
}

static enum ay_rc check_pairs(const char *name, const struct ay_listener_set *s, struct ay_err *e)
{
	if ((s->cert[0] == '\0') != (s->key[0] == '\0'))
		return ay_fail(e, AY_E_INPUT, "compat", 0,
			       "%s_cert and %s_key: give both or neither", name, name);
	if ((s->role[0] == '\0') != (s->n_from == 0))
		return ay_fail(e, AY_E_INPUT, "compat", 0,
			       "%s_from and %s_role: give both or neither; 0.0.0.0/0 and ::/0 are "
			       "everybody",
			       name, name);
	return AY_OK;
}

enum ay_rc ay_listener_read(const struct ay_config *c, enum ay_listener l,
			    struct ay_listener_set *out, struct ay_err *e)
{
	struct ay_listener_set s = { 0 };
	char key[KEY_ROOM];
	enum ay_rc rc;

	*out = s;
	s.listen = ay_config_str(c, key_of(l, "listen", key));
	s.cert = ay_config_str(c, key_of(l, "cert", key));
	s.key = ay_config_str(c, key_of(l, "key", key));
	s.role = ay_config_str(c, key_of(l, "role", key));
	rc = read_networks(c, key_of(l, "from", key), &s, e);
	if (rc == AY_OK)
		rc = check_pairs(ay_listener_name(l), &s, e);
	if (rc == AY_OK)
		*out = s;
	return rc;
}

enum ay_rc ay_listeners_check(const struct ay_config *c, struct ay_err *e)
{
	struct ay_listener_set s;
	enum ay_rc rc = AY_OK;

	for (int l = AY_LISTENER_API + 1; rc == AY_OK && l < AY_LISTENERS; l++)
		rc = ay_listener_read(c, (enum ay_listener)l, &s, e);
	return rc;
}

bool ay_listener_has(const struct ay_listener_set *s, struct ay_bytes peer)
{
	for (size_t i = 0; i < s->n_from; i++)
		if (ay_cidr_has_peer(&s->from[i], peer))
			return true;
	return false;
}

/* The text goes into JSON and logs as it is. */
static void make_plain(char *s)
{
	for (; *s != '\0'; s++)
		if (*s == '"' || *s == '\\' || (unsigned char)*s < 0x20 || (unsigned char)*s > 0x7e)
			*s = '?';
}

bool ay_listener_warning(const struct ay_config *c, enum ay_listener l, char key[32],
			 char text[AY_LISTENER_WARNING])
{
	struct ay_listener_set s;
	char from[KEY_ROOM];
	struct ay_err e;

	if (ay_listener_read(c, l, &s, &e) != AY_OK || s.listen[0] == '\0' || s.role[0] == '\0')
		return false;
	snprintf(key, 32, "%s_role", ay_listener_name(l));
	snprintf(text, AY_LISTENER_WARNING,
		 "%s: requests to %s from %.200s need no credentials and have the role %.64s", key,
		 s.listen, ay_config_str(c, key_of(l, "from", from)), s.role);
	make_plain(text);
	return true;
}
