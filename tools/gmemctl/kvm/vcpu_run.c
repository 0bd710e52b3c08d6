// SPDX-License-Identifier: GPL-2.0
/* vCPUs of all architectures: running them, text for exits, and counters. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../base/calls.h"
#include "vcpu.h"
#include "vm.h"

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

/* Limits for KVM's statistics; larger values are refused */
#define NAME_MAX_SIZE	256
#define COUNTERS_MAX	1024

int vcpu_open(struct vcpu *vcpu, struct vm *vm, unsigned int index,
	      struct error *error)
{
	void *address;
	int rc;

	memset(vcpu, 0, sizeof(*vcpu));
	vcpu->index = index;
	vcpu->fd = calls_ioctl_value(vm->fd, KVM_CREATE_VCPU, index);
	if (vcpu->fd < 0)
		return error_set(error, vcpu->fd, "VM", "KVM_CREATE_VCPU",
				 "vCPU %u", index);
	rc = calls->map(vm->run_size, PROT_READ | PROT_WRITE, MAP_SHARED,
			vcpu->fd, 0, &address);
	if (rc) {
		vcpu_destroy(vcpu);
		return error_set(error, rc, "vCPU", "mmap", NULL);
	}
	vcpu->run = address;
	vcpu->run_size = vm->run_size;
	return 0;
}

void vcpu_destroy(struct vcpu *vcpu)
{
	if (vcpu->run)
		calls->unmap(vcpu->run, vcpu->run_size);
	if (vcpu->fd >= 0)
		calls->close(vcpu->fd);
	vcpu->run = NULL;
	vcpu->fd = -1;
}

int vcpu_run(struct vcpu *vcpu)
{
	int rc = calls->ioctl(vcpu->fd, KVM_RUN, NULL);

	if ((rc == -EFAULT || rc == -EHWPOISON) &&
	    vcpu->run->exit_reason == KVM_EXIT_MEMORY_FAULT)
		return 0;
	return rc < 0 ? rc : 0;
}

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

const char *exit_name(uint32_t reason)
{
	if (reason < ARRAY_SIZE(exit_names) && exit_names[reason])
		return exit_names[reason];
	return "not known to gmemctl";
}

/* Append formatted text at *@used, and truncate it if there is no room. */
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
		append(text, size, &used, ": %s port 0x%x, %u x %u bytes",
		       run->io.direction == KVM_EXIT_IO_OUT ? "out" : "in",
		       run->io.port, run->io.count, run->io.size);
		return;
	case KVM_EXIT_MMIO:
		append(text, size, &used, ": %s gpa 0x%llx, %u bytes",
		       run->mmio.is_write ? "write" : "read",
		       (unsigned long long)run->mmio.phys_addr, run->mmio.len);
		return;
	case KVM_EXIT_HYPERCALL:
		append(text, size, &used, ": number %llu (0x%llx, 0x%llx, 0x%llx)",
		       (unsigned long long)run->hypercall.nr,
		       (unsigned long long)run->hypercall.args[0],
		       (unsigned long long)run->hypercall.args[1],
		       (unsigned long long)run->hypercall.args[2]);
		return;
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

static int counter_find(struct kvm_counter *counter,
			const struct kvm_stats_header *header, const char *name)
{
	size_t size = sizeof(struct kvm_stats_desc) + header->name_size;
	struct kvm_stats_desc *desc = malloc(size + 1);
	off_t at = header->desc_offset;
	int rc = desc ? -ENOENT : -ENOMEM;

	for (uint32_t i = 0; rc == -ENOENT && i < header->num_desc; i++) {
		if (pread(counter->fd, desc, size, at) != (ssize_t)size)
			rc = -EIO;
		((char *)desc)[size] = '\0';
		if (rc == -ENOENT && !strcmp(desc->name, name)) {
			counter->offset = header->data_offset + desc->offset;
			rc = 0;
		}
		at += (off_t)size;
	}
	free(desc);
	return rc;
}

int kvm_counter_open(struct kvm_counter *counter, int fd, const char *name)
{
	struct kvm_stats_header header;
	int rc = -EIO;

	*counter = (struct kvm_counter){ .fd = calls->ioctl(fd, KVM_GET_STATS_FD,
							    NULL) };
	if (counter->fd < 0)
		return counter->fd;
	if (pread(counter->fd, &header, sizeof(header), 0) == sizeof(header) &&
	    header.name_size <= NAME_MAX_SIZE &&
	    header.num_desc <= COUNTERS_MAX)
		rc = counter_find(counter, &header, name);
	if (rc)
		kvm_counter_close(counter);
	return rc;
}

void kvm_counter_close(struct kvm_counter *counter)
{
	if (counter->fd >= 0)
		calls->close(counter->fd);
	counter->fd = -1;
}

uint64_t kvm_counter_read(const struct kvm_counter *counter)
{
	uint64_t value = 0;

	if (counter->fd < 0 ||
	    pread(counter->fd, &value, sizeof(value), (off_t)counter->offset) !=
	    sizeof(value))
		return 0;
	return value;
}
