#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# make test-packages [SUITE='bookworm trixie']: in a fresh root file system of each Debian
# release, build the packages, install them, let DKMS build the modules for each of its
# kernels that gmem supports, use the installed files, upgrade the packages, and remove
# them. Prints a line for each check; the last line is "N passed, N failed, N skipped".
# Needs root, for chroot(8).

set -euo pipefail
. "$(dirname "$0")/../selftests/vm/env.sh"
. "$VM_DIR/apt.sh"
. "$VM_DIR/deps.sh"

SUITES=${SUITE:-bookworm trixie}
WORK=$TOP_DIR/build/packages
LOG=
ROOT=
PASSED=0 FAILED=0

# The kernels' headers by suite: a regular expression for each kernel.
declare -A KERNELS=(
	[bookworm]='^linux-headers-6\.12\.[0-9+debu]*-cloud-amd64$'
	[trixie]='^linux-headers-6\.12\.[0-9+debu]*-cloud-amd64$
^linux-headers-7\.3\.[0-9+debu]*-cloud-amd64$'
)

check() {
	local name=$1

	shift
	if "$@" >"$LOG" 2>&1; then
		PASSED=$((PASSED + 1))
		echo "ok $name"
		return
	fi
	FAILED=$((FAILED + 1))
	echo "not ok $name"
	tail -n 20 "$LOG" | sed 's/^/    /'
	return 1
}

in_root() {
	DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 HOME=/tmp \
		PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
		chroot "$ROOT" "$@"
}

root_install() {
	in_root apt-get -q install -y --no-install-recommends "$@"
}

root_remove() {
	[[ -n $ROOT ]] || return 0
	! mountpoint -q "$ROOT/proc" || umount "$ROOT/proc"
	rm -rf --one-file-system "$ROOT"
	ROOT=
}

# This machine's own sources if it runs that suite, else the suite and its backports.
root_sources() {
	local suite=$1 want=(own) part

	[[ $suite == "$OS_CODENAME" ]] || want=("$suite" "$suite-backports")
	rm -f "$ROOT/etc/apt/sources.list"
	for suite in "${want[@]}"; do
		apt_write_sources "$suite" "$WORK/sources"
		for part in "$WORK"/sources/*; do
			cp "$part" "$ROOT/etc/apt/sources.list.d/$suite-${part##*/}"
		done
	done
	in_root apt-get -q update
}

root_make() {
	local suite=$1 mirror

	mirror=$(apt_private "$suite" apt-get indextargets --format '$(SITE)' \
		"Created-By: Packages" | head -n 1)
	debootstrap --variant=minbase "$suite" "$ROOT" "$mirror" &&
		mount -t proc proc "$ROOT/proc" && root_sources "$suite" &&
		root_install make ca-certificates
}

tree_copy() {
	mkdir -p "$ROOT/gmem"
	tar -C "$TOP_DIR" --exclude=./build --exclude=./.git -c . |
		tar -C "$ROOT/gmem" -x
	in_root make -C /gmem clean
}

# readme_packages: the packages that the README installs, without the headers, which are
# there those of the running kernel.
readme_packages() {
	sed -n '/^On your own kernel$/,/^    make /p' "$TOP_DIR/README.rst" |
		sed -e '/apt-get install/,/[^\\]$/!d' -e 's/\\$//' \
			-e 's/.*apt-get install linux-headers-$(uname -r)//' |
		tr -s ' ' '\n' | grep .
}

