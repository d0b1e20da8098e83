#include "sim/sim_reply.h"

#include "core/clock.h"
#include "core/text.h"

#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

void wr_init(struct wr *w, enum wr_form form, struct buf *b)
{
	*w = (struct wr){ .form = form, .b = b };
	if (form == WR_JSON)
		json_out_init(&w->json, b);
}

bool wr_ok(const struct wr *w)
{
	return !buf_full(w->b) && (w->form != WR_JSON || w->json.ok);
}

/* ---- XML */

void wr_xml_text(struct buf *b, const char *s)
{
	for (const char *p = s; *p; p++) {
		unsigned char c = (unsigned char)*p;
		if (c == '&')
			buf_adds(b, "&amp;");
		else if (c == '<')
			buf_adds(b, "&lt;");
		else if (c == '>')
			buf_adds(b, "&gt;");
		else if (c == '\r')
			buf_adds(b, "&#13;");
		else
			buf_addc(b, c < ' ' && c != '\n' && c != '\t' ? '?' : *p); /* XML 1.0 has no other control characters */
	}
}

static const char *element(const struct wr *w, const char *key)
{
	if (key)
		return key;
	return w->depth && w->items[w->depth - 1] ? w->items[w->depth - 1] : "member";
}

static void xml_value(struct wr *w, const char *key, const char *text)
{
	const char *name = element(w, key);
	buf_addf(w->b, "<%s>", name);
	wr_xml_text(w->b, text);
	buf_addf(w->b, "</%s>", name);
}

/* name NULL: a level without an element of its own */
static void xml_open(struct wr *w, const char *name, const char *item)
{
	if (w->depth == WR_DEPTH)
		return;
	w->closes[w->depth] = name;
	w->items[w->depth++] = item;
	if (name)
		buf_addf(w->b, "<%s>", name);
}

static void xml_close(struct wr *w)
{
	const char *name = w->depth ? w->closes[--w->depth] : NULL;
	if (name)
		buf_addf(w->b, "</%s>", name);
}

/* ---- structure */

void wr_object(struct wr *w, const char *key)
{
	if (w->form == WR_JSON)
		json_out_object(&w->json, key);
	else
		xml_open(w, element(w, key), NULL);
}

void wr_object_end(struct wr *w)
{
	if (w->form == WR_JSON)
		json_out_object_end(&w->json);
	else
		xml_close(w);
}

void wr_list(struct wr *w, const char *key, const char *item)
{
	if (w->form == WR_JSON)
		json_out_array(&w->json, key);
	else if (w->form == WR_XML)
		xml_open(w, element(w, key), "member");
	else
		xml_open(w, NULL, item);
}

void wr_list_end(struct wr *w)
{
	if (w->form == WR_JSON)
		json_out_array_end(&w->json);
	else
		xml_close(w);
}

void wr_map(struct wr *w, const char *key, const char *item)
{
	if (w->form == WR_JSON)
		json_out_object(&w->json, key);
	else if (w->form == WR_XML)
		xml_open(w, key, "entry");
	else
		xml_open(w, NULL, item);
}

static bool is_flat(const struct wr *w)
{
	return w->form == WR_XML_FLAT;
}

void wr_map_str(struct wr *w, const char *name, const char *value)
{
	if (w->form == WR_JSON) {
		json_out_str(&w->json, name, value);
		return;
	}
	xml_open(w, element(w, NULL), NULL);
	xml_value(w, is_flat(w) ? "Name" : "key", name);
	xml_value(w, is_flat(w) ? "Value" : "value", value);
	xml_close(w);
}

void wr_map_object(struct wr *w, const char *name)
{
	if (w->form == WR_JSON) {
		json_out_object(&w->json, name);
		return;
	}
	xml_open(w, element(w, NULL), NULL);
	xml_value(w, is_flat(w) ? "Name" : "key", name);
	xml_open(w, is_flat(w) ? "Value" : "value", NULL);
}

void wr_map_object_end(struct wr *w)
{
	wr_object_end(w);
	if (w->form != WR_JSON)
		xml_close(w);
}

void wr_map_end(struct wr *w)
{
	wr_object_end(w);
}

/* ---- values */

void wr_str(struct wr *w, const char *key, const char *value)
{
	if (!value)
		return;
	if (w->form == WR_JSON)
		json_out_str(&w->json, key, value);
	else
		xml_value(w, key, value);
}

void wr_int(struct wr *w, const char *key, int64_t value)
{
	char text[24];
	if (w->form == WR_JSON) {
		json_out_int(&w->json, key, value);
		return;
	}
	snprintf(text, sizeof text, "%" PRId64, value);
	xml_value(w, key, text);
}

