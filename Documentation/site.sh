#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# make site: all of Documentation/ as HTML, with the reference of the headers from their
# comments, in build/site/. A warning of Sphinx is an error.

set -euo pipefail
. "$(dirname "$0")/../selftests/vm/env.sh"
. "$VM_DIR/deps.sh"
. "$TOP_DIR/selftests/check/docs.sh"

OUT=$TOP_DIR/build/site
SOURCE=$TOP_DIR/build/site.source

# reference NAME TITLE FILE: the comments of a header.
reference() {
	local line

	line=${2//?/=}
	{
		printf '.. SPDX-License-Identifier: GPL-2.0\n\n%s\n%s\n%s\n\n' \
			"$line" "$2" "$line"
		perl "$TOOL" -rst "$TOP_DIR/$3" 2>>"$SOURCE.log"
	} >"$SOURCE/reference/$1.rst"
}

deps_install site || exit 1
TOOL=$(docs_kernel_doc_tool) || die "$TOOL"
rm -rf "$OUT" "$SOURCE"
mkdir -p "$SOURCE/reference"
cp -r "$TOP_DIR/Documentation/." "$TOP_DIR/README.rst" "$SOURCE/"
reference gmem.h 'linux/gmem.h' uapi/linux/gmem.h
reference pvmemcontrol.h 'linux/pvmemcontrol.h' uapi/linux/pvmemcontrol.h
reference library 'The library' module/include/linux/gmem.h
sphinx-build -q -W --keep-going -b html -d "$SOURCE/.doctrees" "$SOURCE" "$OUT"
rm -rf "$SOURCE"
echo "build/site/index.html"
