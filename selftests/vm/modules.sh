# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# gmem's modules for a kernel of the test VMs. They are built in a copy, so that the tree
# stays clean and kernels do not share objects. 6.12 cannot build a module outside of its
# source directory otherwise. Sourced, after arch.sh.

# A separate module, like one of another project.
MODULES_EXAMPLE=Documentation/examples/minihyp

# All files that kbuild reads.
modules_sources() {
	(cd "$TOP_DIR" &&
		find Kbuild module uapi "$MODULES_EXAMPLE" -type f \
			\( -name Kbuild -o -name Makefile -o -name '*.[chS]' \) \
			-not -name '*.mod.c' | sort)
}

# A file that was removed from the tree is removed from the copy; unchanged files keep
# their time stamps.
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

# modules_make DIR KDIR [ARG...]: if MODULES_TEST is empty, without modules for tests.
modules_make() {
	local tests=(GMEM_TEST=1)

	[[ -n ${MODULES_TEST-1} ]] || tests=()
	make -s -j"$(nproc)" -C "$2" M="$1" W=1 KCFLAGS=-Werror "${tests[@]}" \
		"${@:3}" modules || return 1
	((!${#tests[@]})) ||
		make -s -C "$2" M="$1/$MODULES_EXAMPLE" W=1 KCFLAGS=-Werror \
			KBUILD_EXTRA_SYMBOLS="$1/Module.symvers" "${@:3}" modules
}

# modules_build NAME KDIR: print the directory with the .ko files. There is a copy for
# each kernel tree, because a new kernel must not use the objects of the old one.
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

# modules_build_guest NAME DIR KDIR: build gmem_guest.ko, and the module by which programs
# in a test's guest use it, for the guest's kernel NAME, in the directory DIR.
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

# modules_build_driver DIR KDIR: build pvmemcontrol.ko alone, for the guest's kernel, in
# the directory DIR.
modules_build_driver() {
	hold_tree modules-guest
	modules_copy "$1"
	watch_log "guest: pvmemcontrol" "$1/build.log" \
		make -s -C "$2" M="$1" W=1 KCFLAGS=-Werror pvmemcontrol.ko ||
		{ release; return 1; }
	release
}
