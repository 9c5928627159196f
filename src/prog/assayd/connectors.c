/* SPDX-License-Identifier: Apache-2.0 */
#include "prog/assayd/connector.h"

extern const struct ay_connector ay_connector_vcenter;

const struct ay_connector *const ay_connectors[] = { &ay_connector_vcenter, NULL };

const struct ay_connector *ay_connector_find(enum ay_connstr_vendor v)
{
	for (size_t i = 0; ay_connectors[i] != NULL; i++)
		if (ay_connectors[i]->vendor == v)
			return ay_connectors[i];
	return NULL;
}
