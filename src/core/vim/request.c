/* SPDX-License-Identifier: Apache-2.0 */
#include "core/vim/request.h"

#include <stdlib.h>
#include <string.h>

static void begin(struct ay_xml_text *t, const char *operation, const char *type, const char *id)
{
	ay_xt_put(t,
		  "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		  "<soapenv:Envelope xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\" "
		  "xmlns:xsd=\"http://www.w3.org/2001/XMLSchema\" "
		  "xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\">"
		  "<soapenv:Body>");
	ay_xt_format(t, "<%s xmlns=\"urn:vim25\"><_this type=\"%s\">", operation, type);
	ay_xt_escape(t, ay_bytes_of(id));
	ay_xt_put(t, "</_this>");
}

static void end(struct ay_xml_text *t, const char *operation)
{
	ay_xt_close(t, operation);
	ay_xt_put(t, "</soapenv:Body></soapenv:Envelope>");
}

static void reference(struct ay_xml_text *t, const char *element, const char *type, const char *id)
{
	ay_xt_format(t, "<%s type=\"%s\">", element, type);
	ay_xt_escape(t, ay_bytes_of(id));
	ay_xt_close(t, element);
}

void ay_vim_content_ask(struct ay_xml_text *t)
{
	begin(t, "RetrieveServiceContent", "ServiceInstance", "ServiceInstance");
	end(t, "RetrieveServiceContent");
}

void ay_vim_login_ask(struct ay_xml_text *t, const struct ay_vim_content *c, struct ay_bytes user,
		      struct ay_bytes password)
{
	begin(t, "Login", "SessionManager", c->sessions);
	ay_xt_element(t, "userName", user);
	ay_xt_element(t, "password", password);
	end(t, "Login");
}

void ay_vim_logout_ask(struct ay_xml_text *t, const struct ay_vim_content *c)
{
	begin(t, "Logout", "SessionManager", c->sessions);
	end(t, "Logout");
}

void ay_vim_view_ask(struct ay_xml_text *t, const struct ay_vim_content *c)
{
	begin(t, "CreateContainerView", "ViewManager", c->views);
	reference(t, "container", "Folder", c->root);
	ay_xt_put(t, "<type>HostSystem</type><type>ComputeResource</type>"
		     "<recursive>true</recursive>");
	end(t, "CreateContainerView");
}

static void properties(struct ay_xml_text *t, const char *type, const char *const path[])
{
	ay_xt_format(t, "<propSet><type>%s</type><all>false</all>", type);
	for (size_t i = 0; path[i] != NULL; i++)
		ay_xt_format(t, "<pathSet>%s</pathSet>", path[i]);
	ay_xt_put(t, "</propSet>");
}

void ay_vim_inventory_ask(struct ay_xml_text *t, const struct ay_vim_content *c, const char *view,
			  unsigned max)
{
	static const char *const of_host[] = { "name", "parent", "hardware.systemInfo.uuid", NULL };
	static const char *const of_cluster[] = { "name", NULL };

	begin(t, "RetrievePropertiesEx", "PropertyCollector", c->collector);
	ay_xt_put(t, "<specSet>");
	properties(t, "HostSystem", of_host);
	properties(t, "ComputeResource", of_cluster);
	ay_xt_put(t, "<objectSet>");
	reference(t, "obj", "ContainerView", view);
	ay_xt_put(t, "<skip>true</skip><selectSet xsi:type=\"TraversalSpec\"><name>view</name>"
		     "<type>ContainerView</type><path>view</path><skip>false</skip></selectSet>"
		     "</objectSet></specSet>");
	ay_xt_format(t, "<options><maxObjects>%u</maxObjects></options>", max);
	end(t, "RetrievePropertiesEx");
}

void ay_vim_more_ask(struct ay_xml_text *t, const struct ay_vim_content *c, const char *token)
{
	begin(t, "ContinueRetrievePropertiesEx", "PropertyCollector", c->collector);
	ay_xt_element(t, "token", ay_bytes_of(token));
	end(t, "ContinueRetrievePropertiesEx");
}

bool ay_vim_has_attestation(const char *api_version)
{
	char *rest;
	long major = strtol(api_version, &rest, 10);

	return major > 6 || (major == 6 && *rest == '.' && strtol(rest + 1, NULL, 10) >= 7);
}

void ay_vim_host_ask(struct ay_xml_text *t, const struct ay_vim_content *c, const char *host)
{
	static const char *const all[] = { "hardware.systemInfo.uuid", "runtime.bootTime",
					   "runtime.connectionState",  "summary.config.product",
					   "summary.tpmAttestation",   NULL };
	static const char *const old[] = { "hardware.systemInfo.uuid", "runtime.bootTime",
					   "runtime.connectionState", "summary.config.product",
					   NULL };

	begin(t, "RetrievePropertiesEx", "PropertyCollector", c->collector);
	ay_xt_put(t, "<specSet>");
	properties(t, "HostSystem", ay_vim_has_attestation(c->api_version) ? all : old);
	ay_xt_put(t, "<objectSet>");
	reference(t, "obj", "HostSystem", host);
	ay_xt_put(t, "<skip>false</skip></objectSet></specSet><options></options>");
	end(t, "RetrievePropertiesEx");
}

void ay_vim_report_ask(struct ay_xml_text *t, const char *host)
{
	begin(t, "QueryTpmAttestationReport", "HostSystem", host);
	end(t, "QueryTpmAttestationReport");
}
