#!/bin/sh
# The rules of docs/architecture.md that a machine can keep.  sh tests/lint.sh: seconds, part of `make test`.
# sh tests/lint.sh full: also both compilers' warnings as errors, and what static analysers note (to be read, not obeyed).
# What is not installed is said.
set -u
cd "$(dirname "$0")/.." || exit 1
out=$(mktemp) bad=0
trap 'rm -f "$out"' EXIT

# report RULE: fails the lint when the file $out holds findings
report() {
	[ -s "$out" ] || return 0
	bad=1
	echo "lint: $1"
	sed 's/^/  /' "$out"
}
absent() { command -v "$1" >/dev/null 2>&1 && return 1; echo "lint: $1 is not installed: $2 not checked"; }

folders='core aws cache alarms pipeline replay engine cli tui sim'
ours=$(find $folders main.c -name '*.[ch]' 2>/dev/null | sort)
sources=$(printf '%s\n' $ours; find tests -name '*.[ch]')
code=$(printf '%s\n' $ours | grep '\.c$')

# ---- a function of ours that bears a libc function's name takes its place in every library that calls it
libc='accept|access|bind|close|connect|dup|exec[a-z]*|exit|fork|free|index|kill|link|listen|malloc|open|pause|pipe|poll|raise|read|recv|remove|rename|select|send|shutdown|signal|sleep|socket|stat|sync|system|time|truncate|unlink|wait|write'
grep -nE "^[a-z][a-z_0-9 ]*[ *]+($libc)\\(" $ours | grep -v ':static ' > "$out"
report 'a name that is also libc'"'"'s'

# ---- include directions: FOLDER may include headers of its own and of these
allowed() {
	case $1 in
	core) echo core ;;
	aws | cache | alarms | pipeline | replay | sim) echo "$1 core" ;;
	engine) echo "engine core aws cache alarms pipeline replay" ;;
	tui | cli) echo "$1 core engine/engine.h" ;;
	main.c) echo "core engine/engine.h cli/cli.h cli/scratch.h tui/tui.h sim/sim.h" ;;
	esac
}
for file in $ours; do
	may=$(allowed "${file%%/*}")
	sed -n 's/^[[:space:]]*#[[:space:]]*include[[:space:]]*"\([^"]*\)".*/\1/p' "$file" | while read -r header; do
		ok=
		case $file:$header in cache/cache.c:schema.sql.h | cache/ledger*.c:ledger.sql.h | cache/audit.c:audit.sql.h | cache/peek.c:peek.sql.h) ok=yes ;; esac
		for m in $may; do
			case $header in "$m" | "$m"/*) ok=yes ;; esac
		done
		[ -n "$ok" ] || echo "$file includes \"$header\""
	done
done >"$out"
report "include directions: a folder includes only what lies below it, named from the root"

# ---- no ring among headers
for file in $(printf '%s\n' $ours | grep '\.h$'); do
	sed -n 's/^[[:space:]]*#[[:space:]]*include[[:space:]]*"\([^"]*\)".*/\1/p' "$file" | sed "s|^|$file |"
done | { LC_ALL=C tsort 2>&1 >/dev/null; } | sed 's/^tsort: //' >"$out"
report "headers include each other in a ring"

# ---- libraries with one home
home() { # PATTERN WHERE...
	pattern=$1
	shift
	grep -nE "^[[:space:]]*#[[:space:]]*include[[:space:]]*<($pattern)" $ours | while IFS=: read -r file line rest; do
		ok=
		for where; do
			case $file in "$where" | "$where"/*) ok=yes ;; esac
		done
		[ -n "$ok" ] || echo "$file:$line: $rest"
	done
}
{
	home 'curl/|expat' aws
	home 'sqlite3' cache
	home 'n?curses|term\.h' tui
	home 'cjson/' core/json.c
	home 'openssl/' core/hash.c aws/http/tls.c
	home 'microhttpd' sim
	home 'utf8proc' core/text.c
	home 'zlib' aws/http/reply.h sim
} >"$out"
report "a library is used in one place only (docs/dependencies.md)"

# ---- banned words of C
strip() { sed -e 's|//.*||' -e 's|/\*[^*]*\*/||g' -e 's/"\([^"\\]\|\\.\)*"/""/g' -e '/^[[:space:]]*\*/d' -e '/^[[:space:]]*\/\*/d' "$1"; }
for file in $sources; do
	strip "$file" | grep -nE '\b(strcpy|strcat|sprintf|vsprintf|gets|strtok|ctime|asctime|gmtime|localtime|atoi|atol|atof|system|popen|alloca)[[:space:]]*\(|setlocale[[:space:]]*\([[:space:]]*LC_(ALL|NUMERIC)' | sed "s|^|$file:|"
