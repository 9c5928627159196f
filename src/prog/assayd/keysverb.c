/* SPDX-License-Identifier: Apache-2.0 */
/* The keys of the server at its command line, beside a server that may run. */
#include "prog/assayd/keysverb.h"

#include "core/base/hex.h"
#include "core/base/json.h"
#include "core/base/timefmt.h"
#include "io/sys/clock.h"
#include "io/sys/file.h"
#include "prog/assayd/keyring.h"
#include "prog/assayd/keys.h"
#include "prog/assayd/processes.h"
#include "prog/assayd/staged.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_FILE = 3, NAMES_SHOWN = 10, FILE_MAX = 64 * 1024 };

/* Which hosts pin the next key of one purpose, as the server wrote it last. */
struct taken {
	bool known;
	size_t hosts, missing;
	size_t tokens; /* made before, and still good for an enrolment */
	size_t n_names;
	char names[NAMES_SHOWN][AY_MAX_NAME_BYTES + 1];
};

static int complain(const struct ay_err *e, enum ay_rc rc)
{
	fprintf(stderr, "assayd: keys: %s\n", e->text);
	return rc == AY_E_NOENT ? EXIT_FILE : EXIT_FAILED;
}

static size_t number(const json_t *o, const char *name)
{
	json_int_t n = json_integer_value(json_object_get(o, name));

	return n > 0 ? (size_t)n : 0;
}

static void read_taken(const json_t *o, const struct ay_pin_change *change, struct taken *t)
{
	const char *next = json_string_value(json_object_get(o, "sha256"));
	const json_t *names = json_object_get(o, "hosts_missing");
	char hex[65];

	ay_hex_encode(AY_BYTES(change->next), hex);
	if (next == NULL || strcmp(next, hex) != 0)
		return; /* of another change */
	t->known = true;
	t->hosts = number(o, "hosts");
	t->missing = t->hosts - number(o, "hosts_taken");
	t->tokens = number(o, "older_tokens");
	for (; t->n_names < NAMES_SHOWN && t->n_names < json_array_size(names); t->n_names++) {
		const char *name = json_string_value(json_array_get(names, t->n_names));

		snprintf(t->names[t->n_names], sizeof(t->names[0]), "%s",
			 name != NULL ? name : "?");
	}
}

/* The database is the server's alone; it writes this file whenever that changes. */
static enum ay_rc count(const struct ay_config *c, const struct ay_pin_change *change,
			struct taken *t, struct ay_err *e)
{
	AY_CLEANUP(ay_file_free) struct ay_bytes text = { NULL, 0 };
	AY_CLEANUP(ay_json_unref) json_t *o = NULL;
	char path[PATH_MAX];
	enum ay_rc rc;

	*t = (struct taken){ 0 };
	if (!ay_config_state_path(c, AY_FILE_PIN_HOSTS, path, sizeof(path)))
		return ay_fail(e, AY_E_LIMIT, "state_dir", 0, "state_dir is too long");
	if (!ay_file_exists(path))
		return AY_OK;
	rc = ay_file_read(path, FILE_MAX, &text, e);
	if (rc == AY_OK)
		rc = ay_json_load(text, FILE_MAX, "hosts", &o, e);
	if (rc == AY_OK)
		read_taken(json_object_get(o, ay_staged_name(change->purpose)), change, t);
	return rc;
}

static void tell_taken(FILE *f, const struct taken *t)
{
	if (!t->known) {
		fputs("which hosts pin it is not known: no server has run since\n", f);
		return;
	}
	fprintf(f, "%zu of %zu hosts pin it", t->hosts - t->missing, t->hosts);
	for (size_t i = 0; i < t->n_names; i++)
		fprintf(f, "%s%s", i == 0 ? "; not yet: " : ", ", t->names[i]);
	if (t->missing > t->n_names)
		fprintf(f, " and %zu more", t->missing - t->n_names);
	if (t->tokens > 0)
		fprintf(f, "; %zu older enrolment tokens end with it", t->tokens);
	fputc('\n', f);
}

/* ---- list ---- */

