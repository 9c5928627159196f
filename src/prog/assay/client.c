/* SPDX-License-Identifier: Apache-2.0 */
#include "prog/assay/client_impl.h"

#include "core/base/limits.h"

#include <stdlib.h>
#include <string.h>

enum { CONNECT_S = 10, TOTAL_S = 600, TOKEN_MAX = 4096 };

static int set_credential(struct ay_client *c)
{
	char header[TOKEN_MAX + 64];
	uint8_t *p = NULL;
	size_t n = 0;
	int rc = ay_cli_read_file(c->settings.token_file, TOKEN_MAX, &p, &n);

	if (rc != AY_EXIT_OK)
		return rc;
	while (n > 0 && (p[n - 1] == '\n' || p[n - 1] == '\r'))
		n--;
	snprintf(header, sizeof(header), "Authorization: Bearer %.*s", (int)n, (const char *)p);
	c->headers = curl_slist_append(c->headers, header);
	explicit_bzero(header, sizeof(header));
	explicit_bzero(p, n);
	free(p);
	return c->headers == NULL ? ay_cli_error(AY_EXIT_IO, "out of memory") : AY_EXIT_OK;
}

/* Without token: the session of `assay login`, if there is one here. */
static void set_session(struct ay_client *c)
{
	struct ay_cli_session s;
	char line[160];
	const char *const heads[][2] = { { "Cookie: ", s.cookie }, { "X-CSRF-Token: ", s.csrf } };

	if (c->settings.session_file == NULL ||
	    !ay_session_read(c->settings.session_file, c->settings.server, &s))
		return;
	for (size_t i = 0; i < AY_COUNT(heads); i++) {
		struct curl_slist *more;

		snprintf(line, sizeof(line), "%s%s", heads[i][0], heads[i][1]);
		more = curl_slist_append(c->headers, line);
		c->headers = more == NULL ? c->headers : more;
	}
	explicit_bzero(&s, sizeof(s));
	explicit_bzero(line, sizeof(line));
}

