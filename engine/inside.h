/* The engine's inside: what its files share. Everything here belongs to the engine's thread.
 *
 * A round is one pass over AWS: list, describe and relate resources, read alarms, poll metrics. Its answers go through
 * inventory (what exists), ingest (the single door for datapoints) and then judge, snap and store read the result. */
#ifndef ENGINE_INSIDE_H
#define ENGINE_INSIDE_H

#include "aws/account.h"
#include "aws/call.h"
#include "aws/cred/cred.h"
#include "aws/found.h"
#include "aws/http/http.h"
#include "aws/kind.h"
#include "aws/op_cloudwatch.h"
#include "aws/op_group.h"
#include "aws/op_sns.h"
#include "aws/op_sts.h"
#include "cache/cache.h"
#include "core/clock.h"
#include "core/mailbox.h"
#include "core/series.h"
#include "engine/engine.h"
#include "engine/polling.h"
#include "engine/sched.h"
#include "engine/late.h"

#include <pthread.h>
#include <stdatomic.h>

#define DISCOVERED "discovered" /* the last pipeline when none is configured: what is connected to nothing */

#define STEP 60                /* seconds: every kind's metrics are read at one minute */
#define LOOKBACK (3 * 3600)    /* the first poll back-fills this much: what a series holds */
#define REST (10 * 60)         /* what has never had a point is asked again so much later: within 15 minutes of appearing it is seen */
#define REREAD (10 * STEP)     /* a later poll reads this much again: late points are the rule, not the exception */
#define WINDOW (15 * 60)       /* what a check looks at by default */
#define USD_PER_METRIC 0.00001 /* GetMetricData, per metric requested (an estimate: prices differ by region) */

/* What a service has answered for, whole: inside [from, to) a gap is the service's own. */
struct known {
	int64_t from, to; /* 0, 0: nothing */
	int64_t read_at;  /* instant of the last complete answer (or direct reading); 0 = never */
};

/* ---- measures: one series each, shared by whoever shows or judges it */
struct measure {
	char *text;          /* canonical metric text, or direct:KIND/KEY{name=RESOURCE}; the key in registry and cache */
	struct metric_id id; /* ns NULL: a direct reading */
	struct series series;
	uint32_t cache_id; /* 0: not kept */
	bool sparse;
	struct known known;
	bool due;       /* in the plan that is being made */
	bool in_round;  /* asked for in the round under way */
	int64_t asked;  /* monotonic seconds; 0: never */
	int64_t every;  /* seconds between two polls of it: the least of the stages that show it; 0: every poll */
	struct measure *sibling; /* a ring: the same metric's other statistics, which go side by side into one request */
	struct lateness *late; /* of its namespace; NULL: not polled yet */
	struct watch *watch;   /* it is one of those that teach it; NULL */
	struct err *err; /* why the last reading failed; NULL when it did not */
};

/* ---- resources and stages */
struct res {
	const struct kind *kind;
	char *key; /* kind:name */
	char *name, *arn, *handle;
	struct arena mem; /* facts; made anew at each describe */
	struct fact *facts;
	unsigned nfacts;
	uint64_t round; /* in which it was last described */
	bool dlq, dlq_seen, seen, shown, described;
	bool due; /* a stage that shows it has its turn */
	struct stage *stage; /* its discovered stage; NULL when stages come from the configuration */
	char *fed_by, *feeds;
	char *group;    /* the discovered pipeline it is in; NULL: none (yet) */
	unsigned place; /* within it */
	unsigned at;    /* in g->res, while a flow is drawn */
	struct err *err; /* of its describe; NULL: it went well */
	struct closer *closer; /* closer.c's; NULL: nothing more was asked about it */
};

/* What a stage measures in place of its kind's own. */
struct own_metric {
	struct measure *m; /* NULL: nothing of its own */
	struct metric_info info;
};

struct group;
struct stage {
	uint64_t id;
	char *name, *resource;
	const struct kind *kind;
	const struct conf_stage *conf; /* NULL: discovered, or of a stack or tag */
	const struct group *group;     /* the stack or tag it is of */
	struct res *res;               /* NULL: not found (yet) */
	unsigned pipeline;
	struct measure **m; /* one for each of the kind's metrics; NULL for derived ones */
	struct own_metric *own; /* ROLE_COUNT of them; NULL: the configuration gives it none */
	uint32_t judged;        /* bits: which of the kind's metrics the default checks look at */
	struct sched_row sched; /* turns.c */
	enum health health;
	char *reason;
	uint32_t row; /* in the snapshot that is being built; UINT32_MAX before the first */
	struct loss loss; /* its strings in g->losses, or static */
};

