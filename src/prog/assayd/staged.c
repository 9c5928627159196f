/* SPDX-License-Identifier: Apache-2.0 */
#include "prog/assayd/staged.h"

#include "core/base/reader.h"
#include "core/base/timefmt.h"
#include "core/base/writer.h"
#include "io/net/agent_msg.h"
#include "io/sys/file.h"
#include "prog/assay-ca/cakeys.h"
#include "prog/assayd/keys_impl.h"
#include "prog/assayd/processes.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define STATEMENT "statement"
#define COMMIT "commit" /* there: what stands here is being put in force */

enum { NAME_ROOM = 64 };

static const char *const names[AY_PIN_PURPOSES] = { "root", "ca-root", "order" };
/* All that a Privacy CA's root signs, and itself; the pseudonym key is never replaced. */
static const char *const ca_files[] = { "issuer.key",	  "issuer.pem", "encryption.key",
					"encryption.pem", "tls.key",	"tls.pem",
					"root.key",	  "root.pem" };

const char *ay_staged_name(enum ay_pin_purpose p)
{
	return names[p - AY_PIN_ROOT];
}

bool ay_staged_purpose(const char *name, enum ay_pin_purpose *out)
{
	for (size_t i = 0; i < AY_COUNT(names); i++)
		if (strcmp(names[i], name) == 0) {
			*out = (enum ay_pin_purpose)(AY_PIN_ROOT + i);
			return true;
		}
	return false;
}

/* ---- the folder of one ---- */

/* "next-root", "next-root.tmp", "next-root/api.key" */
static const char *inside(enum ay_pin_purpose p, const char *ending, const char *file,
			  char out[NAME_ROOM])
{
	snprintf(out, NAME_ROOM, "next-%s%s%s%s", ay_staged_name(p), ending, *file ? "/" : "",
		 file);
	return out;
}

bool ay_staged_is_open(const struct ay_config *c, enum ay_pin_purpose p)
{
	char name[NAME_ROOM];

	return ay_keys_has(c, inside(p, "", STATEMENT, name), "");
}

static enum ay_rc remove_dir(const struct ay_config *c, const char *name, struct ay_err *e)
{
	char path[PATH_MAX], file[PATH_MAX];
	enum ay_rc rc = ay_keys_path(c, name, "", path, e);
	DIR *d = rc == AY_OK ? opendir(path) : NULL;
	const struct dirent *entry;

	while (d != NULL && (entry = readdir(d)) != NULL)
		if (entry->d_name[0] != '.' && snprintf(file, sizeof(file), "%.3000s/%s", path,
							entry->d_name) < (int)sizeof(file))
			(void)unlink(file);
	if (d != NULL)
		closedir(d);
	if (d != NULL && rmdir(path) != 0)
		return ay_fail(e, AY_E_UNAVAIL, "keys", 0, "%.100s: %s", path, strerror(errno));
	return rc;
}

static enum ay_rc move(const struct ay_config *c, const char *from_name, const char *to_name,
		       struct ay_err *e)
{
	char from[PATH_MAX], to[PATH_MAX];
	enum ay_rc rc = ay_keys_path(c, from_name, "", from, e);

	if (rc == AY_OK)
		rc = ay_keys_path(c, to_name, "", to, e);
	if (rc == AY_OK && rename(from, to) != 0)
		rc = ay_fail(e, AY_E_UNAVAIL, "keys", 0, "%.100s: %s", to, strerror(errno));
	return rc;
}

static enum ay_rc put_in(const struct ay_config *c, enum ay_pin_purpose p, const char *file,
			 mode_t mode, struct ay_bytes b, struct ay_err *e)
{
	char name[NAME_ROOM];

	return ay_keys_put(c, inside(p, ".tmp", file, name), "", mode, b, e);
}

/* ---- making ---- */

static enum ay_rc make_row(const struct ay_config *c, enum ay_pin_purpose p,
			   const struct ay_key_row *row, const struct ay_cert_pem *root,
			   struct ay_err *e)
{
	AY_CLEANUP(ay_cert_pem_free) struct ay_cert_pem pair = { { NULL, 0 }, { NULL, 0 } };
	enum ay_rc rc = ay_keys_pair(c, row, root, &pair, e);

