#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The commands of Documentation/tutorial.rst, one after the other in one shell, as somebody
# would type them. Each has to succeed, and to print the lines that are printed there; the
# numbers may be others.

TEXT=/selftests/tutorial.rst
DIR=/tmp/tutorial

# What is the same in each run: no numbers, single spaces.
plain() {
	sed -E 's/[0-9a-fx]*[0-9][0-9a-fx.]*/N/g; s/[[:space:]]+/ /g; s/^ //; s/ $//'
}

# The commands, a file each, and beside it what they print.
split() {
	awk -v dir="$DIR" '
	/^    # / { n++; print substr($0, 7) >(dir "/" n ".sh"); inside = 1; next }
	/^    / && inside { print substr($0, 5) >(dir "/" n ".expected"); next }
	/^[^ ]/ { inside = 0 }
	END { print n + 0 }' "$TEXT"
}

# judge NUMBER STATUS
judge() {
	[ "$2" = 0 ] || { echo "# exit status $2"; return 1; }
	[ -e "$DIR/$1.expected" ] || return 0
	plain <"$DIR/$1.expected" >"$DIR/want"
	plain <"$DIR/$1.out" >"$DIR/got"
	while IFS= read -r line; do
		grep -Fxq -- "$line" "$DIR/got" && continue
		echo "# not printed: $line"
		return 1
	done <"$DIR/want"
}

echo "KTAP version 1"
if [ ! -e /dev/kvm ] || [ ! -e /guest/bzImage ]; then
	echo "1..0 # SKIP unsupported-by-design: no KVM, or no guest"
	exit 0
fi
rm -rf "$DIR"
mkdir -p "$DIR"
count=$(split)
echo "1..$count"
n=1
while [ "$n" -le "$count" ]; do
	# In this shell: jobs and descriptors stay.
	. "$DIR/$n.sh" >"$DIR/$n.out" 2>&1
	if judge "$n" $?; then
		echo "ok $n $(head -c 60 "$DIR/$n.sh" | head -n 1)"
	else
		sed 's/^/# /' "$DIR/$n.out"
		echo "not ok $n $(cat "$DIR/$n.sh")"
	fi
	n=$((n + 1))
done
