/* What the reader sees and where they are in it. Pure state: the screens draw from it, the actions change it, and what it
 * wants from the outside (a history, a refresh, to stop) it only says; tui.c does it. So a screen cannot wait. */
#ifndef TUI_VIEW_H
#define TUI_VIEW_H

#include "engine/engine.h"
#include "tui/draw.h"
#include "tui/list.h"
#include "tui/screen.h"
#include "tui/tui.h"
#include "tui/words.h"

#include <stdint.h>

#define VIEW_DEPTH 8
#define FILTER_SIZE 128
#define CHARTS_MAX 6

struct view;
struct prompt_kind { /* what is typed, and what becomes of it */
	const char *label;
	bool secret;                             /* shown as * */
	bool counted;                            /* how many rows of the overview match stands beside it */
	void (*changed)(struct view *v);
	void (*accepted)(struct view *v);
	void (*cancelled)(struct view *v);
	void (*move)(struct view *v, int direction); /* Up -1, Down 1; NULL */
	void (*complete)(struct view *v);            /* Tab; NULL */
};
struct prompt {
	bool open;
	const struct prompt_kind *kind;
	char text[FILTER_SIZE], before[FILTER_SIZE]; /* before: what Esc brings back */
	char hint[200];                              /* beside it, until the next key */
};
#define TYPED_MOST 32
struct typed { /* commands, the newest last */
	char line[TYPED_MOST][FILTER_SIZE];
	unsigned n, at; /* at: how far back the one is that stands in the prompt; 0 = none of them */
};

#define PALETTE_MOST 64
enum palette_what { PALETTE_ROW, PALETTE_ALARM, PALETTE_ACTION, PALETTE_COMMAND, PALETTE_WRITE };
struct palette_item {
	enum palette_what what;
	uint32_t index;             /* in the snapshot, or in the table */
	int score;
};
struct palette {
	struct palette_item item[PALETTE_MOST]; /* the best first */
	unsigned n, total, at;
};

enum sort { SORT_FLOW, SORT_STATE, SORT_NAME, SORT_IN, SORT_OUT, SORT_ERROR, SORT_BACKLOG, SORT_AGE, SORT_LOSS, SORT_COUNT };
enum pane { PANE_STAGES, PANE_ALARMS, PANE_CHANGES, PANE_COUNT };

#define PINS_MOST 16
#define MARKS_MOST 256

struct overview {
	struct list rows, alarms, changes;
	enum pane focus;            /* which of them the keys move */
	bool zoomed;                /* it alone is shown */
	uint32_t *line;             /* row index, or HEADING | pipeline index */
	unsigned nlines, shown;     /* shown: lines that are rows */
	uint64_t only_row;          /* of the pipeline screen: a row of the pipeline that is shown */
	uint64_t pins[PINS_MOST], marks[MARKS_MOST]; /* rows' ids */
	unsigned npins, nmarks;
	enum sort sort;
	bool reversed;
	char filter[FILTER_SIZE];
	uint8_t longest;            /* stage name, in cells */
};
#define HEADING 0x80000000u

/* One chart, and the question behind it. */
struct wish {
	int64_t range, end;         /* seconds, up to this instant; end 0: up to now */
	bool offline;               /* what the history knows: moving over rows must not cost money */
};
struct slot {
	uint64_t shown_row;         /* row and reading it stands for; metric "" = free */
	char metric[64];
	bool wanted;                /* on the screen now */
	struct wish wish, asked_for; /* of what is drawn; of the newest question */
	bool asked;
	uint64_t pending;           /* the newest question's id while it is unanswered */
	int64_t polled_at;          /* when it was asked */
	struct result *answer;      /* of the newest answered question; NULL = none yet */
};
struct detail {
	uint64_t row;               /* snapshot row's id */
	struct list metrics;        /* line + 1 is the id: readings keep their order */
	unsigned range;             /* index into the ranges */
	int64_t end;                /* of the charts; 0: now */
	int64_t cursor;             /* instant on all charts; 0 = off */
	int chart_width;            /* of the last draw: what one cursor step is */
	struct slot slot[CHARTS_MAX];
	unsigned unanswered;
};

struct events_view {
	struct list list;
	unsigned *line, n;          /* indices of the snapshot's events that pass the filter */
	char filter[FILTER_SIZE];
};

