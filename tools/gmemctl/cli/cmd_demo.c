// SPDX-License-Identifier: GPL-2.0
/* The order of the demo's steps, and how they are shown. */
#include <locale.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "../base/clock.h"
#include "../memory/probe.h"
#include "command.h"
#include "demo.h"
#include "out.h"
#include "picture.h"

static const struct {
	const char *title;
	int (*run)(struct demo *demo, struct error *error);
	enum backing_kind kind;	/* of no other kind, if it is one of gmem's */
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

void demo_say(const char *format, ...)
{
	va_list args;

	printf("    ");
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
}

bool demo_check(struct demo *demo, bool ok, const char *format, ...)
{
	va_list args;

	printf(ok ? "    [ok] " : "    [FAILED] ");
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
	if (!ok)
		demo->failures++;
	return ok;
}

int demo_gmem_fd(const struct demo *demo)
{
	return guest_memory_shared_fd(&demo->payload.machine.memory);
}

int demo_map(struct demo *demo, struct error *error)
{
	int rc = picture_draw(demo_gmem_fd(demo),
			      demo->payload.config.memory_size);

	if (rc)
		error_set(error, rc, "gmem fd", "GMEM_IOCTL_QUERY", NULL);
	return rc;
}

static int demo_run_steps(struct demo *demo, struct error *error)
{
	unsigned int number = 0;
	int rc = 0;

	for (unsigned int i = 0; !rc && i < DEMO_STEPS; i++) {
		if (demo_steps[i].kind && demo_steps[i].kind != demo->kind)
			continue;
		/* Each kind has a step of its own. */
		printf("\n%u/%zu  %s\n", ++number, DEMO_STEPS - 1,
		       demo_steps[i].title);
		rc = demo_steps[i].run(demo, error);
	}
	return rc;
}

static int demo_run(struct demo *demo, const char *path)
{
	struct error error;
	int rc;

	rc = input_open(&demo->input, path, &error);
	if (rc)
		return out_error_report(&error);
	rc = probe_start_segv();
	if (rc) {
		input_close(&demo->input);
		error_set(&error, rc, "SIGBUS", "catch", NULL);
		return out_error_report(&error);
	}
	demo->start_ns = clock_now_ns();
	rc = demo_run_steps(demo, &error);
	if (demo->running)
		payload_destroy(&demo->payload);
	probe_stop();
	input_close(&demo->input);
	if (rc)
		return out_error_report(&error);
	if (!demo->failures)
		return EXIT_CODE_OK;
	out_error("demo", "check", 0, "%u checks marked FAILED above did not hold",
		  demo->failures);
	return EXIT_CODE_FAILURE;
}

/* The kind of memory, as --memory of `gmemctl run` has it. */
static int option_kind(const struct cli_option *option, const char *name,
		       const char *text, void *to)
{
	enum backing_kind *kind = to;

	(void)option;
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
	{ "--input", "FILE", option_text, TO(struct demo, input.path),
	  "what to compute on" },
	{ "--dir", "DIR", option_text, TO(struct demo, module_dir),
	  "take the modules from DIR, a build tree" },
	{ "--memory", "kind=KIND", option_kind, TO(struct demo, kind),
	  "gmem (default): an ordinary VM, with a view of gmem; gmem-store: a VM with "
	  "private memory of its own, for which KVM needs CONFIG_KVM_SW_PROTECTED_VM" },
	{ 0 }
};

static int demo_main(int argc, char **argv)
{
	struct demo demo = { .input = { .fd = -1 }, .kind = BACKING_GMEM };
	int code = command_parse(&command_demo, argc, argv, &demo);

	if (code)
		return code;
	if (!demo.input.path)
		return usage_error("--input", "missing", "the demo needs a file");
	setlocale(LC_CTYPE, "");
	/* Each line as it comes, also into a pipe: it is a story. */
	setvbuf(stdout, NULL, _IOLBF, 0);
	return demo_run(&demo, demo.input.path);
}

const struct command command_demo = {
	.name = "demo",
	.run = demo_main,
	.summary = "show a guest computing on a file in private memory",
	.usage = "demo --input FILE [OPTIONS]",
	.about = "Tells the story of a page that changes hands, step by step, and checks each "
		 "step: FILE (0 bytes to 256 MiB) goes into shared pages, the guest makes "
		 "them private, computes the SHA-256 there while the host is kept out, and "
		 "gives the digest back. Exit code 1 if any claim does not hold.",
	.options = demo_options,
	.without_json = true,
};
