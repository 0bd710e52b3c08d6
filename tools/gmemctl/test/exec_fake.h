/* SPDX-License-Identifier: GPL-2.0 */
/*
 * KVM and gmem as the preload library of `gmemctl exec` finds them. A gmem fd and a
 * view are memfds, so that all that is mapped is really mapped.
 */
#ifndef GMEMCTL_TEST_EXEC_FAKE_H
#define GMEMCTL_TEST_EXEC_FAKE_H

#include <stdbool.h>
#include <stdint.h>
#include <linux/gmem.h>

#include "../kvm/abi.h"

#define EXEC_FAKE_PAGES		2048
#define EXEC_FAKE_SIZE		(EXEC_FAKE_PAGES * 4096UL)
#define EXEC_FAKE_GMEM		2	/* gmem fds that there are */
#define EXEC_FAKE_RANGES	8

/**
 * struct exec_fake_run - what a KVM_RUN comes to
 * @rc: what it returns
 * @reason: of the exit, if that is 0
 * @gpa: where the thread has faulted, @faults times more than before; 0: it has not
 * @faults: see there
 */
struct exec_fake_run {
	int rc;
	uint32_t reason;
	uint64_t gpa;
	uint64_t faults;
};

/**
 * struct exec_fake - what the test says, and what it has been asked
 * @gmem: the gmem fds
 * @private: whether each page is, of each
 * @view_rc: of GMEM_IOCTL_VIEW, if not 0
 * @views: that were made
 * @vm: a VM that the library knows, likewise @vcpu
 * @vcpu: see there
 * @run: what the library has mapped of it
 * @slot_rc: of KVM_SET_USER_MEMORY_REGION, if not 0
 * @slot: what KVM was told last, @slots times
 * @slots: see there
 * @enabled: argument of KVM_CAP_EXIT_HYPERCALL
 * @enable_rc: of KVM_ENABLE_CAP
 * @cpuid: bits of leaf 0x40000001 that KVM was told
 * @runs: KVM_RUN, @nr_runs times, and then as the last of them; see EXEC_RUNS()
 * @nr_runs: see there
 * @entered: times that KVM_RUN was called
 * @fault_rc: of GMEM_IOCTL_VIEW_FAULT
 * @fault: what it gives
 * @populate_rc: of GMEM_IOCTL_VIEW_POPULATE for more than a page
 * @populate_pages: how many were missing, each time
 * @populated: the last request, @populates of them
 * @populates: see there
 * @convert_rc: of GMEM_IOCTL_CONVERT, after @interrupts times -EINTR
 * @interrupts: see there
 * @converted: the ranges of the last one, @nr_converted of them
 * @nr_converted: see there
 * @converts: how many there were
 * @content: of the last one
 * @create_rc: of GMEM_IOCTL_CREATE, if not 0
 * @created: what was asked for, last
 * @translate: of KVM_TRANSLATE: where the instruction pointer is; 0: nowhere
 * @rip: the instruction pointer
 * @masks: times that a mask of signals was set, past the function that is stood in for
 */
struct exec_fake {
	int gmem[EXEC_FAKE_GMEM];
	bool private[EXEC_FAKE_GMEM][EXEC_FAKE_PAGES];
	int view_rc;
	unsigned int views;
	int vm;
	int vcpu;
	struct kvm_run *run;
	int slot_rc;
	struct kvm_userspace_memory_region slot;
	unsigned int slots;
	uint64_t enabled;
	int enable_rc;
	uint32_t cpuid;
	struct exec_fake_run runs[4];
	unsigned int nr_runs;
	unsigned int entered;
	int fault_rc;
	struct gmem_ioctl_view_fault fault;
	int populate_rc;
	uint64_t populate_pages;
	struct gmem_ioctl_view_populate populated;
	unsigned int populates;
	int convert_rc;
	unsigned int interrupts;
	struct gmem_convert_range converted[EXEC_FAKE_RANGES];
	unsigned int nr_converted;
	unsigned int converts;
	uint32_t content;
	int create_rc;
	struct gmem_ioctl_create created;
	uint64_t translate;
	uint64_t rip;
	unsigned int masks;
};

extern struct exec_fake exec_fake;

/** exec_fake_start() - a host, with a VM and a vCPU */
void exec_fake_start(void);

/** exec_fake_stop() - the VMM closes them; nothing of the library is left */
void exec_fake_stop(void);

/** exec_fake_runs() - what KVM_RUN comes to from now on */
void exec_fake_runs(const struct exec_fake_run *runs, unsigned int count);

#define EXEC_RUNS(...) \
	exec_fake_runs((const struct exec_fake_run[]){ __VA_ARGS__ }, \
		       sizeof((const struct exec_fake_run[]){ __VA_ARGS__ }) / \
		       sizeof(struct exec_fake_run))

/** exec_fake_map() - a part of a gmem fd, as the VMM has it */
char *exec_fake_map(unsigned int gmem, uint64_t size, uint64_t offset);

/** exec_fake_slot() - the VMM sets a slot. Return: what the library does. */
int exec_fake_slot(uint32_t id, uint32_t flags, uint64_t gpa, uint64_t size, const void *at);

#endif /* GMEMCTL_TEST_EXEC_FAKE_H */
