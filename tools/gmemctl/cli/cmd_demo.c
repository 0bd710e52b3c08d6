// SPDX-License-Identifier: GPL-2.0
/* gmemctl demo: shows private memory in steps, and checks the result of each. */
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <locale.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "../base/calls.h"
#include "../base/clock.h"
#include "../base/hex.h"
#include "../gmem/gmem.h"
#include "../kvm/slot.h"
#include "../machine/payload.h"
#include "../memory/probe.h"
#include "command.h"
#include "out.h"

#define DEMO_SAMPLES 3

/**
 * struct demo_sample - a page whose frame and contents the demo checks
 * @offset: offset in the input, page aligned
 * @frame: physical frame before the first conversion
 */
struct demo_sample {
	uint64_t offset;
	uint64_t frame;
};

/**
 * struct demo - the demo
 * @input: the file; @digest: its digest, computed before it was private
 * @kind: kind of memory: BACKING_GMEM or BACKING_GMEM_STORE
 * @module_dir: where the modules are, or NULL
 * @payload: the VM
 * @running: @payload exists
 * @samples: first, middle and last page of the input; @nr_samples differ
 * @failures: number of failed checks
 * @reads_refused: accesses of the host that ended in SIGBUS
 * @reads_tried: accesses of the host to private pages
 * @private_seen: the payload has reported that its input is private
 * @load_ns: time to read and digest the file
 * @convert_ns: time in which the guest converted its input to private
 * @hash_ns: time in which the guest computed the digest
 * @start_ns: start of the demo
 * @mark_ns: start of the current measurement of time
 */
