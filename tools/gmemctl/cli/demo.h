/* SPDX-License-Identifier: GPL-2.0 */
/* The demo: one story in steps, each of which is checked. */
#ifndef GMEMCTL_CLI_DEMO_H
#define GMEMCTL_CLI_DEMO_H

#include <stdbool.h>
#include <stdint.h>

#include "../machine/payload.h"
#include "input.h"

#define DEMO_SAMPLES 3

/**
 * struct demo_sample - a page that is followed through the story
 * @offset: in the input, page aligned
 * @frame: physical frame while it was shared at first
 */
struct demo_sample {
	uint64_t offset;
	uint64_t frame;
};

/**
 * struct demo - the demo
 * @input: the file
 * @kind: of the memory: BACKING_GMEM or BACKING_GMEM_STORE
 * @module_dir: where the modules are, or NULL
 * @payload: the VM
 * @running: @payload exists
 * @samples: first, middle and last page of the input; @nr_samples differ
 * @failures: checks that did not hold
 * @reads_refused: accesses of the host that ended in SIGBUS
 * @reads_tried: accesses of the host to private pages
 * @private_seen: the payload has said that its input is private
 * @load_ns: time to read and digest the file
 * @convert_ns: time in which the guest took its input away
 * @hash_ns: time the guest computed
 * @start_ns: start of the demo
 * @mark_ns: start of what is being timed
 */
struct demo {
	struct input input;
	enum backing_kind kind;
	const char *module_dir;
	struct payload payload;
	bool running;
	struct demo_sample samples[DEMO_SAMPLES];
	unsigned int nr_samples;
	unsigned int failures;
	unsigned int reads_refused;
	unsigned int reads_tried;
	bool private_seen;
	uint64_t load_ns;
	uint64_t convert_ns;
	uint64_t hash_ns;
	uint64_t start_ns;
	uint64_t mark_ns;
};

/** demo_say() - a line of the story */
void demo_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/** demo_check() - a claim; the demo fails if it does not hold. Return: @ok. */
bool demo_check(struct demo *demo, bool ok, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/** demo_gmem_fd() - the shared side of its memory */
int demo_gmem_fd(const struct demo *demo);

/** demo_map() - draw the state of the memory */
int demo_map(struct demo *demo, struct error *error);

/* The steps, in order. Return: 0, or a negative errno with @error set. */
int demo_load_modules(struct demo *demo, struct error *error);
int demo_build_vm(struct demo *demo, struct error *error);
int demo_load_file(struct demo *demo, struct error *error);
int demo_run_guest(struct demo *demo, struct error *error);
int demo_show_digest(struct demo *demo, struct error *error);
int demo_convert_back(struct demo *demo, struct error *error);
int demo_try_view(struct demo *demo, struct error *error);
int demo_flip_attribute(struct demo *demo, struct error *error);
int demo_summary(struct demo *demo, struct error *error);

/** demo_ended_badly() - 0 if the payload is done; else what there was instead */
int demo_ended_badly(struct demo *demo, struct error *error);

/** demo_event() - payload_event_fn of the demo */
int demo_event(struct payload *payload, enum guest_event event, uint32_t value);

#endif /* GMEMCTL_CLI_DEMO_H */
