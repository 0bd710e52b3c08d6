// SPDX-License-Identifier: GPL-2.0
#include <stdarg.h>
#include <stdio.h>

#include "exits.h"

static const char *const exit_names[] = {
	[KVM_EXIT_UNKNOWN]		= "UNKNOWN",
	[KVM_EXIT_EXCEPTION]		= "EXCEPTION",
	[KVM_EXIT_IO]			= "IO",
	[KVM_EXIT_HYPERCALL]		= "HYPERCALL",
	[KVM_EXIT_DEBUG]		= "DEBUG",
	[KVM_EXIT_HLT]			= "HLT",
	[KVM_EXIT_MMIO]			= "MMIO",
	[KVM_EXIT_IRQ_WINDOW_OPEN]	= "IRQ_WINDOW_OPEN",
	[KVM_EXIT_SHUTDOWN]		= "SHUTDOWN",
	[KVM_EXIT_FAIL_ENTRY]		= "FAIL_ENTRY",
	[KVM_EXIT_INTR]			= "INTR",
	[KVM_EXIT_SET_TPR]		= "SET_TPR",
	[KVM_EXIT_TPR_ACCESS]		= "TPR_ACCESS",
	[KVM_EXIT_NMI]			= "NMI",
	[KVM_EXIT_INTERNAL_ERROR]	= "INTERNAL_ERROR",
	[KVM_EXIT_SYSTEM_EVENT]		= "SYSTEM_EVENT",
	[KVM_EXIT_IOAPIC_EOI]		= "IOAPIC_EOI",
	[KVM_EXIT_HYPERV]		= "HYPERV",
	[KVM_EXIT_X86_RDMSR]		= "X86_RDMSR",
	[KVM_EXIT_X86_WRMSR]		= "X86_WRMSR",
	[KVM_EXIT_DIRTY_RING_FULL]	= "DIRTY_RING_FULL",
	[KVM_EXIT_AP_RESET_HOLD]	= "AP_RESET_HOLD",
	[KVM_EXIT_X86_BUS_LOCK]		= "X86_BUS_LOCK",
	[KVM_EXIT_XEN]			= "XEN",
	[KVM_EXIT_NOTIFY]		= "NOTIFY",
	[KVM_EXIT_MEMORY_FAULT]		= "MEMORY_FAULT",
	[KVM_EXIT_SNP_REQ_CERTS]	= "SNP_REQ_CERTS",
};

static const char *const event_names[] = {
	[KVM_SYSTEM_EVENT_SHUTDOWN]	= "shutdown",
	[KVM_SYSTEM_EVENT_RESET]	= "reset",
	[KVM_SYSTEM_EVENT_CRASH]	= "crash",
	[KVM_SYSTEM_EVENT_WAKEUP]	= "wakeup",
	[KVM_SYSTEM_EVENT_SUSPEND]	= "suspend",
	[KVM_SYSTEM_EVENT_SEV_TERM]	= "SEV guest terminates",
};

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

const char *exit_name(uint32_t reason)
{
	if (reason < ARRAY_SIZE(exit_names) && exit_names[reason])
		return exit_names[reason];
	return "not known to gmemctl";
}

