# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# Style: checkpatch, shellcheck, codespell, and rules of this project that no tool checks.
# Sourced.

FILE_LINES=800
FUNCTION_LINES=60
FUNCTION_LINES_MAX=90

# Ignored types of checkpatch, and the reasons.
CHECKPATCH_IGNORE=(
	# MAINTAINERS is a file of the kernel tree.
	FILE_PATH_CHANGES
	# GMEM_EXPORT_SYMBOL() and ioctl numbers follow the definition that they belong
	# to.
	LINE_SPACING
	# kzalloc_obj() is newer than the oldest supported kernel.
	ALLOC_WITH_SIZEOF
	# uapi headers have no BIT(), and a number of pages is not a bit.
	BIT_MACRO
	# The macro of an ioctl table names its struct more than once.
	MACRO_ARG_REUSE
	# Locks are described in the kernel-doc of the struct they are in.
	UNCOMMENTED_DEFINITION
)

# TRACE_EVENT() has its own indentation, and a path has no spaces.
CHECKPATCH_TRACE=(PARENTHESIS_ALIGNMENT OPEN_ENDED_LINE SPACING)

# Types that do not apply to userspace code.
CHECKPATCH_USER=(
	# Userspace has none of the kernel's macros and helpers.
	ARRAY_SIZE PREFER_DEFINED_ATTRIBUTE_MACRO NAKED_SSCANF
	SSCANF_TO_KSTRTO CONSIDER_KSTRTO STRCPY STRNCPY PREFER_PR_LEVEL
	PREFER_KERNEL_TYPES NEW_TYPEDEFS AVOID_EXTERNS
	# PRIu64 is ISO C; execv() needs char *[]; ENOSYS is the error of missing system
	# calls; volatile is for shared guest memory.
	CAMELCASE STATIC_CONST_CHAR_ARRAY ENOSYS VOLATILE
	# Messages, usage texts and digests are longer than lines.
	SPLIT_STRING EMBEDDED_FUNCTION_NAME MISSING_SPACE
	# A test macro ends the test.
	MACRO_WITH_FLOW_CONTROL COMPLEX_MACRO STATIC_CONST
)

# checkpatch of the newest source tree in the cache.
style_checkpatch_tool() {
	local tool

	for tool in "$CACHE_DIR"/src/linux-7*/scripts/checkpatch.pl \
		"$CACHE_DIR"/src/linux-6*/scripts/checkpatch.pl; do
		[[ ! -e $tool ]] || { printf '%s\n' "$tool"; return; }
	done
	echo "no kernel source in the cache: run 'make kernels'"
	return 4
}