	if (rc == AY_OK)
		rc = put_in(c, p, row->key, 0600, pair.key, e);
	return rc == AY_OK ? put_in(c, p, row->pub, 0644, pair.cert, e) : rc;
}

static enum ay_rc make_root(const struct ay_config *c, int64_t now_ms, struct ay_err *e)
{
	AY_CLEANUP(ay_cert_pem_free) struct ay_cert_pem root = { { NULL, 0 }, { NULL, 0 } };
	size_t n;
	const struct ay_key_row *row = ay_keys_rows(&n);
	enum ay_rc rc = ay_keys_root(c, now_ms, &root, e);

	for (size_t i = 0; rc == AY_OK && i < n; i++)
		if (row[i].cn != NULL)
			rc = make_row(c, AY_PIN_ROOT, &row[i], &root, e);
	if (rc == AY_OK)
		rc = put_in(c, AY_PIN_ROOT, AY_FILE_ROOT_KEY, 0600, root.key, e);
	return rc == AY_OK ? put_in(c, AY_PIN_ROOT, AY_FILE_ROOT_CERT, 0644, root.cert, e) : rc;
}

static enum ay_rc make_ca(const struct ay_config *c, struct ay_err *e)
{
	char name[NAME_ROOM], path[PATH_MAX];
	enum ay_rc rc;

	if (ay_config_str(c, "ca")[0] != '\0')
		return ay_fail(e, AY_E_INPUT, "keys", 0,
			       "the Privacy CA stands elsewhere; its keys are there");
	rc = ay_keys_path(c, inside(AY_PIN_CA, ".tmp", "", name), "", path, e);
	if (rc == AY_OK)
		rc = ay_ca_init(path, e);
	ay_keys_drop(c, inside(AY_PIN_CA, ".tmp", "pseudonym.key", name), "");
	return rc;
}

static enum ay_rc make(const struct ay_config *c, enum ay_pin_purpose p, int64_t now_ms,
		       struct ay_err *e)
{
	char name[NAME_ROOM], path[PATH_MAX];
	enum ay_rc rc = remove_dir(c, inside(p, ".tmp", "", name), e);

	if (rc == AY_OK)
		rc = ay_keys_path(c, name, "", path, e);
	if (rc == AY_OK)
		rc = ay_dir_make(path, 0700, e);
	if (rc != AY_OK)
		return rc;
	if (p == AY_PIN_ROOT)
		return make_root(c, now_ms, e);
	if (p == AY_PIN_CA)
		return make_ca(c, e);
	return make_row(c, p, ay_keys_row("order"), NULL, e);
}

/* ---- the statement ---- */

static const char *key_file(enum ay_pin_purpose p)
{
	return p == AY_PIN_ROOT ? AY_FILE_ROOT_KEY
	       : p == AY_PIN_CA ? AY_DIR_CA "/root.key"
				: AY_FILE_ORDER_KEY;
}

static const char *new_public(enum ay_pin_purpose p)
{
	return p == AY_PIN_ORDER ? AY_FILE_ORDER_PUB : "root.pem";
}

static enum ay_rc load_signer(const struct ay_config *c, enum ay_pin_purpose p,
			      struct ay_privkey **out, struct ay_err *e)
{
	AY_CLEANUP(ay_file_free) struct ay_bytes pem = { NULL, 0 };

	if (!ay_keys_has(c, key_file(p), ""))
		return ay_fail(e, AY_E_NOENT, "keys", 0,
			       "%s is not in the state folder: it signs the change; put it back "
			       "for this",
			       key_file(p));
	if (ay_keys_get(c, key_file(p), "", &pem, e) != AY_OK)
		return AY_E_UNAVAIL;
	return ay_privkey_new_pem(pem, out, e);
}

/* Clocks that were set back must not bring a sequence that hosts have seen. */
static enum ay_rc next_sequence(const struct ay_config *c, enum ay_pin_purpose p, int64_t now_ms,
				uint64_t *out, struct ay_err *e)
{
	struct ay_staged *list;
	size_t n;
	enum ay_rc rc = ay_staged_load(c, 0, &list, &n, e);

	*out = (uint64_t)now_ms;
	for (size_t i = 0; rc == AY_OK && i < n; i++)
		if (list[i].change.purpose == p && list[i].change.sequence >= *out)
			*out = list[i].change.sequence + 1;
	free(list);
	return rc;
}

