/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A VM whose guest executes scripts, with slots that have private memory: their
 * pages are those of a view of a gmem fd; or the shared ones are a gmem fd's and the
 * private ones a guest_memfd's. Built on the library of gmemctl. Functions return 0 or
 * a negative errno and check nothing.
 */
#ifndef KVM_VM_H
#define KVM_VM_H

#include <stdbool.h>
#include <stdint.h>

#include "../../tools/gmemctl/kvm/abi.h"
#include "../../tools/gmemctl/kvm/vcpu.h"
#include "../../tools/gmemctl/kvm/vm.h"
#include "gmem_utils.h"
#include "kvm_script.h"

#define KVM_VCPUS 4
#define KVM_SLOTS 4
#define KVM_DATA_GPA 0x40000000ULL	/* where slots with private memory go */

/**
 * enum kvm_stop - why kvm_guest_run() has returned, besides errors
 * @KVM_STOP_DONE: the script is through
 * @KVM_STOP_SYNC: the script has come to a KVM_OP_SYNC
 * @KVM_STOP_FAILED: an operation has failed, see the script
 * @KVM_STOP_EXIT: an exit that is not served, in vcpu->run
 */
enum kvm_stop {
	KVM_STOP_DONE = KVM_REPORT_DONE,
	KVM_STOP_SYNC = KVM_REPORT_SYNC,
	KVM_STOP_FAILED = KVM_REPORT_FAILED,
	KVM_STOP_EXIT,
};

/**
 * struct kvm_data - a slot with private memory
 * @gpa: first guest physical address
 * @size: bytes
 * @fd: the gmem fd, not owned
 * @offset: in @fd
 * @view: the view fd, or -1
 * @map: its mapping, where the slot is
 * @store: the guest_memfd, or -1
 * @store_offset: in @store
 * @host: mapping of @fd
 * @number: of the slot, or -1
 */
struct kvm_data {
	uint64_t gpa;
	uint64_t size;
	int fd;
	uint64_t offset;
	int view;
	uint8_t *map;
	int store;
	uint64_t store_offset;
	uint8_t *host;
	int number;
};

/**
 * struct kvm_guest - a VM
 * @vm: what gmemctl knows of it
 * @views: private memory by views, and not by a store
 * @vcpus: its vCPUs, @nr_vcpus of them
 * @nr_vcpus: see there
 * @ram: control slot at address 0: tables, image, stacks, scripts
 * @data: slots with private memory, @nr_data of them
 * @nr_data: see there
 * @content: what KVM_HC_MAP_GPA_RANGE does to contents, enum gmem_content
 * @convert: what it does instead of converting by gmem, or NULL
 * @commit: commit what has been converted
 * @patient: a page that is on its way is tried again, in place of an exit;
 *	accesses to memory without a slot read 0
 * @strict: a page that is not in a view is not put there
 * @stopping: kvm_guest_run() shall return -EINTR
 * @refused: hypercalls answered with an error
 * @retries: exits that were tried again
 * @populated: pages that were put into a view because a guest wanted them
 * @error: why kvm_guest_create() has failed
 */
struct kvm_guest {
	struct vm vm;
	bool views;
	struct vcpu vcpus[KVM_VCPUS];
	unsigned int nr_vcpus;
	uint8_t *ram;
	struct kvm_data data[KVM_SLOTS];
	unsigned int nr_data;
	uint32_t content;
	int (*convert)(struct kvm_guest *g, uint64_t gpa, uint64_t size,
		       bool to_private);
	bool commit;
	bool patient;
	bool strict;
	int stopping;
	unsigned int refused;
	unsigned int retries;
	unsigned int populated;
	struct error error;
};

/* NULL, or why no guest with private memory can run here. */
const char *kvm_guest_unavailable(void);

