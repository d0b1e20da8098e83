#include "alarms/file.h"

#include "core/mem.h"
#include "core/text.h"

#include <stdlib.h>
#include <string.h>

#define BODY_MOST (1024u * 1024)
#define TAGS_MOST 50

/* Puts the alarm before what is wrong with it. */
static bool at_alarm(struct err *e, const char *where, unsigned place, const char *name)
{
	char why[sizeof e->text];
	memcpy(why, e->text, sizeof why);
	why[sizeof why - 1] = '\0';
	if (name)
		return err_set(e, ERR_CONF, where, "alarm \"%.100s\": %.140s", name, why);
	return err_set(e, ERR_CONF, where, "alarm %u: %.200s", place, why);
}

static unsigned characters(const char *s)
{
	unsigned n = 0;
	for (; *s; s++)
		n += ((unsigned char)*s & 0xc0) != 0x80;
	return n;
}

/* ---- one alarm */

static bool empty(const struct json *n)
{
	return json_is_null(n) || (json_is_array(n) && !json_first(n));
}

/* An empty list says that it is not the default's; to the API it says nothing. */
static void put_members(struct json_out *o, const struct json *from, const struct json *but, enum form_kind k)
{
	for (const struct json *m = json_first(from); m; m = json_next(m)) {
		enum form_member is = form_member(k, json_key(m));
		bool keep = is == FORM_SETTING || is == FORM_UNKNOWN || (is == FORM_OTHER_KIND && !but);
		if (keep && !empty(m) && strcmp(json_key(m), "Tags") != 0 && json_is_null(json_get(but, json_key(m))))
			json_out_node(o, json_key(m), m);
	}
}

/* The body in a document of its own. */
static const struct json *merged(struct alarm_file *f, const struct json *alarm, const struct json *defaults,
                                 enum form_kind k, struct err *e)
{
	struct buf b;
	struct json_out o;
	buf_init(&b, BODY_MOST);
	json_out_init(&o, &b);
	json_out_object(&o, NULL);
	put_members(&o, alarm, NULL, k);
	put_members(&o, defaults, alarm, k);
	json_out_object_end(&o);
	struct json *doc = o.ok ? json_parse(buf_span(&b), e) : NULL;
	if (!o.ok)
		err_set(e, ERR_LIMIT, "", "is too large");
	buf_clear(&b);
	if (doc) {
		MEM_GROW(f->docs, f->ndocs, f->cdocs);
		f->docs[f->ndocs++] = doc;
	}
	return doc;
}

static bool read_tags(struct alarm_file *f, const struct json *list, struct wish *w, struct err *e)
{
	unsigned n = 0;
	w->tagged = !json_is_null(list);
	if (w->tagged && !json_is_array(list))
		return err_set(e, ERR_CONF, "", "Tags: a list of {\"Key\", \"Value\"}");
	for (const struct json *t = json_first(list); t; t = json_next(t))
		n++;
	if (n > TAGS_MOST)
		return err_set(e, ERR_CONF, "", "Tags: %d at the most", TAGS_MOST);
	struct alarm_tag *tags = arena_array(&f->mem, n, sizeof *tags);
	w->tags = tags;
	for (const struct json *t = json_first(list); t; t = json_next(t)) {
		const char *key = json_get_str(t, "Key"), *value = json_get_str(t, "Value");
		if (!key || !*key || !value)
			return err_set(e, ERR_CONF, "", "Tags: a list of {\"Key\", \"Value\"}");
		for (unsigned i = 0; i < w->ntags; i++)
			if (strcmp(tags[i].key, key) == 0)
				return err_set(e, ERR_CONF, "", "Tags: \"%.80s\" stands there twice", key);
		tags[w->ntags++] = (struct alarm_tag){ arena_strdup(&f->mem, key), arena_strdup(&f->mem, value) };
	}
	return true;
}

