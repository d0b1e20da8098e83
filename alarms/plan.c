#include "alarms/plan.h"

#include "alarms/composite.h"
#include "core/mem.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define BODY_MOST (1024u * 1024)
#define NOTES 24

static int by_name(const void *a, const void *b)
{
	const struct live_alarm *x = a, *y = b;
	return strcmp(x->name, y->name);
}

const struct live_alarm *plan_live(const struct plan_in *in, const char *name)
{
	struct live_alarm key = { .name = name };
	return in->nlive ? bsearch(&key, in->live, in->nlive, sizeof key, by_name) : NULL;
}

void plan_note(struct arena *mem, struct plan_step *s, const char *note)
{
	if (!s->notes)
		s->notes = arena_array(mem, NOTES, sizeof *s->notes);
	if (s->nnotes < NOTES)
		s->notes[s->nnotes++] = arena_strdup(mem, note);
}

static void refuse(struct plan_step *s, const char *why)
{
	if (s->what != PLAN_REFUSED)
		s->why = why;
	s->what = PLAN_REFUSED;
}

/* ---- what differs */

struct diff {
	struct arena *mem;
	struct plan_change *v;
	unsigned n, cap;
	const char *kept, *lost, *strange; /* paths of settings that this build does not know */
};

static void change(struct diff *d, const char *path, const char *from, const char *to)
{
	const char *fallback = form_default(path);
	MEM_GROW(d->v, d->n, d->cap);
	d->v[d->n++] =
	    (struct plan_change){ path, from ? from : fallback, to ? to : fallback, !from && fallback, !to && fallback };
}

static const char *listed(struct arena *mem, const char *list, const char *path)
{
	return list ? arena_printf(mem, "%s, %s", list, path) : arena_strdup(mem, path);
}

/* A live setting that is unknown stays when a copy of the whole member can be sent along: when the file does not set that member. */
static void only_live(struct diff *d, const struct wish *w, const struct form_line *line)
{
	size_t n = strcspn(line->path, ".[");
	char *member = arena_strndup(d->mem, line->path, n);
	if (line->known)
		change(d, line->path, line->value, NULL);
	else if (form_member(w->kind, member) == FORM_UNKNOWN && !json_get(w->body, member))
		d->kept = d->kept && strstr(d->kept, member) ? d->kept : listed(d->mem, d->kept, member);
	else
		d->lost = listed(d->mem, d->lost, line->path);
}

static void only_wished(struct diff *d, const struct form_line *line)
{
	if (line->known)
		change(d, line->path, NULL, line->value);
	else
		d->strange = listed(d->mem, d->strange, line->path);
}

static void both(struct diff *d, const struct form_line *is, const struct form_line *wanted)
{
	if (strcmp(is->value, wanted->value) == 0)
		return;
	if (is->known)
		change(d, is->path, is->value, wanted->value);
	else
		d->strange = listed(d->mem, d->strange, wanted->path);
}

static void diff_forms(struct diff *d, const struct wish *w, const struct form *live)
{
	const struct form *f = &w->form;
	unsigned i = 0, j = 0;
	while (i < f->n || j < live->n) {
		int order = i == f->n ? 1 : j == live->n ? -1 : strcmp(f->v[i].path, live->v[j].path);
		if (order < 0)
			only_wished(d, &f->v[i++]);
		else if (order > 0)
			only_live(d, w, &live->v[j++]);
		else
			both(d, &live->v[j++], &f->v[i++]);
	}
}

/* ---- tags */

static const char *tag_value(const struct alarm_tag *v, unsigned n, const char *key)
{
	for (unsigned i = 0; i < n; i++)
		if (strcmp(v[i].key, key) == 0)
			return v[i].value;
	return NULL;
}

static const char *quoted(struct arena *mem, const char *text)
{
	struct buf b;
	struct json_out o;
	buf_init(&b, 16384);
	json_out_init(&o, &b);
	json_out_str(&o, NULL, text);
	const char *kept = arena_strndup(mem, b.p ? b.p : "", b.n);
	buf_clear(&b);
	return kept;
}

static void diff_tag(struct diff *d, struct plan_act *a, struct alarm_tag *put, const char *key, const char *value)
{
	const char *is = a->live ? tag_value(a->live->tags, a->live->ntags, key) : NULL;
	if (is && strcmp(is, value) == 0)
		return;
	put[a->ntags++] = (struct alarm_tag){ key, value };
	change(d, arena_printf(d->mem, "Tags[%s]", key), is ? quoted(d->mem, is) : NULL, quoted(d->mem, value));
}

