# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# Count KTAP in a stream. Leaves count: result lines without a deeper result line since
# the last result of their own depth. A parent counts only if it has failed and none of
# its children has. Plans are not needed. With KTAP_STRICT=1 a skip is a failure, unless
# the reason says that it is by design. KTAP_FAILURE is set to a failure as "SUBTEST:
# RESULT", with the diagnostic lines before it. Sourced.

# Number of lines that are kept before a failure.
KTAP_LINES=8

ktap_reset() {
	KTAP_PASSED=0
	KTAP_FAILED=0
	KTAP_SKIPPED=0
	KTAP_CHILDREN=()
	KTAP_CHILD_FAILS=()
	KTAP_NOTE=
	KTAP_FAILURE=
	KTAP_SUBTEST=
	KTAP_SAID=()
}

# ktap_failure RESULT
ktap_failure() {
	KTAP_FAILED=$((KTAP_FAILED + 1))
	KTAP_FAILURE="${KTAP_SUBTEST:+$KTAP_SUBTEST: }$1"
	((${#KTAP_SAID[@]} == 0)) || KTAP_FAILURE+=$(printf '\n  %s' "${KTAP_SAID[@]}")
}

# ktap_depth_add DEPTH FAILED: all shallower levels have one more child.
ktap_depth_add() {
	local d

	for ((d = 0; d < $1; d++)); do
		KTAP_CHILDREN[d]=$((${KTAP_CHILDREN[d]:-0} + 1))
		KTAP_CHILD_FAILS[d]=$((${KTAP_CHILD_FAILS[d]:-0} + $2))
	done
}

ktap_leaf() {
	local failed=$1 text=$2 reason

	shopt -s nocasematch
	if ((!failed)) && [[ $text =~ \#\ *SKIP[:\ ]*(.*)$ ]]; then
		reason=${BASH_REMATCH[1]}
		if [[ -n ${KTAP_STRICT:-} && $reason != unsupported-by-design:* ]]; then
			failed=1
			KTAP_NOTE="a SKIP is a failure on this kernel"
		else
			KTAP_SKIPPED=$((KTAP_SKIPPED + 1))
			shopt -u nocasematch
			return
		fi
	fi
	shopt -u nocasematch
	if ((failed)); then
		ktap_failure "$text"
		KTAP_LEAF_FAILED=1
	else
		KTAP_PASSED=$((KTAP_PASSED + 1))
	fi
}

# ktap_said LINE: a line that is not a result.
ktap_said() {
	case $1 in
	*'# Subtest: '*) KTAP_SUBTEST=${1##*# Subtest: } KTAP_SAID=() ;;
	*'# '*) KTAP_SAID+=("# ${1#*# }") ;;
	esac
	((${#KTAP_SAID[@]} <= KTAP_LINES)) || KTAP_SAID=("${KTAP_SAID[@]:1}")
}

# ktap_feed LINE: sets KTAP_NOTE if a note has to be added to the line.
ktap_feed() {
	local line=$1 depth failed d

	KTAP_NOTE=
	KTAP_FAILURE=
	if [[ ! $line =~ ^(\ *)(not\ )?ok\ (.*)$ ]]; then
		ktap_said "$line"
		return
	fi
	depth=${#BASH_REMATCH[1]}
	failed=$((${#BASH_REMATCH[2]} > 0))
	KTAP_LEAF_FAILED=0
	if ((${KTAP_CHILDREN[depth]:-0} == 0)); then
		ktap_leaf "$failed" "${BASH_REMATCH[3]}"
		ktap_depth_add "$depth" "$KTAP_LEAF_FAILED"
	elif ((failed && ${KTAP_CHILD_FAILS[depth]:-0} == 0)); then
		ktap_failure "${BASH_REMATCH[3]}"
		ktap_depth_add "$depth" 1
	fi
	KTAP_SAID=()
	for ((d = depth; d < ${#KTAP_CHILDREN[@]}; d++)); do
		KTAP_CHILDREN[d]=0
		KTAP_CHILD_FAILS[d]=0
	done
}
