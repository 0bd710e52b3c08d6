// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "../base/bytes.h"
#include "../base/clock.h"
#include "../memory/access.h"
#include "balloon.h"

#define DEVICE_TYPE	5
#define PAGE_SHIFT	12

/* Page numbers of a buffer that are read at a time; Linux sends 256 */
#define NUMBERS_MAX	1024

/*
 * Limit for the page numbers in a buffer, in bytes. Otherwise a few buffers that name all of
 * RAM many times could hold the device's lock for hours, and requests for its state with it.
 */
#define BUFFER_MAX	(64u << 10)

#define STAT_SIZE	10	/* u16 tag; u64 value */

enum queue_role {
	QUEUE_INFLATE,
	QUEUE_DEFLATE,
	QUEUE_STATS,
	QUEUE_REPORTING,
	QUEUE_NONE,
};

const char *const balloon_tag_names[BALLOON_TAGS] = {
	"swap_in", "swap_out", "major_faults", "minor_faults", "free_memory",
	"total_memory", "available_memory", "disk_caches", "hugetlb_allocations",
	"hugetlb_failures", "oom_kills", "allocation_stalls", "scanned_async",
	"scanned_direct", "reclaimed_async", "reclaimed_direct",
};

/* A record of the saved state */
struct saved_state {
	uint32_t held;
	uint32_t held_head;
	uint64_t reported;
	uint64_t offered;
};

/*
 * Linux and QEMU number only the queues that exist, but the specification gives each a fixed
 * number. Accept both for the queue of reports, the only one for which they differ here.
 */
static enum queue_role role_of(const struct balloon *balloon, unsigned int queue)
{
	bool stats = virtio_has(&balloon->virtio, BALLOON_STATS);
	bool reporting = virtio_has(&balloon->virtio, BALLOON_REPORTING);

	if (queue <= QUEUE_DEFLATE)
		return (enum queue_role)queue;
	if (queue == 2 && stats)
		return QUEUE_STATS;
	if (reporting && (queue == 4 || queue == 2U + stats))
		return QUEUE_REPORTING;
	return QUEUE_NONE;
}

static int compare(const void *a, const void *b)
{
	uint32_t first = *(const uint32_t *)a, second = *(const uint32_t *)b;

	return first < second ? -1 : first > second;
}

typedef void (*given_fn)(struct given *given, struct range range);

/* Call @visit for each run of adjacent pages. The guest may list them in any order. */
static void each_run(struct given *given, uint32_t *numbers, unsigned int count, given_fn visit)
{
	struct range run = { 0, 0 };

	qsort(numbers, count, sizeof(*numbers), compare);
	for (unsigned int i = 0; i < count; i++) {
		uint64_t start = (uint64_t)numbers[i] << PAGE_SHIFT;

		if (range_size(run) && start > run.end)
			visit(given, run);
		if (!range_size(run) || start > run.end)
			run.start = start;
		/* A page that is listed twice does not change the end. */
		run.end = start + RANGE_PAGE_SIZE;
	}
	if (range_size(run))
		visit(given, run);
}

/* Handle the page numbers in a part of a buffer. Return: 0 or -EFAULT. */
static int take_numbers(struct balloon *balloon, const struct virtqueue_part *part, given_fn visit)
{
	uint32_t numbers[NUMBERS_MAX];
	uint64_t left = part->size / sizeof(*numbers), gpa = part->gpa;
	int rc = 0;

	while (!rc && left) {
		unsigned int count = left < NUMBERS_MAX ? (unsigned int)left :
							  NUMBERS_MAX;

		rc = access_read(balloon->virtio.memory, gpa, numbers, count * sizeof(*numbers));
		if (!rc)
			each_run(balloon->given, numbers, count, visit);
		gpa += count * sizeof(*numbers);
		left -= count;
	}
	return rc;
}

static void serve_numbers(struct balloon *balloon, unsigned int queue,
			  const struct virtqueue_buffer *buffer, given_fn visit)
{
	uint64_t size = 0;

	for (unsigned int i = 0; i < buffer->count; i++)
		size += buffer->parts[i].size;
	if (size > BUFFER_MAX)
		return virtio_give_up(&balloon->virtio, queue);
	for (unsigned int i = 0; i < buffer->count; i++)
		if (!buffer->parts[i].writable && take_numbers(balloon, &buffer->parts[i], visit))
			board_note(balloon->virtio.board, "balloon: page numbers cannot be read");
}

/* Keep the pages of a guest that expects a poison pattern in free pages: it would find zeros. */
static void serve_reports(struct balloon *balloon, const struct virtqueue_buffer *buffer)
{
	const struct balloon_config *config =
		(const void *)balloon->virtio.state.config;

	if (virtio_has(&balloon->virtio, BALLOON_PAGE_POISON) && config->poison)
		return;
	for (unsigned int i = 0; i < buffer->count; i++) {
		const struct virtqueue_part *part = &buffer->parts[i];
		struct range range = { part->gpa, part->gpa + part->size };

		if (part->writable && range.start < range.end)
			balloon->reported += given_once(balloon->given, range);
	}
}

static void serve_stats(struct balloon *balloon, const struct virtqueue_buffer *buffer)
{
	const struct virtqueue_part *part = &buffer->parts[0];
	struct balloon_stats stats = { .ns = clock_now_ns() };
	uint8_t bytes[2 * BALLOON_TAGS * STAT_SIZE];
	uint32_t size = part->size < sizeof(bytes) ? part->size : sizeof(bytes);

	size -= size % STAT_SIZE;
	if (part->writable || access_read(balloon->virtio.memory, part->gpa, bytes, size))
		return;
	for (uint32_t at = 0; at < size; at += STAT_SIZE) {
		uint16_t tag = bytes_get16(bytes + at);

		if (tag >= BALLOON_TAGS)
			continue;
		stats.known |= 1U << tag;
		stats.values[tag] = bytes_get64(bytes + at + 2);
	}
	balloon->stats = stats;
}

