# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# Parts of the harness whose faults could stay unnoticed: counting of results, init's
# timeouts of programs, which VM runs which programs, and where packages are found.
# Sourced.

# harness_count STRICT EXPECTED: count the KTAP on stdin.
harness_count() {
	local line got

	. "$VM_DIR/ktap.sh"
	KTAP_STRICT=$1
	ktap_reset
	while IFS= read -r line; do
		ktap_feed "$line"
	done
	got="$KTAP_PASSED $KTAP_FAILED $KTAP_SKIPPED"
	[[ $got == "$2" ]] || { echo "strict='$1': $got, expected $2"; return 1; }
}

harness_ktap() {
	# A parent of results is not counted itself.
	printf '%s\n' '1..2' '    ok 1 a' '    ok 2 b' 'ok 1 p' 'ok 2 q' |
		harness_count '' '3 0 0' || return 1
	# A failed parent without a failed child counts as one failure.
	printf '%s\n' '        ok 1 a' '    not ok 1 p' 'not ok 1 q' |
		harness_count '' '1 1 0' || return 1
	printf '%s\n' '    not ok 1 a' '    ok 2 b' 'not ok 1 p' |
		harness_count '' '1 1 0' || return 1
	# Siblings after a parent start again; no plan is needed.
	printf '%s\n' '    ok 1 a' 'ok 1 p' 'not ok 2 q' '# ok 3 no' 'okay' |
		harness_count '' '1 1 0' || return 1
	printf '%s\n' 'ok 1 a # SKIP why' 'ok 2 b # skip: why' 'ok 3 c' |
		harness_count '' '1 0 2' || return 1
	printf '%s\n' 'ok 1 a # SKIP why' \
		'ok 2 b # SKIP unsupported-by-design: why' 'ok 3 c' |
		harness_count 1 '1 1 1'
}

# Each failure is reported once by its name, with the lines just before it.
harness_failures() {
	local line number got=

	. "$VM_DIR/ktap.sh"
	KTAP_STRICT=
	ktap_reset
	while IFS= read -r line; do
		ktap_feed "$line"
		got+=${KTAP_FAILURE:+$KTAP_FAILURE;}
	done < <(printf '%s\n' '# Subtest: one' '    # before' '    ok 1 a'
		for number in {1..12}; do echo "    # line $number"; done
		printf '%s\n' '    not ok 2 b' '    not ok 3 c' 'not ok 1 one' \
			'# Subtest: two' '    ok 1 d' '# why' 'not ok 2 two')
	[[ $got == "one: 2 b"$'\n'*"# line 5"*"# line 12;one: 3 c;two: 2 two"$'\n'"  # why;" &&
	   $got != *before* && $got != *"line 4"* ]] || { echo "$got"; return 1; }
}

# harness_derive KIND SUITE EXPECTED: derive the Suites or the entry.
harness_derive() {
	local got

	OS_CODENAME=bookworm
	got=$("apt_derive_$1" "$2" "$WORK/sources" | tr -s '\n ' ' ' | sed 's/ *$//')
	[[ $got == "$3" ]] || { echo "$1 $2: '$got', expected '$3'"; return 1; }
}

harness_apt() {
	. "$VM_DIR/apt.sh"
	cat >"$WORK/sources" <<-'END'
	# comment
	Types: deb deb-src
	URIs: http://mirror.invalid/debian
	Suites: bookworm
	 bookworm-updates
	Components: contrib main
	Signed-By: /key

	Types: deb
	URIs: http://other.invalid
	Suites: nodistro
	Components: main

	Types: deb
	URIs: http://off.invalid
	Suites: bookworm
	Components: main
	Enabled: no
	END
	harness_derive deb822 trixie-backports "Types: deb Suites: trixie-backports \
Components: main URIs: http://mirror.invalid/debian Signed-By: /key" || return 1
	harness_derive deb822 own "Types: deb Suites: bookworm bookworm-updates \
Components: main URIs: http://mirror.invalid/debian Signed-By: /key" || return 1
	cat >"$WORK/sources" <<-'END'
	deb [arch=amd64 signed-by=/key] http://mirror.invalid/debian bookworm main contrib # why
	deb-src http://mirror.invalid/debian bookworm main
	deb http://other.invalid/apt cloud-bookworm main
	# deb http://off.invalid bookworm main
	deb http://security.invalid bookworm-security main
	END
	harness_derive list trixie-backports \
		"deb [arch=amd64 signed-by=/key] http://mirror.invalid/debian trixie-backports main" ||
		return 1
	harness_derive list own \
		"deb [arch=amd64 signed-by=/key] http://mirror.invalid/debian bookworm main \
deb http://security.invalid bookworm-security main"
}

# Rows and columns keep the order of their first appearance. The last text of a cell
# counts, and other lines do not.
harness_table() {
	local expected

	. "$VM_DIR/table.sh"
	[[ -z $(table_show) ]] || { echo "a table of nothing"; return 1; }
	table_feed one '    # table: T | b, c | 1 s'
	table_feed one '# table: T | a | lost'
	table_feed two '        # table: T | a | 2 s'
	table_feed one '# table: T | a | 3 s, 2nd try'
	table_feed two '# table: T | no cell'
	table_feed two 'ok 1 no table: T | x | y'
	table_feed one '# table: T | d | not there: why'
	table_feed two '# table: T | d | not there: why: so'
	table_feed two '# table: T | e | not there: why'
	expected="# T:
#                            one           two
#   b, c                     1 s           no result
#   a                        3 s, 2nd try  2 s
#   d                        not there [1] not there [2]
#   e                        no result     not there [1]
#   [1] why
#   [2] why: so"
	[[ $(table_show) == "$expected" ]] ||
		{ table_show; echo "expected:"; echo "$expected"; return 1; }
}

