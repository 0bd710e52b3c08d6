# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# The modules build without a warning on Debian's kernels, sparse reports nothing, and
# they use only symbols for all GPL modules. Sourced.

# kdir_of NAME: the directory in which modules for a cached kernel are built.
kdir_of() {
	local dir

	dir=$("$VM_DIR/kernel.sh" find "$1" 2>/dev/null) ||
		{ echo "kernel $1 is not in the cache: run 'make kernels'"; return 4; }
	printf '%s\n' "$dir/kdir"
}

build_modules() {
	local kdir

	kdir=$(kdir_of "$1") || { echo "$kdir"; return 4; }
	modules_build "$1" "$kdir" >/dev/null
}

# build_modules_between NAME: the same for a kernel between the tested ones, if the mirror
# has it.
build_modules_between() {
	"$VM_DIR/kernel.sh" get "$1" >"$WORK/kernel" 2>&1 ||
		{ tail -n 1 "$WORK/kernel"; return 4; }
	build_modules "$1"
}

build_user() {
	make -j"$(nproc)" -C "$TOP_DIR/$1" OUT="$TOP_DIR/build${2:-}"
}

# gmemctl's unit tests, which need neither root nor /dev/kvm. Some are skipped without
# files from Debian's packages.
build_unit_tests() {
	"$TOP_DIR/tools/gmemctl/test/fixtures.sh" >"$WORK/fixtures" 2>&1 ||
		sed 's/^/# fixtures: /' "$WORK/fixtures"
	make -s -C "$TOP_DIR/tools/gmemctl" OUT="$TOP_DIR/build" check \
		>"$WORK/unit" 2>&1 && grep -q '^ok ' "$WORK/unit" &&
		! grep '^not ok' "$WORK/unit" && grep '^# Totals:' "$WORK/unit" && return
	grep -vE '^( *(CC|LD|AR) |ok )' "$WORK/unit"
	return 1
}

# The digests of IGVM files in the tests are those that a program without code of gmemctl
# computes.
build_igvm_vectors() {
	local tests=$TOP_DIR/tools/gmemctl/test name sha256 pages digest count=0

	need python3 || return 4
	tr -d '"\n\t ' <"$tests/igvm_test.c" >"$WORK/igvm_test"
	python3 "$tests/igvm_vectors.py" >"$WORK/igvm_vectors" || return 1
	while read -r name sha256 pages digest; do
		grep -qF "{$name,igvm_build_$name,$sha256,$pages,$digest}" \
			"$WORK/igvm_test" ||
			{ echo "igvm_test.c has another digest of $name"; return 1; }
		count=$((count + 1))
	done <"$WORK/igvm_vectors"
	((count)) && echo "# $count files"
}