struct demo {
	struct input input;
	uint8_t digest[INPUT_DIGEST_SIZE];
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

/* Contents that the host and the guest write to the probe page. */
#define HOST_BYTE	0xa5
#define HOST_PATTERN	UINT64_C(0xa5a5a5a5a5a5a5a5)
#define GUEST_PATTERN	UINT64_C(0x5a5a5a5a5a5a5a5a)

#define MIB (UINT64_C(1) << 20)
#define RUN_TIMEOUT_S 1200

static bool page_is_filled(const uint8_t *page, uint64_t pattern)
{
	for (uint64_t i = 0; i < GUEST_PAGE_SIZE; i += sizeof(pattern))
		if (memcmp(page + i, &pattern, sizeof(pattern)))
			return false;
	return true;
}

/* The guest reads the page, fills it, and reads again */
static int demo_try_touch(struct demo *demo, struct error *error)
{
	demo->payload.params->pattern = GUEST_PATTERN;
	return payload_run(&demo->payload, GUEST_PAYLOAD_TOUCH, 0, 0, error);
}

/* Return: 0 if the payload has completed; else an error with the end of the machine */
static int demo_ended_badly(struct demo *demo, struct error *error)
{
	const struct machine *machine = &demo->payload.machine;

	if (machine->end == END_DONE)
		return 0;
	return error_set(error, -EIO, "VM", end_text(machine->end), "%.500s", machine->report);
}

/* The guest reads the probe page, writes to it, and reads again. */
static int demo_touch(struct demo *demo, struct error *error)
{
	int rc = demo_try_touch(demo, error);

	return rc ? rc : demo_ended_badly(demo, error);
}

/* Convert the probe page on behalf of the host */
static int demo_probe_convert(struct demo *demo, bool to_private, struct error *error)
{
	const struct range what = { GUEST_PROBE_GPA,
				    GUEST_PROBE_GPA + GUEST_PAGE_SIZE };
	char why[256];
	int rc = machine_convert(&demo->payload.machine, NULL, what, to_private, why, sizeof(why));

	return rc ? error_set(error, rc, "probe page", to_private ?
			      "convert to private" : "convert to shared", "%s",
			      why) : 0;
}

/* Return: number of pages of the input. An empty input has one page. */
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

/* Print a line of text */
static void demo_say(const char *format, ...)
{
	va_list args;

	printf("    ");
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
}

/* Print the result of a check. If it has failed, so has the demo. Return: @ok. */
static bool demo_check(struct demo *demo, bool ok, const char *format, ...)
{
	va_list args;

	printf("    %s[%s]%s ", out_color(1, ok ? OUT_GREEN : OUT_RED),
	       ok ? "ok" : "FAILED", out_color(1, OUT_PLAIN));
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
	if (!ok)
		demo->failures++;
	return ok;
}

/* From here on: the steps, in order. Return: 0, or a negative errno with @error set. */
static int demo_load_modules(struct demo *demo, struct error *error)
{
	char version[HOST_VERSION_SIZE] = "";
	unsigned int abi;
	bool loaded;
	int rc;

	rc = modules_load(demo->module_dir, error);
	if (!rc)
		rc = modules_check_abi(&abi, error);
	if (rc)
		return rc;
	for (unsigned int i = 0; i < MODULES_COUNT; i++) {
		loaded = modules_loaded(modules_names[i], version);
		demo_check(demo, loaded, "%s %s is loaded", modules_names[i], version);
	}
	demo_say("ABI version %u", abi);
	return 0;
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

/* Return: the gmem fd of the VM's memory */
static int demo_gmem_fd(const struct demo *demo)
{
	return guest_memory_shared_fd(&demo->payload.machine.memory);
}

/* Draw the state of the memory */
static int demo_map(struct demo *demo, struct error *error)
{
	int rc = picture_draw(demo_gmem_fd(demo), demo->payload.config.memory_size, false);

	if (rc)
		error_set(error, rc, "gmem fd", "GMEM_IOCTL_QUERY", NULL);
	return rc;
}

/* Called when all input is private, while the guest waits for its access to the port. */
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
	demo_check(demo, stat.private_pages >= input_pages(demo), "%" PRIu64 " pages are private, %"
		   PRIu64 " of them input", (uint64_t)stat.private_pages, input_pages(demo));
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

/* Handle an event of the payload */
static int demo_event(struct payload *payload, enum guest_event event, uint32_t value)
{
	struct demo *demo = payload->config.data;
	uint64_t page;

	if (event == GUEST_EVENT_PRIVATE)
		return demo_event_private(demo);
	if (event == GUEST_EVENT_DONE)
		demo->hash_ns = clock_now_ns() - demo->mark_ns;
	if (event != GUEST_EVENT_PROGRESS)
		return 0;
	/* While the guest computes, the host tries to read pages throughout the input. */
	page = (input_pages(demo) - 1) * value / 16;
	if (!demo_read_refused(demo, page << GUEST_PAGE_SHIFT))
		demo_check(demo, false, "the host has read private page %" PRIu64, page);
	if (value % 4 == 0)
		demo_say("the guest: %u%% hashed; %u of %u host accesses refused",
			 value * 100 / 16, demo->reads_refused, demo->reads_tried);
	return 0;
}

static int demo_build_vm(struct demo *demo, struct error *error)
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
	rc = payload_check_memory(pages << GUEST_PAGE_SHIFT, error);
	if (rc)
		return rc;
	rc = payload_create(&demo->payload, &config, error);
	if (rc)
		return rc;
	demo->running = true;
	demo_say("%s, 1 vCPU, one slot of %" PRIu64 " MiB",
		 store ? "KVM_X86_SW_PROTECTED_VM" : "an ordinary VM", config.memory_size / MIB);
	demo_say(store ? "shared pages: a gmem fd; private pages: KVM's guest_memfd; "
		 "bound together" :
		 "all pages: a gmem fd; KVM has a view of it, the host a mapping of "
		 "what is shared");
	rc = gmem_stat(demo_gmem_fd(demo), &stat);
	if (rc)
		return error_set(error, rc, "gmem fd", "GMEM_IOCTL_STAT", NULL);
	demo_check(demo, !stat.private_pages && stat.bindings == store && stat.views == !store,
		   "no page is private yet; the payload is in place");
	return demo_map(demo, error);
}

static int demo_frame(struct demo *demo, uint64_t offset, uint64_t *frame, struct error *error)
{
	const uint8_t *page = input_page(demo, offset);
	uint8_t byte;
	int rc;

	/* The read populates the page if it was not used yet. */
	rc = probe_read(page, &byte);
	if (rc)
		return error_set(error, rc, "guest memory", "read a shared page", NULL);
	rc = probe_frame(page, frame);
	if (rc)
		return error_set(error, rc, "/proc/self/pagemap", "look up a frame number",
				 rc == -EPERM ? "run as root (CAP_SYS_ADMIN)" : NULL);
	return 0;
}

static int demo_load_file(struct demo *demo, struct error *error)
{
	uint64_t start = clock_now_ns(), last = input_pages(demo) - 1;
	const uint64_t pages[DEMO_SAMPLES] = { 0, last / 2, last };
	char text[2 * INPUT_DIGEST_SIZE + 1];
	int rc;

	rc = input_load(&demo->input, payload_input(&demo->payload), demo->digest, error);
	if (rc)
		return rc;
	demo->load_ns = clock_now_ns() - start;
	demo_say("%s: %" PRIu64 " bytes at gpa 0x%" PRIx64, demo->input.path,
		 demo->input.size, payload_input_gpa(MEMORY_INPLACE, 1));
	demo_say("SHA-256 by the host (OpenSSL), as long as it can: %s",
		 hex_format(demo->digest, sizeof(demo->digest), text));
	for (unsigned int i = 0; i < DEMO_SAMPLES; i++) {
		struct demo_sample *sample = &demo->samples[demo->nr_samples];

		if (i && pages[i] == pages[i - 1])
			continue;
		demo->nr_samples++;
		sample->offset = pages[i] << GUEST_PAGE_SHIFT;
		rc = demo_frame(demo, sample->offset, &sample->frame, error);
		if (rc)
			return rc;
		demo_say("input page %" PRIu64 " is in frame 0x%" PRIx64, pages[i], sample->frame);
	}
	return demo_map(demo, error);
}

static int demo_run_guest(struct demo *demo, struct error *error)
{
	int rc;

	demo->mark_ns = clock_now_ns();
	rc = payload_run(&demo->payload, GUEST_PAYLOAD_SHA256, demo->input.size, 0, error);
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

static int demo_show_digest(struct demo *demo, struct error *error)
{
	const uint8_t *result = machine_host(&demo->payload.machine, GUEST_RESULT_GPA);
	uint8_t digest[INPUT_DIGEST_SIZE];
	char text[2 * INPUT_DIGEST_SIZE + 1];

	for (unsigned int i = 0; i < sizeof(digest); i++)
		if (probe_read(result + i, &digest[i]))
			return error_set(error, -EFAULT, "result page", "read",
					 "the guest has not made it shared");
	demo_say("the guest has shared its result page again; it contains:");
	printf("digest: %s\n", hex_format(digest, sizeof(digest), text));
	demo_check(demo, !memcmp(digest, demo->digest, sizeof(digest)),
		   "the host's digest from before is the same");
	return 0;
}

static int demo_sample_back(struct demo *demo, const struct demo_sample *sample,
			    struct error *error)
{
	uint64_t gpa = payload_input_gpa(MEMORY_INPLACE, 1) + sample->offset;
	uint64_t page = sample->offset >> GUEST_PAGE_SHIFT, left = 0, frame;
	struct range what = { gpa, gpa + GUEST_PAGE_SIZE };
	uint8_t expected[GUEST_PAGE_SIZE] = { 0 };
	char why[256];
	size_t want;
	int rc;

	rc = machine_convert(&demo->payload.machine, NULL, what, false, why, sizeof(why));
	if (rc)
		return error_set(error, rc, "guest memory", "convert to shared", "%s", why);
	rc = demo_frame(demo, sample->offset, &frame, error);
	if (rc)
		return rc;
	demo_check(demo, frame == sample->frame, "input page %" PRIu64 " is in frame 0x%" PRIx64
		   ", before it was in 0x%" PRIx64, page, frame, sample->frame);
	/* Bytes after the end of the file have to be zero. */
	if (demo->input.size > sample->offset)
		left = demo->input.size - sample->offset;
	want = left < sizeof(expected) ? left : sizeof(expected);
	memcpy(expected, demo->input.data + sample->offset, want);
	demo_check(demo, !memcmp(expected, input_page(demo, sample->offset), sizeof(expected)),
		   "input page %" PRIu64 " holds what the file holds", page);
	return 0;
}

static int demo_convert_back(struct demo *demo, struct error *error)
{
	int rc = 0;

	for (unsigned int i = 0; !rc && i < demo->nr_samples; i++)
		rc = demo_sample_back(demo, &demo->samples[i], error);
	return rc ? rc : demo_map(demo, error);
}

static int demo_summary(struct demo *demo, struct error *error)
{
	const struct machine_counters *counters = &demo->payload.machine.counters;
	uint64_t bytes = input_pages(demo) << GUEST_PAGE_SHIFT;
	const struct {
		const char *what;
		uint64_t bytes, ns;
	} times[] = {
		{ "load and digest the file, host", bytes, demo->load_ns },
		{ "take the input away, guest", bytes, demo->convert_ns },
		{ "all conversions, in the VMM", counters->converted_bytes,
		  counters->conversion_ns },
		{ "digest in private memory, guest", bytes, demo->hash_ns },
	};

	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		uint64_t us = times[i].ns / 1000;

		demo_say("%-34s %8" PRIu64 ".%03" PRIu64 " ms  %6" PRIu64 " MiB/s", times[i].what,
			 us / 1000, us % 1000, us ? times[i].bytes * 1000000 / us / MIB : 0);
	}
	demo_say("%" PRIu64 " exits, %" PRIu64 " conversions, whole demo %" PRIu64
		 " ms", counters->exits, counters->conversions,
		 (clock_now_ns() - demo->start_ns) / 1000000);
	if (!demo->failures)
		demo_say("every claim above was checked, and held");
	return 0;
}

static int demo_flip(struct demo *demo, bool private, struct error *error)
{
	int rc = vm_set_private(&demo->payload.machine.vm, GUEST_PROBE_GPA,
				GUEST_PAGE_SIZE, private);

	if (rc)
		error_set(error, rc, "VM", "KVM_SET_MEMORY_ATTRIBUTES", NULL);
	return rc;
}

/*
 * The opposite case: a page that is private in gmem and shared in KVM. The guest cannot
 * access it. After the attribute is set again the page has its contents.
 */
static int demo_flip_private(struct demo *demo, struct error *error)
{
	volatile struct guest_params *params = demo->payload.params;
	int rc = demo_probe_convert(demo, true, error);

	if (!rc)
		rc = demo_flip(demo, false, error);
	if (!rc)
		rc = demo_try_touch(demo, error);
	if (rc)
		return rc;
	demo_check(demo, demo->payload.machine.end == END_MEMORY,
		   "the reverse, on a private page: the guest's access ends in EFAULT");
	rc = demo_flip(demo, true, error);
	if (!rc)
		rc = demo_touch(demo, error);
	if (rc)
		return rc;
	demo_check(demo, params->observed[0] == GUEST_PATTERN,
		   "put right, the guest reads what it wrote");
	return 0;
}

static int demo_flip_attribute(struct demo *demo, struct error *error)
{
	volatile struct guest_params *params = demo->payload.params;
	uint8_t *page = machine_host(&demo->payload.machine, GUEST_PROBE_GPA);
	int rc;

	memset(page, HOST_BYTE, GUEST_PAGE_SIZE);
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
	if (rc)
		return rc;
	/* Free the page that KVM has allocated because of the attribute. */
	rc = calls->punch(demo->payload.machine.memory.memfd.fd, GUEST_PROBE_GPA, GUEST_PAGE_SIZE);
	if (rc)
		return error_set(error, rc, "guest_memfd", "punch a hole", NULL);
	rc = demo_touch(demo, error);
	if (rc)
		return rc;
	demo_check(demo, params->observed[0] == HOST_PATTERN && page_is_filled(page, GUEST_PATTERN),
		   "attribute cleared: host and guest share the page as before");
	return demo_flip_private(demo, error);
}

static int demo_try_view(struct demo *demo, struct error *error)
{
	const struct view *view = guest_memory_view(&demo->payload.machine.memory);
	volatile struct guest_params *params = demo->payload.params;
	uint8_t *page = machine_host(&demo->payload.machine, GUEST_PROBE_GPA);
	uint8_t *at = view_find(view, (struct range){ GUEST_PROBE_GPA,
				GUEST_PROBE_GPA + GUEST_PAGE_SIZE });
	uint8_t byte;
	struct iovec here = { &byte, 1 }, there = { at, 1 };
	int rc;

	memset(page, HOST_BYTE, GUEST_PAGE_SIZE);
	demo_say("a page holds the host's 0xa5a5...; it is made private");
	rc = demo_probe_convert(demo, true, error);
	if (rc)
		return rc;
	/* process_vm_readv() is an access by the kernel, through this process's page tables. */
	demo_check(demo, probe_read(at, &byte) == -EFAULT && probe_write(at, 0) == -EFAULT &&
		   process_vm_readv(getpid(), &here, 1, &there, 1, 0) != 1 && errno == EFAULT,
		   "the host reads and writes it through the "
		   "view itself: SIGSEGV; process_vm_readv(): EFAULT");
	demo_check(demo, probe_read(page, &byte) == -EFAULT,
		   "the host reads it through its own mapping: SIGBUS");
	rc = demo_touch(demo, error);
	if (!rc)
		rc = demo_probe_convert(demo, false, error);
	if (rc)
		return rc;
	demo_check(demo, params->observed[0] == HOST_PATTERN,
		   "the guest reads the host's 0xa5a5... there, and writes 0x5a5a...");
	demo_check(demo, page_is_filled(page, GUEST_PATTERN),
		   "shared again, the host reads the guest's 0x5a5a...");
	return 0;
}

static const struct {
	const char *title;
	int (*run)(struct demo *demo, struct error *error);
	enum backing_kind kind;	/* run only for this kind; 0: for all */
} demo_steps[] = {
	{ "Load the modules", demo_load_modules, 0 },
	{ "Build a VM whose memory can be private", demo_build_vm, 0 },
	{ "Load the file into shared pages", demo_load_file, 0 },
	{ "The guest takes the file away from the host", demo_run_guest, 0 },
	{ "The digest, computed in private memory", demo_show_digest, 0 },
	{ "Back to shared: the same pages, the same contents", demo_convert_back, 0 },
	{ "KVM's PRIVATE attribute flipped behind gmem's back",
	  demo_flip_attribute, BACKING_GMEM_STORE },
	{ "The host tries KVM's view", demo_try_view, BACKING_GMEM },
	{ "Times", demo_summary, 0 },
};

#define DEMO_STEPS (sizeof(demo_steps) / sizeof(demo_steps[0]))

static int demo_run(struct demo *demo, const char *path)
{
	unsigned int number = 0;
	struct error error;
	int rc;

	rc = input_read(&demo->input, path, &error);
	if (rc)
		return out_error_report(&error);
	rc = probe_start_segv();
	if (rc) {
		input_free(&demo->input);
		error_set(&error, rc, "SIGBUS", "catch", NULL);
		return out_error_report(&error);
	}
	demo->start_ns = clock_now_ns();
	for (unsigned int i = 0; !rc && i < DEMO_STEPS; i++) {
		if (demo_steps[i].kind && demo_steps[i].kind != demo->kind)
			continue;
		/* Each kind skips one step. */
		printf("\n%u/%zu  %s\n", ++number, DEMO_STEPS - 1, demo_steps[i].title);
		rc = demo_steps[i].run(demo, &error);
	}
	if (demo->running)
		payload_destroy(&demo->payload);
	probe_stop();
	input_free(&demo->input);
	if (rc)
		return out_error_report(&error);
	if (!demo->failures)
		return EXIT_CODE_OK;
	out_error("demo", "check", 0, "%u checks marked FAILED above did not hold", demo->failures);
	return EXIT_CODE_FAILURE;
}

/* Parse the kind of memory, in the form of --memory of `gmemctl run`. */
static int option_kind(const struct cli_option *option, const char *name,
		       const char *text, void *to)
{
	enum backing_kind *kind = to;

	if (!strcmp(text, "kind=gmem"))
		*kind = BACKING_GMEM;
	else if (!strcmp(text, "kind=gmem-store"))
		*kind = BACKING_GMEM_STORE;
	else
		return usage_error(name, "not for the demo", "expected kind=gmem or "
				   "kind=gmem-store, not '%s'", text);
	return 0;
}

static const struct cli_option demo_options[] = {
	{ "--input", "FILE", option_text, TO(struct demo, input.path), "the file to compute on" },
	{ "--dir", "DIR", option_text, TO(struct demo, module_dir),
	  "take the modules from DIR, a build tree" },
	{ "--memory", "kind=KIND", option_kind, TO(struct demo, kind),
	  "gmem (default): an ordinary VM, with a view of gmem; gmem-store: a VM with "
	  "private memory of its own, for which KVM needs CONFIG_KVM_SW_PROTECTED_VM" },
	{ 0 }
};

static int demo_main(const struct command *command, void *arguments)
{
	struct demo *demo = arguments;

	if (!demo->input.path)
		return usage_error("--input", "missing", "the demo needs a file");
	setlocale(LC_CTYPE, "");
	/* Line buffering, so that lines appear at once, even in a pipe. */
	setvbuf(stdout, NULL, _IOLBF, 0);
	return demo_run(demo, demo->input.path);
}

const struct command command_demo = {
	.name = "demo",
	.run = demo_main,
	ARGUMENTS(struct demo, .kind = BACKING_GMEM),
	.summary = "show a guest computing on a file in private memory",
	.usage = "demo --input FILE [OPTIONS]",
	.about = "Shows the conversion of pages, step by step, and checks each step: FILE (0 "
		 "bytes to 256 MiB) is loaded into shared pages; the guest makes them private, "
		 "computes the SHA-256 while the host cannot read them, and returns the digest. "
		 "Exit code 1 if a check fails.",
	.options = demo_options,
	.without_json = true,
	.examples = "gmemctl demo --input /etc/hostname\n"
		    "gmemctl demo --input data.bin --memory kind=gmem-store",
};
