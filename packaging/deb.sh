#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# make deb: build gmem-dkms, gmemctl, gmem-dev and pvmemctl for this machine's Debian, in
# build/deb/.

set -euo pipefail
. "$(dirname "$0")/../selftests/vm/env.sh"
. "$VM_DIR/deps.sh"

OUT=$TOP_DIR/build/deb
TREE=$OUT/gmem
VERSION=$(sed -n 's/^PACKAGE_VERSION="\(.*\)"$/\1/p' "$TOP_DIR/dkms.conf")

# Files of the project: in a checkout those that git knows, else all except build outputs.
tree_copy() {
	cd "$TOP_DIR"
	# As root git refuses a tree of another user without this option.
	if git -c safe.directory="$TOP_DIR" rev-parse --git-dir >/dev/null 2>&1; then
		git -c safe.directory="$TOP_DIR" ls-files -z
	else
		find . \( -path ./build -o -path ./.git \) -prune -o -type f \
			! -name '*.o' ! -name '*.ko' ! -name '*.mod*' ! -name '*.cmd' \
			! -name '.*.d' ! -name Module.symvers ! -name modules.order -print0
	fi | while IFS= read -r -d '' file; do
		[[ ! -f $file ]] || printf '%s\0' "$file"
	done | cpio --quiet -0pdm "$TREE"
}

# Debian's changelog has a single entry: Documentation/changes.rst is for people.
write_changelog() {
	cat >"$TREE/debian/changelog" <<-END
	gmem ($VERSION) unstable; urgency=medium

	  * See changes.rst.

	 -- gmem developers <gmem@example.org>  $(date -R ${SOURCE_DATE_EPOCH:+-d@$SOURCE_DATE_EPOCH})
	END
}

deps_install deb build || exit 1
rm -rf "$OUT"
mkdir -p "$TREE"
tree_copy
cp -r "$TREE/packaging/debian" "$TREE/debian"
cp "$TREE/packaging/systemd/gmem-vm@.service" "$TREE/debian/gmemctl.gmem-vm@.service"
write_changelog
(cd "$TREE" && dpkg-buildpackage -us -uc -b -nc)
rm -rf "$TREE"
ls "$OUT"/*.deb
