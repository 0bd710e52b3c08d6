// SPDX-License-Identifier: GPL-2.0
/* The file of a saved guest: its parts, and the contents of its memory. */
#define _GNU_SOURCE
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../memory/save.h"
#include "fuzz.h"

#define SIZE_MAX_TRIED (UINT64_C(16) << 20)

/* What needs no VM, and no more memory than a fuzzer may take. */
static bool is_cheap(const struct memory_config *config)
{
	uint64_t size;

	for (unsigned int i = 0; i < config->nr_requests; i++) {
		const struct memory_request *request = &config->requests[i];

		if ((request->kind != BACKING_SHARED &&
		     request->kind != BACKING_PRIVATE) || request->node >= 0 ||
		    request->prefetch || memory_request_size(request, &size) ||
		    size > SIZE_MAX_TRIED)
			return false;
	}
	return memory_config_end(config) <= 64 * SIZE_MAX_TRIED;
}

static void read_memory(int fd, const struct saved *saved)
{
	struct guest_memory memory;
	struct error error = { 0 };

	if (!is_cheap(&saved->description.config) ||
	    guest_memory_create(&memory, &saved->description.config, NULL, 0,
				NULL))
		return;
	if (save_read_memory(fd, saved, &memory, &error))
		FUZZ_ASSERT(error.rc && error.action[0]);
	guest_memory_destroy(&memory);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fd = memfd_create("saved", MFD_CLOEXEC);
	static struct saved saved;
	struct error error = { 0 };

	FUZZ_ASSERT(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	lseek(fd, 0, SEEK_SET);
	if (save_read(fd, &saved, &error)) {
		FUZZ_ASSERT(error.rc && error.action[0]);
	} else {
		read_memory(fd, &saved);
		save_free(&saved);
	}
	close(fd);
	return 0;
}

size_t fuzz_seed(unsigned int index, uint8_t *data)
{
	struct range range = { 0, 4 * RANGE_PAGE_SIZE };
	struct memory_request request = {
		.ranges = &range, .nr_ranges = 1, .existing_fd = -1, .node = -1,
		.kind = index ? BACKING_PRIVATE : BACKING_SHARED,
	};
	struct memory_config config = { .requests = &request,
					.nr_requests = 1 };
	int fd = memfd_create("seed", MFD_CLOEXEC);
	struct guest_memory memory;
	struct records state = { 0 };
	ssize_t size = 0;

	if (index < 2 && !guest_memory_create(&memory, &config, NULL, 0, NULL)) {
		records_add(&state, 1, 0, "state", 5);
		memory.reservation.base[RANGE_PAGE_SIZE] = 1;
		if (!save_write(fd, &memory, &state, NULL))
			size = pread(fd, data, FUZZ_SIZE_MAX, 0);
		records_free(&state);
		guest_memory_destroy(&memory);
	}
	close(fd);
	return size > 0 ? (size_t)size : 0;
}