/* What looks like another thing than one alarm with its settings. */
static bool plausible(const struct json *alarm, enum form_kind k, struct err *e)
{
	const char *name = json_get_str(alarm, "AlarmName");
	if (!name || !*name)
		return err_set(e, ERR_CONF, "", "has no \"AlarmName\"");
	if (characters(name) > ALARM_NAME_MOST)
		return err_set(e, ERR_CONF, "", "AlarmName: %u characters, %d at the most", characters(name), ALARM_NAME_MOST);
	if (json_get(alarm, "for_each"))
		return err_set(e, ERR_CONF, "", "for_each is not in this version");
	for (const struct json *m = json_first(alarm); m; m = json_next(m))
		if (form_member(k, json_key(m)) == FORM_OTHER_KIND && !json_is_null(m))
			return err_set(e, ERR_CONF, "", "%.80s: a %s alarm has none", json_key(m), form_kind_name(k));
	return true;
}

static bool read_alarm(struct alarm_file *f, const struct json *alarm, const struct json *defaults, const char *where,
                       struct err *e)
{
	const char *name = json_get_str(alarm, "AlarmName");
	enum form_kind k = form_kind_of(alarm);
	struct wish w = { .kind = k };
	if (!json_is_object(alarm)) {
		err_set(e, ERR_CONF, "", "is no object");
		return at_alarm(e, where, f->n + 1, NULL);
	}
	if (!plausible(alarm, k, e) || !read_tags(f, json_get(alarm, "Tags"), &w, e) ||
	    !(w.body = merged(f, alarm, defaults, k, e)))
		return at_alarm(e, where, f->n + 1, name);
	w.name = arena_strdup(&f->mem, name);
	w.note = arena_strdup(&f->mem, json_get_str(alarm, "//"));
	bool ok = form_read(&f->mem, w.body, &w.form, e) && wish_valid(&w, e);
	if (ok && alarm_file_find(f, name))
		ok = err_set(e, ERR_CONF, "", "stands there twice");
	MEM_GROW(f->v, f->n, f->cap);
	f->v[f->n++] = w;
	return ok || at_alarm(e, where, f->n, name);
}

/* ---- the file */

static const struct {
	const char *name;
	bool alarms, theirs;
} parts[] = {
	{ "version", false, false }, { "owner", false, false },      { "defaults", false, false },
	{ "alarms", true, false },   { "MetricAlarms", true, true }, { "CompositeAlarms", true, true },
	{ "LogAlarms", true, true }, { "NextToken", false, true },
};
#define NPARTS (sizeof parts / sizeof *parts)

static bool defaults_valid(const struct json *defaults, const char *where, struct err *e)
{
	if (defaults && !json_is_object(defaults))
		return err_set(e, ERR_CONF, where, "defaults: an object");
	for (const struct json *m = json_first(defaults); m; m = json_next(m)) {
		enum form_member is[] = { form_member(FORM_METRIC, json_key(m)), form_member(FORM_COMPOSITE, json_key(m)),
			                      form_member(FORM_LOG, json_key(m)) };
		if (is[0] != FORM_SETTING && is[1] != FORM_SETTING && is[2] != FORM_SETTING && is[0] != FORM_NOT_OURS)
			return err_set(e, ERR_CONF, where, "defaults: %.80s is no setting of an alarm", json_key(m));
	}
	return true;
}

static bool read_head(struct alarm_file *f, const struct json *doc, const char *where, struct err *e)
{
	int64_t version = 1;
	const struct json *owner = json_get(doc, "owner");
	if (json_get(doc, "version") && (!json_int(json_get(doc, "version"), &version) || version != 1))
		return err_set(e, ERR_CONF, where, "version: this build reads version 1");
	if (owner && (!json_str(owner) || !*json_str(owner) || characters(json_str(owner)) > 256))
		return err_set(e, ERR_CONF, where, "owner: a text of 1 to 256 characters");
	if (owner)
		f->owner = arena_strdup(&f->mem, json_str(owner));
	if (json_str(json_get(doc, "NextToken")))
		return err_set(e, ERR_CONF, where, "it has a NextToken: not all alarms are in it");
	return defaults_valid(json_get(doc, "defaults"), where, e);
}

