/* SPDX-License-Identifier: Apache-2.0 */
/* assay assertion verify FILE --cert PEM | --jwks FILE: is this statement signed by that key, and
 * does it hold now? */
#include "core/assertion/ear.h"
#include "core/assertion/saml.h"
#include "core/assertion/xml_init.h"
#include "core/base/timefmt.h"
#include "prog/assay/commands.h"
#include "prog/assay/offline.h"
#include "prog/assay/table.h"

#include <openssl/pem.h>
#include <stdlib.h>
#include <time.h>

/* Clocks of issuer and reader may differ so much. */
#define SKEW_MS 60000

static json_t *time_json(int64_t at_ms)
{
	char text[AY_TIME_ROOM];

	if (at_ms == 0)
		return json_null();
	ay_time_format(at_ms, text);
	return json_string(text);
}

/* Several values of one attribute become an array. */
static void add_value(json_t *o, const struct ay_saml_attribute *a)
{
	json_t *value = json_string(a->value), *old = json_object_get(o, a->name);

	if (old == NULL)
		json_object_set_new(o, a->name, value);
	else if (json_is_array(old))
		json_array_append_new(old, value);
	else
		json_object_set_new(o, a->name, json_pack("[O,o]", old, value));
}

static json_t *attributes_json(const struct ay_saml_facts *f, size_t from, size_t to)
{
	json_t *o = json_object();

	for (size_t i = 0; i < f->n_attributes; i++)
		if (f->attribute[i].statement >= from && f->attribute[i].statement < to)
			add_value(o, &f->attribute[i]);
	return o;
}

/* Of each statement its own: one for each host. */
static json_t *statements_json(const struct ay_saml_facts *f)
{
	json_t *list = json_array();

	for (size_t i = 0; i < f->n_statements; i++)
		json_array_append_new(list, attributes_json(f, i, i + 1));
	return list;
}

static json_t *facts_json(const struct ay_saml_facts *f)
{
	return json_pack("{s:s,s:s,s:s,s:s*,s:o,s:o,s:o,s:o,s:o,s:[]}", "verdict", "valid", "id",
			 f->id, "issuer", f->issuer, "subject", f->subject, "issued",
			 time_json(f->issued_ms), "not_before", time_json(f->not_before_ms),
			 "not_on_or_after", time_json(f->not_on_or_after_ms), "attributes",
			 attributes_json(f, 0, f->n_statements), "statements", statements_json(f),
			 "findings");
}

static int show_valid(const struct ay_cli *cli, const struct ay_saml_facts *f)
{
	static const char *const heads[] = { "ATTRIBUTE", "VALUE", NULL };
	struct ay_table t;
	char until[AY_TIME_ROOM] = "no end";

	if (cli->json)
		return ay_offline_print(facts_json(f), AY_EXIT_OK);
	if (f->not_on_or_after_ms != 0)
		ay_time_format(f->not_on_or_after_ms, until);
	printf("valid\nissuer   ");
	ay_cli_print_safe(stdout, ay_bytes_of(f->issuer));
	printf("\nsubject  ");
	ay_cli_print_safe(stdout, ay_bytes_of(f->subject ? f->subject : "-"));
	printf("\nuntil    %s\n\n", until);
	ay_table_init(&t, cli, heads);
	for (size_t i = 0; i < f->n_attributes; i++) {
		ay_table_add(&t, f->attribute[i].name);
		ay_table_add(&t, f->attribute[i].value);
	}
	ay_table_print(&t, stdout);
	return AY_EXIT_OK;
}

/* What could not even be parsed is a matter of the input; all else is an invalid assertion. */
static int show_invalid(const struct ay_cli *cli, const char *path, const struct ay_err *e)
{
	int code = memcmp(e->code, "XML_", 4) == 0 || strcmp(e->code, "JWT_SHAPE") == 0
			   ? AY_EXIT_USAGE
			   : AY_EXIT_FINDING;
	json_t *finding;

	(void)ay_cli_fault(code, path, e);
	if (!cli->json) {
		printf("invalid  %s\n", e->code[0] != '\0' ? e->code : ay_rc_name(e->rc));
		return code;
	}
	finding = json_pack("{s:s,s:s,s:s,s:s}", "code", e->code[0] ? e->code : ay_rc_name(e->rc),
			    "result", "fail", "component", "", "text", e->text);
	return ay_offline_print(json_pack("{s:s,s:o,s:[o]}", "verdict", "invalid", "error",
					  ay_offline_error(e), "findings", finding),
				code);
}

static int read_cert(const char *path, struct ay_bytes *der)
{
	uint8_t *text, *out = NULL;
	size_t n;
	int code = ay_cli_read_file(path, 1u << 20, &text, &n), n_der;
	BIO *bio = code == AY_EXIT_OK ? BIO_new_mem_buf(text, (int)n) : NULL;
	X509 *cert = bio == NULL ? NULL : PEM_read_bio_X509(bio, NULL, NULL, NULL);

	BIO_free(bio);
	free(text);
	if (code != AY_EXIT_OK)
		return code;
	n_der = cert == NULL ? -1 : i2d_X509(cert, &out);
	X509_free(cert);
	if (n_der <= 0)
		return ay_cli_error(AY_EXIT_USAGE, "%s: is no certificate in PEM", path);
	*der = (struct ay_bytes){ out, (size_t)n_der };
	return AY_EXIT_OK;
}

