#include "sim/sim_metrics.h"

#include "core/mem.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- identity */

void metrics_init(struct sim_metrics *ms)
{
	*ms = (struct sim_metrics){ .nbucket = 1024 };
	ms->bucket = xcalloc(ms->nbucket, sizeof *ms->bucket);
}

static void metric_free(struct sim_metric *m)
{
	for (unsigned i = 0; i < m->npt; i++)
		free(m->pt[i].raw);
	free(m->pt);
	free(m->dims); /* one block holds the array and every text */
	free(m);
}

void metrics_clear(struct sim_metrics *ms)
{
	for (unsigned i = 0; i < ms->n; i++)
		metric_free(ms->all[i]);
	free(ms->all);
	free(ms->bucket);
	*ms = (struct sim_metrics){ 0 };
}

static uint64_t hash_text(uint64_t h, const char *s)
{
	do
		h = (h ^ (unsigned char)*s) * 0x100000001b3;
	while (*s++);
	return h;
}

static uint64_t hash_identity(const char *ns, const char *name, const struct sim_dim *dims, unsigned ndims)
{
	uint64_t h = hash_text(hash_text(0xcbf29ce484222325, ns), name);
	for (unsigned i = 0; i < ndims; i++)
		h = hash_text(hash_text(h, dims[i].name), dims[i].value);
	return h ^ h >> 32;
}

static bool same_identity(const struct sim_metric *m, const char *ns, const char *name, const struct sim_dim *dims,
                          unsigned ndims)
{
	if (m->ndims != ndims || strcmp(m->name, name) != 0 || strcmp(m->ns, ns) != 0)
		return false;
	for (unsigned i = 0; i < ndims; i++)
		if (strcmp(m->dims[i].value, dims[i].value) != 0 || strcmp(m->dims[i].name, dims[i].name) != 0)
			return false;
	return true;
}

static void sort_dims(struct sim_dim *out, const struct sim_dim *in, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		unsigned k = i;
		for (; k && strcmp(out[k - 1].name, in[i].name) > 0; k--)
			out[k] = out[k - 1];
		out[k] = in[i];
	}
}

static char *pack(char **at, const char *s)
{
	size_t n = strlen(s) + 1;
	char *p = *at;
	memcpy(p, s, n);
	*at += n;
	return p;
}

static struct sim_metric *metric_new(const char *ns, const char *name, const struct sim_dim *dims, unsigned ndims)
{
	size_t bytes = strlen(ns) + strlen(name) + 2;
	for (unsigned i = 0; i < ndims; i++)
		bytes += strlen(dims[i].name) + strlen(dims[i].value) + 2;
	struct sim_metric *m = xcalloc(1, sizeof *m);
	m->dims = xmalloc(ndims * sizeof *m->dims + bytes);
	char *at = (char *)(m->dims + ndims);
	m->ns = pack(&at, ns);
	m->name = pack(&at, name);
	for (unsigned i = 0; i < ndims; i++)
		m->dims[i] = (struct sim_dim){ pack(&at, dims[i].name), pack(&at, dims[i].value) };
	m->ndims = ndims;
	m->unit = "None";
	return m;
}

static void rehash(struct sim_metrics *ms)
{
	free(ms->bucket);
	ms->nbucket *= 4;
	ms->bucket = xcalloc(ms->nbucket, sizeof *ms->bucket);
	for (unsigned i = 0; i < ms->n; i++) {
		struct sim_metric **slot = &ms->bucket[ms->all[i]->hash & (ms->nbucket - 1)];
		ms->all[i]->next = *slot;
		*slot = ms->all[i];
	}
}

struct sim_metric *metrics_get(struct sim_metrics *ms, const char *ns, const char *name, const struct sim_dim *dims,
                               unsigned ndims, bool make)
{
	struct sim_dim sorted[SIM_DIMS];
	if (ndims > SIM_DIMS)
		return NULL;
	sort_dims(sorted, dims, ndims);
	uint64_t hash = hash_identity(ns, name, sorted, ndims);
	struct sim_metric *m = ms->bucket[hash & (ms->nbucket - 1)];
	while (m && (m->hash != hash || !same_identity(m, ns, name, sorted, ndims)))
		m = m->next;
	if (m || !make)
		return m;
	m = metric_new(ns, name, sorted, ndims);
	m->hash = hash;
	MEM_GROW(ms->all, ms->n, ms->cap);
	ms->all[ms->n++] = m;
	m->next = ms->bucket[hash & (ms->nbucket - 1)];
	ms->bucket[hash & (ms->nbucket - 1)] = m;
	if (ms->n > ms->nbucket)
		rehash(ms);
	return m;
}

