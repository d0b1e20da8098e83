#include "sim/fault.h"

#include "core/buf.h"
#include "core/json.h"
#include "sim/sim_req.h"
#include "sim/world.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct fault fault_rows[FAULT_COUNT] = {
#define X(id, name, where, when, param, otherwise, least, most, act, help)                                             \
	{ name, where, when, param, otherwise, least, most, act, help },
	FAULTS(X)
#undef X
};

/* ---- operations and patterns */

const char *fault_service(const char *service)
{
	return strcmp(service, "monitoring") == 0 ? "cloudwatch" : service;
}

/* Is there an operation that both this word of a row ("*", "sqs:*", "sqs:SendMessage") and the switch mean? */
static bool overlap(struct span word, const char *service, const char *op)
{
	const char *colon = word.n ? memchr(word.p, ':', word.n) : NULL;
	if (!colon || strcmp(service, "*") == 0)
		return true;
	struct span theirs = { word.p, (size_t)(colon - word.p) }, what = { colon + 1, word.n - theirs.n - 1 };
	return span_eq(theirs, service) && (span_eq(what, "*") || strcmp(op, "*") == 0 || span_eq(what, op));
}

static bool applies(const struct fault *row, const char *service, const char *op)
{
	for (const char *p = row->where; *p; p += strspn(p, " ")) {
		size_t n = strcspn(p, " ");
		if (overlap((struct span){ p, n }, service, op))
			return true;
		p += n;
	}
	return false;
}

static const struct sim_service *service_named(const char *name)
{
	unsigned n;
	const struct sim_service *const *all = sim_services(&n);
	for (unsigned i = 0; i < n; i++)
		if (strcmp(fault_service(all[i]->name), name) == 0)
			return all[i];
	return NULL;
}

static bool known_op(const char *service, const char *op)
{
	const struct sim_service *s = service_named(service);
	for (unsigned i = 0; s && i < s->nops; i++)
		if (strcmp(s->ops[i].name, op) == 0)
			return true;
	return s && strcmp(op, "*") == 0;
}

/* ---- reading a switch */

#define BAD(...) err_set(e, ERR_USAGE, "fault", __VA_ARGS__)

static bool read_op(struct span s, struct fault_on *on, struct err *e)
{
	char text[80];
	if (!sim_copy(text, sizeof text, s))
		return BAD("write OP=FAULT, as in sqs:ReceiveMessage=throttle");
	if (strcmp(text, "*") == 0) {
		sim_copy(on->service, sizeof on->service, SPAN("*"));
		sim_copy(on->op, sizeof on->op, SPAN("*"));
		return true;
	}
	char *colon = strchr(text, ':');
	if (!colon)
		return BAD("'%s' is no operation: they are written service:Operation, service:* and *", text);
	*colon = '\0';
	if (!service_named(text))
		return BAD("no service '%s'", text);
	if (!known_op(text, colon + 1) || !sim_copy(on->service, sizeof on->service, span_of(text)) ||
	    !sim_copy(on->op, sizeof on->op, span_of(colon + 1)))
		return BAD("no operation '%s' of that service", colon + 1);
	return true;
}

/* Whole, decimal or 0x. */
static bool read_int(const char *text, int64_t least, int64_t most, int64_t *v)
{
	char *end;
	errno = 0;
	if (!*text || text[strspn(text, "0123456789abcdefABCDEFx-")])
		return false;
	*v = strtoll(text, &end, 0);
	return !errno && !*end && *v >= least && *v <= most;
}

static bool read_word(const char *words, const char *text, int64_t *place)
{
	*place = 0;
	for (const char *p = words; *p; ++*place) {
		size_t n = strcspn(p, "|");
		if (strlen(text) == n && strncmp(p, text, n) == 0)
			return true;
		p += n + (p[n] == '|');
	}
	return false;
}

void fault_word(const struct fault *row, int64_t place, char *out, size_t size)
{
	const char *p = row->param;
	while (place-- > 0)
		p += strcspn(p, "|") + 1;
	snprintf(out, size, "%.*s", (int)strcspn(p, "|"), p);
}