done >"$out"
report "banned calls"
for file in $sources; do
	strip "$file" | grep -nE '\btypedef[[:space:]]+(struct|union|enum)\b' | sed "s|^|$file:|"
done >"$out"
report "structs, unions and enums are not hidden behind typedef"
grep -nE '\b(TODO|FIXME)\b' $sources Makefile deps.sh >"$out"
report "unfinished work is an issue, not a comment"

# ---- no machine's paths, no trailing blanks
tracked=$(git ls-files 2>/dev/null || find . -path ./build -prune -o -type f -print)
for file in $tracked; do
	[ -f "$file" ] && grep -nIE '/(home|Users)/[a-z]|/root/|(^|[^A-Za-z0-9_.])/work/' "$file" | sed "s|^|$file:|"
done | grep -v '^tests/lint.sh:' >"$out"
report "absolute paths of somebody's machine"
grep -nE '[[:space:]]+$' $sources Makefile deps.sh >"$out"
report "trailing blanks"
wc -l $ours | awk '$2 != "total" && $1 > 620 { print $2 ": " $1 " lines" }' >"$out"
report "a file of more than some 600 lines has more than one reason to exist"

# ---- sizes of functions: complexity 15, 80 lines
if ! absent pmccabe "sizes of functions"; then
	pmccabe $(printf '%s\n' $sources | grep '\.c$') 2>/dev/null |
		awk '$1 > 15 || ($5 > 80 && $6 !~ /^tests\/unit/) { printf "%s %s: complexity %d, %d lines\n", $6, $7, $1, $5 }' >"$out"
	report "a function over complexity 15 or 80 lines (a unit test may be a longer table)"
fi

# ---- layout; headers are tables and contracts laid out by hand
if ! absent clang-format "layout"; then
	case $(clang-format --version) in
	*" 14."*) clang-format --dry-run -Werror $code 2>&1 | grep -E 'error:' | head -20 >"$out"; report "layout: make format" ;;
	*) echo "lint: clang-format is not version 14, whose layout is the reference: layout not checked" ;;
	esac
fi

if ! absent shellcheck "shell scripts"; then
	shellcheck -e SC2086,SC2046 deps.sh tests/*.sh .ci/run >"$out" 2>&1
	report "shell scripts"
fi

if [ "${1:-}" = full ]; then
	packages='libcurl openssl libcjson sqlite3 ncursesw expat libmicrohttpd libutf8proc zlib'
	common="-std=gnu17 -Wall -Wextra -Wshadow -Wconversion -Wsign-conversion -Wstrict-prototypes -Wmissing-prototypes -Wformat=2 -Wundef
		-Wwrite-strings -Werror -I. -Ibuild/gen -D_GNU_SOURCE -DSLUICE_VERSION=__FILE__ $(pkg-config --cflags $packages)"
	make --no-print-directory build/gen/schema.sql.h build/gen/ledger.sql.h build/gen/audit.sql.h build/gen/peek.sql.h >/dev/null
	everything=$(printf '%s\n' $sources | grep '\.c$' | grep -v '^tests/bench/yyjson/') # that one is built where yyjson is
	for cc in gcc clang; do
		absent $cc "its warnings" && continue
		for file in $everything; do
			$cc $common -O2 -fsyntax-only "$file" 2>&1
		done >"$out"
		report "$cc's warnings"
	done
	for file in $code; do
		gcc $common -Wno-error -fanalyzer -O1 -c -o /dev/null "$file" 2>&1 | grep -E 'Wanalyzer' | sed 's/^/  note (gcc -fanalyzer): /'
	done
	if ! absent cppcheck "cppcheck's findings"; then
		cppcheck --quiet --std=c11 --enable=warning,portability --inline-suppr --suppress=missingIncludeSystem --suppress=unknownMacro \
			--template='{file}:{line}: {message}' -I. -Ibuild/gen $code 2>&1 | sed 's/^/  note (cppcheck): /'
	fi
	if ! absent clang-tidy "clang-tidy's findings"; then
		clang-tidy --quiet --checks='-*,bugprone-*,cert-*,-bugprone-easily-swappable-parameters,-bugprone-reserved-identifier,-cert-dcl37-c,-cert-err33-c,-cert-msc*,-bugprone-narrowing-conversions,-bugprone-assignment-in-if-condition,-bugprone-macro-parentheses,-bugprone-branch-clone,-bugprone-implicit-widening-of-multiplication-result,-bugprone-sizeof-expression,-bugprone-suspicious-memory-comparison,-cert-dcl16-c,-cert-err34-c,-cert-exp42-c,-cert-flp37-c' \
			$code -- $common 2>/dev/null | grep -E 'warning:|error:' | sort -u | sed 's/^/  note (clang-tidy): /'
	fi
fi

[ "$bad" -eq 0 ] && echo "lint: clean"
exit "$bad"
