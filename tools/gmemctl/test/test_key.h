/* SPDX-License-Identifier: GPL-2.0 */
/* Keys for tests: nobody's, and the same in every run. */
#ifndef GMEMCTL_TEST_TEST_KEY_H
#define GMEMCTL_TEST_TEST_KEY_H

#include <openssl/types.h>

/** test_key() - the P-384 key with this private number; EVP_PKEY_free() it */
struct evp_pkey_st *test_key(const char *scalar);

/* The private numbers that the vectors of ID blocks use. */
#define TEST_ID_KEY \
	"1234567890abcdef1234567890abcdef1234567890abcdef1234567890abcdef"
#define TEST_AUTHOR_KEY \
	"fedcba0987654321fedcba0987654321fedcba0987654321fedcba0987654321"

#endif /* GMEMCTL_TEST_TEST_KEY_H */
