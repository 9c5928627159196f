/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz/smoke.h"

#include "io/net/agent_msg.h"

/* First octet: the type; the rest: its body, as the server would send it. */
int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	union {
		struct ay_chan_welcome welcome;
		struct ay_chan_provision provision;
		struct ay_chan_ca_challenge ca_challenge;
		struct ay_chan_ca_cert ca_cert;
		struct ay_chan_enrolled enrolled;
		struct ay_chan_challenge challenge;
		struct ay_chan_result result;
		struct ay_chan_fail fail;
		struct ay_chan_pin_change pin_change;
		struct ay_chan_pin_state pin_state;
	} u;
	struct ay_bytes in = { p + 1, n - 1 };
	enum ay_rc rc = AY_E_INPUT;

	if (n == 0)
		return 0;
	switch (p[0]) {
	case AY_FRAME_WELCOME:
		rc = ay_chan_welcome_parse(in, &u.welcome, NULL);
		break;
	case AY_FRAME_PROVISION:
		rc = ay_chan_provision_parse(in, &u.provision, NULL);
		break;
	case AY_FRAME_CA_CHALLENGE:
		rc = ay_chan_ca_challenge_parse(in, &u.ca_challenge, NULL);
		break;
	case AY_FRAME_CA_CERT:
		rc = ay_chan_ca_cert_parse(in, &u.ca_cert, NULL);
		break;
	case AY_FRAME_ENROLLED:
		rc = ay_chan_enrolled_parse(in, &u.enrolled, NULL);
		break;
	case AY_FRAME_CHALLENGE:
		rc = ay_chan_challenge_parse(in, &u.challenge, NULL);
		break;
	case AY_FRAME_RESULT:
		rc = ay_chan_result_parse(in, &u.result, NULL);
		break;
	case AY_FRAME_PIN_CHANGE:
		rc = ay_chan_pin_change_parse(in, &u.pin_change, NULL);
		break;
	case AY_FRAME_PIN_STATE:
		rc = ay_chan_pin_state_parse(in, &u.pin_state, NULL);
		break;
	case AY_FRAME_FAIL:
		rc = ay_chan_fail_parse(in, &u.fail, NULL);
		break;
	default:
		break;
	}
	if (rc == AY_OK)
		AY_FUZZ_ACCEPT();
	return 0;
}
