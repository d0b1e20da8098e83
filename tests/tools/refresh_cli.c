/* For tests: keys that end in the middle of a run. One process holds a fake service that counts what it really did, the endpoint
 * that hands out keys (a container's), and sluice's own calls. Time is made: whoever would sleep moves the clock instead.
 *
 *   refresh_cli runs FIRST LAST FAILS WINDOW THREADED: for each k from FIRST to LAST, 200 acts, at most WINDOW under way; the keys
 *     end before the k-th request arrives, and the endpoint then fails FAILS times. A line of JSON for each k.
 *   refresh_cli hours LIVES OUTAGE HOURS STUCK: an act a minute with keys of LIVES minutes; in each hour the endpoint is out for
 *     OUTAGE minutes. STUCK: ten minutes into the first hour the service takes the keys no more, and for so many minutes the endpoint
 *     knows no others. One line. */
#include "aws/call.h"
#include "aws/wire.h"
#include "core/clock.h"
#include "core/hash.h"
#include "core/json.h"
#include "tests/unit/tiny_server.h"

#include <errno.h>
#include <inttypes.h>
#include <sys/syscall.h>
#include <time.h>

#define ACTS 200
#define MOST 4096
#define PATIENCE_MS (10 * 60 * 1000) /* of made time; a run that takes longer stalls */
#define REAL_S 60

/* ---- made time, for sluice and for curl */

static _Atomic int64_t ahead_ns;

int clock_gettime(clockid_t id, struct timespec *t)
{
	if (syscall(SYS_clock_gettime, id, t) != 0)
		return -1;
	int64_t ns = t->tv_nsec + atomic_load(&ahead_ns);
	t->tv_sec += ns / 1000000000;
	t->tv_nsec = ns % 1000000000;
	return 0;
}

static void pass(int64_t ms)
{
	atomic_fetch_add(&ahead_ns, ms * 1000000);
}

int nanosleep(const struct timespec *t, struct timespec *left)
{
	(void)left;
	atomic_fetch_add(&ahead_ns, t->tv_sec * 1000000000LL + t->tv_nsec);
	sched_yield();
	return 0;
}

/* ---- the fake: everything under its lock */

struct fake {
	pthread_mutex_t lock;
	unsigned generation; /* of the keys that are taken */
	unsigned k, arrived; /* the k-th act to arrive finds the keys ended; 0: they end by the clock */
	unsigned fails, fetches, failed, refused, ended;
	unsigned done[MOST];
	int64_t lives_s, until, out_from, out_until, stuck_from, stuck_until; /* wall clock */
	char reply[1024];
};

static void say(struct fake *f, struct tiny_reply *r, int status, const char *body)
{
	snprintf(f->reply, sizeof f->reply,
	         "HTTP/1.1 %d X\r\nContent-Type: application/x-amz-json-1.0\r\nContent-Length: %zu\r\n\r\n%s", status,
	         strlen(body), body);
	r->raw = f->reply;
}

static void hand_out(struct fake *f, struct tiny_reply *r)
{
	char body[512], until[CLOCK_RFC3339_SIZE];
	int64_t now = clock_wall();
	f->fetches++;
	bool out = now >= f->out_from && now < f->out_until;
	if (out || (f->generation > 1 && f->fails)) {
		f->fails -= !out;
		f->failed++;
		say(f, r, 503, "{\"code\":\"Unavailable\",\"message\":\"not now\"}");
		return;
	}
	bool stuck = now >= f->stuck_from && now < f->stuck_until;
	bool late = f->stuck_until && now >= f->stuck_until && f->until - f->lives_s < f->stuck_until;
	if (!f->k && !stuck &&
	    (late || f->until - now < f->lives_s * 3 / 4)) { /* as ECS does: the same keys until they are getting old */
		f->generation++;
		f->until = now + f->lives_s;
	}
	clock_rfc3339(f->k ? now + 3600 : f->until, until);
	snprintf(body, sizeof body,
	         "{\"AccessKeyId\":\"ASIA%012u\",\"SecretAccessKey\":\"secret\",\"Token\":\"token\",\"Expiration\":\"%s\"}",
	         f->generation, until);
	say(f, r, 200, body);
}

/* Each in its turn: whatever AWS calls it. */
static const char *const endings[] = { "ExpiredTokenException", "ExpiredToken", "UnrecognizedClientException",
	                                   "InvalidClientTokenId" };

