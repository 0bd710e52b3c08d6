# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# Documentation, and comments that are documentation. Sourced.

# kernel-doc of the newest source tree in which it is a single Perl script.
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

# docutils does not know Sphinx: replace its roles by plain text and its directives by
# comments, and check all the rest strictly.
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

# Source files that a page names, relative to the top or to gmemctl's directory, exist.
docs_files() {
	local ours page name count=0 bad=0

	cd "$TOP_DIR" || return 1
	ours=module\|uapi\|tools\|selftests$(printf '|%s' tools/gmemctl/*/)
	ours=${ours//tools\/gmemctl\/} ours=${ours//\/}
	while IFS=: read -r page name; do
		count=$((count + 1))
		compgen -G "$name" >/dev/null || compgen -G "tools/gmemctl/$name" >/dev/null ||
			{ echo "$page: there is no $name"; bad=1; }
	done < <(grep -HoE "\`\`(${ours})/[a-z0-9_./*-]+\.(c|h|sh)\`\`" README.rst \
		tools/gmemctl/README.rst Documentation/*.rst Documentation/man/*.rst | tr -d '\`')
	((count > 50)) || { echo "only $count names were found"; return 1; }
	return "$bad"
}

# Every target in 'make help' exists.
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

# Build the installed manual pages, without a warning of rst2man or man.
docs_man_pages() {
	local page bad=0

	{ need man && { need rst2man || need rst2man.py; }; } || return 4
	cd "$TOP_DIR" || return 1
	make -s man BUILD="$WORK/man" || return 1
	for page in "$WORK"/man/man/*.[148]; do
		[[ -s $page ]] || { echo "no manual page was built"; return 1; }
		LC_ALL=C.UTF-8 MANROFFSEQ='' MANWIDTH=80 man --warnings \
			-E UTF-8 -l -Tutf8 -Z "$page" 2>&1 >/dev/null |
			sed "s|^|$(basename "$page"): |"
		[[ ${PIPESTATUS[0]} == 0 ]] || bad=1
	done >"$WORK/man.warnings"
	cat "$WORK/man.warnings"
	[[ ! -s $WORK/man.warnings ]] && ((!bad))
}

# The path of each page, which contains its section.
docs_man_expected() {
	local page section

	for page in Documentation/man/*.rst; do
		section=$(sed -n 's/^:Manual section: //p' "$page")
		echo "./man$section/$(basename "$page" .rst).$section"
	done
}

# make install installs all pages, and make uninstall removes them.
docs_man_install() {
	local root=$WORK/man.root

	need rst2man || need rst2man.py || return 4
	cd "$TOP_DIR" || return 1
	make -s man BUILD="$WORK/man" || return 1
	make -s install-man BUILD="$WORK/man" DESTDIR="$root" PREFIX=/usr || return 1
	docs_man_expected | sort >"$WORK/man.expected"
	(cd "$root/usr/share/man" && find . -type f) | sort | diff "$WORK/man.expected" - || return 1
	make -s uninstall-man BUILD="$WORK/man" DESTDIR="$root" PREFIX=/usr || return 1
	! find "$root" -type f | grep .
}

# Long options in a text.
docs_options() {
	grep -oE -- '--[a-z][a-z0-9-]*' | sort -u
}

# docs_help_of COMMAND: the help of a command and of its sub-commands.
docs_help_of() {
	local name

	build/gmemctl help ${1:+"$1"}
	build/gmemctl help ${1:+"$1"} | grep -q ' SUB-COMMAND. explains ' || return 0
	build/gmemctl __complete "$1" '' | while read -r name; do
		build/gmemctl help "$1" "$name"
	done
}

# docs_compare_options HELP_ARGUMENT PAGE: the page has exactly the options of the help.
# Its examples may have others.
docs_compare_options() {
	local page=Documentation/man/$2.rst

	[[ -e $page ]] || { echo "$page is missing"; return 1; }
	docs_help_of "$1" | docs_options >"$WORK/options.help"
	sed '/^EXAMPLES$/,$d' "$page" | docs_options >"$WORK/options.page"
	diff --label "gmemctl help $1" --label "$page" -u "$WORK/options.help" \
		"$WORK/options.page" && return
	return 1
}

# Each command has a page, and each page a command; the same for options.
docs_man_commands() {
	local name bad=0

	cd "$TOP_DIR" || return 1
	make -s -C tools/gmemctl OUT="$TOP_DIR/build" >/dev/null || return 1
	build/gmemctl help | sed -n 's/^  \([a-z][a-z-]*\) .*/gmemctl-\1/p' |
		sort >"$WORK/man.commands"
	[[ -s $WORK/man.commands ]] || { echo "gmemctl help names no command"; return 1; }
	find Documentation/man -printf '%f\n' | sed -n 's/^\(gmemctl-.*\)\.rst$/\1/p' | sort |
		diff --label "gmemctl help" --label Documentation/man -u \
			"$WORK/man.commands" - || bad=1
	docs_compare_options "" gmemctl || bad=1
	while read -r name; do
		docs_compare_options "${name#gmemctl-}" "$name" || bad=1
		grep -qF "**$name**" Documentation/man/gmemctl.rst ||
			{ echo "Documentation/man/gmemctl.rst does not name $name"; bad=1; }
	done <"$WORK/man.commands"
	return "$bad"
}

# gmemctl trace knows each tracepoint of the modules, and its page has the names of the
# events.
docs_trace_events() {
	local name word table=tools/gmemctl/trace/describe.c page=Documentation/man/gmemctl-trace.rst bad=0

	cd "$TOP_DIR" || return 1
	sed -nE 's/^TRACE_EVENT\((\w+),$/\1/p; s/^DEFINE_EVENT\(\w+, (\w+),$/\1/p' \
		module/trace.h module/pvmemcontrol/trace.h >"$WORK/tracepoints"
	(($(wc -l <"$WORK/tracepoints") > 10)) || { echo "no tracepoints found"; return 1; }
	while read -r name; do
		word=$(sed -nE "s/^.*\"$name\", \"(\\w+)\",.*/\1/p" "$table")
		[[ $word ]] || { echo "$table: $name is missing"; bad=1; continue; }
		grep -qE "^([a-z_]+, )?$word\b" "$page" || { echo "$page: $word is missing"; bad=1; }
	done <"$WORK/tracepoints"
	return "$bad"
}

# pvmemctl's page has all of its options and commands.
docs_man_pvmemctl() {
	local page=Documentation/man/pvmemctl.rst name bad=0

	cd "$TOP_DIR" || return 1
	make -s -C tools/pvmemctl OUT="$TOP_DIR/build" >/dev/null || return 1
	build/pvmemctl --help >"$WORK/pvmemctl.help" || return 1
	docs_options <"$WORK/pvmemctl.help" >"$WORK/options.help"
	sed '/^EXAMPLES$/,$d' "$page" | docs_options |
		diff --label "pvmemctl --help" --label "$page" -u "$WORK/options.help" - || bad=1
	sed -n 's/^  \([a-z][a-z]*\) .*/\1/p' "$WORK/pvmemctl.help" >"$WORK/pvmemctl.commands"
	[[ -s $WORK/pvmemctl.commands ]] || { echo "pvmemctl --help names no command"; return 1; }
	while read -r name; do
		sed -n '/^COMMANDS$/,/^OPTIONS$/p' "$page" | grep -qE "^([a-z]+, )?$name\b" ||
			{ echo "$page: the command $name is missing"; bad=1; }
	done <"$WORK/pvmemctl.commands"
	return "$bad"
}

# The simulator's page has all settings, and their possible values.
docs_simulator() {
	local source=selftests/sim/settings.c page=Documentation/gmemctl-sim.rst name bad=0

	cd "$TOP_DIR" || return 1
	sed -n 's/^\t{ "\([A-Z_]*\)", parse_.*/GMEMCTL_SIM_\1/p' "$source" >"$WORK/settings"
	[[ -s $WORK/settings ]] || { echo "no setting found in $source"; return 1; }
	while read -r name; do
		grep -qF "\`\`$name\`\`" "$page" ||
			{ echo "$page: $name is missing"; bad=1; }
	done <"$WORK/settings"
	grep -o 'GMEMCTL_SIM_[A-Z_]*' "$page" | sort -u | while read -r name; do
		grep -qx "$name" "$WORK/settings" || echo "$page: no such setting: $name"
	done >"$WORK/settings.unknown"
	[[ ! -s $WORK/settings.unknown ]] || { cat "$WORK/settings.unknown"; bad=1; }
	while read -r name; do
		grep -qF "\`\`$name" "$page" Documentation/gmemctl-realm.rst ||
			{ echo "$page: the value $name is missing"; bad=1; }
	done < <(sed -n 's/^\t*{ "\([a-z-]*\)", [&K].*/\1/p' "$source"
		grep -o '\] = "[a-z-]*"' "$source" | cut -d'"' -f2)
	return "$bad"
}

# Code in a page, indented by one tab, is a part of the file that a comment before it names:
#   .. quoted: examples/gmem_client.h
docs_quoted() {
	local page count=0 bad=0

	for page in "$TOP_DIR"/Documentation/*.rst; do
		perl -0777 -e '
			my ($dir, $page) = @ARGV;
			open my $in, "<", $page or die; my $text = <$in>; my $bad = 0;
			while ($text =~ /^\.\. quoted: (\S+)\n\n::\n\n((?:\t.*\n|\n(?=\n*\t))+)/mg) {
				my ($file, $code) = ($1, $2); $code =~ s/^\t//mg; print "quoted\n";
				open my $f, "<", "$dir/$file" or die "$file: $!"; my $all = <$f>;
				next if index($all, $code) >= 0;
				my ($line) = $code =~ /(.*)/;
				print STDERR "$page: not in $file as it is: $line\n"; $bad = 1;
			}
			my $said = () = $text =~ /^\.\. quoted: /mg;
			print STDERR "$page: a quotation is not a block\n" if $said != (() = $text =~ /^\.\. quoted: \S+\n\n::\n\n\t/mg);
			exit($bad || $said != (() = $text =~ /^\.\. quoted: \S+\n\n::\n\n\t/mg));
		' "$TOP_DIR/Documentation" "$page" >>"$WORK/quoted" || bad=1
	done
	count=$(wc -l <"$WORK/quoted")
	echo "# $count pieces of code are what the examples have"
	((count > 5)) || { echo "there are more than that"; return 1; }
	return "$bad"
}

# Replace what differs from run to run: keys and times. Join lines, which are wrapped in
# pages.
docs_transcript_plain() {
	sed -E -e 's/(_key_digest +)[0-9a-f]{96}/\1KEY/' -e 's/[0-9]+ (us|ms)\b/N \1/g' "$@" |
		tr -s ' \n' ' '
}

# docs_transcript_match IS SAYS: "..." in SAYS matches any text.
docs_transcript_match() {
	local is=$1 says=$2 before='' part

	while [[ $says == *...* ]]; do
		part=${says%%...*}
		says=${says#*...}
		# $before is empty for the first part, and a glob for others.
		# shellcheck disable=SC2053
		[[ $is == $before"$part"* ]] || return 1
		# shellcheck disable=SC2295
		is=${is#$before"$part"}
		before='*'
	done
	# shellcheck disable=SC2053
	[[ $is == $before"$says" ]]
}

# docs_transcript_run DIR: run all commands one after another in a single shell.
docs_transcript_run() {
	local i how

	cd "$1" || return 1
	PATH=$TOP_DIR/build:$PATH
	for ((i = 1; ; i++)); do
		[[ -e $i.run ]] || break
		how=$(<"$i.how")
		# shellcheck disable=SC1090
		if [[ " $how " == *" simulator "* ]]; then
			(export LD_PRELOAD=$PWD/build/gmemctl-sim.so; . "./$i.run")
		else
			. "./$i.run"
		fi >"$i.out" 2>"$i.err" || true
	done
}

# docs_transcript_files DIR: get files that the commands need from the cache.
docs_transcript_files() {
	local fixtures=${GMEM_SNP_FIXTURES:-$CACHE_DIR/snp} file from

	for file in $(cat "$1"/*.how | tr ' ' '\n' | sort -u); do
		case $file in
		run | simulator) continue ;;
		OVMF.fd) from=OVMF-trixie.fd ;;
		*) from=$file ;;
		esac
		cp "$fixtures/$from" "$1/$file" 2>/dev/null ||
			{ echo "$from is not in the cache: see tools/gmemctl/test/fixtures.sh"; return 4; }
	done
}

# docs_transcript_page PAGE DIR: returns 4 if a file is missing.
docs_transcript_page() {
	local page=$1 dir=$2 i says is bad=0

	mkdir -p "$dir/build"
	cp "$TOP_DIR/build/gmemctl-sim.so" "$dir/build" || return 1
	transcript_split "$page" "$dir" run >"$dir/unmarked"
	[[ ! -s $dir/unmarked ]] || { cat "$dir/unmarked"; bad=1; }
	[[ -e $dir/1.run ]] || return "$bad"
	docs_transcript_files "$dir" || return
	(docs_transcript_run "$dir")
	for ((i = 1; ; i++)); do
		[[ -e $dir/$i.run ]] || break
		says=$(docs_transcript_plain "$dir/$i.says")
		is=$(docs_transcript_plain "$dir/$i.out" "$dir/$i.err")
		# "..." matches any text.
		docs_transcript_match "$is" "$says" || {
			echo "${page#"$TOP_DIR/"}: $(cat "$dir/$i.run"): the page says $says," \
				"but it is: $is"
			bad=1
		}
	done
	return "$bad"
}

# Each command in a page prints what the page says, or the page has the reason why it is
# not run.
docs_transcript() {
	local page dir rc run bad=0 missing=0

	need openssl || return 4
	make -s -C "$TOP_DIR/tools/gmemctl" OUT="$TOP_DIR/build" all sim >/dev/null || return 1
	for page in "$TOP_DIR"/Documentation/*.rst "$TOP_DIR"/Documentation/man/*.rst \
		"$TOP_DIR/README.rst"; do
		dir=$WORK/transcript/$(tr / _ <<<"${page#"$TOP_DIR/"}")
		rc=0
		docs_transcript_page "$page" "$dir" >"$WORK/transcript.says" || rc=$?
		cat "$WORK/transcript.says"
		case $rc in
		0) ;;
		4) missing=4 ;;
		*) bad=1 ;;
		esac
	done
	run=$(find "$WORK/transcript" -name '*.out' | wc -l)
	echo "# $run commands were run"
	cat "$WORK"/transcript/*/elsewhere 2>/dev/null | awk '
		/^vm/ { vm++; next }
		{ none++ }
		END { printf "# %d are run in a VM, by transcript_test\n# %d need more\n", vm, none }'
	((run && !bad)) || return 1
	return "$missing"
}

# The example expectations are accepted: only the report is refused.
docs_expectations() {
	local file says count=0 bad=0

	cd "$TOP_DIR" || return 1
	make -s -C tools/gmemctl OUT="$TOP_DIR/build" >/dev/null || return 1
	for file in Documentation/examples/snp-verify/*.json; do
		says=$(build/gmemctl snp verify /dev/null --expect "$file" 2>&1)
		[[ $says == *"/dev/null: parse report"* ]] || { echo "$file: $says"; bad=1; }
		grep -qF "$(basename "$file")" Documentation/gmemctl-snp.rst ||
			{ echo "Documentation/gmemctl-snp.rst does not name $file"; bad=1; }
		count=$((count + 1))
	done
	((count >= 4)) || { echo "only $count files are there"; return 1; }
	return "$bad"
}

check_docs() {
	check "kernel-doc" docs_kernel_doc
	check "reStructuredText" docs_rst
	check "named sources are there" docs_files
	check "manual pages build" docs_man_pages
	check "manual pages are installed" docs_man_install
	check "manual pages have all commands and options" docs_man_commands
	check "gmemctl trace knows all tracepoints" docs_trace_events
	check "pvmemctl's page has all commands and options" docs_man_pvmemctl
	check "the simulator's settings are documented" docs_simulator
	check "make help tells the truth" docs_help
	check "the printed examples are true" docs_transcript
	check "quoted code is in the examples" docs_quoted
	check "examples of expectations are taken" docs_expectations
}
