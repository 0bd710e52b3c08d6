/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A virtio balloon (virtio 1.2, 5.5). Its configuration has the amount of memory that the
 * guest has to give up; the guest chooses the pages. The guest also reports free pages, and
 * statistics of its memory.
 */
#ifndef GMEMCTL_DEVICES_BALLOON_H
#define GMEMCTL_DEVICES_BALLOON_H

#include <stdbool.h>
#include <stdint.h>

#include "../base/tlv.h"
#include "../memory/given.h"
#include "virtio.h"

#define BALLOON_PORT	PCI_IO_START

/* Features */
#define BALLOON_MUST_TELL_HOST	(UINT64_C(1) << 0)
#define BALLOON_STATS		(UINT64_C(1) << 1)
#define BALLOON_DEFLATE_ON_OOM	(UINT64_C(1) << 2)
#define BALLOON_PAGE_POISON	(UINT64_C(1) << 4)
#define BALLOON_REPORTING	(UINT64_C(1) << 5)

/** BALLOON_TAGS: number of statistics; virtio defines the tag of each */
#define BALLOON_TAGS		16

/**
 * struct balloon_config - the configuration, little endian
 * @target: pages of 4 KiB that the guest has to give up
 * @actual: pages that the guest reports as given up
 * @unused: belongs to a feature that is not offered
 * @poison: value with which the guest fills free pages
 */
struct balloon_config {
	uint32_t target;
	uint32_t actual;
	uint32_t unused;
	uint32_t poison;
};

/**
 * struct balloon_stats - the last statistics of the guest
 * @known: tags that the guest has reported, as bits
 * @values: values by tag
 * @ns: time of the report
 */
struct balloon_stats {
	uint32_t known;
	uint64_t values[BALLOON_TAGS];
	uint64_t ns;
};

/**
 * struct balloon - the device
 * @virtio: its transport, whose lock protects the following members
 * @given: pages in the balloon
 * @held: a buffer of the queue of statistics is held until the next request
 * @held_head: head of this buffer
 * @stats: the last statistics
 * @reported: bytes of reported free pages that were decommitted so far
 */
struct balloon {
	struct virtio_pci virtio;
	struct given *given;
	bool held;
	uint16_t held_head;
	struct balloon_stats stats;
	uint64_t reported;
};

/**
 * struct balloon_report - the state of the balloon
 * @running: the guest has a driver for it
 * @target: bytes that the guest has to give up
 * @actual: bytes that the guest reports as given up
 * @given: bytes in the balloon; @failed of them could not be decommitted
 * @reported: bytes of reported free pages that were decommitted so far
 * @stats: the last statistics
 */
struct balloon_report {
	bool running;
	uint64_t target;
	uint64_t actual;
	uint64_t given;
	uint64_t failed;
	uint64_t reported;
	struct balloon_stats stats;
};

/**
 * balloon_init() - initialise it as after power-on, with a target of 0
 * @reporting: offer free page reporting
 */
void balloon_init(struct balloon *balloon, const struct board *board,
		  const struct guest_memory *memory, struct given *given, bool reporting);
void balloon_destroy(struct balloon *balloon);

/** balloon_set_target() - set the memory that the guest has to give up, in whole pages */
void balloon_set_target(struct balloon *balloon, uint64_t bytes);

/** balloon_report() - get the state of the balloon */
void balloon_report(struct balloon *balloon, struct balloon_report *report);

/** balloon_ask() - request new statistics; this writes to guest memory */
void balloon_ask(struct balloon *balloon);

/** balloon_tag_names: names of statistics by tag; NULL: unknown */
extern const char *const balloon_tag_names[BALLOON_TAGS];

/*
 * Get and set the state as records of @type and the next type. Offered features do not
 * change. Return: 0; -EBADMSG.
 */
void balloon_get(struct balloon *balloon, struct tlv *records, uint32_t type);
int balloon_set(struct balloon *balloon, const struct tlv *records, uint32_t type);

#endif /* GMEMCTL_DEVICES_BALLOON_H */