/* The keys that the file does not name. The owner's is not the file's to name, and AWS's own cannot be written. */
static void diff_gone(struct diff *d, struct plan_act *a, const char **gone)
{
	const struct wish *w = a->wish;
	const struct live_alarm *l = a->live;
	for (unsigned i = 0; w->tagged && l && i < l->ntags; i++) {
		const char *key = l->tags[i].key;
		if (strncmp(key, "aws:", 4) == 0 || strcmp(key, ALARM_OWNER_TAG) == 0 || tag_value(w->tags, w->ntags, key))
			continue;
		gone[a->nuntag++] = key;
		change(d, arena_printf(d->mem, "Tags[%s]", key), quoted(d->mem, l->tags[i].value), NULL);
	}
}

/* The owner's tag belongs to what is written or adopted. Of an alarm whose tags are not told nothing else is said of them. */
static void diff_tags(struct diff *d, const struct plan_in *in, struct plan_act *a, bool written)
{
	const struct wish *w = a->wish;
	const struct live_alarm *l = a->live;
	bool known = !l || l->tags_known;
	struct alarm_tag *put = arena_array(d->mem, w->ntags + 1u, sizeof *put);
	const char **gone = arena_array(d->mem, l ? l->ntags + 1u : 1u, sizeof *gone);
	a->tags = put;
	a->untag = gone;
	for (unsigned i = 0; known && i < w->ntags; i++)
		if (strcmp(w->tags[i].key, ALARM_OWNER_TAG) != 0 && strncmp(w->tags[i].key, "aws:", 4) != 0)
			diff_tag(d, a, put, w->tags[i].key, w->tags[i].value);
	if (known ? written || a->ntags || in->adopt : written && in->adopt)
		diff_tag(d, a, put, ALARM_OWNER_TAG, in->file->owner);
	if (known)
		diff_gone(d, a, gone);
}

/* ---- who may write it */

static const char *keeper(struct arena *mem, const struct live_alarm *l)
{
	for (unsigned i = 0; i < l->ntags; i++) {
		enum alarm_manager m = alarm_manager_of(l->tags[i].key, l->tags[i].value);
		if (m == ALARM_MANAGER_CLOUDFORMATION || m == ALARM_MANAGER_TERRAFORM)
			return arena_printf(mem, "%s keeps it (tag %s = %s)", alarm_manager_name(m), l->tags[i].key,
			                    l->tags[i].value);
	}
	return NULL;
}

static const char *not_owned(struct arena *mem, const struct alarm_file *f, const struct live_alarm *l)
{
	const char *by = keeper(mem, l), *owner = tag_value(l->tags, l->ntags, ALARM_OWNER_TAG);
	if (!l->tags_known)
		return arena_printf(mem,
		                    "whose it is cannot be told: its tags were not read (%s); --adopt writes it all the same",
		                    l->tags_why ? l->tags_why : "not asked");
	if (by)
		return arena_printf(mem, "%s; --adopt writes it all the same", by);
	if (!owner)
		return "it has no tag " ALARM_OWNER_TAG ": somebody else made it; --adopt takes it over";
	if (strcmp(owner, f->owner) != 0)
		return arena_printf(
		    mem, "it belongs to \"%s\" (tag " ALARM_OWNER_TAG "), this file to \"%s\"; --adopt takes it over", owner,
		    f->owner);
	return NULL;
}

/* ---- the body */

static void put_tags(struct json_out *o, const struct plan_act *a)
{
	json_out_array(o, "Tags");
	for (unsigned i = 0; i < a->ntags; i++) {
		json_out_object(o, NULL);
		json_out_str(o, "Key", a->tags[i].key);
		json_out_str(o, "Value", a->tags[i].value);
		json_out_object_end(o);
	}
	json_out_array_end(o);
}

/* The file's members as they stand, then what the live alarm has and this build does not know. */
static const char *body_of(struct arena *mem, const struct plan_act *a)
{
	struct buf b;
	struct json_out o;
	const struct json *live = a->live ? a->live->body : NULL;
	buf_init(&b, BODY_MOST);
	json_out_init(&o, &b);
	json_out_object(&o, NULL);
	for (const struct json *m = json_first(a->wish->body); m; m = json_next(m))
		json_out_node(&o, json_key(m), m);
	for (const struct json *m = json_first(live); m; m = json_next(m))
		if (form_member(a->wish->kind, json_key(m)) == FORM_UNKNOWN && !json_get(a->wish->body, json_key(m)))
			json_out_node(&o, json_key(m), m);
	if (!a->live && a->ntags)
		put_tags(&o, a);
	json_out_object_end(&o);
	const char *text = o.ok ? arena_strndup(mem, b.p, b.n) : NULL;
	buf_clear(&b);
	return text;
}

