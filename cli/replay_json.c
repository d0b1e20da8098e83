/* Runs, plans and their messages as JSON: one object. */
#include "cli/replay.h"

static void json_ms(struct json_out *j, const char *key, int64_t ms)
{
	json_out_time(j, key, ms / 1000);
}

static void json_moved(struct json_out *j, const struct replay_run *r)
{
	json_out_bool(j, "approximate", true);
	json_out_int(j, "moved", r->moved);
	json_out_int(j, "to_move", r->to_move);
	json_out_bool(j, "task_running", r->task != NULL);
	json_out_int(j, "task_rate_per_second", r->task_rate);
}

static void json_run(struct json_out *j, const struct replay_run *r)
{
	json_out_str(j, "run", r->id);
	json_out_str(j, "state", run_state_name(r->state));
	json_out_str(j, "reason", r->reason);
	json_out_str(j, "source", r->source);
	json_out_str(j, "source_arn", r->source_arn);
	json_out_str(j, "mode", replay_mode_name(r->mode));
	json_out_str(j, "destination", r->dest);
	json_out_str(j, "account", r->account);
	json_out_str(j, "region", r->region);
	json_out_str(j, "where", r->where);
	json_out_str(j, "manifest_sha256", r->manifest[0] ? r->manifest : NULL);
	json_out_num(j, "rate_per_second", r->rate);
	json_out_num(j, "tolerance", r->tolerance);
	json_out_int(j, "batch", r->batch);
	json_out_int(j, "limit", r->limit);
	json_out_int(j, "lease_seconds", r->lease_s);
	json_out_int(j, "verify_seconds", r->verify_s);
	json_out_bool(j, "confirmed", r->confirmed);
	json_out_int(j, "expected", r->expected);
	json_out_str(j, "unknown_policy", replay_unknown_name(r->unknown));
	json_out_str(j, "by", r->by);
	json_out_str(j, "host", r->host);
	json_out_int(j, "fence", r->fence);
	json_ms(j, "handed_over", r->handed_ms);
	json_ms(j, "created", r->created_ms);
	json_ms(j, "started", r->started_ms);
	json_ms(j, "ended", r->ended_ms);
	if (r->mode == REPLAY_MOVE)
		json_moved(j, r);
}

static void json_counts(struct json_out *j, const struct replay_counts *c)
{
	json_out_int(j, "selected", c->selected);
	json_out_int(j, "verified", c->verified);
	json_out_int(j, "bounced", c->bounced);
	json_out_int(j, "poison", c->poison);
	json_out_int(j, "unknown", c->unknown);
	json_out_int(j, "gone", c->gone);
	json_out_int(j, "skipped", c->skipped);
	json_out_int(j, "duplicates", c->duplicates);
	json_out_int(j, "pending", c->pending);
	json_out_int(j, "unaccounted", c->unaccounted);
	json_out_object(j, "states");
	for (unsigned i = 0; i < ITEM_STATES; i++)
		if (c->by_state[i])
			json_out_int(j, item_state_name((enum item_state)i), c->by_state[i]);
	json_out_object_end(j);
}

static void json_item(struct json_out *j, const struct replay_item *it)
{
	json_out_object(j, NULL);
	json_out_int(j, "seq", it->seq);
	json_out_str(j, "message_id", it->msg_id);
	json_out_str(j, "state", item_state_name(it->state));
	json_out_bool(j, "possible_duplicate", it->resent);
	json_out_int(j, "replay_no", it->replay_no);
	json_out_int(j, "rejections", it->rejections);
	json_out_str(j, "code", it->code);
	json_out_str(j, "text", it->text);
	json_out_str(j, "group", it->fp);
	json_out_str(j, "business_key", it->key);
	json_out_str(j, "message_group_id", it->group_id);
	json_out_str(j, "source_queue_arn", it->source_arn);
	json_out_str(j, "body_sha256", it->body_sha256);
	json_out_int(j, "bytes", it->bytes);
	json_out_str(j, "copy_message_id", it->out_id);
	json_out_str(j, "request_id", it->request_id);
	json_ms(j, "sent", it->sent_ms);
	json_ms(j, "intent", it->intent_ms);
	json_ms(j, "accepted", it->accepted_ms);
	json_ms(j, "removed", it->removed_ms);
	json_out_object_end(j);
}

