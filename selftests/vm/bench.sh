#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# make bench [KERNEL=] [CASES=]: what gmem costs beside what others do, counted in
# instructions in a VM with Debian's own kernel.
#
#   KERNEL=name		stock-6.12, stock-7.3, or slim-7.3, which has the KVM store
#   CASES='glob...'	only these of gmem_bench

set -euo pipefail
. "$(dirname "$0")/env.sh"
. "$VM_DIR/deps.sh"
. "$VM_DIR/arch.sh"
. "$VM_DIR/modules.sh"
. "$VM_DIR/programs.sh"
. "$VM_DIR/initramfs.sh"
. "$VM_DIR/boot.sh"

KERNEL=${KERNEL:-stock-6.12}
BENCH_DIR=$TOP_DIR/build/bench
RUN_DIR=

build() {
	local log=$TOP_DIR/build/log

	deps_install build vm || exit 1
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

# count ACCEL: what the program says in a VM.
count() {
	local cases=${CASES:-}

	vm_boot "$1" "$KERNEL_DIR/bzImage" "$RUN_DIR/initrd" 1024 900 "$CONSOLE" \
		"GMEM_MODE=bench GMEM_BENCH=${cases// /,} quiet"
}

main() {
	RUN_DIR=$(mktemp -d "${TMPDIR:-/tmp}/gmem-bench.XXXXXX")
	at_exit 'vm_kill; rm -rf "$RUN_DIR"'
	trap 'exit 130' INT TERM
	build
	CONSOLE=$TOP_DIR/build/log/bench.$$.console
	pack
	count tcg-count
}

main "$@"
