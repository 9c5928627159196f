/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One login at the directory, by libldap, in a thread that may wait: connect,
 * TLS, find the entry, bind as it with the password typed, find its groups.
 * Referrals are not followed; TLS is never left out.
 */
#include "prog/assayd/courier_ldap_impl.h"

#include "io/sys/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <lber.h>
#include <ldap.h>
#include <malloc.h>
#include <openldap.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What one login needs in its thread. */
struct ask {
	const struct ay_courier_ldap *c;
	const struct ay_ldap_settings *s;
	struct ay_ldap_job *j;
	LDAP *ld;
	char dn[AY_DIRECTORY_DN]; /* of the entry found */
	struct ay_directory_entry entry;
	char id[256], name[AY_MAX_NAME_BYTES + 1], display[AY_MAX_NAME_BYTES + 1];
};

/* ---- faults: there is no answer ---- */

static int64_t left_ms(const struct ask *a)
{
	int64_t left = a->j->until_ms - ay_clock_mono_ms();

	return left > 0 ? left : 0;
}

static bool fault(struct ask *a, const char *code, const char *text)
{
	a->j->code = code;
	snprintf(a->j->text, sizeof(a->j->text), "%s", text);
	return false;
}

static bool fault_of(struct ask *a, const char *code, const char *what, int err)
{
	char text[256];

	snprintf(text, sizeof(text), "%.120s: %.120s", what, ldap_err2string(err));
	return fault(a, code, text);
}

static struct timeval left_time(const struct ask *a)
{
	int64_t ms = left_ms(a);

	return (struct timeval){ ms / 1000, (ms % 1000) * 1000 + 1 };
}

/* ---- connection ---- */

static bool is_connected(int fd, const struct sockaddr *to, socklen_t n, int wait_ms)
{
	struct pollfd p = { .fd = fd, .events = POLLOUT };
	int fault = 0;
	socklen_t size = sizeof(fault);

	if (connect(fd, to, n) == 0)
		return true;
	if (errno != EINPROGRESS || poll(&p, 1, wait_ms) != 1)
		return false;
	return getsockopt(fd, SOL_SOCKET, SO_ERROR, &fault, &size) == 0 && fault == 0;
}

/* The first of its addresses that answers; each has its share of the time. */
static int connect_to(struct ask *a)
{
	struct ay_ldap_job *j = a->j;

	for (size_t i = 0; i < j->n_addresses; i++) {
		int share = (int)(left_ms(a) / (int64_t)(j->n_addresses - i));
		int fd = socket(j->address[i].ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
				0);

		if (fd < 0)
			continue;
		if (ay_ldap_job_holds(j, fd) &&
		    is_connected(fd, (const struct sockaddr *)&j->address[i], j->address_n[i],
				 share))
			return fd;
		ay_ldap_job_lets_go(j);
		close(fd);
	}
	return -1;
}

static bool set_options(struct ask *a)
{
	const int version = LDAP_VERSION3, deref = LDAP_DEREF_NEVER;
	const struct timeval t = left_time(a);
	ber_len_t most = AY_MAX_LDAP_ANSWER;
	Sockbuf *sb = NULL;

	return ldap_set_option(a->ld, LDAP_OPT_PROTOCOL_VERSION, &version) == 0 &&
	       ldap_set_option(a->ld, LDAP_OPT_DEREF, &deref) == 0 &&
	       ldap_set_option(a->ld, LDAP_OPT_REFERRALS, LDAP_OPT_OFF) == 0 &&
	       ldap_set_option(a->ld, LDAP_OPT_NETWORK_TIMEOUT, &t) == 0 &&
	       ldap_set_option(a->ld, LDAP_OPT_TIMEOUT, &t) == 0 &&
	       ldap_get_option(a->ld, LDAP_OPT_SOCKBUF, &sb) == 0 && sb != NULL &&
	       ber_sockbuf_ctrl(sb, LBER_SB_OPT_SET_MAX_INCOMING, &most) > 0;
}

