# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# The descriptions for syzkaller are complete with respect to the uapi headers, and their
# constants have the values of the headers. Sourced.

# syz_of NAME: set the files that are compared.
syz_of() {
	SYZ_NAME=$1
	SYZ_PREFIX=${1^^}
	SYZ_TEXT=selftests/syzkaller/$1.txt
	SYZ_CONST=selftests/syzkaller/$1.txt.const
	SYZ_HEADER=uapi/linux/$1.h
}

# "struct member" for each member, in order, from the header.
syz_header_members() {
	sed -E -n -e '/^struct [a-z0-9_]+ \{$/,/^\};$/{
		s/^struct ([a-z0-9_]+) \{$/struct \1/p
		s/^\t+(struct )?[a-z0-9_]+ ([a-z0-9_]+)(\[[0-9A-Z_]+\])?;$/  \2/p }' "$SYZ_HEADER"
}

# The same from the description, for the structures that the header has.
syz_text_members() {
	local name

	sed -n 's/^struct \([a-z0-9_]*\)$/\1/p' "$WORK/syz.header" |
		while read -r name; do
		sed -E -n -e "/^$name [[{]\$/,/^[]}]\$/{
			s/^([a-z0-9_]+) [[{]\$/struct \1/p
			s/^\t([a-z0-9_]+)\t.*/  \1/p }" "$SYZ_TEXT"
	done
}

syz_members() {
	cd "$TOP_DIR" || return 1
	syz_header_members >"$WORK/syz.header"
	grep -q '^  ' "$WORK/syz.header" ||
		{ echo "no structure found in $SYZ_HEADER"; return 1; }
	syz_text_members >"$WORK/syz.text"
	diff -u --label "$SYZ_HEADER" --label "$SYZ_TEXT" \
		"$WORK/syz.header" "$WORK/syz.text"
}

# Ioctls, flags, limits and values of enums. Without numbers that are only used to define
# ioctls, the version, the path of the device, and limits that no argument uses.
syz_header_names() {
	{
		sed -E -n "s/^#define (${SYZ_PREFIX}_[A-Z0-9_]+)[[:space:]].*/\1/p" "$SYZ_HEADER"
		sed -E -n "s/^\t(${SYZ_PREFIX}_[A-Z0-9_]+)( = .*)?,$/\1/p" "$SYZ_HEADER"
	} | grep -vE '^[A-Z]+_(CMD_.*|IOCTL_TYPE|ABI_VERSION|DEVICE_PATH|DEVICE_DIR|CONVERT_MAX_EVENTS|POLICY_MAX_RANGES|VIEW_MAX_MAPPINGS)$'
}

syz_names() {
	local name path bad=0

	cd "$TOP_DIR" || return 1
	syz_header_names >"$WORK/syz.names"
	[[ -s $WORK/syz.names ]] || { echo "no name found in $SYZ_HEADER"; return 1; }
	grep -v '^#' "$SYZ_TEXT" >"$WORK/syz.code"
	while read -r name; do
		if [[ $name == *_IOCTL_* ]]; then
			grep -qF "ioctl\$$name(" "$SYZ_TEXT" &&
				grep -qF "const[$name]" "$SYZ_TEXT" && continue
		else
			grep -qw "$name" "$WORK/syz.code" && continue
		fi
		echo "$SYZ_TEXT: $name of $SYZ_HEADER is missing"
		bad=1
	done <"$WORK/syz.names"
	path=$(sed -n 's/^#define [A-Z]*_DEVICE_\(PATH\|DIR\) "\(.*\)"$/string["\2/p' "$SYZ_HEADER")
	grep -qF "$path" "$SYZ_TEXT" ||
		{ echo "$SYZ_TEXT: the device $path is missing"; bad=1; }
	return "$bad"
}

# Names of constants that the description uses.
syz_used() {
	{
		sed -E '/^(#|include )/d; s/"[^"]*"//g; s/\$[A-Za-z_]+//g' "$SYZ_TEXT" |
			grep -oE '\b[A-Z][A-Z0-9_]+\b'
		sed -E -n 's/^([a-z]+)\$.*\(.*/__NR_\1/p' "$SYZ_TEXT"
	} | LC_ALL=C sort -u
}

# The values on this machine, in the format of the .const file.
syz_values() {
	{
		printf '#include <%s>\n' stdio.h fcntl.h unistd.h sys/mman.h \
			sys/syscall.h linux/falloc.h linux/ioctl.h "linux/$SYZ_NAME.h"
		# Older headers do not define it.
		echo '#define KVM_CREATE_GUEST_MEMFD _IOC(3U, 0xae, 0xd4, 64)'
		echo 'int main(void) {'
		syz_used | sed 's/.*/printf("& = %llu\\n", (unsigned long long)&);/'
		echo 'return 0; }'
	} | gcc -D_GNU_SOURCE -w -x c -Iuapi -o "$WORK/syz" - && "$WORK/syz"
}

# The values for this machine: "NAME = other, amd64:value".
syz_recorded() {
	sed -E -n -e 's/^([A-Za-z_0-9]+) = .*amd64:([0-9]+).*/\1 = \2/p;t' \
		-e 's/^([A-Za-z_0-9]+) = ([0-9]+)$/\1 = \2/p' "$SYZ_CONST"
}

syz_constants() {
	need gcc || return 4
	[[ $(uname -m) == x86_64 ]] || { echo "only on x86-64"; return 4; }
	cd "$TOP_DIR" || return 1
	syz_values | LC_ALL=C sort >"$WORK/syz.values" || return 1
	[[ -s $WORK/syz.values ]] || return 1
	syz_recorded | LC_ALL=C sort >"$WORK/syz.recorded"
	diff -u --label "$SYZ_HEADER" --label "$SYZ_CONST" \
		"$WORK/syz.values" "$WORK/syz.recorded"
}

check_syzkaller() {
	local name

	for name in gmem pvmemcontrol; do
		syz_of "$name"
		check "syzkaller: members of structures: $name" syz_members
		check "syzkaller: ioctls and flags: $name" syz_names
		check "syzkaller: values of constants: $name" syz_constants
	done
}