/* The shards of the open stream, and the question behind them. */
struct shards_view {
	uint64_t row, pending;
	int64_t polled_at;
	struct result *answer;      /* of the newest answered question; NULL = none yet */
};

/* The answer to the first contact: chosen, what it would cost, kept. */
struct first {
	struct list pipelines;
	enum first_choice choice;
	char text[FILTER_SIZE];
	bool chosen;                /* something: its cost is asked, or known */
	bool ask, keep;             /* wishes: tui.c sends the request, as a dry run or to be kept */
	uint64_t pending;           /* its id while it is unanswered */
	bool known;
	struct first_cost cost;
};

/* The alarms screen, and the question about the selected one. */
struct alarms_view {
	struct list list;           /* of the snapshot's alarms */
	char name[256];             /* whom the newest question was about; "" = nobody yet */
	uint64_t pending;           /* its id while it is unanswered */
	int64_t range, polled_at;
	struct result *answer;      /* of the newest answered question; NULL = none yet */
	unsigned unanswered;
};

/* What the reader has opened (lease.h). */
struct lease {
	bool inspect;
	int64_t until;              /* of writing; 0: closed */
	char account[16];           /* for which alone */
};

/* x, and what is asked before it is done (write.h). */
struct menu {
	bool open;
	unsigned chosen;
	char question[200];         /* "" when none is open */
	char typed[FILTER_SIZE];
	void (*go)(struct view *v); /* when it is confirmed */
};

struct mute_view {              /* x m (mute.c) */
	bool wanted;                /* tui.c is to send it */
	uint64_t pending;
	struct consent consent;
	char alarm[256], reason[FILTER_SIZE];
};

/* The replay screens (replay.h). */
struct replay_act {             /* what tui.c is to send */
	bool wanted;
	enum request_kind kind;
	struct consent consent;
	bool redrive, resend;
	char source[300], through[300], where[300], run[RUN_ID], word[32], typed[FILTER_SIZE];
};
struct replay_view {
	uint64_t row;               /* the queue */
	struct list list;           /* its groups, then the runs */
	struct list left;           /* of the open run, what is not done */
	char run[RUN_ID];           /* the open one */
	struct replay_act act;
	uint64_t plan_pending, runs_pending, show_pending;
	uint64_t drive_pending;     /* the run that this process drives is that request */
	char driven[RUN_ID];        /* and this its id, once it is known */
	int64_t runs_at, show_at;   /* when they were asked; 0: now is the time */
	uint64_t plan_row;          /* whose the plan is */
	struct result *plan, *runs, *shown;
	char count[16];             /* a frozen selection waits for this number to be typed */
	char question[300];
	char said[160];             /* what the last act came to */
	enum style said_style;
};

/* The errors of one function. */
struct errors_view {
	uint64_t row;               /* of the function */
	struct list list;           /* of the answer's groups */
	uint64_t pending;           /* the newest question's id while it is unanswered */
	uint64_t asked_row, answered_row;
	int64_t span, asked_at;
	struct result *answer;
	unsigned unanswered;
};

#define PROBLEM_LINES 8                     /* the most that row 3 takes */
#define PROBLEM_ROWS (2 * PROBLEM_LINES)

struct view {
	const struct tui_options *options;
	struct snapshot *snap;      /* what is shown; owned; NULL until the first one */
	struct snapshot *held;      /* the newest one while frozen or in the past; owned */
	bool frozen;
	struct row_place { uint64_t id; uint32_t row; } *by_id; /* of snap, sorted */
	/* Of snap, for row 3 (problems.c): found once a snapshot, for there may be ten thousand rows and a frame is drawn at each key. */
	struct {
		unsigned n[HEALTH_COUNT], kept[HEALTH_COUNT]; /* rows of a health; how many of them stand in: */
		uint32_t row[HEALTH_COUNT][PROBLEM_ROWS];     /* the first ones */
		uint32_t soonest[PROBLEM_LINES];              /* rows with a deadline, the nearest first */
		unsigned nsoonest;
	} worst;
	int64_t now;                /* seconds; the instant that is shown while it is a past one */
	int64_t mono;               /* seconds of a clock that is never set */
	int64_t past;               /* the instant; 0: live. Nothing acts meanwhile: view_acts() */
	int64_t past_wish;          /* a wish: to be shown that instant */
	uint64_t past_asked;        /* the question's id; 0: none */
	bool utf8;
	unsigned level, level_most; /* glyph.h */
	enum time_style time_style;
	struct canvas canvas;
	enum screen_id stack[VIEW_DEPTH];
	unsigned depth;
	struct prompt prompt;
	struct typed typed;
	struct palette palette;
	bool bell_off, title_off;
	char note[128];             /* one line in the footer until the next key */
	bool interrupted;           /* the last key was Ctrl-C */
	bool keyed;                 /* there was a key */
	bool quit, redraw, suspend, refresh; /* wishes */
	char note_wish[FILTER_SIZE]; /* a wish: to be kept among the events */
	bool note_incident;
	bool copy, bell;            /* wishes too: `copied` to the clipboard; to ring */
	struct buf copied;
	char code[16];              /* a wish too: an MFA code for the engine; tui.c wipes it */
	struct overview overview;
	struct detail detail;
	struct shards_view shards;
	struct events_view events;
	struct alarms_view alarms;
	struct errors_view errors;
	struct list help;
	struct first first;
	struct lease lease;
	struct menu menu;
	struct mute_view mute;
	struct replay_view replay;
	bool leaving;               /* q was pressed while a replay runs here: the next one means it */
};

