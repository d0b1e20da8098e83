#include "core/metric.h"

#include "core/mem.h"

#include <stdlib.h>
#include <string.h>

/* ---- statistics ---- */

/* A plain decimal without sign or exponent, moved past. Metric values may be negative in ranges. */
static bool take_number(const char **s, bool sign, double *v)
{
	const char *p = *s;
	if (sign && *p == '-')
		p++;
	size_t digits = strspn(p, "0123456789");
	if (digits == 0)
		return false;
	p += digits;
	if (*p == '.') {
		digits = strspn(p + 1, "0123456789");
		if (digits == 0)
			return false;
		p += 1 + digits;
	}
	*v = strtod(*s, NULL);
	*s = p;
	return true;
}

/* p95, tm99.9: a percentage. */
static bool percent_stat(const char *s)
{
	static const char *const heads[] = { "p", "tm", "wm", "tc", "ts" };
	for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
		size_t n = strlen(heads[i]);
		const char *p = s + n;
		double v;
		if (strncmp(s, heads[i], n) == 0 && take_number(&p, false, &v))
			return *p == '\0' && v <= 100;
	}
	return false;
}

/* One bound of a range; an absent one is fine. */
static bool take_bound(const char **s, bool *given, bool *percent, double *v)
{
	*given = **s == '-' || (**s >= '0' && **s <= '9');
	*percent = false;
	if (!*given)
		return true;
	if (!take_number(s, true, v))
		return false;
	*percent = **s == '%';
	*s += *percent;
	return !*percent || (*v >= 0 && *v <= 100);
}

static bool range_head(const char *s)
{
	static const char *const heads[] = { "TM(", "WM(", "TC(", "TS(", "PR(" };
	for (size_t i = 0; i < sizeof heads / sizeof *heads; i++)
		if (strncmp(s, heads[i], 3) == 0)
			return true;
	return false;
}

/* TM(10%:90%), TC(:500), PR(100:): both bounds of one sort, at least one given. PR ranks values: no percentages there. */
static bool range_stat(const char *s)
{
	bool low, high, low_pct, high_pct;
	double from = 0, to = 0;
	if (!range_head(s))
		return false;
	const char *p = s + 3;
	if (!take_bound(&p, &low, &low_pct, &from) || *p++ != ':')
		return false;
	if (!take_bound(&p, &high, &high_pct, &to) || strcmp(p, ")") != 0)
		return false;
	if (s[0] == 'P' && (low_pct || high_pct))
		return false;
	return low && high ? low_pct == high_pct && from < to : low || high;
}

bool metric_stat_valid(const char *stat)
{
	static const char *const plain[] = { "SampleCount", "Average", "Sum", "Minimum", "Maximum", "IQM" };
	if (!stat)
		return false;
	for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
		if (strcmp(stat, plain[i]) == 0)
			return true;
	return percent_stat(stat) || range_stat(stat);
}

/* ---- the identity ---- */

static char *copy_or_null(const char *s)
{
	return s ? xstrdup(s) : NULL;
}

void metric_set(struct metric_id *m, const char *ns, const char *name, const char *stat)
{
	*m = (struct metric_id){ .ns = copy_or_null(ns), .name = copy_or_null(name), .stat = copy_or_null(stat) };
}

/* Where a dimension of this name stands, or would. */
static unsigned dim_place(const struct metric_id *m, const char *name, bool *found)
{
	*found = false;
	for (unsigned i = 0; i < m->ndims; i++) {
		int order = strcmp(m->dims[i].name, name);
		*found = order == 0;
		if (order >= 0)
			return i;
	}
	return m->ndims;
}

/* A name that is there already gets the new value: a metric has each dimension once. */
void metric_add_dim(struct metric_id *m, const char *name, const char *value)
{
	bool found;
	unsigned at = dim_place(m, name, &found);
	if (found) {
		free(m->dims[at].value);
		m->dims[at].value = xstrdup(value);
		return;
	}
	m->dims = xreallocarray(m->dims, m->ndims + 1, sizeof *m->dims);
	memmove(&m->dims[at + 1], &m->dims[at], (m->ndims - at) * sizeof *m->dims);
	m->dims[at] = (struct metric_dim){ xstrdup(name), xstrdup(value) };
	m->ndims++;
}

void metric_clear(struct metric_id *m)
{
	free(m->ns);
	free(m->name);
	free(m->stat);
	for (unsigned i = 0; i < m->ndims; i++) {
		free(m->dims[i].name);
		free(m->dims[i].value);
	}
	free(m->dims);
	*m = (struct metric_id){ 0 };
}

/* ---- writing ---- */

static void put_escaped(struct buf *out, const char *s, const char *special)
{
	for (; *s; s++) {
		if (strchr(special, *s))
			buf_addc(out, '\\');
		buf_addc(out, *s);
	}
}

/* Blanks of every sort and control bytes count: a quoted text survives trimming. */
static bool needs_quotes(const char *s)
{
	for (const char *p = s; *p; p++)
		if ((unsigned char)*p <= ' ' || *p == 0x7F || strchr(",}=\"\\", *p))
			return true;
	return *s == '\0';
}

