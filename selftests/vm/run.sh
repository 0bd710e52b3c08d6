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
#   FUZZ_SECONDS=	for the fuzz tests, and for each fuzz target
#   SHELL_IN_VM=1	a shell on the console instead of the tests
#   MEM= TIMEOUT=	MiB of the VM; seconds a program may take for a result
#
# KTAP goes to stdout as it comes, then the tables of table.sh and what took how long; the
# last line is "N passed, N failed, N skipped". Exit 0 when nothing failed, 128 when a
# VM was lost before it came up.

set -euo pipefail
. "$(dirname "$0")/env.sh"
. "$VM_DIR/deps.sh"
. "$VM_DIR/arch.sh"
. "$VM_DIR/modules.sh"
. "$VM_DIR/initramfs.sh"
. "$VM_DIR/boot.sh"
. "$VM_DIR/ktap.sh"
. "$VM_DIR/programs.sh"
. "$VM_DIR/table.sh"

DEFAULT_KERNELS="stock-6.12 stock-7.3 debug-7.3 race-6.12 arm64-6.12"
# What init allows a program for a result, without the stress: longer than a test with
# a guest may take, whose own timeout says more about what hangs.
PROGRAM_SECONDS=${TIMEOUT:-480}
SEED=${SEED:-$((RANDOM * 32768 + RANDOM))}
TOTAL_PASSED=0 TOTAL_FAILED=0 TOTAL_SKIPPED=0 LOST=0
RUN_DIR=

prepare() {
	deps_install build kernel vm || exit 1
	RUN_DIR=$(mktemp -d "${TMPDIR:-/tmp}/gmem-test.XXXXXX")
	at_exit 'vm_kill; rm -rf "$RUN_DIR"'
	trap 'exit 130' INT TERM
	export LAPS=$RUN_DIR/laps
	LOG_DIR=$TOP_DIR/build/log
	mkdir -p "$LOG_DIR"
	build_userspace
}

# The programs and the tool, once for all kernels.
build_userspace() {
	hold_tree userspace
	if [[ -e $TOP_DIR/selftests/Makefile ]]; then
		watch_log "selftests" "$LOG_DIR/selftests.log" \
			make -j"$(nproc)" -C "$TOP_DIR/selftests" OUT="$TOP_DIR/build/selftests" ||
			exit 1
	fi
	if [[ -e $TOP_DIR/tools/gmemctl/Makefile ]]; then
		watch_log "gmemctl" "$LOG_DIR/gmemctl.log" \
			make -j"$(nproc)" -C "$TOP_DIR/tools/gmemctl" OUT="$TOP_DIR/build" || exit 1
	fi
	release
}

# selftests_of NAME: where the programs for a kernel are. Those of another
# architecture are built when it is their turn.
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
		release
	fi
	printf '%s\n' "$dir"
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

# stage NAME DIR: the initramfs of this kernel, in $RUN_DIR/NAME.cpio; in NAME.cpus
# the numbers of CPUs that its programs want.
stage() {
	local name=$1 dir=$2 root=$RUN_DIR/$1.root modules selftests programs

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
	stage_selftests "$root" "$selftests" "$programs" ||
		[[ -z ${T:-} ]] || die "T=$T: no selftest of that name"
	stage_guest "$root" || return 1
	stage_exec "$root" "$name" || return 1
	stage_left_out "$root" "$selftests" "$programs"
	staged_cpus "$root" >"$RUN_DIR/$name.cpus"
	initramfs_pack "$root" "$RUN_DIR/$name.cpio"
	rm -rf "$root"
}

# fuzz_seconds NAME: the kernel with KASAN sees most.
fuzz_seconds() {
	case $1 in
	debug-*) echo "${FUZZ_SECONDS:-120}" ;;
	*) echo "${FUZZ_SECONDS:-20}" ;;
	esac
}

# stress_seconds NAME: another architecture is there for what differs, not for
# what takes long to happen.
stress_seconds() {
	case $1 in
	arm64-*) echo "${STRESS:-10}" ;;
	*) echo "${STRESS:-60}" ;;
	esac
}

