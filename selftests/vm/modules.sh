# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# gmem's modules for a kernel of the test VMs, built in a copy so that the
# tree stays clean and several kernels stay apart. 6.12 cannot build a module
# out of tree any other way. Sourced, after arch.sh.

# A module of its own, as somebody else would write it.
MODULES_EXAMPLE=Documentation/examples/minihyp

# Everything kbuild reads.
modules_sources() {
	(cd "$TOP_DIR" &&
		find Kbuild module uapi "$MODULES_EXAMPLE" -type f \
			\( -name Kbuild -o -name Makefile -o -name '*.[chS]' \) \
			-not -name '*.mod.c' | sort)
}

# A file that left the tree must leave the copy; unchanged ones keep their
# time stamps.
modules_copy() {
	local dir=$1 file

	mkdir -p "$dir"
	modules_sources >"$dir/.sources.new"
	if [[ -e $dir/.sources ]]; then
		comm -23 "$dir/.sources" "$dir/.sources.new" | while read -r file; do
			rm -f "$dir/$file"
		done
	fi
	mv "$dir/.sources.new" "$dir/.sources"
	tar -C "$TOP_DIR" -cf - -T "$dir/.sources" | tar -C "$dir" -xf -
}

# modules_make DIR KDIR [ARG...]: with MODULES_TEST empty, without what tests need.
modules_make() {
	local tests=(GMEM_TEST=1)

	[[ -n ${MODULES_TEST-1} ]] || tests=()
	make -s -j"$(nproc)" -C "$2" M="$1" W=1 KCFLAGS=-Werror "${tests[@]}" \
		"${@:3}" modules || return 1
	((!${#tests[@]})) ||
		make -s -C "$2" M="$1/$MODULES_EXAMPLE" W=1 KCFLAGS=-Werror \
			KBUILD_EXTRA_SYMBOLS="$1/Module.symvers" "${@:3}" modules
}

# modules_build NAME KDIR: the directory with the .ko files, on stdout. One
# copy per kernel tree, for a new kernel must not meet the old one's objects.
modules_build() {
	local dir key args path

	[[ -e $TOP_DIR/Kbuild ]] || return 0
	read -r -a args < <(arch_kbuild "$1") || true
	path=$(arch_path "$1") || return 1
	key=$(readlink -f "$2" | sha256sum | cut -c1-8)
	dir=$TOP_DIR/build/$1-$key${MODULES_TEST+-plain}
	hold_tree "modules-$1-$key"
	modules_copy "$dir"
	PATH=$path watch_log "$1: modules" "$dir/build.log" modules_make "$dir" "$2" "${args[@]}" ||
		{ release; return 1; }
	cat "$dir/build.log" >&2
	release
	printf '%s\n' "$dir"
}

# modules_build_guest NAME DIR KDIR: gmem_guest.ko, and the module that programs of a
# test's guest use it by, for the guest's kernel of that name, built in the directory DIR.
modules_build_guest() {
	local path

	path=$(arch_path "$1") || return 1
	shift
	hold_tree modules-guest
	modules_copy "$1"
	PATH=$path watch_log "guest: modules" "$1/build.log" \
		make -s -C "$2" M="$1" W=1 KCFLAGS=-Werror GMEM_TEST=1 \
		gmem_guest.ko gmem_guest_test.ko ||
		{ release; return 1; }
	release
}

# modules_build_driver DIR KDIR: pvmemcontrol.ko alone, for the guest's kernel, in the
# directory DIR.
modules_build_driver() {
	hold_tree modules-guest
	modules_copy "$1"
	watch_log "guest: pvmemcontrol" "$1/build.log" \
		make -s -C "$2" M="$1" W=1 KCFLAGS=-Werror pvmemcontrol.ko ||
		{ release; return 1; }
	release
}
