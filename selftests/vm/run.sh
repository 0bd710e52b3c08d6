#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# make test: the unit tests of gmemctl; the selftests in a VM of each kernel, one
# after another; then the fuzz targets of gmemctl, which need no VM either.
#
#   T=glob		only the programs whose topic matches (T=convert), or
#			T=unit_tool, T=fuzz_tool: what needs no VM
#   KERNEL=name		stock-6.12, stock-7.3, debug-7.3, race-6.12, arm64-6.12, slim-7.3,
#			stock-7.2; several in one string; or a bzImage, with KDIR= to build
#			modules for it
#   ACCEL=tcg|kvm	do not try which one works
#   SEED= STRESS=	seed of the random tests, seconds for each of them
#   FUZZ_SECONDS=	seconds for the fuzz tests, and for each fuzz target
#   SHELL_IN_VM=1	a shell on the console instead of the tests
#   MEM= TIMEOUT=	MiB of the VM; seconds a program may take for a result
#
# KTAP is printed live, then the tables of table.sh and durations; the
# last line is "N passed, N failed, N skipped". Exit 0 when nothing failed, 128 when a
# VM was lost before it came up.

set -euo pipefail
. "$(dirname "$0")/env.sh"
. "$VM_DIR/deps.sh"
. "$VM_DIR/arch.sh"
. "$VM_DIR/modules.sh"
. "$VM_DIR/transcript.sh"
. "$VM_DIR/initramfs.sh"
. "$VM_DIR/rootfs.sh"
. "$VM_DIR/boot.sh"
. "$VM_DIR/ktap.sh"
. "$VM_DIR/programs.sh"
. "$VM_DIR/table.sh"
. "$VM_DIR/vms.sh"

DEFAULT_KERNELS="stock-6.12 stock-7.3 debug-7.3 race-6.12 arm64-6.12"
# Init's timeout of a program for each result, without the stress time. It is longer than
# the timeout of a test with a guest, which reports more about what hangs.
PROGRAM_SECONDS=${TIMEOUT:-480}
SEED=${SEED:-$((RANDOM * 32768 + RANDOM))}
TOTAL_PASSED=0 TOTAL_FAILED=0 TOTAL_SKIPPED=0 LOST=0
RUN_DIR=

prepare() {
	deps_install build kernel vm || exit 1
	RUN_DIR=$(mktemp -d "${TMPDIR:-/tmp}/gmem-test.XXXXXX")
	at_exit 'vm_kill_all; rm -rf "$RUN_DIR"'
	trap 'exit 130' INT TERM
	export LAPS=$RUN_DIR/laps
	LOG_DIR=$TOP_DIR/build/log
	mkdir -p "$LOG_DIR"
	build_userspace
}

# Build the programs and the tool, once for all kernels.
build_userspace() {
	hold_tree userspace
	if [[ -e $TOP_DIR/selftests/Makefile ]]; then
		watch_log "selftests" "$LOG_DIR/selftests.log" \
			make -j"$(nproc)" -C "$TOP_DIR/selftests" OUT="$TOP_DIR/build/selftests" ||
			exit 1
	fi
	if [[ -e $TOP_DIR/tools/gmemctl/Makefile ]]; then
		watch_log "gmemctl" "$LOG_DIR/gmemctl.log" \
			make -j"$(nproc)" -C "$TOP_DIR/tools/gmemctl" OUT="$TOP_DIR/build" all sim ||
			exit 1
	fi
	watch_log "pvmemctl" "$LOG_DIR/pvmemctl.log" \
		make -C "$TOP_DIR/tools/pvmemctl" OUT="$TOP_DIR/build" || exit 1
	release
}

# selftests_of NAME: the directory of the programs for a kernel. Programs of another
# architecture are built when their kernel is tested.
selftests_of() {
	local arch path dir=$TOP_DIR/build/selftests

	arch=$(apt_foreign "$(arch_of "$1")")
	if [[ -n $arch ]]; then
		dir+=-$arch
		path=$(arch_path "$1") || return 1
		hold_tree "selftests-$arch"
		PATH=$path watch_log "selftests for $arch" "$LOG_DIR/selftests-$arch.log" \
			make -j"$(nproc)" -C "$TOP_DIR/selftests" CC="$(arch_cc "$1")" OUT="$dir" ||
			{ release; return 1; }
		PATH=$path watch_log "pvmemctl for $arch" "$LOG_DIR/pvmemctl-$arch.log" \
			make -C "$TOP_DIR/tools/pvmemctl" CC="$(arch_cc "$1")" OUT="$dir" ||
			{ release; return 1; }
		release
	fi
	printf '%s\n' "$dir"
}

