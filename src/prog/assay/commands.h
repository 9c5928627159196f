/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_PROG_ASSAY_COMMANDS_H
#define AY_PROG_ASSAY_COMMANDS_H

#include "prog/assay/cmd.h"

extern const struct ay_cmd ay_cmd_host_add;
extern const struct ay_cmd ay_cmd_host_list;
extern const struct ay_cmd ay_cmd_host_show;
extern const struct ay_cmd ay_cmd_host_attest;
extern const struct ay_cmd ay_cmd_host_explain;
extern const struct ay_cmd ay_cmd_host_receipt;
extern const struct ay_cmd ay_cmd_host_reports;
extern const struct ay_cmd ay_cmd_host_diff;
extern const struct ay_cmd ay_cmd_host_find;
extern const struct ay_cmd ay_cmd_host_acknowledge;
extern const struct ay_cmd ay_cmd_host_remove;
extern const struct ay_cmd ay_cmd_token_create;
extern const struct ay_cmd ay_cmd_token_list;
extern const struct ay_cmd ay_cmd_token_revoke;
extern const struct ay_cmd ay_cmd_reference_learn;
extern const struct ay_cmd ay_cmd_reference_compute;
extern const struct ay_cmd ay_cmd_reference_list;
extern const struct ay_cmd ay_cmd_reference_show;
extern const struct ay_cmd ay_cmd_reference_whatif;
extern const struct ay_cmd ay_cmd_reference_activate;
extern const struct ay_cmd ay_cmd_reference_supersede;
extern const struct ay_cmd ay_cmd_reference_revoke;
extern const struct ay_cmd ay_cmd_reference_diff;
extern const struct ay_cmd ay_cmd_reference_export;
extern const struct ay_cmd ay_cmd_reference_import;
extern const struct ay_cmd ay_cmd_approval_list;
extern const struct ay_cmd ay_cmd_approval_show;
extern const struct ay_cmd ay_cmd_approval_approve;
extern const struct ay_cmd ay_cmd_approval_deny;
extern const struct ay_cmd ay_cmd_user_list;
extern const struct ay_cmd ay_cmd_user_add;
extern const struct ay_cmd ay_cmd_user_disable;
extern const struct ay_cmd ay_cmd_user_enable;
extern const struct ay_cmd ay_cmd_user_token;
extern const struct ay_cmd ay_cmd_user_passwd;
extern const struct ay_cmd ay_cmd_user_grant;
extern const struct ay_cmd ay_cmd_user_revoke;
extern const struct ay_cmd ay_cmd_user_remove;
extern const struct ay_cmd ay_cmd_user_totp_off;
extern const struct ay_cmd ay_cmd_user_end_sessions;
extern const struct ay_cmd ay_cmd_user_break_glass;
extern const struct ay_cmd ay_cmd_role_list;
extern const struct ay_cmd ay_cmd_role_add;
extern const struct ay_cmd ay_cmd_role_change;
extern const struct ay_cmd ay_cmd_role_remove;
extern const struct ay_cmd ay_cmd_login;
extern const struct ay_cmd ay_cmd_logout;
extern const struct ay_cmd ay_cmd_whoami;
extern const struct ay_cmd ay_cmd_passwd;
extern const struct ay_cmd ay_cmd_totp_add;
extern const struct ay_cmd ay_cmd_totp_confirm;
extern const struct ay_cmd ay_cmd_totp_end;
extern const struct ay_cmd ay_cmd_session_list;
extern const struct ay_cmd ay_cmd_session_end;
extern const struct ay_cmd ay_cmd_policy_list;
extern const struct ay_cmd ay_cmd_policy_show;
extern const struct ay_cmd ay_cmd_policy_set;
extern const struct ay_cmd ay_cmd_policy_lint;
extern const struct ay_cmd ay_cmd_policy_whatif;
extern const struct ay_cmd ay_cmd_policy_activate;
extern const struct ay_cmd ay_cmd_policy_revoke;
extern const struct ay_cmd ay_cmd_policy_attach;
extern const struct ay_cmd ay_cmd_policy_detach;
extern const struct ay_cmd ay_cmd_policy_attachments;
extern const struct ay_cmd ay_cmd_assertion_get;
extern const struct ay_cmd ay_cmd_assertion_verify;
extern const struct ay_cmd ay_cmd_ek_approve;
extern const struct ay_cmd ay_cmd_appraise;
extern const struct ay_cmd ay_cmd_recheck;
extern const struct ay_cmd ay_cmd_eventlog;
extern const struct ay_cmd ay_cmd_ima;
extern const struct ay_cmd ay_cmd_quote;
extern const struct ay_cmd ay_cmd_audit_list;
extern const struct ay_cmd ay_cmd_audit_export;
extern const struct ay_cmd ay_cmd_audit_head;
extern const struct ay_cmd ay_cmd_audit_proof;
extern const struct ay_cmd ay_cmd_audit_verify;
extern const struct ay_cmd ay_cmd_config_show;
extern const struct ay_cmd ay_cmd_key_list;
extern const struct ay_cmd ay_cmd_help;

#endif
