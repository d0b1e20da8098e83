/* The query wire: a form with dotted names becomes the JSON that the same operation takes on the JSON wire. */
#ifndef SIM_SIM_FORM_H
#define SIM_SIM_FORM_H

#include "sim/sim_req.h"

/* Appends a JSON object; every leaf is a string. renames: SQS's other names. False when the form nests or grows absurdly. */
bool form_to_json(struct span form, const struct sim_rename *renames, unsigned nrenames, struct buf *out);
/* Percent- and (plus) blank-decodes. Returns out. NUL bytes become U+FFFD. */
void form_decode(struct span text, bool plus, struct buf *out);

#endif