/* What answers said of who talks to whom, kept until the next whole answer. */
struct relations {
	struct arena mem;
	struct relation *v;
	unsigned n, cap;
};

struct kind_state {
	struct err list, edges;
	bool listed, related; /* a list, the edges came whole at least once */
	uint64_t listed_round; /* in which the newest whole list came */
	struct relations relations;
};

/* ---- groups: a stack or a tag, of a [pipeline] or of one request */
struct member {
	const struct kind *kind;
	const char *name;
};
struct group {
	char *name;           /* of the pipeline it is */
	char *stack;          /* else key and value; value NULL: any */
	char *key, *value;
	unsigned pipeline;    /* index; UINT_MAX: the request's own */
	struct err err;       /* of the last attempt */
	bool known;           /* its members came whole at least once */
	struct arena mem;
	struct member *v;     /* of kinds that are watched */
	unsigned n, cap;
	unsigned others;      /* resources of other kinds */
	char **nested;        /* stacks within the stack, still to be asked or asked */
	unsigned nnested, asked;
};

enum need {
	NEED_IDENTITY = 1,
	NEED_LIST = 2,
	NEED_DESCRIBE = 4,
	NEED_EDGES = 8,
	NEED_ALARMS = 16,
	NEED_METRICS = 32,
	NEED_DIRECT = 64,  /* describe only what has direct metrics and is shown */
	NEED_JUDGED = 128, /* of the stages' metrics only what the default checks look at */
	NEED_EXTRA = 256,  /* the measures in g->extra */
	NEED_SOURCES = 512,    /* ask each dead-letter queue whose it is */
	NEED_EVERYTHING = 1024, /* the whole account, whatever the configuration names */
	NEED_CLOCKS = 2048,    /* of the stages' metrics only what the first-loss clocks go by */
	NEED_CHANGES = 4096,   /* ask also those who tell what changed, where they may be asked: releases, CloudTrail */
	NEED_POLL = NEED_METRICS | NEED_JUDGED | NEED_EXTRA | NEED_CLOCKS,
	NEED_KIND_SHIFT = 16, /* from this bit on: only these kinds (index in kinds[]); no bit = all of them */
	NEED_ALL = NEED_IDENTITY | NEED_LIST | NEED_DESCRIBE | NEED_EDGES | NEED_ALARMS | NEED_METRICS
};
enum round_turns { TURNS_DUE, TURNS_ALL /* a refresh */, TURNS_FOCUS /* only the row that was selected just now */ };
struct round {
	enum round_turns turns;
	bool replanned;
	bool active, metrics_begun, sources_begun;
	unsigned closer; /* how far closer.c is: 0 nothing was asked, 1 metrics, 2 all */
	unsigned needs, pending, lists_pending;
	int64_t lookback;
	int64_t begun_ms; /* monotonic: the wall clock may be corrected meanwhile */
	uint64_t number;         /* of this round, from 1 */
};

/* ---- what GetMetricData has cost (bill.c) */
#define BILL_HOURS 25
struct bill_hour {
	int64_t hour;             /* since 1970; 0: unused */
	uint64_t metrics, beyond; /* asked in it; of these what no schedule had foreseen */
};
struct bill_ns {
	char ns[64];
	unsigned metrics;
};
struct bill {
	struct bill_hour hour[BILL_HOURS];
	char account[16];         /* whose stored hours are in it; "": only what this process asked */
	bool changed;
	struct bill_ns ns[16];    /* this process's, the rest under "" */
	unsigned nns;
};

/* ---- the first contact (first.c) */
enum first_state { FIRST_OVER, FIRST_LOOKING /* free calls are under way */, FIRST_ASKING /* it waits for a person */ };

struct kept_link;
struct task; /* a request being worked on */
struct ask;

