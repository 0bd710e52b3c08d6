# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# A compiler for arm64 and libraries to link with, unpacked from Debian's packages in the
# cache. They are not installed, because Debian's cross compiler and gcc-multilib, which
# other checks need, exclude each other. Sourced, after apt.sh.

ARM64_LIBRARIES=(libc6-dev linux-libc-dev libkmod-dev libjson-c-dev libssl-dev)
# Version of the layout. Increase it to unpack again.
ARM64_RECIPE=2

# arm64_packages: "tools|sysroot PACKAGE VERSION" for all packages to unpack. Other
# packages that the tools need are installed for this machine's compiler. Packages that
# the libraries depend on, but that nothing links with, are left out.
arm64_packages() {
	apt_closure own gcc-aarch64-linux-gnu |
		grep -E 'aarch64-linux-gnu|^libgcc-.*-arm64-cross|-cross-base' |
		sed 's/^/tools /'
	APT_ARCH=$(apt_foreign arm64) apt_closure own "${ARM64_LIBRARIES[@]}" |
		grep -vE 'krb|k5crypto|tirpc|libnsl|gssapi|keyutils|com-err|rpcsvc' |
		sed 's/^/sysroot /'
}

arm64_unpack() {
	local dir=$1 list=$2 part package version arch deb

	sed -n 's/^tools //p' <<<"$list" | apt_fetch_all own &&
		sed -n 's/^sysroot //p' <<<"$list" |
		APT_ARCH=$(apt_foreign arm64) apt_fetch_all own || return 1
	while read -r part package version; do
		arch=
		[[ $part != sysroot ]] || arch=$(apt_foreign arm64)
		deb=$(APT_ARCH=$arch apt_fetch own "$package" "$version") || return 1
		mkdir -p "$dir/$part"
		dpkg-deb -x "$deb" "$dir/$part" || return 1
	done <<<"$list"
}

# Tools search for their own libraries in /usr, and the compiler searches for those of the
# target where they would be installed.
arm64_wrap() {
	local dir=$1 tool name extra

	mkdir -p "$dir/bin"
	for tool in "$dir"/tools/usr/bin/aarch64-linux-gnu-*; do
		name=${tool##*/}
		extra=
		[[ $name != *-gcc* ]] || extra="--sysroot=$dir/sysroot"
		cat >"$dir/bin/$name" <<-END
		#!/bin/sh
		export LD_LIBRARY_PATH=$dir/tools/usr/lib/$(uname -m)-linux-gnu
		exec $tool $extra "\$@"
		END
		chmod +x "$dir/bin/$name"
	done
	# On Debian 13 /lib is only a link to /usr/lib.
	[[ -e $dir/sysroot/lib ]] || ln -s usr/lib "$dir/sysroot/lib"
}

arm64_make() {
	local dir=$1 list=$2

	arm64_unpack "$dir.part" "$list" || return 1
	rm -rf "$dir"
	mv "$dir.part" "$dir"
	arm64_wrap "$dir"
	echo 'int main(void) { return 0; }' >"$dir/hello.c"
	"$dir/bin/aarch64-linux-gnu-gcc" -static -o "$dir/hello" "$dir/hello.c" &&
		"$dir/bin/aarch64-linux-gnu-gcc" -o "$dir/hello" "$dir/hello.c" \
			-lkmod -ljson-c -lcrypto || return 1
	touch "$dir/complete"
}

# arm64_get: print the directory: bin/ has the tools, sysroot/ the libraries.
arm64_get() {
	local list dir

	list=$(resolve arm64-sysroot arm64_packages) || {
		say "the mirror has no cross compiler or no packages for arm64"
		return 1
	}
	dir=$CACHE_DIR/arm64/$({ echo "$ARM64_RECIPE $list"; } | sha256sum | cut -c1-16)
	if [[ ! -e $dir/complete ]]; then
		hold arm64
		if [[ ! -e $dir/complete ]]; then
			rm -rf "$dir.part"
			mkdir -p "$CACHE_DIR/arm64"
			arm64_make "$dir" "$list" || { release; return 1; }
		fi
		release
	fi
	printf '%s\n' "$dir"
}
