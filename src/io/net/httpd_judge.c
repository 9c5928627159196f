/* SPDX-License-Identifier: Apache-2.0 */
/* Which requests are taken at all. */
#include "io/net/httpd_impl.h"

#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <string.h>
#include <strings.h>
#include <sys/queue.h>

enum { MAX_HEADERS = 100 };

static const char *const passed[] = { AY_API_HEADERS };

static bool is_passed(const char *name)
{
	for (size_t i = 0; i < AY_COUNT(passed); i++)
		if (strcasecmp(name, passed[i]) == 0)
			return true;
	return false;
}

/* ---- strictness: what evhttp lets through and a proxy in front might read otherwise ---- */

static bool is_digits(const char *s)
{
	return *s != 0 && strspn(s, "0123456789") == strlen(s);
}

bool ay_httpd_is_token(const char *s)
{
	static const char token[] = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

	return *s != 0 && strspn(s, token) == strlen(s);
}

/* Lists may be sent in parts [RFC9110 5.3]. */
static bool is_list(const char *name)
{
	return strcmp(name, "accept") == 0 || strcmp(name, "if-match") == 0 ||
	       strcmp(name, "if-none-match") == 0;
}

/* One of two would be judged by us, and perhaps the other by who stands before us. */
static const char *judge_passed(struct evhttp_request *req)
{
	for (size_t i = 0; i < AY_COUNT(passed); i++) {
		size_t n = 0;
		struct evkeyval *kv;

		TAILQ_FOREACH (kv, evhttp_request_get_input_headers(req), next)
			n += strcasecmp(kv->key, passed[i]) == 0;
		if (AY_CHECKED("HTTP_TWICE", n > 1 && !is_list(passed[i])))
			return "a header stands twice that may stand once";
	}
	return NULL;
}

/* NULL, or why the request is refused. 2.1 has no hook before the body: it is judged when whole. */
static const char *judge_headers(struct evhttp_request *req)
{
	int hosts = 0, lengths = 0;
	struct evkeyval *kv;

	TAILQ_FOREACH (kv, evhttp_request_get_input_headers(req), next) {
		hosts += strcasecmp(kv->key, "Host") == 0;
		if (AY_CHECKED("HTTP_HEADER_NAME", !ay_httpd_is_token(kv->key)))
			return "malformed header name";
		if (AY_CHECKED("HTTP_CHUNKED", strcasecmp(kv->key, "Transfer-Encoding") == 0))
			return "Transfer-Encoding is not accepted";
		if (strcasecmp(kv->key, "Content-Length") != 0)
			continue;
		lengths++;
		if (AY_CHECKED("HTTP_LENGTH", !is_digits(kv->value)))
			return "malformed Content-Length";
	}
	if (AY_CHECKED("HTTP_TWO_LENGTHS", lengths > 1))
		return "more than one Content-Length";
	if (AY_CHECKED("HTTP_HOST", hosts != 1))
		return "exactly one Host is needed";
	return judge_passed(req);
}

static const char *judge_target(struct evhttp_request *req)
{
	const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(req);
	const char *path = uri == NULL ? NULL : evhttp_uri_get_path(uri);

	if (path == NULL || path[0] != '/')
		return "the target must be a path";
	if (evhttp_uri_get_scheme(uri) != NULL || evhttp_uri_get_host(uri) != NULL)
		return "the target must be a path"; /* we are no proxy */
	return NULL;
}

/* evhttp reads twice what we take, so that we can say what was too much. */
static struct ay_httpd_wrong judge_size(struct evhttp_request *req)
{
	size_t octets = 0, n = 0;
	struct evkeyval *kv;

	TAILQ_FOREACH (kv, evhttp_request_get_input_headers(req), next) {
		n++;
		octets += strlen(kv->key) + strlen(kv->value) + 4;
		/* left out, it would be as if a condition or a credential had not been sent */
		if (AY_CHECKED("HTTP_HEADER_LONG",
			       is_passed(kv->key) && strlen(kv->value) > AY_API_MAX_HEADER))
			return (struct ay_httpd_wrong){ 431, "HTTP_HEADERS",
							"a header is too long" };
	}
	if (AY_CHECKED("HTTP_TARGET", strlen(evhttp_request_get_uri(req)) > AY_API_MAX_TARGET))
		return (struct ay_httpd_wrong){ 414, "HTTP_TARGET", "target too long" };
	if (AY_CHECKED("HTTP_HEADERS", n > MAX_HEADERS || octets > AY_MAX_API_HEADERS))
		return (struct ay_httpd_wrong){ 431, "HTTP_HEADERS",
						"too many headers, or too long" };
	return (struct ay_httpd_wrong){ 0, NULL, NULL };
}

struct ay_httpd_wrong ay_httpd_judge(struct evhttp_request *req)
{
	struct ay_httpd_wrong w = judge_size(req);

	if (w.text != NULL)
		return w;
	w = (struct ay_httpd_wrong){ 400, "HTTP_REQUEST", judge_headers(req) };
	if (w.text == NULL)
		w.text = judge_target(req);
	return w;
}
