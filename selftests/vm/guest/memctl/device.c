// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "memctl.h"

#define DEVICE		"/sys/bus/pci/devices/0000:00:01.0/"
#define PFN_MASK	((UINT64_C(1) << 55) - 1)
#define NO_ANSWER	0xffffffffU

enum { PAYLOAD_LOW, PAYLOAD_HIGH, COMMAND };

static int read_text(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY);
	ssize_t got;

	if (fd < 0)
		return -errno;
	got = read(fd, text, size - 1);
	close(fd);
	if (got < 0)
		return -errno;
	text[got] = '\0';
	return 0;
}

/* The line of BAR 0 in a file with a line for each BAR. */
static int find_bar(unsigned long long *start)
{
	char text[1024] = "";
	int rc;

	mkdir("/sys", 0755);
	mount("sys", "/sys", "sysfs", 0, NULL);
	rc = read_text(DEVICE "vendor", text, sizeof(text));
	if (rc)
		return rc;
	if (strtoul(text, NULL, 16) != 0x1ae0)
		return -ENODEV;
	rc = read_text(DEVICE "resource", text, sizeof(text));
	if (rc)
		return rc;
	return sscanf(text, "%llx", start) == 1 && *start ? 0 : -ENODEV;
}

/* Firmware has left the device enabled; a kernel without a driver disables it. */
static void enable(void)
{
	int fd = open(DEVICE "enable", O_WRONLY);

	if (fd < 0)
		return;
	if (write(fd, "1", 1) != 1)
		printf("gmem-guest: cannot enable the device\n");
	close(fd);
}

uint8_t *memctl_memory(unsigned int pages, uint64_t *gpa)
{
	int fd = open("/proc/self/pagemap", O_RDONLY);
	uint8_t *memory = mmap(NULL, pages * PAGE_BYTES, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	bool found = memory != MAP_FAILED && fd >= 0 &&
		     !mlock(memory, pages * PAGE_BYTES);

	for (unsigned int i = 0; found && i < pages; i++) {
		uint64_t entry = 0;
		uintptr_t page = (uintptr_t)memory / PAGE_BYTES + i;

		found = pread(fd, &entry, sizeof(entry), (off_t)(page * 8)) ==
			sizeof(entry) && entry >> 63;
		gpa[i] = (entry & PFN_MASK) * PAGE_BYTES;
	}
	if (fd >= 0)
		close(fd);
	return found ? memory : NULL;
}

int memctl_open(struct memctl *memctl)
{
	unsigned long long start;
	int rc = find_bar(&start), fd;
	uint8_t *bar;

	if (rc)
		return rc;
	enable();
	fd = open(DEVICE "resource0", O_RDWR | O_SYNC);
	if (fd < 0)
		return -errno;
	bar = mmap(NULL, PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (bar == MAP_FAILED)
		return -errno;
	memctl->registers = (volatile uint32_t *)(bar + start % PAGE_BYTES);
	memctl->cpus = (unsigned int)sysconf(_SC_NPROCESSORS_ONLN);
	if (memctl->cpus > MEMCTL_CPUS)
		memctl->cpus = MEMCTL_CPUS;
	memctl->page = memctl_memory(1, &memctl->gpa);
	return memctl->page ? 0 : -ENOMEM;
}

uint32_t memctl_command(struct memctl *memctl, uint32_t command)
{
	memctl->registers[COMMAND] = command;
	return memctl->registers[COMMAND];
}

int memctl_connect(struct memctl *memctl)
{
	if (memctl_command(memctl, MEMCTL_RESET) != MEMCTL_ACK)
		return -EINVAL;
	for (unsigned int cpu = 0; cpu < memctl->cpus; cpu++) {
		uint64_t gpa = memctl->gpa + cpu * sizeof(struct memctl_answer);

		memctl->registers[PAYLOAD_LOW] = (uint32_t)gpa;
		memctl->registers[PAYLOAD_HIGH] = (uint32_t)(gpa >> 32);
		if (memctl_command(memctl, MEMCTL_REGISTER) != MEMCTL_ACK)
			return -EINVAL;
		memctl->connection[cpu] = memctl->registers[PAYLOAD_LOW];
	}
	return memctl_command(memctl, MEMCTL_READY) == MEMCTL_ACK ? 0 : -EINVAL;
}

struct memctl_answer memctl_call(struct memctl *memctl, unsigned int cpu,
				 uint64_t code, uint64_t address, uint64_t length,
				 uint64_t argument)
{
	const uint64_t request[] = { code, address, length, argument };
	struct memctl_answer answer;
	uint8_t *buffer = memctl->page + cpu * sizeof(answer);

	memcpy(buffer, request, sizeof(request));
	asm volatile("" ::: "memory");
	memctl->registers[COMMAND] = memctl->connection[cpu];
	asm volatile("" ::: "memory");
	memcpy(&answer, buffer, sizeof(answer));
	/* An unchanged request is no answer. */
	if (!memcmp(&answer, request, sizeof(request)))
		answer.error = NO_ANSWER;
	return answer;
}