struct engine {
	struct engine_options o; /* its strings in `strings` */
	struct arena strings;
	const struct conf *conf;
	struct conf *own_conf; /* read again after the first contact; NULL */
	enum first_state first;
	struct account *account;
	struct err account_err; /* no calls can be made, and that will not change by itself */
	struct arena losses; /* words of the stages' clocks, of the last loss_all */
	struct cred *cred;
	bool cred_lacked; /* there were no keys for a while: calls have failed for want of them */
	struct http *http;
	struct aws *aws;
	struct cache *cache;
	unsigned uncommitted; /* points given to it since the last commit */
	struct err cache_err;
	struct target target;
	char attached[16]; /* the account whose history the measures' cache ids belong to; "" = none yet */

	void *measures; /* tsearch tree by text and step */
	/* The measures, side by side, for every poll walks them; and their words. None goes before all do. */
	struct arena measures_mem, words_mem;
	const char *atoms[64];     /* words that many of them share */
	unsigned natoms;
	struct measure **measure_list;
	unsigned nmeasures, cmeasures;
	void *res_tree; /* by key */
	struct res **res;
	unsigned nres, cres;
	struct stage **stages;
	unsigned nstages, cstages;
	char **pipelines;
	unsigned npipelines, cpipelines;
	struct kind_state *kind_state; /* nkinds */
	bool stages_changed;           /* the plan of batches is out of date */
	void *bases;              /* tsearch tree: one measure of each metric, whatever its statistic, to find siblings by */
	struct batch *plan, *again; /* again: what failed inside CloudWatch, asked once more */
	struct late late;
	bool delay_said;     /* by a check: what is older than this is taken, whatever was learned */
	int64_t said_delay;
	struct measure **extra;
	unsigned nextra;  /* measures no stage shows: named checks */
	struct measure **due; /* what this round asks CloudWatch for */
	unsigned ndue, cdue;

	struct describe_alarms_out alarms;
	struct err alarms_err;
	bool alarms_read, no_log_alarms; /* the service does not know the type LogAlarm */
	struct told *told;               /* NULL: nothing was asked yet */
	struct error_logs *error_logs;   /* the same */
	struct alarm_code *alarm_code;   /* the newest plan (alarm_code.h); NULL: none was made */
	int64_t alarms_at;
	struct err identity_err;

	struct round round;
	const char *describe_only; /* a command that wants one resource: no other is described; NULL = all */
	unsigned wanted;           /* needs of the next round; 0 = none */
	enum round_turns turns;    /* of the next round */
	int64_t lookback;          /* of the next round's back-fill */
	bool prepared;             /* inventory (and history) are loaded */
	uint64_t rounds_done;
	int64_t polled_at;
	bool live;              /* at least one round has finished */
	unsigned metrics_asked; /* by this process: what it cost, each statistic counted */
	unsigned side_by_side;  /* the same when up to five statistics of one metric count as one */
	struct bill bill;
	double usd_per_day;     /* at this rate; NAN: too early to say */
	struct sched sched, sched_before; /* before: of this round's plan */
	uint64_t plan_print;    /* of what the plan asks for */
	uint64_t jitter;        /* its state */
	struct ask *edges;      /* answers about edges, until the lists are complete */
	struct relations sources; /* by what dead-letter queues say */
	const char **sources_of;  /* ARNs of those that were asked whole, sorted; in sources.mem */
	unsigned nsources_of;
	struct kept_link *links;  /* between stages; none from the moment a stage goes until the next drawing */
	unsigned nlinks;
	struct arena links_mem;
	struct err sources_err; /* the first that failed */
	struct group **groups;
	unsigned ngroups;
	struct task *tasks;
	struct changes *changes; /* changes.h */
	int64_t past;            /* this engine only stands for that instant (past.c); 0: it is the real one */

	/* the thread and the hand-over */
	pthread_t thread;
	bool threaded;
	atomic_bool stop, refresh, awake; /* awake: a key came after a long while without */
	_Atomic(uint64_t) focus;     /* the row under the reader's eyes; 0: none */
	_Atomic(int64_t) focused_ms, key_ms; /* monotonic: since when, and the last key */
	uint64_t focus_asked;        /* the row that was asked because it was selected */
	int64_t focus_wait_ms;       /* until the selected row may be asked so */
	_Atomic(struct http *) wakeable; /* http, once it is there: the faces' thread may wake it */
	bool closing;                    /* calls are being ended: no new ones */
	int event_fd;
	struct latest snapshot;
	_Atomic(struct snapshot *) returned; /* a list: given back, to be freed */
	struct ring asked, answered;
	uint64_t gen, next_id;
	int64_t next_poll_ms, next_discovery_ms, published_ms, judged_ms, publish_every_ms;
	bool dirty;
};