# harness_init EXPECTED [ARG]: check init's results of the programs in $WORK/stage, with
# two seconds for each result.
harness_init() {
	local got

	gcc -D_GNU_SOURCE -std=gnu11 -O2 -Wall -Wextra -Werror -I"$VM_DIR/init" \
		-DDIR_NAME="\"$WORK/stage/selftests\"" \
		-DKINDS_DIR="\"$WORK/stage/etc/programs\"" \
		-o "$WORK/init" "$CHECK_DIR/init.c" "$VM_DIR"/init/{program,spawn}.c || return 1
	got=$(GMEM_TIMEOUT=2 "$WORK/init" "${@:2}" | tr '\n' ' ')
	[[ $got == "$1 " ]] || { echo "$got"; echo "expected: $1"; return 1; }
}

# harness_program NAME LINE...: an sh program with these lines.
harness_program() {
	mkdir -p "$WORK/stage/selftests"
	printf '%s\n' "${@:2}" 'echo ok 1 it' >"$WORK/stage/selftests/$1_test"
	sed -i '1i#!/bin/sh' "$WORK/stage/selftests/$1_test"
	chmod +x "$WORK/stage/selftests/$1_test"
}

# A program has its timeout for each result. Lost time does not count, but no more than
# the time that has passed, and than the timeout of the program.
harness_lost_time() {
	local lost='echo "# time lost: 1500 ms: why"'

	harness_program in_time 'sleep 1'
	harness_program late 'sleep 3'
	harness_program many 'for i in 1 2 3; do sleep 1; echo ok it; done'
	harness_program lost 'sleep 1.6' "$lost" 'sleep 1.2'
	harness_program lost_all 'for i in 1 2 3 4 5 6; do' "$lost" 'sleep 1; done'
	harness_program lost_nothing "$lost" "$lost" 'sleep 3'
	harness_init "in_time_test: ok late_test: not ok lost_all_test: not ok \
lost_nothing_test: not ok lost_test: ok many_test: ok"
}

# A program that needs two CPUs is not run in a VM with one, and other programs are not
# run in the VM with two. One that counts instructions has a VM of its own. The kinds of
# VMs that are needed are known.
harness_kinds() {
	local TOP_DIR=$WORK/top pattern

	. "$VM_DIR/programs.sh"
	. "$VM_DIR/initramfs.sh"
	mkdir -p "$TOP_DIR/selftests" "$WORK/out.d" "$WORK/stage/"{etc/programs,selftests}
	: >"$TOP_DIR/selftests/one_test.c"
	echo 'KSFT_NEEDS_CPUS(2)' >"$TOP_DIR/selftests/two_test.c"
	echo 'KSFT_COUNTS();' >"$TOP_DIR/selftests/sum_test.c"
	printf '#!/bin/sh\n' | tee "$WORK/out.d/"{one,two,sum}_test >/dev/null
	chmod +x "$WORK/out.d/"*
	for pattern in two one sum '@(two|sum)' ''; do
		: >"$WORK/stage/etc/programs/two"
		: >"$WORK/stage/etc/programs/count"
		rm -f "$WORK/stage/selftests/"*
		stage_selftests "$WORK/stage" "$WORK/out.d" "$pattern" || return 1
		staged_kinds "$WORK/stage" | tr '\n' ' '
	done >"$WORK/kinds"
	[[ $(<"$WORK/kinds") == 'two one count count two one count two ' ]] ||
		{ cat "$WORK/kinds"; return 1; }
	harness_init 'one_test sum_test two_test' -l || return 1
	GMEM_PROGRAMS=one harness_init one_test -l || return 1
	GMEM_PROGRAMS=count harness_init sum_test -l || return 1
	GMEM_PROGRAMS=two harness_init two_test -l
}

# harness_programs_of EXPECTED KERNEL T NAME: the programs that a kernel runs.
harness_programs_of() {
	local KERNEL=$2 T=$3 name got=

	for name in model_test hypervisor_race_test kvm_race_test race_test view_test \
		view_access_test linux_file_test; do
		! program_matches "$name" "$(programs_of "$4")" || got+="${name%_test} "
	done
	[[ $got == "$1" ]] || { echo "$2 $3 $4: '$got', expected '$1'"; return 1; }
}

# Some kernels only run programs with new results there, but all programs on request.
harness_programs() {
	local all="model hypervisor_race kvm_race race view view_access linux_file "

	. "$VM_DIR/programs.sh"
	harness_programs_of "$all" '' '' stock-6.12 &&
		harness_programs_of "kvm_race view view_access " '' '' stock-7.3 &&
		harness_programs_of "model hypervisor_race kvm_race race view " '' '' race-6.12 &&
		harness_programs_of "${all% linux_file } " '' '' debug-7.3 &&
		harness_programs_of "$all" stock-7.3 '' stock-7.3 &&
		harness_programs_of "model " '' model stock-7.3 &&
		harness_programs_of "hypervisor_race kvm_race race " '' '*race' stock-7.3
}

check_harness() {
	check "harness counts KTAP" harness_ktap
	check "harness tells what failed" harness_failures
	check "harness shows tables" harness_table
	check "harness does not count lost time" harness_lost_time
	check "harness knows which VM a program is for" harness_kinds
	check "harness knows what a kernel need not run" harness_programs
	check "harness derives apt sources" harness_apt
}
