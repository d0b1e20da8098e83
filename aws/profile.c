#include "aws/profile.h"

#include "core/hash.h"
#include "core/ini.h"
#include "core/mem.h"

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *profile_env(const char *name)
{
	const char *v = getenv(name);
	return v && v[strspn(v, " \t\r\n")] ? v : NULL;
}

/* ---- where the files are */

static const char *home(void)
{
	const char *dir = profile_env("HOME");
	struct passwd *pw = dir ? NULL : getpwuid(getuid());
	return dir ? dir : pw ? pw->pw_dir : "";
}

static char *path_of(const char *variable, const char *name)
{
	const char *given = profile_env(variable);
	if (!given)
		return xasprintf("%s/.aws/%s", home(), name);
	if (given[0] == '~' && given[1] == '/')
		return xasprintf("%s%s", home(), given + 1);
	return xstrdup(given);
}

/* ~/.aws/config rather than the whole path, as people know it. */
static void show_source(const struct profile *p, enum profile_file file, char source[96])
{
	const char *path = p->path[file], *dir = home();
	size_t n = strlen(dir);
	bool below = n > 1 && strncmp(path, dir, n) == 0 && path[n] == '/';
	bool prefix = file == PROFILE_CONFIG && strcmp(p->name, "default") != 0;
	snprintf(source, 96, "%s%.50s [%s%.30s]", below ? "~" : "", below ? path + n : path, prefix ? "profile " : "",
	         p->name);
}

/* ---- reading */

static char *text_of(struct span s)
{
	return xstrndup(s.p ? s.p : "", s.n);
}

static struct setting setting_of(const struct ini *i, enum profile_file file, bool bare, bool nested)
{
	return (struct setting){ file, bare, nested ? text_of(i->parent) : NULL, text_of(i->key), text_of(i->value) };
}

static bool malformed(const char *path, const struct ini *i, struct err *e)
{
	char where[64];
	snprintf(where, sizeof where, "%.50s:%u", path, i->line);
	return err_set(e, ERR_CONF, where, "%s", i->why);
}

/* Is this section ours? bare: it is a [default] without "profile" in front. */
static bool section_is(enum profile_file file, struct span section, const char *name, bool *bare)
{
	struct span type, rest;
	*bare = false;
	if (file == PROFILE_CREDENTIALS)
		return span_eq(section, name);
	if (!ini_section_split(section, &type, &rest))
		return false;
	*bare = rest.n == 0 && span_eq(type, "default");
	return *bare ? strcmp(name, "default") == 0 : span_eq(type, "profile") && span_eq(rest, name);
}

/* A value that goes on in an indented line: joined by newlines, as AWS's own cases have it. Cut short it would be another value. */
static bool goes_on(struct profile *p, const struct ini *i)
{
	struct setting *last = p->nsettings ? &p->settings[p->nsettings - 1] : NULL;
	if (!last || last->parent || i->key.n)
		return false;
	char *whole = xasprintf("%s\n%.*s", last->value, (int)i->value.n, i->value.p);
	hash_wipe(last->value, strlen(last->value));
	free(last->value);
	last->value = whole;
	return true;
}

static bool read_sections(struct profile *p, enum profile_file file, struct span text, struct err *e)
{
	struct ini i;
	bool ours = false, bare = false;
	ini_init(&i, text, INI_AWS);
	for (enum ini_event ev = ini_next(&i); ev != INI_END; ev = ini_next(&i)) {
		if (ev == INI_BAD)
			return malformed(p->path[file], &i, e);
		if (ev == INI_SECTION) {
			ours = section_is(file, i.section, p->name, &bare);
			p->in[file] = p->in[file] || ours;
		} else if (ours && !(ev == INI_SUBKEY && goes_on(p, &i))) {
			MEM_GROW(p->settings, p->nsettings, p->csettings);
			p->settings[p->nsettings++] = setting_of(&i, file, bare, ev == INI_SUBKEY);
		}
	}
	return true;
}

