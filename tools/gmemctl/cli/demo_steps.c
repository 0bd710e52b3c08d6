// SPDX-License-Identifier: GPL-2.0
/* What each step of the demo does, says and checks. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../base/clock.h"
#include "../gmem/gmem.h"
#include "../kvm/attributes.h"
#include "../memory/probe.h"
#include "demo.h"
#include "host.h"
#include "modules.h"

#define MIB (UINT64_C(1) << 20)
#define RUN_TIMEOUT_S 1200

/* Pages that the input takes: an empty one has a page as well. */
static uint64_t input_pages(const struct demo *demo)
{
	uint64_t pages = (demo->input.size + GUEST_PAGE_SIZE - 1) >>
			 GUEST_PAGE_SHIFT;

	return pages ? pages : 1;
}

static uint8_t *input_page(struct demo *demo, uint64_t offset)
{
	return payload_input(&demo->payload) + offset;
}

int demo_load_modules(struct demo *demo, struct error *error)
{
	char version[64];
	unsigned int abi;
	int rc;

	rc = modules_load(demo->module_dir, error);
	if (!rc)
		rc = modules_check_abi(&abi, error);
	if (rc)
		return rc;
	for (unsigned int i = 0; i < MODULES_COUNT; i++) {
		modules_version(modules_names[i], version, sizeof(version));
		demo_check(demo, modules_loaded(modules_names[i]),
			   "%s %s is loaded", modules_names[i], version);
	}
	demo_say("ABI version %u", abi);
	return 0;
}

int demo_build_vm(struct demo *demo, struct error *error)
{
	struct payload_config config = {
		.nr_vcpus = 1,
		.memory = { .kind = demo->kind, .existing_fd = -1, .node = -1 },
		.strategy = MEMORY_INPLACE,
		.convert_timeout_ms = 5000,
		.run_timeout_s = RUN_TIMEOUT_S,
		.event = demo_event,
		.data = demo,
	};
	bool store = demo->kind == BACKING_GMEM_STORE;
	uint64_t pages = input_pages(demo);
	struct gmem_ioctl_stat stat;
	int rc;

	config.memory_size = payload_input_gpa(config.strategy, 1) +
			     (pages << GUEST_PAGE_SHIFT) + MIB;
	config.memory_size = (config.memory_size + MIB - 1) / MIB * MIB;
	rc = host_check_memory(pages << GUEST_PAGE_SHIFT, error);
	if (rc)
		return rc;
	rc = payload_create(&demo->payload, &config, error);
	if (rc)
		return rc;
	demo->running = true;
	demo_say("%s, 1 vCPU, one slot of %" PRIu64 " MiB", store ?
		 "KVM_X86_SW_PROTECTED_VM" : "an ordinary VM",
		 config.memory_size / MIB);
	demo_say(store ? "shared pages: a gmem fd; private pages: KVM's guest_memfd; "
		 "bound together" :
		 "all pages: a gmem fd; KVM has a view of it, the host a mapping of "
		 "what is shared");
	rc = gmem_stat(demo_gmem_fd(demo), &stat);
	if (rc)
		return error_set(error, rc, "gmem fd", "GMEM_IOCTL_STAT", NULL);
	demo_check(demo, !stat.private_pages && stat.bindings == store &&
		   stat.views == !store,
		   "no page is private yet; the payload is in place");
	return demo_map(demo, error);
}

static void demo_choose_samples(struct demo *demo)
{
	uint64_t last = input_pages(demo) - 1;
	const uint64_t pages[DEMO_SAMPLES] = { 0, last / 2, last };

	for (unsigned int i = 0; i < DEMO_SAMPLES; i++) {
		if (i && pages[i] == pages[i - 1])
			continue;
		demo->samples[demo->nr_samples++].offset =
			pages[i] << GUEST_PAGE_SHIFT;
	}
}

static int demo_frame(struct demo *demo, uint64_t offset, uint64_t *frame,
		      struct error *error)
{
	const uint8_t *page = input_page(demo, offset);
	uint8_t byte;
	int rc;

	/* The touch brings in a page that nobody has used yet. */
	rc = probe_read(page, &byte);
	if (rc)
		return error_set(error, rc, "guest memory",
				 "read a shared page", NULL);
	rc = probe_frame(page, frame);
	if (rc)
		return error_set(error, rc, "/proc/self/pagemap",
				 "look up a frame number", rc == -EPERM ?
				 "run as root (CAP_SYS_ADMIN)" : NULL);
	return 0;
}

