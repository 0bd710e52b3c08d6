# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# The initramfs of a test VM, built in a staging directory: init, a shell if busybox is
# installed, modules where libkmod finds them, gmemctl with its libraries, the selftests.
# Sourced, after arch.sh and programs.sh.

# Modules of Debian's kernel: hypervisor, disks. In kernels built here they are built in.
STOCK_MODULES=(kvm kvm-amd kvm-intel virtio_blk null_blk loop)

# stage_init STAGE [KERNEL]
stage_init() {
	local stage=$1 path

	path=$(arch_path "${2:-}") || return 1
	mkdir -p "$stage"/{dev,proc,sys,tmp,etc,root,bin,sbin,usr/bin,usr/sbin,selftests}
	PATH=$path "$(arch_cc "${2:-}")" -D_GNU_SOURCE -std=gnu11 -O2 -Wall -Wextra -Werror -static \
		-o "$stage/init" "$VM_DIR"/init/*.c || return 1
	if [[ -x /bin/busybox && -z $(apt_foreign "$(arch_of "${2:-}")") ]]; then
		cp /bin/busybox "$stage/bin/busybox"
		"$stage/bin/busybox" --list | while read -r applet; do
			[[ $applet == busybox ]] || ln -s busybox "$stage/bin/$applet"
		done
	fi
	: >"$stage/etc/modules"
	mkdir "$stage/etc/programs"
	: >"$stage/etc/programs/two"
	: >"$stage/etc/programs/count"
}

# stage_libraries STAGE FILE: the libraries of a program or library.
stage_libraries() {
	local stage=$1 lib

	ldd "$2" 2>/dev/null | grep -o '/[^ ]*' | while read -r lib; do
		mkdir -p "$stage$(dirname "$lib")"
		cp -Ln "$lib" "$stage$lib"
	done
}

stage_program() {
	local stage=$1 file=$2 dest=$3

	mkdir -p "$stage/$(dirname "$dest")"
	cp "$file" "$stage/$dest"
	stage_libraries "$stage" "$file"
}

# stage_stock_modules STAGE KERNEL_DIR RELEASE NAME...: these modules and their
# dependencies. Debian's are compressed; every kernel loads uncompressed ones.
stage_stock_modules() {
	local stage=$1 dir=$2 release=$3 path

	rm -rf "$stage.all"
	mkdir -p "$stage.all/lib/modules"
	ln -s "$dir/modules" "$stage.all/lib/modules/$release"
	if [[ ! -e $dir/modules/modules.dep ]]; then
		depmod -b "$stage.all" "$release"
	fi
	for path in "${@:4}"; do
		modprobe -d "$stage.all" -S "$release" --show-depends "$path"
	done 2>/dev/null | awk '$1 == "insmod" { print $2 }' | awk '!seen[$0]++' |
		sed "s|^.*/lib/modules/$release/||" | while read -r path; do
		mkdir -p "$stage/lib/modules/$release/$(dirname "$path")"
		case $path in
		*.xz) xz -dc "$dir/modules/$path" ;;
		*.zst) zstd -qdc "$dir/modules/$path" ;;
		*) cat "$dir/modules/$path" ;;
		esac >"$stage/lib/modules/$release/${path%.[xz]*}"
		echo "dep /lib/modules/$release/${path%.[xz]*}" >>"$stage/etc/modules"
	done
	rm -rf "$stage.all"
}

# stage_modules STAGE KERNEL_DIR MODULES_DIR: in the order of insertion.
stage_modules() {
	local stage=$1 dir=$2 own=$3 release ko
	read -r release <"$dir/release"

	mkdir -p "$stage/lib/modules/$release/updates"
	if [[ -d $dir/modules ]]; then
		cp "$dir"/modules/modules.{order,builtin,builtin.modinfo} \
			"$stage/lib/modules/$release/"
		stage_stock_modules "$stage" "$dir" "$release" "${STOCK_MODULES[@]}"
	fi
	for ko in gmem.ko gmem_kvm.ko gmem_test.ko pvmemcontrol.ko pvmemcontrol_test.ko; do
		[[ -n $own && -e $own/$ko ]] || continue
		cp "$own/$ko" "$stage/lib/modules/$release/updates/"
		echo "own /lib/modules/$release/updates/$ko" >>"$stage/etc/modules"
	done
	# The test loads it.
	if [[ -n $own && -e $own/$MODULES_EXAMPLE/minihyp.ko ]]; then
		cp "$own/$MODULES_EXAMPLE/minihyp.ko" "$stage/lib/modules/$release/updates/"
	fi
	# Kernels built here have no lists of built-in modules, which are not needed.
	depmod -b "$stage" "$release" 2>&1 |
		grep -v 'modules\.\(order\|builtin\)' >&2 || true
}

