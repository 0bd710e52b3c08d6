# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# Tables of what programs have measured on each kernel, shown when all are
# done. A program prints cells: "# table: TITLE | ROW | CELL". Sourced.

TABLE_TITLES=() TABLE_COLUMNS=() TABLE_ROWS=()
declare -A TABLE_CELLS TABLE_SEEN

# table_new LIST VALUE: it is not in that array yet, but is now.
table_new() {
	local -n list=$1

	[[ -z ${TABLE_SEEN[$1/$2]:-} ]] || return 1
	TABLE_SEEN[$1/$2]=1
	list+=("$2")
}

# table_feed KERNEL LINE. What comes later for the same cell counts.
table_feed() {
	local title row cell

	[[ $2 =~ ^\ *'# table: '(.+)' | '(.+)' | '(.+)$ ]] || return 0
	title=${BASH_REMATCH[1]} row=${BASH_REMATCH[2]} cell=${BASH_REMATCH[3]}
	table_new TABLE_TITLES "$title" || true
	table_new TABLE_COLUMNS "$1" || true
	table_new TABLE_ROWS "$title|$row" || true
	TABLE_CELLS[$title|$row|$1]=$cell
}

table_line() {
	local format=$1
	shift

	# shellcheck disable=SC2059
	printf "#   $format\n" "$@" | sed 's/ *$//'
}

# table_show: a column for each kernel, a row for each ROW, as they came.
table_show() {
	local title row column format cells

	format="%-24s$(printf ' %%-20s%.0s' "${TABLE_COLUMNS[@]}")"
	for title in "${TABLE_TITLES[@]}"; do
		echo "# $title:"
		table_line "$format" "" "${TABLE_COLUMNS[@]}"
		for row in "${TABLE_ROWS[@]}"; do
			[[ $row == "$title|"* ]] || continue
			cells=()
			for column in "${TABLE_COLUMNS[@]}"; do
				cells+=("${TABLE_CELLS[$row|$column]:--}")
			done
			table_line "$format" "${row#"$title|"}" "${cells[@]}"
		done
	done
}
