#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# usage: fuzz.sh SEED
#        fuzz.sh SEED TARGET
#
# Run the fuzz targets of gmemctl, each for its time, as many at once as there are CPUs;
# prints a line of KTAP for each. With TARGET run only this one, and print its name and
# exit status.
#
#   FUZZ_SECONDS=	for each target, instead of the defaults below

set -uo pipefail
. "$(dirname "$0")/env.sh"

SEED=$1
OUT=$TOP_DIR/build
LOG_DIR=$OUT/log
# Seconds until a target is killed that no longer checks the clock.
GRACE=120

# target_seconds TARGET: longest for parsers of input from others, and for sequences of
# calls.
target_seconds() {
	case $1 in
	fuzz_control | fuzz_memory_option | fuzz_bzimage | fuzz_simulator)
		echo "${FUZZ_SECONDS:-60}" ;;
	*)
		echo "${FUZZ_SECONDS:-20}" ;;
	esac
}

run_target() {
	local name=$1 seconds rc=0

	seconds=$(target_seconds "$name")
	cd "$OUT" || exit 1
	timeout -k 10 $((seconds + GRACE)) "$TOP_DIR/tools/gmemctl/test/fuzz/run.sh" \
		"$name" "$seconds" "$SEED" >"$LOG_DIR/$name.log" 2>&1 </dev/null || rc=$?
	echo "$name $rc"
}

# report NUMBER TARGET STATUS: a target has passed if it reports what it has done.
report() {
	local number=$1 name=$2 rc=$3 log=$LOG_DIR/$2.log summary

	summary=$(sed -n 's/^Done \([1-9][0-9]* runs in .*\)$/\1/p' "$log")
	if ((rc == 0)) && [[ -n $summary ]]; then
		echo "ok $number $name: $summary"
		return
	fi
	echo "# $name: exit status $rc, seed $SEED; the log is build/log/$name.log:"
	sed -e '/^Shadow bytes/,/Right alloca/d' -e 's/^/# /' "$log" | tail -n 60
	echo "# to repeat an input: make -C tools/gmemctl OUT=$OUT fuzz-programs;" \
		"cd build; ./$name $name-crash-..., or what base64 -d makes of it"
	echo "not ok $number $name"
}

main() {
	local targets name rc number=0

	mkdir -p "$LOG_DIR"
	if ! watch_log "fuzz targets" "$LOG_DIR/fuzz.log" make -j"$(nproc)" \
		-C "$TOP_DIR/tools/gmemctl" OUT="$OUT" fuzz-programs; then
		tail -n 30 "$LOG_DIR/fuzz.log" | sed 's/^/# /'
		echo "not ok 1 the fuzz targets are built"
		return
	fi
	readarray -t targets < <(make -s -C "$TOP_DIR/tools/gmemctl" OUT="$OUT" fuzz-list)
	echo "1..${#targets[@]}"
	while read -r name rc; do
		number=$((number + 1))
		report "$number" "$name" "$rc"
	done < <(printf '%s\n' "${targets[@]}" |
		xargs -P "$(nproc)" -n 1 "$VM_DIR/fuzz.sh" "$SEED")
	((number == ${#targets[@]})) ||
		echo "not ok $((number + 1)) all fuzz targets have run"
}

if (($# > 1)); then
	run_target "$2"
else
	main
fi
