#include "core/conf.h"

#include "core/ini.h"
#include "core/mem.h"

#include <stdlib.h>

/* XDG: a relative path in the variable is to be ignored. */
static char *below(const char *variable, const char *fallback, const char *rest)
{
	const char *dir = getenv(variable), *home = getenv("HOME");
	if (dir && dir[0] == '/')
		return xasprintf("%s/%s", dir, rest);
	return home && home[0] ? xasprintf("%s/%s/%s", home, fallback, rest) : NULL;
}

char *conf_default_path(void)
{
	return below("XDG_CONFIG_HOME", ".config", "sluice/config.ini");
}

char *conf_default_cache(void)
{
	return below("XDG_CACHE_HOME", ".cache", "sluice/history.db");
}

char *conf_default_state(void)
{
	return below("XDG_STATE_HOME", ".local/state", "sluice");
}

struct conf *conf_load(const char *path, struct err *e)
{
	struct conf *c = NULL;
	struct buf text = { 0 };
	struct err why = { 0 };
	char *file = path ? xstrdup(path) : conf_default_path();
	if (file && ini_read_own_file(file, &text, &why)) {
		c = conf_parse(file, buf_span(&text), e);
		if (c)
			c->path = xstrdup(file);
	} else if (!path && (!file || why.code == ERR_NOTFOUND)) {
		c = conf_parse("", SPAN(""), e); /* the defaults */
	} else if (e) {
		*e = why;
		e->code = ERR_CONF;
	}
	buf_clear(&text);
	free(file);
	return c;
}

static void free_stage(struct conf_stage *s)
{
	free(s->pipeline);
	free(s->name);
	free(s->kind);
	free(s->resource);
	free(s->arn);
	for (unsigned r = 0; r < ROLE_COUNT; r++)
		metric_clear(&s->metric[r]);
}

static void free_check(struct conf_check *c)
{
	free(c->name);
	free(c->pipeline);
	free(c->stage);
	free(c->metric);
	free(c->warning);
	free(c->critical);
	free(c->no_data);
}

void conf_free(struct conf *c)
{
	if (!c)
		return;
	for (unsigned i = 0; i < c->ntargets; i++) {
		free(c->targets[i].name);
		free(c->targets[i].profile);
		free(c->targets[i].region);
		free(c->targets[i].endpoint_url);
		free(c->targets[i].lock_bucket);
	}
	for (unsigned i = 0; i < c->npipelines; i++) {
		free(c->pipelines[i].name);
		free(c->pipelines[i].target);
		free(c->pipelines[i].runbook);
		free(c->pipelines[i].tag);
		free(c->pipelines[i].stack);
	}
	for (unsigned i = 0; i < c->nstages; i++)
		free_stage(&c->stages[i]);
	for (unsigned i = 0; i < c->nchecks; i++)
		free_check(&c->checks[i]);
	free(c->targets);
	free(c->pipelines);
	free(c->stages);
	free(c->checks);
	free_check(&c->checking.each);
	free(c->checking.in_alarm_is);
	free(c->checking.unknown_is);
	free(c->checking.format);
	free(c->checking.publish);
	free(c->checking.notify);
	free(c->path);
	free(c->process_function);
	free(c->idempotency_path);
	free(c);
}