static void act(struct fake *f, const char *request, struct tiny_reply *r)
{
	const char *signer = strstr(request, "Credential=ASIA"), *id = strstr(request, "{\"id\":");
	unsigned long generation = signer ? strtoul(signer + 15, NULL, 10) : 0, n = id ? strtoul(id + 6, NULL, 10) : MOST;
	f->arrived++;
	if (f->k && f->arrived == f->k) {
		f->generation++;
		f->ended++;
	}
	bool old = generation != f->generation;
	if (!f->k) /* the last set serves until its end, the one before it too: AWS takes both */
		old = generation == 0 || generation + 1 < f->generation || clock_wall() >= f->until ||
		      (f->stuck_until && clock_wall() >= f->stuck_from && f->until - f->lives_s < f->stuck_until);
	if (old || n >= MOST) {
		char body[160];
		f->refused++;
		snprintf(body, sizeof body,
		         "{\"__type\":\"com.amazonaws.test#%s\",\"message\":\"The security token is expired\"}",
		         endings[f->k % 4]);
		say(f, r, 400, body);
		return;
	}
	f->done[n]++;
	say(f, r, 200, "{}");
}

static void on_request(struct tiny *t, const char *request, struct tiny_reply *r)
{
	struct fake *f = t->ctx;
	pthread_mutex_lock(&f->lock);
	if (strncmp(request, "GET /creds", 10) == 0)
		hand_out(f, r);
	else
		act(f, request, r);
	pthread_mutex_unlock(&f->lock);
}

/* ---- acts: writes that must not be repeated */

static bool act_build(const void *in, struct http_req *rq, struct err *e)
{
	struct json_out o;
	json_out_init(&o, &rq->body);
	json_out_object(&o, NULL);
	json_out_int(&o, "id", *(const unsigned *)in);
	json_out_object_end(&o);
	return wire_built(&o, e);
}

static bool act_read(const struct http_res *rs, void *out, struct err *e)
{
	struct json *doc = wire_answer(rs, e);
	*(bool *)out = doc;
	json_free(doc);
	return doc;
}

static const struct service service_test = {
	.id = "test", .host = "test", .signing = "test", .env = "TEST", .target = "T", .wire = WIRE_JSON10
};
static const struct op op_act = { .service = &service_test,
	                              .name = "Act",
	                              .iam = "test:Act",
	                              .effect = OP_WRITE,
	                              .rate = 1000000,
	                              .build = act_build,
	                              .read = act_read };

/* ---- one run */

struct run {
	struct fake fake;
	struct tiny server;
	struct account *account;
	struct http *http;
	struct cred *cred;
	struct aws *aws;
	unsigned ids[MOST], acts, next, under_way, done, failures, odd; /* odd: told as done, and was not */
	bool answered[MOST];
	unsigned again[MOST], nagain; /* acts that failed: the caller, who was told so, tries them again */
	int64_t moved, longest;
	char last[400];
};

static void on_done(void *ctx, const struct op *op, void *in, void *out, const struct err *e)
{
	struct run *r = ctx;
	unsigned id = *(unsigned *)in;
	int64_t now = clock_mono_ms();
	(void)op;
	r->under_way--;
	if (e->code == ERR_OK) {
		r->done++;
		r->odd += !*(bool *)out;
		r->longest = now - r->moved > r->longest ? now - r->moved : r->longest;
		r->moved = now;
	} else {
		r->failures++;
		r->again[r->nagain++] = id;
		snprintf(r->last, sizeof r->last, "%s: %s: %s", err_name(e->code), e->where, e->text);
	}
}

static void wake(void *http)
{
	http_wakeup(http);
}

static void begin(struct run *r, bool threaded)
{
	char url[64];
	struct err e = { 0 };
	pthread_mutex_init(&r->fake.lock, NULL);
	tiny_start(&r->server, on_request, &r->fake);
	snprintf(url, sizeof url, "http://127.0.0.1:%u", r->server.port);
	setenv("AWS_ENDPOINT_URL", url, 1);
	setenv("AWS_REGION", "eu-west-1", 1);
	strncat(url, "/creds", 8);
	setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", url, 1);
	r->account = account_load(&(struct account_in){ .profile = NULL }, &e);
	r->http = http_new(NULL, &e);
	r->cred = cred_new(r->account);
	if (threaded)
		cred_threaded(r->cred, wake, r->http);
	r->aws = aws_new(r->http, r->account, r->cred);
	r->moved = clock_mono_ms();
}

static void end(struct run *r)
{
	aws_free(r->aws);
	cred_free(r->cred);
	http_free(r->http);
	account_free(r->account);
	tiny_stop(&r->server);
	pthread_mutex_destroy(&r->fake.lock);
}

static void submit(struct run *r, unsigned id)
{
	r->ids[id] = id;
	r->under_way++;
	aws_call_permitted(r->aws, &(struct permit){ &op_act }, CALL_VISIBLE, &op_act, &r->ids[id], &r->answered[id],
	                   on_done, r);
}

