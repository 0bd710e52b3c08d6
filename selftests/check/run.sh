#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# make check: checks that need no VM. One line for each check. A missing tool or kernel
# tree is a printed SKIP. Exit 1 if a check has failed.
#
#   CHECK=glob		only the checks whose name matches
#   UPDATE=1		accept the current layout of the uapi headers

set -euo pipefail
. "$(dirname "$0")/../vm/env.sh"
. "$VM_DIR/deps.sh"
. "$VM_DIR/arch.sh"
. "$VM_DIR/modules.sh"
. "$VM_DIR/transcript.sh"
CHECK_DIR=$TOP_DIR/selftests/check
. "$CHECK_DIR/build.sh"
. "$CHECK_DIR/style.sh"
. "$CHECK_DIR/uapi.sh"
. "$CHECK_DIR/abi.sh"
. "$CHECK_DIR/syzkaller.sh"
. "$CHECK_DIR/docs.sh"
. "$CHECK_DIR/harness.sh"

PASSED=0 FAILED=0 SKIPPED=0
WORK=

# tree_files [PATTERN...]: files of the project that match one of the globs and none of
# those after ":!". Works in a git checkout and in a tarball.
tree_files() {
	local f

	cd "$TOP_DIR" || return 1
	if git rev-parse --git-dir >/dev/null 2>&1; then
		git ls-files --cached --others --exclude-standard
	else
		find . -path ./build -prune -o -type f -print | sed 's|^\./||'
	fi | sort -u | while read -r f; do
		[[ ! -f $f ]] || ! tree_match "$f" "$@" || printf '%s\n' "$f"
	done
}

tree_match() {
	local f=$1 p found=1

	shift
	(($#)) || return 0
	for p in "$@"; do
		# The patterns are intended as globs.
		# shellcheck disable=SC2053
		case $p in
		:!*) [[ $f != ${p#:!} ]] || return 1 ;;
		*) [[ $f != $p ]] || found=0 ;;
		esac
	done
	return "$found"
}

need() {
	command -v "$1" >/dev/null || { echo "$1 is not installed"; return 1; }
}

# check NAME FUNCTION [ARG...]: FUNCTION returns 4, with the reason on stdout, if the
# check must be skipped.
check() {
	local name=$1 rc=0 since=$SECONDS

	shift
	# The pattern is intended as a glob.
	# shellcheck disable=SC2053
	[[ -z ${CHECK:-} || $name == $CHECK ]] || return 0
	(set +e; "$@") >"$WORK/out" 2>"$WORK/err" </dev/null || rc=$?
	case $rc in
	0)
		PASSED=$((PASSED + 1))
		echo "ok $name"
		grep '^# ' "$WORK/out" || true ;;
	4)
		SKIPPED=$((SKIPPED + 1))
		echo "SKIP $name: $(tail -n 1 "$WORK/out")" ;;
	*)
		FAILED=$((FAILED + 1))
		cat "$WORK/out" "$WORK/err" | head -n 60 | sed 's/^/    /'
		echo "not ok $name" ;;
	esac
	((SECONDS - since < 10)) || echo "# $name: took $((SECONDS - since)) s"
}

main() {
	if ((EUID == 0)); then
		deps_install build check || say "some tools are missing, going on"
	fi
	WORK=$(mktemp -d "${TMPDIR:-/tmp}/gmem-check.XXXXXX")
	trap 'rm -rf "$WORK"' EXIT
	check_build
	check_uapi
	check_abi
	check_syzkaller
	check_style
	check_docs
	check_harness
	echo "$PASSED passed, $FAILED failed, $SKIPPED skipped"
	((FAILED == 0))
}

main