/* life.c */
void engine_prepare(struct engine *g, bool history,
                    bool offline);        /* what a first frame needs; later calls do nothing */
bool engine_connect(struct engine *g);    /* trust store and client, at the first need; false: account_err says why */
void engine_disconnect(struct engine *g); /* ends every call; there are none after it */
void engine_reopen(struct engine *g);     /* a command's next call: there may be calls again */
void engine_wake(struct engine *g);       /* any thread */

/* turn.c */
#define PUBLISH_MS 100
#define WAIT_MOST_MS 30000
void engine_turn(struct engine *g, int most_ms);
void engine_work(struct engine *g); /* requests alone, without the network */
void engine_publish(struct engine *g, bool now);
void engine_collect(struct engine *g); /* frees what was given back */

/* measure.c */
void measures_free(struct engine *g);

/* inventory.c */
void inventory_init(struct engine *g); /* stages from the configuration */
void inventory_free(struct engine *g); /* inventory_init may begin a new one */
struct kind_state *kind_state_of(const struct engine *g, const struct kind *k);
struct res *inventory_res(struct engine *g, const struct kind *k, const char *name, bool add);
struct res *inventory_by_arn(struct engine *g, const char *arn);
void inventory_listed(struct engine *g, const struct kind *k,
                      const struct found *f); /* a complete list: the rest is gone */
void inventory_described(struct engine *g, struct res *r, const struct found *f);
void inventory_related(struct engine *g, const struct found *f);
void inventory_account(struct engine *g);         /* STS did not say: every ARN of ours names the account */
void inventory_relations_begin(struct engine *g); /* a full pass over the edges begins */
void inventory_relations_end(struct engine *g);   /* and was complete: what was not seen is no dead-letter queue any more */
char *arn_of(const struct engine *g, const struct kind *k, const char *name); /* owned; "*" for what is not known of the target */
unsigned inventory_pipeline(struct engine *g, const char *name); /* adds one */
void inventory_pipelines_clear(struct engine *g);
void inventory_members(struct engine *g, const struct group *p); /* its members are its pipeline's stages, and no others */
void inventory_bind(struct engine *g); /* stages to resources; discovered ones become stages */
struct measure *inventory_measure(struct engine *g, const struct metric_id *id, uint32_t step, bool sparse);
struct measure *inventory_measure_known(struct engine *g, const struct metric_id *id, uint32_t step); /* NULL: nobody shows it */
struct measure *inventory_direct(struct engine *g, const struct kind *k, const char *key, const char *name);
struct stage *inventory_adhoc(struct engine *g, const char *name); /* KIND:NAME that no list showed; NULL unless it is one */
struct stage *inventory_stage(struct engine *g, const char *name, struct err *e); /* by stage name, resource or KIND:NAME */
const struct fact *res_fact(const struct res *r, const char *key);

/* ingest.c */
void known_add(struct known *k, int64_t from, int64_t to); /* [from, to) was answered, just now */
bool known_covers(const struct known *k, int64_t from, int64_t to);
void ingest_point(struct engine *g, struct measure *m, int64_t t, double v);
/* A poll's: what is older than the namespace's delay is taken; what is younger may still change, and only teaches. */
void ingest_polled(struct batch *b, struct measure *m, int64_t t, double v);
void ingest_answered(struct batch *b, struct measure *m); /* the answer about it was whole */
int64_t measure_delay(const struct engine *g, const struct measure *m);
void ingest_learn(struct engine *g);   /* after a round */
void ingest_direct(struct engine *g, struct measure *m, int64_t now, double v);

/* turns.c: whose turn it is in this round (sched.h decides) */
int64_t mono_s(void); /* seconds of the monotonic clock; never 0 */
void turns_take(struct engine *g); /* of the round that begins, and again when there are more stages */
bool measure_never_seen(const struct measure *m); /* asked for all of the lookback, and nothing was there */
enum sched_turn turns_of(const struct engine *g, const struct stage *s); /* of a command's round: everybody's */
void turns_taken(struct engine *g);            /* what has its turn is asked now */
bool turns_measure(const struct engine *g, const struct stage *s, unsigned metric, bool vital); /* is this metric of the kind asked for? */
bool turns_own(const struct engine *g, const struct stage *s, enum role role, bool vital);
bool turns_focus(struct engine *g, int64_t now_ms, int64_t *wait_ms); /* a row was selected long enough and is not fresh: ask it. Else how long until that may be, or INT64_MAX */
void turns_rate(struct engine *g); /* after judging: what the console spends, or would spend, on these stages */

