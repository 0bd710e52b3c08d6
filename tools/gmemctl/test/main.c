// SPDX-License-Identifier: GPL-2.0
/* gmemctl_unit_test [NAME...]: the tests of that name, or whose names begin so. */
#include "ksft.h"

TEST_HARNESS_MAIN