static void set_options(struct ay_client *c)
{
	curl_easy_setopt(c->curl, CURLOPT_PROTOCOLS_STR, "https");
	curl_easy_setopt(c->curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(c->curl, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_S);
	curl_easy_setopt(c->curl, CURLOPT_TIMEOUT, (long)TOTAL_S);
	curl_easy_setopt(c->curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(c->curl, CURLOPT_PROXY, "");
	curl_easy_setopt(c->curl, CURLOPT_ERRORBUFFER, c->why);
	if (c->settings.ca != NULL)
		curl_easy_setopt(c->curl, CURLOPT_CAINFO, c->settings.ca);
	if (c->settings.cert != NULL) {
		curl_easy_setopt(c->curl, CURLOPT_SSLCERT, c->settings.cert);
		curl_easy_setopt(c->curl, CURLOPT_SSLKEY, c->settings.key);
	}
}

int ay_client_open(const struct ay_cli *cli, struct ay_client **out)
{
	struct ay_client *c = calloc(1, sizeof(*c));
	int rc = c == NULL ? ay_cli_error(AY_EXIT_IO, "out of memory")
			   : ay_settings_load(cli, &c->settings);

	*out = NULL;
	if (rc == AY_EXIT_OK && curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		rc = ay_cli_error(AY_EXIT_IO, "libcurl cannot start");
	if (rc == AY_EXIT_OK && (c->curl = curl_easy_init()) == NULL)
		rc = ay_cli_error(AY_EXIT_IO, "libcurl cannot start");
	if (rc == AY_EXIT_OK && c->settings.token_file != NULL)
		rc = set_credential(c);
	else if (rc == AY_EXIT_OK)
		set_session(c);
	if (rc != AY_EXIT_OK) {
		ay_client_close(c);
		return rc;
	}
	set_options(c);
	*out = c;
	return AY_EXIT_OK;
}

void ay_client_quiet(struct ay_client *c)
{
	c->quiet = true;
}

const struct ay_settings *ay_client_settings(const struct ay_client *c)
{
	return &c->settings;
}

void ay_client_close(struct ay_client *c)
{
	if (c == NULL)
		return;
	curl_slist_free_all(c->headers);
	if (c->curl != NULL)
		curl_easy_cleanup(c->curl);
	ay_settings_fini(&c->settings);
	free(c);
}

static size_t take_header(char *p, size_t size, size_t n, void *arg)
{
	static const char head[] = "set-cookie: ";
	struct ay_answer *a = arg;
	size_t at = sizeof(head) - 1, end = at;

	if (size * n <= at || strncasecmp(p, head, at) != 0)
		return size * n;
	while (end < size * n && p[end] != ';' && p[end] != '\r' && p[end] != '\n')
		end++;
	if (end - at < sizeof(a->cookie))
		snprintf(a->cookie, sizeof(a->cookie), "%.*s", (int)(end - at), p + at);
	return size * n;
}

static size_t take_body(char *p, size_t size, size_t n, void *arg)
{
	struct ay_answer *a = arg;
	char *bigger;

	if (a->n + size * n > (size_t)16 * AY_MAX_API_BODY)
		return 0;
	bigger = realloc(a->body, a->n + size * n + 1);
	if (bigger == NULL)
		return 0;
	memcpy(bigger + a->n, p, size * n);
	a->body = bigger;
	a->n += size * n;
	a->body[a->n] = '\0';
	return size * n;
}

/* What a failed call says: our error member, else the problem document's detail, else the status.
 */
int ay_client_refused(const struct ay_answer *a, const char *what)
{
	const json_t *e = json_object_get(a->json, "error");
	const char *code = ay_answer_text(e, "code", ""), *field = ay_answer_text(e, "field", "");
	const char *text = ay_answer_text(e, "text", ay_answer_text(a->json, "detail", ""));
	int exit_code = a->status >= 500 || a->status == 401 || a->status == 403 ? AY_EXIT_IO
										 : AY_EXIT_USAGE;

	if (text[0] == '\0')
		return ay_cli_error(exit_code, "%s: the server answered %ld", what, a->status);
	fprintf(stderr, "assay: ");
	ay_cli_print_safe(stderr, ay_bytes_of(code));
	fputs(code[0] ? ": " : "", stderr);
	ay_cli_print_safe(stderr, ay_bytes_of(field));
	fputs(field[0] ? ": " : "", stderr);
	ay_cli_print_safe(stderr, ay_bytes_of(text));
	fputc('\n', stderr);
	if (a->status == 401)
		fputs("assay: log in with `assay login NAME`, or give a token with --token-file or "
		      "ASSAY_TOKEN_FILE\n",
		      stderr);
	return exit_code;
}

static int perform(struct ay_client *c, const char *url, struct ay_answer *out)
{
	CURLcode rc = curl_easy_perform(c->curl);
	char *type = NULL;

	if (rc == CURLE_PEER_FAILED_VERIFICATION || rc == CURLE_SSL_CACERT_BADFILE)
		return ay_cli_error(AY_EXIT_IO,
				    "%s: %s (give the server's root.pem with --ca or ASSAY_CA)",
				    url, c->why[0] ? c->why : curl_easy_strerror(rc));
	if (rc != CURLE_OK)
		return ay_cli_error(AY_EXIT_IO, "%s: %s", url,
				    c->why[0] ? c->why : curl_easy_strerror(rc));
	curl_easy_getinfo(c->curl, CURLINFO_RESPONSE_CODE, &out->status);
	curl_easy_getinfo(c->curl, CURLINFO_CONTENT_TYPE, &type);
	out->type = type == NULL ? NULL : strdup(type);
	if (type != NULL && strstr(type, "json") != NULL && out->body != NULL)
		out->json = json_loadb(out->body, out->n, JSON_REJECT_DUPLICATES, NULL);
	if (out->status >= 300 && c->quiet)
		return AY_EXIT_IO;
	return out->status < 300 ? AY_EXIT_OK : ay_client_refused(out, url);
}

struct curl_slist *ay_client_headers(const struct ay_client *c, const char *accept, bool body)
{
	struct curl_slist *h = NULL, *more;
	char line[128];

	snprintf(line, sizeof(line), "Accept: %s", accept == NULL ? "application/json" : accept);
	h = curl_slist_append(h, line);
	for (const struct curl_slist *i = c->headers; h != NULL && i != NULL; i = i->next) {
		more = curl_slist_append(h, i->data);
		h = more == NULL ? h : more;
	}
	if (body && h != NULL)
		h = curl_slist_append(h, "Content-Type: application/json");
	return h == NULL ? NULL : curl_slist_append(h, "Expect:");
}

int ay_client_call(struct ay_client *c, const char *method, const char *path, json_t *body,
		   const char *accept, struct ay_answer *out)
{
	struct curl_slist *headers = ay_client_headers(c, accept, body != NULL);
	char *text = body == NULL ? NULL : json_dumps(body, JSON_COMPACT);
	char url[2048];
	int rc;

	*out = (struct ay_answer){ 0 };
	snprintf(url, sizeof(url), "%s/api/v1%s", c->settings.server, path);
	curl_easy_setopt(c->curl, CURLOPT_URL, url);
	curl_easy_setopt(c->curl, CURLOPT_CUSTOMREQUEST, method);
	curl_easy_setopt(c->curl, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(c->curl, CURLOPT_WRITEFUNCTION, take_body);
	curl_easy_setopt(c->curl, CURLOPT_WRITEDATA, out);
	curl_easy_setopt(c->curl, CURLOPT_HEADERFUNCTION, take_header);
	curl_easy_setopt(c->curl, CURLOPT_HEADERDATA, out);
	if (text != NULL) {
		curl_easy_setopt(c->curl, CURLOPT_POSTFIELDS, text);
		curl_easy_setopt(c->curl, CURLOPT_POSTFIELDSIZE, (long)strlen(text));
	} else if (strcmp(method, "POST") == 0) {
		curl_easy_setopt(c->curl, CURLOPT_POSTFIELDS, "");
		curl_easy_setopt(c->curl, CURLOPT_POSTFIELDSIZE, 0L);
	} else {
		curl_easy_setopt(c->curl, CURLOPT_HTTPGET, 1L);
		curl_easy_setopt(c->curl, CURLOPT_CUSTOMREQUEST, method);
	}
	rc = perform(c, url, out);
	curl_slist_free_all(headers);
	free(text);
	json_decref(body);
	if (rc != AY_EXIT_OK)
		ay_answer_fini(out);
	return rc;
}

/* ---- a request as it was written ---- */

struct sink {
	FILE *f;
	struct ay_answer a; /* the beginning of the body: what was refused is said on stderr too */
};

static size_t pass_body(char *p, size_t size, size_t n, void *arg)
{
	enum { KEPT = 65536 };
	struct sink *s = arg;

	if (s->a.n + size * n <= KEPT && take_body(p, size, n, &s->a) != size * n)
		return 0;
	return fwrite(p, size, n, s->f) == n && fflush(s->f) == 0 ? size * n : 0;
}

/* Is there one of this name among the user's? */
static bool has_header(const struct ay_raw *r, const char *name)
{
	size_t n = strlen(name);

	for (size_t i = 0; i < r->n_headers; i++)
		if (strncasecmp(r->header[i], name, n) == 0 && r->header[i][n] == ':')
			return true;
	return false;
}

static bool add_line(struct curl_slist **h, const char *line)
{
	struct curl_slist *more = curl_slist_append(*h, line);

	*h = more == NULL ? *h : more;
	return more != NULL;
}

/* Ours that the user did not give, and his. */
static struct curl_slist *raw_headers(const struct ay_client *c, const struct ay_raw *r)
{
	struct curl_slist *h = NULL;
	bool ok = add_line(&h, "Expect:");

	if (!has_header(r, "Content-Type"))
		ok = ok && add_line(&h, r->body == NULL ? "Content-Type:"
							: "Content-Type: application/json");
	for (const struct curl_slist *i = c->headers; ok && i != NULL; i = i->next) {
		char name[64];

		snprintf(name, sizeof(name), "%.*s", (int)strcspn(i->data, ":"), i->data);
		ok = has_header(r, name) || add_line(&h, i->data);
	}
	for (size_t i = 0; ok && i < r->n_headers; i++)
		ok = add_line(&h, r->header[i]);
	if (!ok) {
		curl_slist_free_all(h);
		return NULL;
	}
	return h;
}

static void set_raw(struct ay_client *c, const struct ay_raw *r, struct sink *s)
{
	curl_easy_setopt(c->curl, CURLOPT_PATH_AS_IS, 1L);
	curl_easy_setopt(c->curl, CURLOPT_TIMEOUT, 0L); /* streams have no end */
	curl_easy_setopt(c->curl, CURLOPT_WRITEFUNCTION, pass_body);
	curl_easy_setopt(c->curl, CURLOPT_WRITEDATA, s);
	if (r->body != NULL || strcmp(r->method, "POST") == 0) {
		curl_easy_setopt(c->curl, CURLOPT_POSTFIELDS, r->body == NULL ? "" : r->body);
		curl_easy_setopt(c->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)r->n_body);
	}
	if (strcmp(r->method, "HEAD") == 0)
		curl_easy_setopt(c->curl, CURLOPT_NOBODY, 1L);
	curl_easy_setopt(c->curl, CURLOPT_CUSTOMREQUEST, r->method);
}

int ay_client_raw(struct ay_client *c, const struct ay_raw *r, FILE *f)
{
	struct sink s = { .f = f };
	struct curl_slist *headers = raw_headers(c, r);
	char *url = NULL;
	int rc;

	if (headers == NULL || asprintf(&url, "%s%s", c->settings.server, r->path) < 0) {
		curl_slist_free_all(headers);
		return ay_cli_error(AY_EXIT_IO, "out of memory");
	}
	curl_easy_setopt(c->curl, CURLOPT_URL, url);
	curl_easy_setopt(c->curl, CURLOPT_HTTPHEADER, headers);
	set_raw(c, r, &s);
	rc = perform(c, url, &s.a);
	curl_slist_free_all(headers);
	free(url);
	ay_answer_fini(&s.a);
	return rc;
}

void ay_answer_fini(struct ay_answer *a)
{
	json_decref(a->json);
	free(a->type);
	free(a->body);
	*a = (struct ay_answer){ 0 };
}

/* One page appended to items; *next is the cursor of the following one, or NULL. */
static int take_page(struct ay_client *c, const char *path, json_t *items, char **next)
{
	struct ay_answer a;
	const char *cursor;
	int rc = ay_client_call(c, "GET", path, NULL, NULL, &a);

	if (rc != AY_EXIT_OK)
		return rc;
	json_array_extend(items, json_object_get(a.json, "items"));
	cursor = ay_answer_text(a.json, "next", NULL);
	*next = cursor == NULL ? NULL : strdup(cursor);
	ay_answer_fini(&a);
	return AY_EXIT_OK;
}

int ay_client_list(struct ay_client *c, const char *path, json_t **items)
{
	const char *mark = strchr(path, '?') == NULL ? "?" : "&";
	char page[1536], *next = NULL;
	int rc;

	*items = json_array();
	snprintf(page, sizeof(page), "%s", path);
	while ((rc = take_page(c, page, *items, &next)) == AY_EXIT_OK && next != NULL) {
		char *cursor = curl_easy_escape(c->curl, next, 0);

		snprintf(page, sizeof(page), "%s%scursor=%s", path, mark,
			 cursor == NULL ? "" : cursor);
		curl_free(cursor);
		free(next);
	}
	if (rc != AY_EXIT_OK) {
		json_decref(*items);
		*items = NULL;
	}
	return rc;
}

char *ay_client_path(const char *before, const char *segment, const char *after)
{
	char *escaped = curl_easy_escape(NULL, segment, 0);
	char *path = NULL;

	if (escaped == NULL || asprintf(&path, "%s%s%s", before, escaped, after) < 0)
		path = NULL;
	curl_free(escaped);
	return path;
}

int ay_cli_print_items(json_t *items)
{
	json_t *j = json_pack("{s:O, s:n}", "items", items, "next");
	int rc = j == NULL ? ay_cli_error(AY_EXIT_IO, "out of memory") : ay_cli_print_json(j);

	json_decref(j);
	return rc;
}

int ay_cli_print_json(const json_t *j)
{
	if (json_dumpf(j, stdout, JSON_INDENT(2) | JSON_ENCODE_ANY) != 0)
		return ay_cli_error(AY_EXIT_IO, "cannot write the output");
	putchar('\n');
	return AY_EXIT_OK;
}

const char *ay_answer_text(const json_t *j, const char *name, const char *other)
{
	const char *s = json_string_value(json_object_get(j, name));

	return s == NULL ? other : s;
}
