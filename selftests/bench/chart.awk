# SPDX-License-Identifier: GPL-2.0
#
# Draw the rows that the file chart names: awk -v title= -f rows.awk -f chart.awk ROWS
# chart. The length of a bar is proportional to its value; the longest bar is the largest
# value of the group.

BEGIN { WIDTH = 860; LABEL = 250; BAR = 460; LINE = 22; y = 60 }
FNR == NR { row_add(); next }
FNR == 1 { FS = "^$" }
/^#/ { next }
/^$/ { group_end(); next }
!open { open = 1; head = $0; bars = 0; most = 0; next }
{
	split($0, part, / \| /)
	value = row_value(part[2])
	if (value == "")
		next
	bars++
	label[bars] = part[1]; amount[bars] = value; gmem[bars] = part[2] ~ /@ gmem/
	most = value > most ? value : most
}
END {
	group_end()
	printf "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" font-family=\"sans-serif\" font-size=\"13\">\n", WIDTH, y + 10
	printf "<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>\n"
	text(20, 28, title, "font-size=\"17\" font-weight=\"bold\"")
	printf "%s</svg>\n", out
}

function escaped(s) {
	gsub(/&/, "\\&amp;", s); gsub(/</, "\\&lt;", s)
	return s
}

function line_of(x, at, s, more) {
	return sprintf("<text x=\"%d\" y=\"%d\" %s>%s</text>\n", x, at, more, escaped(s))
}

function text(x, at, s, more) { printf "%s", line_of(x, at, s, more) }

function group_end(i) {
	if (open && bars) {
		out = out line_of(20, y, head, "font-weight=\"bold\"")
		y += 8
		for (i = 1; i <= bars; i++) {
			out = out line_of(30, y + 15, label[i], "")
			out = out sprintf("<rect x=\"%d\" y=\"%d\" width=\"%.1f\" height=\"15\" fill=\"%s\"/>\n",
				LABEL, y + 3, BAR * amount[i] / most, gmem[i] ? "#2b6cb0" : "#a0aec0")
			out = out line_of(LABEL + BAR * amount[i] / most + 6, y + 15,
				sprintf("%.0f", amount[i]), "")
			y += LINE
		}
		y += 26
	}
	open = 0
}
