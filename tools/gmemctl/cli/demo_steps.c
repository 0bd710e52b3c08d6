// SPDX-License-Identifier: GPL-2.0
/* What each step of the demo does, says and checks. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../gmem/gmem.h"
#include "../kvm/attributes.h"
#include "../kvm/calls.h"
#include "../memory/probe.h"
#include "demo.h"
#include "host.h"
#include "modules.h"

#define MIB (UINT64_C(1) << 20)
#define RUN_TIMEOUT_S 1200

/* What the host puts into the probe page, and what the guest does. */
#define HOST_PATTERN	UINT64_C(0xa5a5a5a5a5a5a5a5)
#define GUEST_PATTERN	UINT64_C(0x5a5a5a5a5a5a5a5a)

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
		.memory = { .kind = BACKING_GMEM_STORE, .existing_fd = -1,
			    .node = -1 },
		.strategy = MEMORY_INPLACE,
		.convert_timeout_ms = 5000,
		.run_timeout_s = RUN_TIMEOUT_S,
		.event = demo_event,
		.data = demo,
	};
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
	demo_say("KVM_X86_SW_PROTECTED_VM, 1 vCPU, one slot of %" PRIu64 " MiB",
		 config.memory_size / MIB);
	demo_say("shared pages: a gmem fd; private pages: KVM's guest_memfd; "
		 "bound together");
	rc = gmem_stat(demo_gmem_fd(demo), &stat);
	if (rc)
		return error_set(error, rc, "gmem fd", "GMEM_IOCTL_STAT", NULL);
	demo_check(demo, !stat.private_pages && stat.bindings == 1,
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
	uint64_t start = machine_now_ns();
	char text[65];
	int rc;

	rc = input_load(&demo->input, payload_input(&demo->payload), error);
	if (rc)
		return rc;
	demo->load_ns = machine_now_ns() - start;
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
	uint64_t now = machine_now_ns();

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
	demo->mark_ns = machine_now_ns();
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
		demo->hash_ns = machine_now_ns() - demo->mark_ns;
		return 0;
	default:
		return 0;
	}
}

static int demo_ended_badly(struct demo *demo, struct error *error)
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

	demo->mark_ns = machine_now_ns();
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

static bool page_is_filled(const uint8_t *page, uint64_t pattern)
{
	for (uint64_t i = 0; i < GUEST_PAGE_SIZE; i += sizeof(pattern))
		if (memcmp(page + i, &pattern, sizeof(pattern)))
			return false;
	return true;
}

static void page_fill(uint8_t *page, uint64_t pattern)
{
	for (uint64_t i = 0; i < GUEST_PAGE_SIZE; i += sizeof(pattern))
		memcpy(page + i, &pattern, sizeof(pattern));
}

static int demo_try_touch(struct demo *demo, struct error *error)
{
	demo->payload.params->pattern = GUEST_PATTERN;
	return payload_run(&demo->payload, GUEST_PAYLOAD_TOUCH, 0, 0, error);
}

/* The guest reads the probe page, writes to it, and reads again. */
static int demo_touch(struct demo *demo, struct error *error)
{
	int rc = demo_try_touch(demo, error);

	return rc ? rc : demo_ended_badly(demo, error);
}

static int demo_flip(struct demo *demo, bool private, struct error *error)
{
	int rc = vm_set_private(&demo->payload.machine.vm, GUEST_PROBE_GPA,
				GUEST_PAGE_SIZE, private);

	if (rc)
		error_set(error, rc, "VM", "KVM_SET_MEMORY_ATTRIBUTES", NULL);
	return rc;
}

/* The page KVM has allocated for the attribute is of no use to anybody. */
static int demo_drop_stray(struct demo *demo, struct error *error)
{
	int rc = calls->punch(demo->payload.machine.memory.memfd.fd, GUEST_PROBE_GPA,
			      GUEST_PAGE_SIZE);

	if (rc)
		error_set(error, rc, "guest_memfd", "punch a hole", NULL);
	return rc;
}

/*
 * The other way round: a page that is private for gmem, and shared for KVM. The
 * guest cannot reach it then, and finds it as it was once that is put right.
 */
static int demo_flip_private(struct demo *demo, struct error *error)
{
	const struct range what = { GUEST_PROBE_GPA,
				    GUEST_PROBE_GPA + GUEST_PAGE_SIZE };
	volatile struct guest_params *params = demo->payload.params;
	char why[256];
	int rc;

	rc = machine_convert(&demo->payload.machine, NULL, what, true, why,
			     sizeof(why));
	if (rc)
		return error_set(error, rc, "probe page", "convert to private",
				 "%s", why);
	rc = demo_flip(demo, false, error);
	if (!rc)
		rc = demo_try_touch(demo, error);
	if (rc)
		return rc;
	demo_check(demo, demo->payload.machine.end == END_MEMORY,
		   "the reverse, on a private page: the guest's access ends in "
		   "EFAULT");
	rc = demo_flip(demo, true, error);
	if (!rc)
		rc = demo_touch(demo, error);
	if (rc)
		return rc;
	demo_check(demo, params->observed[0] == GUEST_PATTERN,
		   "put right, the guest reads what it wrote");
	return 0;
}

int demo_flip_attribute(struct demo *demo, struct error *error)
{
	volatile struct guest_params *params = demo->payload.params;
	uint8_t *page = machine_host(&demo->payload.machine, GUEST_PROBE_GPA);
	int rc;

	page_fill(page, HOST_PATTERN);
	demo_say("a shared page holds the host's 0xa5a5...; KVM is told that it is "
		 "private, gmem is not");
	rc = demo_flip(demo, true, error);
	if (!rc)
		rc = demo_touch(demo, error);
	if (rc)
		return rc;
	demo_check(demo, !params->observed[1],
		   "the guest reads a fresh page of zeros, not the host's");
	demo_check(demo, params->observed[2] == GUEST_PATTERN,
		   "the guest writes 0x5a5a... and reads it back");
	demo_check(demo, page_is_filled(page, HOST_PATTERN),
		   "the host still reads its own 0xa5a5...: no alias");
	rc = demo_flip(demo, false, error);
	if (!rc)
		rc = demo_drop_stray(demo, error);
	if (!rc)
		rc = demo_touch(demo, error);
	if (rc)
		return rc;
	demo_check(demo, params->observed[0] == HOST_PATTERN &&
		   page_is_filled(page, GUEST_PATTERN),
		   "attribute cleared: host and guest share the page as before");
	return demo_flip_private(demo, error);
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
		 (machine_now_ns() - demo->start_ns) / 1000000);
	if (!demo->failures)
		demo_say("every claim above was checked, and held");
	return 0;
}
