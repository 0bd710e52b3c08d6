#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# make kernels: get everything that the VMs need in advance.

set -euo pipefail
. "$(dirname "$0")/env.sh"
. "$VM_DIR/deps.sh"

deps_install build kernel vm || exit 1
"$VM_DIR/kernel.sh" get "$@"
"$VM_DIR/kernel.sh" source 6.12 >/dev/null
"$VM_DIR/kernel.sh" get stock-7.2 ||
	say "no kernel 7.2 to be had from the mirror: nothing is going to be built for it"
# Kernels that need packages for arm64 are skipped if the mirror has none.
if deps_install arm64; then
	"$VM_DIR/kernel.sh" get arm64-6.12 arm64-7.3 ||
		say "no kernel for arm64: its tests are going to be skipped"
fi
