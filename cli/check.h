/* Private to cli/: the forms of a --check result. */
#ifndef CLI_CHECK_H
#define CLI_CHECK_H

#include "cli/cli.h"
#include "cli/out.h"

/* order: indices of the verdicts, worst first. fail: why the request as a whole failed, or code OK. */
struct check_view {
	const struct check_result *result;
	const struct err *fail;
	const unsigned *order;
	enum verdict_status status;
	int exit;
};

void check_text(struct out *o, const struct check_view *v);
void check_json(struct out *o, const struct check_view *v);
/* "CODE reason", visible characters only. */
void verdict_reason(const struct verdict *v, struct buf *out);
const char *verdict_name(enum verdict_status s);

#endif