# sim_calls NAME...: undefined symbols of these objects of the simulator.
sim_calls() {
	local objects=$TOP_DIR/build/gmemctl.d/selftests/sim own

	own=$(nm --defined-only "$objects"/*.o | awk 'NF == 3 { print $3 }' | sort -u)
	nm -u "$@" | awk 'NF == 2 { print $2 }' | sort -u |
		grep -vxF -e "$own" | grep -v '^_GLOBAL_OFFSET_TABLE_$'
}

# The simulator's core makes no system calls. Only process.c does, and the files that
# connect the core with gmemctl and the environment.
build_pure_core() {
	local objects=$TOP_DIR/build/gmemctl.d/selftests/sim core calls
	local allowed='calloc|free|abort|mem(cpy|set|cmp)|str(cmp|len)|s?n?printf|stderr'
	allowed+='|fprintf|fflush|fputs|strerrorname_np|json_object_.*|EVP_.*|snp_id_auth_check'
	allowed+='|hex_format|__stack_chk_fail|__f?s?n?printf_chk'

	need nm || return 4
	make -s -C "$TOP_DIR/tools/gmemctl" OUT="$TOP_DIR/build" unit-tests || return 1
	readarray -t core < <(find "$objects" -maxdepth 1 -name '*.o' ! -name process.o \
		! -name calls.o ! -name settings.o)
	((${#core[@]} > 8)) || { echo "the simulator's objects are not there"; return 1; }
	sim_calls "$objects/process.o" | grep -qx process_vm_readv ||
		{ echo "system calls are not found where they are"; return 1; }
	calls=$(sim_calls "${core[@]}" | grep -vxE "$allowed")
	[[ -z $calls ]] || { echo "the core calls: $calls"; return 1; }
}

# sparse finds a known fault in this module; otherwise sparse does not work here.
sparse_canary() {
	local dir=$WORK/canary

	mkdir -p "$dir"
	echo 'obj-m := canary.o' >"$dir/Kbuild"
	cat >"$dir/canary.c" <<-'END'
	// SPDX-License-Identifier: GPL-2.0
	#include <linux/module.h>
	#include <linux/uaccess.h>
	static int __init canary_init(void)
	{
		return *(int __user *)8;
	}
	module_init(canary_init);
	MODULE_DESCRIPTION("canary");
	MODULE_LICENSE("GPL");
	END
	make -s -C "$1" M="$dir" C=2 CHECK=sparse modules 2>&1 |
		grep -q 'canary.c.*dereference of noderef'
}

build_sparse() {
	local kdir dir

	need sparse || return 4
	kdir=$(kdir_of "$1") || { echo "$kdir"; return 4; }
	sparse_canary "$kdir" ||
		{ echo "sparse does not find a planted fault on $1"; return 1; }
	dir=$TOP_DIR/build/sparse-$1
	hold "sparse-$1"
	modules_copy "$dir"
	modules_make "$dir" "$kdir" C=2 CHECK=sparse >"$WORK/sparse" 2>&1 ||
		{ cat "$WORK/sparse"; return 1; }
	! grep -E 'warning:|error:' "$WORK/sparse" | sort | uniq -c
}

# Undefined symbols of our modules are exported by the kernel or by one of our modules,
# and not reserved for other modules.
build_symbols() {
	local kdir dir

	kdir=$(kdir_of "$1") || { echo "$kdir"; return 4; }
	dir=$(modules_build "$1" "$kdir" 2>/dev/null) || return 1
	nm -u "$dir"/*.ko "$dir/$MODULES_EXAMPLE"/*.ko | awk '$1 == "U" { print $2 }' | sort -u >"$WORK/used"
	[[ -s $WORK/used ]] || { echo "no symbol found: nothing was built?"; return 1; }
	awk -F '\t' -v names="$WORK/used" '
	{ known[$2] = 1; ns[$2] = $5 }
	END {
		while ((getline name < names) > 0) {
			if (!(name in known)) {
				print name ": not exported"; bad = 1
			} else if (ns[name] ~ /^module:/) {
				print name ": only for " ns[name]; bad = 1
			}
		}
		exit bad
	}' "$kdir/Module.symvers" "$dir/Module.symvers"
}

build_version() {
	local kbuild dkms

	kbuild=$(sed -n 's/.*(or $(GMEM_VERSION),\([0-9.]*\)).*/\1/p' "$TOP_DIR/Kbuild")
	dkms=$(sed -n 's/^PACKAGE_VERSION="\(.*\)"$/\1/p' "$TOP_DIR/dkms.conf")
	[[ -n $kbuild && $kbuild == "$dkms" ]] ||
		{ echo "Kbuild says '$kbuild', dkms.conf says '$dkms'"; return 1; }
}

# The modules that dkms installs, make uninstall removes, and README.rst signs are those
# that are built without the tests.
build_module_names() {
	local name

	sed '/^ifdef GMEM_TEST$/,$d' "$TOP_DIR/Kbuild" |
		sed -n 's/^obj-.*[+:]= \([a-z_]*\)\.o$/\1/p' | sort >"$WORK/modules"
	[[ -s $WORK/modules ]] || { echo "no module found in Kbuild"; return 1; }
	sed -n 's/^\s*BUILT_MODULE_NAME\[.*\]="\(.*\)"$/\1/p' "$TOP_DIR/dkms.conf" | sort |
		diff --label Kbuild --label dkms.conf -u "$WORK/modules" - || return 1
	while read -r name; do
		grep -q "/updates/$name\.ko\*" "$TOP_DIR/Makefile" ||
			{ echo "make uninstall leaves $name"; return 1; }
		grep -q "^    for module in .*\b$name\b" "$TOP_DIR/README.rst" ||
			{ echo "README.rst does not sign $name"; return 1; }
	done <"$WORK/modules"
}

# The tools come from the mirror, see arm64.sh; without them the check is skipped.
build_arm64_tools() {
	arm64_get >/dev/null 2>&1 ||
		{ echo "no cross compiler for arm64 to be had from the mirror"; return 4; }
}

# build_arm64_modules NAME [ARG...]
build_arm64_modules() {
	local kdir dir args path

	build_arm64_tools || return 4
	kdir=$("$VM_DIR/kernel.sh" get "$1" 2>"$WORK/kernel") ||
		{ tail -n 1 "$WORK/kernel"; return 4; }
	dir=$TOP_DIR/build/check-$1
	path=$(arch_path "$1")
	read -r -a args < <(arch_kbuild "$1")
	hold "check-$1"
	modules_copy "$dir"
	PATH=$path modules_make "$dir" "$kdir/kdir" "${args[@]}" "${@:2}" || return 1
	[[ -e $dir/gmem.ko && -e $dir/pvmemcontrol.ko && ! -e $dir/gmem_kvm.ko ]] ||
		{ echo "expected gmem.ko, pvmemcontrol.ko and no gmem_kvm.ko"; return 1; }
}

# build_arm64_user FOLDER OUT
build_arm64_user() {
	local root path

	build_arm64_tools || return 4
	root=$(arm64_get)/sysroot
	path=$(arch_path arm64-6.12)
	PATH=$path PKG_CONFIG_SYSROOT_DIR=$root \
		PKG_CONFIG_LIBDIR=$root/usr/lib/aarch64-linux-gnu/pkgconfig \
		make -j"$(nproc)" -C "$TOP_DIR/$1" CC="$(arch_cc arm64-6.12)" \
		AR=aarch64-linux-gnu-ar OUT="$TOP_DIR/build/$2"
}

check_arm64() {
	check "arm64: modules on 6.12, W=1 -Werror" build_arm64_modules arm64-6.12
	# A kernel that was not compiled exports no symbols.
	check "arm64: modules on 7.3, W=1 -Werror" build_arm64_modules arm64-7.3 \
		KBUILD_MODPOST_WARN=1
	check "arm64: gmemctl builds" build_arm64_user tools/gmemctl arm64
	check "arm64: pvmemctl builds" build_arm64_user tools/pvmemctl arm64
	check "arm64: selftests build" build_arm64_user selftests selftests-arm64
}

check_build() {
	local k

	for k in stock-6.12 stock-7.3; do
		check "modules on $k, W=1 -Werror" build_modules "$k"
	done
	check "modules on 7.2, W=1 -Werror" build_modules_between stock-7.2
	check "gmemctl builds" build_user tools/gmemctl
	check "pvmemctl builds" build_user tools/pvmemctl
	check "gmemctl's unit tests" build_unit_tests
	check "digests of IGVM files" build_igvm_vectors
	check "the simulator's core is pure" build_pure_core
	check "selftests build" build_user selftests /selftests
	check "sparse on stock-6.12" build_sparse stock-6.12
	check "symbols on stock-6.12" build_symbols stock-6.12
	check "symbols on stock-7.3" build_symbols stock-7.3
	check "one version" build_version
	check "all modules are installed" build_module_names
	check_arm64
}