# settings NAME: the environment of init and the programs.
settings() {
	local name=$1

	case $name in
	debug-* | race-*)
		# 7.3's per-CPU sheaves keep stale pointers, behind which
		# kmemleak does not see a leak; slab debugging has none.
		printf '%s ' GMEM_REQUIRE=all slab_debug=F kunit.enable=1 ;;
	esac
	printf '%s ' GMEM_MODE="${SHELL_IN_VM:+shell}" GMEM_KERNEL="$name" \
		GMEM_SEED="$SEED" GMEM_STRESS_SECONDS="$(stress_seconds "$name")" \
		GMEM_FUZZ_SECONDS="$(fuzz_seconds "$name")" \
		GMEM_TIMEOUT="$PROGRAM_SECONDS"
}

# follow STATE SECONDS [INDENT]: count what a VM says, show it, note how far it came,
# and keep lines of tables. SECONDS of silence are more than init would ever allow.
follow() {
	local line end=0 up=0 rc

	ktap_reset
	while :; do
		rc=0
		IFS= read -r -t "$2" line || rc=$?
		if ((rc > 128)); then
			echo "${3:-}    # silent for $2 s: the kernel hangs"
			vm_nmi
			sleep 10
			vm_kill
			continue
		fi
		((rc == 0)) || break
		line=${line%$'\r'}
		case $line in
		'# gmem-init: up'*) up=1 ;;
		'# gmem-init: end'*) end=1; continue ;;
		esac
		ktap_feed "$line"
		[[ $line != *'# table: '* ]] || printf '%s\n' "$line" >>"$1.table"
		printf '%s\n' "${3:-}    $line"
		[[ -z $KTAP_NOTE ]] || printf '%s\n' "${3:-}    # $KTAP_NOTE"
	done
	echo "$up $end $KTAP_PASSED $KTAP_FAILED $KTAP_SKIPPED" >"$1"
}

# boot_once NAME DIR ACCEL CONSOLE [INDENT]: leaves how far it came and what it has
# counted in VM_*, and in VM_TIMED_OUT whether the VM has had all its time. More time
# that init grants a program (program_grant()) begins with a line, and so does silence.
boot_once() {
	local limit=${VM_SECONDS:-2400} silence start=$SECONDS

	silence=$((PROGRAM_SECONDS + $(stress_seconds "$1") + $(fuzz_seconds "$1") + 90))
	vm_boot "$3" "$2/bzImage" "$RUN_DIR/$1.cpio" "${MEM:-2048}" "$limit" \
		"$4" "$(settings "$1")" | follow "$RUN_DIR/state" "$silence" "${5:-}" || true
	VM_TIMED_OUT=$((SECONDS - start >= limit))
	read -r VM_UP VM_END VM_PASSED VM_FAILED VM_SKIPPED <"$RUN_DIR/state"
}

# show_laps: where the time went; what a kernel took in all, and of that what it took to
# build, and each of its VMs.
show_laps() {
	[[ -s $LAPS ]] || return 0
	echo "# seconds:"
	awk -F '\t' '$1 >= 1000 { printf "#   %6d  %s\n", $1 / 1000, $2 }' "$LAPS"
}

# boot_vm NAME DIR ACCEL CONSOLE [INDENT]: boot_once(), and once more where it is not
# the tests' fault that the VM did not come to its end.
boot_vm() {
	local since

	since=$(now_ms)
	boot_once "$@"
	if ((!VM_UP)); then
		echo "# $1: no sign of life from the VM, trying once more"
		boot_once "$@"
	fi
	# Not for a test that has failed already, nor for one that takes too long.
	if ((VM_UP && !VM_END && !VM_FAILED && !VM_TIMED_OUT)) && [[ $3 == tcg* ]] &&
	   lost_elsewhere "$4"; then
		lost "$1" "$4"
		echo "# $1: nothing of gmem is in it, trying once more"
		boot_once "$@"
	fi
	if ((!VM_END)); then
		lost "$1" "$4"
		VM_FAILED=$((VM_FAILED + 1))
		((VM_UP)) || LOST=1
	fi
	lap "$1: VM $3" "$since"
}

