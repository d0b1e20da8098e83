#include "core/json.h"

#include "core/clock.h"
#include "core/hash.h"
#include "core/mem.h"
#include "core/scan.h"
#include "core/text.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INT_LIMIT 9007199254740991.0 /* 2^53 - 1 */

/* ---- reading */

static void use_own_memory(void)
{
	cJSON_Hooks hooks = { .malloc_fn = xmalloc, .free_fn = free };
	cJSON_InitHooks(&hooks);
}

static bool text_has_nul(struct span t)
{
	for (const char *p = t.p, *end = t.p + t.n; (p = memchr(p, '\\', (size_t)(end - p))); p += 2)
		if (p[1] == 'u' && memcmp(p + 2, "0000", 4) == 0)
			return true;
	return false;
}

/* cJSON would end such a string there. The text is known to be valid. */
static bool any_nul(struct span text)
{
	static const char mark[] = "\\u0000";
	if (!memmem(text.p, text.n, mark, sizeof mark - 1))
		return false; /* nearly always */
	struct scan s;
	scan_init(&s, text);
	for (enum scan_token t; (t = scan_next(&s)) != SCAN_END && t != SCAN_ERROR;)
		if ((t == SCAN_KEY || t == SCAN_STRING) && s.escaped && text_has_nul(s.text))
			return true;
	return false;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The name that two members share, or NULL. Sorted, so that an object of many members cannot cost their square. */
static const char *shared_name_sorted(const cJSON *object, size_t n)
{
	const char **names = xreallocarray(NULL, n, sizeof *names), *found = NULL;
	size_t i = 0;
	for (const cJSON *m = object->child; m; m = m->next)
		names[i++] = m->string;
	qsort(names, n, sizeof *names, by_name);
	for (i = 1; i < n && !found; i++)
		if (strcmp(names[i - 1], names[i]) == 0)
			found = names[i];
	free(names);
	return found;
}

static const char *shared_name(const cJSON *object)
{
	size_t n = 0;
	for (const cJSON *m = object->child; m; m = m->next)
		n++;
	if (n > 16)
		return shared_name_sorted(object, n);
	for (const cJSON *m = object->child; m; m = m->next)
		for (const cJSON *k = m->next; k; k = k->next)
			if (strcmp(m->string, k->string) == 0)
				return k->string;
	return NULL;
}

/* Anywhere below; the depth is bounded by the gate. */
static const char *any_shared_name(const cJSON *n)
{
	const char *found = cJSON_IsObject(n) ? shared_name(n) : NULL;
	for (const cJSON *c = n->child; c && !found; c = c->next)
		if (c->child)
			found = any_shared_name(c);
	return found;
}

/* Some versions of cJSON read 63 characters of a number and leave the others: no error where a number is the whole text. */
static cJSON *parse_whole(struct span text)
{
	const char *p;
	cJSON *root = cJSON_ParseWithLengthOpts(text.p, text.n, &p, false);
	while (root && p < text.p + text.n && strchr(" \t\r\n", *p))
		p++;
	if (root && p == text.p + text.n)
		return root;
	cJSON_Delete(root);
	return NULL;
}

struct json *json_parse(struct span text, struct err *e)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	pthread_once(&once, use_own_memory);
	if (!scan_valid_most(text, JSON_VALUES, e))
		return NULL;
	if (any_nul(text)) {
		err_set(e, ERR_BADREPLY, "json", "a string holds \\u0000");
		return NULL;
	}
	cJSON *root = parse_whole(text);
	if (!root) {
		err_set(e, ERR_BADREPLY, "json", "an unpaired surrogate, or a number of too many digits");
		return NULL;
	}
	const char *twice = any_shared_name(root);
	if (twice) {
		err_set(e, ERR_BADREPLY, "json", "the key \"%s\" comes twice in one object", twice);
		cJSON_Delete(root);
		return NULL;
	}
	return (struct json *)root;
}

static const cJSON *node(const struct json *n)
{
	return (const cJSON *)n;
}

void json_free(struct json *root)
{
	cJSON_Delete((cJSON *)root);
}

static void wipe(cJSON *n)
{
	for (; n; n = n->next) {
		if (cJSON_IsString(n) && n->valuestring)
			hash_wipe(n->valuestring, strlen(n->valuestring));
		wipe(n->child);
	}
}

void json_wipe(struct json *root)
{
	wipe((cJSON *)root);
	json_free(root);
}

