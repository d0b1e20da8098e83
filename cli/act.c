/* What the commands that write have in common: consent, and the words for an act that failed. */
#include "cli/args.h"
#include "cli/out.h"

#include "core/mem.h"
#include "core/text.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ANSWER 512

/* "Put ... in PRODUCTION, target prod: type prod to do it: " */
static void put_question(int fd, const struct result *r)
{
	struct buf b;
	buf_init(&b, 16384);
	text_visible(&b, span_of(r->question));
	if (b.n && b.p[0] >= 'a' && b.p[0] <= 'z')
		b.p[0] = (char)(b.p[0] - 'a' + 'A');
	if (r->ask == GATE_ASK_NAME) {
		buf_adds(&b, "? Type the target's name, ");
		text_visible(&b, span_of(r->name));
		buf_adds(&b, ", to do it: ");
	} else if (r->ask == GATE_ASK_COUNT) {
		buf_adds(&b, "? Type the number, ");
		buf_adds(&b, r->name);
		buf_adds(&b, ", to do it: ");
	} else {
		buf_adds(&b, "? [y/N] ");
	}
	if (write(fd, b.p, b.n) < 0)
		buf_reset(&b); /* a terminal that is gone answers nothing either */
	buf_clear(&b);
}

/* One line; what is too long is cut, and so is nobody's name. False: nothing was answered. */
static bool read_answer(int fd, char out[ANSWER])
{
	size_t n = 0;
	char c = '\0';
	while (read(fd, &c, 1) == 1 && c != '\n')
		if (n + 1 < ANSWER)
			out[n++] = c;
	out[n] = '\0';
	return c == '\n';
}

static bool is_yes(const char *answer)
{
	return strcmp(answer, "y") == 0 || strcmp(answer, "Y") == 0 || strcmp(answer, "yes") == 0;
}

/* True when the answer changes something: then the engine is asked again. */
static bool ask_person(const struct result *r, struct consent *consent, char answer[ANSWER])
{
	int fd = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return false;
	put_question(fd, r);
	bool answered = read_answer(fd, answer);
	close(fd);
	if (r->ask != GATE_ASK_YES)
		consent->typed = answer;
	else
		consent->yes = is_yes(answer);
	return answered && (consent->typed || consent->yes);
}

/* ---- a signal ends an act, but not before what became of it is told */

static struct engine *acting;
static volatile sig_atomic_t caught;

static void on_signal(int signal)
{
	caught = signal;
	engine_interrupt(acting);
}

static const int ends[] = { SIGINT, SIGTERM, SIGHUP };
#define NENDS (sizeof ends / sizeof *ends)

static struct result *call(struct engine *g, const struct request *rq)
{
	struct sigaction old[NENDS], ours = { .sa_handler = on_signal };
	sigemptyset(&ours.sa_mask);
	acting = g;
	for (size_t i = 0; i < NENDS; i++) {
		sigaction(ends[i], NULL, &old[i]);
		if (old[i].sa_handler != SIG_IGN) /* whoever started us may want it ignored (nohup) */
			sigaction(ends[i], &ours, NULL);
	}
	struct result *r = engine_call(g, rq);
	for (size_t i = 0; i < NENDS; i++)
		sigaction(ends[i], &old[i], NULL);
	return r;
}

int cli_act_status(int status)
{
	return caught ? 128 + (int)caught : status;
}

struct result *cli_act(const struct cli *c, struct engine *g, struct request *rq)
{
	char answer[ANSWER], run[RUN_ID];
	rq->dry_run = c->args->dry_run;
	rq->consent = (struct consent){ .mode = c->mode,
		                            .yes = c->args->yes,
		                            .person = isatty(STDIN_FILENO),
		                            .count_said = c->args->count_said,
		                            .count = c->args->count };
	struct result *r = call(g, rq);
	if (r->ask == GATE_ASK_NOTHING || !ask_person(r, &rq->consent, answer))
		return r;
	if (r->ask == GATE_ASK_COUNT) { /* what was frozen is what the number is about */
		snprintf(run, sizeof run, "%s", r->replay.run.id);
		rq->replay.run = run;
		rq->replay.begun = NULL;
	}
	bool counted = r->ask == GATE_ASK_COUNT;
	result_free(r);
	r = call(g, rq);
	rq->consent.typed = NULL;
	if (counted)
		rq->replay.run = NULL;
	return r;
}

int cli_act_failed(const struct cli *c, const struct err *e)
{
	int status = cli_fail(c, e);
	if (e->in_doubt)
		cli_say("unknown: it was sent and may have been done; done again it may count twice");
	return status;
}

int cli_act_print(const struct cli *c, struct engine *g, struct request *rq, cli_act_printer *json,
                  cli_act_printer *text)
{
	struct result *r = cli_act(c, g, rq);
	struct out o;
	int status;
	if (r->err.code != ERR_OK) {
		status = cli_act_failed(c, &r->err);
	} else {
		out_init(&o);
		(cli_is_json(c) ? json : text)(&o, c, r);
		status = out_end(&o, c, 0);
	}
	result_free(r);
	return cli_act_status(status);
}