/* ---- one alarm */

static void refuse_unknown(struct arena *mem, struct plan_step *s, const struct wish *w, const struct diff *d)
{
	if (d->lost)
		refuse(s, arena_printf(mem, "the alarm has %s, which this build does not know and could not keep", d->lost));
	if (!d->strange)
		return;
	const char *near = form_near(w->kind, d->strange);
	refuse(s, near
	              ? arena_printf(mem, "%s: this build knows no such setting; %s?", d->strange, near)
	              : arena_printf(mem, "%s: this build knows no such setting, and the alarm has it not so", d->strange));
}

static void compare(struct diff *d, const struct plan_in *in, struct plan_step *s, struct plan_act *a)
{
	const struct live_alarm *l = a->live;
	struct form live = { 0 };
	struct err ignored;
	if (l)
		form_read(d->mem, l->body, &live, &ignored);
	diff_forms(d, a->wish, &live);
	form_clear(&live);
	bool written = !l || d->n;
	diff_tags(d, in, a, written);
	refuse_unknown(d->mem, s, a->wish, d);
	s->kept = d->kept;
	if (s->what == PLAN_REFUSED)
		return;
	s->what = !l ? PLAN_CREATE : d->n ? PLAN_CHANGE : PLAN_SAME;
	a->body = written ? body_of(d->mem, a) : NULL;
	if (written && !a->body)
		refuse(s, "its body is too large");
	const char *why = l && s->what == PLAN_CHANGE && !in->adopt && !in->drift ? not_owned(d->mem, in->file, l) : NULL;
	if (why)
		refuse(s, why);
}

static void step_of(struct arena *mem, const struct plan_in *in, const struct wish *w, struct plan_step *s,
                    struct plan_act *a)
{
	struct diff d = { .mem = mem };
	*a = (struct plan_act){ .wish = w, .live = plan_live(in, w->name) };
	*s = (struct plan_step){
		.name = w->name, .kind = form_kind_name(w->kind), .usd = alarm_usd(w->body), .usd_before = 0
	};
	if (w->note)
		plan_note(mem, s, w->note);
	if (a->live)
		s->usd_before = alarm_usd(a->live->body);
	if (a->live && a->live->kind != w->kind)
		refuse(s, arena_printf(mem, "there is a %s alarm of this name, which cannot become a %s one",
		                       form_kind_name(a->live->kind), form_kind_name(w->kind)));
	else
		compare(&d, in, s, a);
	struct plan_change *kept = arena_array(mem, d.n, sizeof *kept);
	if (d.n)
		memcpy(kept, d.v, d.n * sizeof *kept);
	free(d.v);
	s->changes = kept;
	s->nchanges = d.n;
}

/* ---- children first */

struct kin {
	struct family *v; /* the file's alarms, then the account's other composites */
	unsigned n;
	unsigned *order;
	const char **ring;
};

static void children_of(struct arena *mem, const char *rule, struct family *f, struct plan_step *s)
{
	struct err e = { 0 };
	if (rule && !composite_children(mem, rule, &f->children, &e) && s)
		refuse(s, arena_strdup(mem, e.text));
}

static void family(struct arena *mem, const struct plan_in *in, struct plan_step *steps, struct kin *k)
{
	const struct alarm_file *f = in->file;
	k->v = arena_array(mem, f->n + in->nlive, sizeof *k->v);
	k->order = arena_array(mem, f->n + in->nlive, sizeof *k->order);
	k->ring = arena_array(mem, f->n + in->nlive, sizeof *k->ring);
	for (k->n = 0; k->n < f->n; k->n++) {
		k->v[k->n].name = f->v[k->n].name;
		children_of(mem, json_get_str(f->v[k->n].body, "AlarmRule"), &k->v[k->n], &steps[k->n]);
	}
	for (unsigned i = 0; i < in->nlive; i++) {
		if (in->live[i].kind != FORM_COMPOSITE || alarm_file_find(f, in->live[i].name))
			continue;
		k->v[k->n].name = in->live[i].name;
		children_of(mem, json_get_str(in->live[i].body, "AlarmRule"), &k->v[k->n++], NULL);
	}
	if (k->n)
		composite_order(mem, k->v, k->n, k->order, k->ring);
}

