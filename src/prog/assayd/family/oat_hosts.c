/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /AttestationService/resources/hosts: registered here, not enrolled
 * (facts/mtwilson.md 2.3).
 */
#include "core/base/connstr.h"
#include "prog/assayd/family/args.h"
#include "prog/assayd/family/mle.h"
#include "prog/assayd/family/register.h"

enum {
	HOST,
	ADDRESS,
	BIOS_NAME,
	BIOS_VERSION,
	BIOS_OEM,
	VMM_NAME,
	VMM_VERSION,
	VMM_OS,
	VMM_OS_VERSION,
	EMAIL,
	CONNECTION,
	DESCRIPTION,
	N_FIELDS
};

static const struct ay_family_arg_rule host_rules[N_FIELDS + 1] = {
	[HOST] = { "HostName", 50, 128, true, true },
	[ADDRESS] = { "IPAddress", 50, 255, false, false },
	[BIOS_NAME] = { "BIOS_Name", 50, 255, true, true },
	[BIOS_VERSION] = { "BIOS_Version", 100, 255, true, true },
	[BIOS_OEM] = { "BIOS_Oem", 50, 255, true, true },
	[VMM_NAME] = { "VMM_Name", 50, 255, true, true },
	[VMM_VERSION] = { "VMM_Version", 100, 255, true, true },
	[VMM_OS] = { "VMM_OSName", 50, 255, true, true },
	[VMM_OS_VERSION] = { "VMM_OSVersion", 50, 255, true, true },
	[EMAIL] = { "Email", 100, 255, false, false },
	[CONNECTION] = { "AddOn_Connection_String", 100, 1024, false, false },
	[DESCRIPTION] = { "Description", 100, 1024, false, false },
	[N_FIELDS] = { 0 },
};

static void end_change(struct ay_api_call *c, enum ay_rc rc, const struct ay_err *e,
		       const char *what, const char *which)
{
	if (ay_api_refused(c, rc, e))
		return;
	if (ay_api_audit(c, what, ay_bytes_of(which), json_object()))
		ay_family_done(c);
}

/* ---- the two MLEs ---- */

static enum ay_rc find_mles(struct ay_api_call *c, const char *const v[N_FIELDS], json_t *body,
			    struct ay_err *e)
{
	struct ay_mle_key bios = { .name = v[BIOS_NAME],
				   .version = v[BIOS_VERSION],
				   .oem = v[BIOS_OEM] };
	struct ay_mle_key vmm = { .name = v[VMM_NAME],
				  .version = v[VMM_VERSION],
				  .os = v[VMM_OS],
				  .os_version = v[VMM_OS_VERSION] };
	const json_t *b = ay_mle_find(c->api, &bios), *m = ay_mle_find(c->api, &vmm);

	if (b == NULL || m == NULL)
		return ay_fail_code(e, AY_E_NOENT, "MLE_INCORRECT",
				    b == NULL ? "BIOS_Name" : "VMM_Name",
				    "%s, or its version, is incorrect: there is no such MLE",
				    b == NULL ? "BIOS_Name" : "VMM_Name");
	json_object_set(body, "bios_mle", json_object_get(b, "id"));
	json_object_set(body, "vmm_mle", json_object_get(m, "id"));
	return AY_OK;
}

/* ---- how it is reached ---- */

/* What can be reached today; connect: HOST:PORT, or empty. The text is kept without password. */
static enum ay_rc take_connection(const char *text, json_t *body, char connect[300],
				  struct ay_err *e)
{
	char safe[AY_CONNSTR_TEXT];
	struct ay_connstr s;
	enum ay_rc rc;

	connect[0] = '\0';
	if (text[0] == '\0')
		return AY_OK;
	rc = ay_connstr_parse(ay_bytes_of(text), &s, e);
	if (rc != AY_OK)
		return ay_err_coded(e, rc, "BAD_CONNECTION");
	ay_connstr_format(&s, safe);
	json_object_set_new(body, "connection", json_string(safe));
	if ((s.vendor == AY_CONNSTR_INTEL || s.vendor == AY_CONNSTR_PLAIN) && !s.is_nats) {
		if (s.port != 0)
			snprintf(connect, 300, "%.*s:%u", (int)s.host.n, (const char *)s.host.p,
				 s.port);
		return AY_OK;
	}
	json_object_set_new(body, "not_offered", json_true());
	return AY_OK;
}

