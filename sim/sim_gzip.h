/* gzip, reading only: SDKs compress large PutMetricData bodies. */
#ifndef SIM_SIM_GZIP_H
#define SIM_SIM_GZIP_H

#include "core/buf.h"

#include <stdbool.h>

/* Appends one whole gzip member; false on damage (the check sums are checked), on anything after it, or when out is full. */
bool sim_gunzip(struct span in, struct buf *out);

#endif
