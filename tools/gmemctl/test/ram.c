// SPDX-License-Identifier: GPL-2.0
#include <fcntl.h>

#include "../base/calls.h"
#include "ksft.h"
#include "ram.h"

#define PAGE RANGE_PAGE_SIZE

struct ram ram;

static struct memory_request request(const struct range *ranges, unsigned int count,
				     enum backing_kind kind)
{
	return (struct memory_request){
		.ranges = ranges, .nr_ranges = count, .kind = kind,
		.existing_fd = -1, .node = -1,
		.hugepage_size = kind == BACKING_HUGETLB ? 4 * PAGE : 0,
	};
}

void ram_start(enum backing_kind kind)
{
	kvm_fake_start();
	memset(&ram, 0, sizeof(ram));
	ram.ranges[0] = (struct range){ 0, 16 * PAGE };
	ram.ranges[1] = (struct range){ 64 * PAGE, 80 * PAGE };
	ram.requests[0] = request(ram.ranges, 2, kind);
	ram.config = (struct memory_config){ .requests = ram.requests, .nr_requests = 1 };
}

void ram_start_two(enum backing_kind first, enum backing_kind second)
{
	ram_start(first);
	ram.ranges[0] = ram.ranges[1];
	ram.ranges[1] = (struct range){ 0, 8 * PAGE };
	ram.ranges[2] = (struct range){ 32 * PAGE, 40 * PAGE };
	ram.requests[1] = request(&ram.ranges[2], 1, second);
	ram.config.nr_requests = 2;
}

int ram_create(void)
{
	return guest_memory_create(&ram.memory, &ram.config, &kvm_fake.vm, &ram.error);
}

int ram_attach(void)
{
	return guest_memory_attach(&ram.memory, &ram.error);
}

void ram_build(void)
{
	EXPECT_FALSE(ram_create());
	EXPECT_FALSE(ram_attach());
	kvm_fake.log[0] = '\0';
}

void ram_stop(void)
{
	guest_memory_destroy(&ram.memory);
	calls = &calls_system;
}

uint8_t *ram_at(uint64_t page)
{
	return ram.memory.reservation.base + page * PAGE;
}

bool ram_reads(uint64_t first, uint64_t end, uint8_t value)
{
	for (uint64_t i = 0; i < (end - first) * PAGE; i++)
		if (ram_at(first)[i] != value)
			return false;
	return true;
}

unsigned int ram_resident(uint64_t first, uint64_t end)
{
	unsigned char pages[64] = { 0 };
	unsigned int count = 0;

	EXPECT_LE(end - first, sizeof(pages));
	EXPECT_FALSE(mincore(ram_at(first), (end - first) * PAGE, pages));
	for (uint64_t i = 0; i < end - first; i++)
		count += pages[i] & 1;
	return count;
}

const char *ram_smaps(uint64_t page)
{
	FILE *file = fopen("/proc/self/smaps", "r");
	unsigned long start, end, at = (uintptr_t)ram_at(page);
	static char text[520];
	bool inside = false;
	char line[512];

	text[0] = '\0';
	while (file && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%lx-%lx", &start, &end) == 2) {
			inside = start <= at && at < end;
			if (inside)
				sscanf(line, "%*s %4s", text);
		} else if (inside && !strncmp(line, "VmFlags:", 8)) {
			snprintf(text + 4, sizeof(text) - 4, " %s", line + 8);
			break;
		}
	}
	if (file)
		fclose(file);
	return text;
}

int ram_convert(uint64_t first, uint64_t end, bool to_private)
{
	struct range range = { first * PAGE, end * PAGE };

	ram.why[0] = '\0';
	return guest_memory_convert(&ram.memory, range, to_private, ram.why, sizeof(ram.why));
}

unsigned int ram_open_fds(void)
{
	unsigned int count = 0;

	for (int fd = 0; fd < 256; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}
