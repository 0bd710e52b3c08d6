# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# The VMs of a kernel: their settings, how far each has come, and what to do if one was
# lost. Sourced by run.sh.

# fuzz_seconds NAME: longest for the kernel with KASAN, which finds most.
fuzz_seconds() {
	case $1 in
	debug-*) echo "${FUZZ_SECONDS:-60}" ;;
	*) echo "${FUZZ_SECONDS:-20}" ;;
	esac
}

# stress_seconds NAME: short for another architecture, which shows differences, but not
# rare events.
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
		# Per-CPU sheaves of 7.3 keep stale pointers, which hide leaks from
		# kmemleak; slab debugging has no sheaves.
		printf '%s ' GMEM_REQUIRE=all slab_debug=F kunit.enable=1 ;;
	esac
	printf '%s ' GMEM_MODE="${SHELL_IN_VM:+shell}" GMEM_KERNEL="$name" \
		GMEM_SEED="$SEED" GMEM_STRESS_SECONDS="$(stress_seconds "$name")" \
		GMEM_FUZZ_SECONDS="$(fuzz_seconds "$name")" \
		GMEM_TIMEOUT="$PROGRAM_SECONDS"
}

# A silent VM is checked each minute.
LOOK_SECONDS=60
# With less CPU time than this in a minute, in hundredths of a second, a VM does not wait
# for anything: even the timers of an idle one need more.
IDLE_TICKS=20

# The VMs of a kernel run at the same time; none sees what another one writes to the disk.
DISK_ARGS=format=raw,if=virtio,snapshot=on

# silent_for SECONDS TICKS: whether the VM will stay silent for ever; TICKS is the CPU
# time that it had used a minute ago. It is nudged once before.
silent_for() {
	if (($1 == 2 * LOOK_SECONDS)); then
		vm_nudge
	elif (($1 > 2 * LOOK_SECONDS)) && (($(vm_ticks) - $2 < IDLE_TICKS)); then
		return 0
	fi
	return 1
}

# follow STATE SECONDS [INDENT]: count and print the output of a VM, record how far it has
# come, and keep lines of tables and failures. SECONDS of silence are more than init ever
# allows.
follow() {
	local line part='' end=0 up=0 rc silent=0 ticks=0

	ktap_reset
	while :; do
		rc=0
		IFS= read -r -t "$LOOK_SECONDS" line || rc=$?
		if ((rc > 128)); then
			part+=$line
			silent=$((silent + LOOK_SECONDS))
			if ((silent >= $2)) || silent_for "$silent" "$ticks"; then
				echo "${3:-}    # silent for $silent s: the VM hangs"
				vm_nmi
				sleep 10
				vm_kill
			fi
			ticks=$(vm_ticks)
			continue
		fi
		((rc == 0)) || break
		((silent <= 2 * LOOK_SECONDS)) ||
			echo "${3:-}    # silent for $silent s, and goes on"
		line=$part${line%$'\r'}
		part='' silent=0
		case $line in
		'# gmem-init: up'*) up=1 ;;
		'# gmem-init: end'*) end=1; continue ;;
		esac
		ktap_feed "$line"
		[[ $line != *'# table: '* ]] || printf '%s\n' "$line" >>"$1.table"
		printf '%s\n' "${3:-}    $line"
		[[ -z $KTAP_NOTE ]] || printf '%s\n' "${3:-}    # $KTAP_NOTE"
		[[ -z $KTAP_FAILURE ]] || printf '%s\n' "$KTAP_FAILURE" >>"$1.failures"
	done
	echo "$up $end $KTAP_PASSED $KTAP_FAILED $KTAP_SKIPPED" >"$1"
}

# boot_once NAME DIR ACCEL CONSOLE [INDENT]: sets VM_* to how far the VM has come and to
# the counts, and VM_TIMED_OUT to whether it has used all of its time. When init grants a
# program more time (program_grant()), it prints a line, so silence starts again.
boot_once() {
	local limit=${VM_SECONDS:-2400} silence start=$SECONDS

	silence=$((PROGRAM_SECONDS + $(stress_seconds "$1") + $(fuzz_seconds "$1") + 90))
	vm_boot "$3" "$2/bzImage" "$RUN_DIR/$1.cpio" "${MEM:-2048}" "$limit" \
		"$4" "$(settings "$1")" ${VM_DISK:+-drive "$DISK_ARGS,file=$VM_DISK"} |
		follow "$STATE" "$silence" "${5:-}" || true
	VM_TIMED_OUT=$((SECONDS - start >= limit))
	read -r VM_UP VM_END VM_PASSED VM_FAILED VM_SKIPPED <"$STATE"
}

