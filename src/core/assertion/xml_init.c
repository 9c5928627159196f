/* SPDX-License-Identifier: Apache-2.0 */
#include "core/assertion/xml_init.h"

#include <libxml/parser.h>
#include <xmlsec/crypto.h>
#include <xmlsec/errors.h>
#include <xmlsec/xmlsec.h>

/* Faults come back as return codes; the library's own lines would go to stderr. */
static void be_silent(const char *file, int line, const char *func, const char *object,
		      const char *subject, int reason, const char *msg)
{
	(void)file;
	(void)line;
	(void)func;
	(void)object;
	(void)subject;
	(void)reason;
	(void)msg;
}

static void drop_xml_error(void *ctx, const char *msg, ...)
{
	(void)ctx;
	(void)msg;
}

enum ay_rc ay_xml_init(struct ay_err *e)
{
	xmlInitParser();
	xmlSetGenericErrorFunc(NULL, drop_xml_error);
	if (xmlSecInit() < 0)
		return ay_fail(e, AY_E_CRYPTO, "xmlsec", 0, "cannot start");
	xmlSecErrorsSetCallback(be_silent);
	if (xmlSecCryptoAppInit(NULL) < 0 || xmlSecCryptoInit() < 0)
		return ay_fail(e, AY_E_CRYPTO, "xmlsec", 0, "cannot start its crypto");
	return AY_OK;
}

void ay_xml_fini(void)
{
	xmlSecCryptoShutdown();
	xmlSecCryptoAppShutdown();
	xmlSecShutdown();
	xmlCleanupParser();
}
