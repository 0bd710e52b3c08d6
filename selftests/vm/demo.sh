#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# make demo [FILE=] [KERNEL=]: a guest computes the SHA-256 of FILE in private memory,
# inside a VM with Debian's own kernel. FILE is a read-only disk of the VM, and the output
# of gmemctl is shown live. Then the digest is compared with that of this machine, and the
# duration of each step is printed.

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
SIZE_LIMIT=$((256 << 20))
RUN_DIR=

refuse() {
	say "demo: $1: $2"
	exit 2
}

# check_file FILE: runs before anything is built.
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

# Debian's own kernel, which users have. Only gmem is compiled.
check_kernel() {
	[[ $KERNEL == stock-* || $KERNEL == slim-* ]] ||
		refuse "KERNEL=$KERNEL" "the demo runs on stock-6.12 or stock-7.3"
}

build() {
	local log=$TOP_DIR/build/log jobs=(build vm) since

	[[ $KERNEL == stock-* ]] || jobs+=(kernel)
	deps_install "${jobs[@]}" || exit 1
	mkdir -p "$log"
	since=$(now_ms)
	KERNEL_DIR=$("$VM_DIR/kernel.sh" get "$KERNEL") || exit 1
	lap "$KERNEL: all of that, and unpacking it" "$since"
	MODULES=$(MODULES_TEST='' modules_build "$KERNEL" "$KERNEL_DIR/kdir") || exit 1
	hold_tree userspace
	watch_log "gmemctl" "$log/gmemctl.log" \
		make -j"$(nproc)" -C "$TOP_DIR/tools/gmemctl" OUT="$TOP_DIR/build" \
		"$TOP_DIR/build/gmemctl" || exit 1
	release
}

pack() {
	local root=$RUN_DIR/root since

	since=$(now_ms)
	stage_init "$root" "$KERNEL"
	stage_modules "$root" "$KERNEL_DIR" "$MODULES"
	stage_program "$root" "$TOP_DIR/build/gmemctl" usr/sbin/gmemctl
	initramfs_pack "$root" "$RUN_DIR/initrd"
	rm -rf "$root"
	lap "packing the initramfs" "$since"
}

# boot FILE SIZE: boot the VM, and print its output.
boot() {
	local disk=() mib=$(($2 >> 20))

	if (($2)); then
		# The link has a name that QEMU's options accept without quoting.
		ln -sfn "$(readlink -f "$1")" "$RUN_DIR/input"
		disk=(-drive "file=$RUN_DIR/input,format=raw,if=none,id=input,readonly=on"
			-device "virtio-blk-pci,drive=input")
	fi
	vm_boot "$ACCELERATOR" "$KERNEL_DIR/bzImage" "$RUN_DIR/initrd" \
		$((768 + 4 * mib)) 1800 "$CONSOLE" \
		"GMEM_MODE=demo GMEM_INPUT_SIZE=$2 quiet" "${disk[@]}"
}

# show: print all lines except init's own, from which STATUS is set.
show() {
	local line since

	since=$(now_ms)
	STATUS=lost DIGEST=
	while IFS= read -r line; do
		line=${line%$'\r'}
		case $line in
		'# gmem-init: up'*)
			lap "booting the VM" "$since"
			since=$(now_ms)
			continue ;;
		'# gmem-init: end status='*) STATUS=${line##*=}; continue ;;
		'digest: '*) DIGEST=${line#digest: } ;;
		esac
		printf '%s\n' "$line"
	done
	lap "the demo, in the VM" "$since"
}

# show_laps SINCE: print durations. That of downloads depends on the network.
show_laps() {
	lap "all" "$1"
	echo
	echo "Seconds, on $(nproc) CPUs:"
	awk -F '\t' -v kernel="$KERNEL" '
	$2 == "all" { all = $1; next }
	$2 ~ "^" kernel ": all" { $1 -= fetched; sub(/: .*/, ": looking up, unpacking", $2) }
	{ seconds = $1 / 1000; sum += $1 }
	$2 ~ /^(fetching|package lists)/ { fetched += $1 }
	seconds >= 0.05 { printf "  %6.1f  %s\n", seconds, $2 }
	END {
		printf "  %6.1f  all else\n", (all - sum) / 1000
		printf "  %6.1f  in all, %.1f of them to fetch packages\n", all / 1000,
			fetched / 1000
	}' "$LAPS"
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
	local file=${1:-} size since rc=0

	since=$(now_ms)
	check_kernel
	check_file "$file"
	RUN_DIR=$(mktemp -d "${TMPDIR:-/tmp}/gmem-demo.XXXXXX")
	at_exit 'vm_kill; rm -rf "$RUN_DIR"'
	trap 'exit 130' INT TERM
	export LAPS=$RUN_DIR/laps
	build
	CONSOLE=$TOP_DIR/build/log/demo.$$.console
	size=$(stat -Lc %s "$file")
	pack
	ACCELERATOR=$(accel_choose "$KERNEL_DIR/bzImage" "$RUN_DIR/initrd") || exit 1
	# See TCG_TURNS_ARGS.
	[[ $ACCELERATOR-$KERNEL != tcg-stock-* ]] || ACCELERATOR=tcg-one
	say "  booting the VM ($ACCELERATOR)"
	show < <(boot "$file" "$size")
	compare "$file" || rc=$?
	show_laps "$since"
	return "$rc"
}

main "$@"
