// SPDX-License-Identifier: GPL-2.0
#include <stddef.h>

#include "end.h"

#define CODE_FAILURE	1
#define CODE_EXIT_PORT	64
#define EXIT_PORT_MASK	63

static const struct {
	const char *name;
	const char *text;
	int code;
} ends[] = {
	[END_NONE] = { "running", "the machine has not ended", CODE_FAILURE },
	[END_POWER_OFF] = { "power-off", "the guest has powered off", 0 },
	[END_DONE] = { "done", "the payload has done its work", 0 },
	[END_STOPPED] = { "stopped", "stopped on request", 0 },
	[END_HANDED_OVER] = { "handed-over", "another process runs the guest now",
			      0 },
	[END_SAVED] = { "saved", "saved to a file", 0 },
	[END_RESET] = { "reset", "the guest has asked for a reset", 16 },
	[END_PANIC] = { "panic", "the guest's kernel has panicked", 17 },
	[END_TRIPLE_FAULT] = { "triple-fault", "the guest has triple-faulted",
			       18 },
	[END_SYSTEM_EVENT] = { "system-event", "KVM reports an event of the "
			       "guest", 19 },
	[END_ENTRY_FAILED] = { "entry-failed", "the CPU cannot enter the guest",
			       20 },
	[END_INTERNAL_ERROR] = { "internal-error", "KVM cannot go on with the "
				 "guest", 21 },
	[END_MEMORY] = { "memory-fault", "the guest has accessed memory that "
			 "it cannot have", 22 },
	[END_GAVE_UP] = { "gave-up", "the payload has given up", 23 },
	[END_HALTED] = { "halted", "all vCPUs have halted", 24 },
	[END_EXIT_PORT] = { "exit-port", "the guest has written to the exit "
			    "port", CODE_EXIT_PORT },
	[END_SIGNAL] = { "signal", "stopped by a signal", CODE_FAILURE },
	[END_TIMEOUT] = { "timeout", "stopped after --timeout", CODE_FAILURE },
	[END_FAILED] = { "failed", "the VMM has failed", CODE_FAILURE },
};

#define ENDS (sizeof(ends) / sizeof(ends[0]))

const char *end_name(enum end end)
{
	return (size_t)end < ENDS ? ends[end].name : "unknown";
}

const char *end_text(enum end end)
{
	return (size_t)end < ENDS ? ends[end].text : "unknown";
}

int end_exit_code(enum end end, unsigned int value)
{
	if ((size_t)end >= ENDS)
		return CODE_FAILURE;
	if (end == END_EXIT_PORT)
		return CODE_EXIT_PORT + (int)(value & EXIT_PORT_MASK);
	return ends[end].code;
}
