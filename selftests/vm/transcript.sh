# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# The commands that a page of the documentation shows, and their output there.
# A comment before them says how they are run, or why they are not run:
#
#   .. transcript: run [simulator] [FILE...]	by a check, see check/docs.sh
#   .. transcript: vm [guest]			in a VM, see transcript_test.sh
#   .. transcript: not run, REASON
#
# Sourced.

# transcript_split PAGE DIR WHERE: write the commands of literal blocks with a prompt that
# are run WHERE to DIR/N.run, their output to DIR/N.says, and how they are run to
# DIR/N.how. Other commands are counted in DIR/elsewhere, and those without a comment are
# printed. In a VM all text after "# " is a command; on a host only our own commands are.
transcript_split() {
	awk -v dir="$2" -v page="${1#"$TOP_DIR/"}" -v where="$3" '
		/^ *\.\. transcript: / { sub(/^ *\.\. transcript: /, ""); how = $0; inside = 0; next }
		{ match($0, /^ */); indent = RLENGTH }
		/^ +(\$ |# (gmem|pvmem)ctl )/ || (how ~ /^vm/ && /^ +# /) {
			inside = 0
			if (how == "")
				print page ":" FNR ": no comment says whether it is run"
			if (index(how " ", where " ") != 1) { print how >(dir "/elsewhere"); next }
			run = dir "/" ++n ".run"; says = dir "/" n ".says"
			print how >(dir "/" n ".how")
			print substr($0, indent + 3) >run; printf "" >says
			more = /\\$/; inside = indent; next
		}
		inside && indent >= inside {
			$0 = substr($0, inside + 1)
			if (more) { print >run; more = /\\$/ } else print >says
			next
		}
		NF { inside = 0 }' "$1"
}