static bool turn(struct run *r)
{
	int wait = aws_tick(r->aws);
	http_turn(r->http, wait < 0 || wait > 5 ? 5 : wait);
	return clock_mono_ms() - r->moved < PATIENCE_MS;
}

static void report(struct run *r, bool stalled)
{
	struct buf b;
	struct json_out o;
	unsigned once = 0, twice = 0;
	pthread_mutex_lock(&r->fake.lock);
	for (unsigned i = 0; i < r->acts; i++) {
		once += r->fake.done[i] == 1;
		twice += r->fake.done[i] > 1;
	}
	buf_init(&b, 4096);
	json_out_init(&o, &b);
	json_out_object(&o, NULL);
	json_out_int(&o, "k", r->fake.k);
	json_out_int(&o, "acts", r->acts);
	json_out_int(&o, "done", r->done);
	json_out_int(&o, "once", once);
	json_out_int(&o, "twice", twice);
	json_out_int(&o, "odd", r->odd);
	json_out_int(&o, "failures", r->failures);
	json_out_str(&o, "last", r->last);
	json_out_int(&o, "ended", r->fake.ended);
	json_out_int(&o, "refused", r->fake.refused);
	json_out_int(&o, "fetches", r->fake.fetches);
	json_out_int(&o, "failed_fetches", r->fake.failed);
	json_out_int(&o, "generations", r->fake.generation);
	json_out_int(&o, "longest_ms", r->longest);
	json_out_bool(&o, "stalled", stalled);
	json_out_object_end(&o);
	pthread_mutex_unlock(&r->fake.lock);
	puts(b.p);
	fflush(stdout);
	buf_clear(&b);
}

static void run_k(unsigned k, unsigned fails, unsigned window, bool threaded)
{
	struct run *r = calloc(1, sizeof *r);
	bool moving = true;
	r->acts = ACTS;
	r->fake.k = k;
	r->fake.generation = 1;
	r->fake.fails = fails;
	begin(r, threaded);
	while (r->done < r->acts && moving) {
		while (r->under_way < window && r->next < r->acts)
			submit(r, r->next++);
		if (!r->under_way && r->nagain) { /* told, and a moment later tried again */
			pass(250);
			while (r->nagain)
				submit(r, r->again[--r->nagain]);
		}
		moving = turn(r);
	}
	report(r, !moving);
	end(r);
	free(r);
}

static void run_hours(unsigned lives, unsigned outage, unsigned hours, unsigned stuck)
{
	struct run *r = calloc(1, sizeof *r);
	bool moving = true;
	int64_t begun = clock_wall();
	r->fake.lives_s = lives * 60;
	r->fake.stuck_from = stuck ? begun + 10 * 60 : 0;
	r->fake.stuck_until = stuck ? r->fake.stuck_from + stuck * 60 : 0;
	begin(r, false);
	for (unsigned minute = 0; minute < hours * 60 && moving; minute++) {
		if (minute % 60 == 0) { /* begins when the keys have begun to be renewed */
			pthread_mutex_lock(&r->fake.lock);
			r->fake.out_from = begun + ((int64_t)minute + 25) * 60;
			r->fake.out_until = r->fake.out_from + outage * 60;
			pthread_mutex_unlock(&r->fake.lock);
		}
		unsigned before = r->failures;
		r->acts++;
		submit(r, r->next++);
		while (r->under_way && moving)
			moving = turn(r);
		r->moved = clock_mono_ms();
		r->nagain = 0;
		r->fake.ended += r->failures > before;
		int64_t left = (begun + ((int64_t)minute + 1) * 60) * 1000 - clock_wall_ms();
		for (; left > 0; left -= 10000) { /* the loop turns now and then also when there is nothing to do */
			pass(left < 10000 ? left : 10000);
			aws_tick(r->aws);
		}
	}
	report(r, !moving);
	end(r);
	free(r);
}

static unsigned number(char **argv, int argc, int i)
{
	return i < argc ? (unsigned)strtoul(argv[i], NULL, 10) : 0;
}

int main(int argc, char **argv)
{
	struct err e = { 0 };
	if (argc < 2 || !clock_init() || !hash_init() || !http_global_init(&e))
		return 1;
	if (strcmp(argv[1], "hours") == 0) {
		alarm(10 * REAL_S);
		run_hours(number(argv, argc, 2), number(argv, argc, 3), number(argv, argc, 4), number(argv, argc, 5));
		return 0;
	}
	for (unsigned k = number(argv, argc, 2); k <= number(argv, argc, 3); k++) {
		alarm(REAL_S);
		run_k(k, number(argv, argc, 4), number(argv, argc, 5), number(argv, argc, 6));
	}
	return 0;
}