int kvm_guest_create(struct kvm_guest *g, unsigned int nr_vcpus);
/* The same on every KVM, in a VM that has no private memory. */
int kvm_guest_create_plain(struct kvm_guest *g, unsigned int nr_vcpus);
/* An ordinary VM with private memory by views. */
int kvm_guest_create_views(struct kvm_guest *g, unsigned int nr_vcpus);
void kvm_guest_destroy(struct kvm_guest *g);

/* A slot at @gpa, its store @store_offset larger than it, bound to it; or in a view. */
int kvm_guest_add(struct kvm_guest *g, uint64_t gpa, uint64_t size, int fd,
		  uint64_t offset, uint64_t store_offset);
void kvm_data_close(struct kvm_guest *g, struct kvm_data *data);

/* The script of a vCPU: start anew, append. */
struct kvm_script *kvm_script(struct kvm_guest *g, unsigned int cpu);
void kvm_script_start(struct kvm_script *script);
void kvm_script_add(struct kvm_script *script, const struct kvm_op *op);
void kvm_script_op(struct kvm_script *script, enum kvm_opcode opcode,
		   uint64_t gpa, uint64_t size, uint32_t value);

/* Enter the guest until it stops: enum kvm_stop or a negative errno. */
int kvm_guest_run(struct kvm_guest *g, unsigned int cpu);
/* One operation of one vCPU; *result may be NULL. */
int kvm_guest_op(struct kvm_guest *g, unsigned int cpu, enum kvm_opcode opcode,
		 uint64_t gpa, uint64_t size, uint32_t value, int64_t *result);

/* Run in a thread of its own until kvm_runner_stop(). */
struct kvm_runner {
	struct kvm_guest *guest;
	unsigned int cpu;
	struct gmem_task task;
	int stop;
};

int kvm_runner_start(struct kvm_runner *runner, struct kvm_guest *g,
		     unsigned int cpu);
/* The script ends by itself: wait. Else let KVM_RUN end with -EINTR. */
int kvm_runner_join(struct kvm_runner *runner);
int kvm_runner_kick(struct kvm_runner *runner);

/* gmem and KVM's attribute in the right order; as for the hypercall. */
int kvm_guest_convert(struct kvm_guest *g, uint64_t gpa, uint64_t size,
		      bool to_private, uint32_t content);
int kvm_guest_attribute(struct kvm_guest *g, uint64_t gpa, uint64_t size,
			bool private);
int kvm_punch(int store, uint64_t offset, uint64_t size);
/* Why the guest has stopped, for the log. */
void kvm_log_stop(struct kvm_guest *g, unsigned int cpu, int stop, char *text,
		  size_t size);

#define test_kvm_guest_create(g, nr_vcpus)				\
	test_kvm_guest_create_by(kvm_guest_create, g, nr_vcpus)
#define test_kvm_guest_create_by(create, g, nr_vcpus) do {		\
	int __rc = create(g, nr_vcpus);					\
									\
	if (__rc)							\
		TH_LOG("%s: %s: %s", (g)->error.object,			\
		       (g)->error.action, (g)->error.hint);		\
	ASSERT_EQ(0, __rc);						\
} while (0)

/* The guest runs its script until it stops with @stop, else it says why. */
#define expect_stop(stop, g, cpu) do {					\
	int __stop = kvm_guest_run(g, cpu);				\
	char __text[1024];						\
									\
	if (__stop != (int)(stop)) {					\
		kvm_log_stop(g, cpu, __stop, __text, sizeof(__text));	\
		TH_LOG("%s", __text);					\
	}								\
	EXPECT_EQ(stop, __stop);					\
} while (0)

/* One operation that has to go through. */
#define expect_op(g, cpu, opcode, gpa, size, value) do {		\
	struct kvm_script *__script = kvm_script(g, cpu);		\
									\
	kvm_script_start(__script);					\
	kvm_script_op(__script, opcode, gpa, size, value);		\
	expect_stop(KVM_STOP_DONE, g, cpu);				\
} while (0)

#endif /* KVM_VM_H */
