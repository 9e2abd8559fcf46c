# Redoubt.  One file, not recursive.  `make help` lists what there is.
# Variants: make V=release (default) | debug | asan | tsan | coverage | fuzz

V ?= release
MODULES := base ipc confine seal audit store domain access auth wire ui egress flow role client delegate cli
OUT := build/$(V)

CC_release := gcc
CC_debug := gcc
CC_asan := clang
CC_tsan := clang
CC_coverage := gcc
CC_fuzz := clang
CC := $(CC_$(V))

WARN := -Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow \
	-Wformat=2 -Wvla -Wundef -Wstrict-prototypes -Wmissing-prototypes \
	-Wold-style-definition -Wcast-qual -Wwrite-strings -Wpointer-arith \
	-Wimplicit-fallthrough -Wnull-dereference -Wdouble-promotion \
	-Werror
WARN_gcc := -Wduplicated-cond -Wduplicated-branches -Wlogical-op \
	-Wformat-signedness -Walloc-zero -Wtrampolines
WARN_clang :=
HARDEN := -O2 -g -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3 -fstack-protector-strong \
	-fstack-clash-protection -fcf-protection=full -ftrivial-auto-var-init=zero \
	-fzero-call-used-regs=used-gpr -fno-strict-overflow \
	-fno-delete-null-pointer-checks -fno-strict-aliasing -fno-common -fPIE
LDHARD := -pie -Wl,-z,relro,-z,now,-z,noexecstack,-z,separate-code,--as-needed

CF_release := $(HARDEN)
CF_debug := -O0 -g3 -fPIE
CF_asan := -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=undefined -fPIE -DREDOUBT_SANITIZED
CF_tsan := -O1 -g -fsanitize=thread -fPIE -DREDOUBT_SANITIZED
CF_coverage := -O0 -g --coverage -fPIE -DREDOUBT_SANITIZED
CF_fuzz := -O1 -g -fno-omit-frame-pointer -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined -fPIE -DREDOUBT_SANITIZED
LF_release := $(LDHARD)
LF_debug := -pie
# lld: half of the time of each of 250 programs
LF_asan := -fsanitize=address,undefined -pie -fuse-ld=lld
LF_tsan := -fsanitize=thread -pie
LF_coverage := --coverage -pie
LF_fuzz := -fsanitize=address,undefined -pie -fuse-ld=lld

VERSION := $(shell sed -n 's/^## \([0-9][0-9.]*\).*/\1/p' CHANGELOG.md 2>/dev/null | head -1)
CPPFLAGS := -Isrc -I. -I/usr/include/libxml2 -I/usr/include/p11-kit-1 -D_GNU_SOURCE -DOPENSSL_NO_DEPRECATED -DOPENSSL_API_COMPAT=30000 \
	-DREDOUBT_VERSION='"$(or $(VERSION),0.0.0)"'
CFLAGS := -std=gnu17 $(WARN) $(WARN_$(CC)) $(CF_$(V)) -ffile-prefix-map=$(CURDIR)=. -pthread
LDFLAGS := $(LF_$(V)) -pthread
LIBS := -lssl -lcrypto -lnghttp2 -lsqlite3 -lseccomp -linih -largon2 -lxml2 -lz -lyaml

