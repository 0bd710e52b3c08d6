# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# The programs that a VM runs: those that T= selects, or all that can show something new
# on its kernel. Sourced.

# Long programs whose results on Debian's kernels stock-6.12 shows, and on 7.3 debug-7.3:
# stock-7.3 runs them only on request, by KERNEL= or T=.
SEEN_ELSEWHERE='control|convert_wait|cost|drain|exec_debian|exec_hotplug|exec_login|exec_save'
SEEN_ELSEWHERE+='|fault_wait|fuzz|hypervisor*|memcg|model|overcommit|race|sim_*|stress|linux_balloon'
SEEN_ELSEWHERE+='|linux_clocks|linux_file|linux_handover|linux_machine|linux_memory'
SEEN_ELSEWHERE+='|linux_pvmemcontrol*|view_model'

# Long programs that test the tools and KVM: only stock-6.12 runs them. The modules, which
# the sanitizers check, do the same in them as in other programs.
OF_GMEMCTL='control|gmemctl_trace|linux_balloon|linux_clocks|linux_file|linux_handover|linux_machine'
OF_GMEMCTL+='|linux_memory|linux_pvmemcontrol*|pvmemctl|transcript'

# Long programs that do one thing at a time, in which KCSAN cannot find a race.
ONE_AT_A_TIME='fail_nth*|view_access|view_fill|view_life|view_mapping|view_memory'

# programs_of NAME: the pattern of the programs that this kernel runs.
programs_of() {
	local leave=''

	case $1 in
	stock-7.3) leave=$SEEN_ELSEWHERE ;;
	debug-*) leave=$OF_GMEMCTL ;;
	race-*) leave="$OF_GMEMCTL|$ONE_AT_A_TIME" ;;
	esac
	if [[ -z ${T:-}${KERNEL:-} && -n $leave ]]; then
		echo "!(@($leave)?(_test))"
	else
		echo "${T:-}"
	fi
}

# program_matches NAME PATTERN: with or without _test at its end.
program_matches() {
	# The pattern is intended as a glob: T=convert, T='st*'.
	# shellcheck disable=SC2053
	[[ -z $2 || ${1%_test} == $2 || $1 == $2 ]]
}

# t_matches TOPIC: whether T= is unset, or selects the topic.
t_matches() {
	# The pattern is intended as a glob.
	# shellcheck disable=SC2053
	[[ -z ${T:-} || $1 == $T ]]
}

# needs_vm: whether T= selects anything that needs a VM.
needs_vm() {
	local file name

	for file in "$TOP_DIR"/selftests/*_test.{c,sh}; do
		name=$(basename "${file%.*}" _test)
		if t_matches "$name" || t_matches "${name}_test"; then
			return 0
		fi
	done
	! t_matches fuzz_tool && ! t_matches unit_tool
}