const struct json *json_get(const struct json *object, const char *key)
{
	if (!cJSON_IsObject(node(object)))
		return NULL;
	return (const struct json *)cJSON_GetObjectItemCaseSensitive(node(object), key);
}

const struct json *json_first(const struct json *n)
{
	return n ? (const struct json *)node(n)->child : NULL;
}

const struct json *json_next(const struct json *element)
{
	return element ? (const struct json *)node(element)->next : NULL;
}

const char *json_key(const struct json *member)
{
	return member ? node(member)->string : NULL;
}

bool json_is_object(const struct json *n)
{
	return cJSON_IsObject(node(n));
}

bool json_is_null(const struct json *n)
{
	return !n || cJSON_IsNull(node(n));
}

bool json_is_array(const struct json *n)
{
	return cJSON_IsArray(node(n));
}

const char *json_str(const struct json *n)
{
	return cJSON_GetStringValue(node(n));
}

const char *json_get_str(const struct json *object, const char *key)
{
	return json_str(json_get(object, key));
}

bool json_num(const struct json *n, double *v)
{
	if (!cJSON_IsNumber(node(n)) || !isfinite(node(n)->valuedouble))
		return false;
	*v = node(n)->valuedouble;
	return true;
}

bool json_int(const struct json *n, int64_t *v)
{
	double d;
	if (!json_num(n, &d) || fabs(d) > INT_LIMIT || d != trunc(d))
		return false;
	*v = (int64_t)d;
	return true;
}

bool json_bool(const struct json *n, bool *v)
{
	if (!cJSON_IsBool(node(n)))
		return false;
	*v = cJSON_IsTrue(node(n));
	return true;
}

bool json_loose_int(const struct json *n, int64_t *v)
{
	const char *text = json_str(n);
	if (!text)
		return json_int(n, v);
	struct scan s;
	scan_init(&s, span_of(text));
	return scan_next(&s) == SCAN_NUMBER && s.text.n == strlen(text) && scan_int(&s, v);
}

bool json_time_ms(const struct json *n, int64_t *t_ms)
{
	const char *text = json_str(n);
	if (text)
		return clock_parse_rfc3339(text, strlen(text), t_ms);
	double v;
	if (!json_num(n, &v) || fabs(v) > INT_LIMIT / 1000)
		return false;
	*t_ms = llround(v * 1000);
	return true;
}

/* ---- writing */

static void put(struct json_out *o, const char *p, size_t n)
{
	o->ok = o->ok && buf_add(o->b, p, n);
}

static bool plain(char c)
{
	return c >= ' ' && c < 0x7f && c != '"' && c != '\\';
}

static void put_escaped(struct json_out *o, uint32_t cp)
{
	char s[16];
	int n;
	if (cp > 0xffff)
		n = snprintf(s, sizeof s, "\\u%04" PRIx32 "\\u%04" PRIx32, 0xd800 + ((cp - 0x10000) >> 10),
		             0xdc00 + (cp & 0x3ff));
	else if (cp == '"' || cp == '\\')
		n = snprintf(s, sizeof s, "\\%c", (char)cp);
	else
		n = snprintf(s, sizeof s, "\\u%04" PRIx32, cp);
	put(o, s, (size_t)n);
}

/* One character that is not plain; returns its length in the source. */
static size_t put_character(struct json_out *o, const char *p, size_t n)
{
	uint32_t cp;
	unsigned len = text_decode(p, n, &cp);
	if (len == 0) {
		char mark[8];
		put(o, mark, (size_t)snprintf(mark, sizeof mark, "<0x%02X>", (unsigned char)*p));
		return 1;
	}
	if (len > 1 && text_is_safe(cp))
		put(o, p, len);
	else
		put_escaped(o, cp);
	return len;
}

static void put_string(struct json_out *o, struct span s)
{
	const char *p = s.p, *end = s.p + s.n;
	put(o, "\"", 1);
	while (o->ok && p < end) {
		const char *from = p;
		while (p < end && plain(*p))
			p++;
		put(o, from, (size_t)(p - from));
		if (p < end)
			p += put_character(o, p, (size_t)(end - p));
	}
	put(o, "\"", 1);
}

static bool inside_object(const struct json_out *o)
{
	return o->depth && (o->object >> (o->depth - 1) & 1);
}

