// SPDX-License-Identifier: GPL-2.0
/* A file of expectations. */
#include <string.h>

#include "../../snp/verify/expect.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct snp_expect expect;
	struct error error = { 0 };
	int rc = snp_expect_read_json(&expect, "fuzz", data, size, &error);

	FUZZ_ASSERT(rc == error.rc && (!rc || error.hint[0]));
	for (unsigned int i = 0; i < SNP_EXPECT_NR; i++) {
		const struct snp_value *value = &expect.values[i];

		FUZZ_ASSERT(value->count <= (snp_expectations[i].size ?
					     SNP_EXPECT_VALUES : 1));
		FUZZ_ASSERT(memchr(value->text, '\0', sizeof(value->text)));
	}
	return 0;
}

FUZZ_SEED_TEXTS("{\"vmpl\": \"host\", \"policy\": 196608, \"csp_id\": \"cloud\", "
		"\"allow_debug\": true, \"signer\": \"vlek\"}",
		"{\"min_tcb\": \"fmc=1,bootloader=2,tee=3,snp=4,microcode=255\", "
		"\"min_firmware\": \"1.55.21\", \"min_guest_svn\": 1, "
		"\"require_platform\": \"ecc,alias-check\"}",
		"{\"family_id\": [\"00112233445566778899aabbccddeeff\", "
		"\"00000000000000000000000000000000\"], \"time\": "
		"\"2026-05-31T12:00:00Z\", \"comment\": null}")