static bool open_session(struct ask *a)
{
	int fd = connect_to(a), rc;

	if (fd < 0)
		return fault(a, "LDAP_CONNECT", "no address of it answers");
	rc = ldap_init_fd(fd, LDAP_PROTO_TCP, a->s->uri, &a->ld);
	if (rc != LDAP_SUCCESS) {
		ay_ldap_job_lets_go(a->j);
		close(fd);
		a->ld = NULL;
		return fault_of(a, "LDAP_CONNECT", "libldap", rc);
	}
	if (!set_options(a))
		return fault(a, "LDAP_CONNECT", "libldap takes an option not");
	rc = ldap_install_tls(a->ld);
	if (rc != LDAP_SUCCESS || !ldap_tls_inplace(a->ld))
		return fault(a, "LDAP_TLS",
			     "no TLS 1.2 or 1.3 with a certificate of its name and of a root in "
			     "ldap.ca");
	return true;
}

static void close_session(struct ask *a)
{
	ay_ldap_job_lets_go(a->j); /* libldap closes it */
	if (a->ld != NULL)
		ldap_unbind_ext(a->ld, NULL, NULL);
}

/* ---- bind ---- */

/* LDAP's result code, or a negative one of libldap's: there was no answer. */
static int bind_as(struct ask *a, const char *dn, struct ay_bytes password)
{
	struct berval secret = { password.n, (char *)(uintptr_t)password.p };
	struct timeval t = left_time(a);
	LDAPMessage *m = NULL;
	int id, err = LDAP_OTHER, type;
	int rc = ldap_sasl_bind(a->ld, dn, LDAP_SASL_SIMPLE, &secret, NULL, NULL, &id);

	if (rc != LDAP_SUCCESS)
		return rc < 0 ? rc : LDAP_LOCAL_ERROR;
	type = ldap_result(a->ld, id, LDAP_MSG_ALL, &t, &m);
	rc = type == LDAP_RES_BIND ? ldap_parse_result(a->ld, m, &err, NULL, NULL, NULL, NULL, 0)
				   : LDAP_TIMEOUT;
	if (m != NULL)
		ldap_msgfree(m);
	return rc == LDAP_SUCCESS ? err : LDAP_SERVER_DOWN;
}

static bool bind_searcher(struct ask *a)
{
	int err;

	if (a->s->bind_dn[0] == '\0')
		return true;
	err = bind_as(a, a->s->bind_dn, ay_bytes_of(a->c->password));
	return err == LDAP_SUCCESS || fault_of(a, "LDAP_BIND", "ldap.bind_dn", err);
}

/* Results by which a directory says that name and password are not right, or not now. */
static bool is_refusal(int err)
{
	static const int codes[] = { LDAP_INVALID_CREDENTIALS,	LDAP_INAPPROPRIATE_AUTH,
				     LDAP_NO_SUCH_OBJECT,	LDAP_INVALID_DN_SYNTAX,
				     LDAP_UNWILLING_TO_PERFORM, LDAP_CONSTRAINT_VIOLATION,
				     LDAP_INSUFFICIENT_ACCESS };

	for (size_t i = 0; i < AY_COUNT(codes); i++)
		if (err == codes[i])
			return true;
	return false;
}

/* Is it his password? False: no, or a fault. The one place where that is decided. */
static bool bind_person(struct ask *a, const char *dn)
{
	const struct ay_bytes password = { a->j->password, a->j->password_n };
	int err = bind_as(a, dn, password);

	if (!AY_CHECKED("LDAP_BIND_RESULT", err != LDAP_SUCCESS))
		return true;
	if (!is_refusal(err))
		return fault_of(a, "LDAP_BIND", "bind of the person", err);
	snprintf(a->j->text, sizeof(a->j->text), "bind: %s", ldap_err2string(err));
	return false;
}

/* ---- search ---- */

typedef void entry_fn(struct ask *a, LDAPMessage *entry);

