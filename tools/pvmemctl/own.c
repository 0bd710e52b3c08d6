// SPDX-License-Identifier: GPL-2.0
/*
 * The kernel can move a page at any time, even a locked one. Then a request for the old address
 * would change other memory. The kernel does not move pages with unknown references, such as
 * those of a pipe into which the memory was spliced.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include "pvmemctl.h"

#define PAGEMAP "/proc/self/pagemap"
#define PAGEMAP_PRESENT (1ULL << 63)
#define PAGEMAP_PFN ((1ULL << 55) - 1)
#define OBJECT "own memory"

/* The pattern of a page, which differs from those of all others. */
static uint64_t pattern(size_t page)
{
	return 0x5a00000000000001ULL + page;
}

size_t own_kept(const struct own *own)
{
	size_t kept = 0;

	for (size_t i = 0; i < own->pages; i++) {
		const uint64_t *word = (const uint64_t *)(own->memory + i * own->page);
		size_t n = 0;

		while (n < own->page / sizeof(*word) && word[n] == pattern(i))
			n++;
		kept += n == own->page / sizeof(*word);
	}
	return kept;
}

/* Splice all pages into the pipe, which needs a slot for each page. */
static int own_pin(struct own *own, struct error *error)
{
	size_t bytes = own->pages * own->page;
	struct iovec iov = { own->memory, bytes };
	ssize_t done;

	if (bytes > INT_MAX || fcntl(own->pin[1], F_SETPIPE_SZ, (int)bytes) < 0)
		return error_set(error, bytes > INT_MAX ? -EFBIG : -errno, OBJECT, "pin",
				 "less than 2G at once, and what a pipe may have: "
				 "fs.pipe-max-size, for who is not root");
	while (iov.iov_len) {
		done = vmsplice(own->pin[1], &iov, 1, SPLICE_F_NONBLOCK);
		if (done <= 0)
			return error_set(error, done ? -errno : -EIO, OBJECT, "pin", NULL);
		iov.iov_base = (uint8_t *)iov.iov_base + done;
		iov.iov_len -= done;
	}
	return 0;
}

static int compare(const void *a, const void *b)
{
	const struct range *left = a, *right = b;

	return left->addr < right->addr ? -1 : left->addr > right->addr;
}

/* Sort the pages by guest physical address, and join adjacent ones into ranges. */
static void own_join(struct own *own)
{
	qsort(own->ranges, own->pages, sizeof(*own->ranges), compare);
	own->count = 1;
	for (size_t i = 1; i < own->pages; i++) {
		struct range *last = &own->ranges[own->count - 1];

		if (last->addr + last->length == own->ranges[i].addr)
			last->length += own->page;
		else
			own->ranges[own->count++] = own->ranges[i];
	}
}

static int own_find(struct own *own, int pagemap, struct error *error)
{
	off_t first = (uintptr_t)own->memory / own->page;
	uint64_t entry;

	for (size_t i = 0; i < own->pages; i++) {
		if (pread(pagemap, &entry, sizeof(entry), (first + i) * sizeof(entry)) !=
		    sizeof(entry))
			return error_set(error, -EIO, PAGEMAP, "read", NULL);
		if (!(entry & PAGEMAP_PRESENT) || !(entry & PAGEMAP_PFN))
			return error_set(error, 0, PAGEMAP, "does not say where memory is",
					 "CAP_SYS_ADMIN is needed: run it as root");
		own->ranges[i] = (struct range){ (entry & PAGEMAP_PFN) * own->page, own->page };
	}
	own_join(own);
	return 0;
}

static int own_translate(struct own *own, struct error *error)
{
	int pagemap = open(PAGEMAP, O_RDONLY | O_CLOEXEC), rc;

	if (pagemap < 0)
		return error_set(error, -errno, PAGEMAP, "open", NULL);
	rc = own_find(own, pagemap, error);
	close(pagemap);
	return rc;
}

int own_open(struct own *own, uint64_t length, struct error *error)
{
	int rc;

	*own = (struct own){ .page = sysconf(_SC_PAGESIZE) };
	own->pages = length / own->page;
	if (!length || length % own->page)
		return error_set(error, 0, OBJECT, "is not whole pages of the guest", NULL);
	if (pipe2(own->pin, O_CLOEXEC))
		return error_set(error, -errno, "pipe", "create", NULL);
	own->ranges = calloc(own->pages, sizeof(*own->ranges));
	own->memory = mmap(NULL, length, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	rc = 0;
	if (!own->ranges || own->memory == MAP_FAILED)
		rc = error_set(error, -ENOMEM, OBJECT, "allocate", NULL);
	for (size_t i = 0; !rc && i < own->pages; i++) {
		uint64_t *word = (uint64_t *)(own->memory + i * own->page);

		for (size_t n = 0; n < own->page / sizeof(*word); n++)
			word[n] = pattern(i);
	}
	if (!rc)
		rc = own_pin(own, error);
	if (!rc)
		rc = own_translate(own, error);
	if (rc)
		own_close(own);
	return rc;
}

void own_close(struct own *own)
{
	close(own->pin[0]);
	close(own->pin[1]);
	if (own->memory != MAP_FAILED)
		munmap(own->memory, own->pages * own->page);
	free(own->ranges);
}
