# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# Which programs a VM has: those that T= names, or all that show something new on its
# kernel. Sourced.

# Long programs of which stock-6.12 shows what they find on Debian's kernels, and debug-7.3
# what they find on 7.3: stock-7.3 runs them only if asked for, by KERNEL= or T=.
SEEN_ELSEWHERE='control|convert_wait|fuzz|hypervisor*|model|race|sim_*|stress'

# programs_of NAME: the pattern of the programs that this kernel is to run.
programs_of() {
	if [[ -z ${T:-}${KERNEL:-} && $1 == stock-7.3 ]]; then
		echo "!(@($SEEN_ELSEWHERE)?(_test))"
	else
		echo "${T:-}"
	fi
}

# program_matches NAME PATTERN: with or without _test at its end.
program_matches() {
	# The pattern is a glob on purpose: T=convert, T='st*'.
	# shellcheck disable=SC2053
	[[ -z $2 || ${1%_test} == $2 || $1 == $2 ]]
}

# t_matches TOPIC: whether T= is not given, or names it.
t_matches() {
	# The pattern is a glob on purpose.
	# shellcheck disable=SC2053
	[[ -z ${T:-} || $1 == $T ]]
}

# needs_vm: whether T= names a program, and not only what needs no VM.
needs_vm() {
	local file name

	for file in "$TOP_DIR"/selftests/*_test.c; do
		name=$(basename "$file" _test.c)
		if t_matches "$name" || t_matches "${name}_test"; then
			return 0
		fi
	done
	! t_matches fuzz_tool && ! t_matches unit_tool
}