# The UI is built once for all variants: from ui/, or as a release brings it.
UI_TOP := $(if $(wildcard ui/dist/ui/assets.def),ui/dist,build)
objs = $(patsubst src/%.c,$(OUT)/%.o,$(sort $(wildcard src/$(1)/*.c))) $(if $(filter ui,$(1)),$(OUT)/ui/assets.o)
OBJS := $(foreach m,$(MODULES),$(call objs,$(m)))

all: build/redoubt

help:
	@echo 'make run       install what is missing, build, start with sample data'
	@echo 'make test      install what tests need, run them all'
	@echo 'make           build/redoubt      make check    unit tests'
	@echo 'make api attack crash lessons e2e  one suite each'
	@echo 'make asan tsan fuzz-smoke arch lint   the gates'
	@echo 'make bench     figures, as ratios of one run'
	@echo 'make dist      the tarball of a release, of HEAD'

deps:
	@tools/deps tools/apt.txt
deps-test:
	@tools/deps tools/apt.txt tools/apt-test.txt
run: deps
	@$(MAKE) -s all
	@tools/run

build/redoubt: $(OUT)/redoubt
	@ln -sf $(V)/redoubt $@

$(OUT)/redoubt: $(OBJS)
	$(CC) $(LDFLAGS) -o $@ $^ $(LIBS)

$(OUT)/%.o: src/%.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

# The version comes from the change log.
$(OUT)/cli/cli.o $(OUT)/client/http.o $(OUT)/flow/openapi.o $(OUT)/role/supervisor.o: CHANGELOG.md

# .incbin is not seen by -MMD.
# Debug information names one place, so that a release makes the same program.
$(OUT)/ui/ui.o: CPPFLAGS += -I$(UI_TOP) -ffile-prefix-map=$(UI_TOP)=build
$(OUT)/ui/ui.o: $(UI_TOP)/ui/assets.def
$(OUT)/ui/assets.o: $(UI_TOP)/ui/assets.def
	@mkdir -p $(@D)
	$(CC) -c -Wa,-I,$(UI_TOP)/ui -Wa,--noexecstack -o $@ $(UI_TOP)/ui/assets.S
$(OUT)/domain/connector_catalogue.o: src/domain/catalogue.json
$(OUT)/store/schema.o: $(wildcard src/store/schema/*.sql)
$(OUT)/auth/password_fits.o: src/auth/common.txt

# ---- unit tests: tests/unit/<module>/t_<name>.c links what <module> may use ----
USES_base := base
USES_ipc := ipc base
USES_confine := confine base
USES_seal := seal base
USES_audit := audit base
USES_store := store seal base
USES_domain := domain access base
USES_access := access base
USES_auth := auth access seal base
USES_wire := wire base
USES_ui := ui base
USES_egress := egress auth access seal ipc base
USES_flow := $(filter-out egress client role delegate cli,$(MODULES))
USES_delegate := base client ipc confine seal audit access domain auth egress delegate
USES_role := $(filter-out cli,$(MODULES))
USES_client := client base
USES_cli := $(MODULES)

UNIT_SRC := $(sort $(wildcard tests/unit/*/t_*.c))
UNIT := $(patsubst tests/unit/%.c,$(OUT)/unit/%,$(UNIT_SRC))
unit_module = $(word 1,$(subst /, ,$(patsubst $(OUT)/unit/%,%,$(1))))

.SECONDEXPANSION:
$(UNIT): $(OUT)/unit/%: tests/unit/%.c tests/t.h $$(foreach m,$$(USES_$$(call unit_module,$$@)),$$(filter-out $(OUT)/cli/main.o,$$(call objs,$$(m))))
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -Wno-missing-prototypes -MMD -MP -o $@ $< $(filter %.o,$^) $(LDFLAGS) $(LIBS) -ljansson -lfido2

# How many test programs run at once.
JOBS ?= 4
unit-%: ; $(MAKE) V=$(V) $(filter $(OUT)/unit/$*/%,$(UNIT)) && tools/run-units $(filter $(OUT)/unit/$*/%,$(UNIT))
unit: $(UNIT)
	JOBS=$(JOBS) tools/run-units $(UNIT)
check: unit

# ---- the escape corpus: a program that attempts, and judges ----
$(OUT)/attack/escape: $(wildcard tests/attack/escape/*.c) $(call objs,delegate) $(foreach m,$(filter-out delegate,$(USES_delegate)),$(call objs,$(m))) $(wildcard tests/attack/escape/*.h tests/attack/escape/*.def)
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -Wno-missing-prototypes -MMD -MP -o $@ $(filter %.c %.o,$^) $(LDFLAGS) $(LIBS)

# ---- the offline verifiers, asked thousands of times by tests ----
$(OUT)/attack/judge: tests/attack/judge.c $(filter-out $(OUT)/cli/main.o,$(OBJS))
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -o $@ $(filter %.c %.o,$^) $(LDFLAGS) $(LIBS)

# ---- a second redoubt, on a disk that fails and tells (tests/crash/fault.c) ----
$(OUT)/crash/redoubt: tests/crash/fault.c $(OBJS)
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -U_FORTIFY_SOURCE -MMD -MP -o $@ $(filter %.c %.o,$^) $(LDFLAGS) -rdynamic $(LIBS)

# ---- ui: what runs in the browser; ui/build.mjs bundles, ui/pack.mjs packs ----
UI_SRC := $(shell find ui -name node_modules -prune -o -name dist -prune -o -type f -print)
ui/node_modules/.for-lock: ui/package-lock.json
	@command -v npm >/dev/null || { echo "the UI needs node and npm to be built, or the ui/dist of a release" >&2; exit 1; }
	cmp -s ui/package-lock.json $@ || (cd ui && npm ci --ignore-scripts --no-audit --no-fund --silent)
	cp ui/package-lock.json $@
build/ui/assets.def: $(UI_SRC) ui/node_modules/.for-lock
	node ui/build.mjs && node ui/pack.mjs
ui: build/ui/assets.def
ui-check: ui/node_modules/.for-lock ; cd ui && npm run -s check
# A release: build/redoubt-VERSION.tar.gz, of HEAD, with ui/dist.
dist: ui/node_modules/.for-lock ; @tools/dist

# ---- suites against the real server: programs that print TAP ----
suite = $(sort $(wildcard tests/$(1)/t_*.py tests/$(1)/t_*.sh))
# They wait more than they work: three fifths of the time on a machine that
# has nothing else to do.
api: all ; JOBS=$(JOBS) tools/run-units $(call suite,api)
attack: all $(OUT)/attack/escape $(OUT)/attack/judge ; JOBS=$(JOBS) tools/run-units $(call suite,attack)
crash: all $(OUT)/crash/redoubt $(OUT)/attack/judge ; JOBS=$(JOBS) tools/run-units $(call suite,crash)
e2e: all ; JOBS=1 tools/run-units $(call suite,e2e)
ui-test: all ; JOBS=2 tools/run-units $(call suite,ui)
# Pictures of every page, in both themes, wide and narrow: build/shots.
screenshots: all ; SHOTS=1 tests/ui/t_crawl.py && ls build/shots/*
lessons: all ; tools/run-lessons

# Everything, in one count.
test: deps-test
	$(MAKE) all
	tools/run-all

# The unit tests and the API suite again, with the sanitizers: memory, and
# what threads do to each other.
asan: deps-test
	$(MAKE) V=asan unit
	$(MAKE) V=asan build/asan/redoubt
	REDOUBT=build/asan/redoubt JOBS=$(JOBS) tools/run-units $(call suite,api)
asan-build: $(UNIT) $(OUT)/redoubt
tsan: deps-test
	$(MAKE) V=tsan unit-flow
	$(MAKE) V=tsan unit-wire
	$(MAKE) V=tsan build/tsan/redoubt
	REDOUBT=build/tsan/redoubt tools/run-units $(call suite,api)

arch:
	tools/check-uses
lint: deps-test $(UI_TOP)/ui/assets.def
	tools/lint

# ---- fuzz: tests/fuzz/<module>/f_<name>.c, corpus in tests/fuzz/corpus/<name> ----
FUZZ_SECONDS ?= 10
FUZZ_SRC := $(sort $(wildcard tests/fuzz/*/f_*.c))
FUZZ := $(patsubst tests/fuzz/%.c,build/fuzz/fuzz/%,$(FUZZ_SRC))
fuzz_module = $(word 1,$(subst /, ,$(patsubst build/fuzz/fuzz/%,%,$(1))))