static void new_line(struct json_out *o)
{
	for (unsigned i = 0; o->lines && i <= o->depth; i++)
		put(o, i ? "  " : "\n", i ? 2 : 1);
}

/* What stands before any value. False, and the writer is spoilt, when no value may stand here. */
static bool begin(struct json_out *o, const char *key)
{
	if ((o->depth == 0 && o->done) || inside_object(o) != (key != NULL))
		o->ok = false;
	if (!o->ok)
		return false;
	if (o->depth) {
		uint64_t bit = 1ull << (o->depth - 1);
		if (o->comma & bit)
			put(o, ",", 1);
		o->comma |= bit;
		new_line(o);
	}
	if (key) {
		put_string(o, span_of(key));
		put(o, ": ", o->lines ? 2 : 1);
	}
	o->done = o->depth == 0; /* a list takes this back until it is closed */
	return o->ok;
}

static void put_value(struct json_out *o, const char *key, const char *text)
{
	if (begin(o, key))
		put(o, text, strlen(text));
}

static void open_level(struct json_out *o, const char *key, bool object)
{
	if (o->depth == SCAN_DEPTH)
		o->ok = false;
	if (!begin(o, key))
		return;
	uint64_t bit = 1ull << o->depth++;
	o->comma &= ~bit;
	o->object = object ? o->object | bit : o->object & ~bit;
	o->done = false;
	put(o, object ? "{" : "[", 1);
}

static void close_level(struct json_out *o, bool object)
{
	if (o->depth == 0 || inside_object(o) != object)
		o->ok = false;
	if (!o->ok)
		return;
	bool empty = !(o->comma >> (o->depth - 1) & 1);
	o->depth--;
	if (!empty)
		new_line(o);
	put(o, object ? "}" : "]", 1);
	o->done = o->depth == 0;
}

void json_out_init(struct json_out *o, struct buf *b)
{
	*o = (struct json_out){ .b = b, .ok = true };
}

void json_out_lines(struct json_out *o, struct buf *b)
{
	json_out_init(o, b);
	o->lines = true;
}

void json_out_object(struct json_out *o, const char *key)
{
	open_level(o, key, true);
}

void json_out_object_end(struct json_out *o)
{
	close_level(o, true);
}

void json_out_array(struct json_out *o, const char *key)
{
	open_level(o, key, false);
}

void json_out_array_end(struct json_out *o)
{
	close_level(o, false);
}

void json_out_str(struct json_out *o, const char *key, const char *value)
{
	if (value)
		json_out_span(o, key, span_of(value));
	else
		json_out_null(o, key);
}

void json_out_span(struct json_out *o, const char *key, struct span value)
{
	if (begin(o, key))
		put_string(o, value);
}

void json_out_num(struct json_out *o, const char *key, double value)
{
	char text[32];
	if (!isfinite(value)) {
		json_out_null(o, key);
		return;
	}
	text_exact(value, text);
	put_value(o, key, text);
}

void json_out_int(struct json_out *o, const char *key, int64_t value)
{
	char text[24];
	snprintf(text, sizeof text, "%" PRId64, value);
	put_value(o, key, text);
}

void json_out_bool(struct json_out *o, const char *key, bool value)
{
	put_value(o, key, value ? "true" : "false");
}

void json_out_null(struct json_out *o, const char *key)
{
	put_value(o, key, "null");
}

void json_out_time(struct json_out *o, const char *key, int64_t t)
{
	char text[CLOCK_RFC3339_SIZE];
	if (t <= 0) {
		json_out_null(o, key);
		return;
	}
	clock_rfc3339(t, text);
	json_out_str(o, key, text);
}

void json_out_node(struct json_out *o, const char *key, const struct json *n)
{
	const cJSON *v = node(n);
	bool object = cJSON_IsObject(v);
	if (cJSON_IsString(v))
		json_out_str(o, key, v->valuestring);
	else if (cJSON_IsNumber(v))
		json_out_num(o, key, v->valuedouble);
	else if (cJSON_IsBool(v))
		json_out_bool(o, key, cJSON_IsTrue(v));
	else if (!object && !cJSON_IsArray(v))
		json_out_null(o, key);
	if (!object && !cJSON_IsArray(v))
		return;
	open_level(o, key, object);
	for (const cJSON *m = v->child; m; m = m->next) /* no deeper than the gate lets through */
		json_out_node(o, object ? m->string : NULL, (const struct json *)m);
	close_level(o, object);
}
