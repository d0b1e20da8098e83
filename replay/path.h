/* A place in a JSON text: $.order.items[0].id, the $. may be left out. What is found is a part of the text itself, so that one value can be
 * replaced and every other byte stays. Keys are compared as they are written (an escape in one is not undone). Pure. */
#ifndef REPLAY_PATH_H
#define REPLAY_PATH_H

#include "core/buf.h"

#include <stdbool.h>

bool path_valid(const char *path, size_t n);
/* text: strict JSON (json_parse took it). value: with its quotes, when it is a string. False: nothing is there. */
bool path_find(struct span text, const char *path, size_t n, struct span *value);

#endif
