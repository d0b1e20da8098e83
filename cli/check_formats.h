/* Private to cli/: the forms that a --check result may take. A new one is a row here and a check_NAME.c with
 * void check_NAME(struct out *o, const struct check_view *v).
 *  X(NAME, seconds that -t has when it is not given, exit status of --help, mode of a new --out file)
 * A Nagios server takes 0 for "all is well" and gives a plugin ten seconds; who collects node_exporter's textfiles is
 * another user. */
#ifndef CLI_CHECK_FORMATS_H
#define CLI_CHECK_FORMATS_H

#define CHECK_FORMATS(X)                                                                 \
	X(text, 60, 0, 0600)                                                                 \
	X(nagios, 10, 3, 0600)                                                               \
	X(json, 60, 0, 0600)                                                                 \
	X(junit, 60, 0, 0600)                                                                \
	X(github, 60, 0, 0600)                                                               \
	X(gitlab, 60, 0, 0600)                                                               \
	X(prom, 60, 0, 0644)

/* "text nagios json ..." for the command table */
#define CHECK_FORMAT_WORD(name, seconds, help, mode) " " #name
#define CHECK_FORMAT_NAMES (&(CHECK_FORMATS(CHECK_FORMAT_WORD))[1])

#endif
