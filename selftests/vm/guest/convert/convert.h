/* SPDX-License-Identifier: GPL-2.0 */
/* Common definitions of the files of /convert, a program of the guest. */
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
 * @gpa: guest physical address of the memory
 * @words: the memory
 * @word: the word in each page, after its counters; changed by the owner of the page
 * @state: the state of each page as text, likewise
 * @conversions: number of successful requests; changed atomically
 * @pages: number of pages in these requests, likewise
 * @to_private: number of requests to private, likewise
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
 * wrong_tell() - report a wrong word on a line that the test on the host searches for
 * @memory: the memory
 * @check: name of the check
 * @page: the page
 * @word: its index in the page
 * @found: its value
 * @expected: the right value
 *
 * Only the first few wrong words of a command are reported.
 */
void wrong_tell(const struct memory *memory, const char *check,
		unsigned int page, unsigned int word, uint64_t found,
		uint64_t expected);
void wrong_forget(void);

/**
 * struct work - results of a run
 * @touches: number of increments of counters
 * @copies: number of pages copied through files
 * @refused: number of requests that the host has refused
 * @wrong: number of wrong words and counters
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
 * struct bad - results of requests that must be refused
 * @calls: number of requests that have reached the VMM
 * @wrong: number of requests with a wrong answer
 */
struct bad {
	unsigned int calls;
	unsigned int wrong;
};

/* bad.c */
struct bad bad_requests(struct memory *memory);

/* disk.c: copy through a disk, without the page cache. Return: 0, or a negative errno. */
int disk_copy(struct memory *memory, const char *path, unsigned int *wrong);

/* half.c: addresses of this program's pages in the guest, and their conversion */
int gpa_find(const void *address, unsigned int count, uint64_t *gpa);
int gpa_convert(const struct memory *memory, const uint64_t *gpa,
		unsigned int count, bool to_private);

/**
 * struct half - half of all RAM
 * @memory: its device converts the pages
 * @pages: number of pages
 * @words: the mapping
 * @word: the word in each page, after its counters
 * @gpa: guest physical address of each page
 * @generation: generation of the words that were written last
 * @wrong: number of wrong words
 * @turns: number of converted pieces; changed atomically
 * @rc: error of a refused conversion
 * @stop: set to end the thread
 * @thread: converts pieces
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

/* All return 0, a negative errno, or an error of the host. */
int half_start(struct half *half, const struct memory *memory);
int half_turn(struct half *half);
int half_still(struct half *half);
int half_end(struct half *half);

/**
 * struct net - counts of frames
 * @sent: frames that the kernel has accepted
 * @received: received frames
 * @wrong: received frames with wrong contents
 */
struct net {
	unsigned int sent;
	unsigned int received;
	unsigned int wrong;
};

/**
 * struct ring - counts of frames in memory that device and program use
 * @private: frames that the device has completed while they were private
 * @shared: frames completed after they were shared again
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
