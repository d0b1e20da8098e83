#include "cli/input.h"

#include "core/file.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static bool read_stdin(size_t most, struct buf *b, struct err *e)
{
	ssize_t n = 1;
	buf_init_secret(b, most);
	while (n) {
		char *at = buf_room(b, 64UL << 10);
		if (!at)
			return err_set(e, ERR_LIMIT, "standard input", "more than %zu MiB; give it in parts", most >> 20);
		n = read(STDIN_FILENO, at, 64UL << 10);
		if (n < 0 && errno != EINTR)
			return err_set(e, ERR_DISK, "standard input", "%s", strerror(errno));
		b->n += n > 0 ? (size_t)n : 0;
	}
	return true;
}

bool cli_read_input(const char *path, size_t most, struct buf *b, struct err *e)
{
	if (!path || strcmp(path, "-") == 0)
		return read_stdin(most, b, e);
	if (file_read(path, FILE_ANY, most, b, NULL, e))
		return true;
	e->code = ERR_USAGE; /* an argument that cannot be used, whatever is the matter with it */
	return false;
}
