# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# The ground the harness scripts stand on: where things are kept, how to
# speak, how to lock, how to show that something long is still alive.
# Sourced, never run. Everything said goes to stderr; stdout is for results.

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

# hold NAME: one process at a time beyond this point, until it exits.
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

release() {
	exec {HELD_FD}>&-
	HELD_FD=
}

# steps LOG: what there is to count in a log of make: its lines.
steps() {
	wc -l <"$1" 2>/dev/null || echo 0
}

# watch_log WHAT LOG COMMAND...: run COMMAND with its output in LOG and say
# every few seconds how far it is. On failure show the end of LOG.
watch_log() {
	local what=$1 log=$2 start=$SECONDS told=$SECONDS pid rc=0
	shift 2

	: >"$log"
	# The child must not inherit the lock: it could outlive the holder.
	( if [[ -n ${HELD_FD:-} ]]; then release; fi
	  "$@" ) >"$log" 2>&1 </dev/null &
	pid=$!
	# An interrupt must not leave a build running behind the lock.
	trap 'kill -- "$pid" 2>/dev/null' EXIT
	while kill -0 "$pid" 2>/dev/null; do
		sleep 0.5
		if ((SECONDS - told >= 5)); then
			told=$SECONDS
			say "  $what: $(steps "$log") steps, $(clock $((SECONDS - start)))"
		fi
	done
	wait "$pid" || rc=$?
	trap - EXIT
	if ((rc)); then
		say "$what failed (exit $rc); the end of $log:"
		tail -n 30 "$log" >&2
		return 1
	fi
	say "  $what: done in $(clock $((SECONDS - start)))"
}
