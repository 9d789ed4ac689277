# Two commands are all one needs: `make run` and `make check`. HACKING.md tells what stands behind them.
#
#   make run [CONFIG=FILE]  the whole gateway in the foreground: the demo, or one's own configuration
#   make build              every program into build/release/bin
#   make check              builds, and runs every quick test
#   make check-all          and the long forms of the fault tests, all tests with the address and undefined-behaviour
#                           sanitizers, and the rooms that have threads with the thread sanitizer: hours
#   make bench              compares with other mail systems on this machine, in turns (bench/README.md): SET=quick|usual|all,
#                           PEERS=postfix,haproxy, CASES=, SCENARIOS=, ROUNDS=, N=, CLIENTS=, SIZE=; 15 minutes
#   make bench-micro        times the small parts (Google Benchmark): lines, dots, records, scheduler, directory
#   make bench-doc          puts what `make bench` has measured into docs/
#   make fuzz [TIME=60] [TARGET=NAME]   runs each fuzz target, or one, for so many seconds (docs/fuzzing.md)
#   make fmt                clang-format over the sources that differ from the last commit
#   make deb                Debian packages into build/deb (packaging/)
#   make doc                writes the generated parts of docs/ again
#   make clean              removes build/

PROGRAMS := master smtpd qmgr deliver prober alertd webd gatewayctl holdfast-import holdfast-ldap holdfast-filter
RELEASE := build/release
JOBS := $(shell nproc)
# The rooms that have threads.
THREADED := unit_base unit_net unit_ipc unit_storage unit_smtpd unit_qmgr unit_deliver unit_prober unit_filter unit_webd
empty :=
space := $(empty) $(empty)

.PHONY: run build check check-all bench bench-micro bench-doc fuzz fmt doc deb clean

run: build
	@tools/run-demo $(CONFIG)

build:
	@tools/install-deps run
	@cmake --preset release -Wno-dev --log-level=WARNING
	@ninja -C $(RELEASE) $(PROGRAMS)

check:
	@tools/install-deps check
	@tools/unpack-peers
	cmake --preset release
	ninja -C $(RELEASE)
	ctest --test-dir $(RELEASE) -LE long -j $$(( $(JOBS) * 3 )) --output-on-failure

check-all: check
	@tools/install-deps all
	@tools/unpack-peers bench
	cmake --preset asan
	ninja -C build/asan
	ctest --test-dir build/asan -L 'unit|scenario' -j $(JOBS) --output-on-failure
	cmake --preset tsan
	ninja -C build/tsan $(THREADED)
	TSAN_OPTIONS=suppressions=$(CURDIR)/tests/tsan.supp ctest --test-dir build/tsan -R '^($(subst $(space),|,$(THREADED)))$$' -j $(JOBS) --output-on-failure
	ctest --test-dir $(RELEASE) -L long -j $(JOBS) --output-on-failure

COMPARE := /usr/bin/python3 bench/compare
bench: build
	@ninja -C $(RELEASE) smtp-load accept-filter
	@tools/unpack-peers $(if $(filter all,$(SET))$(findstring haraka,$(PEERS)),haraka,bench)
	@$(COMPARE) $(if $(SET),--set $(SET)) $(if $(PEERS),--peers $(PEERS)) $(if $(CASES),--cases $(CASES)) \
	  $(if $(SCENARIOS),--scenarios $(SCENARIOS)) $(if $(ROUNDS),--rounds $(ROUNDS)) $(if $(N),--count $(N)) \
	  $(if $(CLIENTS),--clients $(CLIENTS)) $(if $(SIZE),--size $(SIZE))

bench-micro:
	@tools/install-deps bench
	@cmake --preset release -Wno-dev --log-level=WARNING
	@ninja -C $(RELEASE) bench_micro
	$(RELEASE)/bin/bench_micro $(if $(FILTER),--benchmark_filter=$(FILTER))

bench-doc:
	@$(COMPARE) --doc

fuzz:
	@tools/fuzz run $(if $(TIME),--time $(TIME)) $(TARGET)

fmt:
	@tools/install-deps all
	git diff --name-only --diff-filter=AM HEAD -- '*.cc' '*.h' | xargs -r clang-format -i

doc: build
	$(RELEASE)/bin/gatewayctl config reference >docs/settings.md.new
	mv docs/settings.md.new docs/settings.md
	$(RELEASE)/bin/gatewayctl config schedules >docs/schedules.md.new
	mv docs/schedules.md.new docs/schedules.md
	$(RELEASE)/bin/gatewayctl alert reference >docs/alerts.md.new
	mv docs/alerts.md.new docs/alerts.md
	$(RELEASE)/bin/gatewayctl metrics --reference >docs/metrics.md.new
	mv docs/metrics.md.new docs/metrics.md
	$(RELEASE)/bin/gatewayctl manual >docs/gatewayctl.md.new
	mv docs/gatewayctl.md.new docs/gatewayctl.md

deb:
	@tools/install-deps deb
	@tools/make-deb

clean:
	rm -rf build
