/* Commands whose first operand is a verb, with operands of its own. */
#include "cli/args.h"

#include <string.h>

static int none_of_them(const struct cli *c, const char *what, const struct cli_verb *verbs, unsigned n)
{
	struct err e;
	struct buf b;
	buf_init(&b, 1024);
	for (unsigned i = 0; i < n; i++)
		buf_addf(&b, "%s%s", i ? ", " : "", verbs[i].name);
	err_set(&e, ERR_USAGE, c->command->name, "\"%.40s\" is none of %s", what, b.p);
	buf_clear(&b);
	return cli_fail(c, &e);
}

int cli_verbs(const struct cli *c, struct engine *g, const struct cli_verb *verbs, unsigned n, const char *later)
{
	const char *what = c->argc ? c->argv[0] : verbs[0].name; /* the first is what the command does by itself */
	int given = c->argc ? c->argc - 1 : 0;
	struct err e;
	for (unsigned i = 0; i < n; i++) {
		if (strcmp(verbs[i].name, what) != 0)
			continue;
		if (given < verbs[i].least)
			err_set(&e, ERR_USAGE, c->command->name, "%s needs %s", what, verbs[i].wants);
		else if (given > verbs[i].most)
			err_set(&e, ERR_USAGE, c->command->name, "%s takes no more operands, not also \"%.100s\"", what,
			        c->argv[verbs[i].most + 1]);
		else
			return verbs[i].run(c, g);
		return cli_fail(c, &e);
	}
	if (!later || !cli_listed(later, what))
		return none_of_them(c, what, verbs, n);
	err_set(&e, ERR_USAGE, c->command->name, "%s is not in this version", what);
	return cli_fail(c, &e);
}
