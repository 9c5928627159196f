/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_NET_FRAME_H
#define AY_NET_FRAME_H

/*
 * Frames of the agent channel (docs/protocol/agent-channel.md): the head and
 * the rules of channel.def. Pure: no socket, no clock.
 */
#include "core/base/bytes.h"
#include "core/base/err.h"
#include "core/base/limits.h"

#define AY_FRAME_HEAD 12
#define AY_FRAME_MORE 0x01 /* flag: the body goes on in the next frame */

enum ay_frame_type {
#define X(name, number, sender, bound, max, doc) AY_FRAME_##name = (number),
#include "io/net/channel.def"
#undef X
};

/* Who speaks. Has nothing to do with who dialled. */
enum ay_channel_role { AY_ROLE_SERVER = 1, AY_ROLE_AGENT = 2 };

struct ay_frame_head {
	uint32_t length; /* of the body */
	uint8_t type;	 /* enum ay_frame_type */
	uint8_t flags;
	uint32_t req;
};

struct ay_frame {
	uint8_t type;
	uint8_t flags;
	uint32_t req;
	struct ay_bytes body;
};

/*
 * What one side knows about the frames it gets. Zeroed is the state after the
 * handshake; sender is set by the owner.
 */
struct ay_frame_rules {
	enum ay_channel_role sender; /* the peer's role */
	bool judges_bound;	     /* this side knows whether the connection is bound (front) */
	bool is_bound;
	bool is_hello_done;
	uint8_t more_type; /* 0, or a body of this type goes on ... */
	uint32_t more_req; /* ... with this request id ... */
	uint64_t more_sum; /* ... after so many octets */
};

/* in: AY_FRAME_HEAD octets. AY_E_INPUT: the reserved field is not zero. */
AY_MUST_USE enum ay_rc ay_frame_head_parse(struct ay_bytes in, struct ay_frame_head *out,
					   struct ay_err *e);
void ay_frame_head_build(const struct ay_frame_head *h, uint8_t out[AY_FRAME_HEAD]);

/*
 * May this frame come now? Judged by its head alone, so that nothing is stored
 * of a body that is not permitted, and then the state moves on. AY_E_INPUT with
 * code PEER_PROTOCOL: the connection ends (design 6: no verdict changes).
 */
AY_MUST_USE enum ay_rc ay_frame_check(struct ay_frame_rules *r, const struct ay_frame_head *h,
				      struct ay_err *e);

/* "EVIDENCE"; "?" for an unknown number. */
const char *ay_frame_name(uint8_t type);
/* Largest body of one frame of this type; 0 for an unknown one. */
uint32_t ay_frame_max(uint8_t type);

#endif