static bool read_param(const char *text, struct fault_on *on, struct err *e)
{
	const struct fault *row = &fault_rows[on->id];
	bool words = strchr(row->param, '|') != NULL;
	if (!*row->param)
		return BAD("%s takes no parameter", row->name);
	if (words ? read_word(row->param, text, &on->param) : read_int(text, row->least, row->most, &on->param))
		return true;
	return words ? BAD("%s wants %.160s, not '%s'", row->name, row->param, text)
	             : BAD("%s wants %s from %" PRId64 " to %" PRId64 ", not '%s'", row->name, row->param, row->least,
	                   row->most, text);
}

static bool read_fault(char *text, struct fault_on *on, struct err *e)
{
	char *param = strchr(text, ':');
	if (param)
		*param++ = '\0';
	for (on->id = 0; on->id < FAULT_COUNT; on->id++)
		if (strcmp(fault_rows[on->id].name, text) == 0)
			break;
	if (on->id == FAULT_COUNT)
		return BAD("no fault '%s': `sluice sim --fault list` names them", text);
	const struct fault *row = &fault_rows[on->id];
	if (!applies(row, on->service, on->op))
		return BAD("%s is for %s", row->name, row->where);
	on->param = row->otherwise;
	return !param || read_param(param, on, e);
}

static bool read_p(const char *text, double *p)
{
	char *end;
	if (!*text || text[strspn(text, "0123456789.")])
		return false;
	*p = strtod(text, &end);
	return !*end && *p > 0 && *p <= 1;
}

static bool read_limit(char *text, struct fault_on *on, struct err *e)
{
	char *value = strchr(text, '=');
	int64_t n = 0;
	if (!value)
		return BAD("'%s' is no limit: times=N, after=N, p=0.5 and seed=N are", text);
	*value++ = '\0';
	if (strcmp(text, "p") == 0)
		return read_p(value, &on->p) || BAD("p wants a number over 0, at most 1, not '%s'", value);
	uint64_t *to = strcmp(text, "times") == 0   ? &on->times
	               : strcmp(text, "after") == 0 ? &on->after
	               : strcmp(text, "seed") == 0  ? &on->seed
	                                            : NULL;
	if (!to)
		return BAD("'%s' is no limit: times=N, after=N, p=0.5 and seed=N are", text);
	if (!read_int(value, to == &on->times, FAULT_1E9, &n))
		return BAD("%s wants a whole number, not '%s'", text, value);
	*to = (uint64_t)n;
	return true;
}

bool fault_parse(const char *spec, struct fault_on *on, struct err *e)
{
	char text[sizeof on->spec], *rest = text;
	*on = (struct fault_on){ .p = 1, .seed = 1 };
	if (!sim_copy(on->spec, sizeof on->spec, span_of(spec)))
		return BAD("empty, or longer than a switch can be");
	memcpy(text, on->spec, sizeof text);
	char *op = strsep(&rest, "=");
	if (!rest)
		return BAD("'%s' lacks the =: write OP=FAULT, as in sqs:ReceiveMessage=throttle", spec);
	char *fault = strsep(&rest, ",");
	if (!read_op(span_of(op), on, e) || !read_fault(fault, on, e))
		return false;
	while (rest)
		if (!read_limit(strsep(&rest, ","), on, e))
			return false;
	return true;
}

bool fault_switch(struct faults *fs, const char *spec, struct err *e)
{
	struct fault_on on;
	if (!fault_parse(spec, &on, e))
		return false;
	if (fs->n == FAULT_SWITCHES)
		return BAD("too many at once");
	on.number = ++fs->number;
	fs->on[fs->n++] = on;
	return true;
}

void fault_clear(struct faults *fs)
{
	*fs = (struct faults){ .number = fs->number };
}

/* ---- striking */

static bool matches(const struct fault_on *on, const struct sim_req *rq)
{
	const char *service = fault_service(rq->service);
	return applies(&fault_rows[on->id], service, rq->op) &&
	       (strcmp(on->service, "*") == 0 ||
	        (strcmp(on->service, service) == 0 && (strcmp(on->op, "*") == 0 || strcmp(on->op, rq->op) == 0)));
}

/* Is it this call's turn? */
static bool due(const struct world *w, struct fault_on *on)
{
	on->seen++;
	if (on->seen <= on->after || (on->times && on->hits >= on->times))
		return false;
	return on->p >= 1 || world_noise(w, (unsigned)on->seed, (int64_t)on->seen) < on->p;
}

