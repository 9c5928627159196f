/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz/smoke.h"

#include "io/ipc/directory_msg.h"
#include "io/ipc/front_msg.h"
#include "io/ipc/keeper_msg.h"
#include "io/ipc/outgoing_msg.h"
#include "io/ipc/sign_msg.h"

/* First octet: which body; the rest as a taken-over peer could send it. */
int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	union {
		struct ay_front_ready front_ready;
		struct ay_conn_up conn_up;
		struct ay_dial dial;
		struct ay_api_request request;
		struct ay_api_reply reply;
		struct ay_signer_ready signer_ready;
		struct ay_sign_ticket ticket;
		struct ay_sign_head head;
		struct ay_refusal refusal;
		struct ay_ca_ready ca_ready;
		struct ay_outgoing outgoing;
		struct ay_outgoing_answer answer;
		struct ay_kept kept;
		struct ay_kept_mac mac;
		struct ay_api_cast cast;
		struct ay_directory_login login;
		struct ay_directory_answer person;
	} u;
	struct ay_bytes in = { p + 1, n - 1 };
	enum ay_rc rc = AY_E_INPUT;

	if (n == 0)
		return 0;
	switch (p[0]) {
	case 0:
		rc = ay_front_ready_parse(in, &u.front_ready, NULL);
		break;
	case 1:
		rc = ay_conn_up_parse(in, &u.conn_up, NULL);
		break;
	case 2:
		rc = ay_dial_parse(in, &u.dial, NULL);
		break;
	case 3:
		rc = ay_api_request_parse(in, &u.request, NULL);
		break;
	case 4:
		rc = ay_api_reply_parse(in, &u.reply, NULL);
		break;
	case 5:
		rc = ay_signer_ready_parse(in, &u.signer_ready, NULL);
		break;
	case 6:
		rc = ay_sign_ticket_parse(in, &u.ticket, NULL);
		break;
	case 7:
		rc = ay_sign_head_parse(in, &u.head, NULL);
		break;
	case 8:
		rc = ay_refusal_parse(in, &u.refusal, NULL);
		break;
	case 9:
		rc = ay_ca_ready_parse(in, &u.ca_ready, NULL);
		break;
	case 10:
		rc = ay_outgoing_parse(in, &u.outgoing, NULL);
		break;
	case 11:
		rc = ay_outgoing_answer_parse(in, &u.answer, NULL);
		break;
	case 12:
		rc = ay_kept_parse(in, &u.kept, NULL);
		break;
	case 13:
		rc = ay_kept_mac_parse(in, &u.mac, NULL);
		break;
	case 14:
		rc = ay_api_cast_parse(in, &u.cast, NULL);
		break;
	case 15:
		rc = ay_directory_login_parse(in, &u.login, NULL);
		break;
	case 16:
		rc = ay_directory_answer_parse(in, &u.person, NULL);
		break;
	default:
		break;
	}
	if (rc == AY_OK)
		AY_FUZZ_ACCEPT();
	return 0;
}