/* first.c: until it is over, nothing that costs is asked */
void first_begin(struct engine *g);
void first_step(struct engine *g); /* after each round */
void first_show(struct engine *g, struct snapshot *s);
void first_task_step(struct engine *g, struct task *t);

/* bill.c */
void bill_batch(struct engine *g, const struct batch *b); /* it is being sent */
void bill_beyond(struct engine *g, double metrics);
void bill_load(struct engine *g);  /* what was billed before, once the account is known */
void bill_save(struct engine *g);
double bill_today(const struct engine *g);  /* metrics since midnight UTC */
double bill_beyond_day(const struct engine *g); /* of 24 hours */
void bill_show(const struct engine *g, struct snapshot *s);

/* discover.c, round.c */
void discover_begin(struct engine *g);
void discover_members(struct engine *g); /* resources that became stages late are described now */
void discover_sources(struct engine *g, struct res *dlq);
uint32_t stage_judges(const struct stage *s); /* which of the kind's metrics the default checks look at: for stage.judged */
unsigned kind_bit(const struct kind *k);                   /* for needs */
void discover_relate(struct engine *g); /* the edges that came, once everything they may name is listed */
void alarms_begin(struct engine *g);
void identity_begin(struct engine *g);
void round_begin(struct engine *g, unsigned needs, int64_t lookback, enum round_turns turns);
void round_expect(struct engine *g); /* one more answer to wait for */
void round_arrived(struct engine *g);
void round_step(struct engine *g); /* moves the round on when answers have arrived */

/* group.c: stacks and tags */
void groups_init(struct engine *g);
void groups_free(struct engine *g);
struct group *group_new(struct engine *g, const char *name, const char *stack, const char *tag, unsigned pipeline);
void group_drop(struct engine *g, struct group *p);
void groups_begin(struct engine *g);      /* asks for the members of each; they are stages and described when they come */
bool group_has(const struct group *p, const struct kind *k, const char *name);
int member_order(const void *a, const void *b); /* of struct member, for qsort and bsearch */
const struct group *group_of(const struct engine *g, unsigned pipeline); /* NULL: its stages are named one by one */

const struct err *group_err(const struct engine *g, unsigned pipeline); /* why its members are not known; NULL: they are */

/* flow.c: what belongs together */
void relations_clear(struct relations *r);
void flow_related(struct engine *g, const struct kind *k, const struct found *f, bool whole);
void flow_sources(struct engine *g, const struct res *dlq, const struct found *f); /* it told all its sources */
void flow_sources_begin(struct engine *g);
/* The account as a graph; group NULL: all of it. Owned by the caller. */
struct flow_graph *flow_draw(struct engine *g, const struct group *group);
void flow_redraw(struct engine *g);  /* after relations were read: the links, and discovered stages into discovered pipelines in flow order */
void flow_sort(struct engine *g);    /* by what their resources' groups say already */
void discover_step(struct engine *g, struct task *t);
void discover_result_clear(struct discover_result *r);

/* links.c */
void links_keep(struct engine *g, const struct flow_graph *f); /* drawn just now */
void links_clear(struct engine *g);
void links_give(const struct engine *g, struct snapshot *s);   /* its rows are there */

/* reading.c: what a metric of a stage is worth now, derived ones included */
struct value {
	double v;
	int64_t at;
	int64_t read_at; /* when its metric, of two the one that was read first, was last read; 0: never */
	bool stale, asked;
	const struct err *err;
};
struct measure *stage_own(const struct stage *s, enum role role); /* NULL: none of its own */
struct value stage_value(const struct engine *g, const struct stage *s, const struct metric_info *info,
                         struct measure *own);
double derive(const struct metric_info *info, double a, double b, bool zero_a,
              bool zero_b); /* zero_x: absent means 0 */
/* The points from `from` on of a metric, also of a derived one, into out, which is initialised here and cleared by the caller. */
void stage_series(const struct stage *s, const struct metric_info *info, const struct measure *own, int64_t from,
                  struct series *out);
