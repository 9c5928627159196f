/* SPDX-License-Identifier: Apache-2.0 */
#include "prog/assayd/api/credential.h"

#include <arpa/inet.h>
#include <string.h>

void ay_network_of(struct ay_bytes peer, uint8_t out[8])
{
	char text[64] = "";
	uint8_t addr[16];
	size_t n = peer.n;

	memset(out, 0, 8);
	while (n > 0 && peer.p[n - 1] != ':')
		n--;
	if (n < 2 || n - 1 >= sizeof(text))
		return;
	memcpy(text, peer.p, n - 1);
	text[n - 1] = '\0';
	if (inet_pton(AF_INET, text, addr) == 1) {
		out[0] = 4;
		memcpy(out + 1, addr, 3);
		return;
	}
	n = strlen(text);
	if (n < 2 || text[0] != '[' || text[n - 1] != ']')
		return;
	text[n - 1] = '\0';
	if (inet_pton(AF_INET6, text + 1, addr) != 1)
		return;
	out[0] = 6;
	memcpy(out + 1, addr, 7);
}