/* Its host is registered all the same, and stays unknown. */
static enum ay_rc say_not_offered(const json_t *body, struct ay_err *e)
{
	if (!json_is_true(json_object_get(body, "not_offered")))
		return AY_OK;
	return ay_fail_code(e, AY_E_INPUT, "NOT_OFFERED", "AddOn_Connection_String",
			    "the host is registered and stays unknown: only intel:https:// and "
			    "HOST:PORT can be reached yet");
}

/* OAT wants each address once; empty ones are many. */
static enum ay_rc check_address(struct ay_api_call *c, const char *address,
				const struct ay_host *own, struct ay_err *e)
{
	json_t *all = (json_t *)(uintptr_t)ay_objects(c->api, "host"), *h;
	const char *key;

	json_object_foreach (all, key, h) {
		const char *ip = json_string_value(json_object_get(h, "ip"));
		const struct ay_host *other;

		if (address[0] == '\0' || ip == NULL || strcmp(ip, address) != 0)
			continue;
		other = ay_engine_host_find(c->api->engine, ay_bytes_of(key));
		if (other != NULL && other != own)
			return ay_fail_code(e, AY_E_EXISTS, "ADDRESS_EXISTS", "IPAddress",
					    "another host has this address");
	}
	return AY_OK;
}

static json_t *body_of(struct ay_api_call *c, const char *const v[N_FIELDS])
{
	json_t *o = json_pack("{s:s, s:s, s:s}", "ip", v[ADDRESS], "email", v[EMAIL], "description",
			      v[DESCRIPTION]);
	json_t *port = json_object_get(c->body, "Port");

	if (json_is_integer(port))
		json_object_set(o, "port", port);
	return o;
}

/* ---- register, edit, remove ---- */

static enum ay_rc read_host(struct ay_api_call *c, const char *v[N_FIELDS + 1], json_t **body,
			    char connect[300], struct ay_err *e)
{
	enum ay_rc rc = ay_family_args(c, host_rules, v, e);

	if (rc != AY_OK)
		return rc;
	*body = body_of(c, v);
	if (*body == NULL)
		return ay_fail(e, AY_E_NOMEM, "host", 0, "out of memory");
	rc = take_connection(v[CONNECTION], *body, connect, e);
	return rc == AY_OK ? find_mles(c, v, *body, e) : rc;
}

static enum ay_rc add_host(struct ay_api_call *c, const char *name, const char *connect,
			   const struct ay_host **out, struct ay_err *e)
{
	struct ay_host_spec spec = { .name = ay_bytes_of(name), .connect = ay_bytes_of(connect) };
	enum ay_rc rc = ay_engine_host_add(c->api->engine, &spec, out, e);

	return rc != AY_E_EXISTS ? rc
				 : ay_fail_code(e, AY_E_EXISTS, "HOST_EXISTS", "HostName",
						"a host of this name is registered already");
}

void ay_oat_host_add(struct ay_api_call *c)
{
	const char *v[N_FIELDS + 1] = { "" };
	const struct ay_host *h = NULL;
	char connect[300] = "";
	struct ay_err e = { 0 };
	json_t *body = NULL;
	enum ay_rc rc = read_host(c, v, &body, connect, &e);

	if (rc == AY_OK)
		rc = check_address(c, v[ADDRESS], NULL, &e);
	if (rc == AY_OK)
		rc = add_host(c, v[HOST], connect, &h, &e);
	if (rc == AY_OK)
		rc = ay_family_host_keep(c->api, h, json_incref(body), &e);
	if (rc == AY_OK)
		rc = say_not_offered(body, &e);
	json_decref(body);
	end_change(c, rc, &e, "HOST_ADD", rc == AY_OK ? v[HOST] : "");
}

static const struct ay_host *host_of(struct ay_api_call *c, const char *name, struct ay_err *e)
{
	const struct ay_host *h = name == NULL ? NULL : ay_api_host_find(c, ay_bytes_of(name));

	if (h == NULL) {
		ay_err_set(e, AY_E_NOENT, "HostName", 0, "host %.100s not found",
			   name == NULL ? "" : name);
		ay_err_code(e, "HOST_NOT_FOUND");
	}
	return h;
}

void ay_oat_host_edit(struct ay_api_call *c)
{
	const char *v[N_FIELDS + 1] = { "" };
	const struct ay_host *h = NULL;
	char connect[300] = "";
	struct ay_bytes to;
	struct ay_host_patch patch = { .connect = &to };
	struct ay_err e = { 0 };
	json_t *body = NULL;
	enum ay_rc rc = read_host(c, v, &body, connect, &e);

	if (rc == AY_OK && (h = host_of(c, v[HOST], &e)) == NULL)
		rc = e.rc;
	if (rc == AY_OK)
		rc = check_address(c, v[ADDRESS], h, &e);
	to = ay_bytes_of(connect);
	if (rc == AY_OK && connect[0] != '\0')
		rc = ay_engine_host_patch(c->api->engine, h, &patch, &e);
	if (rc == AY_OK)
		rc = ay_family_host_keep(c->api, h, json_incref(body), &e);
	if (rc == AY_OK)
		rc = say_not_offered(body, &e);
	json_decref(body);
	end_change(c, rc, &e, "HOST_EDIT", rc == AY_OK ? v[HOST] : "");
}

