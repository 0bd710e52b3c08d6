// SPDX-License-Identifier: GPL-2.0
/*
 * Half of all RAM as memory of this program: all of it becomes private, and then a thread
 * converts pieces of it and checks that contents do not change.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "convert.h"

#define PIECE_MAX 512	/* pages */

static uint64_t *half_page(const struct half *half, unsigned int page)
{
	return half->words + page * PAGE_WORDS;
}

/* Tell the kernel, as far as possible, not to move the pages. */
static void stay(void)
{
	int fd = open("/proc/sys/vm/compact_unevictable_allowed", O_WRONLY);

	if (fd < 0)
		return;
	if (write(fd, "0", 1) < 0)
		perror("gmem-guest: compact_unevictable_allowed");
	close(fd);
}

int gpa_find(const void *address, unsigned int count, uint64_t *gpa)
{
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	size_t bytes = count * sizeof(*gpa);
	ssize_t got;

	if (fd < 0)
		return -errno;
	got = pread(fd, gpa, bytes, (off_t)((uintptr_t)address / PAGE_BYTES *
					    sizeof(*gpa)));
	close(fd);
	if (got != (ssize_t)bytes)
		return -EIO;
	for (unsigned int i = 0; i < count; i++) {
		/* Bit 63: the page is present; the lower bits are its frame number. */
		if (!(gpa[i] >> 63))
			return -ENXIO;
		gpa[i] = (gpa[i] & ((UINT64_C(1) << 55) - 1)) * PAGE_BYTES;
	}
	return 0;
}

int gpa_convert(const struct memory *memory, const uint64_t *gpa,
		unsigned int count, bool to_private)
{
	struct gmem_guest_call call = { .attributes = to_private ? 0x10 : 0 };

	for (unsigned int i = 0; i < count; i += call.pages) {
		call.gpa = gpa[i];
		call.pages = 1;
		while (i + call.pages < count &&
		       gpa[i + call.pages] == gpa[i] + call.pages * PAGE_BYTES)
			call.pages++;
		if (ioctl(memory->fd, GMEM_GUEST_CALL, &call))
			return -errno;
		if (call.result)
			return (int)call.result;
	}
	return 0;
}

static void half_write(struct half *half, unsigned int page, unsigned int count,
		       enum page_tag tag)
{
	half->generation++;
	for (unsigned int i = page; i < page + count; i++) {
		half->word[i] = page_word(tag, i, half->generation);
		page_fill(half_page(half, i), half->word[i]);
	}
}

static void half_check(struct half *half, unsigned int page, unsigned int count)
{
	for (unsigned int i = page; i < page + count; i++)
		half->wrong += page_differs(half_page(half, i), half->word[i]);
}

static int half_open(struct half *half)
{
	struct sysinfo info;
	size_t bytes;

	if (sysinfo(&info))
		return -errno;
	half->pages = (unsigned int)(info.totalram * info.mem_unit / 2 / PAGE_BYTES);
	bytes = half->pages * PAGE_BYTES;
	half->words = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	half->word = calloc(half->pages, sizeof(*half->word));
	half->gpa = calloc(half->pages, sizeof(*half->gpa));
	if (half->words == MAP_FAILED || !half->word || !half->gpa)
		return -ENOMEM;
	stay();
	half_write(half, 0, half->pages, TAG_SHOWN);
	if (mlock(half->words, bytes))
		return -errno;
	return gpa_find(half->words, half->pages, half->gpa);
}

int half_start(struct half *half, const struct memory *memory)
{
	int rc = half_open(half);

	half->memory = memory;
	if (!rc)
		rc = gpa_convert(memory, half->gpa, half->pages, true);
	half_check(half, 0, half->pages);
	half_write(half, 0, half->pages, TAG_SECRET);
	return rc;
}

static bool is_secret(const struct half *half, unsigned int page)
{
	return page_word_tag(half->word[page]) == TAG_SECRET;
}

/* Convert a few pages from @page on that have the same state. */
static void turn_piece(struct half *half, unsigned int page)
{
	bool to_private = !is_secret(half, page);
	unsigned int count = 1;

	while (count < PIECE_MAX && page + count < half->pages &&
	       is_secret(half, page + count) != to_private)
		count++;
	if (!to_private)
		half_write(half, page, count, TAG_SHOWN);
	half->rc = gpa_convert(half->memory, half->gpa + page, count, to_private);
	half_check(half, page, count);
	if (to_private)
		half_write(half, page, count, TAG_SECRET);
	__atomic_add_fetch(&half->turns, 1, __ATOMIC_RELAXED);
}

/* Shared pages become private again before other pages become shared. */
static void *turn_main(void *data)
{
	struct half *half = data;
	uint64_t random = 1;

	while (!half->rc && !__atomic_load_n(&half->stop, __ATOMIC_RELAXED)) {
		unsigned int page;

		random = random * 6364136223846793005 + 1442695040888963407;
		page = (unsigned int)(random >> 33) % half->pages;
		turn_piece(half, page);
		if (!is_secret(half, page))
			turn_piece(half, page);
	}
	return NULL;
}

int half_turn(struct half *half)
{
	half->stop = false;
	half->turns = 0;
	return -pthread_create(&half->thread, NULL, turn_main, half);
}

int half_still(struct half *half)
{
	__atomic_store_n(&half->stop, true, __ATOMIC_RELAXED);
	pthread_join(half->thread, NULL);
	half_check(half, 0, half->pages);
	return half->rc;
}

int half_end(struct half *half)
{
	int rc = gpa_convert(half->memory, half->gpa, half->pages, false);

	half_check(half, 0, half->pages);
	munmap(half->words, half->pages * PAGE_BYTES);
	free(half->word);
	free(half->gpa);
	return rc;
}
