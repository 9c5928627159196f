/* SPDX-License-Identifier: Apache-2.0 */
/* Every command, in the order of the help. Adding one: a file, a declaration, a row. */
#include "prog/assay/commands.h"

const struct ay_cmd *const ay_commands[] = {
	&ay_cmd_host_add,
	&ay_cmd_host_list,
	&ay_cmd_host_show,
	&ay_cmd_host_attest,
	&ay_cmd_host_explain,
	&ay_cmd_host_acknowledge,
	&ay_cmd_host_remove,
	&ay_cmd_token_create,
	&ay_cmd_token_list,
	&ay_cmd_token_revoke,
	&ay_cmd_reference_learn,
	&ay_cmd_reference_compute,
	&ay_cmd_reference_list,
	&ay_cmd_reference_show,
	&ay_cmd_reference_activate,
	&ay_cmd_policy_list,
	&ay_cmd_policy_show,
	&ay_cmd_assertion_get,
	&ay_cmd_assertion_verify,
	&ay_cmd_ek_approve,
	&ay_cmd_eventlog,
	&ay_cmd_ima,
	&ay_cmd_quote,
	&ay_cmd_appraise,
	&ay_cmd_audit_verify,
	&ay_cmd_config_show,
	&ay_cmd_help,
	NULL,
};
