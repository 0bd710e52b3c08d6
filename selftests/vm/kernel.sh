#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The kernels of the test VMs.
#
#   kernel.sh get NAME...	get or build kernels, and print their directories
#   kernel.sh find NAME		print the directory if it exists, else fail
#   kernel.sh source VERSION	print the unpacked source tree of 6.12 or 7.3
#
# A directory contains bzImage, release, kdir (the KDIR= to build
# modules for it) and, for Debian's own kernels, modules/. They are kept in
# the cache under a hash of all inputs. "resolved" records
# the package version of each name; REFRESH=1 asks the mirror again.

set -euo pipefail
. "$(dirname "$0")/env.sh"
. "$VM_DIR/arch.sh"
. "$VM_DIR/stock.sh"
. "$VM_DIR/recipe.sh"

# kernel_suite VERSION: the suite with the packages for this release of Debian.
kernel_suite() {
	case $1-$OS_CODENAME in
	6.12-bookworm | 6.12-trixie) echo own ;;
	7.[23]-bookworm | 7.[23]-trixie) echo trixie-backports ;;
	*) die "no known suite for kernel $1 on Debian '$OS_CODENAME'" \
		"(bookworm and trixie are supported)" ;;
	esac
}

source_version() {
	local suite

	suite=$(kernel_suite "$1")
	resolve "linux-source-$1" apt_version "$suite" "linux-source-$1" ||
		die "package linux-source-$1 is not in suite $suite of your mirror"
}

source_unpack() {
	local deb=$1 dir=$2

	rm -rf "$dir.part"
	mkdir -p "$dir.part"
	dpkg-deb --fsys-tarfile "$deb" |
		tar -xO --wildcards './usr/src/linux-source-*.tar.xz' |
		tar -xJ -C "$dir.part" --strip-components=1
	touch "$dir.part/.gmem-complete"
	mv "$dir.part" "$dir"
}

# source_get VERSION: print the directory of the source tree.
source_get() {
	local version dir deb

	version=$(source_version "$1") || exit 1
	dir=$CACHE_DIR/src/linux-$1_$version
	if [[ ! -e $dir/.gmem-complete ]]; then
		hold "source-$1"
		if [[ ! -e $dir/.gmem-complete ]]; then
			deb=$(apt_fetch "$(kernel_suite "$1")" "linux-source-$1" "$version") || exit 1
			mkdir -p "$CACHE_DIR/src"
			watch_log "unpacking linux-source-$1" \
				"$CACHE_DIR/src/unpack-$1.log" source_unpack "$deb" "$dir" ||
				die "cannot unpack $deb under $CACHE_DIR/src: disk full?"
		fi
		release
	fi
	printf '%s\n' "$dir"
}

# kernel_fragments NAME: VERSION FRAGMENT...
kernel_fragments() {
	case $1 in
	slim-7.3) echo 7.3 base slim ;;
	debug-7.3) echo 7.3 base test debug ;;
	race-6.12) echo 6.12 base test race ;;
	*) die "unknown kernel '$1': stock-6.12, stock-7.3, debug-7.3, race-6.12, slim-7.3 or arm64-6.12" ;;
	esac
}

kernel_write_fragment() {
	local name=$1 f

	shift
	for f in "$@"; do
		cat "$VM_DIR/config/$f.config"
	done
	echo "CONFIG_LOCALVERSION=\"-gmem-${name%%-*}\""
}

# built_dir NAME: the directory of this kernel, also before it is built.
built_dir() {
	local name=$1 spec version hash

	spec=$(kernel_fragments "$name") || exit 1
	read -r -a spec <<<"$spec"
	version=$(source_version "${spec[0]}") || exit 1
	hash=$({
		echo "$version"
		kernel_write_fragment "$name" "${spec[@]:1}"
		gcc --version | head -n 1
		cat "$VM_DIR/recipe.sh" "$VM_DIR/config/sanitize.mk"
	} | sha256sum | cut -c1-16)
	printf '%s\n' "$CACHE_DIR/kernel/$name-$hash"
}

built_make() {
	local name=$1 dir=$2 spec src

	read -r -a spec <<<"$(kernel_fragments "$name")"
	src=$(source_get "${spec[0]}") || return 1
	say "building kernel $name in $dir (once)"
	mkdir -p "$dir/build"
	kernel_write_fragment "$name" "${spec[@]:1}" >"$dir/build/fragment"
	watch_log "$name: configuring" "$dir/config.log" \
		recipe_configure "$src" "$dir/build" || return 1
	watch_log "$name: compiling" "$dir/build.log" \
		recipe_build "$src" "$dir/build" || return 1
	recipe_prune "$dir/build"
	ln -sfn build "$dir/kdir"
}

# arm64-7.3 is only built against: Debian has no such kernel for this release, and
# compiling one takes an hour.
headers_dir() {
	local version

	version=$(source_version 7.3) || exit 1
	printf '%s\n' "$CACHE_DIR/kernel/$1-${version//[^A-Za-z0-9.]/_}-$STOCK_RECIPE"
}

headers_make() {
	local name=$1 dir=$2 src path args

	src=$(source_get 7.3) || return 1
	path=$(arch_path "$name") || return 1
	read -r -a args < <(arch_kbuild "$name")
	mkdir -p "$dir/build"
	PATH=$path watch_log "$name: configuring" "$dir/config.log" \
		recipe_make "$src" "$dir/build" "${args[@]}" -s \
		KCONFIG_ALLCONFIG="$VM_DIR/config/arm64.config" allnoconfig || return 1
	PATH=$path watch_log "$name: headers" "$dir/build.log" \
		recipe_make "$src" "$dir/build" "${args[@]}" -s -j"$(nproc)" \
		modules_prepare || return 1
	ln -sfn build "$dir/kdir"
}

kernel_dir() {
	case $1 in
	arm64-7.3) headers_dir "$1" ;;
	stock-* | arm64-6.12) stock_dir "$1" ;;
	*) built_dir "$1" ;;
	esac
}

# Delete kernels of an older configuration that were not used for a month.
kernel_prune() {
	find "$CACHE_DIR/kernel" -mindepth 1 -maxdepth 1 -name "$1-*" -mtime +30 \
		-not -path "$2" -exec rm -rf {} +
}

kernel_get() {
	local name=$1 dir

	dir=$(kernel_dir "$name") || exit 1
	if [[ ! -e $dir/complete ]]; then
		hold "kernel-$name"
		if [[ ! -e $dir/complete ]]; then
			mkdir -p "$dir"
			case $name in
			stock-* | arm64-6.12) stock_make "$name" "$dir" ;;
			arm64-7.3) headers_make "$name" "$dir" ;;
			*) built_make "$name" "$dir" ;;
			esac || die "kernel $name could not be prepared"
			touch "$dir/complete.part"
			mv "$dir/complete.part" "$dir/complete"
			kernel_prune "$name" "$dir"
		fi
		release
	fi
	touch "$dir"
	printf '%s\n' "$dir"
}

main() {
	local verb=${1:-} name dir

	[[ $# -ge 2 ]] || die "usage: kernel.sh get|find|source NAME..."
	shift
	for name in "$@"; do
		case $verb in
		get) kernel_get "$name" ;;
		source) source_get "$name" ;;
		find)
			dir=$(kernel_dir "$name")
			[[ -e $dir/complete ]] || return 1
			printf '%s\n' "$dir" ;;
		*) die "usage: kernel.sh get|find|source NAME..." ;;
		esac
	done
}

main "$@"