# stage_left_out STAGE DIR PATTERN: programs that do not exist for an architecture are
# skipped there, and counted. Runs after stage_guest, because they need no guest.
stage_left_out() {
	local stage=$1 dir=$2 pattern=$3 file name

	[[ -x $dir/left_out ]] || return 0
	for file in "$TOP_DIR"/selftests/*_test.{c,sh}; do
		name=$(basename "${file%.*}")
		[[ ! -e $stage/selftests/$name ]] || continue
		program_matches "$name" "$pattern" || continue
		cp "$dir/left_out" "$stage/selftests/$name"
	done
}

# stage_kind STAGE KIND NAME FILE LINE: list FILE if the source NAME has such a LINE.
stage_kind() {
	! grep -q "^$5" "$TOP_DIR/selftests/$3".* ||
		basename "$4" >>"$1/etc/programs/$2"
}

# stage_transcripts STAGE: the commands that pages show for a VM, in a directory for each
# page.
stage_transcripts() {
	local page dir

	for page in "$TOP_DIR"/Documentation/{,man/}*.rst; do
		grep -q '^ *\.\. transcript: vm\>' "$page" || continue
		dir=$1/selftests/transcripts/$(basename "$page" .rst)
		mkdir -p "$dir"
		transcript_split "$page" "$dir" vm >/dev/null
	done
}

# stage_selftests STAGE DIR PATTERN: programs whose topic matches, and lists of those
# whose source says that they need two CPUs, or count instructions.
stage_selftests() {
	local stage=$1 dir=$2 pattern=$3 file name found=0

	for file in "$dir"/*_test "$TOP_DIR"/selftests/*_test.sh; do
		[[ -x $file ]] || continue
		# Scripts need a shell, and are left out on another architecture, like
		# programs for x86.
		[[ $file != *.sh || ! -x $dir/left_out ]] || continue
		name=$(basename "$file" .sh)
		# Skip old programs whose source has been removed.
		[[ $file == *.sh || -e $TOP_DIR/selftests/$name.c ]] || continue
		program_matches "$name" "$pattern" || continue
		cp "$file" "$stage/selftests/"
		[[ $name != transcript_test ]] || stage_transcripts "$stage"
		stage_kind "$stage" two "$name" "$file" 'KSFT_NEEDS_CPUS(2)'
		stage_kind "$stage" count "$name" "$file" 'KSFT_COUNTS()'
		found=1
	done
	((found))
}

# staged_kinds STAGE: the kinds of staged programs, or "one" if there are none.
staged_kinds() {
	local all two count

	all=$(find "$1/selftests" -name '*_test*' | wc -l)
	two=$(wc -l <"$1/etc/programs/two")
	count=$(wc -l <"$1/etc/programs/count")
	((all && all == two + count)) || echo one
	((!count)) || echo count
	((!two)) || echo two
}

# guest_modules KERNEL_DIR NAME: build the guest's modules for the kernel NAME, and print
# their directory.
guest_modules() {
	local build

	build=$TOP_DIR/build/guest-$(readlink -f "$1" | sha256sum | cut -c1-8)
	modules_build_guest "$2" "$build" "$1/kdir" || return 1
	printf '%s\n' "$build"
}

# stage_guest_convert ROOT KERNEL_DIR NAME: the programs and modules that convert memory
# in a guest with the kernel NAME.
stage_guest_convert() {
	local build

	build=$(guest_modules "$2" "$3") || return 1
	cp "$build"/gmem_guest{,_test}.ko "$1/"
	cc -D_GNU_SOURCE -std=gnu11 -O2 -Wall -Wextra -Werror -static \
		-o "$1/keep" "$VM_DIR"/guest/keep/*.c || return 1
	cc -D_GNU_SOURCE -std=gnu11 -O2 -Wall -Wextra -Werror -static -pthread \
		-o "$1/convert" "$VM_DIR"/guest/convert/*.c
}

# stage_guest_pvmemcontrol ROOT KERNEL_DIR: a guest's driver, its tool, and their users.
stage_guest_pvmemcontrol() {
	local build

	build=$TOP_DIR/build/guest-driver-$(readlink -f "$2" | sha256sum | cut -c1-8)
	modules_build_driver "$build" "$2/kdir" || return 1
	cp "$build/pvmemcontrol.ko" "$TOP_DIR/build/pvmemctl" "$1/"
	cc -D_GNU_SOURCE -std=gnu11 -O2 -Wall -Wextra -Werror -static -I"$TOP_DIR/uapi" \
		-o "$1/pvmem" "$VM_DIR"/guest/pvmemcontrol/*.c
}

# stage_guest_debian STAGE KERNEL_DIR NAME: the VM's own kernel for a guest with a network
# and a balloon.
stage_guest_debian() {
	local stage=$1 dir=$2 root=$1.debian release
	read -r release <"$dir/release"

	mkdir -p "$stage/guest/debian" "$root"/{dev,proc,sys,etc,lib/modules/"$release"}
	cp "$dir/bzImage" "$stage/guest/debian/"
	stage_guest_init "$root" || return 1
	stage_guest_convert "$root" "$dir" "$3" || return 1
	stage_stock_modules "$root" "$dir" "$release" virtio_net virtio_balloon
	initramfs_pack "$root" "$stage/guest/debian/initrd"
	rm -rf "$root"
}

# stage_guest_login STAGE KERNEL_DIR NAME: the VM's own kernel for a guest with systemd,
# whose disk is a disk of the VM, VM_DISK. Without it the test is skipped with the reason.
stage_guest_login() {
	local stage=$1 dir=$2 build

	if ((EUID)) || ! rootfs_get >/dev/null; then
		[[ ${T:-} != exec_login* ]] || die "T=$T: its disk is not there; debootstrap makes it, as root"
		return 0
	fi
	build=$(guest_modules "$dir" "$3") || return 1
	mkdir -p "$stage/guest/login"
	cp "$dir/bzImage" "$stage/guest/login/"
	rootfs_initrd "$stage" "$dir" "$stage/guest/login/initrd" || return 1
	watch_log "a disk with a Debian" "$build/image.log" \
		rootfs_image "$RUN_DIR/login.image" "$dir" "$build" || return 1
	VM_DISK=$RUN_DIR/login.image
}

# stage_exec STAGE NAME KERNEL_DIR: Debian's QEMU with its firmware, for the tests of
# `gmemctl exec`. On Debian's kernels only, because QEMU inside of a VM is slow.
stage_exec() {
	local stage=$1 release file

	[[ $2 == stock-* ]] || return 0
	compgen -G "$stage/selftests/exec_*" >/dev/null || return 0
	stage_program "$stage" "$TOP_DIR/build/libgmem-exec.so" usr/lib/gmem/libgmem-exec.so
	stage_program "$stage" "$(command -v qemu-system-x86_64)" usr/bin/qemu-system-x86_64
	mkdir -p "$stage/usr/share/qemu"
	for file in bios-256k.bin kvmvapic.bin linuxboot_dma.bin; do
		cp -L "$(find /usr/share/qemu/ /usr/share/seabios/ -name "$file" | head -n 1)" \
			"$stage/usr/share/qemu/" || return 1
	done
	if compgen -G "$stage/selftests/exec_debian*" >/dev/null; then
		read -r release <"$3/release"
		stage_stock_modules "$stage" "$3" "$release" vhost_net
		stage_guest_debian "$stage" "$3" "$2" || return 1
	fi
	if compgen -G "$stage/selftests/exec_login*" >/dev/null; then
		stage_guest_login "$stage" "$3" "$2" || return 1
	fi
}

# stage_guest_init ROOT
stage_guest_init() {
	cc -D_GNU_SOURCE -std=gnu11 -O2 -Wall -Wextra -Werror -static \
		-o "$1/init" "$VM_DIR/guest/init.c"
}

# stage_guest STAGE: a kernel and an initrd for a guest inside the VM, if a staged test
# boots one.
stage_guest() {
	local stage=$1 dir root=$1.guest

	compgen -G "$stage/selftests/linux_*" >/dev/null ||
		compgen -G "$stage/selftests/exec_*" >/dev/null ||
		compgen -G "$stage/selftests/transcript_*" >/dev/null || return 0
	dir=$("$VM_DIR/kernel.sh" get slim-7.3) || return 1
	mkdir -p "$stage/guest" "$root"/{dev,proc,sys}
	cp "$dir/bzImage" "$stage/guest/"
	stage_guest_init "$root" || return 1
	if compgen -G "$stage/selftests/linux_pvmemcontrol*" >/dev/null ||
	   compgen -G "$stage/selftests/linux_balloon*" >/dev/null; then
		cc -D_GNU_SOURCE -std=gnu11 -O2 -Wall -Wextra -Werror -static -pthread \
			-o "$root/memctl" "$VM_DIR"/guest/memctl/*.c || return 1
	fi
	if compgen -G "$stage/selftests/linux_convert*" >/dev/null ||
	   compgen -G "$stage/selftests/exec_*" >/dev/null ||
	   compgen -G "$stage/selftests/transcript_*" >/dev/null; then
		stage_guest_convert "$root" "$dir" slim-7.3 || return 1
	fi
	if compgen -G "$stage/selftests/linux_pvmemcontrol*" >/dev/null; then
		stage_guest_pvmemcontrol "$root" "$dir" || return 1
	fi
	initramfs_pack "$root" "$stage/guest/initrd"
	rm -rf "$root"
}

# initramfs_pack STAGE FILE. Uncompressed, because QEMU copies it to memory as it is.
initramfs_pack() {
	(cd "$1" && find . -print0 | sort -z |
		cpio --quiet -o -0 -H newc --owner 0:0) >"$2"
}
