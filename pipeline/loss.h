/* The first-loss clock: when the oldest item of a resource is gone for good, as far as what was measured bounds it. Pure.
 *
 * A forecast holds while things go on as they did in the last minutes; a bound (of a dead-letter queue, a pointer) holds whatever its
 * messages' pasts were. LOSS_SAFE: nothing is there, it drains, or at no rate that could hide in the measurement would anything be lost
 * within LOSS_FAR retentions. LOSS_UNKNOWN: something may be at risk that nothing here bounds. Sources: what CloudWatch says of ages is
 * AWS's documentation of ApproximateAgeOfOldestMessage and IteratorAge; limits are SQS's, Kinesis's and Lambda's own. */
#ifndef PIPELINE_LOSS_H
#define PIPELINE_LOSS_H

#include "core/arena.h"
#include "core/model/loss.h"
#include "core/series.h"
#include "core/text.h"

#include <stdbool.h>

#define LOSS_POINTS 30           /* the slope of an age is taken over so many periods, */
#define LOSS_RECENT 10           /* and over so many: what changed shows there first */
#define LOSS_RISE 60             /* seconds that an age has to change by over these to be called changing: one period */
#define LOSS_JITTER 10           /* seconds that the two may differ by and be one: ages come in whole seconds, and not always on time */
#define LOSS_FAR 10
#define LOSS_APART 1.5           /* two forecasts that differ by more do not bear each other out */
#define LOSS_SQS_MOST 1209600    /* the longest a queue can be told to keep a message: 14 days */
#define LOSS_ASYNC_MOST 21600    /* the longest that Lambda keeps an event it was asked to work on later: 6 hours */

/* An age as its newest points say. */
struct loss_trend {
	int64_t at;           /* the end of the newest point's period; 0: there is none */
	double age;           /* then, seconds */
	double slope, span;   /* seconds a second over LOSS_POINTS (Theil-Sen), and the seconds between the first and the last; NAN: too few */
	double recent, recent_span;
	double slack;         /* the age was taken at some moment of these seconds before `at` */
};
/* Of the points before `until`; scale makes seconds of the series' unit. */
struct loss_trend loss_trend(const struct series *s, double scale, int64_t until);

struct loss_queue {           /* what somebody is to take from; seconds, messages, messages a second; NAN: not known */
	int64_t now;
	double retention;
	double held;              /* visible, in flight and delayed */
	double in, out, counted;  /* over the last `counted` seconds */
	struct loss_trend age;
	bool current;             /* the age's newest point is as new as it can be */
	bool steady;              /* what is there came at today's rate, as far as is known: only then is there a forecast */
	bool hidden;              /* a message received three times or more may be in it: the age leaves it out */
	bool redriven;            /* while it is received, such a message goes to a dead-letter queue before it expires */
};
struct loss loss_queue(struct arena *mem, const struct loss_queue *q);

struct loss_dead {            /* a dead-letter queue */
	int64_t now;
	double retention, held, out;
	struct loss_trend age;    /* since the move */
	bool current;
	bool fifo;                /* the move made it a new message */
	double source_retention;  /* the longest of its sources'; NAN: not known */
	bool received;            /* messages may have been received here three times or more: the age leaves those out */
	const int64_t *sent;      /* when messages that were looked at had been sent, by their SentTimestamp, seconds */
	unsigned nsent;
	bool all;                 /* they are all there is */
	bool gone;                /* not all: somebody may have taken some of them since, so that they bound nothing from above */
	int64_t looked;           /* what else is there was moved here after this instant; 0: nobody knows */
};
struct loss loss_dead(struct arena *mem, const struct loss_dead *d);

struct loss_pointers {        /* a queue with what a stream's mapping gave up: each message names records that the stream still has, or not */
	int64_t now;
	double retention, held, out;
	struct loss_trend age;
	bool current;
	double stream_retention;  /* the longest of the streams'; NAN: not known */
	const int64_t *arrived;   /* approximateArrivalOfFirstRecord of messages that were looked at, seconds */
	unsigned narrived;
	bool all;
};
struct loss loss_pointers(struct arena *mem, const struct loss_pointers *p);

struct loss_reader {          /* who reads a stream: one consumer, or one consumer of one shard */
	const char *where;        /* "shard 3"; NULL: all of it */
	struct loss_trend age;
	bool current;             /* as of a queue; */
	bool silent;              /* else: CloudWatch answered, and there is no newer point: nobody reads */
	bool caught_up;           /* of silent: nothing was written since what was read last */
	int64_t unread_from;      /* of silent without a point: something was written then and never read; 0: nothing known */
	double limit;             /* MaximumRecordAgeInSeconds: what is older is given up; NAN: none */
	unsigned shards;          /* whose highest the age is; 0: not known. Of more than one, another may be younger and grow faster */
	double batch;             /* the age is of a batch's last record: its first may be so many seconds older; 0 */
};
struct loss_stream {
	int64_t now;
	double retention;
	const char *what;         /* NULL: "first record" */
	bool steady;              /* as of a queue */
	const struct loss_reader *readers;
	unsigned nreaders;        /* 0: LOSS_NONE */
};
struct loss loss_stream(struct arena *mem, const struct loss_stream *s);

struct loss_async {           /* a function's queue of events it was asked to work on later */
	int64_t now;
	double least, most;       /* MaximumEventAgeInSeconds, of its qualifiers; NAN: not known, LOSS_ASYNC_MOST at the most */
	struct loss_trend age;    /* AsyncEventAge; no point: LOSS_NONE */
	bool current;
	bool over;                /* no point for longer than Lambda lets pass between two attempts: nothing waits */
};
struct loss loss_async(struct arena *mem, const struct loss_async *a);

void loss_kept(double seconds, char out[TEXT_NUM]); /* a configured time as it was configured: 24h, 4d; else as any duration */
/* Two things of one resource, each with its clock: the truth is the nearer. Strings of a or b. */
struct loss loss_nearer(const struct loss *a, const struct loss *b, int64_t now);

#endif