static void read_services(struct profile *p, struct span text, const char *name)
{
	struct ini i;
	struct span type, rest;
	bool ours = false;
	ini_init(&i, text, INI_AWS);
	for (enum ini_event ev = ini_next(&i); ev != INI_END; ev = ini_next(&i)) {
		if (ev == INI_SECTION)
			ours = ini_section_split(i.section, &type, &rest) && span_eq(type, "services") && span_eq(rest, name);
		if (ev != INI_SUBKEY || !ours)
			continue;
		MEM_GROW(p->services, p->nservices, p->cservices);
		p->services[p->nservices++] = setting_of(&i, PROFILE_CONFIG, false, true);
	}
}

static void setting_clear(struct setting *s)
{
	hash_wipe(s->value, strlen(s->value)); /* it may be a secret key */
	free(s->parent);
	free(s->key);
	free(s->value);
}

/* With a [profile default] a bare [default] counts for nothing. */
static void hide_bare(struct profile *p)
{
	bool full = false;
	unsigned keep = 0;
	for (unsigned i = 0; i < p->nsettings; i++)
		full = full || (p->settings[i].file == PROFILE_CONFIG && !p->settings[i].bare);
	for (unsigned i = 0; i < p->nsettings; i++) {
		if (full && p->settings[i].bare)
			setting_clear(&p->settings[i]);
		else
			p->settings[keep++] = p->settings[i];
	}
	p->nsettings = keep;
}

static bool read_file(struct profile *p, enum profile_file file, struct err *e)
{
	struct buf text;
	struct err why = { 0 };
	bool ok = ini_read_file(p->path[file], &text, &why);
	if (ok)
		ok = read_sections(p, file, buf_span(&text), &why);
	else if (why.code == ERR_NOTFOUND)
		ok = true;
	if (ok && file == PROFILE_CONFIG) {
		hide_bare(p);
		const char *services = profile_get(p, "services", NULL);
		if (services)
			read_services(p, buf_span(&text), services);
	}
	if (text.p)
		hash_wipe(text.p, text.n);
	buf_clear(&text);
	if (!ok && e)
		*e = why;
	return ok;
}

bool profile_load(struct profile *p, const char *name, struct err *e)
{
	*p = (struct profile){ .name = xstrdup(name) };
	p->path[PROFILE_CREDENTIALS] = path_of("AWS_SHARED_CREDENTIALS_FILE", "credentials");
	p->path[PROFILE_CONFIG] = path_of("AWS_CONFIG_FILE", "config");
	return read_file(p, PROFILE_CREDENTIALS, e) && read_file(p, PROFILE_CONFIG, e);
}

void profile_clear(struct profile *p)
{
	for (unsigned i = 0; i < p->nsettings; i++)
		setting_clear(&p->settings[i]);
	for (unsigned i = 0; i < p->nservices; i++)
		setting_clear(&p->services[i]);
	for (unsigned i = 0; i < PROFILE_FILES; i++)
		free(p->path[i]);
	free(p->settings);
	free(p->services);
	free(p->name);
	*p = (struct profile){ 0 };
}

/* ---- looking up */

const char *profile_get_in(const struct profile *p, enum profile_file file, const char *key, char source[96])
{
	const char *value = NULL; /* of a key given twice the last counts */
	for (unsigned i = 0; i < p->nsettings; i++) {
		const struct setting *s = &p->settings[i];
		if (s->file == file && !s->parent && span_eq_nocase(span_of(s->key), key))
			value = s->value[0] ? s->value : NULL;
	}
	if (value && source)
		show_source(p, file, source);
	return value;
}

const char *profile_get(const struct profile *p, const char *key, char source[96])
{
	const char *value = profile_get_in(p, PROFILE_CREDENTIALS, key, source);
	return value ? value : profile_get_in(p, PROFILE_CONFIG, key, source);
}
