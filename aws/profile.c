#include "aws/profile.h"

#include "core/file.h"
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
static bool goes_on(struct settings *to, const struct ini *i)
{
	struct setting *last = to->n ? &to->v[to->n - 1] : NULL;
	if (!last || last->parent || i->key.n)
		return false;
	char *whole = xasprintf("%s\n%.*s", last->value, (int)i->value.n, i->value.p);
	hash_wipe(last->value, strlen(last->value));
	free(last->value);
	last->value = whole;
	return true;
}

static void keep(struct settings *to, const struct ini *i, enum profile_file file, bool bare, bool nested)
{
	if (nested && goes_on(to, i))
		return;
	MEM_GROW(to->v, to->n, to->cap);
	to->v[to->n++] = setting_of(i, file, bare, nested);
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
		} else if (ours) {
			keep(&p->own, &i, file, bare, ev == INI_SUBKEY);
		}
	}
	return true;
}

/* [TYPE NAME] of the config file, which a profile's key of the same name points at. */
static void read_named(const struct profile *p, struct span text, const char *type, const char *key,
                       struct settings *to)
{
	struct ini i;
	struct span t, rest;
	const char *name = profile_get(p, key, NULL);
	bool ours = false;
	if (!name)
		return;
	ini_init(&i, text, INI_AWS);
	for (enum ini_event ev = ini_next(&i); ev != INI_END; ev = ini_next(&i)) {
		if (ev == INI_SECTION) {
			ours = ini_section_split(i.section, &t, &rest) && span_eq(t, type) && span_eq(rest, name);
			to->found = to->found || ours;
		} else if (ours && ev != INI_BAD) {
			keep(to, &i, PROFILE_CONFIG, false, ev == INI_SUBKEY);
		}
	}
}

static void setting_clear(struct setting *s)
{
	hash_wipe(s->value, strlen(s->value)); /* it may be a secret key */
	free(s->parent);
	free(s->key);
	free(s->value);
}

static void settings_clear(struct settings *l)
{
	for (unsigned i = 0; i < l->n; i++)
		setting_clear(&l->v[i]);
	free(l->v);
}

/* With a [profile default] a bare [default] counts for nothing. */
static void hide_bare(struct settings *own)
{
	bool full = false;
	unsigned kept = 0;
	for (unsigned i = 0; i < own->n; i++)
		full = full || (own->v[i].file == PROFILE_CONFIG && !own->v[i].bare);
	for (unsigned i = 0; i < own->n; i++) {
		if (full && own->v[i].bare)
			setting_clear(&own->v[i]);
		else
			own->v[kept++] = own->v[i];
	}
	own->n = kept;
}

static bool read_file(struct profile *p, enum profile_file file, struct err *e)
{
	struct buf text;
	struct err why = { 0 };
	bool ok = file_read(p->path[file], file == PROFILE_CREDENTIALS ? FILE_SECRET : FILE_SETTINGS, FILE_MOST, &text,
	                    NULL, &why);
	if (ok)
		ok = read_sections(p, file, buf_span(&text), &why);
	else if (why.code == ERR_NOTFOUND)
		ok = true;
	if (ok && file == PROFILE_CONFIG) {
		hide_bare(&p->own);
		read_named(p, buf_span(&text), "services", "services", &p->services);
		read_named(p, buf_span(&text), "sso-session", "sso_session", &p->sso_session);
	}
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
	settings_clear(&p->own);
	settings_clear(&p->services);
	settings_clear(&p->sso_session);
	for (unsigned i = 0; i < PROFILE_FILES; i++)
		free(p->path[i]);
	free(p->name);
	*p = (struct profile){ 0 };
}

/* ---- looking up */

/* Of a key given twice the last counts. */
static const char *value_of(const struct settings *l, enum profile_file file, const char *key)
{
	const char *value = NULL;
	for (unsigned i = 0; i < l->n; i++) {
		const struct setting *s = &l->v[i];
		if (s->file == file && !s->parent && span_eq_nocase(span_of(s->key), key))
			value = s->value[0] ? s->value : NULL;
	}
	return value;
}

const char *profile_get_in(const struct profile *p, enum profile_file file, const char *key, char source[96])
{
	const char *value = value_of(&p->own, file, key);
	if (value && source)
		show_source(p, file, source);
	return value;
}

const char *profile_get(const struct profile *p, const char *key, char source[96])
{
	const char *value = profile_get_in(p, PROFILE_CREDENTIALS, key, source);
	return value ? value : profile_get_in(p, PROFILE_CONFIG, key, source);
}

const char *profile_sso(const struct profile *p, const char *key)
{
	return value_of(&p->sso_session, PROFILE_CONFIG, key);
}

char *profile_home_file(const char *file)
{
	return xasprintf("%s/.aws/%s", home(), file);
}