void fault_called(struct world *w, const struct sim_req *rq)
{
	struct faults *fs = &w->faults;
	char name[sizeof fs->call[0].name];
	unsigned i = 0;
	snprintf(name, sizeof name, "%s:%.50s", fault_service(rq->service), rq->op);
	while (i < fs->ncalls && strcmp(fs->call[i].name, name) != 0)
		i++;
	if (i == FAULT_CALLS)
		return;
	if (i == fs->ncalls) {
		memcpy(fs->call[i].name, name, sizeof name);
		fs->ncalls++;
	}
	fs->call[i].n++;
}

struct fault_on *fault_clock(struct world *w, const struct sim_req *rq)
{
	for (unsigned i = 0; i < w->faults.n; i++) {
		struct fault_on *on = &w->faults.on[i];
		if (fault_rows[on->id].when == AT_CLOCK && matches(on, rq) && due(w, on))
			return on;
	}
	return NULL;
}

/* Does the work of the switches of one moment; first: until one struck. */
static enum fault_done act(struct world *w, struct sim_req *rq, enum fault_when when, bool first, struct sim_fail *f)
{
	enum fault_done done = FAULT_PASS;
	for (unsigned i = 0; i < w->faults.n && !(first && done != FAULT_PASS); i++) {
		struct fault_on *on = &w->faults.on[i];
		const struct fault *row = &fault_rows[on->id];
		if (row->when != when || !matches(on, rq) || !due(w, on))
			continue;
		done = row->act(w, rq, on, f);
		on->hits += done != FAULT_PASS;
	}
	return done;
}

enum fault_done fault_before(struct world *w, struct sim_req *rq, struct sim_fail *f)
{
	return act(w, rq, AT_BEFORE, true, f);
}

void fault_after(struct world *w, struct sim_req *rq)
{
	struct sim_fail f;
	act(w, rq, AT_AFTER, false, &f);
}

struct fault_on *fault_inside(struct world *w, const struct sim_req *rq, enum fault_id id)
{
	for (unsigned i = 0; i < w->faults.n; i++) {
		struct fault_on *on = &w->faults.on[i];
		if (on->id == id && matches(on, rq) && due(w, on)) {
			on->hits++;
			return on;
		}
	}
	return NULL;
}

void fault_missed(struct fault_on *on)
{
	on->hits--;
}

/* ---- telling */

static void list_param(const struct fault *row, struct buf *out)
{
	if (strchr(row->param, '|'))
		buf_addf(out, "\n        :%s", row->param);
	else if (*row->param)
		buf_addf(out, "\n        :%s, %" PRId64 " to %" PRId64 ", else %" PRId64, row->param, row->least, row->most,
		         row->otherwise);
}

void fault_list(struct buf *out)
{
	unsigned n;
	const struct sim_service *const *all = sim_services(&n);
	for (unsigned i = 0; i < FAULT_COUNT; i++) {
		const struct fault *row = &fault_rows[i];
		buf_addf(out, "%-20s %s\n        on %s", row->name, row->help, row->where);
		list_param(row, out);
		buf_addc(out, '\n');
	}
	buf_adds(out, "\nOperations:\n");
	for (unsigned i = 0; i < n; i++) {
		buf_addf(out, "%s:", fault_service(all[i]->name));
		for (unsigned k = 0; k < all[i]->nops; k++)
			buf_addf(out, " %s", all[i]->ops[k].name);
		buf_addc(out, '\n');
	}
}

void fault_report(const struct faults *fs, struct buf *out)
{
	struct json_out o;
	json_out_init(&o, out);
	json_out_object(&o, NULL);
	json_out_array(&o, "faults");
	for (unsigned i = 0; i < fs->n; i++) {
		const struct fault_on *on = &fs->on[i];
		json_out_object(&o, NULL);
		json_out_int(&o, "number", (int64_t)on->number);
		json_out_str(&o, "spec", on->spec);
		json_out_str(&o, "fault", fault_rows[on->id].name);
		json_out_int(&o, "seen", (int64_t)on->seen);
		json_out_int(&o, "hits", (int64_t)on->hits);
		json_out_object_end(&o);
	}
	json_out_array_end(&o);
	json_out_object(&o, "calls");
	for (unsigned i = 0; i < fs->ncalls; i++)
		json_out_int(&o, fs->call[i].name, (int64_t)fs->call[i].n);
	json_out_object_end(&o);
	json_out_int(&o, "trapped", (int64_t)fs->trapped);
	json_out_object_end(&o);
}
