# sluice: one flat Makefile. `make help` lists what it can do. Every folder's *.c is found by wildcard.
CC      ?= cc
CFLAGS  ?= -O2 -g
BUILD   ?= build
PREFIX  ?= /usr/local
VERSION := 0.1.0
PYTHON  ?= python3

FOLDERS := core core/model aws cache alarms engine cli tui sim
SRC     := $(foreach d,$(FOLDERS),$(wildcard $(d)/*.c))
OBJ     := $(SRC:%.c=$(BUILD)/obj/%.o)
LIB     := $(BUILD)/libsluice.a
UNIT    := $(patsubst tests/unit/%.c,$(BUILD)/unit/%,$(wildcard tests/unit/t_*.c))
HEADERS := $(wildcard *.h */*.h */*/*.h)

PKGS    := libcurl openssl libcjson sqlite3 ncursesw expat libmicrohttpd libutf8proc
ifeq (,$(filter help need demo test test-long clean format,$(MAKECMDGOALS)))
PKG_CFLAGS = $(shell pkg-config --cflags $(PKGS))
PKG_LIBS   = $(shell pkg-config --libs $(PKGS))
endif

WARN    := -Wall -Wextra -Wshadow -Wconversion -Wsign-conversion -Wstrict-prototypes -Wmissing-prototypes -Wformat=2 -Wundef -Wwrite-strings
HARDEN  := -fstack-protector-strong -fPIE -D_FORTIFY_SOURCE=2 -fno-strict-overflow
ALLCFLAGS = -std=gnu17 $(WARN) $(HARDEN) $(CFLAGS) $(PKG_CFLAGS) -I. -I$(BUILD)/gen -D_GNU_SOURCE -DSLUICE_VERSION='"$(VERSION)"' -pthread -MMD -MP
ALLLIBS   = $(LDFLAGS) -pie -Wl,-z,relro -Wl,-z,now -Wl,--as-needed $(PKG_LIBS) -lm -pthread

.DELETE_ON_ERROR:
.PHONY: all unit

all: $(BUILD)/sluice

$(BUILD)/sluice: $(BUILD)/obj/main.o $(LIB)
	$(CC) $(CFLAGS) -o $@ $^ $(ALLLIBS)

$(LIB): $(OBJ)
	@rm -f $@
	$(AR) rcs $@ $^

$(BUILD)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(ALLCFLAGS) -c -o $@ $<

# The schema stays readable SQL; the binary carries it as a string.
$(BUILD)/gen/schema.sql.h: cache/schema.sql
	@mkdir -p $(@D)
	sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e 's/^/"/' -e 's/$$/\\n"/' $< > $@
$(BUILD)/obj/cache/cache.o: $(BUILD)/gen/schema.sql.h

$(BUILD)/unit/%: tests/unit/%.c $(LIB)
	@mkdir -p $(@D)
	$(CC) $(ALLCFLAGS) -o $@ $< $(LIB) $(shell pkg-config --cflags --libs cmocka) $(ALLLIBS)

unit: $(UNIT)
	@for t in $(UNIT); do $$t || exit 1; done

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
