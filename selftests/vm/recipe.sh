# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# How a kernel is configured, built and slimmed down to what booting it and
# building modules against it needs. Part of the content hash: a change here
# rebuilds every kernel, so nothing else belongs here. Sourced.

recipe_make() {
	make -C "$1" O="$2" KBUILD_BUILD_USER=gmem KBUILD_BUILD_HOST=vm \
		KBUILD_BUILD_TIMESTAMP='Thu Jan  1 00:00:00 UTC 1970' "${@:3}"
}

# recipe_configure SOURCE OUT: allnoconfig plus OUT/fragment, then every line
# of the fragment has to be found in the result.
recipe_configure() {
	local src=$1 out=$2 line name lost=0

	recipe_make "$src" "$out" -s KCONFIG_ALLCONFIG="$out/fragment" allnoconfig
	recipe_make "$src" "$out" -s olddefconfig
	while read -r line; do
		case $line in
		CONFIG_*)
			grep -qxF "$line" "$out/.config" && continue ;;
		'# CONFIG_'*' is not set')
			name=${line#\# }
			grep -q "^${name%% *}=" "$out/.config" || continue ;;
		*)
			continue ;;
		esac
		echo "option did not survive olddefconfig: $line"
		lost=1
	done <"$out/fragment"
	return "$lost"
}

# The sanitizers watch what gmem can meet. The modules are built without this.
recipe_build() {
	MAKEFILES=$VM_DIR/config/sanitize.mk \
		recipe_make "$1" "$2" -j"$(nproc)" bzImage modules &&
		recipe_make "$1" "$2" -s modules_prepare
}

# Object files and the images that bzImage was made from are of no use to a
# module's build.
recipe_prune() {
	local out=$1

	cp "$out/arch/x86/boot/bzImage" "$out/../bzImage"
	cat "$out/include/config/kernel.release" >"$out/../release"
	find "$out" \( -name '*.o' -o -name '*.a' -o -name '*.cmd' \) \
		-not -path "$out/scripts/*" -not -path "$out/tools/*" -delete
	find "$out" -maxdepth 1 -name 'vmlinux*' -delete
	rm -rf "$out"/arch/x86/boot/compressed "$out"/arch/x86/boot/*.bin \
		"$out"/arch/x86/boot/*.elf "$out"/arch/x86/boot/bzImage
}
