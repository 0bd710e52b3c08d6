# SPDX-License-Identifier: GPL-2.0
#
# Print the table, and which targets are met:
#
#	awk -v timed= -f rows.awk -f report.awk ROWS targets

FNR == NR { row_add(); next }
FNR == 1 { table(); FS = "^$" }
/^#/ || /^$/ { next }
{ target($0) }
END { targets_end() }

function number(key) {
	return key in VALUE ? sprintf(VALUE[key] < 100 ? "%.1f" : "%.0f", VALUE[key]) : ""
}

function spread(key) {
	return key in VALUE ? sprintf("%.1f%%", SPREAD[key]) : ""
}

function table(i) {
	printf "%-46s %-17s %-13s %10s %6s %10s %6s\n", "", "", "for each", "instr.",
		"+-", "ns", "+-"
	for (i = 1; i <= ROWS; i++)
		printf "%-46s %-17s %-13s %10s %6s %10s %6s\n", ROW_WORK[i], ROW_WHO[i],
			ROW_UNIT[i], number(i ",n"), spread(i ",n"), number(i ",t"),
			spread(i ",t")
	# A pseudo-row: the divisor that makes bits for each page of bytes for each GiB.
	ROW["pages of a GiB, bytes to bits @ gmem"] = ++ROWS
	VALUE[ROWS ",n"] = 262144 / 8
	print "\nTargets:"
}

function ratio(part, i, value, by) {
	value = row_value(part[i])
	if (!(i + 1 in part))
		return value
	by = row_value(part[i + 1])
	return value == "" || by == "" || by == 0 ? "" : value / by
}

function verdict(word, text, value, limit, more) {
	printf "  %-12s %-52s %8.2f, at most %s%s\n", word, text, value, limit, more
}

function target(line, part, value, by, over) {
	delete part
	split(line, part, / \| /)
	value = ratio(part, 3)
	by = 5 in part ? ratio(part, 5) : 1
	if (value == "" || by == "" || by == 0) {
		unknown++
		printf "  %-12s %-52s\n", "not measured", part[1]
		return
	}
	value /= by
	over = sprintf(": %.0f%% too much", 100 * (value / part[2] - 1))
	if (part[3] ~ /^ns:/ && timed !~ /^kvm/) {
		# The clock of an emulated CPU also counts other work of the host.
		unknown++
		verdict("not judged", part[1], value, part[2], "")
	} else if (value <= part[2]) {
		reached++
		verdict("reached", part[1], value, part[2], "")
	} else {
		missed++
		verdict("missed", part[1], value, part[2], over)
	}
}

function targets_end() {
	printf "%d reached, %d missed, %d not known: not there on this kernel, or measured by the clock of an emulated CPU\n",
		reached, missed, unknown
}