const char *metric_unit(const char *name)
{
	static const char *const units[] = {
		"Seconds",
		"Microseconds",
		"Milliseconds",
		"Bytes",
		"Kilobytes",
		"Megabytes",
		"Gigabytes",
		"Terabytes",
		"Bits",
		"Kilobits",
		"Megabits",
		"Gigabits",
		"Terabits",
		"Percent",
		"Count",
		"Bytes/Second",
		"Kilobytes/Second",
		"Megabytes/Second",
		"Gigabytes/Second",
		"Terabytes/Second",
		"Bits/Second",
		"Kilobits/Second",
		"Megabits/Second",
		"Gigabits/Second",
		"Terabits/Second",
		"Count/Second",
		"None",
	};
	for (size_t i = 0; i < sizeof units / sizeof *units; i++)
		if (strcmp(units[i], name) == 0)
			return units[i];
	return NULL;
}

/* ---- points */

unsigned metric_seek(const struct sim_metric *m, int64_t minute)
{
	unsigned lo = 0, hi = m->npt;
	if (hi && m->pt[hi - 1].minute < minute)
		return hi; /* the usual append */
	while (lo < hi) {
		unsigned mid = lo + (hi - lo) / 2;
		if (m->pt[mid].minute < minute)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static struct sim_point *point_at(struct sim_metric *m, int64_t minute)
{
	unsigned i = metric_seek(m, minute);
	if (i < m->npt && m->pt[i].minute == minute)
		return &m->pt[i];
	MEM_GROW(m->pt, m->npt, m->cap);
	memmove(&m->pt[i + 1], &m->pt[i], (m->npt - i) * sizeof *m->pt);
	m->npt++;
	m->pt[i] = (struct sim_point){ .minute = minute };
	return &m->pt[i];
}

static void raw_add(struct sim_point *p, double v, double count)
{
	struct sim_raw *r = p->raw;
	for (unsigned i = 0; r && i < r->n; i++)
		if (r->at[i].v == v) {
			r->at[i].count += count;
			return;
		}
	if (!r || r->n == r->cap) {
		unsigned n = r ? r->n : 0, cap = n ? n * 2 : 4;
		p->raw = r = xrealloc(r, sizeof *r + cap * sizeof *r->at);
		r->n = n;
		r->cap = cap;
	}
	r->at[r->n].v = v;
	r->at[r->n++].count = count;
}

/* Raw values are kept from the second distinct one on; beyond the bound percentiles would lie, so the point goes blind. */
static void keep_value(struct sim_point *p, double v, double count)
{
	if (p->blind || p->set.count == 0)
		return;
	if (!p->raw) {
		if (p->set.min == v)
			return;
		raw_add(p, p->set.min, p->set.count);
	}
	if (p->raw->n == SIM_RAW_MAX) {
		free(p->raw);
		p->raw = NULL;
		p->blind = true;
		return;
	}
	raw_add(p, v, count);
}

static void set_merge(struct sim_set *to, const struct sim_set *from)
{
	if (to->count == 0) {
		*to = *from;
		return;
	}
	to->count += from->count;
	to->sum += from->sum;
	to->min = fmin(to->min, from->min);
	to->max = fmax(to->max, from->max);
}

void metric_add(struct sim_metric *m, int64_t minute, double value, double count)
{
	struct sim_point *p = point_at(m, minute);
	keep_value(p, value, count);
	set_merge(&p->set, &(struct sim_set){ count, value * count, value, value });
}

void metric_add_set(struct sim_metric *m, int64_t minute, const struct sim_set *set)
{
	if (set->min == set->max) {
		metric_add(m, minute, set->min, set->count);
		return;
	}
	struct sim_point *p = point_at(m, minute);
	p->blind = true;
	free(p->raw);
	p->raw = NULL;
	set_merge(&p->set, set);
}

bool metric_has(const struct sim_metric *m, int64_t minute)
{
	unsigned i = metric_seek(m, minute);
	return i < m->npt && m->pt[i].minute == minute;
}

int64_t metric_newest(const struct sim_metric *m)
{
	return m->npt ? m->pt[m->npt - 1].minute : INT64_MIN;
}

void metric_forget(struct sim_metric *m, int64_t before_minute)
{
	unsigned n = metric_seek(m, before_minute);
	for (unsigned i = 0; i < n; i++)
		free(m->pt[i].raw);
	m->npt -= n;
	if (n)
		memmove(m->pt, m->pt + n, m->npt * sizeof *m->pt);
}

/* ---- statistics */

bool stat_parse(const char *text, struct sim_stat *s)
{
	static const char *const plain[] = { "SampleCount", "Average", "Sum", "Minimum", "Maximum" };
	for (unsigned i = 0; i < sizeof plain / sizeof *plain; i++)
		if (strcmp(plain[i], text) == 0) {
			s->kind = i;
			return true;
		}
	char *end;
	if (text[0] != 'p' || text[1] < '0' || text[1] > '9')
		return false;
	s->kind = STAT_PERCENTILE;
	s->p = strtod(text + 1, &end);
	return !*end && s->p <= 100;
}

bool metric_set_of(const struct sim_metric *m, int64_t from, int64_t to, struct sim_set *set)
{
	*set = (struct sim_set){ 0 };
	for (unsigned i = metric_seek(m, from); i < m->npt && m->pt[i].minute < to; i++)
		set_merge(set, &m->pt[i].set);
	return set->count > 0;
}

struct weighed {
	double v, count;
};

static int by_value(const void *a, const void *b)
{
	double x = ((const struct weighed *)a)->v, y = ((const struct weighed *)b)->v;
	return x < y ? -1 : x > y;
}

/* The smallest value that at least p percent of the samples do not exceed. */
static double percentile(struct weighed *at, unsigned n, double total, double p)
{
	double seen = 0;
	qsort(at, n, sizeof *at, by_value);
	for (unsigned i = 0; i < n; i++) {
		seen += at[i].count;
		if (seen * 100 >= p * total)
			return at[i].v;
	}
	return at[n - 1].v;
}

static bool stat_percentile(const struct sim_metric *m, int64_t from, int64_t to, double p, double *v)
{
	unsigned first = metric_seek(m, from), n = 0, end;
	double total = 0;
	for (end = first; end < m->npt && m->pt[end].minute < to; end++) {
		if (m->pt[end].blind)
			return false;
		n += m->pt[end].raw ? m->pt[end].raw->n : 1;
	}
	if (n == 0)
		return false;
	struct weighed few[64], *at = n <= 64 ? few : xreallocarray(NULL, n, sizeof *at);
	n = 0;
	for (unsigned i = first; i < end; i++) {
		const struct sim_point *pt = &m->pt[i];
		total += pt->set.count;
		for (unsigned k = 0; pt->raw && k < pt->raw->n; k++)
			at[n++] = (struct weighed){ pt->raw->at[k].v, pt->raw->at[k].count };
		if (!pt->raw)
			at[n++] = (struct weighed){ pt->set.min, pt->set.count };
	}
	*v = percentile(at, n, total, p);
	if (at != few)
		free(at);
	return true;
}

bool metric_stat(const struct sim_metric *m, int64_t from, int64_t to, const struct sim_stat *s, double *v)
{
	struct sim_set set;
	if (s->kind == STAT_PERCENTILE)
		return stat_percentile(m, from, to, s->p, v);
	if (!metric_set_of(m, from, to, &set))
		return false;
	switch (s->kind) {
	case STAT_COUNT: *v = set.count; break;
	case STAT_AVERAGE: *v = set.sum / set.count; break;
	case STAT_SUM: *v = set.sum; break;
	case STAT_MIN: *v = set.min; break;
	default: *v = set.max; break;
	}
	return true;
}