void ay_oat_host_remove(struct ay_api_call *c)
{
	const char *name = ay_family_arg(c, "hostName");
	struct ay_err e = { 0 };
	const struct ay_host *h = host_of(c, name, &e);
	enum ay_rc rc = h == NULL ? e.rc : ay_family_retire(c, h, &e);

	end_change(c, rc, &e, "HOST_REMOVE", rc == AY_OK ? name : "");
}

/* ---- lists ---- */

static const char *text(const json_t *o, const char *name)
{
	const char *s = json_string_value(json_object_get(o, name));

	return s == NULL ? "" : s;
}

/* TxtHostRecord */
static json_t *record_json(const struct ay_api *a, const struct ay_host *h)
{
	const json_t *own = ay_family_host(a, h);
	const json_t *bios = ay_mle_by_id(a, text(own, "bios_mle"));
	const json_t *vmm = ay_mle_by_id(a, text(own, "vmm_mle"));
	json_t *o =
		json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "HostName", h->name,
			  "IPAddress", text(own, "ip"), "BIOS_Name", text(bios, "name"),
			  "BIOS_Version", text(bios, "version"), "BIOS_Oem", text(bios, "oem"),
			  "VMM_Name", text(vmm, "name"), "VMM_Version", text(vmm, "version"),
			  "VMM_OSName", text(vmm, "os"), "VMM_OSVersion", text(vmm, "os_version"));
	json_t *port = json_object_get(own, "port");

	json_object_set_new(o, "Port", port == NULL ? json_integer(0) : json_incref(port));
	json_object_set_new(o, "Email", json_string(text(own, "email")));
	json_object_set_new(o, "Description", json_string(text(own, "description")));
	json_object_set_new(o, "AddOn_Connection_String", json_string(text(own, "connection")));
	json_object_set_new(o, "Location", json_string(text(own, "location")));
	return o;
}

void ay_oat_host_list(struct ay_api_call *c)
{
	const char *search = ay_family_arg(c, "searchCriteria");
	bool with_id = ay_family_arg(c, "includeHardwareUuid") != NULL &&
		       strcasecmp(ay_family_arg(c, "includeHardwareUuid"), "true") == 0;
	json_t *list = json_array();
	const struct ay_host *h;
	size_t at = 0;

	while ((h = ay_api_host_next(c, &at)) != NULL) {
		char id[AY_UUID_TEXT];
		json_t *o;

		if (search != NULL && strstr(h->name, search) == NULL)
			continue;
		o = record_json(c->api, h);
		ay_uuid_format(&h->id, id);
		if (with_id)
			json_object_set_new(o, "Hardware_Uuid", json_string(id));
		json_array_append_new(list, o);
	}
	ay_family_document(c, 200, "hosts", list);
}

void ay_oat_location_show(struct ay_api_call *c)
{
	struct ay_err e = { 0 };
	const struct ay_host *h = host_of(c, ay_family_arg(c, "hostName"), &e);

	if (h == NULL)
		ay_api_problem(c, &e);
	else
		ay_family_document(c, 200, "host_location",
				   json_pack("{s:s}", "location",
					     text(ay_family_host(c->api, h), "location")));
}

void ay_oat_location_set(struct ay_api_call *c)
{
	static const struct ay_family_arg_rule rules[] = { { "hostName", 50, 128, true, true },
							   { "location", 100, 200, true, false },
							   { 0 } };
	const char *v[AY_COUNT(rules)] = { "" };
	const struct ay_host *h = NULL;
	struct ay_err e = { 0 };
	json_t *body;
	enum ay_rc rc = ay_family_args(c, rules, v, &e);

	if (rc == AY_OK && (h = host_of(c, v[0], &e)) == NULL)
		rc = e.rc;
	if (rc == AY_OK) {
		body = json_deep_copy(ay_family_host(c->api, h));
		body = body != NULL ? body : json_object();
		json_object_set_new(body, "location", json_string(v[1]));
		rc = ay_family_host_keep(c->api, h, body, &e);
	}
	end_change(c, rc, &e, "HOST_LOCATION", rc == AY_OK ? v[0] : "");
}
