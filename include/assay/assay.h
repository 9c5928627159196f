/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ASSAY_ASSAY_H
#define ASSAY_ASSAY_H

/*
 * libassay, the embeddable verifier: everything that decides, and nothing that
 * touches the world. Bytes, time and random go in as arguments; findings,
 * reports and documents come out. The headers below are the contract.
 *
 *   quotes       core/appraise/appraise.h, core/tpm/quote.h, core/crypto/key.h
 *   logs         core/evlog/tcg.h, core/evlog/replay.h, core/evlog/ima_replay.h
 *   verdicts     core/appraise/{reference,policy,state,offline,report,report_json}.h
 *   statements   core/assertion/saml.h (after ay_xml_init())
 *
 * Build with `pkg-config --cflags --libs assay`. Until 1.0 functions may change
 * between minor versions.
 */
#include "core/appraise/offline.h"
#include "core/appraise/policy.h"
#include "core/appraise/reference.h"
#include "core/appraise/report_json.h"
#include "core/assertion/saml.h"
#include "core/crypto/key.h"
#include "core/evlog/replay.h"
#include "core/evlog/tcg.h"

#endif