void wr_bool(struct wr *w, const char *key, bool value)
{
	if (w->form == WR_JSON)
		json_out_bool(&w->json, key, value);
	else
		xml_value(w, key, value ? "true" : "false");
}

void wr_num(struct wr *w, const char *key, double value)
{
	char text[32];
	if (w->form == WR_JSON) {
		json_out_num(&w->json, key, value);
		return;
	}
	text_exact(value, text);
	xml_value(w, key, text);
}

static void iso8601(int64_t t_ms, char out[CLOCK_RFC3339_SIZE + 8])
{
	char whole[CLOCK_RFC3339_SIZE];
	clock_rfc3339(t_ms / 1000, whole);
	int n = (int)strcspn(whole, "Z");
	if (t_ms % 1000)
		snprintf(out, CLOCK_RFC3339_SIZE + 8, "%.*s.%03dZ", n, whole, (int)(t_ms % 1000));
	else
		snprintf(out, CLOCK_RFC3339_SIZE + 8, "%s", whole);
}

void wr_time(struct wr *w, const char *key, int64_t t_ms)
{
	char text[CLOCK_RFC3339_SIZE + 8];
	if (w->form == WR_JSON) {
		json_out_num(&w->json, key, (double)t_ms / 1000.0);
		return;
	}
	iso8601(t_ms, text);
	xml_value(w, key, text);
}

/* ---- again */

void json_tell(struct json_out *o, const char *key, const struct json *v, bool small)
{
	char name[128];
	double d;
	bool b;
	if (key && small) {
		snprintf(name, sizeof name, "%s", key);
		name[0] = (char)tolower((unsigned char)name[0]);
		key = name;
	}
	if (json_is_object(v)) {
		json_out_object(o, key);
		for (const struct json *m = json_first(v); m; m = json_next(m))
			json_tell(o, json_key(m), m, small);
		json_out_object_end(o);
	} else if (json_is_array(v)) {
		json_out_array(o, key);
		for (const struct json *m = json_first(v); m; m = json_next(m))
			json_tell(o, NULL, m, small);
		json_out_array_end(o);
	} else if (json_str(v)) {
		json_out_str(o, key, json_str(v));
	} else if (json_bool(v, &b)) {
		json_out_bool(o, key, b);
	} else if (json_num(v, &d)) {
		json_out_num(o, key, d);
	} else {
		json_out_null(o, key);
	}
}

/* ---- bulk */

static char *digits(char *end, uint64_t v)
{
	do
		*--end = (char)('0' + v % 10);
	while (v /= 10);
	return end;
}

/* Most values are whole or have few decimals: those are written without the search for the shortest text. A decimal is
 * only taken when dividing it back gives the very same double. */
static void add_number(struct buf *b, double v)
{
	char text[40], *end = text + sizeof text;
	double a = fabs(v);
	if (a < 1e9) {
		double micro = nearbyint(a * 1e6);
		if (micro / 1e6 == a) {
			uint64_t k = (uint64_t)micro, fraction = k % 1000000;
			char *p = end;
			if (fraction) {
				uint64_t f = fraction + 1000000; /* the leading 1 keeps the zeros; the point replaces it */
				while (f % 10 == 0)
					f /= 10;
				p = digits(p, f);
				*p = '.';
			}
			p = digits(p, k / 1000000);
			if (v < 0)
				*--p = '-';
			buf_add(b, p, (size_t)(end - p));
			return;
		}
	}
	snprintf(text, sizeof text, "%.17g", v);
	buf_adds(b, text);
}

static void add_int(struct buf *b, int64_t v)
{
	char text[24], *end = text + sizeof text, *p = digits(end, (uint64_t)(v < 0 ? -v : v));
	if (v < 0)
		*--p = '-';
	buf_add(b, p, (size_t)(end - p));
}

void wr_times(struct wr *w, const char *key, const int64_t *t, size_t n)
{
	wr_list(w, key, NULL);
	for (size_t i = 0; i < n; i++) {
		if (w->form != WR_JSON) {
			wr_time(w, NULL, t[i] * 1000);
			continue;
		}
		if (i)
			buf_addc(w->b, ',');
		add_int(w->b, t[i]);
	}
	wr_list_end(w);
}

void wr_nums(struct wr *w, const char *key, const double *v, size_t n)
{
	wr_list(w, key, NULL);
	for (size_t i = 0; i < n; i++) {
		if (w->form == WR_JSON && i)
			buf_addc(w->b, ',');
		else if (w->form != WR_JSON)
			buf_adds(w->b, "<member>");
		add_number(w->b, v[i]);
		if (w->form != WR_JSON)
			buf_adds(w->b, "</member>");
	}
	wr_list_end(w);
}
