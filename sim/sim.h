/* The embedded AWS: a simulated account over HTTP on loopback, signatures verified. An AWS, not a script: any client's
 * writes change what every reader sees; a scenario is initial data and a law of motion. Shares no wire code with aws/. */
#ifndef SIM_SIM_H
#define SIM_SIM_H

#include "core/err.h"

#include <stdbool.h>
#include <stdint.h>

struct sim_options {
	unsigned port;              /* 0 = any free one */
	const char *scenario;       /* NULL = "calm"; "empty" = an account with nothing in it */
	const char *access_key, *secret_key; /* NULL: made up; see sim_access_key */
	const char *region;         /* NULL = eu-west-1 */
	double speed;               /* simulated seconds a real second; 0 = 1 */
	unsigned latency_ms;        /* added to every answer */
	bool open;                  /* the control path (sim_control.h) and the credential services (sim_meta.c) answer too */
	const char *const *faults;  /* switched on from the start, as fault.h says */
	unsigned nfaults;
};

struct sim;
struct sim *sim_start(const struct sim_options *o, struct err *e); /* serves on its own thread from here on */
void sim_stop(struct sim *s);
unsigned sim_port(const struct sim *s);
const char *sim_access_key(const struct sim *s);
const char *sim_secret_key(const struct sim *s);

struct sim_scenario { const char *name, *help; };
const struct sim_scenario *sim_scenarios(unsigned *n);

/* `sluice sim`, open: in the foreground until a signal; says where it listens (and the key pair it made up) on stdout. A fault "list" is no
 * fault: it prints them all instead. Exit status. */
int sim_main(const struct sim_options *o);
/* --demo: forks a child that serves and dies with its parent; call before any thread exists. */
struct sim_child { int pid; unsigned port; char access_key[32], secret_key[64]; };
bool sim_fork(const struct sim_options *o, struct sim_child *child, struct err *e);

#endif
