// SPDX-License-Identifier: GPL-2.0
/* Requests that the module, KVM or the VMM must refuse. */
#include <cpuid.h>
#include <errno.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "convert.h"

#define HC_MAP_GPA_RANGE 12
#define PRIVATE		0x10
#define FAR_AWAY	0xf0000000	/* no RAM, but devices of a PC */

static void expect(struct bad *bad, const char *what, long got, long want)
{
	if (got == want)
		return;
	printf("gmem-guest: wrong: %s: %ld instead of %ld\n", what, got, want);
	bad->wrong++;
}

static void expect_call(struct bad *bad, struct memory *memory, const char *what,
			uint64_t gpa, uint64_t pages, uint64_t attributes)
{
	struct gmem_guest_call call = { gpa, pages, attributes, 0 };
	long got = ioctl(memory->fd, GMEM_GUEST_CALL, &call) ? -errno :
		   call.result;

	expect(bad, what, got, -EINVAL);
}

/* KVM itself refuses ranges that do not consist of whole pages. */
static void bad_ranges(struct bad *bad, struct memory *memory)
{
	uint64_t gpa = memory->gpa;

	expect_call(bad, memory, "unaligned", gpa + 1, 1, PRIVATE);
	expect_call(bad, memory, "no pages", gpa, 0, PRIVATE);
	expect_call(bad, memory, "wraps", gpa, UINT64_MAX, PRIVATE);
}

static void bad_calls(struct bad *bad, struct memory *memory)
{
	static const uint64_t pages[] = {
		1ULL << 20, 1ULL << 51, 1ULL << 52, UINT64_MAX,
	};
	static const uint64_t attributes[] = {
		PRIVATE | 3, 0x20, 0xf0, 0x100 | PRIVATE, 1ULL << 63,
	};
	unsigned int i;

	for (i = 0; i < sizeof(pages) / sizeof(pages[0]); i++, bad->calls++)
		expect_call(bad, memory, "too many pages", 0, pages[i], PRIVATE);
	for (i = 0; i < sizeof(attributes) / sizeof(attributes[0]); i++)
		expect_call(bad, memory, "attributes", memory->gpa, 1,
			    attributes[i]);
	bad->calls += i;
	expect_call(bad, memory, "no RAM", FAR_AWAY, 1, PRIVATE);
	expect_call(bad, memory, "no RAM", UINT64_MAX << 12, 1, 0);
	bad->calls += 2;
}

/* From a program: KVM does not even ask the VMM. */
static void bad_ring(struct bad *bad, struct memory *memory)
{
	unsigned int eax = 0, ebx = 0, ecx = 0, edx = 0;
	long result = HC_MAP_GPA_RANGE;

	__get_cpuid(0, &eax, &ebx, &ecx, &edx);
	if (ebx == signature_INTEL_ebx)
		asm volatile("vmcall" : "+a" (result)
			     : "b" (memory->gpa), "c" (1UL), "d" (PRIVATE)
			     : "memory");
	else
		asm volatile("vmmcall" : "+a" (result)
			     : "b" (memory->gpa), "c" (1UL), "d" (PRIVATE)
			     : "memory");
	expect(bad, "from ring 3", result, -EPERM);
}

static void bad_arguments(struct bad *bad, struct memory *memory)
{
	static const struct gmem_guest_convert converts[] = {
		{ 1, PAGE_BYTES, 1, 0 },
		{ 0, PAGE_BYTES + 1, 1, 0 },
		{ 0, 0, 1, 0 },
		{ 0, GMEM_GUEST_SIZE + PAGE_BYTES, 1, 0 },
		{ GMEM_GUEST_SIZE, PAGE_BYTES, 1, 0 },
		{ PAGE_BYTES, -PAGE_BYTES, 1, 0 },
		{ -PAGE_BYTES, 2 * PAGE_BYTES, 1, 0 },
		{ 0, PAGE_BYTES, 2, 0 },
		{ 0, PAGE_BYTES, 1, 1 },
	};

	for (unsigned int i = 0; i < sizeof(converts) / sizeof(converts[0]); i++)
		expect(bad, "arguments", ioctl(memory->fd, GMEM_GUEST_CONVERT,
					       &converts[i]) ? -errno : 0,
		       -EINVAL);
	expect(bad, "pointer", ioctl(memory->fd, GMEM_GUEST_CONVERT, NULL) ?
	       -errno : 0, -EFAULT);
	expect(bad, "number", ioctl(memory->fd, _IO('G', 9), NULL) ? -errno : 0,
	       -ENOTTY);
}

static void bad_mappings(struct bad *bad, struct memory *memory)
{
	expect(bad, "mapping of copies",
	       mmap(NULL, PAGE_BYTES, PROT_READ, MAP_PRIVATE, memory->fd, 0) ==
	       MAP_FAILED ? -errno : 0, -EINVAL);
	expect(bad, "mapping past the end",
	       mmap(NULL, PAGE_BYTES, PROT_READ, MAP_SHARED, memory->fd,
		    GMEM_GUEST_SIZE) == MAP_FAILED ? -errno : 0, -ENXIO);
}

struct bad bad_requests(struct memory *memory)
{
	struct bad bad = { 0, 0 };

	bad_ranges(&bad, memory);
	bad_calls(&bad, memory);
	bad_ring(&bad, memory);
	bad_arguments(&bad, memory);
	bad_mappings(&bad, memory);
	bad.wrong += memory_check(memory, "bad", 0, PAGES);
	return bad;
}