/* Serve a buffer. That of statistics is held until newer ones are requested. */
static void serve(struct balloon *balloon, unsigned int queue,
		  const struct virtqueue_buffer *buffer)
{
	switch (role_of(balloon, queue)) {
	case QUEUE_INFLATE:
		serve_numbers(balloon, queue, buffer, given_add);
		break;
	case QUEUE_DEFLATE:
		serve_numbers(balloon, queue, buffer, given_take);
		break;
	case QUEUE_REPORTING:
		serve_reports(balloon, buffer);
		break;
	case QUEUE_STATS:
		serve_stats(balloon, buffer);
		if (balloon->held)
			break;
		balloon->held = true;
		balloon->held_head = buffer->head;
		return;
	default:
		break;
	}
	virtio_give(&balloon->virtio, queue, buffer->head);
}

/*
 * Runs in the vCPU's thread, so it serves at most as many buffers as the queue has. A driver
 * that makes more available meanwhile has to notify again.
 */
static void balloon_notify(void *data, unsigned int queue)
{
	struct balloon *balloon = data;
	struct virtqueue_buffer buffer;

	for (int i = 0; i < VIRTQUEUE_SIZE_MAX &&
	     virtio_take(&balloon->virtio, queue, &buffer); i++)
		serve(balloon, queue, &buffer);
}

static struct balloon_config *config_of(struct balloon *balloon)
{
	return (void *)balloon->virtio.state.config;
}

/* Empty the balloon, because after a reset the guest may use all of its pages. */
static void balloon_reset(void *data)
{
	struct balloon *balloon = data;

	given_take_all(balloon->given);
	balloon->held = false;
	memset(&balloon->stats, 0, sizeof(balloon->stats));
	config_of(balloon)->actual = 0;
	config_of(balloon)->poison = 0;
}

static const struct virtio_ops balloon_ops = {
	.notify = balloon_notify,
	.reset = balloon_reset,
};

void balloon_init(struct balloon *balloon, const struct board *board,
		  const struct guest_memory *memory, struct given *given, bool reporting)
{
	memset(balloon, 0, sizeof(*balloon));
	balloon->given = given;
	balloon->virtio.board = board;
	balloon->virtio.memory = memory;
	balloon->virtio.ops = &balloon_ops;
	balloon->virtio.data = balloon;
	balloon->virtio.offered = BALLOON_MUST_TELL_HOST | BALLOON_STATS |
				  BALLOON_DEFLATE_ON_OOM | BALLOON_PAGE_POISON |
				  (reporting ? BALLOON_REPORTING : 0);
	balloon->virtio.config_size = sizeof(struct balloon_config);
	/* The guest must not write the target, which comes before @actual. */
	balloon->virtio.config_writable = offsetof(struct balloon_config, actual);
	virtio_pci_init(&balloon->virtio, "balloon", DEVICE_TYPE, BALLOON_PORT);
}

void balloon_destroy(struct balloon *balloon)
{
	virtio_pci_destroy(&balloon->virtio);
}

void balloon_set_target(struct balloon *balloon, uint64_t bytes)
{
	pthread_mutex_lock(&balloon->virtio.lock);
	config_of(balloon)->target = (uint32_t)(bytes >> PAGE_SHIFT);
	virtio_changed(&balloon->virtio);
	pthread_mutex_unlock(&balloon->virtio.lock);
}

void balloon_report(struct balloon *balloon, struct balloon_report *report)
{
	const struct balloon_config *config = config_of(balloon);

	pthread_mutex_lock(&balloon->virtio.lock);
	*report = (struct balloon_report){
		.running = virtio_is_running(&balloon->virtio),
		.target = (uint64_t)config->target << PAGE_SHIFT,
		.actual = (uint64_t)config->actual << PAGE_SHIFT,
		.reported = balloon->reported,
		.stats = balloon->stats,
	};
	report->given = given_count(balloon->given, &report->failed);
	pthread_mutex_unlock(&balloon->virtio.lock);
}

void balloon_ask(struct balloon *balloon)
{
	pthread_mutex_lock(&balloon->virtio.lock);
	if (balloon->held) {
		balloon->held = false;
		virtio_give(&balloon->virtio, QUEUE_STATS, balloon->held_head);
	}
	pthread_mutex_unlock(&balloon->virtio.lock);
}

void balloon_get(struct balloon *balloon, struct tlv *records, uint32_t type)
{
	struct saved_state saved = {
		.held = balloon->held,
		.held_head = balloon->held_head,
		.reported = balloon->reported,
		.offered = balloon->virtio.offered,
	};

	virtio_pci_get(&balloon->virtio, records, type);
	tlv_add(records, type + 1, 0, &saved, sizeof(saved));
}

int balloon_set(struct balloon *balloon, const struct tlv *records, uint32_t type)
{
	struct saved_state saved;
	int rc;

	if (!tlv_get(records, type + 1, 0, &saved, sizeof(saved)) ||
	    (saved.offered | BALLOON_REPORTING) != (balloon->virtio.offered | BALLOON_REPORTING))
		return -EBADMSG;
	balloon->virtio.offered = saved.offered;
	rc = virtio_pci_set(&balloon->virtio, records, type);
	if (rc)
		return rc;
	balloon->held = saved.held;
	balloon->held_head = (uint16_t)saved.held_head;
	balloon->reported = saved.reported;
	return 0;
}
