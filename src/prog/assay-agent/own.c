/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "io/tpmdev/tpm12.h"
#include "prog/assay-agent/orders.h"

struct ay_tpmdev_conf ay_agent_tpm_conf(const struct ay_agent *a)
{
	return (struct ay_tpmdev_conf){ .tcti = a->tcti,
					.owner_secret = ay_config_str(a->conf, "owner_secret"),
					.srk_secret = ay_config_str(a->conf, "srk_secret"),
					.guard_path = a->guard_path };
}

static bool is_allowed(const struct ay_agent *a)
{
	char word[64];

	for (size_t i = 0; ay_config_word(a->conf, "allow", i, word, sizeof(word)); i++)
		if (strcmp(word, "take-ownership") == 0)
			return true;
	return false;
}

static enum ay_rc own(const struct ay_tpmdev_ops *ops, struct ay_tpmdev *d, struct ay_err *e)
{
	enum ay_rc rc = ops->open(d, e);

	if (rc != AY_OK)
		return rc;
	rc = ay_tpm12_take_ownership(d, e);
	ops->close(d);
	return rc;
}

enum ay_rc ay_agent_own_order(const struct ay_order_env *env, const struct ay_order *o,
			      struct ay_bytes args, struct ay_bytes *result, struct ay_err *e)
{
	(void)o, (void)args;
	*result = (struct ay_bytes){ 0 };
	if (env->ops != &ay_tpmdev_tpm12)
		return ay_fail_code(e, AY_E_DENIED, "ORDER_UNKNOWN", "order",
				    "only a TPM 1.2 has to be owned");
	return ay_err_coded(e, own(env->ops, env->dev, e), "AGENT_TPM");
}

static enum ay_rc own_here(const struct ay_agent *a, struct ay_err *e)
{
	const struct ay_tpmdev_conf conf = ay_agent_tpm_conf(a);
	struct ay_tpmdev *d;
	enum ay_rc rc = a->tpm->make(&conf, &d, e);

	if (rc != AY_OK)
		return rc;
	rc = own(a->tpm, d, e);
	a->tpm->free(d);
	return rc;
}

int ay_agent_own(const struct ay_agent *a)
{
	struct ay_err e;
	enum ay_rc rc;

	if (a->tpm != &ay_tpmdev_tpm12) {
		fputs("take-ownership: only a TPM 1.2 has to be owned; `tcti` names a TPM 2.0\n",
		      stderr);
		return AY_EXIT_USAGE;
	}
	if (!is_allowed(a)) {
		fputs("NOT_ALLOWED: the configuration needs allow = take-ownership\n", stderr);
		return AY_EXIT_REFUSED;
	}
	rc = own_here(a, &e);
	if (rc != AY_OK) {
		fprintf(stderr, "%s: %s\n", rc == AY_E_EXISTS ? "OWNED" : "AGENT_TPM", e.text);
		return rc == AY_E_EXISTS ? AY_EXIT_REFUSED : AY_EXIT_IO;
	}
	puts("the TPM has an owner now");
	return AY_EXIT_OK;
}