static enum ay_rc sign(const struct ay_config *c, struct ay_pin_change *change,
		       uint8_t out[AY_PIN_CHANGE_MAX], size_t *n, struct ay_err *e)
{
	struct ay_privkey *key = NULL;
	enum ay_rc rc = load_signer(c, change->purpose, &key, e);

	if (rc == AY_OK)
		rc = ay_pin_change_sign(change, key, out, n, e);
	ay_privkey_free(key);
	return rc;
}

static enum ay_rc put_statement(const struct ay_config *c, enum ay_pin_purpose p, int64_t now_ms,
				struct ay_err *e)
{
	AY_CLEANUP(ay_file_free) struct ay_bytes pem = { NULL, 0 }, der = { NULL, 0 };
	struct ay_pin_change change = {
		.purpose = p,
		.not_before_ms = now_ms - AY_STAGED_SLACK_MS,
		.not_after_ms = now_ms + ay_config_int(c, "pin_overlap"),
	};
	uint8_t statement[AY_PIN_CHANGE_MAX], room[AY_STAGED_BODY];
	char name[NAME_ROOM], label[AY_PIN_LABEL_MAX], at[AY_TIME_ROOM];
	struct ay_writer w;
	struct ay_bytes body = { NULL, 0 };
	size_t n = 0;
	enum ay_rc rc = ay_keys_get(c, inside(p, ".tmp", new_public(p), name), "", &pem, e);

	ay_time_format(now_ms, at);
	snprintf(label, sizeof(label), "%s of %.20s", ay_staged_name(p), at);
	change.label = ay_bytes_of(label);
	if (rc == AY_OK)
		rc = ay_cert_spki(pem, change.next, e);
	if (rc == AY_OK && p == AY_PIN_ROOT)
		rc = ay_cert_der(pem, &der, e);
	if (rc == AY_OK)
		rc = next_sequence(c, p, now_ms, &change.sequence, e);
	if (rc == AY_OK)
		rc = sign(c, &change, statement, &n, e);
	if (rc != AY_OK)
		return rc;
	ay_wr_init(&w, room, sizeof(room));
	ay_wr_vec16(&w, (struct ay_bytes){ statement, n });
	ay_wr_vec16(&w, der);
	rc = ay_wr_end(&w, "statement", &body, e);
	return rc == AY_OK ? put_in(c, p, STATEMENT, 0644, body, e) : rc;
}

static bool has_expired(const struct ay_config *c, const char *name, int64_t now_ms)
{
	AY_CLEANUP(ay_file_free) struct ay_bytes body = { NULL, 0 };
	struct ay_chan_pin_change m;
	struct ay_pin_change change;

	return ay_keys_get(c, name, "", &body, NULL) == AY_OK &&
	       ay_chan_pin_change_parse(body, &m, NULL) == AY_OK &&
	       ay_pin_change_parse(m.statement, &change, NULL) == AY_OK &&
	       change.not_after_ms < now_ms;
}

/* Of one purpose: to, or by, a key that was lost. Of all: those that have expired. */
static enum ay_rc drop_statements(const struct ay_config *c, const char *purpose, int64_t now_ms,
				  struct ay_err *e)
{
	char path[PATH_MAX], name[NAME_ROOM];
	enum ay_rc rc = ay_keys_path(c, AY_DIR_PINS, "", path, e);
	DIR *d = rc == AY_OK ? opendir(path) : NULL;
	const size_t n_purpose = purpose != NULL ? strlen(purpose) : 0;
	const struct dirent *entry;

	while (rc == AY_OK && d != NULL && (entry = readdir(d)) != NULL) {
		bool is_meant = purpose != NULL &&
				strncmp(entry->d_name, purpose, n_purpose) == 0 &&
				entry->d_name[n_purpose] == '-';

		if (entry->d_name[0] == '.' || strlen(entry->d_name) >= 40)
			continue;
		snprintf(name, sizeof(name), "%s/%.40s", AY_DIR_PINS, entry->d_name);
		if (is_meant || (purpose == NULL && has_expired(c, name, now_ms)))
			ay_keys_drop(c, name, "");
	}
	if (d != NULL)
		closedir(d);
	return rc;
}

enum ay_rc ay_staged_begin(const struct ay_config *c, enum ay_pin_purpose p, int64_t now_ms,
			   struct ay_err *e)
{
	char from[NAME_ROOM], to[NAME_ROOM];
	struct ay_privkey *key = NULL;
	enum ay_rc rc;

