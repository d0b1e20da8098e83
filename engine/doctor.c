/* REQUEST_DOCTOR: what sluice found of its surroundings, each value with its source, each permission tried once. */
#include "aws/http/proxy.h"
#include "core/file.h"
#include "core/mem.h"
#include "core/text.h"
#include "engine/inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct probe {
	struct engine *g;
	struct task *t;
	struct list_metrics_in in;
	struct list_metrics_out out;
	bool answered;
};

static struct finding *add(struct doctor_result *d, const char *topic, const char *name, const char *value,
                           const char *source)
{
	d->findings = xreallocarray(d->findings, d->n + 1u, sizeof *d->findings);
	struct finding *f = &d->findings[d->n++];
	*f = (struct finding){ .topic = topic,
		                   .name = xstrdup(name),
		                   .value = xstrdup(value ? value : "not set"),
		                   .source = source && source[0] ? xstrdup(source) : NULL };
	return f;
}

static void add_sourced(struct doctor_result *d, const char *name, const struct sourced *s)
{
	add(d, "account", name, s->value, s->source);
}

static void add_credentials(struct doctor_result *d, const struct engine *g)
{
	struct cred_info i;
	char text[64] = "never";
	cred_look(g->cred, &i);
	add(d, "credentials", "source", i.where ? cred_from_name(i.from) : "none", i.where);
	if (i.role_arn)
		add(d, "credentials", "role", i.role_arn, i.where);
	if (i.generation) {
		add(d, "credentials", "access key", i.access_key, i.where);
		add(d, "credentials", "secret key", "set (never shown)", i.where);
		add(d, "credentials", "session token", i.token ? "set (never shown)" : "none", i.where);
		if (i.expires)
			clock_rfc3339(i.expires, text);
		add(d, "credentials", "expire", text, NULL);
	}
	const struct err *why = g->account_err.code != ERR_OK ? &g->account_err : &i.err;
	if (why->code != ERR_OK)
		add(d, "credentials", "usable", "no", NULL)->problem = *why;
}

static void add_switch(struct doctor_result *d, const char *name, const struct sourced *s)
{
	add(d, "account", name, s->value ? s->value : "false", s->value ? s->source : "default");
}

static void add_attempts(struct doctor_result *d, const struct account *a)
{
	char text[16];
	snprintf(text, sizeof text, "%u", a->attempts);
	add(d, "account", "attempts", text, a->max_attempts.value ? a->max_attempts.source : "default");
}

/* There is one mode here, whatever the SDKs are told: the newest standard one, and rate gates that do what adaptive is for. */
static void add_retry_mode(struct doctor_result *d, const struct account *a)
{
	const char *v = a->retry_mode.value;
	if (v && strcmp(v, "standard") != 0)
		add(d, "account", "retry mode", "standard, with rate gates: no other is known here", a->retry_mode.source);
	else
		add(d, "account", "retry mode", "standard", v ? a->retry_mode.source : "default");
}

/* The way to CloudWatch, which every poll takes; a password in it is never shown. */
static void add_proxy(struct doctor_result *d, const struct account *a)
{
	struct buf url, shown;
	buf_init(&url, 1024);
	buf_init(&shown, 1024);
	if (account_endpoint(a, op_describe_alarms.service, &url, NULL)) {
		struct proxy p = proxy_for(url.p);
		struct err e = { 0 };
		if (p.url)
			proxy_mask(&shown, p.url);
		struct finding *f = add(d, "account", "proxy", p.url ? shown.p : "none", p.source);
		if (p.url && !proxy_valid(&p, &e))
			f->problem = e;
	}
	buf_clear(&url);
	buf_clear(&shown);
}

/* FIPS beside a custom endpoint and the like: said before any call fails for it. */
static void add_endpoint_problem(struct doctor_result *d, const struct engine *g)
{
	struct buf url;
	struct err e = { 0 };
	buf_init(&url, 1024);
	if (g->account->region.value && !account_endpoint(g->account, op_describe_alarms.service, &url, &e))
		add(d, "account", "endpoint usable", "no", NULL)->problem = e;
	buf_clear(&url);
}

static void add_account(struct doctor_result *d, const struct engine *g)
{
	const struct account *a = g->account;
	add_sourced(d, "profile", &a->profile);
	add_sourced(d, "region", &a->region);
	add(d, "account", "endpoint", a->endpoint_url.value ? a->endpoint_url.value : "AWS's own", a->endpoint_url.source);
	for (unsigned i = 0; i < a->nservice_endpoints; i++) {
		char *name = xasprintf("endpoint %s", a->service_endpoints[i].service_env);
		add_sourced(d, name, &a->service_endpoints[i].url);
		free(name);
	}
	add(d, "account", "trust store", a->ca_bundle.value ? a->ca_bundle.value : "the system's", a->ca_bundle.source);
	add_switch(d, "FIPS endpoints", &a->fips);
	add_switch(d, "dual-stack endpoints", &a->dualstack);
	if (a->sts_endpoints.value)
		add_sourced(d, "STS endpoints", &a->sts_endpoints);
	add_attempts(d, a);
	add_retry_mode(d, a);
	add_proxy(d, a);
	add_endpoint_problem(d, g);
	add_credentials(d, g);
}

static void add_identity(struct doctor_result *d, const struct engine *g)
{
	struct finding *f =
	    add(d, "account", "account", g->target.account[0] ? g->target.account : "unknown", "sts:GetCallerIdentity");
	f->problem = g->identity_err;
	if (g->target.caller[0])
		add(d, "account", "caller", g->target.caller, "sts:GetCallerIdentity");
}

#define CLOCK_FAR 240 /* AWS refuses signatures more than five minutes off */

