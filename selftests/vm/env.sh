# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# Common functions of the harness scripts: directories, messages, locks, and progress of
# long commands. Sourced, never run. Messages go to stderr; stdout is for results.

VM_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
TOP_DIR=$(cd "$VM_DIR/../.." && pwd)
CACHE_DIR=${XDG_CACHE_HOME:-$HOME/.cache}/gmem
export VM_DIR TOP_DIR CACHE_DIR

say() {
	printf '%s\n' "$*" >&2
}

die() {
	printf '%s: %s\n' "$(basename "$0")" "$*" >&2
	exit 1
}

clock() {
	printf '%d:%02d' "$(($1 / 60))" "$(($1 % 60))"
}

# hold NAME: only one process at a time continues after this, until it exits.
hold() {
	local lock=$CACHE_DIR/lock/$1 fd

	mkdir -p "$CACHE_DIR/lock"
	exec {fd}>"$lock"
	if ! flock -n "$fd"; then
		say "waiting for another run that prepares $1"
		flock "$fd"
	fi
	HELD_FD=$fd
}

# hold_tree NAME: the same for builds in this tree; each tree has locks of its own.
hold_tree() {
	hold "$1-$(cksum <<<"$TOP_DIR" | cut -d' ' -f1)"
}

release() {
	exec {HELD_FD}>&-
	HELD_FD=
}

# now_ms: a clock for differences.
now_ms() {
	echo "$((${EPOCHREALTIME/./} / 1000))"
}

# lap WHAT SINCE: record the duration, if $LAPS is the file for durations.
lap() {
	[[ -z ${LAPS:-} ]] || printf '%d\t%s\n' "$(($(now_ms) - $2))" "$1" >>"$LAPS"
}

# steps LOG: number of lines in a log of make.
steps() {
	wc -l <"$1" 2>/dev/null || echo 0
}

# at_exit COMMAND: run it when the script ends for any reason.
AT_EXIT=()
WATCHED=

at_exit() {
	AT_EXIT+=("$1")
	trap run_at_exit EXIT
}

run_at_exit() {
	local command

	# A build or VM must not continue alone, or keep a lock.
	[[ -z $WATCHED ]] || kill -- "-$WATCHED" 2>/dev/null
	# A subshell that has watched a command ends before the script.
	((BASHPID == $$)) || return 0
	for command in "${AT_EXIT[@]}"; do
		eval "$command"
	done
}

# watch_log WHAT LOG COMMAND...: run COMMAND with its output in LOG, and print its
# progress every few seconds. After a failure print the end of LOG.
watch_log() {
	local what=$1 log=$2 start=$SECONDS told=$SECONDS rc=0 since
	shift 2

	since=$(now_ms)
	: >"$log"
	trap run_at_exit EXIT
	set -m
	# Do not inherit the lock: a child could outlive its holder.
	( set +m
	  if [[ -n ${HELD_FD:-} ]]; then release; fi
	  "$@" ) >"$log" 2>&1 </dev/null &
	WATCHED=$!
	set +m
	while kill -0 "$WATCHED" 2>/dev/null; do
		sleep 0.2
		if ((SECONDS - told >= 5)); then
			told=$SECONDS
			say "  $what: $(steps "$log") steps, $(clock $((SECONDS - start)))"
		fi
	done
	wait "$WATCHED" || rc=$?
	WATCHED=
	if ((rc)); then
		say "$what failed (exit $rc); the end of $log:"
		tail -n 30 "$log" >&2
		return 1
	fi
	say "  $what: done in $(clock $((SECONDS - start)))"
	lap "$what" "$since"
}
