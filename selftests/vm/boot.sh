# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# QEMU. vm_boot prints the guest's output from the port gmem.result line by line; the
# console goes to a file. QEMU's exit code says nothing: it is 0 after a panic, too.
# Sourced.

# Without -cx16 and hpet=off, QEMU 7.2's TCG loses boots at random.
TCG_ARGS=(-accel tcg -cpu "max,-cx16" -machine "q35,hpet=off")

# All virtual CPUs read the host's time stamp counter. Differences that the kernel finds
# between them come from the load of the host; and KVM without a reliable counter may
# enter and leave a guest for ever. The kernel must not check timer ticks either: on a
# busy host they are too late for the check, and it panics.
TCG_KERNEL_ARGS="tsc=reliable no_timer_check"

# When any virtual CPU restores x87 state, QEMU clears a flag of the first CPU without a
# lock (cpu_clear_ignne() in target/i386/tcg/system/fpu_helper.c, also in QEMU 10). The
# same word contains flags for nested page tables and for enabled interrupts of that CPU.
# If it enters or leaves a guest at that moment, the guest continues with registers of the
# kernel for ever, or the kernel dies. So there is one more CPU than needed, and init
# keeps everything off the first one.
TCG_SPARE="GMEM_SPARE_CPU=0"

# Debian's kernels patch their own code (static keys) with every VM that is created; those
# built here do not. Such a kernel dies if it meets a breakpoint on one virtual CPU after
# another CPU has removed it. Virtual CPUs that take turns avoid this.
TCG_TURNS_ARGS=(-accel "tcg,thread=single" "${TCG_ARGS[@]:2}")

# But virtual CPUs take turns by a timer. If it stops a CPU in a guest that has just been
# given an interrupt, the guest gets the interrupt twice (see testing.rst). A single
# virtual CPU has no such timer and no other CPU. So such a kernel has two VMs: one runs
# the programs that need two CPUs (KSFT_NEEDS_CPUS() of ksft.h), the other one runs the
# rest. Programs that count instructions (KSFT_COUNTS()) have a third VM.
TCG_ONE_PROGRAMS="GMEM_PROGRAMS=one"
# This single CPU can lose an interrupt of its timer around a guest, and no other CPU
# wakes it. A periodic timer fires again.
TCG_ONE_KERNEL_ARGS="highres=off nohz=off"
TCG_TURNS_PROGRAMS="GMEM_PROGRAMS=two"
TCG_COUNT_PROGRAMS="GMEM_PROGRAMS=count"

# One instruction takes one nanosecond of the virtual CPU, and one tick of its time stamp
# counter: a difference of it is a number of instructions (selftests/bench/measure.c).
# When nothing runs, time jumps to the next timer. Without -erms the kernel would clear a
# page by rep stosb, which counts as one instruction for each byte here, unlike in a
# processor; without ERMS it is one for each eight bytes.
TCG_COUNT_ARGS=(-accel "tcg,thread=single" -icount "shift=0,sleep=off"
	-cpu "max,-cx16,-erms" "${TCG_ARGS[@]:4}")
TCG_COUNT_KHZ=1000000

# pauth-impdef: QEMU's own algorithm takes a third of the time. KVM needs EL2.
ARM64_ARGS=(-accel tcg -cpu "max,pauth-impdef=on"
	-machine "virt,gic-version=3,virtualization=on")

KVM_ARGS=(-accel kvm -cpu host -machine q35)

# A slow emulator needs long timeouts: a stall is a hang only after minutes.
KERNEL_ARGS=(panic=-1 oops=panic slab_nomerge printk.devkmsg=on
	log_buf_len=4M watchdog_thresh=60 rcupdate.rcu_cpu_stall_timeout=180
	unknown_nmi_panic panic_print=0x40 ignore_loglevel)

# vm_files SUFFIX: set the files of the VM that this shell boots next.
VM_FILES=${TMPDIR:-/tmp}/gmem-vm.$$
vm_files() {
	VM_PIDFILE=$VM_FILES$1.pid
	VM_MONITOR=$VM_FILES$1.monitor
}
vm_files ""

