#include "aws/cred/token_file.h"

#include "core/clock.h"
#include "core/hash.h"
#include "core/ini.h"
#include "core/mem.h"
#include "core/scan.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TORN_MS 100 /* whoever writes the file in place has it whole by then */

static void drop(struct buf *b)
{
	if (b->p)
		hash_wipe(b->p, b->n);
	buf_clear(b);
}

/* ---- reading */

static struct json *read_once(const char *path, struct buf *raw, struct err *e)
{
	if (!ini_read_file(path, raw, e))
		return NULL;
	struct json *doc = json_parse(buf_span(raw), NULL);
	if (json_is_object(doc))
		return doc;
	json_free(doc);
	err_set(e, ERR_BADREPLY, path, "is no JSON object");
	return NULL;
}

struct json *token_file_read(const struct fetch *f, const char *path, struct buf *raw, struct err *e)
{
	struct buf own, *to = raw ? raw : &own;
	err_clear(e);
	struct json *doc = read_once(path, to, e);
	struct err why = { 0 };
	if (!doc && e->code == ERR_BADREPLY && fetch_sleep(f, TORN_MS, &why)) {
		drop(to);
		doc = read_once(path, to, e);
	}
	if (doc)
		err_clear(e);
	if (!raw)
		drop(&own);
	return doc;
}

bool token_file_time(const char *text, int64_t *t)
{
	char iso[64];
	int64_t ms;
	size_t n = text ? strlen(text) : 0;
	if (!n || n >= sizeof iso)
		return false;
	memcpy(iso, text, n + 1);
	if (n > 3 && strcmp(iso + n - 3, "UTC") == 0)
		iso[n -= 2, n - 1] = 'Z';
	if (!clock_parse_rfc3339(iso, n, &ms))
		return false;
	*t = ms / 1000;
	return true;
}

/* ---- writing */

static bool write_all(int fd, struct span text)
{
	while (text.n) {
		ssize_t n = write(fd, text.p, text.n);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return false;
		text.p += n;
		text.n -= (size_t)n;
	}
	return true;
}

bool token_file_write(const char *path, struct span text, struct err *e)
{
	char *temporary = xasprintf("%s.XXXXXX", path);
	int fd = mkostemp(temporary, O_CLOEXEC); /* 0600 */
	bool ok = fd >= 0 && write_all(fd, text) && fsync(fd) == 0;
	int why = errno;
	if (fd >= 0 && close(fd) != 0 && ok)
		ok = false, why = errno;
	if (ok && rename(temporary, path) != 0)
		ok = false, why = errno;
	if (!ok && fd >= 0)
		unlink(temporary);
	free(temporary);
	return ok || err_set(e, ERR_DISK, path, "cannot be written: %s", strerror(why));
}

/* Is the key just read one of news? */
static bool is_new(struct scan *s, const struct json *news)
{
	struct buf key;
	buf_init(&key, 4096);
	bool found = scan_string(s, &key) && key.p && json_get(news, key.p);
	buf_clear(&key);
	return found;
}

static bool copy_others(struct buf *out, struct span raw, const struct json *news)
{
	struct scan s;
	scan_init(&s, raw);
	bool ok = scan_valid(raw, NULL) && scan_next(&s) == SCAN_OBJECT;
	while (ok && scan_next(&s) == SCAN_KEY) {
		struct span key = s.text;
		bool replaced = is_new(&s, news);
		const char *from = key.p + key.n + 1; /* after its quote */
		ok = scan_skip(&s);
		while (ok && from < s.p && strchr(" \t\r\n:", *from))
			from++;
		if (ok && !replaced)
			ok = buf_adds(out, ",\"") && buf_addspan(out, key) && buf_adds(out, "\":") &&
			     buf_add(out, from, (size_t)(s.p - from));
	}
	return ok;
}

bool token_file_merge(struct buf *out, struct span raw, struct span news)
{
	struct json *doc = json_parse(news, NULL);
	bool ok = json_is_object(doc) && news.n > 2 && buf_add(out, news.p, news.n - 1) && copy_others(out, raw, doc) &&
	          buf_addc(out, '}');
	json_free(doc);
	return ok && scan_valid(buf_span(out), NULL);
}

/* ---- saying it */

bool token_file_login(const char *where, const char *why, const char *command, const char *name, struct err *e)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.,:/@%+=-";
	bool quote = !*name || name[strspn(name, plain)];
	return err_set(e, ERR_AUTH, where, "%s; run: %s %s%.80s%s", why, command, quote ? "'" : "", name, quote ? "'" : "");
}