int demo_load_file(struct demo *demo, struct error *error)
{
	uint64_t start = clock_now_ns();
	char text[65];
	int rc;

	rc = input_load(&demo->input, payload_input(&demo->payload), error);
	if (rc)
		return rc;
	demo->load_ns = clock_now_ns() - start;
	input_digest_text(demo->input.digest, text);
	demo_say("%s: %" PRIu64 " bytes at gpa 0x%" PRIx64, demo->input.path,
		 demo->input.size, payload_input_gpa(MEMORY_INPLACE, 1));
	demo_say("SHA-256 by the host (OpenSSL), as long as it can: %s", text);
	demo_choose_samples(demo);
	for (unsigned int i = 0; i < demo->nr_samples; i++) {
		struct demo_sample *sample = &demo->samples[i];

		rc = demo_frame(demo, sample->offset, &sample->frame, error);
		if (rc)
			return rc;
		demo_say("input page %" PRIu64 " is in frame 0x%" PRIx64,
			 sample->offset >> GUEST_PAGE_SHIFT, sample->frame);
	}
	return demo_map(demo, error);
}

static bool demo_read_refused(struct demo *demo, uint64_t offset)
{
	uint8_t byte;

	demo->reads_tried++;
	if (probe_read(input_page(demo, offset), &byte) != -EFAULT)
		return false;
	demo->reads_refused++;
	return true;
}

/* The guest waits at its port, with the input private. */
static int demo_event_private(struct demo *demo)
{
	struct gmem_ioctl_stat stat;
	struct error error;
	uint64_t now = clock_now_ns();

	demo->private_seen = true;
	demo->convert_ns = now - demo->mark_ns;
	demo_say("the guest: my input is private now (KVM_HC_MAP_GPA_RANGE, "
		 "%" PRIu64 " calls)", demo->payload.machine.counters.conversions);
	if (gmem_stat(demo_gmem_fd(demo), &stat))
		memset(&stat, 0, sizeof(stat));
	demo_check(demo, stat.private_pages >= input_pages(demo),
		   "%" PRIu64 " pages are private, %" PRIu64 " of them input",
		   (uint64_t)stat.private_pages, input_pages(demo));
	for (unsigned int i = 0; i < demo->nr_samples; i++) {
		uint64_t offset = demo->samples[i].offset;

		demo_check(demo, demo_read_refused(demo, offset) &&
			   probe_write(input_page(demo, offset), 0) == -EFAULT,
			   "the host reads and writes input page %" PRIu64
			   ": SIGBUS, both", offset >> GUEST_PAGE_SHIFT);
	}
	demo->mark_ns = clock_now_ns();
	return demo_map(demo, &error);
}

/* While the guest computes the host tries its luck all over the input. */
static void demo_event_progress(struct demo *demo, uint32_t sixteenths)
{
	uint64_t page = (input_pages(demo) - 1) * sixteenths / 16;
	bool refused = demo_read_refused(demo, page << GUEST_PAGE_SHIFT);

	if (!refused)
		demo_check(demo, false, "the host has read private page %" PRIu64,
			   page);
	if (sixteenths % 4 == 0)
		demo_say("the guest: %u%% hashed; %u of %u host accesses refused",
			 sixteenths * 100 / 16, demo->reads_refused,
			 demo->reads_tried);
}

int demo_event(struct payload *payload, enum guest_event event, uint32_t value)
{
	struct demo *demo = payload->config.data;

	switch (event) {
	case GUEST_EVENT_PRIVATE:
		return demo_event_private(demo);
	case GUEST_EVENT_PROGRESS:
		demo_event_progress(demo, value);
		return 0;
	case GUEST_EVENT_DONE:
		demo->hash_ns = clock_now_ns() - demo->mark_ns;
		return 0;
	default:
		return 0;
	}
}

int demo_ended_badly(struct demo *demo, struct error *error)
{
	const struct machine *machine = &demo->payload.machine;

	if (machine->end == END_DONE)
		return 0;
	return error_set(error, -EIO, "VM", end_text(machine->end), "%.500s",
			 machine->report);
}