/* A composite of an alarm that is refused and not there yet cannot be written; of one that is nowhere, CloudWatch decides. */
static void missing_children(struct arena *mem, const struct plan_in *in, const struct plan_step *steps,
                             const struct family *f, struct plan_step *s)
{
	for (unsigned i = 0; i < f->children.n; i++) {
		const char *name = f->children.v[i];
		const struct wish *w = alarm_file_find(in->file, name);
		if (w && steps[w - in->file->v].what == PLAN_REFUSED && !plan_live(in, name))
			refuse(s, arena_printf(mem, "its child %s is refused, and not there yet", name));
		else if (!w && !plan_live(in, name))
			plan_note(mem, s,
			          arena_printf(mem, "its rule names %s, which is neither in the file nor in the account", name));
	}
}

/* ---- all of it */

static void count(struct alarm_plan *p)
{
	unsigned *const counts[] = {
		[PLAN_SAME] = &p->same, [PLAN_CREATE] = &p->create, [PLAN_CHANGE] = &p->change, [PLAN_REFUSED] = &p->refused
	};
	for (unsigned i = 0; i < p->n; i++) {
		++*counts[p->steps[i].what];
		p->usd += isnan(p->steps[i].usd) ? 0 : p->steps[i].usd;
		p->usd_before += isnan(p->steps[i].usd_before) ? 0 : p->steps[i].usd_before;
	}
}

void plan_make(struct arena *mem, const struct plan_in *in, struct alarm_plan *out, struct plan_act **acts)
{
	const struct alarm_file *f = in->file;
	struct plan_step *steps = arena_array(mem, f->n, sizeof *steps);
	struct plan_act *as = arena_array(mem, f->n, sizeof *as);
	struct kin k;
	for (unsigned i = 0; i < f->n; i++)
		step_of(mem, in, &f->v[i], &steps[i], &as[i]);
	family(mem, in, steps, &k);
	*out = (struct alarm_plan){ .owner = f->owner, .steps = arena_array(mem, f->n, sizeof *out->steps) };
	*acts = arena_array(mem, f->n, sizeof **acts);
	for (unsigned i = 0; i < k.n; i++) {
		unsigned at = k.order[i];
		if (at >= f->n)
			continue;
		if (k.ring[at])
			refuse(&steps[at], arena_printf(mem, "it would be in a ring: %s", k.ring[at]));
		missing_children(mem, in, steps, &k.v[at], &steps[at]);
		out->steps[out->n] = steps[at];
		(*acts)[out->n++] = as[at];
	}
	count(out);
}

/* ---- afterwards */

bool plan_untouched(struct arena *mem, const struct plan_act *a, const struct json *now)
{
	static const char stamp[] = "AlarmConfigurationUpdatedTimestamp";
	struct form was, is;
	struct err ignored;
	int64_t then_ms = 0, now_ms = 0;
	if (!a->live || !now)
		return !a->live == !now;
	json_time_ms(json_get(a->live->body, stamp), &then_ms);
	json_time_ms(json_get(now, stamp), &now_ms);
	form_read(mem, a->live->body, &was, &ignored);
	form_read(mem, now, &is, &ignored);
	bool same = then_ms == now_ms && was.n == is.n && a->live->kind == form_kind_of(now);
	for (unsigned i = 0; same && i < was.n; i++)
		same = strcmp(was.v[i].path, is.v[i].path) == 0 && strcmp(was.v[i].value, is.v[i].value) == 0;
	form_clear(&was);
	form_clear(&is);
	return same;
}

/* What this build does not know may be of a kind that AWS changes by itself: it must be there, whatever its value. */
static const char *kept_missing(struct arena *mem, const struct plan_act *a, const struct json *read)
{
	for (const struct json *m = json_first(a->live ? a->live->body : NULL); m; m = json_next(m))
		if (form_member(a->wish->kind, json_key(m)) == FORM_UNKNOWN && !json_is_null(m) &&
		    json_is_null(json_get(read, json_key(m))))
			return arena_printf(mem, "%s, which this build does not know, is gone", json_key(m));
	return NULL;
}

bool plan_came_true(struct arena *mem, const struct plan_act *a, const struct json *read, const char **why)
{
	struct diff d = { .mem = mem };
	struct form is;
	struct err ignored;
	*why = read ? NULL : "it is not there";
	if (!read)
		return false;
	form_read(mem, read, &is, &ignored);
	diff_forms(&d, a->wish, &is);
	form_clear(&is);
	for (unsigned i = 0; i < d.n && !*why; i++)
		*why = arena_printf(mem, "%s is %s, not %s", d.v[i].path, d.v[i].from ? d.v[i].from : "not set",
		                    d.v[i].to ? d.v[i].to : "unset");
	free(d.v);
	if (!*why)
		*why = kept_missing(mem, a, read);
	return !*why;
}
