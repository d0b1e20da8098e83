#include "tui/prompt.h"

#include "core/text.h"
#include "tui/action.h"
#include "tui/keys.h"

#include <stdio.h>
#include <string.h>

static void nothing(struct view *v)
{
	(void)v;
}

/* ---- the filter of the overview: applied while it is typed */

static void filter_changed(struct view *v)
{
	overview_filter(v, v->prompt.text);
}

static void filter_cancelled(struct view *v)
{
	overview_filter(v, v->prompt.before);
}

static const struct prompt_kind filter_kind = {
	.label = "/", .counted = true, .changed = filter_changed, .accepted = nothing, .cancelled = filter_cancelled
};

void act_filter(struct view *v)
{
	v->overview.focus = PANE_STAGES;
	prompt_open(v, &filter_kind, v->overview.filter);
}

/* ---- the code of an MFA device */

static void code_accepted(struct view *v)
{
	struct prompt *p = &v->prompt;
	size_t n = strlen(p->text);
	bool fits = n == 6 && strspn(p->text, "0123456789") == n;
	if (fits)
		snprintf(v->code, sizeof v->code, "%.6s", p->text);
	view_note(v, fits ? "asking for keys with this code..." : "a code is six digits; nothing was sent");
	memset(p->text, 0, sizeof p->text);
}

static void code_cancelled(struct view *v)
{
	memset(v->prompt.text, 0, sizeof v->prompt.text);
}

static const struct prompt_kind code_kind = {
	.label = "MFA code: ", .secret = true, .changed = nothing, .accepted = code_accepted, .cancelled = code_cancelled
};

/* One is wanted, or will be soon: whoever sees the keys' end coming need not wait for it. */
static bool code_is_wanted(const struct view *v)
{
	const struct credential *k = v->snap ? &v->snap->credential : NULL;
	return k && k->mfa_serial &&
	       (k->state == CREDENTIAL_WANTS_CODE || (k->expires && k->expires - v->now < CREDENTIAL_SOON));
}

void act_code(struct view *v)
{
	if (!code_is_wanted(v)) {
		view_note(v, "no MFA code is wanted");
		return;
	}
	prompt_open(v, &code_kind, "");
}

/* ---- typing */

void prompt_open(struct view *v, const struct prompt_kind *kind, const char *text)
{
	struct prompt *p = &v->prompt;
	p->open = true;
	p->kind = kind;
	p->hint[0] = '\0';
	snprintf(p->before, sizeof p->before, "%s", text);
	snprintf(p->text, sizeof p->text, "%s", text);
}

void prompt_remember(struct typed *t, const char *line)
{
	t->at = 0;
	if (t->n && strcmp(t->line[t->n - 1], line) == 0)
		return;
	if (t->n == TYPED_MOST)
		memmove(t->line[0], t->line[1], --t->n * sizeof *t->line);
	snprintf(t->line[t->n++], sizeof *t->line, "%s", line);
}

void prompt_recall(struct typed *t, int direction, char text[FILTER_SIZE])
{
	if (direction < 0 ? t->at == t->n : t->at == 0)
		return;
	t->at = direction < 0 ? t->at + 1 : t->at - 1;
	snprintf(text, FILTER_SIZE, "%s", t->at ? t->line[t->n - t->at] : "");
}

void act_prompt_up(struct view *v)
{
	if (v->prompt.kind->move)
		v->prompt.kind->move(v, -1);
}

void act_prompt_down(struct view *v)
{
	if (v->prompt.kind->move)
		v->prompt.kind->move(v, 1);
}

void act_prompt_complete(struct view *v)
{
	if (v->prompt.kind->complete)
		v->prompt.kind->complete(v);
}

void prompt_type(struct view *v, uint32_t key)
{
	struct prompt *p = &v->prompt;
	char s[4];
	size_t n = strlen(p->text);
	unsigned len = key < K_UP && text_is_safe(key) ? text_encode(key, s) : 0;
	if (len == 0 || n + len >= sizeof p->text)
		return;
	memcpy(p->text + n, s, len);
	p->text[n + len] = '\0';
	v->prompt.kind->changed(v);
}

void act_prompt_accept(struct view *v)
{
	v->prompt.open = false;
	v->prompt.kind->accepted(v);
}

void act_prompt_cancel(struct view *v)
{
	v->prompt.open = false;
	v->prompt.kind->cancelled(v);
}

void act_prompt_erase(struct view *v)
{
	char *s = v->prompt.text;
	size_t n = strlen(s);
	while (n > 0 && ((unsigned char)s[--n] & 0xC0) == 0x80)
		;
	s[n] = '\0';
	v->prompt.kind->changed(v);
}

void act_prompt_erase_all(struct view *v)
{
	v->prompt.text[0] = '\0';
	v->prompt.kind->changed(v);
}
