# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# Tables of results of programs on each kernel, printed at the end. A program prints
# cells: "# table: TITLE | ROW | CELL". If a cell is "TEXT: REASON", the reason becomes a
# note below the table. Sourced.

TABLE_TITLES=() TABLE_COLUMNS=() TABLE_ROWS=() TABLE_NOTES=()
declare -A TABLE_CELLS TABLE_SEEN

# table_new LIST VALUE: append the value to the array; fails if it contains it already.
table_new() {
	local -n list=$1

	[[ -z ${TABLE_SEEN[$1/$2]:-} ]] || return 1
	list+=("$2")
	TABLE_SEEN[$1/$2]=${#list[@]}
}

# table_feed KERNEL LINE. The last text of a cell counts.
table_feed() {
	local title row cell

	[[ $2 =~ ^\ *'# table: '(.+)' | '(.+)' | '(.+)$ ]] || return 0
	title=${BASH_REMATCH[1]} row=${BASH_REMATCH[2]} cell=${BASH_REMATCH[3]}
	table_new TABLE_TITLES "$title" || true
	table_new TABLE_COLUMNS "$title|$1" || true
	table_new TABLE_ROWS "$title|$row" || true
	if [[ $cell =~ ^([^:]+)': '(.+)$ ]]; then
		table_new TABLE_NOTES "$title|${BASH_REMATCH[2]}" || true
		cell="${BASH_REMATCH[1]} [${TABLE_SEEN[TABLE_NOTES/$title|${BASH_REMATCH[2]}]}]"
	fi
	TABLE_CELLS[$title|$row|$1]=$cell
}

# table_own TITLE VALUE...: the values that belong to the title.
table_own() {
	local title=$1 value

	shift
	for value; do
		[[ $value != "$title|"* ]] || printf '%s\n' "${value#"$title|"}"
	done
}

table_line() {
	local format=$1
	shift

	# shellcheck disable=SC2059
	printf "#   $format\n" "$@" | sed 's/ *$//'
}

# table_notes TITLE
table_notes() {
	local note

	while IFS= read -r note; do
		echo "#   [${TABLE_SEEN[TABLE_NOTES/$1|$note]}] $note"
	done < <(table_own "$1" "${TABLE_NOTES[@]}")
}

# table_width LEAST TEXT...: the width of the longest text.
table_width() {
	local width=$1 text

	shift
	for text; do
		((${#text} <= width)) || width=${#text}
	done
	echo "$width"
}

# table_format TITLE COLUMN...: as narrow as possible, because there are many columns.
table_format() {
	local title=$1 column row rows cells

	shift
	mapfile -t rows < <(table_own "$title" "${TABLE_ROWS[@]}")
	printf -- '%%-%ss' "$(table_width 24 "${rows[@]}")"
	for column; do
		cells=("$column")
		for row in "${rows[@]}"; do
			cells+=("${TABLE_CELLS[$title|$row|$column]:-no result}")
		done
		printf -- ' %%-%ss' "$(table_width 12 "${cells[@]}")"
	done
}

# table_show: for each title a column for each kernel, and a row for each ROW, in the
# order of their appearance. Rows of a program that has not printed them are missing.
table_show() {
	local title row column format columns cells

	for title in "${TABLE_TITLES[@]}"; do
		mapfile -t columns < <(table_own "$title" "${TABLE_COLUMNS[@]}")
		format=$(table_format "$title" "${columns[@]}")
		echo "# $title:"
		table_line "$format" "" "${columns[@]}"
		while IFS= read -r row; do
			cells=()
			for column in "${columns[@]}"; do
				cells+=("${TABLE_CELLS[$title|$row|$column]:-no result}")
			done
			table_line "$format" "$row" "${cells[@]}"
		done < <(table_own "$title" "${TABLE_ROWS[@]}")
		table_notes "$title"
	done
}
