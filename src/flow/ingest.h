/*
 * ingest.h: POST /ingest/{integration}: map, seal, fold, receipt.
 *
 * On the reactor, before the writer: the payload is mapped, its blind values
 * are computed and it is sealed whole, so that the writer has only rows to
 * write.
 */
#ifndef FLOW_INGEST_H
#define FLOW_INGEST_H

#include "flow/call.h"

err ingest_prepare(struct call *c) MUST_USE;

#endif
