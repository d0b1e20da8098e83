#include "aws/xml.h"

#include <expat.h>
#include <limits.h>
#include <stdint.h>
#include <string.h>

#define XML_PATH (XML_DEPTH * 64)
#define XML_TEXT (1u << 20)

struct reader {
	XML_Parser parser;
	xml_value *f;
	void *ctx;
	struct buf path, text;
	size_t from[XML_DEPTH]; /* where each open element's text begins */
	bool parent[XML_DEPTH]; /* it holds elements */
	unsigned depth;
	const char *why; /* ours, not expat's */
	bool enough;     /* f said so */
};

static void stop(struct reader *r, const char *why)
{
	r->why = r->why ? r->why : why;
	XML_StopParser(r->parser, XML_FALSE);
}

static const char *local_name(const char *name)
{
	const char *colon = strrchr(name, ':');
	return colon ? colon + 1 : name;
}

static void XMLCALL on_start(void *ctx, const XML_Char *name, const XML_Char **attributes)
{
	(void)attributes;
	struct reader *r = ctx;
	if (r->why || r->enough)
		return;
	if (r->depth == XML_DEPTH) {
		stop(r, "elements too deep");
		return;
	}
	if (r->depth)
		r->parent[r->depth - 1] = true;
	r->parent[r->depth] = false;
	r->from[r->depth++] = r->text.n;
	if ((r->path.n && !buf_addc(&r->path, '/')) || !buf_adds(&r->path, local_name(name)))
		stop(r, "names too long");
}

static void cut(struct buf *b, size_t n)
{
	b->n = n;
	if (b->p)
		b->p[n] = '\0';
}

static void XMLCALL on_end(void *ctx, const XML_Char *name)
{
	struct reader *r = ctx;
	if (r->why || r->enough) /* expat still reports the end of the empty element it was stopped in */
		return;
	size_t from = r->from[--r->depth];
	struct span value = { r->text.p ? r->text.p + from : "", r->parent[r->depth] ? 0 : r->text.n - from };
	if (!r->f(r->ctx, r->path.p, value)) {
		r->enough = true;
		XML_StopParser(r->parser, XML_FALSE);
	}
	cut(&r->text, from);
	size_t tail = strlen(local_name(name));
	cut(&r->path, r->path.n - tail - (r->depth != 0));
}

static void XMLCALL on_text(void *ctx, const XML_Char *s, int n)
{
	struct reader *r = ctx;
	if (!buf_add(&r->text, s, (size_t)n))
		stop(r, "a text too long");
}

static void XMLCALL on_doctype(void *ctx, const XML_Char *name, const XML_Char *system_id, const XML_Char *public_id,
                               int subset)
{
	(void)name, (void)system_id, (void)public_id, (void)subset;
	stop(ctx, "a document type declaration is not accepted");
}

static bool parse(struct reader *r, struct span text)
{
	const char *p = text.p ? text.p : "";
	do { /* expat counts in int */
		int n = text.n > INT_MAX / 2 ? INT_MAX / 2 : (int)text.n;
		text.n -= (size_t)n;
		if (XML_Parse(r->parser, p, n, text.n == 0) != XML_STATUS_OK)
			return r->enough;
		p += n;
	} while (text.n);
	return true;
}

bool xml_read(struct span text, xml_value *f, void *ctx, struct err *e)
{
	struct reader r = { .f = f, .ctx = ctx, .parser = XML_ParserCreate(NULL) };
	if (!r.parser)
		return err_set(e, ERR_INTERNAL, "xml", "no XML parser");
	buf_init(&r.path, XML_PATH);
	buf_init(&r.text, XML_TEXT);
	XML_SetUserData(r.parser, &r);
	XML_SetElementHandler(r.parser, on_start, on_end);
	XML_SetCharacterDataHandler(r.parser, on_text);
	XML_SetStartDoctypeDeclHandler(r.parser, on_doctype);
	bool ok = parse(&r, text);
	if (!ok)
		err_set(e, ERR_BADREPLY, "xml", "line %lu: %s", (unsigned long)XML_GetCurrentLineNumber(r.parser),
		        r.why ? r.why : XML_ErrorString(XML_GetErrorCode(r.parser)));
	XML_ParserFree(r.parser);
	buf_clear(&r.path);
	buf_clear(&r.text);
	return ok;
}