static void put_word(struct buf *out, const char *s)
{
	if (!needs_quotes(s)) {
		buf_adds(out, s);
		return;
	}
	buf_addc(out, '"');
	put_escaped(out, s, "\"\\");
	buf_addc(out, '"');
}

void metric_text(const struct metric_id *m, struct buf *out)
{
	put_escaped(out, m->ns ? m->ns : "", "{\\");
	buf_addc(out, '/');
	put_escaped(out, m->name ? m->name : "", "/{:\\");
	for (unsigned i = 0; i < m->ndims; i++) {
		buf_addc(out, i ? ',' : '{');
		put_word(out, m->dims[i].name);
		buf_addc(out, '=');
		put_word(out, m->dims[i].value);
	}
	if (m->ndims)
		buf_addc(out, '}');
	if (m->stat)
		buf_addf(out, ":%s", m->stat);
}

/* ---- reading ---- */

/* A copy of [p, end) without its escapes. */
static char *unescaped(const char *p, const char *end)
{
	char *s = xmalloc((size_t)(end - p) + 1), *o = s;
	for (; p < end; p++) {
		if (*p == '\\' && p + 1 < end)
			p++;
		*o++ = *p;
	}
	*o = '\0';
	return s;
}

/* The head is NAMESPACE/NAME: it ends at the first bare '{', else at the first bare ':' after the last bare '/' (a
 * namespace may hold ':', and so may a statistic). slash is the last bare '/', or NULL. */
static const char *head_end(const char *s, const char **slash)
{
	const char *colon = NULL, *p = s;
	*slash = NULL;
	for (; *p && *p != '{'; p++) {
		if (*p == '\\' && p[1]) {
			p++;
		} else if (*p == '/') {
			*slash = p;
			colon = NULL;
		} else if (*p == ':' && !colon) {
			colon = p;
		}
	}
	return *p == '{' || !colon ? p : colon;
}

/* The first of `stops` that is not escaped, or the end. */
static const char *find_bare(const char *p, const char *stops)
{
	while (*p && !strchr(stops, *p))
		p += *p == '\\' && p[1] ? 2 : 1;
	return p;
}

static const char *skip_blanks(const char *p)
{
	return p + strspn(p, " \t");
}

/* A dimension's name or value: quoted, or bare up to one of `stops`. NULL when it is empty or its quote is not closed. */
static char *take_word(const char **s, const char *stops)
{
	const char *from = skip_blanks(*s), *end;
	struct span word;
	if (*from == '"') {
		from++;
		end = find_bare(from, "\"");
		if (*end == '\0')
			return NULL;
		word = (struct span){ from, (size_t)(end - from) };
		*s = skip_blanks(end + 1);
	} else {
		end = find_bare(from, stops);
		word = span_trim((struct span){ from, (size_t)(end - from) });
		*s = end;
	}
	return word.n ? unescaped(word.p, word.p + word.n) : NULL;
}

/* One "name=value"; returns what is wrong, or NULL. */
static const char *take_dim(struct metric_id *m, const char **s)
{
	const char *why = NULL;
	bool found = false;
	char *value = NULL, *name = take_word(s, "=,}");
	if (!name || **s != '=') {
		why = "a dimension is written name=value";
		goto out;
	}
	++*s;
	value = take_word(s, ",}");
	if (!value) {
		why = "a dimension's value is empty or its quote is not closed";
		goto out;
	}
	dim_place(m, name, &found);
	if (found)
		why = "a dimension is there twice";
	else if (m->ndims == METRIC_DIMS)
		why = "there are more than 30 dimensions";
	else
		metric_add_dim(m, name, value);
out:
	free(name);
	free(value);
	return why;
}

/* {a=b, c=d}, from the brace to what follows the closing one. */
static const char *take_dims(struct metric_id *m, const char **s)
{
	if (**s != '{')
		return NULL;
	do {
		++*s;
		const char *why = take_dim(m, s);
		if (why)
			return why;
	} while (**s == ',');
	if (**s != '}')
		return "the dimensions are not closed by '}'";
	++*s;
	return NULL;
}

static const char *parse(struct metric_id *m, const char *text)
{
	const char *slash, *p = head_end(text, &slash);
	if (!slash || slash == text || slash + 1 == p)
		return "it is written NAMESPACE/NAME{Dimension=value}:STATISTIC";
	m->ns = unescaped(text, slash);
	m->name = unescaped(slash + 1, p);
	const char *why = take_dims(m, &p);
	if (why)
		return why;
	if (*p != ':')
		return "the statistic is missing: end with :Sum, :Average, :p99 or the like";
	if (!metric_stat_valid(p + 1))
		return "the statistic is none of SampleCount, Average, Sum, Minimum, Maximum, IQM, p99, tm90, TM(10%:90%), "
		       "PR(:300)";
	m->stat = xstrdup(p + 1);
	return NULL;
}

bool metric_parse(struct metric_id *m, const char *text, struct err *e)
{
	*m = (struct metric_id){ 0 };
	const char *why = parse(m, text ? text : "");
	if (!why)
		return true;
	metric_clear(m);
	return err_set(e, ERR_CONF, "metric", "%.80s: %s", text ? text : "", why);
}
