# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# Debian's own kernels: image, modules, and the files to build modules, unpacked from the
# packages. Up to 6.12 the image is one package, later it is three. The "cloud" flavour is
# used, which is smaller and has the same KVM. Sourced, after arch.sh.

# Version of the layout. Increase it to unpack again.
STOCK_RECIPE=1

# stock_image NAME: the package that contains the image itself.
stock_image() {
	local version=${1#*-} kind=binary suite arch

	arch=$(arch_of "$1")
	[[ $version != 6.12 ]] || kind=image
	suite=$(kernel_suite "$version") || exit 1
	APT_ARCH=$(apt_foreign "$arch") resolve "$1" apt_newest "$suite" \
		"^linux-$kind-${version/./\\.}\\.[0-9]+(\\+deb[0-9]+)?-cloud-$arch\$" ||
		die "no linux-$kind-$version.*-cloud-$arch in suite $suite of your mirror"
}

# stock_packages NAME IMAGE: "ARCH PACKAGE" for all packages to unpack. Tools that build
# modules run on this machine, for any architecture of the modules.
stock_packages() {
	local arch release base kind

	arch=$(arch_of "$1")
	release=${2#linux-*-}
	base=${release%-cloud-*}
	echo "$arch $2"
	if [[ $2 == linux-binary-* ]]; then
		for kind in base modules; do
			echo "$arch linux-$kind-$release"
		done
	fi
	echo "$arch linux-headers-$release"
	echo "$arch linux-headers-$base-common"
	echo "$(dpkg --print-architecture) linux-kbuild-$base"
}

# stock_version NAME PACKAGE ARCH
stock_version() {
	local suite

	suite=$(kernel_suite "${1#*-}")
	APT_ARCH=$(apt_foreign "$3") resolve "$2" apt_version "$suite" "$2" ||
		die "package $2 is not in suite $suite of your mirror"
}

# stock_tools NAME: the directory of the tools for its modules, if they are not installed.
stock_tools() {
	[[ $1 != stock-7.* ]] || trixie_is_here || trixie_get
}

stock_dir() {
	local image version tools

	image=$(stock_image "$1") || exit 1
	version=$(stock_version "$1" "$image" "$(arch_of "$1")") || exit 1
	tools=$(stock_tools "$1") || exit 1
	printf '%s\n' "$CACHE_DIR/kernel/$1-${version//[^A-Za-z0-9.]/_}-$STOCK_RECIPE${tools:+-${tools##*/}}"
}

# stock_unpack NAME DIR: fetches by architecture, like apt. All packages of a kernel have
# the same version.
stock_unpack() {
	local name=$1 dir=$2 image version suite arch package packages deb

	image=$(stock_image "$name") || return 1
	version=$(stock_version "$name" "$image" "$(arch_of "$name")") || return 1
	suite=$(kernel_suite "${name#*-}")
	packages=$(stock_packages "$name" "$image")
	while read -r arch; do
		sed -n "s/^$arch \(.*\)/\1 $version/p" <<<"$packages" |
			APT_ARCH=$(apt_foreign "$arch") apt_fetch_all "$suite" || return 1
	done < <(cut -d' ' -f1 <<<"$packages" | sort -u)
	while read -r arch package; do
		deb=$(APT_ARCH=$(apt_foreign "$arch") \
			apt_fetch "$suite" "$package" "$version") || return 1
		dpkg-deb -x "$deb" "$dir" || return 1
	done <<<"$packages"
}

# Headers contain paths in /usr. Replace them by the paths of the unpacked files.
stock_fix_headers() {
	local root=$1 release=$2

	sed -i "s|/usr/src/|$root/usr/src/|" \
		"$root/usr/src/linux-headers-$release/Makefile"
	ln -sfn "unpacked/usr/src/linux-headers-$release" "$root/../kdir"
}

stock_make() {
	local name=$1 dir=$2 root=$2/unpacked image release modules tools

	image=$(stock_image "$name") || return 1
	release=${image#linux-*-}
	rm -rf "$root" "$dir/modules"
	mkdir -p "$root"
	stock_unpack "$name" "$root" || return 1
	modules=$root/usr/lib/modules/$release
	[[ -d $modules/kernel ]] || modules=$root/lib/modules/$release
	if [[ -e $modules/vmlinuz ]]; then
		mv "$modules/vmlinuz" "$dir/bzImage"
	else
		mv "$root/boot/vmlinuz-$release" "$dir/bzImage"
	fi
	printf '%s\n' "$release" >"$dir/release"
	mv "$modules" "$dir/modules"
	stock_fix_headers "$root" "$release"
	tools=$(stock_tools "$name") || return 1
	[[ -z $tools ]] || trixie_wrap_kbuild "$tools" "$root/usr/lib"
}
