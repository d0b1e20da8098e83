#include "tui/prompt.h"

#include "core/text.h"
#include "tui/action.h"
#include "tui/keys.h"

#include <stdio.h>
#include <string.h>

static void changed(struct view *v)
{
	overview_filter(v, v->prompt.text);
}

void act_filter(struct view *v)
{
	struct prompt *p = &v->prompt;
	p->open = true;
	v->overview.on_alarms = false;
	snprintf(p->before, sizeof p->before, "%s", v->overview.filter);
	snprintf(p->text, sizeof p->text, "%s", v->overview.filter);
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
	changed(v);
}

void act_prompt_accept(struct view *v)
{
	v->prompt.open = false;
}

void act_prompt_cancel(struct view *v)
{
	v->prompt.open = false;
	overview_filter(v, v->prompt.before);
}

void act_prompt_erase(struct view *v)
{
	char *s = v->prompt.text;
	size_t n = strlen(s);
	while (n > 0 && ((unsigned char)s[--n] & 0xC0) == 0x80)
		;
	s[n] = '\0';
	changed(v);
}

void act_prompt_erase_all(struct view *v)
{
	v->prompt.text[0] = '\0';
	changed(v);
}
