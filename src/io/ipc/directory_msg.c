/* SPDX-License-Identifier: Apache-2.0 */
#include "io/ipc/directory_msg.h"

#include "core/base/json.h"
#include "core/base/limits.h"

#include <assert.h>

void ay_directory_login_build(struct ay_writer *w, const struct ay_directory_login *l)
{
	ay_wr_be32(w, l->deadline_ms);
	ay_wr_vec8(w, l->name);
	ay_wr_vec16(w, l->password);
}

static void check_login(struct ay_reader *r, const struct ay_directory_login *v)
{
	char key[AY_MAX_NAME_BYTES + 1];
	struct ay_err e = { 0 };

	if (!ay_rd_ok(r))
		return;
	if (v->deadline_ms == 0 || v->deadline_ms > AY_MAX_OUTGOING_MS)
		ay_rd_limit(r, "login.deadline", v->deadline_ms, AY_MAX_OUTGOING_MS);
	else if (ay_directory_name_check(v->name, key, &e) != AY_OK)
		ay_rd_reject(r, "login.name", "%s", e.text);
	else if (ay_directory_password_check(v->password, &e) != AY_OK)
		ay_rd_reject(r, "login.password", "%s", e.text);
}

enum ay_rc ay_directory_login_parse(struct ay_bytes in, struct ay_directory_login *out,
				    struct ay_err *e)
{
	struct ay_directory_login v = { 0 };
	struct ay_reader r;
	enum ay_rc rc;

	ay_rd_init(&r, in);
	v.deadline_ms = ay_rd_be32(&r, "login.deadline");
	v.name = ay_rd_vec8(&r, "login.name", AY_MAX_NAME_BYTES);
	v.password = ay_rd_vec16(&r, "login.password", AY_MAX_PASSWORD_BYTES);
	check_login(&r, &v);
	rc = ay_rd_end(&r, "login", e);
	*out = rc == AY_OK ? v : (struct ay_directory_login){ 0 };
	return rc;
}

void ay_directory_answer_build(struct ay_writer *w, const struct ay_directory_answer *a)
{
	ay_wr_u8(w, a->right);
	if (!a->right)
		return;
	assert(a->n_groups <= AY_GROUP_ROWS);
	ay_wr_vec16(w, ay_bytes_of(a->person.subject));
	ay_wr_vec8(w, ay_bytes_of(a->person.name));
	ay_wr_vec8(w, ay_bytes_of(a->person.display));
	ay_wr_u8(w, (uint8_t)a->n_groups);
	for (size_t i = 0; i < a->n_groups; i++)
		ay_wr_vec8(w, a->group[i]);
}

static bool take(struct ay_bytes b, char *out)
{
	if (b.n > 0)
		memcpy(out, b.p, b.n);
	return b.n == 0 || memchr(b.p, 0, b.n) == NULL;
}

/* Printable, and "ATTRIBUTE VALUE": courier may have been taken over. */
static bool is_subject(const char *s)
{
	for (const char *p = s; *p != '\0'; p++)
		if (*p < ' ' || *p > '~')
			return false;
	return strchr(s, ' ') > s && strchr(s, ' ')[1] != '\0';
}

static void read_person(struct ay_reader *r, struct ay_directory_person *p)
{
	struct ay_bytes subject = ay_rd_vec16(r, "answer.subject", sizeof(p->subject) - 1);
	struct ay_bytes name = ay_rd_vec8(r, "answer.name", AY_MAX_NAME_BYTES);
	struct ay_bytes display = ay_rd_vec8(r, "answer.display", AY_MAX_NAME_BYTES);

	if (!ay_rd_ok(r))
		return;
	if (!take(subject, p->subject) || !is_subject(p->subject))
		ay_rd_reject(r, "answer.subject", "names nobody");
	else if (!take(name, p->name) || (name.n > 0 && !ay_json_is_name(p->name)))
		ay_rd_reject(r, "answer.name", "not a name");
	else if (!take(display, p->display))
		ay_rd_reject(r, "answer.display", "not a text");
}

enum ay_rc ay_directory_answer_parse(struct ay_bytes in, struct ay_directory_answer *out,
				     struct ay_err *e)
{
	struct ay_directory_answer v = { 0 };
	struct ay_reader r;
	uint8_t right;
	enum ay_rc rc;

	ay_rd_init(&r, in);
	right = ay_rd_u8(&r, "answer.right");
	v.right = right == 1;
	if (right > 1)
		ay_rd_reject(&r, "answer.right", "%u", right);
	if (v.right) {
		read_person(&r, &v.person);
		v.n_groups = ay_rd_u8(&r, "answer.groups");
		if (v.n_groups > AY_GROUP_ROWS)
			ay_rd_limit(&r, "answer.groups", v.n_groups, AY_GROUP_ROWS);
	}
	for (size_t i = 0; i < v.n_groups && ay_rd_ok(&r); i++)
		v.group[i] = ay_rd_vec8(&r, "answer.group", AY_GROUP_TEXT - 1);
	rc = ay_rd_end(&r, "answer", e);
	*out = rc == AY_OK ? v : (struct ay_directory_answer){ 0 };
	return rc;
}