# QEMU removes the file when it exits by itself.
vm_kill() {
	[[ ! -s $VM_PIDFILE ]] || kill "$(<"$VM_PIDFILE")" 2>/dev/null || true
	rm -f "$VM_PIDFILE" "$VM_MONITOR.in" "$VM_MONITOR.out"
}

# vm_kill_all: also kill VMs that subshells have booted.
vm_kill_all() {
	local file

	for file in "$VM_FILES"*.monitor.in; do
		file=${file#"$VM_FILES"}
		vm_files "${file%.monitor.in}"
		vm_kill
	done
}

# The VM has no output any more, not even that a program is late: its kernel hangs with
# interrupts off. An NMI makes it panic and print the stack of each CPU.
vm_nmi() {
	[[ ! -s $VM_PIDFILE || ! -p $VM_MONITOR.in ]] ||
		echo nmi >"$VM_MONITOR.in"
}

# The VM has no output, perhaps only because the emulator has lost an interrupt: when
# TCG's virtual CPUs are stopped and continued, they check for pending work.
vm_nudge() {
	[[ ! -s $VM_PIDFILE || ! -p $VM_MONITOR.in ]] ||
		printf 'stop\ncont\n' >"$VM_MONITOR.in"
}

# vm_ticks: CPU time of QEMU in hundredths of a second.
vm_ticks() {
	local stat

	read -r stat 2>/dev/null <"/proc/$(<"$VM_PIDFILE")/stat" || { echo 0; return; }
	# shellcheck disable=SC2086
	set -- ${stat##*) }
	# Nothing of a QEMU that is just ending
	echo $((${12:-0} + ${13:-0}))
}

accel_args() {
	case $1 in
	kvm) printf '%s\n' "${KVM_ARGS[@]}" ;;
	tcg | tcg-one) printf '%s\n' "${TCG_ARGS[@]}" ;;
	tcg-turns) printf '%s\n' "${TCG_TURNS_ARGS[@]}" ;;
	tcg-count) printf '%s\n' "${TCG_COUNT_ARGS[@]}" ;;
	tcg-arm64) printf '%s\n' "${ARM64_ARGS[@]}" ;;
	esac
}

accel_qemu() {
	case $1 in
	*-arm64) echo qemu-system-aarch64 ;;
	*) echo qemu-system-x86_64 ;;
	esac
}

# tsc_kernel_args: the rate of the time stamp counter, if the host has one. A kernel that
# is given the rate does not measure it.
tsc_kernel_args() {
	local dir

	[[ $(uname -m) == x86_64 ]] || return 0
	dir=$(mktemp -d) || return 0
	gcc -O2 -o "$dir/tsc_khz" "$VM_DIR/tsc_khz.c" &&
		echo "tsc_early_khz=$("$dir/tsc_khz")"
	rm -rf "$dir"
}

# accel_kernel_args ACCEL: additions to the kernel's command line.
accel_kernel_args() {
	local tcg="console=ttyS0 $TCG_KERNEL_ARGS"

	case $1 in
	tcg) echo "$tcg $(tsc_kernel_args) $TCG_SPARE" ;;
	tcg-one) echo "$tcg $TCG_ONE_KERNEL_ARGS $(tsc_kernel_args) $TCG_ONE_PROGRAMS" ;;
	tcg-turns) echo "$tcg $(tsc_kernel_args) $TCG_TURNS_PROGRAMS" ;;
	tcg-count) echo "$tcg tsc_early_khz=$TCG_COUNT_KHZ $TCG_COUNT_PROGRAMS" ;;
	tcg-arm64) echo console=ttyAMA0 ;;
	*) echo console=ttyS0 ;;
	esac
}

