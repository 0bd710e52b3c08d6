/* SPDX-License-Identifier: GPL-2.0 */
/* What the files of /convert, a program of the guest, share. */
#ifndef GUEST_CONVERT_H
#define GUEST_CONVERT_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../pages.h"

/**
 * struct memory - the memory of /dev/gmem_guest_test
 * @fd: the device
 * @gpa: where the memory is
 * @words: the memory
 * @word: what each page holds, after its counters; a page's owner changes it
 * @state: what each page is, in words, likewise
 * @conversions: requests that the host has granted; changed atomically
 * @pages: pages in them, likewise
 * @to_private: those of @conversions to private, likewise
 */
struct memory {
	int fd;
	uint64_t gpa;
	uint64_t *words;
	uint64_t word[PAGES];
	const char *state[PAGES];
	uint64_t conversions;
	uint64_t pages;
	uint64_t to_private;
};

/* memory.c */
int memory_open(struct memory *memory);
int memory_close(struct memory *memory);
int memory_convert(struct memory *memory, unsigned int page, unsigned int count,
		   bool to_private);
uint64_t *memory_page(const struct memory *memory, unsigned int page);
void memory_write(struct memory *memory, unsigned int page, unsigned int count,
		  enum page_tag tag, uint32_t generation);
unsigned int memory_check(const struct memory *memory, const char *check,
			  unsigned int page, unsigned int count);
unsigned int memory_check_word(const struct memory *memory, const char *check,
			       unsigned int page, uint64_t word);

/**
 * wrong_tell() - say which word is wrong, on a line that the host's test looks for
 * @memory: what it is in
 * @check: what has found it
 * @page: the page
 * @word: its index in the page
 * @found: what was there
 * @expected: what should have been
 *
 * Only the first few of a command are told.
 */
void wrong_tell(const struct memory *memory, const char *check,
		unsigned int page, unsigned int word, uint64_t found,
		uint64_t expected);
void wrong_forget(void);

/**
 * struct work - what a run has done
 * @touches: increments of counters
 * @copies: pages copied through files
 * @refused: requests that the host has not granted
 * @wrong: words and counters that were not what they should have been
 */
struct work {
	uint64_t touches;
	uint64_t copies;
	uint64_t refused;
	uint64_t wrong;
};

/* work.c: convert and use the memory at the same time */
void work_run(struct memory *memory, unsigned int ms, bool keeps,
	      struct work *work);

/**
 * struct bad - what came of requests that have to be refused
 * @calls: requests to the VMM that reached it
 * @wrong: requests of any kind with another answer than they should get
 */
struct bad {
	unsigned int calls;
	unsigned int wrong;
};

/* bad.c */
struct bad bad_requests(struct memory *memory);

/* disk.c: through a disk, without the page cache. Return: 0, or a negative errno. */
int disk_copy(struct memory *memory, const char *path, unsigned int *wrong);

/* half.c: where pages of this program are in the guest, and what they are there. */
int gpa_find(const void *address, unsigned int count, uint64_t *gpa);
int gpa_convert(const struct memory *memory, const uint64_t *gpa,
		unsigned int count, bool to_private);

/**
 * struct half - half of all RAM
 * @memory: whose device converts it
 * @pages: number of pages
 * @words: all of it
 * @word: what each page holds, after its counters
 * @gpa: where each page is
 * @generation: of the words that were written last
 * @wrong: words that were not what they should have been
 * @turns: pieces that have changed hands; changed atomically
 * @rc: what a conversion was refused with
 * @stop: set when the thread is to end
 * @thread: has pieces change hands
 */
struct half {
	const struct memory *memory;
	unsigned int pages;
	uint64_t *words;
	uint64_t *word;
	uint64_t *gpa;
	uint32_t generation;
	uint64_t wrong;
	uint64_t turns;
	int rc;
	bool stop;
	pthread_t thread;
};

/* All return 0, a negative errno, or what the host says. */
int half_start(struct half *half, const struct memory *memory);
int half_turn(struct half *half);
int half_still(struct half *half);
int half_end(struct half *half);

/**
 * struct net - what came of frames
 * @sent: frames that the kernel has taken
 * @received: frames that came
 * @wrong: of them, those with other contents than they should have
 */
struct net {
	unsigned int sent;
	unsigned int received;
	unsigned int wrong;
};

/**
 * struct ring - what came of frames in memory that device and program share
 * @private: frames that the device had done with while they were private
 * @shared: the same when they were shared again
 */
struct ring {
	unsigned int private;
	unsigned int shared;
};

/* net.c. Return: 0, or a negative errno. */
int net_exchange(const char *name, unsigned int count, struct net *net);
int net_listen(const char *name, struct net *net);
int net_ring(const struct memory *memory, const char *name, struct ring *done);

/* paravirt.c: "clock=NAME on=NAME,NAME,..." */
void paravirt_tell(const struct memory *memory, char *text, size_t size);

#endif /* GUEST_CONVERT_H */
