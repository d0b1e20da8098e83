#include "sim/sim_control.h"

#include "core/clock.h"
#include "sim/fault.h"
#include "sim/motion.h"
#include "sim/world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DOOR "/_sluice/"
#define ANSWER_MAX (1u << 20)
#define EVENTS_MAX (600u << 20)

/* The socket is bound to loopback; a browser that was lured here names another host, or says where it comes from. */
static bool is_local(const struct sim_req *rq)
{
	const char *host = sim_header(rq, "host");
	size_t n = host ? strcspn(host, ":") : 0;
	if (!host || sim_header(rq, "origin"))
		return false;
	return (n == 9 && (strncmp(host, "127.0.0.1", n) == 0 || strncmp(host, "localhost", n) == 0)) ||
	       strncmp(host, "[::1]", 5) == 0;
}

static bool refuse(struct sim_req *rq, int status, const char *why)
{
	struct json_out o;
	buf_reset(&rq->answer->body);
	rq->answer->status = status;
	json_out_init(&o, &rq->answer->body);
	json_out_object(&o, NULL);
	json_out_str(&o, "message", why);
	json_out_object_end(&o);
	return false;
}

static bool switch_all(struct faults *fs, const struct json *root, struct err *e)
{
	const struct json *list = json_get(root, "faults");
	if (!json_is_array(list))
		return err_set(e, ERR_USAGE, "fault", "expected {\"faults\":[...]}");
	for (const struct json *n = json_first(list); n; n = json_next(n))
		if (!fault_switch(fs, json_str(n) ? json_str(n) : "", e))
			return false;
	return true;
}

static bool post(struct world *w, struct sim_req *rq)
{
	struct err e;
	struct json *root = json_parse(rq->body, &e);
	unsigned n = w->faults.n;
	bool ok = root && switch_all(&w->faults, root, &e);
	json_free(root);
	if (!ok)
		w->faults.n = n; /* all of them or none */
	return ok || refuse(rq, 400, e.text);
}

/* One thread serves, and its clock is the simulator's. */
static bool move_clock(struct world *w, struct sim_req *rq)
{
	struct err e;
	struct json *root = json_parse(rq->body, &e);
	const char *now = json_get_str(root, "now");
	int64_t t_ms = 0;
	bool ok = clock_frozen() && now && clock_parse_rfc3339(now, strlen(now), &t_ms) && t_ms >= w->now_ms;
	json_free(root);
	if (!ok)
		return refuse(rq, 400, "expected {\"now\":...}, not before what it is, of a clock that SLUICE_NOW has frozen");
	clock_hold(t_ms / 1000);
	motion_catch_up(w);
	return true;
}

static bool obey(struct world *w, struct sim_req *rq)
{
	if (!is_local(rq))
		return refuse(rq, 403, "for this machine alone");
	if (strcmp(rq->path, FAULT_TRAP) == 0) {
		w->faults.trapped++;
		return true;
	}
	if (strcmp(rq->path, DOOR "clock") == 0 && strcmp(rq->method, "POST") == 0)
		return move_clock(w, rq);
	if (strcmp(rq->path, DOOR "faults") != 0)
		return refuse(rq, 404, "there is only " DOOR "faults");
	if (strcmp(rq->method, "POST") == 0)
		return post(w, rq);
	if (strcmp(rq->method, "DELETE") == 0)
		fault_clear(&w->faults);
	else if (strcmp(rq->method, "GET") != 0)
		return refuse(rq, 405, "POST, GET or DELETE");
	return true;
}

bool sim_control_serve(struct world *w, struct sim_req *rq)
{
	struct sim_answer *a = rq->answer;
	if (!w->open || strncmp(rq->path, DOOR, sizeof DOOR - 1) != 0)
		return false;
	rq->hold_ms = 0;
	bool events = strcmp(rq->path, DOOR "invocations") == 0 && is_local(rq);
	buf_init(&a->body, events ? EVENTS_MAX : ANSWER_MAX);
	a->type = "application/json";
	if (events) {
		lambda_events_tell(w, &a->body);
		return true;
	}
	if (obey(w, rq))
		fault_report(&w->faults, &a->body);
	return true;
}
