/* gzip: SDKs compress large PutMetricData bodies; a fault compresses answers. */
#ifndef SIM_SIM_GZIP_H
#define SIM_SIM_GZIP_H

#include "core/buf.h"

#include <stdbool.h>

/* Appends one whole gzip member; false on damage (the check sums are checked), on anything after it, or when out is full. */
bool sim_gunzip(struct span in, struct buf *out);
bool sim_gzip(struct span in, struct buf *out); /* false when out is full: then it holds nothing of use */

#endif