	if (ay_staged_is_open(c, p))
		return ay_fail(e, AY_E_EXISTS, "keys", 0,
			       "a change of %s is under way: assayd keys finish %s",
			       ay_staged_name(p), ay_staged_name(p));
	rc = load_signer(c, p, &key, e);
	ay_privkey_free(key);
	if (rc == AY_OK)
		rc = drop_statements(c, NULL, now_ms, e);
	if (rc == AY_OK)
		rc = make(c, p, now_ms, e);
	if (rc == AY_OK)
		rc = put_statement(c, p, now_ms, e);
	if (rc != AY_OK)
		return rc;
	return move(c, inside(p, ".tmp", "", from), inside(p, "", "", to), e);
}

/* ---- putting in force ---- */

static enum ay_rc take_row(const struct ay_config *c, enum ay_pin_purpose p,
			   const struct ay_key_row *row, bool revoke, struct ay_err *e)
{
	AY_CLEANUP(ay_cert_pem_free) struct ay_cert_pem pair = { { NULL, 0 }, { NULL, 0 } };
	AY_CLEANUP(ay_file_free) struct ay_bytes now = { NULL, 0 };
	char key[NAME_ROOM], pub[NAME_ROOM];
	enum ay_rc rc = AY_OK;

	if (!ay_keys_has(c, inside(p, "", row->key, key), ""))
		return AY_OK; /* it was taken before the crash */
	rc = ay_keys_get(c, key, "", &pair.key, e);
	if (rc == AY_OK)
		rc = ay_keys_get(c, inside(p, "", row->pub, pub), "", &pair.cert, e);
	if (rc == AY_OK && ay_keys_has(c, row->pub, ""))
		rc = ay_keys_get(c, row->pub, "", &now, e);
	if (rc == AY_OK && !ay_bytes_eq(now, pair.cert))
		rc = ay_keys_replace(c, row, &pair, revoke, e);
	if (rc != AY_OK)
		return rc;
	ay_keys_drop(c, key, "");
	ay_keys_drop(c, pub, "");
	return AY_OK;
}

static enum ay_rc take_file(const struct ay_config *c, enum ay_pin_purpose p, const char *file,
			    const char *to, struct ay_err *e)
{
	char from[NAME_ROOM];

	return ay_keys_has(c, inside(p, "", file, from), "") ? move(c, from, to, e) : AY_OK;
}

static enum ay_rc take_root(const struct ay_config *c, bool revoke, struct ay_err *e)
{
	AY_CLEANUP(ay_file_free) struct ay_bytes old = { NULL, 0 };
	size_t n;
	const struct ay_key_row *row = ay_keys_rows(&n);
	char name[NAME_ROOM];
	enum ay_rc rc = AY_OK;

	for (size_t i = 0; rc == AY_OK && i < n; i++)
		if (row[i].cn != NULL)
			rc = take_row(c, AY_PIN_ROOT, &row[i], revoke, e);
	if (rc == AY_OK && ay_keys_has(c, inside(AY_PIN_ROOT, "", AY_FILE_ROOT_CERT, name), "") &&
	    ay_keys_has(c, AY_FILE_ROOT_CERT, "")) {
		rc = ay_keys_get(c, AY_FILE_ROOT_CERT, "", &old, e);
		if (rc == AY_OK)
			rc = ay_keys_put(c, AY_FILE_ROOT_CERT, AY_KEYS_OLD, 0644, old, e);
	}
	if (rc == AY_OK)
		rc = take_file(c, AY_PIN_ROOT, AY_FILE_ROOT_KEY, AY_FILE_ROOT_KEY, e);
	return rc == AY_OK ? take_file(c, AY_PIN_ROOT, AY_FILE_ROOT_CERT, AY_FILE_ROOT_CERT, e)
			   : rc;
}

static enum ay_rc take_ca(const struct ay_config *c, struct ay_err *e)
{
	char to[NAME_ROOM];
	enum ay_rc rc = AY_OK;

	for (size_t i = 0; rc == AY_OK && i < AY_COUNT(ca_files); i++) {
		snprintf(to, sizeof(to), "%s/%s", AY_DIR_CA, ca_files[i]);
		rc = take_file(c, AY_PIN_CA, ca_files[i], to, e);
	}
	return rc;
}