# The commands in the README under "On your own kernel".
readme_commands() {
	local packages release
	readarray -t packages < <(readme_packages)
	release=$(basename "$(echo "$ROOT"/lib/modules/* | awk '{ print $1 }')")

	((${#packages[@]} > 3)) && root_install "${packages[@]}" &&
		in_root make -C /gmem "KDIR=/lib/modules/$release/build" &&
		in_root make -C /gmem install "KDIR=/lib/modules/$release/build" \
			DESTDIR=/tmp/readme PREFIX=/usr &&
		in_root /tmp/readme/usr/sbin/gmemctl --version &&
		find "$ROOT/tmp/readme" -name 'gmem.ko*' | grep . &&
		find "$ROOT/tmp/readme" -name 'gmemctl.1*' | grep . &&
		in_root make -C /gmem clean && rm -rf "$ROOT/tmp/readme"
}

packages_build() {
	in_root make -C /gmem deb
}

packages_install() {
	local packages

	readarray -t packages < <(cd "$ROOT" &&
		printf '/%s\n' gmem/build/deb/*.deb | grep -v dbgsym)
	root_install -o APT::Get::AllowUnauthenticated=true "${packages[@]}"
}

# The newest package whose name matches.
headers_of() {
	in_root apt-cache search --names-only "$1" | awk '{ print $1 }' | sort -V | tail -n 1
}

dkms_version() {
	sed -n 's/^PACKAGE_VERSION="\(.*\)"$/\1/p' "$ROOT/gmem/dkms.conf"
}

# Installing the package has made DKMS build the modules, for the kernels that DKMS
# selects.
dkms_built() {
	local release=$1 module file

	in_root dkms status "gmem/$(dkms_version)" -k "$release" | grep installed ||
		in_root dkms install "gmem/$(dkms_version)" -k "$release" || {
		cat "$ROOT"/var/lib/dkms/gmem/*/build/make.log
		return 1
	}
	for module in gmem gmem_kvm gmem_guest pvmemcontrol; do
		file=$(find "$ROOT/lib/modules/$release/updates/" -name "$module.ko*")
		modinfo -F vermagic "$file" | grep "^$release " || return 1
		# Signed for Secure Boot with the key that DKMS has created.
		modinfo -F signer "$file" | grep . || return 1
	done
}

# every_kernel COMMAND...: run it for each kernel with headers.
every_kernel() {
	local dir

	for dir in "$ROOT"/lib/modules/*; do
		"$@" "${dir##*/}" || return 1
	done
}

# There is no kernel of its own here: gmemctl reports what is missing, and how to fix it.
tool_explains() {
	local rc=0

	in_root gmemctl check --json >"$WORK/check.json" || rc=$?
	in_root gmemctl check || true
	((rc == 4)) && grep -q '"hint":"`gmemctl load`"' "$WORK/check.json"
}

tool_runs() {
	in_root gmemctl --version | grep -F "$(dkms_version)" &&
		in_root gmemctl help >/dev/null && in_root gmemctl snp measure --help >/dev/null &&
		in_root pvmemctl --help
}

examples_compile() {
	root_install gcc libc6-dev &&
		in_root sh -c 'for f in /usr/share/doc/gmem-dev/examples/*.c; do
			gcc -D_GNU_SOURCE -Wall -Werror -fsyntax-only "$f" || exit 1; done'
}

unit_is_right() {
	root_install systemd && in_root sh -c '
		mkdir -p /etc/gmem && cp /usr/share/doc/gmemctl/examples/example.conf /etc/gmem/x.conf &&
		cp /lib/systemd/system/gmem-vm@.service /tmp/gmem-vm@x.service &&
		systemd-analyze verify --man=no /tmp/gmem-vm@x.service 2>&1 | tee /tmp/verify &&
		rm /tmp/gmem-vm@x.service /etc/gmem/x.conf && ! grep gmem-vm /tmp/verify'
}

# The same tree with the next version.
packages_upgrade() {
	local old

	old=$(dkms_version)
	sed -i "s/GMEM_VERSION),$old)/GMEM_VERSION),$old.1)/" "$ROOT/gmem/Kbuild" &&
		sed -i "s/^PACKAGE_VERSION=.*/PACKAGE_VERSION=\"$old.1\"/" \
			"$ROOT/gmem/dkms.conf" &&
		packages_build && packages_install && tool_runs &&
		! in_root dkms status | grep "gmem/$old," && every_kernel dkms_built
}

# The build has cached files in /tmp, its home, which do not belong to the packages.
packages_purge() {
	in_root apt-get -q purge -y gmem-dkms gmemctl gmem-dev pvmemctl &&
		! find "$ROOT" -xdev \( -name '*gmem*' -o -name '*pvmem*' \) -not -path "$ROOT/gmem*" \
			-not -path "$ROOT/tmp/*" -not -path "$ROOT/etc/gmem" | grep .
}

suite_test() {
	local suite=$1 pattern headers

	ROOT=$WORK/$suite
	rm -rf --one-file-system "$ROOT"
	check "$suite: debootstrap" root_make "$suite" || return 0
	check "$suite: copy of the tree" tree_copy || return 0
	check "$suite: make deb" packages_build || return 0
	while read -r pattern; do
		headers=$(headers_of "$pattern")
		check "$suite: ${headers:-$pattern}" root_install "${headers:-none}" || return 0
	done <<<"${KERNELS[$suite]}"
	check "$suite: install" packages_install || return 0
	for headers in "$ROOT"/lib/modules/*; do
		check "$suite: dkms, ${headers##*/}" dkms_built "${headers##*/}" || true
	done
	check "$suite: gmemctl runs" tool_runs || true
	check "$suite: gmemctl check explains what is missing" tool_explains || true
	check "$suite: examples compile against gmem-dev" examples_compile || true
	check "$suite: systemd accepts the unit" unit_is_right || true
	check "$suite: upgrade" packages_upgrade || true
	check "$suite: the README's commands for your own kernel" readme_commands || true
	check "$suite: purge leaves nothing" packages_purge || true
	root_remove
}

((EUID == 0)) || die "needs root, for debootstrap and chroot"
# Mounts are visible to this process only, and end with it.
[[ -n ${MOUNTS_OF_ITS_OWN:-} ]] || MOUNTS_OF_ITS_OWN=1 exec unshare --mount "$0"
deps_install packages || exit 1
mkdir -p "$WORK"
LOG=$WORK/log
trap root_remove EXIT
for suite in $SUITES; do
	[[ -n ${KERNELS[$suite]:-} ]] || die "SUITE=$suite: bookworm or trixie"
	apt_refresh "$suite"
	suite_test "$suite"
done
echo "$PASSED passed, $FAILED failed, 0 skipped"
((FAILED == 0))
