#include "sim/sim_form.h"

#include "core/arena.h"

#include <stdlib.h>
#include <string.h>

#define DEPTH 12
#define NODES 200000

struct form_node {
	const char *name, *value;
	struct form_node *first, *last, *next;
};

struct form {
	struct arena mem;
	struct form_node root;
	const struct sim_rename *renames;
	unsigned nrenames, nodes;
};

/* ---- reading */

static int hex(char c)
{
	return c >= '0' && c <= '9'   ? c - '0'
	       : c >= 'a' && c <= 'f' ? c - 'a' + 10
	       : c >= 'A' && c <= 'F' ? c - 'A' + 10
	                              : -1;
}

void form_decode(struct span text, bool plus, struct buf *out)
{
	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i];
		if (c == '+' && plus) {
			c = ' ';
		} else if (c == '%' && i + 2 < text.n && hex(text.p[i + 1]) >= 0 && hex(text.p[i + 2]) >= 0) {
			c = (char)(hex(text.p[i + 1]) * 16 + hex(text.p[i + 2]));
			i += 2;
		}
		if (c)
			buf_addc(out, c);
		else
			buf_adds(out, "\xef\xbf\xbd");
	}
}

static char *decoded(struct form *f, struct span text)
{
	struct buf b;
	buf_init(&b, 3 * text.n);
	form_decode(text, true, &b);
	char *s = arena_strndup(&f->mem, b.p ? b.p : "", b.n);
	buf_clear(&b);
	return s;
}

static struct form_node *child(struct form *f, struct form_node *parent, const char *name, size_t n)
{
	struct form_node *c = parent->last; /* forms come in order: nearly always the newest */
	if (!c || strncmp(c->name, name, n) != 0 || c->name[n])
		for (c = parent->first; c && (strncmp(c->name, name, n) != 0 || c->name[n]); c = c->next)
			;
	if (c || f->nodes++ >= NODES)
		return c;
	c = arena_alloc(&f->mem, sizeof *c);
	c->name = arena_strndup(&f->mem, name, n);
	if (parent->last)
		parent->last->next = c;
	else
		parent->first = c;
	return parent->last = c;
}

static bool add_pair(struct form *f, struct span name, struct span value)
{
	struct form_node *at = &f->root;
	const char *p = decoded(f, name);
	for (unsigned depth = 0; at && depth < DEPTH; depth++) {
		size_t n = strcspn(p, ".");
		at = child(f, at, p, n);
		if (!p[n]) {
			if (at)
				at->value = decoded(f, value);
			return at != NULL;
		}
		p += n + 1;
	}
	return false;
}

static bool read_form(struct form *f, struct span text)
{
	while (text.n) {
		const char *amp = memchr(text.p, '&', text.n);
		struct span pair = { text.p, amp ? (size_t)(amp - text.p) : text.n };
		const char *eq = pair.n ? memchr(pair.p, '=', pair.n) : NULL;
		struct span name = { pair.p, eq ? (size_t)(eq - pair.p) : pair.n };
		struct span value = { name.p + name.n + 1, eq ? pair.n - name.n - 1 : 0 };
		if (pair.n && !add_pair(f, name, value))
			return false;
		text.p += pair.n + (amp ? 1 : 0);
		text.n -= pair.n + (amp ? 1 : 0);
	}
	return true;
}

/* ---- writing */

static bool is_index(const char *s)
{
	return *s && s[strspn(s, "0123456789")] == '\0';
}

static const struct sim_rename *renamed(const struct form *f, const struct form_node *n)
{
	for (unsigned i = 0; i < f->nrenames; i++)
		if (strcmp(f->renames[i].query, n->name) == 0 && n->first &&
		    (is_index(n->first->name) || strcmp(n->first->name, "entry") == 0))
			return &f->renames[i];
	return NULL;
}

static void write_node(const struct form *f, const struct form_node *n, const char *key, struct json_out *o);

static const struct form_node *named(const struct form_node *n, const char *a, const char *b)
{
	for (const struct form_node *c = n->first; c; c = c->next)
		if (strcmp(c->name, a) == 0 || strcmp(c->name, b) == 0)
			return c;
	return NULL;
}

/* X.1.Name=a&X.1.Value=b (SQS), X.entry.1.key=a&X.entry.1.value=b (SNS) -> {"a": b} */
static void write_map(const struct form *f, const struct form_node *n, const char *key, struct json_out *o)
{
	json_out_object(o, key);
	if (strcmp(n->first->name, "entry") == 0)
		n = n->first;
	for (const struct form_node *c = n->first; c; c = c->next) {
		const struct form_node *name = named(c, "Name", "Key"), *value = named(c, "Value", "value");
		if (!name)
			name = named(c, "key", "key");
		if (name && name->value && value)
			write_node(f, value, name->value, o);
	}
	json_out_object_end(o);
}

static void write_members(const struct form *f, const struct form_node *n, struct json_out *o)
{
	for (const struct form_node *c = n->first; c; c = c->next) {
		const struct sim_rename *r = renamed(f, c);
		if (r && r->map)
			write_map(f, c, r->json, o);
		else
			write_node(f, c, r ? r->json : c->name, o);
	}
}

static void write_node(const struct form *f, const struct form_node *n, const char *key, struct json_out *o)
{
	if (!n->first) {
		json_out_str(o, key, n->value ? n->value : "");
		return;
	}
	if (!n->first->next && strcmp(n->first->name, "member") == 0 && n->first->first)
		n = n->first;
	if (is_index(n->first->name)) {
		json_out_array(o, key);
		for (const struct form_node *c = n->first; c; c = c->next)
			write_node(f, c, NULL, o);
		json_out_array_end(o);
		return;
	}
	json_out_object(o, key);
	write_members(f, n, o);
	json_out_object_end(o);
}

bool form_to_json(struct span form, const struct sim_rename *renames, unsigned nrenames, struct buf *out)
{
	struct form f = { .renames = renames, .nrenames = nrenames };
	struct json_out o;
	arena_init(&f.mem);
	bool ok = read_form(&f, form);
	json_out_init(&o, out);
	json_out_object(&o, NULL);
	write_members(&f, &f.root, &o);
	json_out_object_end(&o);
	arena_clear(&f.mem);
	return ok && o.ok && !buf_full(out);
}