# boot_vm NAME DIR ACCEL CONSOLE [INDENT]: boot_once(), and once more if the VM was lost
# without a fault of the tests.
boot_vm() {
	local since

	since=$(now_ms)
	boot_once "$@"
	if ((!VM_UP)); then
		echo "# $1: no sign of life from the VM, trying once more"
		boot_once "$@"
	fi
	# Not after a failed test, or a test that takes too long.
	if ((VM_UP && !VM_END && !VM_FAILED && !VM_TIMED_OUT)) && [[ $3 == tcg* ]] &&
	   lost_elsewhere "$4"; then
		lost "$1" "$4"
		echo "# $1: nothing of gmem is in it, trying once more"
		boot_once "$@"
	fi
	if ((!VM_END)); then
		lost "$1" "$4"
		VM_FAILED=$((VM_FAILED + 1))
		echo "the VM was lost" >>"$STATE.failures"
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

# last_words CONSOLE: the output since the last program has started, without reports of
# KCSAN, which were judged before and do not end a VM.
last_words() {
	tac "$1" | sed '/gmem-init: start/q' | tac | awk '
		/====================/ { if (inside && block !~ /KCSAN/) print block
			inside = !inside; block = ""; next }
		inside { block = block $0 "\n"; next }
		{ print }
		END { print block }'
}

# lost_elsewhere CONSOLE: whether no function of our modules is in any stack or report of
# a VM that was lost after it was up. Then the emulator has lost it.
lost_elsewhere() {
	! last_words "$1" | grep -E '\+0x[0-9a-f]+/0x[0-9a-f]+ \[(gmem|pvmemcontrol)' >/dev/null
}

# accels_of LABEL DIR: an accelerator for each VM of this kernel.
accels_of() {
	local accel

	if [[ $(arch_of "$1") == arm64 ]]; then
		echo tcg-arm64
		return
	fi
	accel=$(accel_choose "$2/bzImage" "$RUN_DIR/$1.cpio") || return 1
	case $accel-$1 in
	tcg-stock-* | tcg-own) sed 's/^/tcg-/; s/two/turns/' "$RUN_DIR/$1.kinds" ;;
	# Without a VM of their own, programs that count instructions skip with a reason.
	kvm-stock-*) sed -n 's/count/tcg-count/p' "$RUN_DIR/$1.kinds"; echo kvm ;;
	*) echo "$accel" ;;
	esac
}

# vm_beside LABEL DIR ACCEL CONSOLE: boot_vm() in a subshell, at the same time as another
# VM of this kernel. Its output goes to STATE.ktap, and VM_* and LOST to STATE.sums.
vm_beside() {
	vm_files ".$3"
	boot_vm "$@" "    " >"$STATE.ktap"
	echo "$VM_PASSED $VM_FAILED $VM_SKIPPED $LOST" >"$STATE.sums"
}

# test_vms LABEL DIR ACCEL...: sets VM_PASSED and others to the sums. Several VMs have one
# virtual CPU each, or CPUs that take turns, so they run at the same time. Each is a
# subtest of the kernel; they are printed in order.
test_vms() {
	local label=$1 dir=$2 console=$LOG_DIR/$1.$$ accel word lost number=0
	local passed=0 failed=0 skipped=0 pids=()

	shift 2
	STATE=$RUN_DIR/state
	if (($# == 1)); then
		boot_vm "$label" "$dir" "$1" "$console.console"
		return
	fi
	for accel; do
		STATE=$RUN_DIR/state.$accel
		: >"$STATE.ktap"
		vm_beside "$label" "$dir" "$accel" "$console.$accel.console" &
		pids+=($!)
	done
	echo "    1..$#"
	for accel; do
		STATE=$RUN_DIR/state.$accel
		echo "        # Subtest: $accel"
		tail -n +1 -f -s 1 --pid="${pids[number]}" "$STATE.ktap"
		read -r VM_PASSED VM_FAILED VM_SKIPPED lost <"$STATE.sums"
		number=$((number + 1)) word=ok
		((VM_FAILED == 0)) || word="not ok"
		echo "    $word $number $accel"
		((!lost)) || LOST=1
		passed=$((passed + VM_PASSED)) failed=$((failed + VM_FAILED))
		skipped=$((skipped + VM_SKIPPED))
	done
	VM_PASSED=$passed VM_FAILED=$failed VM_SKIPPED=$skipped
}