struct search {
	const char *base, *filter;
	int scope;
	char **attributes;
	int most; /* entries */
	entry_fn *fn;
};

/* True: searched whole. *n: entries. A result is bounded by count, size and time. */
static bool read_results(struct ask *a, const struct search *q, int id, int *n)
{
	for (;;) {
		struct timeval t = left_time(a);
		LDAPMessage *m = NULL;
		int type = ldap_result(a->ld, id, LDAP_MSG_ONE, &t, &m), err = LDAP_OTHER;

		if (type <= 0)
			return fault(a, "LDAP_SEARCH", "no answer to the search");
		if (type == LDAP_RES_SEARCH_ENTRY && ++*n <= q->most)
			q->fn(a, m);
		if (type == LDAP_RES_SEARCH_RESULT)
			(void)ldap_parse_result(a->ld, m, &err, NULL, NULL, NULL, NULL, 0);
		ldap_msgfree(m); /* a reference to elsewhere is not followed */
		if (*n > q->most)
			return true;
		if (type != LDAP_RES_SEARCH_RESULT)
			continue;
		if (err == LDAP_SIZELIMIT_EXCEEDED)
			*n = q->most + 1;
		return err == LDAP_SUCCESS || err == LDAP_NO_SUCH_OBJECT ||
		       err == LDAP_SIZELIMIT_EXCEEDED || fault_of(a, "LDAP_SEARCH", q->base, err);
	}
}

static bool search(struct ask *a, const struct search *q, int *n)
{
	struct timeval t = left_time(a);
	int id, rc = ldap_search_ext(a->ld, q->base, q->scope, q->filter, q->attributes, 0, NULL,
				     NULL, &t, q->most + 1, &id);

	*n = 0;
	if (rc != LDAP_SUCCESS)
		return fault_of(a, "LDAP_SEARCH", q->filter, rc);
	return read_results(a, q, id, n);
}

/* ---- the person's entry ---- */

static struct ay_bytes first_value(struct ask *a, LDAPMessage *entry, const char *attribute,
				   char *room, size_t max, size_t *n)
{
	struct berval **v = ldap_get_values_len(a->ld, entry, attribute);
	struct ay_bytes out = { NULL, 0 };

	*n = v == NULL ? 0 : (size_t)ldap_count_values_len(v);
	if (*n > 0 && v[0]->bv_len <= max && v[0]->bv_len > 0) {
		memcpy(room, v[0]->bv_val, v[0]->bv_len);
		out = (struct ay_bytes){ (uint8_t *)room, v[0]->bv_len };
	}
	if (v != NULL)
		ldap_value_free_len(v);
	return out;
}

static void take_group(struct ask *a, const char *p, size_t n)
{
	char dn[AY_GROUP_TEXT];

	if (n == 0 || n >= sizeof(dn) || memchr(p, 0, n) != NULL)
		return; /* no row of the map is so long */
	memcpy(dn, p, n);
	dn[n] = '\0';
	for (size_t i = 0; i < a->s->map.n; i++)
		if (ay_directory_dn_same(dn, a->s->map.row[i].group))
			a->j->in_group[i] = true;
}

static void take_groups(struct ask *a, LDAPMessage *entry)
{
	struct berval **v;

	if (a->s->group_attribute[0] == '\0')
		return;
	v = ldap_get_values_len(a->ld, entry, a->s->group_attribute);
	for (int i = 0; v != NULL && v[i] != NULL && i < AY_MAX_LDAP_GROUPS; i++)
		take_group(a, v[i]->bv_val, v[i]->bv_len);
	if (v != NULL)
		ldap_value_free_len(v);
}