int demo_run_guest(struct demo *demo, struct error *error)
{
	int rc;

	demo->mark_ns = clock_now_ns();
	rc = payload_run(&demo->payload, GUEST_PAYLOAD_SHA256, demo->input.size,
			 0, error);
	if (!rc)
		rc = demo_ended_badly(demo, error);
	if (rc)
		return rc;
	demo_check(demo, demo->private_seen && demo->reads_tried &&
		   demo->reads_refused == demo->reads_tried,
		   "the host was refused %u times out of %u while the guest worked",
		   demo->reads_refused, demo->reads_tried);
	return 0;
}

int demo_show_digest(struct demo *demo, struct error *error)
{
	const uint8_t *result = machine_host(&demo->payload.machine,
					      GUEST_RESULT_GPA);
	uint8_t digest[INPUT_DIGEST_SIZE];
	char text[65];

	for (unsigned int i = 0; i < sizeof(digest); i++)
		if (probe_read(result + i, &digest[i]))
			return error_set(error, -EFAULT, "result page", "read",
					 "the guest has not made it shared");
	demo_say("the guest has given its result page back; in it:");
	input_digest_text(digest, text);
	printf("digest: %s\n", text);
	demo_check(demo, !memcmp(digest, demo->input.digest, sizeof(digest)),
		   "the host's digest from before is the same");
	return 0;
}

/* Compares a page with the file; what is behind its end has to be zero. */
static bool demo_same_contents(struct demo *demo, uint64_t offset)
{
	uint8_t expected[GUEST_PAGE_SIZE] = { 0 };
	uint64_t left = demo->input.size > offset ? demo->input.size - offset : 0;
	size_t want = left < sizeof(expected) ? left : sizeof(expected);

	if (pread(demo->input.fd, expected, want, (off_t)offset) != (ssize_t)want)
		return false;
	return !memcmp(expected, input_page(demo, offset), sizeof(expected));
}

static int demo_sample_back(struct demo *demo, struct demo_sample *sample,
			    struct error *error)
{
	uint64_t gpa = payload_input_gpa(MEMORY_INPLACE, 1) + sample->offset;
	struct range what = { gpa, gpa + GUEST_PAGE_SIZE };
	uint64_t page = sample->offset >> GUEST_PAGE_SHIFT;
	uint64_t frame;
	char why[256];
	int rc;

	rc = machine_convert(&demo->payload.machine, NULL, what, false, why,
			     sizeof(why));
	if (rc)
		return error_set(error, rc, "guest memory", "convert to shared",
				 "%s", why);
	rc = demo_frame(demo, sample->offset, &frame, error);
	if (rc)
		return rc;
	demo_check(demo, frame == sample->frame,
		   "input page %" PRIu64 " is in frame 0x%" PRIx64
		   ", before it was in 0x%" PRIx64, page, frame, sample->frame);
	demo_check(demo, demo_same_contents(demo, sample->offset),
		   "input page %" PRIu64 " holds what the file holds", page);
	return 0;
}

int demo_convert_back(struct demo *demo, struct error *error)
{
	int rc = 0;

	for (unsigned int i = 0; !rc && i < demo->nr_samples; i++)
		rc = demo_sample_back(demo, &demo->samples[i], error);
	return rc ? rc : demo_map(demo, error);
}

static void demo_rate(const char *what, uint64_t bytes, uint64_t ns)
{
	uint64_t us = ns / 1000;

	demo_say("%-34s %8" PRIu64 ".%03" PRIu64 " ms  %6" PRIu64 " MiB/s", what,
		 us / 1000, us % 1000,
		 us ? bytes * 1000000 / us / MIB : 0);
}

int demo_summary(struct demo *demo, struct error *error)
{
	const struct machine_counters *counters = &demo->payload.machine.counters;
	uint64_t bytes = input_pages(demo) << GUEST_PAGE_SHIFT;

	(void)error;
	demo_rate("load and digest the file, host", bytes, demo->load_ns);
	demo_rate("take the input away, guest", bytes, demo->convert_ns);
	demo_rate("all conversions, in the VMM", counters->converted_bytes,
		  counters->conversion_ns);
	demo_rate("digest in private memory, guest", bytes, demo->hash_ns);
	demo_say("%" PRIu64 " exits, %" PRIu64 " conversions, whole demo %" PRIu64
		 " ms", counters->exits, counters->conversions,
		 (clock_now_ns() - demo->start_ns) / 1000000);
	if (!demo->failures)
		demo_say("every claim above was checked, and held");
	return 0;
}
