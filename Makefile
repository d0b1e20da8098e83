# sluice: one flat Makefile. `make help` lists what it can do; `make V=1` shows the commands. Every folder's *.c is found by wildcard.
CC      ?= cc
CFLAGS  ?= -O2 -g
BUILD   ?= build
PREFIX  ?= /usr/local
PYTHON  ?= python3
Q       := $(if $(V),,@)
VERSION := 0.1.0

FOLDERS := core core/model aws aws/cred aws/http cache alarms pipeline replay engine engine/drive cli tui sim
SRC     := $(foreach d,$(FOLDERS),$(wildcard $(d)/*.c))
OBJ     := $(SRC:%.c=$(BUILD)/obj/%.o)
LIB     := $(BUILD)/libsluice.a
UNIT    := $(patsubst tests/unit/%.c,$(BUILD)/unit/%,$(wildcard tests/unit/t_*.c))
TOOLS   := $(patsubst tests/tools/%.c,$(BUILD)/tools/%,$(wildcard tests/tools/*.c))
SHIM    := $(BUILD)/tools/power_shim.so
BENCHES := $(patsubst tests/bench/%.c,$(BUILD)/bench/%,$(wildcard tests/bench/*.c))
VENV    ?= build/venv
VENV_OK := $(VENV)/$(firstword $(shell sha256sum tests/requirements.txt 2>/dev/null)).ok
JOBS    := $(shell nproc)
PYTEST  := $(VENV)/bin/python -m pytest -q -p no:cacheprovider
# The tests mostly wait: one more at a time than there are processors. A file stays together, with the emulators it started; the kills
# come first, because a file of one long test that comes last is waited for alone.
WORKERS ?= $(shell expr $(JOBS) + 1)
ABREAST  = -n $(WORKERS) --dist loadfile

# The goals below compile nothing themselves: they may run on a machine that still lacks the libraries.
NO_PKGS := help demo test test-long faults proofs bench lint clean format peers-env
PKGS    := libcurl openssl libcjson sqlite3 ncursesw expat libmicrohttpd libutf8proc zlib
ifneq (,$(filter-out $(NO_PKGS),$(or $(MAKECMDGOALS),all)))
ifneq (0,$(shell pkg-config --exists $(PKGS) 2>/dev/null; echo $$?))
$(error $(shell sh deps.sh --missing build))
endif
PKG_CFLAGS := $(shell pkg-config --cflags $(PKGS))
PKG_LIBS   := $(shell pkg-config --libs $(PKGS))
endif

WARN      := -Wall -Wextra -Wshadow -Wconversion -Wsign-conversion -Wstrict-prototypes -Wmissing-prototypes -Wformat=2 -Wundef -Wwrite-strings
HARDEN    := -fstack-protector-strong -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2 -fno-strict-overflow
ALLCFLAGS  = -std=gnu17 $(WARN) $(HARDEN) -fPIE $(CFLAGS) $(PKG_CFLAGS) -I. -I$(BUILD)/gen -D_GNU_SOURCE -DSLUICE_VERSION='"$(VERSION)"' -pthread
ALLLIBS    = $(LDFLAGS) -pie -Wl,-z,relro -Wl,-z,now -Wl,--as-needed $(PKG_LIBS) -lm -pthread
# One step from source to program, for tests and benchmarks.
LINK       = $(CC) $(ALLCFLAGS) -MMD -MP -MT $@ -MF $@.d -o $@ $< $(LIB)

ASAN := BUILD=build/asan HARDEN= CFLAGS='-O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=undefined'
TSAN := BUILD=build/tsan HARDEN= CFLAGS='-O1 -g -fno-omit-frame-pointer -fsanitize=thread'
ASAN_ENV := ASAN_OPTIONS=detect_leaks=1:abort_on_error=0:exitcode=99 LSAN_OPTIONS=suppressions=$(CURDIR)/tests/lsan.supp:print_suppressions=0 UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1
TSAN_ENV := TSAN_OPTIONS=halt_on_error=1:exitcode=99:second_deadlock_stack=1:suppressions=$(CURDIR)/tests/tsan.supp

.DELETE_ON_ERROR:
.PHONY: all build programs demo test test-long faults faults-run proofs proofs-run asan tsan unit peers peers-env lint lint-quick bench bench-run install clean format help FORCE

all: $(BUILD)/sluice ## build/sluice (installs nothing)
build: all
programs: all $(UNIT) $(TOOLS) $(SHIM)

demo: ## install what is missing, build, open the console on the embedded AWS
	@sh deps.sh build
	@$(MAKE) --no-print-directory -j$(JOBS) all
	@if [ -t 0 ] && [ -t 1 ]; then exec $(BUILD)/sluice --demo; else exec $(BUILD)/sluice --demo status; fi

test: ## install what is missing, build, and run every test
	@sh deps.sh build test
	@$(MAKE) --no-print-directory -j$(JOBS) programs
	@$(MAKE) --no-print-directory lint-quick unit peers

test-long: ## all tests under ASan+UBSan and TSan, and larger samples
	@sh deps.sh build test
	@$(MAKE) --no-print-directory asan
	@$(MAKE) --no-print-directory tsan
	@SLUICE_LONG=1 $(MAKE) --no-print-directory peers

faults: ## every fault of docs/reliability.md under ASan and UBSan, and the table of its figures
	@sh deps.sh build test faults
	@$(MAKE) --no-print-directory -j$(JOBS) all
	@$(MAKE) --no-print-directory -j$(JOBS) $(ASAN) programs
	@$(ASAN_ENV) SLUICE_SANITIZER=asan SLUICE_PLAIN=$(abspath $(BUILD)/sluice) $(MAKE) --no-print-directory $(ASAN) faults-run
proofs: ## the figures of a replay's proofs: kills, power, disks, batches, bytes, rates (SLUICE_LONG=1: all of them)
	@sh deps.sh build test
	@$(MAKE) --no-print-directory -j$(JOBS) programs
	@$(MAKE) --no-print-directory proofs-run
proofs-run: $(BUILD)/sluice $(BUILD)/unit/t_power $(SHIM) $(VENV_OK)
	$(BUILD)/unit/t_power
	SLUICE=$(abspath $(BUILD)/sluice) SLUICE_BUILD=$(abspath $(BUILD)) $(PYTEST) -s $(PYTEST_ARGS) tests/crash/test_replay_kill.py tests/crash/test_redrive_kill.py \
		tests/crash/test_power.py tests/peers/test_replay_batches.py tests/peers/test_replay_whole.py tests/peers/test_replay_others.py
faults-run: $(BUILD)/sluice $(TOOLS) $(VENV_OK)
	SLUICE=$(abspath $(BUILD)/sluice) SLUICE_BUILD=$(abspath $(BUILD)) $(PYTEST) $(PYTEST_ARGS) tests/faults

asan: ## unit, peer and screen tests with AddressSanitizer and UBSan
	@$(MAKE) --no-print-directory -j$(JOBS) $(ASAN) programs
	@$(ASAN_ENV) SLUICE_SANITIZER=asan $(MAKE) --no-print-directory $(ASAN) unit peers
tsan: ## unit, peer and screen tests with ThreadSanitizer
	@$(MAKE) --no-print-directory -j$(JOBS) $(TSAN) programs
	@$(TSAN_ENV) SLUICE_SANITIZER=tsan $(MAKE) --no-print-directory $(TSAN) unit peers

unit: $(UNIT) ## unit tests
	@sh tests/unit.sh $(UNIT)

peers: $(BUILD)/sluice $(TOOLS) $(SHIM) $(VENV_OK) ## the program against AWS emulators and on terminals
	SLUICE=$(abspath $(BUILD)/sluice) SLUICE_BUILD=$(abspath $(BUILD)) $(PYTEST) $(ABREAST) $(PYTEST_ARGS) $(if $(SLUICE_SANITIZER),,$(wildcard tests/crash)) tests/peers

peers-env: $(VENV_OK)
$(VENV_OK): tests/requirements.txt
	@echo "installing the Python peers into $(VENV)"
	@rm -rf $(VENV)
	@$(PYTHON) -m venv $(VENV)
	@$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps -r tests/requirements.txt
	@touch $@

lint: ## include directions, banned calls, sizes, format, both compilers' warnings, static analysers
	@sh tests/lint.sh full
lint-quick:
	@sh tests/lint.sh

bench: ## the figures of docs/performance.md beside their references
	@sh deps.sh build test bench
	@$(MAKE) --no-print-directory bench-run
bench-run: all $(BENCHES) $(VENV_OK)
	$(VENV)/bin/python tests/bench/bench.py $(BENCH_ARGS)

install: all ## PREFIX=/usr/local DESTDIR= : the program and its manual page
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/share/man/man1
	install -m 755 $(BUILD)/sluice $(DESTDIR)$(PREFIX)/bin/sluice
	$(BUILD)/sluice help --man > $(BUILD)/sluice.1
	install -m 644 $(BUILD)/sluice.1 $(DESTDIR)$(PREFIX)/share/man/man1/sluice.1

clean: ## remove build/
	rm -rf $(BUILD)

format: ## clang-format every .c file (headers are laid out by hand)
	clang-format -i $$(git ls-files '*.c')

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile

$(BUILD)/sluice: $(BUILD)/obj/main.o $(LIB)
	@echo "  link $@"
	$(Q)$(CC) $(CFLAGS) -o $@ $^ $(ALLLIBS)

$(LIB): $(OBJ)
	@rm -f $@
	$(Q)$(AR) rcs $@ $^

$(BUILD)/obj/%.o: %.c $(BUILD)/flags
	@mkdir -p $(@D)
	@echo "  cc $<"
	$(Q)$(CC) $(ALLCFLAGS) -MMD -MP -c -o $@ $<

# Schemas stay readable SQL; the binary carries them as strings.
$(BUILD)/gen/%.sql.h: cache/%.sql
	@mkdir -p $(@D)
	$(Q)sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e 's/^/"/' -e 's/$$/\\n"/' $< > $@
$(BUILD)/obj/cache/cache.o: $(BUILD)/gen/schema.sql.h
$(BUILD)/obj/cache/ledger.o: $(BUILD)/gen/ledger.sql.h
$(BUILD)/obj/cache/audit.o: $(BUILD)/gen/audit.sql.h
$(BUILD)/obj/cache/peek.o: $(BUILD)/gen/peek.sql.h

$(BUILD)/unit/%: tests/unit/%.c $(LIB)
	@mkdir -p $(@D)
	@echo "  cc $<"
	$(Q)$(LINK) $$(pkg-config --cflags --libs cmocka) $(ALLLIBS)
$(BUILD)/tools/%: tests/tools/%.c $(LIB)
	@mkdir -p $(@D)
	@echo "  cc $<"
	$(Q)$(LINK) $(ALLLIBS)
# Preloaded into sluice: a disk that loses power and one that fails (tests/crash).
$(SHIM): tests/crash/power_shim.c
	@mkdir -p $(@D)
	@echo "  cc $<"
	$(Q)$(CC) -std=gnu17 $(WARN) $(CFLAGS) -D_GNU_SOURCE -fPIC -shared -MMD -MP -MT $@ -MF $@.d -o $@ $< $$(pkg-config --cflags --libs sqlite3) -pthread
$(BUILD)/bench/%: tests/bench/%.c $(LIB)
	@mkdir -p $(@D)
	@echo "  cc $<"
	$(Q)$(LINK) $(ALLLIBS)

# Its own functions stand in the place of the library's.
$(BUILD)/bench/ref_replay: LDFLAGS += -Wl,--allow-multiple-definition

# Other flags or another compiler: everything is built again.
$(BUILD)/flags: export FLAGS = $(CC) $(ALLCFLAGS)
$(BUILD)/flags: FORCE
	@mkdir -p $(@D)
	@printf '%s\n' "$$FLAGS" | cmp -s - $@ || printf '%s\n' "$$FLAGS" > $@

-include $(OBJ:.o=.d) $(BUILD)/obj/main.d $(UNIT:=.d) $(TOOLS:=.d) $(SHIM).d $(BENCHES:=.d)