ifeq ($(V),fuzz)
$(FUZZ): build/fuzz/fuzz/%: tests/fuzz/%.c $$(foreach m,$$(USES_$$(call fuzz_module,$$@)),$$(filter-out $(OUT)/cli/main.o,$$(call objs,$$(m))))
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -Wno-missing-prototypes -MMD -MP -o $@ $< $(filter %.o,$^) $(LDFLAGS) -fsanitize=fuzzer $(LIBS) -ljansson -lfido2
endif

fuzz-build:
	$(MAKE) V=fuzz $(FUZZ)
fuzz-smoke: fuzz-build
	tools/run-fuzz $(FUZZ_SECONDS) $(FUZZ)

# ---- bench: bench/<name>.c may use every module; bench.py prints the figures ----
BENCH := $(patsubst bench/%.c,$(OUT)/bench/%,$(sort $(wildcard bench/*.c)))
$(BENCH): $(OUT)/bench/%: bench/%.c $(filter-out $(OUT)/cli/main.o,$(OBJS))
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -Wno-missing-prototypes -MMD -MP -o $@ $< $(filter %.o,$^) $(LDFLAGS) $(LIBS)

# A server that writes no audit log, to measure what the log costs.
$(OUT)/bench/redoubt_nolog: bench/nolog/nolog.c $(OBJS)
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -Wno-missing-prototypes -MMD -MP -o $@ $< $(OBJS) $(LDFLAGS) -Wl,--wrap=ledger_add,--wrap=ledger_system,--wrap=ledger_event $(LIBS)

# ---- cedar: random decisions compared with Cedar's ----
CEDAR_REQUESTS ?= 100000
$(OUT)/cedar/worlds: tests/cedar/worlds.c $(call objs,access) $(call objs,base)
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -Wno-missing-prototypes -MMD -MP -o $@ $< $(filter %.o,$^) $(LDFLAGS) $(LIBS)
cedar: $(OUT)/cedar/worlds
	tests/cedar/run $(CEDAR_REQUESTS) $<

bench-build: $(BENCH) $(OUT)/bench/redoubt_nolog
bench: deps-test
	$(MAKE) -s all bench-build
	python3 bench/bench.py $(BENCHFLAGS)

-include $(OBJS:.o=.d) $(UNIT:=.d) $(FUZZ:=.d) $(BENCH:=.d) $(OUT)/cedar/worlds.d

clean:
	rm -rf build
.PHONY: cedar ui ui-check dist ui-test screenshots all help deps deps-test run test check api attack crash e2e lessons asan asan-build tsan arch lint unit fuzz-build fuzz-smoke bench bench-build clean