/* Hosts that were away from an order key's change may still take it, until it expires. */
static enum ay_rc keep_statement(const struct ay_config *c, enum ay_pin_purpose p, bool revoke,
				 struct ay_err *e)
{
	AY_CLEANUP(ay_file_free) struct ay_bytes body = { NULL, 0 };
	struct ay_chan_pin_change m;
	struct ay_pin_change change;
	char from[NAME_ROOM], to[NAME_ROOM], path[PATH_MAX];
	enum ay_rc rc;

	if (revoke || !ay_keys_has(c, inside(p, "", STATEMENT, from), ""))
		return AY_OK;
	rc = ay_keys_get(c, from, "", &body, e);
	if (rc == AY_OK)
		rc = ay_chan_pin_change_parse(body, &m, e);
	if (rc == AY_OK)
		rc = ay_pin_change_parse(m.statement, &change, e);
	if (rc == AY_OK)
		rc = ay_keys_path(c, AY_DIR_PINS, "", path, e);
	if (rc == AY_OK)
		rc = ay_dir_make(path, 0700, e);
	snprintf(to, sizeof(to), "%s/%s-%llu", AY_DIR_PINS, ay_staged_name(p),
		 (unsigned long long)change.sequence);
	return rc == AY_OK ? move(c, from, to, e) : rc;
}

static enum ay_rc put_in_force(const struct ay_config *c, enum ay_pin_purpose p, bool revoke,
			       struct ay_err *e)
{
	char name[NAME_ROOM];
	enum ay_rc rc = p == AY_PIN_ROOT ? take_root(c, revoke, e)
			: p == AY_PIN_CA ? take_ca(c, e)
					 : take_row(c, p, ay_keys_row("order"), revoke, e);

	if (rc == AY_OK)
		rc = keep_statement(c, p, revoke, e);
	return rc == AY_OK ? remove_dir(c, inside(p, "", "", name), e) : rc;
}

static enum ay_rc commit(const struct ay_config *c, enum ay_pin_purpose p, bool revoke,
			 struct ay_err *e)
{
	char name[NAME_ROOM];
	enum ay_rc rc = ay_keys_put(c, inside(p, "", COMMIT, name), "", 0600,
				    ay_bytes_of(revoke ? "revoke\n" : "finish\n"), e);

	return rc == AY_OK ? put_in_force(c, p, revoke, e) : rc;
}

enum ay_rc ay_staged_finish(const struct ay_config *c, enum ay_pin_purpose p, struct ay_err *e)
{
	if (!ay_staged_is_open(c, p))
		return ay_fail(e, AY_E_NOENT, "keys", 0, "no change of %s is under way",
			       ay_staged_name(p));
	return commit(c, p, false, e);
}

enum ay_rc ay_staged_revoke(const struct ay_config *c, enum ay_pin_purpose p, int64_t now_ms,
			    struct ay_err *e)
{
	char from[NAME_ROOM], to[NAME_ROOM];
	enum ay_rc rc = make(c, p, now_ms, e);

	if (rc == AY_OK)
		rc = drop_statements(c, ay_staged_name(p), now_ms, e);
	if (rc == AY_OK)
		rc = remove_dir(c, inside(p, "", "", to), e);
	if (rc == AY_OK)
		rc = move(c, inside(p, ".tmp", "", from), to, e);
	return rc == AY_OK ? commit(c, p, true, e) : rc;
}

enum ay_rc ay_staged_settle(const struct ay_config *c, struct ay_err *e)
{
	enum ay_rc rc = AY_OK;

	for (int i = AY_PIN_ROOT; rc == AY_OK && i <= AY_PIN_PURPOSES; i++) {
		AY_CLEANUP(ay_file_free) struct ay_bytes how = { NULL, 0 };
		enum ay_pin_purpose p = (enum ay_pin_purpose)i;
		char name[NAME_ROOM];

		rc = remove_dir(c, inside(p, ".tmp", "", name), e);
		if (rc != AY_OK || !ay_keys_has(c, inside(p, "", COMMIT, name), ""))
			continue;
		rc = ay_keys_get(c, name, "", &how, e);
		if (rc == AY_OK)
			rc = put_in_force(c, p, how.n > 0 && how.p[0] == 'r', e);
	}
	return rc;
}

