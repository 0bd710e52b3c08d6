# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# The uapi headers compile alone in every dialect, have no hidden padding, and have the
# recorded layout at -m32 and at -m64. Sourced.

UAPI_STRICT="-Wall -Wextra -Wpedantic -Wpadded -Werror"

uapi_headers() {
	tree_files 'uapi/linux/*.h' | sed 's|^uapi/||'
}

# uapi_compile COMPILER BITS LANGUAGE STANDARD
uapi_compile() {
	local cc=$1 bits=$2 lang=$3 std=$4 header

	need "$cc" || return 4
	if ! echo '#include <linux/types.h>' |
		"$cc" "-m$bits" -x c -fsyntax-only - 2>/dev/null; then
		echo "$cc cannot compile for -m$bits here (gcc-multilib)"
		return 4
	fi
	cd "$TOP_DIR" || return 1
	for header in $(uapi_headers); do
		# shellcheck disable=SC2086
		echo "#include <$header>" |
			"$cc" "-m$bits" -x "$lang" "-std=$std" $UAPI_STRICT \
				-Iuapi -fsyntax-only - || return 1
	done
}

# A program whose debug information contains every structure.
uapi_layout() {
	local bits=$1 header name

	cd "$TOP_DIR" || return 1
	for header in $(uapi_headers); do
		echo "#include <$header>"
		sed -n 's/^struct \([a-z0-9_]*\) {$/\1/p' "uapi/$header" |
			while read -r name; do
			echo "struct $name layout_$name;"
		done
	done | gcc "-m$bits" -g -x c -Iuapi -c -o "$WORK/layout$bits.o" - || return 1
	pahole --show_only_data_members "$WORK/layout$bits.o" 2>/dev/null ||
		pahole "$WORK/layout$bits.o"
}

# "struct.member offset size" and "struct size", for all formats of pahole.
uapi_layout_lines() {
	uapi_layout "$1" | sed -n \
		-e 's/^struct \([a-z0-9_]*\) {.*/struct \1/p' \
		-e 's/^[[:space:]]*.*[[:space:]]\([a-z0-9_]*\)\(\[[0-9]*\]\)*\( __attribute__.*\)\?;[[:space:]]*\/\*[[:space:]]*\([0-9]*\)[[:space:]]*\([0-9]*\) \*\/$/  \1 \4 \5/p' \
		-e 's/^[[:space:]]*\/\* size: \([0-9]*\),.*/  size \1/p'
}

uapi_compare() {
	local record=$CHECK_DIR/uapi.layout

	need pahole || return 4
	uapi_layout_lines "$1" >"$WORK/layout"
	grep -q '^  size [0-9]' "$WORK/layout" ||
		{ echo "cannot read the layout (-m$1)"; return 4; }
	if [[ -n ${UPDATE:-} && $1 == 64 ]]; then
		cp "$WORK/layout" "$record"
	fi
	diff -u "$record" "$WORK/layout" ||
		{ echo "the ABI changed; if it may: make check UPDATE=1"; return 1; }
}

check_uapi() {
	local bits

	for bits in 64 32; do
		check "uapi header alone: C99 -m$bits" uapi_compile gcc "$bits" c c99
		check "uapi header alone: C++11 -m$bits" uapi_compile g++ "$bits" c++ c++11
		check "uapi layout as recorded: -m$bits" uapi_compare "$bits"
	done
}