static int read_expect(const struct ay_args *args, struct ay_saml_expect *want)
{
	const char *at = ay_args_opt(args, "at", 0);
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	*want = (struct ay_saml_expect){ .now_ms = now.tv_sec * 1000 + now.tv_nsec / 1000000,
					 .skew_ms = SKEW_MS,
					 .audience = ay_args_opt(args, "audience", 0),
					 .issuer = ay_args_opt(args, "issuer", 0),
					 .nonce = ay_args_opt(args, "nonce", 0),
					 .allow_legacy = ay_args_has(args, "legacy") };
	if (at != NULL && ay_time_parse(ay_bytes_of(at), "at", &want->now_ms, NULL) != AY_OK)
		return ay_cli_error(AY_EXIT_USAGE, "--at %s: is no time like 2026-01-31T12:00:00Z",
				    at);
	return AY_EXIT_OK;
}

/* ---- JWT ---- */

static int show_ear(const struct ay_cli *cli, json_t *claims)
{
	static const char *const heads[] = { "CLAIM", "VALUE", NULL };
	struct ay_table t;
	const char *name;
	json_t *v;

	if (cli->json)
		return ay_offline_print(json_pack("{s:s,s:o,s:[]}", "verdict", "valid", "claims",
						  claims, "findings"),
					AY_EXIT_OK);
	printf("valid\n\n");
	ay_table_init(&t, cli, heads);
	json_object_foreach (claims, name, v) {
		char *text = json_dumps(v, JSON_ENCODE_ANY | JSON_COMPACT);

		ay_table_add(&t, name);
		ay_table_add(&t, text != NULL ? text : "");
		free(text);
	}
	ay_table_print(&t, stdout);
	json_decref(claims);
	return AY_EXIT_OK;
}

static int read_jwks(const char *path, struct ay_jwks *keys)
{
	struct ay_err e = { 0 };
	uint8_t *text;
	size_t n;
	int code = ay_cli_read_file(path, 1u << 20, &text, &n);

	if (code != AY_EXIT_OK)
		return code;
	if (ay_jwks_parse((struct ay_bytes){ text, n }, keys, &e) != AY_OK)
		code = ay_cli_fault(AY_EXIT_USAGE, path, &e);
	free(text);
	return code;
}

static int verify_ear(const struct ay_cli *cli, const struct ay_args *args,
		      const struct ay_saml_expect *saml)
{
	struct ay_jwks keys;
	struct ay_ear_expect want = { .keys = &keys,
				      .now_ms = saml->now_ms,
				      .skew_ms = saml->skew_ms,
				      .audience = saml->audience,
				      .issuer = saml->issuer,
				      .nonce = saml->nonce };
	struct ay_err e = { 0 };
	json_t *claims;
	uint8_t *p;
	size_t n;
	int code = read_jwks(ay_args_opt(args, "jwks", 0), &keys);

	if (code == AY_EXIT_OK)
		code = ay_cli_read_file(args->pos[0], 64u << 20, &p, &n);
	if (code != AY_EXIT_OK)
		return code;
	if (ay_ear_verify((struct ay_bytes){ p, n }, &want, &claims, &e) == AY_OK)
		code = show_ear(cli, claims);
	else
		code = show_invalid(cli, args->pos[0], &e);
	free(p);
	return code;
}

/* ---- SAML ---- */

static int verify(const struct ay_cli *cli, const struct ay_args *args,
		  const struct ay_saml_expect *want)
{
	struct ay_saml_facts facts;
	struct ay_arena arena;
	struct ay_err e = { 0 };
	uint8_t *p;
	size_t n;
	int code = ay_cli_read_file(args->pos[0], 64u << 20, &p, &n);

	if (code != AY_EXIT_OK)
		return code;
	ay_arena_init(&arena, AY_MAX_ARENA_BYTES);
	if (ay_saml_verify((struct ay_bytes){ p, n }, want, &arena, &facts, &e) == AY_OK)
		code = show_valid(cli, &facts);
	else
		code = show_invalid(cli, args->pos[0], &e);
	ay_arena_fini(&arena);
	free(p);
	return code;
}

static int run_verify(struct ay_cli *cli, const struct ay_args *args)
{
	struct ay_saml_expect want;
	struct ay_err e = { 0 };
	int code = read_expect(args, &want);

	if (code != AY_EXIT_OK)
		return code;
	if ((ay_args_opt(args, "cert", 0) != NULL) == (ay_args_opt(args, "jwks", 0) != NULL))
		return ay_cli_error(AY_EXIT_USAGE,
				    "--cert PEM (SAML) or --jwks FILE (EAR) is needed");
	if (ay_args_opt(args, "jwks", 0) != NULL)
		return verify_ear(cli, args, &want);
	code = read_cert(ay_args_opt(args, "cert", 0), &want.cert);
	if (code != AY_EXIT_OK)
		return code;
	if (ay_xml_init(&e) != AY_OK)
		return ay_cli_fault(AY_EXIT_IO, "xml", &e);
	code = verify(cli, args, &want);
	ay_xml_fini();
	OPENSSL_free((void *)(uintptr_t)want.cert.p);
	return code;
}

static const struct ay_opt opts[] = {
	{ "cert", "PEM", "SAML: the signing certificate, or a CA above it" },
	{ "jwks", "FILE", "EAR: the server's keys, from /api/v1/jwks" },
	{ "audience", "URI", "the assertion must be for this audience" },
	{ "issuer", "URI", "the assertion must be of this issuer" },
	{ "nonce", "TEXT", "the assertion must answer this nonce" },
	{ "at", "TIME", "verify as of this time instead of now" },
	{ "legacy", NULL, "accept what CIT issues: SHA-1, no Conditions, constant IDs" },
	{ 0 },
};

const struct ay_cmd ay_cmd_assertion_verify = {
	.noun = "assertion",
	.verb = "verify",
	.args = "FILE",
	.min_pos = 1,
	.max_pos = 1,
	.opts = opts,
	.doc = "Verify a SAML assertion against a certificate, or an EAR against a JWK set, "
	       "offline",
	.run = run_verify,
};
