#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# usage: unit.sh
#
# The unit tests of gmemctl, built with ASAN and UBSAN: each of their reports is a
# failure, and so is a leak. Files from Debian's packages are fetched first; without them
# some tests are skipped.

set -uo pipefail
. "$(dirname "$0")/env.sh"

OUT=$TOP_DIR/build/sanitized
LOG_DIR=$TOP_DIR/build/log
SANITIZERS='-O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined'
SANITIZERS+=' -fno-sanitize-recover=undefined'

build() {
	watch_log "unit tests" "$LOG_DIR/unit.build.log" make -j"$(nproc)" \
		-C "$TOP_DIR/tools/gmemctl" OUT="$OUT" CFLAGS="$SANITIZERS" \
		unit-tests
}

# failed_itself STATUS: the program has ended because tests have failed, as it reports.
failed_itself() {
	(($1 == 1)) && grep -q '^# Totals:.* fail:[1-9]' "$LOG_DIR/unit.log"
}

main() {
	local rc=0

	mkdir -p "$LOG_DIR"
	"$TOP_DIR/tools/gmemctl/test/fixtures.sh" 2>&1 | sed 's/^/# fixtures: /'
	if ! build; then
		tail -n 30 "$LOG_DIR/unit.build.log" | sed 's/^/# /'
		echo "not ok 1 the unit tests are built"
		return
	fi
	timeout -k 10 1200 "$OUT/gmemctl_unit_test" 2>"$LOG_DIR/unit.err" </dev/null |
		tee "$LOG_DIR/unit.log" || rc=$?
	((rc == 0)) && grep -q '^# Totals:' "$LOG_DIR/unit.log" && return
	tail -n 60 "$LOG_DIR/unit.err" | sed 's/^/# /'
	failed_itself "$rc" || echo "not ok 1 the unit tests end: exit status $rc"
}

main