static void on_person(struct ask *a, LDAPMessage *entry)
{
	const struct ay_ldap_settings *s = a->s;
	char *dn = ldap_get_dn(a->ld, entry);
	size_t n;

	if (dn != NULL && strlen(dn) < sizeof(a->dn))
		memcpy(a->dn, dn, strlen(dn) + 1);
	ldap_memfree(dn);
	a->entry.id = first_value(a, entry, s->id_attribute, a->id, sizeof(a->id), &a->entry.n_ids);
	a->entry.name = first_value(a, entry, s->name_attribute, a->name, AY_MAX_NAME_BYTES, &n);
	a->entry.display =
		first_value(a, entry, s->display_attribute, a->display, AY_MAX_NAME_BYTES, &n);
	take_groups(a, entry);
}

/* Exactly one entry, with an id that stays its person's. */
static bool find_person(struct ask *a, const char *base, int scope, const char *filter)
{
	char *attributes[] = { (char *)(uintptr_t)a->s->id_attribute,
			       (char *)(uintptr_t)a->s->name_attribute,
			       (char *)(uintptr_t)a->s->display_attribute,
			       (char *)(uintptr_t)a->s->group_attribute, NULL };
	const struct search q = { .base = base,
				  .filter = filter,
				  .scope = scope,
				  .attributes = attributes,
				  .most = 1,
				  .fn = on_person };
	struct ay_err e = { 0 };
	int n;

	if (a->s->group_attribute[0] == '\0')
		attributes[3] = NULL;
	if (!search(a, &q, &n))
		return false;
	a->entry.n_entries = (size_t)n;
	a->entry.id_attribute = a->s->id_attribute;
	if (ay_directory_entry_check(&a->entry, &a->j->person, &e) == AY_OK && a->dn[0] != '\0')
		return true;
	snprintf(a->j->text, sizeof(a->j->text), "%s", e.text);
	return false;
}

/* ---- groups ---- */

static void on_group(struct ask *a, LDAPMessage *entry)
{
	char *dn = ldap_get_dn(a->ld, entry);

	if (dn != NULL)
		take_group(a, dn, strlen(dn));
	ldap_memfree(dn);
}

static bool find_groups(struct ask *a)
{
	char *attributes[] = { (char *)(uintptr_t)LDAP_NO_ATTRS, NULL };
	const struct ay_directory_values v = { a->j->name, a->dn };
	struct search q = { .base = a->s->group_base,
			    .scope = LDAP_SCOPE_SUBTREE,
			    .attributes = attributes,
			    .most = AY_MAX_LDAP_GROUPS,
			    .fn = on_group };
	char filter[AY_DIRECTORY_TEXT];
	struct ay_err e = { 0 };
	int n;

	if (a->s->group_base[0] == '\0')
		return true;
	if (ay_directory_expand(a->s->group_filter, AY_DIRECTORY_FILTER, &v, "ldap.group_filter",
				filter, &e) != AY_OK)
		return fault(a, "LDAP_SEARCH", e.text);
	q.filter = filter;
	if (!bind_searcher(a) || !search(a, &q, &n))
		return false;
	return n <= q.most || fault(a, "LDAP_SEARCH", "he is in more groups than are taken");
}

/* ---- the two ways ---- */

/* His entry is looked up, then its password tried. */
static bool by_search(struct ask *a)
{
	const struct ay_directory_values v = { a->j->name, NULL };
	char filter[AY_DIRECTORY_TEXT];
	struct ay_err e = { 0 };

	if (ay_directory_expand(a->s->user_filter, AY_DIRECTORY_FILTER, &v, "ldap.user_filter",
				filter, &e) != AY_OK)
		return fault(a, "LDAP_SEARCH", e.text);
	return bind_searcher(a) && find_person(a, a->s->base, LDAP_SCOPE_SUBTREE, filter) &&
	       bind_person(a, a->dn) && find_groups(a);
}

/* Its name is known from his: his password opens the way to it. */
static bool by_name(struct ask *a)
{
	const struct ay_directory_values v = { a->j->name, NULL };
	char dn[AY_DIRECTORY_TEXT];
	struct ay_err e = { 0 };

	if (ay_directory_expand(a->s->user_dn, AY_DIRECTORY_NAME, &v, "ldap.user_dn", dn, &e) !=
	    AY_OK)
		return fault(a, "LDAP_SEARCH", e.text);
	return bind_person(a, dn) && bind_searcher(a) &&
	       find_person(a, dn, LDAP_SCOPE_BASE, "(objectClass=*)") && find_groups(a);
}

