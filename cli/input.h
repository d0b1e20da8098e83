/* What a command is given to work on: a file, or standard input. */
#ifndef CLI_INPUT_H
#define CLI_INPUT_H

#include "core/buf.h"
#include "core/err.h"

/* path NULL or "-": standard input. b is initialised here (as a secret); ERR_USAGE when the file cannot be used, ERR_LIMIT beyond `most` bytes. */
bool cli_read_input(const char *path, size_t most, struct buf *b, struct err *e);

#endif
