# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# gmemctl's own structures and numbers of KVM's and the PSP driver's ABI agree with those
# of the supported kernels. Sourced.

# abi_headers VERSION DIR: options for the kernel's uapi headers, and for the headers that
# they include before they are installed.
abi_headers() {
	local source
	source=$("$VM_DIR/kernel.sh" source "$1" 2>/dev/null) ||
		{ echo "no source of Linux $1: run 'make kernels'"; return 4; }
	mkdir -p "$2/linux"
	printf '%s\n' '#define __user' '#define __packed __attribute__((packed))' \
		>"$2/linux/compiler.h"
	: >"$2/linux/compiler_types.h"
	printf '%s\n' -include "$2/linux/compiler.h" -isystem "$2" \
		-isystem "$source/arch/x86/include/uapi" \
		-isystem "$source/include/uapi"
}

# abi_compile VERSION NUMBER [OPTION...]
abi_compile() {
	local version=$1 number=$2 headers
	shift 2

	headers=$(abi_headers "$version" "$WORK/abi") || { echo "$headers"; return 4; }
	# Split $headers into words.
	# shellcheck disable=SC2086
	gcc -std=gnu11 -Wall -Wextra -Werror -Wno-cpp $headers "-DLINUX=$number" \
		"$@" -fsyntax-only "$CHECK_DIR/abi.c"
}

# A structure with a wrong member is found.
abi_canary() {
	if abi_compile "$@" -Dvcek_disabled=id_block_en 2>/dev/null; then
		echo "a planted difference was not found"
		return 1
	fi
}

abi_check() {
	abi_compile "$@" && abi_canary "$@"
}

check_abi() {
	check "KVM's ABI in gmemctl is that of Linux 6.12" abi_check 6.12 612
	check "KVM's ABI in gmemctl is that of Linux 7.3" abi_check 7.3 703
}