/* The n points that end at `end` (inclusive), oldest first, gaps as NAN; of a metric that is not derived its series itself. */
void stage_tail(const struct stage *s, const struct metric_info *info, const struct measure *own, int64_t end, unsigned n,
                double *out);
const struct series *stage_points(const struct stage *s, const struct metric_info *info,
                                  const struct measure *own); /* NULL: it is derived, or has none */
const struct metric_info *stage_role(const struct stage *s, enum role role, struct measure **own);
const struct metric_info *stage_metric(const struct stage *s, const char *key,
                                       struct measure **own); /* key or role name */
int64_t stage_every(const struct engine *g, const struct stage *s, const struct metric_info *info); /* that interval */
int64_t measure_every(const struct engine *g, const struct measure *m);
/* One rule for the screen, the status and --check: seconds after a period's end. */
int64_t stale_after(int64_t delay, int64_t every, uint32_t step); /* every: seconds between two polls of it */
int64_t stage_delay(const struct engine *g, const struct stage *s, const struct measure *own); /* how late its points are */
const struct err *stage_err(const struct engine *g, const struct stage *s, const struct metric_info *info,
                            const struct measure *own);

/* judge.c */
const struct err *discovery_err(const struct engine *g,
                                unsigned kind); /* the first failure of listing, relating or describing it */
