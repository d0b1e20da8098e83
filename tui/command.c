#include "tui/command.h"

#include "tui/action.h"
#include "tui/glyph.h"
#include "tui/prompt.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/* ---- what arguments can be */

static const char *const sorts[SORT_COUNT] = {
	[SORT_FLOW] = "flow", [SORT_STATE] = "state",     [SORT_NAME] = "name",  [SORT_IN] = "in",     [SORT_OUT] = "out",
	[SORT_ERROR] = "err", [SORT_BACKLOG] = "backlog", [SORT_AGE] = "oldest", [SORT_LOSS] = "loss",
};
static const char *const styles[TIMES_COUNT] = { "utc", "local", "ages" };
static const char *const levels[] = { "ascii", "blocks", "braille" };
static const char *const switches[] = { "on", "off" };

#define LENGTH(a) ((unsigned)(sizeof(a) / sizeof *(a)))

static const char *arg_stage(const struct view *v, unsigned i)
{
	return v->snap && i < v->snap->nrows ? v->snap->rows[i].name : NULL;
}

static const char *arg_pipeline(const struct view *v, unsigned i)
{
	return v->snap && i < v->snap->npipelines ? v->snap->pipelines[i].name : NULL;
}

static const char *arg_sort(const struct view *v, unsigned i)
{
	(void)v;
	return i < SORT_COUNT ? sorts[i] : NULL;
}

static const char *arg_range(const struct view *v, unsigned i)
{
	(void)v;
	return i < view_nranges ? view_ranges[i].name : NULL;
}

static const char *arg_times(const struct view *v, unsigned i)
{
	(void)v;
	return i < TIMES_COUNT ? styles[i] : NULL;
}

static const char *arg_glyphs(const struct view *v, unsigned i)
{
	(void)v;
	return i < LENGTH(levels) ? levels[i] : NULL;
}

static const char *arg_switch(const struct view *v, unsigned i)
{
	(void)v;
	return i < LENGTH(switches) ? switches[i] : NULL;
}

const struct command commands[] = {
#define X(id, args, help, arg) { #id, args, help, typed_##id, arg },
	COMMANDS(X)
#undef X
};
const unsigned ncommands = LENGTH(commands);

/* Which of its command's arguments the text is, in any case; -1: none. */
static int choice(const struct view *v, const char *(*arg)(const struct view *, unsigned), const char *text)
{
	const char *s;
	for (unsigned i = 0; (s = arg(v, i)); i++)
		if (strcasecmp(s, text) == 0)
			return (int)i;
	return -1;
}

/* ---- the commands */

bool typed_open(struct view *v, const char *args)
{
	int i = choice(v, arg_stage, args);
	if (i < 0)
		return false;
	detail_show(v, v->snap->rows[i].id);
	if (view_screen(v) != SCREEN_DETAIL)
		view_push(v, SCREEN_DETAIL);
	return true;
}

bool typed_pipeline(struct view *v, const char *args)
{
	int i = args[0] ? choice(v, arg_pipeline, args) : -1;
	if (args[0] && (i < 0 || v->snap->pipelines[i].n == 0))
		return false;
	if (i >= 0)
		pipeline_show(v, v->snap->rows[v->snap->pipelines[i].first].id);
	else
		act_go_pipeline(v);
	return true;
}

bool typed_overview(struct view *v, const char *args)
{
	(void)args;
	act_go_overview(v);
	return true;
}

bool typed_filter(struct view *v, const char *args)
{
	overview_filter(v, args);
	return true;
}

bool typed_sort(struct view *v, const char *args)
{
	int i = args[0] ? choice(v, arg_sort, args) : SORT_FLOW;
	if (i < 0)
		return false;
	overview_sort(v, (enum sort)i);
	return true;
}

bool typed_range(struct view *v, const char *args)
{
	int i = choice(v, arg_range, args);
	if (i < 0)
		return false;
	v->detail.range = (unsigned)i;
	return true;
}

bool typed_times(struct view *v, const char *args)
{
	int i = choice(v, arg_times, args);
	if (i < 0)
		return false;
	v->time_style = (enum time_style)i;
	return true;
}

bool typed_glyphs(struct view *v, const char *args)
{
	int i = choice(v, arg_glyphs, args);
	if (i < 0 || (unsigned)i > v->level_most)
		return false;
	v->level = (unsigned)i;
	return true;
}

bool typed_unmark(struct view *v, const char *args)
{
	(void)args;
	v->overview.nmarks = v->overview.npins = 0;
	overview_filter(v, v->overview.filter);
	return true;
}

