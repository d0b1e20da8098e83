/* A private folder that goes when the process goes, however it ends: a small child holds the reading end of a pipe and
 * removes the folder when the writing end is gone. Open it before there are threads. */
#ifndef CLI_SCRATCH_H
#define CLI_SCRATCH_H

#include "core/err.h"

#include <stdbool.h>

struct scratch { char *path; int pipe, pid; };
bool scratch_open(struct scratch *s, struct err *e);   /* below $TMPDIR, else /tmp; 0700 */
void scratch_close(struct scratch *s);                 /* waits until the folder is gone; fine when never opened (zeroed) */

#endif
