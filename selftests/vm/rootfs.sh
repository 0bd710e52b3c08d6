# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# A disk with Debian and systemd for a guest inside the VM: the release of this machine,
# installed once by debootstrap, and the modules of the guest's kernel. Sourced, after
# apt.sh and initramfs.sh.

# Version of the contents. Increase it to install again.
ROOTFS_RECIPE=2
ROOTFS_PACKAGES=systemd-sysv,udev,kmod,dbus,procps
ROOTFS_SIZE=640M

# Modules that the guest needs to boot: Debian's kernel has them as modules only.
ROOTFS_MODULES=(virtio_pci virtio_blk ext4)

rootfs_settings() {
	local root=$1

	echo "/dev/vda / ext4 noatime 0 1" >"$root/etc/fstab"
	echo guest >"$root/etc/hostname"
	chroot "$root" passwd -d root
	# The shell reads its input from a test.
	echo 'PS1="# "; bind "set enable-bracketed-paste off"' >"$root/etc/profile.d/test.sh"
	rm -rf "$root"/var/cache/apt/archives/*.deb "$root"/var/lib/apt/lists/* \
		"$root"/usr/share/{doc,man,locale}
}

rootfs_make() {
	local root=$1 mirror

	mirror=$(apt_private own apt-get indextargets --format '$(SITE)' \
		"Created-By: Packages" | head -n 1)
	rm -rf "$root.part"
	debootstrap --variant=minbase --include="$ROOTFS_PACKAGES" "$OS_CODENAME" \
		"$root.part" "$mirror" &&
		rootfs_settings "$root.part" && mv "$root.part" "$root"
}

# rootfs_get: print its directory.
rootfs_get() {
	local root=$CACHE_DIR/rootfs/$OS_CODENAME-$ROOTFS_RECIPE

	deps_install packages || return 1
	hold rootfs
	if [[ ! -d $root ]]; then
		mkdir -p "${root%/*}"
		watch_log "debootstrap" "$root.log" rootfs_make "$root" ||
			{ release; return 1; }
	fi
	release
	printf '%s\n' "$root"
}

# rootfs_modules ROOT DIR GUEST: install the kernel's own modules from DIR, as Debian's
# package does, and gmem_guest.ko, loaded at boot like in the package's examples.
rootfs_modules() {
	local root=$1 dir=$2 release
	read -r release <"$dir/release"

	mkdir -p "$root/lib/modules/$release/updates/dkms"
	cp "$dir"/modules/modules.{order,builtin,builtin.modinfo} "$root/lib/modules/$release/" &&
		cp -r "$dir/modules/kernel" "$root/lib/modules/$release/" &&
		cp "$3/gmem_guest.ko" "$root/lib/modules/$release/updates/dkms/" &&
		cp "$TOP_DIR/packaging/modules-load.d/gmem_guest.conf" "$root/etc/modules-load.d/" &&
		cp "$TOP_DIR/packaging/modprobe.d/gmem_guest.conf" "$root/etc/modprobe.d/" &&
		depmod -b "$root" "$release"
}

# rootfs_image IMAGE DIR GUEST: an ext4 file system with all of it.
rootfs_image() {
	local image=$1 root=$1.root from

	from=$(rootfs_get) || return 1
	cp -a "$from" "$root" && rootfs_modules "$root" "$2" "$3" &&
		truncate -s "$ROOTFS_SIZE" "$image" &&
		mke2fs -q -t ext4 -d "$root" "$image" && rm -rf "$root"
}

# rootfs_initrd STAGE DIR FILE: does what Debian's initramfs does: load modules, and
# switch to the disk.
rootfs_initrd() {
	local root=$1.login release
	read -r release <"$2/release"

	mkdir -p "$root"/{bin,dev,proc,etc,mnt,lib/modules/"$release"}
	cp /bin/busybox "$root/bin/"
	cp "$VM_DIR/guest/login/init" "$root/"
	stage_stock_modules "$root" "$2" "$release" "${ROOTFS_MODULES[@]}"
	initramfs_pack "$root" "$3"
	rm -rf "$root"
}
