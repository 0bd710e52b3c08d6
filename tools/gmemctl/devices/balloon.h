/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A virtio balloon (virtio 1.2, 5.5): how much memory the guest is to give up is its
 * configuration; which pages these are it says itself. It also reports what it has
 * free for the moment, and tells how it gets on with the rest.
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

/** BALLOON_TAGS: statistics of a guest, by the numbers that virtio gives them */
#define BALLOON_TAGS		16

/**
 * struct balloon_config - the configuration, little endian
 * @target: pages of 4 KiB that the guest is to give up
 * @actual: that it says it has
 * @unused: of a feature that is not offered
 * @poison: what it fills free pages with
 */
struct balloon_config {
	uint32_t target;
	uint32_t actual;
	uint32_t unused;
	uint32_t poison;
};

/**
 * struct balloon_stats - what the guest has said last
 * @known: tags that it has said, as bits
 * @values: by tag
 * @ns: when that was
 */
struct balloon_stats {
	uint32_t known;
	uint64_t values[BALLOON_TAGS];
	uint64_t ns;
};

/**
 * struct balloon - the device
 * @virtio: its transport, with the lock of what follows
 * @given: pages in it
 * @held: a buffer of the queue of statistics that waits for somebody to ask
 * @held_head: which
 * @stats: see there
 * @reported: bytes that were decommitted as free, so far
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
 * struct balloon_report - how it stands
 * @running: the guest has a driver for it
 * @target: bytes wanted
 * @actual: that the guest says it has given
 * @given: that it has, @failed of them without an effect
 * @reported: decommitted as free, so far
 * @stats: see there
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
 * balloon_init() - as after power-on, with a target of 0
 * @reporting: free page reporting is offered
 */
void balloon_init(struct balloon *balloon, const struct board *board,
		  const struct guest_memory *memory, struct given *given, bool reporting);
void balloon_destroy(struct balloon *balloon);

/** balloon_set_target() - @bytes: whole pages that the guest is to give up */
void balloon_set_target(struct balloon *balloon, uint64_t bytes);

/** balloon_report() - how it stands */
void balloon_report(struct balloon *balloon, struct balloon_report *report);

/** balloon_ask() - have the guest say how it gets on; this writes to its memory */
void balloon_ask(struct balloon *balloon);

/** balloon_tag_names: of what is known of what they mean, by tag; NULL: not */
extern const char *const balloon_tag_names[BALLOON_TAGS];

/*
 * Records of @type and the one after it; what is offered is as it was. Return: 0;
 * -EBADMSG.
 */
void balloon_get(struct balloon *balloon, struct tlv *records, uint32_t type);
int balloon_set(struct balloon *balloon, const struct tlv *records, uint32_t type);

#endif /* GMEMCTL_DEVICES_BALLOON_H */
