/* gzip, reading only (RFC 1951, 1952): SDKs compress large PutMetricData bodies. Small and strict rather than fast, so
 * that the embedded AWS needs no library of its own. */
#ifndef SIM_SIM_INFLATE_H
#define SIM_SIM_INFLATE_H

#include "core/buf.h"

#include <stdbool.h>

/* Appends; false on damage (the check sums are checked) or when out is full. */
bool sim_gunzip(struct span in, struct buf *out);

#endif