static bool known_part(const char *key)
{
	for (size_t i = 0; i < NPARTS; i++)
		if (strcmp(parts[i].name, key) == 0)
			return true;
	return form_member(FORM_METRIC, key) == FORM_NOT_OURS;
}

static bool read_list(struct alarm_file *f, const struct json *list, const struct json *defaults, const char *where,
                      struct err *e)
{
	for (const struct json *a = json_first(list); a; a = json_next(a))
		if (!read_alarm(f, a, defaults, where, e))
			return false;
	return true;
}

static bool read_object(struct alarm_file *f, const struct json *doc, const char *where, struct err *e)
{
	bool any = false;
	if (json_get(doc, "AlarmName"))
		return read_alarm(f, doc, NULL, where, e);
	for (const struct json *m = json_first(doc); m; m = json_next(m))
		if (!known_part(json_key(m)))
			return err_set(e, ERR_CONF, where, "%.80s is no part of an alarm file", json_key(m));
	if (!read_head(f, doc, where, e))
		return false;
	for (size_t i = 0; i < NPARTS; i++) {
		const struct json *list = parts[i].alarms ? json_get(doc, parts[i].name) : NULL;
		if (!list)
			continue;
		any = true;
		if (!json_is_array(list))
			return err_set(e, ERR_CONF, where, "%s: a list of alarms", parts[i].name);
		if (!read_list(f, list, parts[i].theirs ? NULL : json_get(doc, "defaults"), where, e))
			return false;
	}
	return any || err_set(e, ERR_CONF, where, "there is no list \"alarms\" in it");
}

bool alarm_file_read(struct alarm_file *f, struct span text, const char *where, struct err *e)
{
	*f = (struct alarm_file){ .owner = ALARM_FILE_OWNER };
	arena_init(&f->mem);
	struct json *doc = json_parse(text, e);
	if (!doc) {
		char why[sizeof e->text];
		memcpy(why, e->text, sizeof why);
		return err_set(e, ERR_CONF, where, "no JSON: %.200s", why);
	}
	bool ok = json_is_array(doc) ? read_list(f, doc, NULL, where, e) : read_object(f, doc, where, e);
	json_free(doc);
	return ok;
}

void alarm_file_clear(struct alarm_file *f)
{
	for (unsigned i = 0; i < f->n; i++)
		form_clear(&f->v[i].form);
	for (unsigned i = 0; i < f->ndocs; i++)
		json_free(f->docs[i]);
	free(f->docs);
	free(f->v);
	arena_clear(&f->mem);
	*f = (struct alarm_file){ 0 };
}

const struct wish *alarm_file_find(const struct alarm_file *f, const char *name)
{
	for (unsigned i = 0; i < f->n; i++)
		if (strcmp(f->v[i].name, name) == 0)
			return &f->v[i];
	return NULL;
}

void alarm_file_body(struct json_out *o, const struct json *live, const struct alarm_tag *tags, unsigned ntags)
{
	enum form_kind k = form_kind_of(live);
	json_out_object(o, NULL);
	for (const struct json *m = json_first(live); m; m = json_next(m)) {
		if (form_member(k, json_key(m)) != FORM_READ_ONLY && !empty(m))
			json_out_node(o, json_key(m), m);
	}
	if (ntags)
		json_out_array(o, "Tags");
	for (unsigned i = 0; i < ntags; i++) {
		json_out_object(o, NULL);
		json_out_str(o, "Key", tags[i].key);
		json_out_str(o, "Value", tags[i].value);
		json_out_object_end(o);
	}
	if (ntags)
		json_out_array_end(o);
	json_out_object_end(o);
}