void verdict_clear(struct verdict *v);
void verdict_set(struct verdict *v, enum verdict_status st, const char *code, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
void verdict_empty(struct verdict *v, const struct metric_info *info,
                   const struct value *val);              /* no point in the window */
void verdict_err(struct verdict *v, const struct err *e); /* UNKNOWN, for this reason */
struct verdicts {
	struct verdict *v;
	unsigned n, cap;
	bool untold; /* nobody will read them: see verdicts_add */
};
/* s NULL: of no stage. Of those that are not to be told only their health counts: they have no name, and reasons only for what is not well. */
struct verdict *verdicts_add(struct verdicts *vs, const struct engine *g, const struct stage *s, const char *metric);
void verdicts_clear(struct verdicts *vs);
void judge_stage(struct engine *g, struct stage *s, struct verdicts *out); /* the default checks of one stage */
void judge_dlq(struct engine *g, struct stage *s, double max, struct verdicts *out);
bool stage_has_metric(const struct stage *s, const struct metric_id *id, const char *text); /* its own, or one of its resource's */
void judge_all(struct engine *g); /* health, reason and first-loss clock of every stage */
/* The end of the newest period that can have arrived, by the delay learned for the stage's namespace, or for `own` metric's. */
int64_t judged_until(const struct engine *g, const struct stage *s, const struct measure *own);
int64_t res_retention(const struct res *r); /* seconds that it keeps what it holds; 0: nobody said */

/* loss.c */
void loss_all(struct engine *g);
bool stage_clocked(const struct stage *s, unsigned metric); /* do the clocks go by this metric of the kind? */

/* check_kept.c */
void check_dlqs(struct engine *g, double max, struct verdicts *out);
void check_clocks(struct engine *g, int64_t least, struct verdicts *out);
enum health verdicts_health(const struct verdicts *vs);

/* check_select.c: tags gets a group for each tag of rq->select, NULL for a name. Returns the needs of the round that reads them. */
unsigned select_begin(struct engine *g, const struct check_request *rq, struct group **tags);
/* Leaves the selected results, adds one for what selects nothing, drops the groups. */
void select_apply(struct engine *g, const struct check_request *rq, struct group *const *tags, struct verdicts *vs);

/* check.c, history.c, doctor.c, iam.c, put_records.c, act.c: begin tells what the request needs; finish fills the result. */
struct task {
	struct task *next;
	struct request rq;
	struct arena mem; /* copies of its strings */
	struct result *result;
	bool asked;         /* from the console: the answer goes into the ring */
	uint64_t waits_for; /* rounds_done; 0 = not */
	unsigned state;
	int64_t wake_ms; /* monotonic: when it wants to be run again although nothing has come; 0 = not */
	bool ending; /* of a replay: send nothing more, and end as soon as what flies has come back */
	bool done;
	void *work; /* the request's own */
};
struct task *task_new(const struct request *rq, uint64_t id); /* copies rq */
void task_free(struct task *t);                               /* and its result, unless it was taken */
void task_run(struct engine *g, struct task *t);              /* one step, when it waits for nothing */
void history_step(struct engine *g, struct task *t);
void check_step(struct engine *g, struct task *t);
void iam_step(struct engine *g, struct task *t); /* iam.c */
void iam_result_clear(struct iam_result *r);
void doctor_step(struct engine *g, struct task *t);
void put_records_step(struct engine *g, struct task *t); /* put_records.c */
void process_step(struct engine *g, struct task *t);     /* act.c */
void put_metric_step(struct engine *g, struct task *t);
void mute_step(struct engine *g, struct task *t);
void mute_abandon(struct task *t);
void note_step(struct engine *g, struct task *t); /* note.c */
void past_step(struct engine *g, struct task *t); /* past.c */
void events_step(struct engine *g, struct task *t);
bool namespace_valid(const char *ns, const char *where, struct err *e); /* may custom metrics be in it? */
void publish_step(struct engine *g, struct task *t); /* notify.c */
void notify_step(struct engine *g, struct task *t);
void telling_abandon(struct task *t); /* frees what either holds, done or not */
void put_metric_abandon(struct task *t); /* frees what a request holds, done or not */
void act_result_clear(struct act_result *r);
void replay_step(struct engine *g, struct task *t); /* drive/drive.c */
void replay_abandon(struct task *t);
void replay_show_step(struct engine *g, struct task *t); /* replay/show.c */
void replay_export_step(struct engine *g, struct task *t); /* replay/handover.c */
void replay_adopt_step(struct engine *g, struct task *t);
void replay_item_step(struct engine *g, struct task *t); /* replay/item.c */
void replay_buy_step(struct engine *g, struct task *t); /* replay/buy.c */
void replay_buy_abandon(struct task *t);
void replay_list_step(struct engine *g, struct task *t);
void replay_steer_step(struct engine *g, struct task *t);
void audit_step(struct engine *g, struct task *t);
bool task_drains(const struct task *t); /* it ends in its own time, and without a deadline but the one that was said */
bool task_tells_itself(const struct task *t); /* its result says, item by item, what the deadline cut off */
void status_step(struct engine *g, struct task *t);
void shards_step(struct engine *g, struct task *t); /* shards.c */
void shards_abandon(struct task *t);
void history_abandon(struct task *t);                             /* frees what an unfinished request holds */
void task_need(struct engine *g, struct task *t, unsigned needs); /* the task goes on after a round with these needs */

/* told.c: what is asked about alarms beside their list, outside of rounds: who is subscribed to their topics, what their tags say.
 * Kept for minutes; asked for a few at a time, those in ALARM first. */
void told_begin(struct engine *g, const char *alarm, enum call_class class); /* what is not known, or old; alarm NULL: of any */
bool told_waiting(const struct engine *g, const struct alarm *a);            /* an answer is under way; a NULL: any */
void told_fill(const struct engine *g, struct arena *mem, struct alarm *a);  /* what is known; texts in mem */
void told_free(struct engine *g);

/* alarm_points.c: an alarm's datapoints, for the evaluator of alarms/eval.h. */
void alarms_watch(struct engine *g); /* after a round: each alarm's row, and its local state where its series is polled anyway */
void alarm_step(struct engine *g, struct task *t);
void alarm_abandon(struct task *t);
void alarms_step(struct engine *g, struct task *t);

/* errors.c */
void errors_step(struct engine *g, struct task *t);
void errors_abandon(struct task *t);
void error_logs_free(struct engine *g);

/* snap.c */
struct snapshot *snap_build(struct engine *g);

/* store.c */
void store_open(struct engine *g);
void store_close(struct engine *g);
bool store_recall_account(struct engine *g, bool loose); /* the account these credentials had last time */
void store_account(struct engine *g);
bool store_remembers(const struct engine *g); /* something of this account was seen before */
void store_load(struct engine *g); /* inventory and points from the history: the first frame */
void store_points(struct engine *g, struct measure *m);
void store_some(struct engine *g); /* when many points wait already, before the round is over: writes them */
void store_peek(struct engine *g); /* a check's: what was learned of delays, from a history that it does not open otherwise */
char *store_trouble(const struct engine *g);               /* why the history is not what it should be; owned; NULL = it is */
void store_save(struct engine *g); /* after a round */
char *store_res_text(const struct res *r);                     /* as it is kept, facts and all: JSON; owned; NULL: too much */
struct json;
void store_res_load(struct engine *g, const struct json *res); /* makes it again */

#endif
