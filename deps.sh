#!/bin/sh
# Installs what a goal needs through the package manager:  sh deps.sh build|test|faults|lint|bench ...
# Silent and without network when nothing is missing.  --missing GOAL...: only says what is, as one line.
set -eu

build='gcc libc6-dev make pkg-config libncurses-dev libcurl4-openssl-dev libssl-dev libcjson-dev libsqlite3-dev
	libexpat1-dev libmicrohttpd-dev libutf8proc-dev zlib1g-dev ca-certificates'
test='libcmocka-dev python3 python3-venv openssl pmccabe'
lint='pmccabe clang clang-format clang-tidy cppcheck shellcheck'
faults='faketime strace gdb'
bench='curl htop btop jq valgrind strace'
# Wanted by tests and benchmarks, but not in every distribution: without them those comparisons are left out.
optional='awscli'

only_say=
packages=
for goal; do
	case $goal in
	--missing) only_say=yes ;;
	build) packages="$packages $build" ;;
	test) packages="$packages $test" ;;
	lint) packages="$packages $lint" ;;
	faults) packages="$packages $faults" ;;
	bench) packages="$packages $bench" ;;
	*) echo "usage: sh deps.sh [--missing] build|test|faults|lint|bench ..." >&2; exit 2 ;;
	esac
done
packages=$(echo "$packages" | tr -s '[:space:]' ' ')
packages=${packages# }

if ! command -v dpkg-query >/dev/null 2>&1; then
	# Not Debian: nothing can be looked up or installed by name, so what pkg-config finds decides.
	pkg-config --exists libcurl openssl libcjson sqlite3 ncursesw expat libmicrohttpd libutf8proc zlib 2>/dev/null && [ -z "$only_say" ] && exit 0
	echo "missing libraries, and no Debian package manager to install them. Under Debian's names, sluice needs: $packages"
	[ -n "$only_say" ] && exit 0
	exit 1
fi

installed() {
	[ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ] && return
	# A compiler of the user's own choice serves as well as the package.
	case $1 in
	gcc) command -v "${CC:-cc}" >/dev/null 2>&1 ;;
	pkg-config) command -v pkg-config >/dev/null 2>&1 ;;
	*) false ;;
	esac
}
missing=
for p in $packages; do
	installed "$p" || missing="$missing $p"
done
missing=${missing# }

if [ -n "$only_say" ]; then
	if [ -n "$missing" ]; then
		echo "missing Debian packages: $missing. Install them with:  sudo apt-get install --no-install-recommends $missing"
	else
		echo "pkg-config does not find the libraries that sluice needs, though their packages are installed; see PKG_CONFIG_PATH"
	fi
	exit 0
fi

wanted=
case " $* " in *" test "* | *" bench "*)
	for p in $optional; do
		installed "$p" || wanted="$wanted $p"
	done ;;
esac
[ -n "$missing$wanted" ] || exit 0

as_root=
if [ "$(id -u)" != 0 ]; then
	as_root=sudo
	if ! command -v sudo >/dev/null 2>&1; then
		[ -n "$missing" ] || exit 0
		echo "missing Debian packages: $missing. As root:  apt-get install --no-install-recommends $missing" >&2
		exit 1
	fi
fi
log=$(mktemp)
trap 'rm -f "$log"' EXIT
apt() { $as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -y "$@" </dev/null >"$log" 2>&1; }

if [ -n "$missing" ]; then
	echo "installing: $missing"
	# The package lists may be absent or stale: they are fetched only when the first try fails.
	# shellcheck disable=SC2086 # a list
	if ! apt install --no-install-recommends $missing; then
		{ apt update && apt install --no-install-recommends $missing; } || {
			cat "$log" >&2
			echo "could not install: $missing" >&2
			exit 1
		}
	fi
fi
for p in $wanted; do
	apt-cache show "$p" >/dev/null 2>&1 || continue
	echo "installing: $p"
	apt install --no-install-recommends "$p" || echo "could not install $p: comparisons with it are left out"
done