void view_init(struct view *v, const struct tui_options *o, bool utf8, unsigned level);
void view_clear(struct view *v);
void view_snapshot(struct view *v, struct snapshot *s);  /* takes s */
void view_past(struct view *v, struct snapshot *s);      /* takes s: it is shown until view_back_to_live() */
void view_back_to_live(struct view *v);
/* Whether what acts may act now; when not, the reader is told. Every action that writes asks. */
bool view_acts(struct view *v);
void view_answer(struct view *v, struct result *r);      /* takes r */
void view_key(struct view *v, uint32_t key);
void view_draw(struct view *v);                          /* into v->canvas, at its size */
void view_note(struct view *v, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* questions.c: what the charts want to know. */
void view_slots_keep(struct view *v, uint64_t row, const char *const *metrics, unsigned n); /* these are on the screen, and no others */
struct slot *view_slot(struct view *v, uint64_t row, const char *metric, struct wish wish); /* made anew when there is none; NULL: all are in use */
struct slot *view_question(struct view *v, struct history_request *rq); /* the next one to ask, filled in; NULL: none */
void view_asked(struct view *v, struct slot *s, uint64_t id);         /* it was asked */
bool view_waiting(const struct view *v);                              /* a question is open, asked or not */
/* pane_shards.c: the same for the shards of the open stream. */
bool shards_question(struct view *v, struct shards_request *rq);
void shards_asked(struct view *v, uint64_t id);
void shards_answer(struct view *v, struct result *r);                 /* takes r */
bool shards_waiting(const struct view *v);
/* scr_alarms.c: the same for the selected alarm. */
bool alarms_question(struct view *v, struct alarm_request *rq);
void alarms_asked(struct view *v, uint64_t id);
void alarms_answer(struct view *v, struct result *r);                 /* takes r */
bool alarms_waiting(const struct view *v);
uint64_t alarms_row(const struct view *v);                            /* the stage that the selected alarm watches; 0: none */
void alarms_forget(struct view *v);                                   /* the answer, and who it was about */
void alarms_open(struct view *v);                                     /* goes to that stage */
/* scr_errors.c: the same for a function's errors. */
bool errors_question(struct view *v, struct errors_request *rq);
void errors_asked(struct view *v, uint64_t id);
void errors_answer(struct view *v, struct result *r);                 /* takes r */
bool errors_waiting(const struct view *v);
struct range {
	int64_t seconds;
	const char *name;
};
extern const struct range view_ranges[];
extern const unsigned view_nranges;

enum screen_id view_screen(const struct view *v);
void view_push(struct view *v, enum screen_id id);
void view_pop(struct view *v);

void pipeline_show(struct view *v, uint64_t row);       /* scr_list.c: the pipeline of this row alone */
void overview_sort(struct view *v, enum sort by);
void first_answer(struct view *v, const struct result *r); /* scr_first.c */
bool first_leave(struct view *v);                       /* Esc or q there: true when it took back a choice */
void detail_show(struct view *v, uint64_t row);         /* scr_detail.c: the row that the detail screen is about */
uint64_t view_focus(const struct view *v);              /* the row under the reader's eyes: open, or selected; 0: none */
const struct row *view_row(const struct view *v, uint64_t id); /* NULL when it is not in the snapshot */

#endif
