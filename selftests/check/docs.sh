# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# Comments that are documentation, and documentation. Sourced.

# kernel-doc of the newest tree that still has it as one Perl script.
docs_kernel_doc_tool() {
	local tool

	for tool in "$CACHE_DIR"/src/linux-6*/scripts/kernel-doc \
		"$CACHE_DIR"/kernel/stock-6*/kdir/scripts/kernel-doc; do
		[[ ! -e $tool ]] || { printf '%s\n' "$tool"; return; }
	done
	echo "no kernel-doc in the cache: run 'make kernels'"
	return 4
}

docs_kernel_doc() {
	local tool files

	need perl || return 4
	tool=$(docs_kernel_doc_tool) || { echo "$tool"; return 4; }
	cd "$TOP_DIR" || return 1
	readarray -t files < <(tree_files 'uapi/*.h' 'module/*.[ch]' | xargs grep -l '^/\*\*')
	((${#files[@]})) || { echo "no kernel-doc comment found"; return 1; }
	perl "$tool" -none -Wall -Werror "${files[@]}"
}

# docutils alone does not know Sphinx: drop its roles to the bare text and
# its directives to comments, and check all the rest strictly.
docs_plain() {
	sed -E -e 's/:(c|ref|doc|manpage|term|kernel-doc)(:[a-z]+)?:`/`/g' \
		-e 's/^(\s*)\.\. (toctree|kernel-doc|code-block|c:[a-z]+|only|index|highlight|literalinclude)::/\1.. \2/' "$1"
}

docs_rst() {
	local files f tool bad=0

	tool=$(command -v rst2html || command -v rst2html.py) ||
		{ echo "rst2html (python3-docutils) is not installed"; return 4; }
	readarray -t files < <(tree_files '*.rst')
	((${#files[@]})) || { echo "there is no documentation yet"; return 4; }
	cd "$TOP_DIR" || return 1
	for f in "${files[@]}"; do
		docs_plain "$f" | "$tool" --strict --report=1 - /dev/null 2>"$WORK/rst" ||
			{ sed "s|<stdin>|$f|" "$WORK/rst"; bad=1; }
	done
	return "$bad"
}

# Every target that 'make help' names exists.
docs_help() {
	local target

	cd "$TOP_DIR" || return 1
	make -s help | sed -n 's/^  make \([a-z]\+\) .*/\1/p' >"$WORK/targets"
	[[ -s $WORK/targets ]] || { echo "make help names no target"; return 1; }
	while read -r target; do
		grep -q "^$target:" Makefile ||
			{ echo "make help names '$target', which is not there"; return 1; }
	done <"$WORK/targets"
}

check_docs() {
	check "kernel-doc" docs_kernel_doc
	check "reStructuredText" docs_rst
	check "make help tells the truth" docs_help
}