/* snprintf() at the end of what is there; what does not fit is cut off. */
static void append(char *text, size_t size, size_t *used, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

static void append(char *text, size_t size, size_t *used, const char *format, ...)
{
	va_list args;
	int added;

	if (*used >= size)
		return;
	va_start(args, format);
	added = vsnprintf(text + *used, size - *used, format, args);
	va_end(args);
	if (added > 0)
		*used += (size_t)added;
}

static void describe_io(const struct kvm_run *run, char *text, size_t size,
			size_t *used)
{
	append(text, size, used, ": %s port 0x%x, %u x %u bytes",
	       run->io.direction == KVM_EXIT_IO_OUT ? "out" : "in",
	       run->io.port, run->io.count, run->io.size);
}

static void describe_mmio(const struct kvm_run *run, char *text, size_t size,
			  size_t *used)
{
	append(text, size, used, ": %s gpa 0x%llx, %u bytes",
	       run->mmio.is_write ? "write" : "read",
	       (unsigned long long)run->mmio.phys_addr, run->mmio.len);
}

static void describe_hypercall(const struct kvm_run *run, char *text, size_t size,
			       size_t *used)
{
	append(text, size, used, ": number %llu (0x%llx, 0x%llx, 0x%llx)",
	       (unsigned long long)run->hypercall.nr,
	       (unsigned long long)run->hypercall.args[0],
	       (unsigned long long)run->hypercall.args[1],
	       (unsigned long long)run->hypercall.args[2]);
}

static void describe_memory_fault(const struct kvm_run *run, char *text,
				  size_t size, size_t *used)
{
	const struct kvm_exit_memory_fault *fault = kvm_run_memory_fault(run);

	append(text, size, used, ": %s access at gpa 0x%llx, 0x%llx bytes",
	       fault->flags & KVM_MEMORY_EXIT_FLAG_PRIVATE ? "private" : "shared",
	       (unsigned long long)fault->gpa, (unsigned long long)fault->size);
	if (fault->flags & ~KVM_MEMORY_EXIT_FLAG_PRIVATE)
		append(text, size, used, ", unknown flags 0x%llx",
		       (unsigned long long)fault->flags);
}

static void describe_internal(const struct kvm_run *run, char *text, size_t size,
			      size_t *used)
{
	unsigned int i;

	append(text, size, used, ": suberror %u%s", run->internal.suberror,
	       run->internal.suberror == KVM_INTERNAL_ERROR_EMULATION ?
	       " (KVM could not emulate an instruction)" : "");
	for (i = 0; i < run->internal.ndata &&
	     i < ARRAY_SIZE(run->internal.data); i++)
		append(text, size, used, "%s0x%llx", i ? ", " : ", data ",
		       (unsigned long long)run->internal.data[i]);
}

static void describe_event(const struct kvm_run *run, char *text, size_t size,
			   size_t *used)
{
	uint32_t type = run->system_event.type;

	append(text, size, used, ": type %u (%s)", type,
	       type < ARRAY_SIZE(event_names) && event_names[type] ?
	       event_names[type] : "unknown");
	if (run->system_event.ndata)
		append(text, size, used, ", data 0x%llx",
		       (unsigned long long)run->system_event.data[0]);
}

void exit_describe(const struct vcpu *vcpu, char *text, size_t size)
{
	const struct kvm_run *run = vcpu->run;
	size_t used = 0;

	append(text, size, &used, "exit %u (%s)", run->exit_reason,
	       exit_name(run->exit_reason));
	switch (run->exit_reason) {
	case KVM_EXIT_IO:
		return describe_io(run, text, size, &used);
	case KVM_EXIT_MMIO:
		return describe_mmio(run, text, size, &used);
	case KVM_EXIT_HYPERCALL:
		return describe_hypercall(run, text, size, &used);
	case KVM_EXIT_MEMORY_FAULT:
		return describe_memory_fault(run, text, size, &used);
	case KVM_EXIT_INTERNAL_ERROR:
		return describe_internal(run, text, size, &used);
	case KVM_EXIT_SYSTEM_EVENT:
		return describe_event(run, text, size, &used);
	case KVM_EXIT_FAIL_ENTRY:
		append(text, size, &used, ": hardware reason 0x%llx",
		       (unsigned long long)
		       run->fail_entry.hardware_entry_failure_reason);
		return;
	case KVM_EXIT_SHUTDOWN:
		append(text, size, &used, ": the guest has triple-faulted (on "
		       "AMD, KVM has reset the registers since)");
		return;
	case KVM_EXIT_UNKNOWN:
		append(text, size, &used, ": hardware reason 0x%llx",
		       (unsigned long long)run->hw.hardware_exit_reason);
		return;
	}
}
