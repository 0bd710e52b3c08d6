// SPDX-License-Identifier: GPL-2.0
/* The file of a saved guest: its parts, and the contents of its memory. */
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

static void read_memory(struct saved *saved)
{
	struct guest_memory memory;
	struct error error = { 0 };

	if (!is_cheap(&saved->description.config) ||
	    guest_memory_create(&memory, &saved->description.config, NULL,
				NULL))
		return;
	if (save_read_memory(saved, &memory, &error))
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
	if (save_read(fd, "file", &saved, &error)) {
		FUZZ_ASSERT(error.rc && error.action[0]);
	} else {
		read_memory(&saved);
		save_free(&saved);
	}
	close(fd);
	return 0;
}

#define SUM SAVE_CHECKSUM_SIZE

/* The rest of the file moves up to where a checksum was. */
static size_t cut(uint8_t *data, size_t size, size_t at)
{
	FUZZ_ASSERT(at + SUM <= size);
	memmove(data + at, data + at + SUM, size - at - SUM);
	return size - SUM;
}

/* As version 1: no checksum keeps what is changed from the parser. */
static size_t strip(uint8_t *data, size_t size)
{
	uint64_t sizes[2], run[2];
	size_t at = 32;

	data[8] = 1;
	memcpy(sizes, data + 16, sizeof(sizes));
	size = cut(data, size, at);
	at += sizes[0];
	size = cut(data, size, at);
	at += sizes[1];
	size = cut(data, size, at);
	do {
		memcpy(run, data + at, sizeof(run));
		at += sizeof(run) + run[1];
		size = cut(data, size, at);
	} while (run[1]);
	return size;
}

static size_t seed_of(enum backing_kind kind, uint8_t *data)
{
	struct range range = { 0, 4 * RANGE_PAGE_SIZE };
	struct memory_request request = {
		.ranges = &range, .nr_ranges = 1, .existing_fd = -1, .node = -1,
		.kind = kind,
	};
	struct memory_config config = { .requests = &request,
					.nr_requests = 1 };
	int fd = memfd_create("seed", MFD_CLOEXEC);
	struct guest_memory memory;
	struct tlv state = { 0 };
	ssize_t size = 0;

	if (!guest_memory_create(&memory, &config, NULL, NULL)) {
		tlv_add(&state, 1, 0, "state", 5);
		memory.reservation.base[RANGE_PAGE_SIZE] = 1;
		if (!save_write(fd, -1, &memory, &state, NULL))
			size = pread(fd, data, FUZZ_SIZE_MAX, 0);
		tlv_free(&state);
		guest_memory_destroy(&memory);
	}
	close(fd);
	return size > 0 ? (size_t)size : 0;
}

size_t fuzz_seed(unsigned int index, uint8_t *data)
{
	size_t size;

	if (index > 3)
		return 0;
	size = seed_of(index & 1 ? BACKING_PRIVATE : BACKING_SHARED, data);
	return size && index < 2 ? strip(data, size) : size;
}
