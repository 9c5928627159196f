/* SPDX-License-Identifier: Apache-2.0 */
#include "prog/assay/client_impl.h"

#include <string.h>

/* The server says something every 15 s: a stream silent for longer is dead. */
enum { SILENT_S = 60, PROBLEM_MAX = 16384 };

struct stream {
	struct ay_client *c;
	ay_stream_fn *fn;
	void *arg;
	const volatile int *stop;
	bool has_ended; /* by fn */
	size_t n;
	char problem[PROBLEM_MAX]; /* what came instead of a stream */
};

static size_t take(char *p, size_t size, size_t n, void *arg)
{
	struct stream *s = arg;
	long status = 0;

	n *= size;
	curl_easy_getinfo(s->c->curl, CURLINFO_RESPONSE_CODE, &status);
	if (status == 200) {
		s->has_ended = !s->fn(s->arg, (struct ay_bytes){ (const uint8_t *)p, n });
		return s->has_ended ? 0 : n;
	}
	if (n > sizeof(s->problem) - s->n)
		return 0;
	memcpy(s->problem + s->n, p, n);
	s->n += n;
	return n;
}

static int look(void *arg, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
	const struct stream *s = arg;

	(void)a;
	(void)b;
	(void)c;
	(void)d;
	return *s->stop;
}

static void set_options(struct stream *s, const char *url, struct curl_slist *headers)
{
	CURL *h = s->c->curl;

	s->c->why[0] = '\0';
	curl_easy_setopt(h, CURLOPT_URL, url);
	curl_easy_setopt(h, CURLOPT_HTTPGET, 1L);
	curl_easy_setopt(h, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(h, CURLOPT_TIMEOUT, 0L);
	curl_easy_setopt(h, CURLOPT_LOW_SPEED_LIMIT, 1L);
	curl_easy_setopt(h, CURLOPT_LOW_SPEED_TIME, (long)SILENT_S);
	curl_easy_setopt(h, CURLOPT_WRITEFUNCTION, take);
	curl_easy_setopt(h, CURLOPT_WRITEDATA, s);
	curl_easy_setopt(h, CURLOPT_XFERINFOFUNCTION, look);
	curl_easy_setopt(h, CURLOPT_XFERINFODATA, s);
	curl_easy_setopt(h, CURLOPT_NOPROGRESS, 0L);
}

static int said(struct stream *s, const char *url, CURLcode rc, long status)
{
	struct ay_answer a = { .status = status };
	int code;

	if (status == 0)
		return ay_cli_error(AY_EXIT_IO, "%s: %s", url,
				    s->c->why[0] ? s->c->why : curl_easy_strerror(rc));
	a.json = json_loadb(s->problem, s->n, JSON_REJECT_DUPLICATES, NULL);
	code = ay_client_refused(&a, url);
	json_decref(a.json);
	return code;
}

int ay_client_stream(struct ay_client *c, const char *path, uint64_t last_id, ay_stream_fn *fn,
		     void *arg, const volatile int *stop, bool is_said, long *status)
{
	struct curl_slist *headers = ay_client_headers(c, "text/event-stream", false), *more;
	struct stream s = { .c = c, .fn = fn, .arg = arg, .stop = stop };
	char url[2048], line[64];
	CURLcode rc;

	*status = 0;
	snprintf(url, sizeof(url), "%s/api/v1%s", c->settings.server, path);
	snprintf(line, sizeof(line), "Last-Event-ID: %llu", (unsigned long long)last_id);
	more = headers != NULL && last_id != 0 ? curl_slist_append(headers, line) : headers;
	if (more == NULL) {
		curl_slist_free_all(headers);
		return ay_cli_error(AY_EXIT_IO, "out of memory");
	}
	set_options(&s, url, more);
	rc = curl_easy_perform(c->curl);
	curl_easy_getinfo(c->curl, CURLINFO_RESPONSE_CODE, status);
	curl_slist_free_all(more);
	if (*status == 200 || *stop)
		return AY_EXIT_OK;
	if (!is_said && (*status == 0 || *status >= 500 || *status == 429))
		return AY_EXIT_IO;
	return said(&s, url, rc, *status);
}
