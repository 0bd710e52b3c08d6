// SPDX-License-Identifier: GPL-2.0
/*
 * gmemctl_unit_test [NAME...]: the tests of that name, or whose names begin so.
 *
 * The files of tests do not name once more those headers of the C library that ksft.h has.
 */
#include "ksft.h"

TEST_HARNESS_MAIN
