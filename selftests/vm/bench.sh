#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# make bench [KERNEL=] [CASES=] [PROFILE=1]: the cost of gmem compared with alternatives, in
# instructions in one VM, and by the clock in another one with several CPUs. Prints a
# table and which targets are met; build/bench/ has it, bench.json and bench.svg.
#
#   KERNEL=name		stock-6.12, stock-7.3, or slim-7.3, which has the KVM store
#   CASES='glob...'	only these cases of gmem_bench (selftests/bench/main.c)
#   CLOCK=		empty: only instructions
#   PROFILE=1		where CASES spend their instructions, instead of their cost

set -euo pipefail
. "$(dirname "$0")/env.sh"
. "$VM_DIR/deps.sh"
. "$VM_DIR/arch.sh"
. "$VM_DIR/modules.sh"
. "$VM_DIR/programs.sh"
. "$VM_DIR/transcript.sh"
. "$VM_DIR/initramfs.sh"
. "$VM_DIR/boot.sh"

KERNEL=${KERNEL:-stock-6.12}
# Cases for which the clock says more than instructions, or says what they cannot.
CLOCK_CASES=(touch.first.* touch.again.* commit.* convert.resident convert.one view.convert
	view.huge view.one discard window guest.* store thread.*)
MEM=2560
VM_CPUS=$(($(nproc) < 4 ? 2 : 4))
SECONDS_MAX=600
BENCH_DIR=$TOP_DIR/build/bench
SOURCE_DIR=$TOP_DIR/selftests/bench
RUN_DIR=

build() {
	local log=$TOP_DIR/build/log jobs=(build vm)

	[[ $KERNEL == stock-* || $KERNEL == slim-* ]] ||
		die "KERNEL=$KERNEL: stock-6.12, stock-7.3 or slim-7.3"
	[[ $KERNEL == stock-* ]] || jobs+=(kernel)
	deps_install "${jobs[@]}" || exit 1
	mkdir -p "$log" "$BENCH_DIR"
	KERNEL_DIR=$("$VM_DIR/kernel.sh" get "$KERNEL") || exit 1
	MODULES=$(MODULES_TEST='' modules_build "$KERNEL" "$KERNEL_DIR/kdir") || exit 1
	hold_tree userspace
	watch_log "gmem_bench" "$log/gmem_bench.log" \
		make -j"$(nproc)" -C "$TOP_DIR/selftests" OUT="$TOP_DIR/build/selftests" bench ||
		exit 1
	release
}

pack() {
	local root=$RUN_DIR/root

	stage_init "$root" "$KERNEL"
	stage_modules "$root" "$KERNEL_DIR" "$MODULES"
	cp "$TOP_DIR/build/selftests/gmem_bench" "$root/usr/bin/"
	initramfs_pack "$root" "$RUN_DIR/initrd"
	rm -rf "$root"
}

# collect: append the program's rows to $RUN_DIR/rows; set STATUS from init's line.
collect() {
	local line measure='' case=''

	STATUS=lost
	while IFS= read -r line; do
		line=${line%$'\r'}
		case $line in
		'# gmem-init: end status='*) STATUS=${line##*=} ;;
		'# measure: '*' '*) say "  ${line#\# measure: }" ;;
		'# measure: '*) measure=${line##* } ;;
		'# case: '*) case=${line##* } ;;
		'# skip: '*) echo "# $case ($measure): ${line#\# skip: }" >>"$RUN_DIR/skips" ;;
		'# bench: '*)
			line=${line#\# bench: }
			printf '%s\t%s\n' "$measure" "${line// | /$'\t'}" >>"$RUN_DIR/rows" ;;
		'# profile: '*) echo "${line#\# profile: }" ;;
		'# fail: '* | '# kernel: '*) say "$case: ${line#\# }" ;;
		esac
	done
}

# measure ACCEL CASE...: measure in a VM. Fails if a case has failed.
measure() {
	local accel=$1 console=$TOP_DIR/build/log/bench.$$.$1.console since=$SECONDS cases
	local settings="GMEM_MODE=bench quiet"

	shift
	cases=$*
	# See TCG_TURNS_ARGS.
	[[ $accel != tcg ]] || settings+=" GMEM_NO_GUESTS=1"
	say "  booting the VM ($accel)"
	collect < <(vm_boot "$accel" "$KERNEL_DIR/bzImage" "$RUN_DIR/initrd" "$MEM" \
		"$SECONDS_MAX" "$console" "$settings GMEM_BENCH=${cases// /,}")
	say "  measured in $(clock $((SECONDS - since)))"
	[[ $STATUS != 0 ]] || return 0
	say "bench: the VM ($accel) ended with '$STATUS'; its console is $console"
	return 1
}

# commit: the commit of the tree, with a + if the tree was changed.
commit() {
	local dirty=''

	git -C "$TOP_DIR" rev-parse --git-dir >/dev/null 2>&1 || { echo unknown; return; }
	git -C "$TOP_DIR" diff --quiet HEAD || dirty=+
	echo "$(git -C "$TOP_DIR" rev-parse --short=12 HEAD)$dirty"
}

# show ACCEL: print and write all results.
show() {
	local release commit

	read -r release <"$KERNEL_DIR/release"
	commit=$(commit)
	{
		echo "gmem $commit on $KERNEL ($release)"
		echo
		awk -v timed="$1" -f "$SOURCE_DIR/rows.awk" -f "$SOURCE_DIR/report.awk" \
			"$RUN_DIR/rows" "$SOURCE_DIR/targets"
		sort -u "$RUN_DIR/skips" | grep -v 'by the clock\|in this VM' | sed 's/^# /not here: /' || true
	} | tee "$BENCH_DIR/bench.txt"
	awk -v kernel="$KERNEL $release" -v commit="$commit" -v date="$(date -u +%FT%TZ)" \
		-v counted="qemu ${TCG_COUNT_ARGS[*]}" -v timed="$1, $(nproc) CPUs" -f "$SOURCE_DIR/rows.awk" \
		-f "$SOURCE_DIR/json.awk" "$RUN_DIR/rows" >"$BENCH_DIR/bench.json"
	awk -v title="Instructions, $KERNEL ($release), gmem $commit" \
		-f "$SOURCE_DIR/rows.awk" -f "$SOURCE_DIR/chart.awk" "$RUN_DIR/rows" \
		"$SOURCE_DIR/chart" >"$BENCH_DIR/bench.svg"
	say "  build/bench: bench.txt, bench.json, bench.svg"
}

main() {
	local clock=none rc=0 cases

	RUN_DIR=$(mktemp -d "${TMPDIR:-/tmp}/gmem-bench.XXXXXX")
	at_exit 'vm_kill; rm -rf "$RUN_DIR"'
	trap 'exit 130' INT TERM
	build
	pack
	: >"$RUN_DIR/rows"
	: >"$RUN_DIR/skips"
	set -f
	read -r -a cases <<<"${CASES:-}"
	if [[ -n ${PROFILE:-} ]]; then
		measure tcg-count -p "${cases[@]}"
		return
	fi
	measure tcg-count "${cases[@]}" || rc=1
	if [[ -n ${CLOCK-1} ]]; then
		clock=$(accel_choose "$KERNEL_DIR/bzImage" "$RUN_DIR/initrd") || exit 1
		((${#cases[@]})) || cases=("${CLOCK_CASES[@]}")
		# Retry once: the emulator may have lost the boot.
		measure "$clock" "${cases[@]}" || measure "$clock" "${cases[@]}" || rc=1
	fi
	set +f
	show "$clock"
	return "$rc"
}

main
