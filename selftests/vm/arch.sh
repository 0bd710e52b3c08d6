# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# The tools for a kernel's architecture. It is part of the kernel's name; without a name
# it is that of this machine. Sourced.

. "$VM_DIR/apt.sh"
. "$VM_DIR/arm64.sh"
. "$VM_DIR/trixie.sh"

# arch_of NAME: Debian's name of a kernel's architecture.
arch_of() {
	case $1 in
	arm64-*) echo arm64 ;;
	*) echo amd64 ;;
	esac
}

# arch_path NAME: $PATH with the tools for this architecture.
arch_path() {
	local dir

	if [[ $(arch_of "$1") == arm64 && -n $(apt_foreign arm64) ]]; then
		dir=$(arm64_get) || return 1
		printf '%s:' "$dir/bin"
	elif [[ $1 == stock-7.* ]] && ! trixie_is_here; then
		dir=$(trixie_get) || return 1
		printf '%s:' "$dir/bin"
	fi
	printf '%s\n' "$PATH"
}

# arch_cc NAME: the name of the compiler in that path.
arch_cc() {
	if [[ -n $(apt_foreign "$(arch_of "$1")") ]]; then
		echo aarch64-linux-gnu-gcc
	else
		echo cc
	fi
}

# arch_kbuild NAME: the arguments of make for kernel and modules.
arch_kbuild() {
	[[ $(arch_of "$1") != arm64 ]] ||
		echo ARCH=arm64 CROSS_COMPILE=aarch64-linux-gnu-
}
