# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# Debian packages from the machine's own suites, or from another suite on the same mirror,
# without root and without a change of the machine's configuration. Uses private apt lists
# in the cache, whose sources are the machine's own entries with the suite replaced. If
# APT_ARCH is set, packages are those of another architecture, and none counts as
# installed. Sourced.

OS_CODENAME=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")

apt_is_own_suite() {
	case $1 in
	"$OS_CODENAME" | "$OS_CODENAME"-updates | "$OS_CODENAME"-security | \
	"$OS_CODENAME"-backports | "$OS_CODENAME/updates")
		return 0 ;;
	esac
	return 1
}

# The stanzas of a deb822 file with this release, with Suites replaced by the wanted one
# ("own": unchanged, but only Debian's suites).
apt_derive_deb822() {
	awk -v code="$OS_CODENAME" -v want="$1" '
	BEGIN { RS = ""; FS = "\n" }
	function words(text, list) { return split(text, list, /[ \t]+/) }
	{
		types = suites = comps = ""; off = 0; key = ""; keep = ""
		for (i = 1; i <= NF; i++) {
			if ($i ~ /^#/)
				continue
			if ($i !~ /^[ \t]/) {
				key = tolower($i); sub(/:.*/, "", key)
				val = $i; sub(/^[^:]*:[ \t]*/, "", val)
			} else {
				val = $i; sub(/^[ \t]+/, "", val)
			}
			if (key == "types") types = types " " val
			else if (key == "suites") suites = suites " " val
			else if (key == "components") comps = comps " " val
			else keep = keep $i "\n"
			if (key == "enabled" && tolower(val) == "no") off = 1
		}
		if (off || (" " types " ") !~ / deb / || (" " comps " ") !~ / main /)
			next
		n = words(suites, s); has = 0; own = ""
		for (i = 1; i <= n; i++) {
			if (s[i] == code) has = 1
			if (s[i] == code || s[i] == code "-updates" ||
			    s[i] == code "-security" || s[i] == code "-backports")
				own = own " " s[i]
		}
		if (want == "own" && own != "")
			printf "Types: deb\nSuites:%s\nComponents: main\n%s\n", own, keep
		else if (want != "own" && has)
			printf "Types: deb\nSuites: %s\nComponents: main\n%s\n", want, keep
	}' "$2"
}

# The same for one-line entries: deb [options] URI suite component...
apt_derive_list() {
	local line opts rest uri suite comps

	while read -r line; do
		[[ $line =~ ^deb[[:space:]]+(\[[^]]*\])?[[:space:]]*(.*)$ ]] || continue
		opts=${BASH_REMATCH[1]}
		rest=${BASH_REMATCH[2]%%#*}
		read -r uri suite comps <<<"$rest"
		[[ " $comps " == *" main "* ]] || continue
		if [[ $1 == own ]]; then
			apt_is_own_suite "$suite" && echo "deb $opts $uri $suite main"
		elif [[ $suite == "$OS_CODENAME" ]]; then
			echo "deb $opts $uri $1 main"
		fi
	done <"$2"
	return 0
}

apt_write_sources() {
	local suite=$1 dir=$2 file n=0

	rm -rf "$dir"
	mkdir -p "$dir"
	for file in /etc/apt/sources.list.d/*.sources; do
		[[ -r $file ]] || continue
		n=$((n + 1))
		apt_derive_deb822 "$suite" "$file" >"$dir/$n.sources"
		[[ -s $dir/$n.sources ]] || rm "$dir/$n.sources"
	done
	for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
		[[ -r $file ]] || continue
		n=$((n + 1))
		apt_derive_list "$suite" "$file" >"$dir/$n.list"
		[[ -s $dir/$n.list ]] || rm "$dir/$n.list"
	done
	[[ -n $(ls -A "$dir") ]] ||
		die "apt: no Debian source with component main for" \
			"'$OS_CODENAME' in /etc/apt, so $suite cannot be reached"
}

# apt_dir SUITE: the directory of the lists.
apt_dir() {
	printf '%s\n' "$CACHE_DIR/apt/$1${APT_ARCH:+-$APT_ARCH}"
}

# apt_foreign ARCH: prints ARCH, or nothing if it is this machine's own.
apt_foreign() {
	[[ $1 == "$(dpkg --print-architecture)" ]] || printf '%s\n' "$1"
}

# apt_private SUITE TOOL ARGS...: run apt-get or apt-cache with SUITE's lists.
apt_private() {
	local dir tool=$2 arch=()

	dir=$(apt_dir "$1")
	shift 2
	[[ -z ${APT_ARCH:-} ]] || arch=(-o APT::Architecture="$APT_ARCH"
		-o APT::Architectures="$APT_ARCH" -o Dir::State::status=/dev/null)
	"$tool" -q "${arch[@]}" -o Dir::Etc::SourceList=/dev/null \
		-o Dir::Etc::SourceParts="$dir/sources" \
		-o Dir::State::Lists="$dir/lists" \
		-o Dir::Cache="$dir/cache" \
		-o Acquire::Retries=3 -o Acquire::Languages=none \
		-o APT::Sandbox::User=root "$@"
}

# apt_refresh SUITE: update lists that are older than a day.
apt_refresh() {
	local dir log

	dir=$(apt_dir "$1")
	log=$dir.log
	[[ -n $(find "$dir/stamp" -mmin -1440 2>/dev/null) ]] && return
	mkdir -p "$dir/lists/partial" "$dir/cache/archives/partial"
	apt_write_sources "$1" "$dir/sources"
	watch_log "package lists of $1" "$log" apt_private "$1" apt-get update ||
		die "apt: the lists of $1 could not be fetched; is the mirror" \
			"named in /etc/apt reachable?"
	touch "$dir/stamp"
}

# resolve KEY COMMAND...: the output of COMMAND, cached.
resolve() {
	local file=$CACHE_DIR/resolved/$1 answer

	shift
	if [[ -s $file && -z ${REFRESH:-} ]]; then
		cat "$file"
		return
	fi
	answer=$("$@")
	[[ -n $answer ]] || return 1
	mkdir -p "$CACHE_DIR/resolved"
	printf '%s\n' "$answer" >"$file.$$"
	mv "$file.$$" "$file"
	printf '%s\n' "$answer"
}

# apt_newest SUITE REGEX: the package with the highest version whose name matches.
apt_newest() {
	apt_refresh "$1"
	apt_private "$1" apt-cache search --names-only "$2" |
		awk '{ print $1 }' | sort -V | tail -n 1
}

apt_version() {
	apt_refresh "$1"
	apt_private "$1" apt-cache show --no-all-versions "$2" 2>/dev/null |
		sed -n 's/^Version: //p' | head -n 1
}

# apt_closure SUITE PACKAGE...: "PACKAGE VERSION" for these packages and all dependencies.
apt_closure() {
	local suite=$1

	shift
	apt_refresh "$suite"
	apt_private "$suite" apt-get -o Dir::State::status=/dev/null -s install \
		--no-install-recommends "$@" 2>/dev/null |
		awk '$1 == "Inst" { print $2, substr($3, 2) }'
}

# apt_cached PACKAGE VERSION: path of its .deb, if it is in the cache.
apt_cached() {
	find "$CACHE_DIR/deb" -maxdepth 1 \( -name "$1_${2//:/%3a}_all.deb" -o \
		-name "$1_${2//:/%3a}_${APT_ARCH:-$(dpkg --print-architecture)}.deb" \) \
		2>/dev/null | head -n 1
}

# apt_fetch_all SUITE: fetch the .debs of all input lines "PACKAGE VERSION" into the cache
# by a single call of apt-get, because each call reads the lists for seconds.
apt_fetch_all() {
	local part=$CACHE_DIR/deb/part.$$ package version want=()

	while read -r package version; do
		[[ -n $(apt_cached "$package" "$version") ]] || want+=("$package=$version")
	done
	((${#want[@]})) || return 0
	apt_refresh "$1"
	mkdir -p "$part"
	(cd "$part" && watch_log "fetching ${want[0]%%=*}, ${#want[@]} packages" \
		"$CACHE_DIR/apt/fetch.log" \
		apt_private "$1" apt-get download "${want[@]}") ||
		{ rm -rf "$part"; return 1; }
	find "$part" -name '*.deb' -exec mv {} "$CACHE_DIR/deb/" \;
	rmdir "$part"
}

# apt_fetch SUITE PACKAGE VERSION: print the path of the .deb in the cache.
apt_fetch() {
	local file

	file=$(apt_cached "$2" "$3")
	if [[ -z $file ]]; then
		apt_fetch_all "$1" <<<"$2 $3" ||
			die "apt: package $2 $3 could not be fetched from $1"
		file=$(apt_cached "$2" "$3")
	fi
	printf '%s\n' "$file"
}
