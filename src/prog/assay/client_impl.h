/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_PROG_ASSAY_CLIENT_IMPL_H
#define AY_PROG_ASSAY_CLIENT_IMPL_H

/* What client.c and client_stream.c share. */
#include "prog/assay/client.h"
#include "prog/assay/settings.h"

#include <curl/curl.h>

struct ay_client {
	CURL *curl;
	struct curl_slist *headers;
	struct ay_settings settings;
	bool quiet;
	char why[CURL_ERROR_SIZE];
};

/* Says what a failed call says: our error member, else the problem document's detail, else the
 * status. */
int ay_client_refused(const struct ay_answer *a, const char *what);
/* The caller's (curl_slist_free_all). NULL: out of memory. */
struct curl_slist *ay_client_headers(const struct ay_client *c, const char *accept, bool body);

#endif
