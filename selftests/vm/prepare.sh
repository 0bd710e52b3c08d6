#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# make kernels: everything the VMs need, ahead of time.

set -euo pipefail
. "$(dirname "$0")/env.sh"
. "$VM_DIR/deps.sh"

deps_install build kernel vm || exit 1
"$VM_DIR/kernel.sh" get "$@"
"$VM_DIR/kernel.sh" source 6.12 >/dev/null