/* ---- reading ---- */

static enum ay_rc read_one(const struct ay_config *c, const char *name, bool is_open,
			   int64_t now_ms, struct ay_staged *out, size_t *n, struct ay_err *e)
{
	AY_CLEANUP(ay_file_free) struct ay_bytes body = { NULL, 0 };
	struct ay_staged *s = &out[*n];
	struct ay_chan_pin_change m;
	enum ay_rc rc = *n == AY_STAGED_MAX
				? ay_fail(e, AY_E_LIMIT, "keys", 0, "more than %d statements in %s",
					  AY_STAGED_MAX, AY_DIR_PINS)
				: ay_keys_get(c, name, "", &body, e);

	if (rc == AY_OK && body.n > sizeof(s->body))
		rc = ay_fail(e, AY_E_LIMIT, "keys", 0, "%.60s: too long", name);
	if (rc != AY_OK)
		return rc;
	*s = (struct ay_staged){ .is_open = is_open, .n = body.n };
	memcpy(s->body, body.p, body.n);
	rc = ay_chan_pin_change_parse((struct ay_bytes){ s->body, s->n }, &m, e);
	if (rc == AY_OK)
		rc = ay_pin_change_parse(m.statement, &s->change, e);
	if (rc == AY_OK && (is_open || s->change.not_after_ms >= now_ms))
		(*n)++;
	return rc;
}

static enum ay_rc read_kept(const struct ay_config *c, int64_t now_ms, struct ay_staged *out,
			    size_t *n, struct ay_err *e)
{
	char path[PATH_MAX], name[NAME_ROOM];
	enum ay_rc rc = ay_keys_path(c, AY_DIR_PINS, "", path, e);
	DIR *d = rc == AY_OK ? opendir(path) : NULL;
	const struct dirent *entry;

	while (rc == AY_OK && d != NULL && (entry = readdir(d)) != NULL)
		if (entry->d_name[0] != '.' && strlen(entry->d_name) < 40) {
			snprintf(name, sizeof(name), "%s/%.40s", AY_DIR_PINS, entry->d_name);
			rc = read_one(c, name, false, now_ms, out, n, e);
		}
	if (d != NULL)
		closedir(d);
	return rc;
}

static int by_sequence(const void *a, const void *b)
{
	const struct ay_staged *x = a, *y = b;

	return x->change.sequence < y->change.sequence ? -1
						       : x->change.sequence > y->change.sequence;
}

/* Views into what was moved. */
static void mend(struct ay_staged *s)
{
	struct ay_chan_pin_change m;

	if (ay_chan_pin_change_parse((struct ay_bytes){ s->body, s->n }, &m, NULL) != AY_OK ||
	    ay_pin_change_parse(m.statement, &s->change, NULL) != AY_OK)
		s->n = 0; /* it was parsed a moment ago */
}

enum ay_rc ay_staged_load(const struct ay_config *c, int64_t now_ms, struct ay_staged **list,
			  size_t *n, struct ay_err *e)
{
	struct ay_staged *all = calloc(AY_STAGED_MAX, sizeof(*all));
	char name[NAME_ROOM];
	enum ay_rc rc = AY_OK;

	*n = 0;
	*list = all;
	if (all == NULL)
		return ay_fail(e, AY_E_NOMEM, "keys", 0, "no memory");
	for (int i = AY_PIN_ROOT; rc == AY_OK && i <= AY_PIN_PURPOSES; i++)
		if (ay_staged_is_open(c, (enum ay_pin_purpose)i))
			rc = read_one(c, inside((enum ay_pin_purpose)i, "", STATEMENT, name), true,
				      now_ms, all, n, e);
	if (rc == AY_OK)
		rc = read_kept(c, now_ms, all, n, e);
	qsort(all, *n, sizeof(*all), by_sequence);
	for (size_t i = 0; i < *n; i++)
		mend(&all[i]);
	if (rc == AY_OK && *n > 0)
		return AY_OK;
	free(all);
	*list = NULL;
	*n = 0;
	return rc;
}

int ay_staged_warning(int64_t until_ms, int64_t now_ms)
{
	static const int64_t day_ms = (int64_t)24 * 3600 * 1000;

	if (until_ms - now_ms > 7 * day_ms)
		return 0;
	return until_ms - now_ms > day_ms ? 1 : 2;
}
