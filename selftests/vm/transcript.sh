# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# The commands that a page of the documentation shows, and what it says that they print.
# A comment before them says how they are run, or why they are not:
#
#   .. transcript: run [simulator] [FILE...]	by a check, see check/docs.sh
#   .. transcript: vm [guest]			in a VM, see transcript_test.sh
#   .. transcript: not run, REASON
#
# Sourced.

# transcript_split PAGE DIR WHERE: the commands of the literal blocks with a prompt, those
# that are run WHERE as DIR/N.run, what they print as DIR/N.says, how they are run as
# DIR/N.how. Others are counted in DIR/elsewhere, and those without a comment named on
# stdout. In a VM all that follows "# " is a command; on a host only what is ours.
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