# machine_args ACCEL MEM_MIB: two CPUs for the tests, or VM_CPUS; two memory nodes, so
# that pages can be migrated.
machine_args() {
	local half=$(($2 / 2)) first second total=${VM_CPUS:-2}

	[[ $1 != tcg ]] || total=$((total + 1))
	first=,cpus=0-$((total - 2)) second=,cpus=$((total - 1))
	case $1 in
	tcg-one | tcg-count) first=,cpus=0 second="" total=1 ;;
	esac
	printf '%s\n' -m "$((half * 2))M" -smp "$total,sockets=$total" \
		-object "memory-backend-ram,id=m0,size=${half}M" \
		-object "memory-backend-ram,id=m1,size=${half}M" \
		-numa "node,nodeid=0,memdev=m0$first" \
		-numa "node,nodeid=1,memdev=m1$second"
}

# vm_boot ACCEL KERNEL INITRD MEM_MIB SECONDS CONSOLE "KERNEL ARGS" [QEMU ARG...]
vm_boot() {
	local accel machine more console=$6 append

	append="$(accel_kernel_args "$1") ${KERNEL_ARGS[*]} $7"
	read -ra more <<<"${QEMU_ARGS:-}"
	readarray -t accel < <(accel_args "$1")
	readarray -t machine < <(machine_args "$1" "$4")
	rm -f "$VM_MONITOR.in" "$VM_MONITOR.out"
	mkfifo "$VM_MONITOR.in" "$VM_MONITOR.out"
	timeout --foreground -k 5 "$5" "$(accel_qemu "$1")" "${accel[@]}" "${machine[@]}" \
		-nodefaults -display none -no-reboot -pidfile "$VM_PIDFILE" \
		-kernel "$2" -initrd "$3" -append "$append" \
		-chardev "file,id=console,path=$console" -serial chardev:console \
		-device virtio-serial-pci,max_ports=2 \
		-chardev file,id=result,path=/dev/fd/3 \
		-device virtserialport,chardev=result,name=gmem.result \
		-chardev "pipe,id=monitor,path=$VM_MONITOR" -mon monitor \
		"${more[@]}" "${@:8}" 3>&1 >"$console.qemu" 2>&1 </dev/null
}

# vm_shell ACCEL KERNEL INITRD MEM_MIB "KERNEL ARGS": an interactive console.
vm_shell() {
	local accel machine append

	append="$(accel_kernel_args "$1") ${KERNEL_ARGS[*]/ignore_loglevel/quiet} $5"
	readarray -t accel < <(accel_args "$1")
	readarray -t machine < <(machine_args "$1" "$4")
	"$(accel_qemu "$1")" "${accel[@]}" "${machine[@]}" \
		-nodefaults -display none -no-reboot \
		-kernel "$2" -initrd "$3" -append "$append" \
		-serial mon:stdio -device virtio-serial-pci,max_ports=2 \
		-chardev file,id=result,path=/dev/null \
		-device virtserialport,chardev=result,name=gmem.result
}

# accel_works KERNEL INITRD: whether a guest boots with KVM and can run guests.
accel_works() {
	# QEMU may abort here: this is an answer, and not an error.
	(vm_boot kvm "$1" "$2" 512 25 "$CACHE_DIR/accel.console" \
		GMEM_MODE=probe; :) 2>/dev/null |
		grep '^# probe: kvm works' >/dev/null
}

# accel_choose KERNEL INITRD: ACCEL= if set, else kvm if a trial boot succeeds. It is
# possible that /dev/kvm can be opened but not used.
accel_choose() {
	local key file

	case ${ACCEL:-} in
	tcg | kvm) echo "$ACCEL"; return ;;
	'') ;;
	*) die "ACCEL=$ACCEL: tcg or kvm" ;;
	esac
	if [[ ! -w /dev/kvm ]]; then
		echo tcg
		return
	fi
	key=$({ cat /proc/sys/kernel/random/boot_id "$1"
		qemu-system-x86_64 --version; } | sha256sum | cut -c1-16)
	file=$CACHE_DIR/accel-$key
	if [[ ! -s $file ]]; then
		say "trying whether KVM works here"
		if accel_works "$1" "$2"; then echo kvm; else echo tcg; fi >"$file.$$"
		mv "$file.$$" "$file"
		say "  accelerator: $(<"$file")"
	fi
	cat "$file"
}
