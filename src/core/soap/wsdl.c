/* SPDX-License-Identifier: Apache-2.0 */
#include "core/soap/operation.h"

#include "core/xml/names.h"

#define NS_WSDL "http://schemas.xmlsoap.org/wsdl/"
#define TRANSPORT "http://schemas.xmlsoap.org/soap/http"

static void put_messages(struct ay_xml_text *t, const char *name)
{
	ay_xt_format(t,
		     "<wsdl:message name=\"%sIn\"><wsdl:part name=\"parameters\" "
		     "element=\"a:%s\"/></wsdl:message>\n",
		     name, name);
	ay_xt_format(t,
		     "<wsdl:message name=\"%sOut\"><wsdl:part name=\"parameters\" "
		     "element=\"a:%sResponse\"/></wsdl:message>\n",
		     name, name);
}

static void put_port_type(struct ay_xml_text *t, const struct ay_soap_op *ops, size_t n)
{
	ay_xt_put(t, "<wsdl:portType name=\"Assay\">\n");
	for (size_t i = 0; i < n; i++) {
		ay_xt_format(t, "<wsdl:operation name=\"%s\"><wsdl:documentation>", ops[i].name);
		ay_xt_escape(t, ay_bytes_of(ops[i].doc));
		ay_xt_format(t,
			     "</wsdl:documentation><wsdl:input message=\"a:%sIn\"/>"
			     "<wsdl:output message=\"a:%sOut\"/>"
			     "<wsdl:fault name=\"error\" message=\"a:Error\"/></wsdl:operation>\n",
			     ops[i].name, ops[i].name);
	}
	ay_xt_put(t, "</wsdl:portType>\n");
}

/* p: the prefix of the binding's namespace. */
static void put_binding(struct ay_xml_text *t, const struct ay_soap_op *ops, size_t n,
			const char *name, const char *p)
{
	ay_xt_format(t,
		     "<wsdl:binding name=\"%s\" type=\"a:Assay\">"
		     "<%s:binding style=\"document\" transport=\"" TRANSPORT "\"/>\n",
		     name, p);
	for (size_t i = 0; i < n; i++) {
		ay_xt_format(t,
			     "<wsdl:operation name=\"%s\"><%s:operation style=\"document\" "
			     "soapAction=\"" AY_NS_ASSAY "#%s\"/>",
			     ops[i].name, p, ops[i].name);
		ay_xt_format(t,
			     "<wsdl:input><%s:body use=\"literal\"/></wsdl:input>"
			     "<wsdl:output><%s:body use=\"literal\"/></wsdl:output>"
			     "<wsdl:fault name=\"error\"><%s:fault name=\"error\" use=\"literal\"/>"
			     "</wsdl:fault></wsdl:operation>\n",
			     p, p, p);
	}
	ay_xt_put(t, "</wsdl:binding>\n");
}

static void put_port(struct ay_xml_text *t, const char *binding, const char *p,
		     struct ay_bytes address)
{
	ay_xt_format(t, "<wsdl:port name=\"%s\" binding=\"a:%s\"><%s:address location=\"", binding,
		     binding, p);
	ay_xt_escape(t, address);
	ay_xt_put(t, "\"/></wsdl:port>\n");
}

void ay_soap_wsdl(struct ay_xml_text *t, const struct ay_soap_op *ops, size_t n,
		  struct ay_bytes address)
{
	ay_xt_put(t, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		     "<wsdl:definitions xmlns:wsdl=\"" NS_WSDL "\" xmlns:soap=\"" NS_WSDL
		     "soap/\" xmlns:soap12=\"" NS_WSDL "soap12/\" xmlns:xs=\"" AY_NS_XS
		     "\" xmlns:a=\"" AY_NS_ASSAY "\" name=\"Assay\" targetNamespace=\"" AY_NS_ASSAY
		     "\">\n<wsdl:types><xs:schema><xs:import namespace=\"" AY_NS_ASSAY
		     "\" schemaLocation=\"");
	ay_xt_escape(t, address);
	ay_xt_put(t, "?xsd=assay\"/></xs:schema></wsdl:types>\n");
	for (size_t i = 0; i < n; i++)
		put_messages(t, ops[i].name);
	ay_xt_put(t, "<wsdl:message name=\"Error\"><wsdl:part name=\"error\" element=\"a:error\"/>"
		     "</wsdl:message>\n");
	put_port_type(t, ops, n);
	put_binding(t, ops, n, "AssaySoap11", "soap");
	put_binding(t, ops, n, "AssaySoap12", "soap12");
	ay_xt_put(t, "<wsdl:service name=\"AssayService\">\n");
	put_port(t, "AssaySoap11", "soap", address);
	put_port(t, "AssaySoap12", "soap12", address);
	ay_xt_put(t, "</wsdl:service>\n</wsdl:definitions>\n");
}
