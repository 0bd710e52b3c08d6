#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The commands that the documentation shows for a VM (vm/transcript.sh), those of a page one
# after the other in one shell, as somebody would type them. Each has to print the lines that
# are printed there, where numbers and rows of a picture may be others. It has to succeed, or
# to fail if the page says so.
#
# A page that needs a guest has one of its own, by the name of "guest": gmem memory of 96 MiB
# with a small Linux, which waits for commands on its console.

PAGES=/selftests/transcripts
DIR=/tmp/transcript

# What is the same in each run: no numbers, no row of a picture, single spaces.
plain() {
	sed -E 's/[0-9a-fx]*[0-9][0-9a-fx.]*/N/g; s/\|[sPH+.]+\|/|ROW|/; s/[[:space:]]+/ /g
		s/^ //; s/ $//'
}

# wait_for PID COMMAND...: until the command succeeds, or there is no such process any more.
wait_for() {
	pid=$1
	shift
	until "$@" >/dev/null 2>&1; do
		kill -0 "$pid" || return
		sleep 0.1
	done
}

# It boots once, and is restored for the pages that come later.
guest_start() {
	mkfifo keys
	if [ -e "$DIR/saved" ]; then
		gmemctl restore "$DIR/saved" --name guest <keys >console 2>&1 &
		exec 3>keys
		wait_for $! gmemctl stat guest
		return
	fi
	gmemctl run --name guest --memory 96M,kind=gmem --kernel /guest/bzImage \
		--initrd /guest/initrd --append 'console=ttyS0 quiet GMEM_RUN=/convert' \
		<keys >console 2>&1 &
	exec 3>keys
	wait_for $! grep -q 'memory at' console && gmemctl save guest "$DIR/saved"
}

# What a page has left running.
guests_stop() {
	gmemctl ps | while read -r name rest; do
		[ "$name" = NAME ] || gmemctl stop "$name"
	done
	exec 3>&-
	wait
}

# judge FILE STATUS
judge() {
	if tail -n 1 "$1.says" | grep -q '^gmemctl: '; then
		[ "$2" != 0 ] || { echo "# did not fail"; return 1; }
	elif [ "$2" != 0 ]; then
		echo "# exit status $2"
		return 1
	fi
	plain <"$1.says" >want
	plain <out >got
	while IFS= read -r line; do
		[ "$line" = ... ] || grep -Fxq -- "$line" got && continue
		echo "# not printed: $line"
		return 1
	done <want
}

# run_page PAGE NUMBER: the results of its commands from that number on.
run_page() {
	page=$PAGES/$1
	number=$2
	begin=$(date +%s)
	mkdir -p "$DIR/$1"
	cd "$DIR/$1" || exit
	if grep -qw guest "$page/1.how" && ! guest_start; then
		sed 's/^/# /' console
		echo "# $1: there is no guest"
	fi
	i=1
	while [ -e "$page/$i.run" ]; do
		# In this shell: jobs and descriptors stay.
		. "$page/$i.run" >out 2>&1
		if judge "$page/$i" $?; then
			echo "ok $number $1: $(head -n 1 "$page/$i.run" | head -c 60)"
		else
			sed 's/^/# /' out
			echo "not ok $number $1: $(cat "$page/$i.run")"
		fi
		number=$((number + 1))
		i=$((i + 1))
	done
	guests_stop >/dev/null 2>&1
	echo "# $1: took $(($(date +%s) - begin)) s"
}

echo "KTAP version 1"
if [ ! -e /dev/kvm ] || [ ! -e /guest/bzImage ]; then
	echo "1..0 # SKIP unsupported-by-design: no KVM, or no guest"
	exit 0
fi
rm -rf "$DIR"
[ -e /etc/hostname ] || echo vm >/etc/hostname
echo "1..$(find "$PAGES" -name '*.run' | wc -l)"
next=1
for path in "$PAGES"/*; do
	(run_page "$(basename "$path")" "$next")
	next=$((next + $(find "$path" -name '*.run' | wc -l)))
done
