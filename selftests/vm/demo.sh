#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# make demo [FILE=]: a guest computes the SHA-256 of FILE in private memory,
# inside a VM. FILE goes in as a read-only disk; what gmemctl says comes out
# live. Afterwards the digest is compared with the one computed here.

set -euo pipefail
. "$(dirname "$0")/env.sh"
. "$VM_DIR/deps.sh"
. "$VM_DIR/arch.sh"
. "$VM_DIR/modules.sh"
. "$VM_DIR/programs.sh"
. "$VM_DIR/initramfs.sh"
. "$VM_DIR/boot.sh"

SIZE_LIMIT=$((256 << 20))
RUN_DIR=

refuse() {
	say "demo: $1: $2"
	exit 2
}

# check_file FILE: before anything is built.
check_file() {
	local file=$1 size

	[[ -n $file ]] || refuse "FILE" "empty name: say FILE=/path/to/any/file"
	[[ -e $file ]] || refuse "$file" "no such file"
	[[ ! -d $file ]] || refuse "$file" "is a directory: name a file in it"
	[[ -f $file ]] || refuse "$file" "is not a regular file: copy what it holds to one"
	{ [[ -r $file ]] && : <"$file"; } 2>/dev/null ||
		refuse "$file" "cannot be read by $(id -un): check its permissions"
	size=$(stat -Lc %s "$file")
	((size <= SIZE_LIMIT)) ||
		refuse "$file" "has $size bytes, the demo's VM takes $SIZE_LIMIT at most"
}

build() {
	local log=$TOP_DIR/build/log

	deps_install build kernel vm || exit 1
	mkdir -p "$log"
	KERNEL_DIR=$("$VM_DIR/kernel.sh" get slim-7.3) || exit 1
	MODULES=$(modules_build slim-7.3 "$KERNEL_DIR/kdir") || exit 1
	hold_tree userspace
	watch_log "gmemctl" "$log/gmemctl.log" \
		make -j"$(nproc)" -C "$TOP_DIR/tools/gmemctl" OUT="$TOP_DIR/build" || exit 1
	release
}

pack() {
	local root=$RUN_DIR/root

	stage_init "$root"
	stage_modules "$root" "$KERNEL_DIR" "$MODULES"
	stage_program "$root" "$TOP_DIR/build/gmemctl" usr/sbin/gmemctl
	initramfs_pack "$root" "$RUN_DIR/initrd"
	rm -rf "$root"
}

# boot FILE SIZE: what comes out of the VM.
boot() {
	local disk=() mib=$(($2 >> 20))

	if (($2)); then
		# The link has a name that needs no quoting for QEMU.
		ln -sfn "$(readlink -f "$1")" "$RUN_DIR/input"
		disk=(-drive "file=$RUN_DIR/input,format=raw,if=none,id=input,readonly=on"
			-device "virtio-blk-pci,drive=input")
	fi
	vm_boot "$ACCELERATOR" "$KERNEL_DIR/bzImage" "$RUN_DIR/initrd" \
		$((768 + 4 * mib)) 1800 "$CONSOLE" \
		"GMEM_MODE=demo GMEM_INPUT_SIZE=$2 quiet" "${disk[@]}"
}

# show: pass on everything but init's own lines, from which STATUS comes.
show() {
	local line

	STATUS=lost DIGEST=
	while IFS= read -r line; do
		line=${line%$'\r'}
		case $line in
		'# gmem-init: up'*) continue ;;
		'# gmem-init: end status='*) STATUS=${line##*=}; continue ;;
		'digest: '*) DIGEST=${line#digest: } ;;
		esac
		printf '%s\n' "$line"
	done
}

compare() {
	local file=$1 expected

	if [[ $STATUS == lost ]]; then
		say "demo: the VM was lost; the end of its console ($CONSOLE):"
		tail -n 40 "$CONSOLE" | tr -d '\r' >&2
		cat "$CONSOLE.qemu" >&2
		return 1
	fi
	if [[ $STATUS != 0 ]]; then
		say "demo: gmemctl failed in the VM (exit $STATUS)"
		return 1
	fi
	expected=$(sha256sum <"$file")
	expected=${expected%% *}
	echo
	if [[ $DIGEST == "$expected" ]]; then
		echo "sha256sum here: $expected, the same."
		return 0
	fi
	echo "sha256sum here: $expected"
	say "demo: the guest's digest is '${DIGEST:-missing}': NOT the same"
	return 1
}

main() {
	local file=${1:-} size

	check_file "$file"
	build
	RUN_DIR=$(mktemp -d "${TMPDIR:-/tmp}/gmem-demo.XXXXXX")
	at_exit 'vm_kill; rm -rf "$RUN_DIR"'
	trap 'exit 130' INT TERM
	CONSOLE=$TOP_DIR/build/log/demo.$$.console
	size=$(stat -Lc %s "$file")
	pack
	ACCELERATOR=$(accel_choose "$KERNEL_DIR/bzImage" "$RUN_DIR/initrd") || exit 1
	say "  booting the VM ($ACCELERATOR)"
	show < <(boot "$file" "$size")
	compare "$file"
}

main "$@"
