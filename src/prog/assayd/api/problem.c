/* SPDX-License-Identifier: Apache-2.0 */
#include "prog/assayd/api/call.h"

static const char *title(int status)
{
	static const struct {
		int status;
		const char *title;
	} titles[] = {
		{ 400, "Bad Request" },
		{ 401, "Unauthorized" },
		{ 403, "Forbidden" },
		{ 404, "Not Found" },
		{ 405, "Method Not Allowed" },
		{ 406, "Not Acceptable" },
		{ 409, "Conflict" },
		{ 412, "Precondition Failed" },
		{ 413, "Content Too Large" },
		{ 415, "Unsupported Media Type" },
		{ 422, "Unprocessable Content" },
		{ 429, "Too Many Requests" },
		{ 503, "Service Unavailable" },
	};

	for (size_t i = 0; i < AY_COUNT(titles); i++)
		if (titles[i].status == status)
			return titles[i].title;
	return "Internal Server Error";
}

/* Peers never see the text of our own failures [style 5]; the log has it. */
static bool is_ours(enum ay_rc rc)
{
	return rc == AY_E_BUG || rc == AY_E_NOMEM;
}

json_t *ay_problem_json(int status, const struct ay_err *e)
{
	const char *code = e->code[0] != '\0' ? e->code : ay_rc_name(e->rc);
	const char *text = is_ours(e->rc) ? ay_rc_text(e->rc) : e->text;
	json_t *error = json_pack("{s:s, s:s?, s:o, s:s}", "code", code, "field",
				  is_ours(e->rc) ? NULL : e->where, "offset",
				  e->rc == AY_E_INPUT || e->rc == AY_E_LIMIT
					  ? json_integer((json_int_t)e->offset)
					  : json_null(),
				  "text", text);

	return json_pack("{s:s, s:s, s:i, s:s, s:o}", "type", "about:blank", "title", title(status),
			 "status", status, "detail", text, "error", error);
}
