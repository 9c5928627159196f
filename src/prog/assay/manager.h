/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_ASSAY_MANAGER_H
#define AY_ASSAY_MANAGER_H

/* Options that commands about hosts and about their managers share. Exit status; the error is told.
 */
#include "prog/assay/cmd.h"

#include <jansson.h>

/* labels: {"k":"v"} from every --label k=v. */
int ay_cli_add_labels(const struct ay_args *args, json_t *body);
/* --tls-policy KIND, KIND=HEX or KIND=@FILE */
int ay_cli_add_tls_policy(const struct ay_args *args, json_t *body);
/* --secret-file FILE: its first line is `secret`, so that no process list shows it. */
int ay_cli_add_secret(const struct ay_args *args, json_t *body);

#endif