# pvmemctl_of NAME SELFTESTS: pvmemctl for a kernel, a static program.
pvmemctl_of() {
	local dir=$TOP_DIR/build

	[[ -z $(apt_foreign "$(arch_of "$1")") ]] || dir=$2
	printf '%s\n' "$dir/pvmemctl"
}

# kernel_of NAME: a directory with bzImage, release and kdir.
kernel_of() {
	local dir

	if [[ $1 != */* ]]; then
		"$VM_DIR/kernel.sh" get "$1"
		return
	fi
	[[ -f $1 ]] || die "KERNEL=$1: no such file"
	[[ -n ${KDIR:-} && -d $KDIR ]] ||
		die "KERNEL=$1: say with KDIR= where modules for it are built"
	dir=$RUN_DIR/own-kernel
	mkdir -p "$dir"
	cp "$1" "$dir/bzImage"
	ln -sfn "$(readlink -f "$KDIR")" "$dir/kdir"
	make -s -C "$KDIR" kernelrelease >"$dir/release"
	printf '%s\n' "$dir"
}

# stage NAME DIR: build the initramfs of this kernel, $RUN_DIR/NAME.cpio, and write the
# kinds of its programs to NAME.kinds.
stage() {
	local name=$1 dir=$2 root=$RUN_DIR/$1.root modules selftests programs

	VM_DISK=
	programs=$(programs_of "$name")
	modules=$(modules_build "$name" "$dir/kdir") || return 1
	selftests=$(selftests_of "$name") || return 1
	stage_init "$root" "$name" || return 1
	stage_modules "$root" "$dir" "$modules"
	if [[ -e $TOP_DIR/build/gmemctl && -z $(apt_foreign "$(arch_of "$name")") ]]; then
		stage_program "$root" "$TOP_DIR/build/gmemctl" usr/sbin/gmemctl
		stage_program "$root" "$TOP_DIR/build/gmemctl-sim.so" \
			usr/lib/gmemctl-sim.so
	fi
	stage_program "$root" "$(pvmemctl_of "$name" "$selftests")" usr/sbin/pvmemctl
	stage_selftests "$root" "$selftests" "$programs" ||
		[[ -z ${T:-} ]] || die "T=$T: no selftest of that name"
	stage_guest "$root" || return 1
	stage_exec "$root" "$name" "$dir" || return 1
	stage_left_out "$root" "$selftests" "$programs"
	staged_kinds "$root" >"$RUN_DIR/$name.kinds"
	initramfs_pack "$root" "$RUN_DIR/$name.cpio"
	rm -rf "$root"
}

# show_laps: print durations: of each kernel, of its build, and of each of its VMs.
show_laps() {
	[[ -s $LAPS ]] || return 0
	echo "# seconds:"
	awk -F '\t' '$1 >= 1000 { printf "#   %6d  %s\n", $1 / 1000, $2 }' "$LAPS"
}

# cannot_have NAME: succeeds, with the reason, if there can be no VM for this
# architecture.
cannot_have() {
	[[ $(arch_of "$1") == arm64 ]] || return 1
	if ! deps_install arm64; then
		echo "qemu-system-arm is not installed"
	elif ! arch_path "$1" >/dev/null || ! "$VM_DIR/kernel.sh" get "$1" >/dev/null; then
		echo "the mirror has no packages for arm64"
	else
		return 1
	fi
}

# test_kernel NUMBER NAME
test_kernel() {
	local number=$1 name=$2 label dir accels reason since

	since=$(now_ms)
	label=$name
	[[ $name != */* ]] || label=own
	if reason=$(cannot_have "$name"); then
		# If the kernel was requested, this is an error.
		[[ -z ${KERNEL:-} ]] || die "$name: $reason"
		echo "ok $number $name # SKIP $reason"
		TOTAL_SKIPPED=$((TOTAL_SKIPPED + 1))
		return
	fi
	dir=$(kernel_of "$name") || exit 1
	stage "$label" "$dir" || die "$name: modules or initramfs not built"
	accels=$(accels_of "$label" "$dir") || exit 1
	readarray -t accels <<<"$accels"
	if [[ -n ${SHELL_IN_VM:-} ]]; then
		vm_shell "${accels[-1]}" "$dir/bzImage" "$RUN_DIR/$label.cpio" \
			"${MEM:-2048}" "$(settings "$label")"
		return
	fi
	KTAP_STRICT=
	case $name in debug-* | race-*) KTAP_STRICT=1 ;; esac
	echo "    # Subtest: $label"
	test_vms "$label" "$dir" "${accels[@]}"
	account "$number" "$label" "$VM_PASSED" "$VM_FAILED" "$VM_SKIPPED" \
		"$since"
	collect "$label"
}

