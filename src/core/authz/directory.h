/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_AUTHZ_DIRECTORY_H
#define AY_AUTHZ_DIRECTORY_H

/*
 * People of a directory (LDAP): which names and passwords are asked for, how a
 * name is put into a filter or a distinguished name without becoming a part of
 * its syntax, and who the entry found is (docs/login.md). Who asks the
 * directory is the caller's matter.
 * Spec [RFC4511], [RFC4513 5.1.2], [RFC4514 2.4], [RFC4515 3], [RFC4530]
 */
#include "core/authz/groups.h"

enum {
	AY_DIRECTORY_DN = 1025,	    /* room for a distinguished name, with terminator */
	AY_DIRECTORY_TEXT = 4096,   /* room for a filter or name made from a template */
	AY_DIRECTORY_SUBJECT = 400, /* room for "ATTRIBUTE VALUE" */
};

/*
 * A name as typed: printable ASCII, no blank at either end nor two in a row, so
 * that no two texts are one name to the directory but by case. key: in lower
 * case, for counting failures. AY_E_INPUT.
 */
AY_MUST_USE enum ay_rc ay_directory_name_check(struct ay_bytes name,
					       char key[AY_MAX_NAME_BYTES + 1], struct ay_err *e);
/* An empty password would bind as nobody, and succeed [RFC4513 5.1.2]. AY_E_INPUT. */
AY_MUST_USE enum ay_rc ay_directory_password_check(struct ay_bytes password, struct ay_err *e);

enum ay_directory_syntax { AY_DIRECTORY_FILTER, AY_DIRECTORY_NAME };
/*
 * The template with {user} and {dn} replaced, each octet that the syntax gives
 * a meaning to escaped. A value not given is NULL. AY_E_INPUT: another {..}, or
 * a value that is not given; AY_E_LIMIT. where: its key in the configuration.
 */
struct ay_directory_values {
	const char *user, *dn;
};
AY_MUST_USE enum ay_rc ay_directory_expand(const char *template, enum ay_directory_syntax syntax,
					   const struct ay_directory_values *v, const char *where,
					   char out[AY_DIRECTORY_TEXT], struct ay_err *e);

/*
 * May this attribute tell people apart for ever? Not one of those that are
 * given to somebody else when their owner leaves, or change with his name.
 */
AY_MUST_USE enum ay_rc ay_directory_id_check(const char *attribute, struct ay_err *e);

/* The entry of a person, as found. Values are octets of the directory. */
struct ay_directory_entry {
	size_t n_entries; /* how many were found */
	const char *id_attribute;
	size_t n_ids; /* values of that attribute */
	struct ay_bytes id, name, display;
};
/* Whose entry it is. */
struct ay_directory_person {
	char subject[AY_DIRECTORY_SUBJECT]; /* "entryuuid 5f0c..": never another person's */
	char name[AY_MAX_NAME_BYTES + 1];   /* as our names are; may be empty */
	char display[AY_MAX_NAME_BYTES + 1];
};
/*
 * There must be one entry and one id. objectGUID becomes the text that
 * Microsoft's tools show; another id of 16 octets that are no text, hexadecimal
 * after '#'. AY_E_DENIED: nobody, or several, or no id.
 */
AY_MUST_USE enum ay_rc ay_directory_entry_check(const struct ay_directory_entry *in,
						struct ay_directory_person *out, struct ay_err *e);

/* Are these the same name, apart from case and blanks around ',' '+' and '='? */
AY_MUST_USE bool ay_directory_dn_same(const char *a, const char *b);

#endif
