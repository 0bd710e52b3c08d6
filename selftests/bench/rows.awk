# SPDX-License-Identifier: GPL-2.0
#
# The rows of gmem_bench: MEASURE, WORK, WHO, UNIT, VALUE, SPREAD, separated by tabs. Read
# by report.awk, json.awk and chart.awk, which follow on the command line.

BEGIN { FS = "\t" }

function row_add(work, key) {
	work = $2 " @ " $3
	if (!(work in ROW)) {
		ROW[work] = ++ROWS
		ROW_WORK[ROWS] = $2; ROW_WHO[ROWS] = $3; ROW_UNIT[ROWS] = $4
	}
	key = ROW[work] "," ($1 == "instructions" ? "n" : "t")
	VALUE[key] = $5; SPREAD[key] = $6
}

# The value of "WORK @ WHO" or "ns:WORK @ WHO", or "".
function row_value(name, measure) {
	measure = sub(/^ns:/, "", name) ? "t" : "n"
	if (!(name in ROW) || !((ROW[name] "," measure) in VALUE))
		return ""
	return VALUE[ROW[name] "," measure] + 0
}
