/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Files of other projects that some vectors need. They are not part of this
 * repository: fixtures.sh fetches them from Debian's packages.
 */
#ifndef GMEMCTL_TEST_FIXTURE_H
#define GMEMCTL_TEST_FIXTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fixture {
	uint8_t *data;
	size_t size;
};

/**
 * fixture_load() - read a file of $GMEM_SNP_FIXTURES
 * @sha256: what it has to be, in hexadecimal
 *
 * Return: whether it is there and the right one; a message has the reason if
 * not, and the test counts as skipped unless it checks something else.
 */
bool fixture_load(struct fixture *fixture, const char *name,
		  const char *sha256);
void fixture_free(struct fixture *fixture);

#endif /* GMEMCTL_TEST_FIXTURE_H */
