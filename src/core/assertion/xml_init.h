/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_ASSERTION_XML_INIT_H
#define AY_ASSERTION_XML_INIT_H

/*
 * libxml2 and libxmlsec1 keep tables of their own, filled once in a process.
 * A program that makes or verifies assertions calls ay_xml_init() at its start,
 * before threads and before its sandbox, and ay_xml_fini() at its end.
 */
#include "core/base/err.h"

AY_MUST_USE enum ay_rc ay_xml_init(struct ay_err *e);
void ay_xml_fini(void);

#endif
