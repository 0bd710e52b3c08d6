# SPDX-License-Identifier: GPL-2.0
#
# All rows as JSON: awk -v kernel= -v commit= -v machine= ... -f rows.awk -f json.awk ROWS

{ row_add() }

function quoted(text) {
	gsub(/[\\"]/, "\\\\&", text)
	return "\"" text "\""
}

function pair(i, measure, name, key) {
	key = i "," measure
	if (!(key in VALUE))
		return ""
	return sprintf(", %s: %s, %s: %s", quoted(name), VALUE[key],
		       quoted(name "_spread_percent"), SPREAD[key])
}

END {
	printf "{\n  \"kernel\": %s,\n  \"commit\": %s,\n  \"date\": %s,\n", quoted(kernel),
		quoted(commit), quoted(date)
	printf "  \"instructions_by\": %s,\n  \"ns_by\": %s,\n  \"rows\": [\n", quoted(counted),
		quoted(timed)
	for (i = 1; i <= ROWS; i++)
		printf "    {\"work\": %s, \"who\": %s, \"unit\": %s%s%s}%s\n",
			quoted(ROW_WORK[i]), quoted(ROW_WHO[i]), quoted(ROW_UNIT[i]),
			pair(i, "n", "instructions"), pair(i, "t", "ns"), i < ROWS ? "," : ""
	print "  ]\n}"
}
