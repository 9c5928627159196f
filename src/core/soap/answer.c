/* SPDX-License-Identifier: Apache-2.0 */
#include "core/soap/operation.h"

#include "core/base/base64.h"
#include "core/soap/convert.h"
#include "core/soap/fault.h"

static void open_answer(struct ay_xml_text *t, enum ay_soap_version v, const struct ay_soap_op *op)
{
	ay_soap_body_open(t, v);
	ay_xt_format(t, "<%sResponse xmlns=\"" AY_NS_ASSAY "\">", op->name);
}

static void close_answer(struct ay_xml_text *t, const struct ay_soap_op *op)
{
	ay_xt_format(t, "</%sResponse>", op->name);
	ay_soap_body_close(t);
}

static void put_result(struct ay_xml_text *t, const struct ay_soap_op *op, const json_t *body,
		       const struct ay_soap_shapes *s)
{
	if (op->result != 0) {
		ay_xt_open(t, "result");
		ay_soap_from_json(t, body, &s->all.row[op->result], &s->all, op->keep);
		ay_xt_close(t, "result");
	}
	if ((op->answers & AY_SOAP_DOCUMENT) != 0) {
		const struct ay_member whole = { "document", AY_T_ANY, 0, AY_NEED_REQ, 0, "" };

		ay_soap_put_member(t, body, &whole, &s->all);
	}
}

/* What stands in the place of a result when it is not done yet; false: it is. */
static bool put_pending(struct ay_xml_text *t, const struct ay_soap_op *op, const json_t *body,
			const struct ay_soap_shapes *s)
{
	const struct ay_member location = { "location", AY_T_TEXT, 0, AY_NEED_REQ, 0, "" };
	const struct ay_member approval = { "approval", AY_T_REF, s->approval, AY_NEED_REQ, 0, "" };
	bool later = (op->answers & AY_SOAP_LATER) != 0 && json_object_size(body) == 1 &&
		     json_object_get(body, "location") != NULL;
	bool second = (op->answers & AY_SOAP_APPROVAL) != 0 && json_object_size(body) == 1 &&
		      json_object_get(body, "approval") != NULL;

	if (later)
		ay_soap_put_member(t, json_object_get(body, "location"), &location, &s->all);
	if (second)
		ay_soap_put_member(t, json_object_get(body, "approval"), &approval, &s->all);
	return later || second;
}

void ay_soap_answer(struct ay_xml_text *t, enum ay_soap_version v, const struct ay_soap_op *op,
		    const json_t *body, const struct ay_soap_shapes *s)
{
	open_answer(t, v, op);
	if (body != NULL && !put_pending(t, op, body, s))
		put_result(t, op, body, s);
	close_answer(t, op);
}

/* ---- content that is no JSON ---- */

static bool ends_with(struct ay_bytes b, const char *end)
{
	size_t n = strlen(end);

	return b.n >= n && memcmp(b.p + b.n - n, end, n) == 0;
}

static bool begins_with(struct ay_bytes b, const char *begin)
{
	size_t n = strlen(begin);

	return b.n >= n && memcmp(b.p, begin, n) == 0;
}

static struct ay_bytes without_declaration(struct ay_bytes xml)
{
	const uint8_t *end = begins_with(xml, "<?xml") ? memmem(xml.p, xml.n, "?>", 2) : NULL;

	return end == NULL ? xml : (struct ay_bytes){ end + 2, xml.n - (size_t)(end + 2 - xml.p) };
}

/* In pieces of a multiple of three octets, so that they are one text together. */
static void put_base64(struct ay_xml_text *t, struct ay_bytes b)
{
	enum { PIECE = 3 * 256 };
	char text[AY_BASE64_ROOM(PIECE)];

	for (size_t at = 0; at < b.n; at += PIECE) {
		size_t n = b.n - at < PIECE ? b.n - at : PIECE;

		ay_base64_encode(AY_BASE64_STD, (struct ay_bytes){ b.p + at, n }, text);
		ay_xt_put(t, text);
	}
}

static void put_content(struct ay_xml_text *t, struct ay_bytes media, struct ay_bytes content)
{
	if (ends_with(media, "+xml")) {
		ay_xt_open(t, "xml");
		ay_xt_put_bytes(t, without_declaration(content));
		ay_xt_close(t, "xml");
	} else if (begins_with(media, "text/") || ends_with(media, "+jwt") ||
		   ends_with(media, "+json")) {
		ay_xt_element(t, "text", content);
	} else {
		ay_xt_open(t, "data");
		put_base64(t, content);
		ay_xt_close(t, "data");
	}
}

void ay_soap_answer_content(struct ay_xml_text *t, enum ay_soap_version v,
			    const struct ay_soap_op *op, struct ay_bytes media,
			    struct ay_bytes content)
{
	open_answer(t, v, op);
	ay_xt_open(t, "result");
	ay_xt_element(t, "mediaType", media);
	put_content(t, media, content);
	ay_xt_close(t, "result");
	close_answer(t, op);
}
