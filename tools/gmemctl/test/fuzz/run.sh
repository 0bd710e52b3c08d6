#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# usage: run.sh TARGET SECONDS SEED
#
# Run a fuzz target of this folder for some time, from its own seeds: the same number
# begins with the same inputs. What is found on the way is in corpus/TARGET, an input that
# fails in TARGET-*.

set -u
rm -rf "corpus/$1"
mkdir -p "corpus/$1"
exec "./$1" -max_total_time="$2" -seed="$3" -max_len=16384 -timeout=10 \
	-artifact_prefix="$1-" "corpus/$1"
