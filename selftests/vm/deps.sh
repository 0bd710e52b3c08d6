# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# The Debian packages that each job needs. As root missing ones are installed; other users
# get a command to copy. Sourced.

deps_packages() {
	case $1 in
	build)	# modules and tool; objtool and modpost want libelf
		echo gcc make libc6-dev libelf-dev dwarves kmod pkg-config perl xz-utils \
			libkmod-dev libjson-c-dev libssl-dev ;;
	kernel)
		echo flex bison bc xz-utils python3 perl ;;
	vm)
		echo qemu-system-x86 cpio busybox-static kmod xz-utils ;;
	arm64)	# the compiler comes without being installed, see arm64.sh
		echo qemu-system-arm cpio kmod xz-utils ;;
	site)
		echo python3-sphinx perl ;;
	deb)	# to build packages with; dkms builds the modules of theirs
		echo build-essential debhelper dh-dkms dkms cpio python3-docutils ;;
	packages)	# a fresh Debian, to install them in, or for a guest
		echo debootstrap e2fsprogs ;;
	check)
		echo sparse shellcheck codespell python3-docutils man-db \
			g++ gcc-multilib perl python3 ;;
	*)
		die "deps: unknown job '$1'" ;;
	esac
}

deps_installed() {
	[[ $(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null) == installed ]]
}

# deps_missing JOB...: the packages that are not installed.
deps_missing() {
	local job p

	for job in "$@"; do
		for p in $(deps_packages "$job"); do
			deps_installed "$p" || echo "$p"
		done
	done | sort -u
}

deps_apt() {
	export DEBIAN_FRONTEND=noninteractive
	apt-get -q install -y --no-install-recommends "$@"
}

deps_download() {
	apt-get -q update && deps_apt --download-only "$@"
}

# deps_install JOB...: fails if packages are still missing.
deps_install() {
	local missing

	[[ -e /etc/debian_version ]] || return 0
	readarray -t missing < <(deps_missing "$@")
	((${#missing[@]})) || return 0
	if ((EUID)); then
		say "missing packages; as root run:"
		say "    apt-get install --no-install-recommends ${missing[*]}"
		return 1
	fi
	hold packages
	say "installing ${missing[*]}"
	watch_log "fetching packages to install" "$CACHE_DIR/download.log" \
		deps_download "${missing[@]}" || { release; return 1; }
	watch_log "installing them" "$CACHE_DIR/install.log" \
		deps_apt "${missing[@]}" || { release; return 1; }
	release
}
