#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# usage: fixtures.sh [DIR]
#
# `make check` runs it. Whoever it is run by, it changes nothing but the cache,
# and does nothing when all is there, or was looked for today.
#
# Fetch what some vectors of the unit tests need and the repository does not
# have: firmware images, and the test data of the Rust library sev, all from
# Debian's packages, of whatever suite has them. Without DIR they go where the
# tests look: $GMEM_SNP_FIXTURES, or the cache. A package that Debian has
# replaced by a newer one leaves its vectors skipped.

set -u
cd "$(dirname "$0")/../../../selftests/vm" || exit 1
# shellcheck source=selftests/vm/env.sh
. ./env.sh
# shellcheck source=selftests/vm/apt.sh
. ./apt.sh

DIR=${1:-${GMEM_SNP_FIXTURES:-$CACHE_DIR/snp}}
WORK=$(mktemp -d) || exit 1
at_exit 'rm -rf "$WORK"'

# unpack SUITE PACKAGE: the files of a package below $WORK/SUITE.
unpack() {
	local version deb

	version=$(apt_version "$1" "$2")
	[[ -n $version ]] || { say "$2: $1 does not have it"; return 1; }
	deb=$(apt_fetch "$1" "$2" "$version") || return 1
	mkdir -p "$WORK/$1"
	dpkg-deb -x "$deb" "$WORK/$1"
}

# take SUITE PATTERN NAME: one file of what was unpacked.
take() {
	local file

	file=$(find "$WORK/$1" -path "$2" -type f | head -n 1)
	[[ -n $file ]] || { say "$3: the package does not have it"; return 1; }
	install -m 0644 "$file" "$DIR/$3" && say "$3"
}

SUITES="bookworm trixie"
SEV_FILES="ovmf_AmdSev_suffix.bin ovmf_OvmfX64_suffix.bin test_id_key.pem
	test_auth_key.pem test_id_sig.bin test_auth_sig.bin test_auth_block.bin
	report_milan.hex vcek_milan.der cert_chain_milan"

# complete: all of it is there.
complete() {
	local name

	for name in $SEV_FILES; do
		[[ -e $DIR/$name ]] || return 1
	done
	for name in $SUITES; do
		[[ -e $DIR/OVMF-$name.fd ]] || return 1
	done
}

complete && exit 0
if [[ -n $(find "$DIR/tried" -mmin -1440 2>/dev/null) ]]; then
	say "some fixtures could not be had today; remove $DIR/tried to try again"
	exit 1
fi
mkdir -p "$DIR" "$CACHE_DIR/deb" || exit 1
touch "$DIR/tried"
hold fixtures
rc=0
for suite in $SUITES; do
	unpack "$suite" ovmf &&
		take "$suite" '*/share/ovmf/OVMF.fd' "OVMF-$suite.fd" || rc=1
done
if unpack sid librust-sev-dev; then
	for name in $SEV_FILES; do
		take sid "*/tests/*/$name" "$name" || rc=1
	done
else
	rc=1
fi
exit $rc