static void print_key(const struct ay_key_info *k, int64_t now_ms)
{
	char until[AY_TIME_ROOM] = "-", hex[65];

	if (k->until_ms != 0)
		ay_time_format(k->until_ms, until);
	ay_hex_encode(AY_BYTES(k->spki), hex);
	printf("%-14s %-20.20s  %.16s  %s%s%s\n", k->name, until, hex, k->use,
	       k->old_until != 0 ? "; the one before still counts" : "",
	       ay_keys_warning(k->until_ms, now_ms) != 0 ? "; ENDS SOON" : "");
}

static int print_staged(const struct ay_config *c, const struct ay_staged *s, int64_t now_ms)
{
	char until[AY_TIME_ROOM], hex[65];
	struct taken t;
	struct ay_err e;
	enum ay_rc rc = count(c, &s->change, &t, &e);

	if (rc != AY_OK)
		return complain(&e, rc);
	ay_time_format(s->change.not_after_ms, until);
	ay_hex_encode(AY_BYTES(s->change.next), hex);
	printf("%-14s %-20.20s  %.16s  next %s%s: ", "", until, hex,
	       ay_staged_name(s->change.purpose),
	       ay_staged_warning(s->change.not_after_ms, now_ms) != 0 ? " (ENDS SOON)" : "");
	tell_taken(stdout, &t);
	return EXIT_DONE;
}

/* Its id in the place of a hash: there is no public half. */
static int print_keeper(const struct ay_config *c)
{
	uint8_t ids[AY_KEYRING_MAX * AY_WRAP_KEY_ID];
	struct ay_keyring ring;
	char path[PATH_MAX], hex[2 * AY_WRAP_KEY_ID + 1];
	struct ay_err e = { 0 };
	enum ay_rc rc;
	size_t n;

	if (!ay_config_state_path(c, AY_FILE_KEEPER_KEYS, path, sizeof(path)) ||
	    !ay_file_exists(path))
		return EXIT_DONE;
	rc = ay_keyring_open(path, &ring, &e);
	if (rc != AY_OK)
		return complain(&e, rc);
	n = ay_keyring_ids(&ring, ids);
	ay_keyring_close(&ring);
	ay_hex_encode((struct ay_bytes){ ids, AY_WRAP_KEY_ID }, hex);
	printf("%-14s %-20s  %s  stored secrets%s\n", "keeper", "-", hex,
	       n > 1 ? "; the one before still opens some" : "");
	return EXIT_DONE;
}

static int list(const struct ay_config *c)
{
	struct ay_key_info key[AY_KEYS_MAX];
	int64_t now_ms = ay_clock_wall_ms();
	struct ay_staged *staged;
	size_t n, n_staged;
	struct ay_err e;
	enum ay_rc rc = ay_staged_load(c, now_ms, &staged, &n_staged, &e);
	int status = EXIT_DONE;

	if (rc != AY_OK)
		return complain(&e, rc);
	ay_keys_read(c, now_ms, key, &n);
	printf("%-14s %-20s  %-16s  %s\n", "KEY", "UNTIL", "SHA256", "FOR");
	for (size_t i = 0; i < n; i++) {
		enum ay_pin_purpose p;

		print_key(&key[i], now_ms);
		if (!ay_staged_purpose(key[i].name, &p))
			continue;
		for (size_t k = 0; k < n_staged && status == EXIT_DONE; k++)
			if (staged[k].is_open && staged[k].change.purpose == p)
				status = print_staged(c, &staged[k], now_ms);
	}
	free(staged);
	return status == EXIT_DONE ? print_keeper(c) : status;
}

/* ---- rotate, finish ---- */

static int tell_server(const struct ay_config *c)
{
	printf("%s\n", ay_keys_tell(c) ? "the server takes it up now"
				       : "no server runs here: it is taken up at its start");
	return EXIT_DONE;
}

static int begin(const struct ay_config *c, enum ay_pin_purpose p)
{
	struct ay_err e;
	enum ay_rc rc = ay_staged_begin(c, p, ay_clock_wall_ms(), &e);

	if (rc != AY_OK)
		return complain(&e, rc);
	printf("made, and told to hosts from now on; `assayd keys list` shows who pins it, "
	       "`assayd keys finish %s` puts it in force\n",
	       ay_staged_name(p));
	return tell_server(c);
}

/*
 * A new key. The server wraps what is stored anew and then destroys the ones
 * before (rewrap.h). Keeper reads the file at its start alone, and is the only
 * other one that writes it.
 */