bool typed_bell(struct view *v, const char *args)
{
	int i = choice(v, arg_switch, args);
	v->bell_off = i < 0 ? v->bell_off : i == 1;
	return i >= 0;
}

bool typed_title(struct view *v, const char *args)
{
	int i = choice(v, arg_switch, args);
	v->title_off = i < 0 ? v->title_off : i == 1;
	return i >= 0;
}

bool typed_keys(struct view *v, const char *args)
{
	(void)args;
	if (view_screen(v) != SCREEN_HELP)
		act_help(v);
	return true;
}

bool typed_quit(struct view *v, const char *args)
{
	(void)args;
	v->quit = true;
	return true;
}

/* ---- typing one */

static const struct command *find(const char *text, size_t n)
{
	const struct command *found = NULL;
	for (unsigned i = 0; i < ncommands; i++) {
		if (strlen(commands[i].name) == n && strncmp(commands[i].name, text, n) == 0)
			return &commands[i];
		if (n && strncmp(commands[i].name, text, n) == 0) {
			if (found)
				return NULL;
			found = &commands[i];
		}
	}
	return found;
}

static void accepted(struct view *v)
{
	char text[FILTER_SIZE];
	snprintf(text, sizeof text, "%s", v->prompt.text + strspn(v->prompt.text, " "));
	for (size_t n = strlen(text); n > 0 && text[n - 1] == ' ';)
		text[--n] = '\0';
	if (!text[0])
		return;
	prompt_remember(&v->typed, text);
	size_t name = strcspn(text, " ");
	const struct command *c = find(text, name);
	const char *args = text + name + strspn(text + name, " ");
	if (!c)
		view_note(v, "no such command: %.40s; Tab lists them", text);
	else if (!c->run(v, args))
		view_note(v, "usage: %s %s, Tab lists what it takes", c->name, c->args);
}

static void nothing(struct view *v)
{
	v->prompt.hint[0] = '\0';
}

static void move(struct view *v, int direction)
{
	prompt_recall(&v->typed, direction, v->prompt.text);
	v->prompt.hint[0] = '\0';
}

static void complete(struct view *v)
{
	struct prompt *p = &v->prompt;
	command_complete(v, p->text, sizeof p->text, p->hint, sizeof p->hint);
}

static const struct prompt_kind command_kind = {
	.label = ":", .changed = nothing, .accepted = accepted, .cancelled = nothing, .move = move, .complete = complete
};

void act_command(struct view *v)
{
	v->typed.at = 0;
	prompt_open(v, &command_kind, "");
}

/* ---- Tab */

static const char *command_name(const struct view *v, unsigned i)
{
	(void)v;
	return i < ncommands ? commands[i].name : NULL;
}

struct completion {
	char common[FILTER_SIZE];
	unsigned n;
	char *hint;
	size_t nhint, used;
};

static void candidate(struct completion *k, const char *s)
{
	size_t i = 0;
	if (k->n++ == 0) {
		snprintf(k->common, sizeof k->common, "%s", s);
	} else {
		while (k->common[i] && k->common[i] == s[i])
			i++;
		while (i > 0 && ((unsigned char)k->common[i] & 0xC0) == 0x80) /* never half a character */
			i--;
		k->common[i] = '\0';
	}
	if (k->used < k->nhint)
		k->used += (size_t)snprintf(k->hint + k->used, k->nhint - k->used, "%s%s", k->n > 1 ? " " : "", s);
}

void command_complete(const struct view *v, char *text, size_t size, char *hint, size_t nhint)
{
	size_t word = strcspn(text, " "), from = text[word] ? word + strspn(text + word, " ") : 0;
	const struct command *c = from ? find(text, word) : NULL;
	const char *(*arg)(const struct view *, unsigned) = from ? (c ? c->arg : NULL) : command_name;
	struct completion k = { .hint = hint, .nhint = nhint };
	const char *s;
	hint[0] = '\0';
	for (unsigned i = 0; arg && (s = arg(v, i)); i++)
		if (strncasecmp(s, text + from, strlen(text + from)) == 0)
			candidate(&k, s);
	if (k.n == 0) {
		snprintf(hint, nhint, "nothing to complete");
		return;
	}
	if (strlen(k.common) >= strlen(text + from))
		snprintf(text + from, size - from, "%s%s", k.common, k.n == 1 && !from ? " " : "");
	if (k.n == 1)
		hint[0] = '\0';
}