# style_checkpatch IGNORES PATTERN...
style_checkpatch() {
	local tool ignore=$1 files rc

	need perl || return 4
	tool=$(style_checkpatch_tool) || { echo "$tool"; return 4; }
	shift
	readarray -t files < <(tree_files "$@")
	((${#files[@]})) || { echo "no such files: $*"; return 4; }
	# checkpatch writes a cache file to the current directory, and searches for
	# include/.
	mkdir -p "$WORK/include" && cd "$WORK" || return 1
	printf "$TOP_DIR/%s\n" "${files[@]}" | xargs -d '\n' -n 6 -P "$(nproc)" \
		perl "$tool" --no-tree --root="$WORK" --strict --terse --show-types \
		--no-summary --ignore "$ignore" -f >"$WORK/checkpatch"
	rc=$?
	sed "s|$TOP_DIR/||" "$WORK/checkpatch"
	return "$((rc != 0))"
}

join_comma() {
	local IFS=,

	echo "$*"
}

style_shellcheck() {
	local files

	need shellcheck || return 4
	readarray -t files < <(tree_files '*.sh' .ci/run)
	cd "$TOP_DIR" || return 1
	# SC1090, SC1091: the files that are sourced are all in the list.
	# SC2034: what a sourced file sets is used by another one.
	# SC2016: a dollar between single quotes is meant for awk, sed or make.
	shellcheck -e SC1090,SC1091,SC2034,SC2016 "${files[@]}"
}

style_codespell() {
	local files

	need codespell || return 4
	readarray -t files < <(tree_files | grep -vx COPYING)
	cd "$TOP_DIR" || return 1
	# Words and members of the kernel, and names of the assembler.
	codespell -L uptodate,iput,fro,nd,ot,inout,fpr,thre "${files[@]}"
}

# Words that finished work must not contain. They are split here, so that this file does
# not match.
style_markers() {
	local words='TO''DO|FIX''ME|XX''X|HA''CK'

	cd "$TOP_DIR" || return 1
	! tree_files | grep -vx COPYING |
		xargs -d '\n' grep -nHwE "$words"
}

# Paths and hosts that exist on one machine only.
style_places() {
	local words='(^|[^a-zA-Z0-9_}.])/(root|work|home)/[a-z.]|deb\.deb''ian\.org|snapshot\.deb''ian'

	cd "$TOP_DIR" || return 1
	! tree_files | grep -vx COPYING | xargs -d '\n' grep -nHE "$words"
}

style_versions() {
	cd "$TOP_DIR" || return 1
	! tree_files 'module/*' uapi/ | grep -vx 'module/compat.h' |
		xargs -d '\n' grep -nHE 'LINUX_VERSION_CODE|KERNEL_VERSION|linux/version\.h'
}

style_licence() {
	local f bad=0

	cd "$TOP_DIR" || return 1
	for f in $(tree_files '*.[chS]' '*.sh' '*.lds' Makefile '*/Makefile' Kbuild .ci/run); do
		head -n 2 "$f" | grep 'SPDX-License-Identifier: GPL-2.0' >/dev/null &&
			continue
		echo "$f: no SPDX line"
		bad=1
	done
	return "$bad"
}

style_file_size() {
	cd "$TOP_DIR" || return 1
	tree_files '*.[chS]' '*.sh' '*.rst' Makefile '*/Makefile' |
		xargs -d '\n' wc -l |
		awk -v max="$FILE_LINES" '$2 != "total" && $1 > max {
			print $2 ": " $1 " lines, " max " at most"; bad = 1 }
			END { exit bad }'
}

# A function is the text between a { and a } in the first column.
style_function_size() {
	cd "$TOP_DIR" || return 1
	tree_files '*.c' | xargs -d '\n' awk -v rule="$FUNCTION_LINES" \
		-v max="$FUNCTION_LINES_MAX" '
	FNR == 1 { open = 0 }
	/^\{/ { open = FNR; head = last }
	/^\}/ && open {
		n = FNR - open - 1; open = 0; total++
		sub(/\(.*/, "", head); sub(/.*[ *]/, "", head)
		if (n > max) {
			print FILENAME ": " head "(): " n " lines, " max " at most"
			bad = 1
		} else if (n > rule) {
			long++
			print "# " FILENAME ": " head "(): " n " lines, more than " rule
		}
	}
	/^[a-z].*\(/ { last = $0 }
	END {
		if (!total) { print "no function found"; exit 1 }
		exit bad
	}'
}

check_style() {
	local kernel trace user

	kernel=$(join_comma "${CHECKPATCH_IGNORE[@]}")
	trace=$(join_comma "${CHECKPATCH_IGNORE[@]}" "${CHECKPATCH_TRACE[@]}")
	user=$(join_comma "${CHECKPATCH_IGNORE[@]}" "${CHECKPATCH_USER[@]}")
	check "checkpatch --strict: module" style_checkpatch "$kernel" \
		'module/*.[ch]' ':!module/compat.h' ':!module/*trace.h'
	check "checkpatch --strict: trace.h" style_checkpatch "$trace" 'module/*trace.h'
	check "checkpatch --strict: uapi" style_checkpatch "$kernel" 'uapi/*.h'
	check "checkpatch --strict: tools" style_checkpatch "$user" 'tools/*.[ch]'
	check "checkpatch --strict: selftests" style_checkpatch "$user" 'selftests/*.[ch]'
	check "shellcheck" style_shellcheck
	check "codespell" style_codespell
	check "no leftover markers" style_markers
	check "no places of one machine" style_places
	check "versions only in compat.h" style_versions
	check "SPDX lines" style_licence
	check "file size" style_file_size
	check "function size" style_function_size
}