static void json_groups(struct json_out *j, const struct replay_result *r)
{
	json_out_array(j, "groups");
	for (unsigned i = 0; i < r->ngroups; i++) {
		const struct replay_group *g = &r->groups[i];
		json_out_object(j, NULL);
		json_out_str(j, "group", g->fp);
		json_out_str(j, "cause", g->cause);
		json_out_int(j, "messages", g->n);
		json_out_int(j, "replayed_before", g->known);
		json_out_int(j, "failed_before", g->bad);
		json_out_int(j, "done_before", g->done);
		json_ms(j, "first_sent", g->first_ms);
		json_ms(j, "last_sent", g->last_ms);
		json_ms(j, "first_loss", g->loss_ms);
		json_out_str(j, "sample", g->sample);
		json_out_object_end(j);
	}
	json_out_array_end(j);
}

static void json_plan(struct json_out *j, const struct replay_result *r)
{
	json_out_bool(j, "dry_run", true);
	json_out_str(j, "source", r->run.source);
	json_out_str(j, "source_arn", r->queue_arn);
	json_out_str(j, "mode", replay_mode_name(r->run.mode));
	json_out_str(j, "destination", r->run.dest);
	json_out_int(j, "selected", r->nitems);
	if (r->run.mode == REPLAY_MOVE)
		json_moved(j, &r->run);
	json_out_num(j, "rate_per_second", r->run.rate);
	json_out_int(j, "batch", r->run.batch);
	json_out_bool(j, "partial_batch_responses", r->run.partial);
	json_out_int(j, "lease_seconds", r->run.lease_s);
	json_out_str(j, "unknown_policy", replay_unknown_name(r->run.unknown));
	json_out_num(j, "seconds", r->seconds);
	json_out_int(j, "in_flight", r->in_flight);
	json_out_int(j, "sweeps", r->sweeps);
	json_groups(j, r);
}

void replay_json(struct out *o, const struct replay_result *r, bool plan)
{
	struct json_out j;
	json_out_init(&j, &o->b);
	json_out_object(&j, NULL);
	json_out_int(&j, "version", 1);
	if (plan) {
		json_plan(&j, r);
	} else {
		json_run(&j, &r->run);
		json_counts(&j, &r->counts);
		json_out_bool(&j, "driven", r->driven);
	}
	if (r->file) {
		json_out_str(&j, "file", r->file);
		json_out_str(&j, "sha256", r->file_sha);
	}
	json_out_str(&j, "rate_reason", r->rate_why);
	json_out_str(&j, "guard", r->guard);
	json_out_array(&j, "warnings");
	for (unsigned i = 0; i < r->nwarnings; i++)
		json_out_str(&j, NULL, r->warnings[i]);
	json_out_array_end(&j);
	json_out_array(&j, "items");
	for (unsigned i = 0; i < r->nitems; i++) {
		json_item(&j, &r->items[i]);
		out_own(o, ""); /* lets go of what is full */
	}
	json_out_array_end(&j);
	json_out_object_end(&j);
	out_own(o, "\n");
}

void replay_list_json(struct out *o, const struct replay_result *r)
{
	struct json_out j;
	json_out_init(&j, &o->b);
	json_out_object(&j, NULL);
	json_out_int(&j, "version", 1);
	json_out_array(&j, "runs");
	for (unsigned i = 0; i < r->nruns; i++) {
		json_out_object(&j, NULL);
		json_run(&j, &r->runs[i]);
		json_out_object_end(&j);
	}
	json_out_array_end(&j);
	json_out_object_end(&j);
	out_own(o, "\n");
}

/* ---- time that was bought */

void replay_bought_json(struct out *o, const struct replay_result *r)
{
	const struct replay_bought *v = &r->bought;
	struct json_out j;
	json_out_init(&j, &o->b);
	json_out_object(&j, NULL);
	json_out_int(&j, "version", 1);
	json_out_bool(&j, "done", v->done);
	json_out_str(&j, "arn", v->arn);
	json_out_str(&j, "what", v->what);
	json_out_int(&j, "was_seconds", v->was_s);
	json_out_int(&j, "now_seconds", v->now_s);
	json_out_num(&j, "usd_per_day", v->usd_per_day);
	json_out_array(&j, "warnings");
	for (unsigned i = 0; i < r->nwarnings; i++)
		json_out_str(&j, NULL, r->warnings[i]);
	json_out_array_end(&j);
	json_out_object_end(&j);
	out_own(o, "\n");
}

void replay_bought_text(struct out *o, const struct replay_result *r)
{
	out_own(o, r->bought.done ? "done\t" : "would\t");
	out_text(o, r->bought.what);
	out_own(o, "\n");
}