lost() {
	local name=$1 console=$2

	echo "# $name: the VM was lost; the end of its console:"
	[[ $name != own ]] ||
		echo "# a kernel of your own needs virtio-pci and virtio-console built in"
	tail -n 120 "$console" | tr -d '\r' | sed 's/^/# console: /'
	sed 's/^/# qemu: /' "$console.qemu"
}

# last_words CONSOLE: what came since the last program started, without the
# reports of KCSAN, which have been judged and are no reason to die.
last_words() {
	tac "$1" | sed '/gmem-init: start/q' | tac | awk '
		/====================/ { if (inside && block !~ /KCSAN/) print block
			inside = !inside; block = ""; next }
		inside { block = block $0 "\n"; next }
		{ print }
		END { print block }'
}

# lost_elsewhere CONSOLE: a VM that was up is gone, and no function of gmem is
# in any stack or report that it left behind. That is the emulator.
lost_elsewhere() {
	! last_words "$1" | grep -E '\+0x[0-9a-f]+/0x[0-9a-f]+ \[gmem' >/dev/null
}

# accels_of LABEL DIR: an accelerator for each VM that this kernel has.
accels_of() {
	local accel

	if [[ $(arch_of "$1") == arm64 ]]; then
		echo tcg-arm64
		return
	fi
	accel=$(accel_choose "$2/bzImage" "$RUN_DIR/$1.cpio") || return 1
	case $accel-$1 in
	tcg-stock-* | tcg-own) sed 's/1/tcg-one/; s/2/tcg-turns/' "$RUN_DIR/$1.cpus" ;;
	*) echo "$accel" ;;
	esac
}

# cannot_have NAME: why there is no VM for this architecture, if so.
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

# test_vms LABEL DIR ACCEL...: the sums are left in VM_PASSED and so on. Of several
# VMs each is a subtest of the kernel's.
test_vms() {
	local label=$1 dir=$2 console=$LOG_DIR/$1.$$ accel word
	local passed=0 failed=0 skipped=0 number=0

	shift 2
	if (($# == 1)); then
		boot_vm "$label" "$dir" "$1" "$console.console"
		return
	fi
	echo "    1..$#"
	for accel; do
		number=$((number + 1))
		echo "        # Subtest: $accel"
		boot_vm "$label" "$dir" "$accel" "$console.$accel.console" "    "
		word=ok
		((VM_FAILED == 0)) || word="not ok"
		echo "    $word $number $accel"
		passed=$((passed + VM_PASSED)) failed=$((failed + VM_FAILED))
		skipped=$((skipped + VM_SKIPPED))
	done
	VM_PASSED=$passed VM_FAILED=$failed VM_SKIPPED=$skipped
}

# test_kernel NUMBER NAME
test_kernel() {
	local number=$1 name=$2 label dir accels reason since

	since=$(now_ms)
	label=$name
	[[ $name != */* ]] || label=own
	if reason=$(cannot_have "$name"); then
		# Who asks for it wants to have it.
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
	tables_collect "$label"
}

# tables_collect NAME: the lines that follow() has kept are this kernel's.
tables_collect() {
	local line

	[[ -e $RUN_DIR/state.table ]] || return 0
	while IFS= read -r line; do
		table_feed "$1" "$line"
	done <"$RUN_DIR/state.table"
	rm "$RUN_DIR/state.table"
}

# test_tool NUMBER NAME SCRIPT: what gmemctl has of its own, on the host.
test_tool() {
	local number=$1 name=$2 up end passed failed skipped since

	since=$(now_ms)
	KTAP_STRICT=
	echo "    # Subtest: $name"
	"$VM_DIR/$3" "$SEED" |
		follow "$RUN_DIR/state" $((${FUZZ_SECONDS:-60} + 1800)) || true
	read -r up end passed failed skipped <"$RUN_DIR/state"
	account "$number" "$name" "$passed" "$failed" "$skipped" "$since"
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
	echo "$TOTAL_PASSED passed, $TOTAL_FAILED failed, $TOTAL_SKIPPED skipped"
	((!LOST)) || return 128
	((TOTAL_FAILED == 0))
}

main
