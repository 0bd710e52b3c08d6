# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# Tools that build modules for Debian's own 7.x kernels: gcc 14, binutils and pahole of
# Debian 13, unpacked from its packages in the cache. They are not installed, and need no
# chroot: each program is a script that runs it with the C library of Debian 13. On Debian
# 13 the installed tools are used. Sourced, after apt.sh.

TRIXIE_PACKAGES=(gcc-14 pahole)
# Files that a compiler needs to link programs, but not modules.
TRIXIE_UNUSED='^(lib(.?[al]san|tsan|ubsan|quadmath|atomic|itm|gomp|cc1|gprofng)|libgcc-14-dev)'
# Version of the layout. Increase it to unpack again.
TRIXIE_RECIPE=1

# trixie_is_here: whether this machine has all of the tools installed.
trixie_is_here() {
	[[ $OS_CODENAME == trixie ]]
}

trixie_list() {
	apt_closure trixie "${TRIXIE_PACKAGES[@]}" | grep -vE "$TRIXIE_UNUSED"
}

# trixie_wrap ROOT FILE SCRIPT [OPTION...]: SCRIPT runs FILE, with SCRIPT as its name, and
# with the options before its arguments.
trixie_wrap() {
	local root=$1 file=$2 script=$3
	local library=$root/usr/lib/x86_64-linux-gnu

	shift 3
	cat >"$script" <<-END
	#!/bin/sh
	exec $library/ld-linux-x86-64.so.2 --library-path $library \\
		--argv0 $script $file $* "\$@"
	END
	chmod +x "$script"
}

# Wrap the programs that the compiler runs, too.
trixie_wrap_tools() {
	local dir=$1 root=$1/root file name

	mkdir -p "$dir/bin" "$dir/parts"
	for file in "$root"/usr/bin/{x86_64-linux-gnu-*,pahole}; do
		name=${file##*/}
		if [[ $name == *-gcc-14 ]]; then
			trixie_wrap "$root" "$file" "$dir/bin/$name" "-B$dir/parts/"
		else
			trixie_wrap "$root" "$file" "$dir/bin/$name"
		fi
	done
	for file in "$root"/usr/libexec/gcc/x86_64-linux-gnu/14/{cc1,collect2}; do
		trixie_wrap "$root" "$file" "$dir/parts/${file##*/}"
	done
	for name in as ld; do
		ln -s "../bin/x86_64-linux-gnu-$name" "$dir/parts/$name"
	done
}

# trixie_wrap_kbuild TOOLS DIR: wrap the programs of a linux-kbuild package.
trixie_wrap_kbuild() {
	local file

	find "$2" -type f -perm -u+x | while read -r file; do
		[[ $(head -c 4 "$file") == $'\x7fELF' ]] || continue
		mv "$file" "$file.elf"
		trixie_wrap "$1/root" "$file.elf" "$file"
	done
}

trixie_make() {
	local dir=$1 list=$2 package version deb

	apt_fetch_all trixie <<<"$list" || return 1
	mkdir -p "$dir/root"
	while read -r package version; do
		deb=$(apt_fetch trixie "$package" "$version") || return 1
		dpkg-deb -x "$deb" "$dir/root" || return 1
	done <<<"$list"
	trixie_wrap_tools "$dir"
	echo 'int answer(void) { return 42; }' >"$dir/hello.c"
	PATH=$dir/bin:$PATH x86_64-linux-gnu-gcc-14 -g -c -o "$dir/hello.o" \
		"$dir/hello.c" || return 1
	touch "$dir/complete"
}

# trixie_get: print the directory; its bin/ has the tools.
trixie_get() {
	local list dir

	list=$(resolve trixie-tools trixie_list) || {
		say "the mirror has no gcc 14 of Debian 13"
		return 1
	}
	dir=$CACHE_DIR/trixie/$({ echo "$TRIXIE_RECIPE $list"; } | sha256sum | cut -c1-16)
	if [[ ! -e $dir/complete ]]; then
		hold trixie
		if [[ ! -e $dir/complete ]]; then
			rm -rf "$dir"
			trixie_make "$dir" "$list" || { release; return 1; }
		fi
		release
	fi
	printf '%s\n' "$dir"
}
