// SPDX-License-Identifier: GPL-2.0
/* The memory of /dev/gmem_guest_test in this process. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "convert.h"

#define MODULE "gmem_guest"
#define TEST_MODULE "gmem_guest_test"

static int module_load(const char *path, const char *parameters)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), rc = 0;

	if (fd < 0)
		return -errno;
	if (syscall(SYS_finit_module, fd, parameters, 0))
		rc = -errno;
	close(fd);
	return rc;
}

/* Load gmem_guest.ko in such a way that it makes nothing private by itself. */
static int modules_load(void)
{
	int rc = module_load("/" MODULE ".ko", "private=none");

	return rc ? rc : module_load("/" TEST_MODULE ".ko", "");
}

/* Return: 0, or a negative errno. */
static int modules_unload(void)
{
	if (syscall(SYS_delete_module, TEST_MODULE, O_NONBLOCK) ||
	    syscall(SYS_delete_module, MODULE, O_NONBLOCK))
		return -errno;
	return 0;
}

static void memory_set_state(struct memory *memory, unsigned int page,
			     unsigned int count, const char *state)
{
	while (count--)
		memory->state[page++] = state;
}

int memory_open(struct memory *memory)
{
	int rc = modules_load();

	if (rc)
		return rc;
	memory->fd = open(GMEM_GUEST_PATH, O_RDWR | O_CLOEXEC);
	if (memory->fd < 0)
		return -errno;
	if (ioctl(memory->fd, GMEM_GUEST_GPA, &memory->gpa))
		return -errno;
	memory->words = mmap(NULL, GMEM_GUEST_SIZE, PROT_READ | PROT_WRITE,
			     MAP_SHARED, memory->fd, 0);
	if (memory->words == MAP_FAILED)
		return -errno;
	memory_set_state(memory, 0, PAGES, "shared");
	memory_write(memory, 0, PAGES, TAG_SHOWN, 0);
	return 0;
}

/* The module once more converts all of the memory to shared. */
int memory_close(struct memory *memory)
{
	int rc;

	munmap(memory->words, GMEM_GUEST_SIZE);
	close(memory->fd);
	rc = modules_unload();
	if (rc)
		return rc;
	memory->conversions++;
	memory->pages += PAGES;
	return 0;
}

uint64_t *memory_page(const struct memory *memory, unsigned int page)
{
	return memory->words + page * PAGE_WORDS;
}

int memory_convert(struct memory *memory, unsigned int page, unsigned int count,
		   bool to_private)
{
	struct gmem_guest_convert convert = {
		.offset = page * PAGE_BYTES,
		.length = count * PAGE_BYTES,
		.to_private = to_private,
	};

	memory_set_state(memory, page, count,
			 to_private ? "becoming private" : "becoming shared");
	if (ioctl(memory->fd, GMEM_GUEST_CONVERT, &convert)) {
		int rc = -errno;

		memory_set_state(memory, page, count, "refused");
		return rc;
	}
	memory_set_state(memory, page, count, to_private ? "private" : "shared");
	__atomic_add_fetch(&memory->conversions, 1, __ATOMIC_RELAXED);
	__atomic_add_fetch(&memory->pages, count, __ATOMIC_RELAXED);
	__atomic_add_fetch(&memory->to_private, to_private, __ATOMIC_RELAXED);
	return 0;
}

/* Write words of a kind to pages. */
void memory_write(struct memory *memory, unsigned int page, unsigned int count,
		  enum page_tag tag, uint32_t generation)
{
	for (unsigned int i = page; i < page + count; i++) {
		memory->word[i] = page_word(tag, i, generation);
		page_fill(memory_page(memory, i), memory->word[i]);
	}
}

/*
 * Number of words in a page that differ from @word. Each is read once, because it can be
 * right later.
 */
unsigned int memory_check_word(const struct memory *memory, const char *check,
			       unsigned int page, uint64_t word)
{
	const volatile uint64_t *words = memory_page(memory, page);
	unsigned int wrong = 0;

	for (unsigned int i = PAGE_COUNTERS; i < PAGE_WORDS; i++) {
		uint64_t found = words[i];

		if (found == word)
			continue;
		wrong_tell(memory, check, page, i, found, word);
		wrong++;
	}
	return wrong;
}

/* Number of words in pages that differ from the recorded ones. */
unsigned int memory_check(const struct memory *memory, const char *check,
			  unsigned int page, unsigned int count)
{
	unsigned int wrong = 0;

	for (unsigned int i = page; i < page + count; i++)
		wrong += memory_check_word(memory, check, i, memory->word[i]);
	return wrong;
}