void ay_ldap_ask(const struct ay_courier_ldap *c, struct ay_ldap_job *j)
{
	struct ask a = { .c = c, .s = &c->settings, .j = j };

	if (open_session(&a))
		j->right = a.s->user_dn[0] == '\0' ? by_search(&a) : by_name(&a);
	close_session(&a);
	if (!j->right)
		memset(&j->person, 0, sizeof(j->person));
	if (!j->right)
		memset(j->in_group, 0, sizeof(j->in_group));
}

/* ---- once ---- */

static void *wiping_malloc(ber_len_t n, void *ctx)
{
	(void)ctx;
	return malloc(n);
}

static void *wiping_calloc(ber_len_t n, ber_len_t size, void *ctx)
{
	(void)ctx;
	return calloc(n, size);
}

static void wiping_free(void *p, void *ctx)
{
	(void)ctx;
	if (p != NULL)
		explicit_bzero(p, malloc_usable_size(p));
	free(p);
}

static void *wiping_realloc(void *p, ber_len_t n, void *ctx)
{
	size_t had = p == NULL ? 0 : malloc_usable_size(p);
	void *more = malloc(n);

	if (more == NULL || p == NULL)
		return more;
	memcpy(more, p, had < n ? had : n);
	wiping_free(p, ctx);
	return more;
}

/* libldap copies passwords into messages: what it frees is overwritten. */
static bool wipe_what_it_frees(void)
{
	static BerMemoryFunctions fns = { wiping_malloc, wiping_calloc, wiping_realloc,
					  wiping_free };

	return ber_set_option(NULL, LBER_OPT_MEMORY_FNS, &fns) == LBER_OPT_SUCCESS;
}

/* TLS 1.2 and 1.3. A libldap with OpenSSL knows no priority strings and takes the number alone. */
static bool set_versions(void)
{
	const int least = LDAP_OPT_X_TLS_PROTOCOL_TLS1_2;
	char *package = NULL;
	bool ok = ldap_set_option(NULL, LDAP_OPT_X_TLS_PROTOCOL_MIN, &least) == 0 &&
		  ldap_get_option(NULL, LDAP_OPT_X_TLS_PACKAGE, &package) == 0 && package != NULL;

	if (ok && strcmp(package, "GnuTLS") == 0)
		ok = ldap_set_option(NULL, LDAP_OPT_X_TLS_CIPHER_SUITE,
				     "SECURE128:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2") == 0;
	ldap_memfree(package);
	return ok;
}

enum ay_rc ay_ldap_library_init(const struct ay_ldap_settings *s, struct ay_err *e)
{
	const int demand = LDAP_OPT_X_TLS_DEMAND, of_client = 0;

	/* neither ldap.conf nor the environment has a say */
	if (setenv("LDAPNOINIT", "1", 1) != 0 || !wipe_what_it_frees() || !set_versions() ||
	    ldap_set_option(NULL, LDAP_OPT_X_TLS_REQUIRE_CERT, &demand) != 0 ||
	    ldap_set_option(NULL, LDAP_OPT_X_TLS_REQUIRE_SAN, &demand) != 0)
		return ay_fail(e, AY_E_UNAVAIL, "ldap", 0, "libldap cannot be set up");
	if (ldap_set_option(NULL, LDAP_OPT_X_TLS_CACERTFILE, s->ca) != 0 ||
	    ldap_set_option(NULL, LDAP_OPT_X_TLS_NEWCTX, &of_client) != 0)
		return ay_fail(e, AY_E_INPUT, "ldap.ca", 0, "%.200s cannot be read as roots",
			       s->ca);
	return AY_OK;
}
