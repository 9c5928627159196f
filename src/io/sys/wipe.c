/* SPDX-License-Identifier: Apache-2.0 */
#include "io/sys/wipe.h"

#include <jansson.h>
#include <malloc.h>
#include <openssl/crypto.h>
#include <stdlib.h>

void ay_wipe_block(void *p)
{
	if (p != NULL)
		OPENSSL_cleanse(p, malloc_usable_size(p));
}

void ay_wipe_free(void *p)
{
	ay_wipe_block(p);
	free(p);
}

void ay_wipe_json(void)
{
	json_set_alloc_funcs(malloc, ay_wipe_free);
}