static void add_clock(struct doctor_result *d, const struct engine *g)
{
	int64_t ahead;
	char text[64] = "unknown: no answer said the time";
	bool known = aws_clock(g->aws, &ahead);
	if (known)
		snprintf(text, sizeof text, "%lld s %s the service's", (long long)llabs(ahead),
		         ahead > 0 ? "behind" : "ahead of");
	struct finding *f = add(d, "clock", "this machine's", text, "Date of the first answer");
	if (known && llabs(ahead) > CLOCK_FAR)
		err_set(&f->problem, ERR_REFUSED, "clock",
		        "%s: too far for AWS, whose clock is followed instead; set this machine's", text);
}

#define MIB (1 << 20)

/* How much the file holds, of what it may, and how far back. */
static void add_history_size(struct doctor_result *d, const struct engine *g)
{
	struct cache_facts f;
	struct err e = { 0 };
	char text[160], oldest[64] = "none";
	if (!cache_facts(g->cache, &f, &e)) {
		add(d, "history", "size", "unknown", NULL)->problem = e;
		return;
	}
	snprintf(text, sizeof text, "%.1f MiB of at most %.0f, %.1f of it free; %.1f in its log", (double)f.bytes / MIB,
	         (double)f.cap / MIB, (double)f.unused / MIB, (double)f.log / MIB);
	struct finding *size = add(d, "history", "size", text, "history_max");
	if (f.bytes > f.cap)
		err_set(&size->problem, ERR_CONF, "history_max",
		        "the file was larger already: it grows no more, but shrinks only by `sqlite3 FILE VACUUM` while no "
		        "sluice runs");
	if (f.oldest >= 0)
		clock_rfc3339(f.oldest, oldest);
	add(d, "history", "oldest point", oldest, NULL);
	snprintf(text, sizeof text, "%lld days, as they came for %lld", (long long)(g->conf->retention / 86400),
	         (long long)(g->conf->history_fine / 86400));
	add(d, "history", "kept", text, "retention, history_fine");
}

static void add_cache(struct doctor_result *d, const struct engine *g)
{
	struct finding *f = add(d, "history", "file", g->o.cache_path, NULL);
	f->problem = g->cache_err;
	if (!g->cache)
		return;
	const char *note = cache_note(g->cache);
	add(d, "history", "use", note ? note : "written by this sluice", NULL);
	add_history_size(d, g);
}

static void add_files(struct doctor_result *d)
{
	struct file_note notes[FILE_NOTES];
	unsigned n = file_notes(notes);
	for (unsigned i = 0; i < n; i++) {
		struct finding *f = add(d, "files", "settings", notes[i].path, NULL);
		err_set(&f->problem, ERR_CONF, "", "%s", notes[i].text);
		err_at(&f->problem, notes[i].path, 0);
	}
}

static int by_name(const void *a, const void *b)
{
	const struct aws_stat *const *x = a, *const *y = b;
	return strcmp((*x)->op->iam, (*y)->op->iam);
}

/* In an order that does not depend on which service answered first. */
static void add_permissions(struct doctor_result *d, const struct engine *g)
{
	unsigned n = 0;
	const struct aws_stat *stats = aws_stats(g->aws, &n);
	const struct aws_stat **sorted = xcalloc(n + 1u, sizeof *sorted);
	for (unsigned i = 0; i < n; i++)
		sorted[i] = &stats[i];
	qsort(sorted, n, sizeof *sorted, by_name);
	for (unsigned i = 0; i < n; i++) {
		const struct err *e = &sorted[i]->last;
		add(d, "permission", sorted[i]->op->iam, e->code == ERR_OK ? "allowed" : err_name(e->code), NULL)->problem = *e;
	}
	free(sorted);
}

static void probe_done(void *ctx, const struct op *op, void *in, void *out, const struct err *e)
{
	(void)op, (void)in, (void)out, (void)e;
	struct probe *p = ctx;
	p->answered = true;
	list_metrics_out_clear(&p->out);
	free(p->in.page.token);
	p->in.page.token = NULL;
}

/* Every operation once, and of the billed one a single metric. */
static void begin(struct engine *g, struct task *t)
{
	struct metric_id id = { 0 };
	metric_set(&id, "AWS/SQS", "NumberOfMessagesSent", "Sum");
	metric_add_dim(&id, "QueueName", "sluice-doctor");
	g->extra = xreallocarray(NULL, 1, sizeof(struct measure *));
	g->extra[g->nextra++] = inventory_measure(g, &id, STEP, true);
	metric_clear(&id);
	g->lookback = WINDOW;
	task_need(g, t, NEED_IDENTITY | NEED_LIST | NEED_DESCRIBE | NEED_EDGES | NEED_ALARMS | NEED_EXTRA);
}

void doctor_step(struct engine *g, struct task *t)
{
	struct doctor_result *d = &t->result->doctor;
	struct probe *p = t->work;
	if (t->state == 0 && g->account_err.code == ERR_OK) {
		t->state = 1;
		begin(g, t);
		return;
	}
	if (t->state == 1 && g->aws && !p) {
		p = t->work = arena_alloc(&t->mem, sizeof *p);
		*p =
		    (struct probe){ .g = g, .t = t, .in = { .ns = "AWS/SQS", .name = "NumberOfMessagesSent", .recent = true } };
		aws_call(g->aws, &op_list_metrics, &p->in, &p->out, probe_done, p);
	}
	if (p && !p->answered)
		return;
	add_account(d, g);
	if (g->aws) {
		add_identity(d, g);
		add_clock(d, g);
		add_permissions(d, g);
	}
	add_cache(d, g);
	add_files(d);
	t->done = true;
}
