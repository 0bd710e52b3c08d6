// SPDX-License-Identifier: GPL-2.0
/* The description of a guest's memory that another process has sent. */
#include <string.h>

#include "../../memory/description.h"
#include "fuzz.h"

/* Whatever decodes, encodes to the same bytes. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct description description;
	struct error error = { 0 };
	size_t again_size;
	uint8_t *again;

	if (description_decode(data, size, &description, &error)) {
		FUZZ_ASSERT(error.rc && error.action[0]);
		return 0;
	}
	/* Anything may be asked for; it is checked, and nothing breaks. */
	memory_config_check(&description.config, &error);
	FUZZ_ASSERT(!description_encode(&description.config,
					description.private,
					description.nr_private, &again,
					&again_size));
	FUZZ_ASSERT(again_size == size && !memcmp(again, data, size));
	free(again);
	description_free(&description);
	return 0;
}

size_t fuzz_seed(unsigned int index, uint8_t *data)
{
	static const struct range ranges[] = {
		{ 0, 0x100000 }, { 0x200000, 0x300000 },
	};
	static const struct range private_ranges[] = {
		{ 0x1000, 0x2000 }, { 0x200000, 0x300000 },
	};
	struct memory_request requests[] = {
		{ .ranges = ranges, .nr_ranges = 1, .existing_fd = -1,
		  .node = -1 },
		{ .ranges = ranges + 1, .nr_ranges = 1, .thp = true,
		  .kind = BACKING_GMEM_STORE, .existing_fd = -1, .node = 1 },
	};
	struct memory_config config = { .requests = requests,
					.nr_requests = index + 1 };
	uint8_t *bytes;
	size_t size;

	if (index > 1 || description_encode(&config, private_ranges, index + 1,
					    &bytes, &size))
		return 0;
	memcpy(data, bytes, size);
	free(bytes);
	return size;
}
