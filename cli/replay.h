/* What the files of the command replay share. */
#ifndef CLI_REPLAY_H
#define CLI_REPLAY_H

#include "cli/args.h"
#include "cli/out.h"

/* replay_json.c */
void replay_json(struct out *o, const struct replay_result *r, bool plan);
void replay_bought_json(struct out *o, const struct replay_result *r);
void replay_bought_text(struct out *o, const struct replay_result *r);
void replay_list_json(struct out *o, const struct replay_result *r);

#endif