static int rotate_keeper(const struct ay_config *c, bool revoke)
{
	struct ay_keyring ring;
	char path[PATH_MAX];
	struct ay_err e = { 0 };
	enum ay_rc rc;

	if (revoke) {
		fputs("assayd: keys: keeper: only the old keys open what is stored; rotate without "
		      "--revoke, then change each secret at its origin and store it anew\n",
		      stderr);
		return EXIT_FAILED;
	}
	rc = ay_config_state_path(c, AY_FILE_KEEPER_KEYS, path, sizeof(path))
		     ? ay_keyring_open(path, &ring, &e)
		     : ay_fail(&e, AY_E_LIMIT, "state_dir", 0, "state_dir is too long");
	if (rc != AY_OK)
		return complain(&e, rc);
	rc = ay_keyring_rotate(&ring, &e);
	ay_keyring_close(&ring);
	return rc == AY_OK ? tell_server(c) : complain(&e, rc);
}

static int rotate(const struct ay_config *c, const struct ay_keys_verb *v)
{
	enum ay_pin_purpose p;
	struct ay_err e;
	enum ay_rc rc;

	if (strcmp(v->rotate, "keeper") == 0)
		return rotate_keeper(c, v->revoke);
	if (!ay_staged_purpose(v->rotate, &p))
		rc = ay_keys_rotate(c, v->rotate, v->revoke, &e);
	else if (!v->revoke)
		return begin(c, p);
	else
		rc = ay_staged_revoke(c, p, ay_clock_wall_ms(), &e);
	if (rc != AY_OK)
		return complain(&e, rc);
	if (v->revoke && ay_staged_purpose(v->rotate, &p))
		printf("each host must be enrolled with a fresh token: it pins the lost key\n");
	return tell_server(c);
}

static enum ay_rc find_open(const struct ay_config *c, enum ay_pin_purpose p,
			    struct ay_pin_change *out, struct ay_err *e)
{
	struct ay_staged *staged;
	size_t n;
	enum ay_rc rc = ay_staged_load(c, ay_clock_wall_ms(), &staged, &n, e);

	if (rc != AY_OK)
		return rc;
	rc = AY_E_NOENT;
	for (size_t i = 0; i < n; i++)
		if (staged[i].is_open && staged[i].change.purpose == p) {
			*out = staged[i].change;
			rc = AY_OK;
		}
	free(staged);
	out->label = out->signer = out->signature = out->signed_part = (struct ay_bytes){ 0 };
	return rc == AY_OK ? rc
			   : ay_fail(e, rc, "keys", 0, "no change of %s is under way",
				     ay_staged_name(p));
}

static int finish(const struct ay_config *c, const struct ay_keys_verb *v)
{
	struct ay_pin_change change = { 0 };
	enum ay_pin_purpose p;
	struct taken t;
	struct ay_err e;
	enum ay_rc rc;

	if (!ay_staged_purpose(v->finish, &p)) {
		fprintf(stderr,
			"assayd: keys: %.60s is taken up at once, there is nothing to finish\n",
			v->finish);
		return EXIT_FAILED;
	}
	rc = find_open(c, p, &change, &e);
	if (rc == AY_OK)
		rc = count(c, &change, &t, &e);
	if (rc != AY_OK)
		return complain(&e, rc);
	if ((!t.known || t.missing > 0) && !v->force) {
		fputs("assayd: keys: ", stderr);
		tell_taken(stderr, &t);
		fputs("assayd: keys: those would need a fresh token; wait until they were "
		      "connected, or say --force\n",
		      stderr);
		return EXIT_FAILED;
	}
	rc = ay_staged_finish(c, p, &e);
	if (rc != AY_OK)
		return complain(&e, rc);
	tell_taken(stdout, &t);
	return tell_server(c);
}

int ay_keys_verb_run(const struct ay_config *c, const struct ay_keys_verb *v)
{
	struct ay_err e = { 0 };
	enum ay_rc rc = AY_OK;

	/* What a rotation that was cut off left; a server that runs did it at its start. */
	if (v->rotate != NULL || v->finish != NULL)
		rc = ay_staged_settle(c, &e);
	if (rc != AY_OK)
		return complain(&e, rc);
	if (v->rotate != NULL)
		return rotate(c, v);
	return v->finish != NULL ? finish(c, v) : list(c);
}
