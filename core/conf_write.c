#include "core/conf_write.h"

#include "core/file.h"
#include "core/ini.h"
#include "core/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SECTION_NAME 100 /* bytes of [stage "THIS"] */
#define PIPELINE_MOST 80 /* a longer one leaves its stages no names that could be told apart */
#define SEPARATORS "-_.: "

/* ---- what is missing */

static bool is_plain(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c && strchr("-_.:@+=", c));
}

/* What AWS names its resources with. Anything else is an impostor's, and could begin a line or a section of its own. */
static bool is_name(const char *s)
{
	while (is_plain(*s))
		s++;
	return !*s;
}

/* A section's name goes into quotes: what could end them, or the line, becomes '-'. */
static void add_plain(struct buf *b, const char *s, size_t most)
{
	for (size_t n = 0; *s && n < most; s++, n++)
		buf_addc(b, is_plain(*s) ? *s : '-');
}

static char *plain(const char *s, size_t most)
{
	struct buf b;
	buf_init(&b, 4096);
	add_plain(&b, s, most);
	buf_adds(&b, "");
	return b.p ? buf_steal(&b) : xstrdup("");
}

static bool has_pipeline(const struct conf *c, const char *name)
{
	for (unsigned i = 0; i < c->npipelines; i++)
		if (strcmp(c->pipelines[i].name, name) == 0)
			return true;
	return false;
}

struct writing {
	const struct conf *have;
	const struct flow_graph *flow;
	const char *target;
	struct buf *out;
	struct conf_added added;
	void *resources; /* KIND:NAME of every stage there is */
	void *names;     /* PIPELINE/NAME, the same */
};