# collect NAME: assign the lines that follow() has kept to this kernel.
collect() {
	local file line

	for file in "$RUN_DIR"/state*.table; do
		[[ -e $file ]] || continue
		while IFS= read -r line; do
			table_feed "$1" "$line"
		done <"$file"
	done
	sed "s/^/#   $1: /" "$RUN_DIR"/state*.failures >>"$RUN_DIR/failures" 2>/dev/null || true
	rm -f "$RUN_DIR"/state*
}

# show_failures: repeat all failures at the end, where they are seen first.
show_failures() {
	[[ -s $RUN_DIR/failures ]] || return 0
	echo "# failed:"
	cat "$RUN_DIR/failures"
}

# test_tool NUMBER NAME SCRIPT: tests of gmemctl that run on the host.
test_tool() {
	local number=$1 name=$2 up end passed failed skipped since

	since=$(now_ms)
	KTAP_STRICT=
	echo "    # Subtest: $name"
	"$VM_DIR/$3" "$SEED" |
		follow "$RUN_DIR/state" $((${FUZZ_SECONDS:-60} + 1800)) || true
	read -r up end passed failed skipped <"$RUN_DIR/state"
	account "$number" "$name" "$passed" "$failed" "$skipped" "$since"
	collect "$name"
}

# account NUMBER NAME PASSED FAILED SKIPPED SINCE
account() {
	local number=$1 name=$2 passed=$3 failed=$4 skipped=$5 word=ok

	if ((failed || passed == 0)); then
		word="not ok"
		((failed)) || failed=1
	fi
	echo "$word $number $name"
	echo "# $name: $passed passed, $failed failed, $skipped skipped"
	lap "$name, all of it" "$6"
	TOTAL_PASSED=$((TOTAL_PASSED + passed))
	TOTAL_FAILED=$((TOTAL_FAILED + failed))
	TOTAL_SKIPPED=$((TOTAL_SKIPPED + skipped))
}

main() {
	local kernels=() unit=0 fuzz=0 name number=0

	if needs_vm; then
		read -r -a kernels <<<"${KERNEL:-$DEFAULT_KERNELS}"
	fi
	if [[ -z ${SHELL_IN_VM:-} ]]; then
		! t_matches unit_tool || unit=1
		! t_matches fuzz_tool || fuzz=1
	fi
	prepare
	if [[ -z ${SHELL_IN_VM:-} ]]; then
		echo "KTAP version 1"
		echo "1..$((unit + ${#kernels[@]} + fuzz))"
		echo "# seed $SEED"
	fi
	if ((unit)); then
		number=1
		test_tool 1 unit_tool unit.sh
	fi
	for name in "${kernels[@]}"; do
		number=$((number + 1))
		test_kernel "$number" "$name"
	done
	((!fuzz)) || test_tool "$((number + 1))" fuzz_tool fuzz.sh
	[[ -z ${SHELL_IN_VM:-} ]] || return 0
	table_show
	show_laps
	show_failures
	echo "$TOTAL_PASSED passed, $TOTAL_FAILED failed, $TOTAL_SKIPPED skipped"
	((!LOST)) || return 128
	((TOTAL_FAILED == 0))
}

main
