#include "cli/out.h"

#include "cli/args.h"
#include "core/mem.h"
#include "core/text.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MOST (256UL << 20)
#define FLUSH_AT (64UL << 10)

void out_init(struct out *o)
{
	*o = (struct out){ .fd = STDOUT_FILENO, .tty = isatty(STDOUT_FILENO) };
	buf_init(&o->b, MOST);
}

static void write_all(struct out *o, const char *p, size_t n)
{
	while (n && !o->error) {
		ssize_t done = write(o->fd, p, n);
		if (done >= 0) {
			p += done;
			n -= (size_t)done;
		} else if (errno == EAGAIN) {
			poll(&(struct pollfd){ .fd = o->fd, .events = POLLOUT }, 1, -1);
		} else if (errno != EINTR) {
			o->error = errno;
		}
	}
}

static void flush(struct out *o)
{
	if (buf_full(&o->b))
		o->error = EFBIG;
	write_all(o, o->b.p, o->b.n);
	buf_reset(&o->b);
}

static void flush_some(struct out *o)
{
	if (o->b.n >= FLUSH_AT || buf_full(&o->b))
		flush(o);
}

void out_own(struct out *o, const char *own)
{
	buf_adds(&o->b, own);
	flush_some(o);
}

void out_ownf(struct out *o, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	char *text = NULL;
	int n = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (n < 0) {
		o->error = ENOMEM;
		return;
	}
	out_own(o, text);
	free(text);
}

void out_text(struct out *o, const char *any)
{
	text_visible(&o->b, span_of(any));
	flush_some(o);
}

void out_csv(struct out *o, const char *any)
{
	struct buf cell;
	buf_init(&cell, MOST);
	if (!text_visible(&cell, span_of(any)))
		o->error = EFBIG;
	const char *s = cell.p ? cell.p : "";
	bool formula = *s && strchr("=+-@", *s);
	bool quote = s[strcspn(s, ",\"\r\n")] || *s == ' ' || (cell.n && s[cell.n - 1] == ' ');
	buf_adds(&o->b, quote ? "\"" : "");
	buf_adds(&o->b, formula ? "'" : "");
	for (; *s; s++)
		buf_add(&o->b, *s == '"' ? "\"\"" : s, *s == '"' ? 2 : 1);
	buf_adds(&o->b, quote ? "\"" : "");
	buf_clear(&cell);
	flush_some(o);
}

static bool file_failed(struct err *e, const char *path)
{
	return err_set(e, ERR_DISK, path, "%s", strerror(errno));
}

/* A symbolic link stays one: what it points at is replaced. */
static bool open_temp(struct out *o, const char *path, mode_t mode, struct err *e)
{
	char *real = realpath(path, NULL);
	o->path = real ? real : xstrdup(path);
	o->temp = xasprintf("%s.XXXXXX", o->path);
	o->fd = mkostemp(o->temp, O_CLOEXEC);
	if (o->fd < 0) {
		file_failed(e, path);
		free(o->temp);
		o->temp = NULL;
		return false;
	}
	return mode == 0600 || fchmod(o->fd, mode) == 0 || file_failed(e, path);
}

/* What somebody else has put in the result's place: a link would have his choice of our files replaced, a pipe would have him
 * read along. A regular file is only a name that is taken over, whoever's it is. */
static const char *planted(const char *path)
{
	struct stat st;
	if (lstat(path, &st) != 0 || S_ISREG(st.st_mode) || st.st_uid == 0 || st.st_uid == geteuid())
		return NULL;
	return S_ISLNK(st.st_mode) ? "is another user's symbolic link" : "is another user's, and no regular file";
}

bool out_init_file(struct out *o, const char *path, mode_t mode, struct err *e)
{
	struct stat st;
	*o = (struct out){ .fd = -1 };
	buf_init(&o->b, MOST);
	const char *why = planted(path);
	bool there = !why && stat(path, &st) == 0;
	bool ok;
	if (why) {
		ok = err_set(e, ERR_DISK, path, "%s", why);
	} else if (there && S_ISDIR(st.st_mode)) {
		errno = EISDIR;
		ok = file_failed(e, path);
	} else if (there && !S_ISREG(st.st_mode)) {
		o->fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
		ok = o->fd >= 0 || file_failed(e, path);
	} else {
		ok = open_temp(o, path, there && st.st_uid == geteuid() ? st.st_mode & 0777 : mode, e);
	}
	if (!ok)
		out_drop(o);
	return ok;
}

void out_drop(struct out *o)
{
	if (o->fd > STDERR_FILENO)
		close(o->fd);
	if (o->temp)
		unlink(o->temp);
	free(o->temp);
	free(o->path);
	buf_clear(&o->b);
	*o = (struct out){ .fd = -1 };
}

static bool settle_file(struct out *o)
{
	if (fsync(o->fd) != 0 || rename(o->temp, o->path) != 0)
		return false;
	free(o->temp);
	o->temp = NULL;
	return true;
}

int out_end(struct out *o, const struct cli *c, int status)
{
	struct err e = { 0 };
	flush(o);
	if (!o->error && o->temp && !settle_file(o))
		o->error = errno;
	if (o->error == EPIPE)
		status = 141; /* as the signal would have ended it; whoever reads has seen enough */
	else if (o->error) {
		err_set(&e, ERR_DISK, o->path ? o->path : "standard output", "%s", strerror(o->error));
		status = cli_fail(c, &e);
	}
	out_drop(o);
	return status;
}