static int by_text(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* True when it is new; takes it. */
static bool take(void **tree, char *text)
{
	char **found = tsearch(text, tree, by_text);
	if (*found == text)
		return true;
	free(text);
	return false;
}

static void add_pipeline(struct writing *w, const char *name)
{
	buf_addf(w->out, "%s[pipeline \"%s\"]\n", w->out->n ? "\n" : "", name);
	if (w->target)
		buf_addf(w->out, "target = \"%s\"\n", w->target);
	w->added.pipelines++;
}

/* "enrich" of "orders-enrich" in "orders"; the kind before it where two resources would have one name. */
static char *stage_name(struct writing *w, const char *pipeline, const struct flow_node *n)
{
	size_t k = strlen(pipeline), most = SECTION_NAME - 1 - k;
	bool inside = strncmp(n->name, pipeline, k) == 0 && n->name[k] && strchr(SEPARATORS, n->name[k]) && n->name[k + 1];
	char *own = plain(inside ? n->name + k + 1 : n->name, most);
	for (unsigned i = 0; !take(&w->names, xasprintf("%s/%s", pipeline, own)); i++) {
		free(own);
		char *longer = i ? xasprintf("%s-%u-%s", n->kind, i + 1, n->name) : xasprintf("%s-%s", n->kind, n->name);
		own = plain(longer, most);
		free(longer);
	}
	return own;
}

static void add_stage(struct writing *w, const char *pipeline, const struct flow_node *n)
{
	char *name = stage_name(w, pipeline, n);
	buf_addf(w->out, "\n[stage \"%s/%s\"]\nresource = %s:%s\n", pipeline, name, n->kind, n->name);
	w->added.stages++;
	free(name);
}

static void add_pipeline_stages(struct writing *w, const struct flow_pipeline *p)
{
	char *name = has_pipeline(w->have, p->name) ? xstrdup(p->name) : plain(p->name, SECTION_NAME / 2);
	bool there = has_pipeline(w->have, name);
	for (uint32_t i = p->first; i < p->first + p->n; i++) {
		const struct flow_node *n = &w->flow->nodes[i];
		if (!n->listed || !is_name(n->name) || strlen(name) > PIPELINE_MOST ||
		    !take(&w->resources, xasprintf("%s:%s", n->kind, n->name)))
			continue;
		if (!there)
			add_pipeline(w, name);
		there = true;
		add_stage(w, name, n);
	}
	free(name);
}

struct conf_added conf_missing(const struct conf *have, const struct flow_graph *f, const char *target, struct buf *out)
{
	struct writing w = { .have = have, .flow = f, .target = target, .out = out };
	for (unsigned i = 0; i < have->nstages; i++) {
		const struct conf_stage *s = &have->stages[i];
		take(&w.resources, xasprintf("%s:%s", s->kind, s->resource));
		take(&w.names, xasprintf("%s/%s", s->pipeline, s->name));
	}
	for (unsigned i = 0; i < f->npipelines; i++)
		add_pipeline_stages(&w, &f->pipelines[i]);
	tdestroy(w.resources, free);
	tdestroy(w.names, free);
	return w.added;
}

static bool same(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

/* A value in quotes: backslash and quote are escaped, as ini and conf read them. */
static void add_value(struct buf *b, const char *key, const char *v)
{
	buf_addf(b, "%s = \"", key);
	for (; *v; v++)
		buf_addf(b, *v == '"' || *v == '\\' ? "\\%c" : "%c", *v);
	buf_adds(b, "\"\n");
}

struct conf_added conf_missing_group(const struct conf *have, const char *stack, const char *tag, const char *target,
                                     struct buf *out)
{
	struct writing w = { .have = have, .target = target, .out = out };
	for (unsigned i = 0; i < have->npipelines; i++)
		if (same(have->pipelines[i].stack, stack) && same(have->pipelines[i].tag, tag))
			return w.added;
	const char *what = stack ? stack : tag, *slash = stack ? strchr(stack, '/') : NULL; /* of an ARN: its name */
	const char *value = tag && strchr(tag, '=') && strchr(tag, '=')[1] ? strchr(tag, '=') + 1 : what;
	size_t n = slash ? strcspn(slash + 1, "/") : SECTION_NAME / 2;
	char *name = plain(slash ? slash + 1 : value, n < SECTION_NAME / 2 ? n : SECTION_NAME / 2);
	for (unsigned i = 2; has_pipeline(have, name); i++) {
		char *next = xasprintf("%.40s-%u", name, i);
		free(name);
		name = next;
	}
	add_pipeline(&w, name);
	add_value(out, stack ? "stack" : "tag", what);
	free(name);
	return w.added;
}

/* ---- the file */

struct conf *conf_load_or_none(const char *path, struct err *e)
{
	return path && access(path, F_OK) != 0 && errno == ENOENT ? conf_parse(path, SPAN(""), e) : conf_load(path, e);
}

static bool failed(struct err *e, const char *path)
{
	err_set(e, ERR_DISK, "", "%s", strerror(errno));
	return err_at(e, path, 0);
}

static bool write_all(int fd, struct span s)
{
	while (s.n) {
		ssize_t n = write(fd, s.p, s.n);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return false;
		s.p += n;
		s.n -= (size_t)n;
	}
	return true;
}

static void sync_folder(const char *path)
{
	char *folder = xstrdup(path), *slash = strrchr(folder, '/');
	if (slash)
		slash[slash == folder] = '\0';
	int fd = open(slash ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0) {
		fsync(fd); /* that the name lasts is wished for, not promised */
		close(fd);
	}
	free(folder);
}

/* Beside the file, so that the rename cannot cross a file system. */
static bool replace(const char *path, struct span text, mode_t mode, struct err *e)
{
	char *temp = xasprintf("%s.XXXXXX", path);
	int fd = mkostemp(temp, O_CLOEXEC);
	bool ok = fd >= 0 && fchmod(fd, mode) == 0 && write_all(fd, text) && fsync(fd) == 0;
	int why = errno;
	if (fd >= 0 && close(fd) != 0 && ok) {
		ok = false;
		why = errno;
	}
	if (ok && rename(temp, path) != 0) {
		ok = false;
		why = errno;
	}
	if (!ok && fd >= 0)
		unlink(temp);
	free(temp);
	errno = why;
	if (ok)
		sync_folder(path);
	return ok || failed(e, path);
}

/* The old text, a blank line, the new sections: all of it must be a configuration, or nothing is written. */
static bool join(const char *path, struct span old, struct span sections, struct buf *out, struct err *e)
{
	buf_init(out, FILE_MOST);
	bool room = buf_addspan(out, old) && (!old.n || old.p[old.n - 1] == '\n' || buf_addc(out, '\n')) &&
	            (!old.n || buf_addc(out, '\n')) && buf_addspan(out, sections);
	if (!room) {
		err_set(e, ERR_LIMIT, "", "with what is to be added it would be larger than %lu KiB", FILE_MOST / 1024);
		return err_at(e, path, 0);
	}
	struct conf *c = conf_parse(path, buf_span(out), e);
	conf_free(c);
	return c != NULL;
}

static bool append(const char *path, bool own, struct span sections, struct err *e)
{
	struct buf old = { 0 }, whole = { 0 };
	struct err why = { 0 };
	struct stat st = { .st_mode = 0600 };
	bool there = ini_read_own_file(path, &old, &why), ok;
	if (!there && why.code != ERR_NOTFOUND) {
		if (e)
			*e = why;
		ok = false;
	} else if (there) {
		struct conf *c = conf_parse(path, buf_span(&old), e);
		conf_free(c);
		ok = c && (stat(path, &st) == 0 || failed(e, path));
	} else {
		char *folder = xstrdup(path), *slash = strrchr(folder, '/');
		if (slash)
			slash[slash == folder] = '\0';
		ok = !own || !slash || file_folder(folder, true, e);
		free(folder);
	}
	ok = ok && join(path, there ? buf_span(&old) : SPAN(""), sections, &whole, e) &&
	     replace(path, buf_span(&whole), st.st_mode & 0777, e);
	buf_clear(&old);
	buf_clear(&whole);
	return ok;
}

bool conf_append(const char *path, struct span sections, struct err *e)
{
	char *named = path ? xstrdup(path) : conf_default_path();
	if (!named)
		return err_set(e, ERR_CONF, "configuration", "neither XDG_CONFIG_HOME nor HOME is set; use --config FILE");
	char *real = realpath(named, NULL);
	bool ok = append(real ? real : named, !path, sections, e);
	free(real);
	free(named);
	return ok;
}
