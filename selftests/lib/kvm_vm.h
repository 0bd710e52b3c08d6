/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A VM whose guest executes scripts, with slots that have private memory. Either all
 * pages of a slot are in a view of a gmem fd; or shared pages are in a gmem fd, and
 * private ones in a guest_memfd. Uses the library of gmemctl. Functions return 0 or a
 * negative errno, and check nothing.
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
#define KVM_DATA_GPA 0x40000000ULL	/* first address of slots with private memory */

/**
 * enum kvm_stop - why kvm_guest_run() has returned, besides errors
 * @KVM_STOP_DONE: the script has ended
 * @KVM_STOP_SYNC: the script has reached a KVM_OP_SYNC
 * @KVM_STOP_FAILED: an operation has failed, see struct kvm_script
 * @KVM_STOP_EXIT: an exit that is not handled, see vcpu->run
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
 * @map: its mapping, used by the slot
 * @store: the guest_memfd, or -1
 * @store_offset: in @store
 * @host: mapping of @fd
 * @number: number of the slot, or -1
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
 * @vm: gmemctl's structure
 * @views: private memory is in views, not in a store
 * @vcpus: its vCPUs
 * @nr_vcpus: number of @vcpus
 * @ram: control slot at address 0: tables, image, stacks, scripts
 * @data: slots with private memory
 * @nr_data: number of @data
 * @content: enum gmem_content of conversions by KVM_HC_MAP_GPA_RANGE
 * @convert: called instead of gmem's conversion, or NULL
 * @commit: commit converted ranges
 * @patient: retry the access to a page that is being converted, do not exit;
 *	accesses to memory without a slot read 0
 * @strict: do not put missing pages into a view
 * @stopping: set to make kvm_guest_run() return -EINTR
 * @refused: number of hypercalls answered with an error
 * @retries: number of exits that were retried
 * @populated: pages that were put into a view after faults of the guest
 * @error: error of kvm_guest_create()
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

/* Return: NULL, or why no guest with private memory can run. */
const char *kvm_guest_unavailable(void);

int kvm_guest_create(struct kvm_guest *g, unsigned int nr_vcpus);
/* The same in a VM without private memory, which every KVM supports. */
int kvm_guest_create_plain(struct kvm_guest *g, unsigned int nr_vcpus);
/* Create an ordinary VM whose private memory is in views. */
int kvm_guest_create_views(struct kvm_guest *g, unsigned int nr_vcpus);
void kvm_guest_destroy(struct kvm_guest *g);

/*
 * Add a slot at @gpa: in a view; or with a store @store_offset bytes larger, bound to it.
 */
int kvm_guest_add(struct kvm_guest *g, uint64_t gpa, uint64_t size, int fd,
		  uint64_t offset, uint64_t store_offset);
void kvm_data_close(struct kvm_guest *g, struct kvm_data *data);

/* The script of a vCPU: get it, clear it, append to it. */
struct kvm_script *kvm_script(struct kvm_guest *g, unsigned int cpu);
void kvm_script_start(struct kvm_script *script);
void kvm_script_add(struct kvm_script *script, const struct kvm_op *op);
void kvm_script_op(struct kvm_script *script, enum kvm_opcode opcode,
		   uint64_t gpa, uint64_t size, uint32_t value);

/* Enter the guest until it stops. Return: enum kvm_stop or a negative errno. */
int kvm_guest_run(struct kvm_guest *g, unsigned int cpu);
/* Run one operation on one vCPU; @result may be NULL. */
int kvm_guest_op(struct kvm_guest *g, unsigned int cpu, enum kvm_opcode opcode,
		 uint64_t gpa, uint64_t size, uint32_t value, int64_t *result);

/* A thread that runs the guest until kvm_runner_join() or kvm_runner_kick(). */
struct kvm_runner {
	struct kvm_guest *guest;
	unsigned int cpu;
	struct gmem_task task;
	int stop;
};

int kvm_runner_start(struct kvm_runner *runner, struct kvm_guest *g,
		     unsigned int cpu);
/*
 * Wait until the script ends by itself. kvm_runner_kick() makes KVM_RUN end with -EINTR.
 */
int kvm_runner_join(struct kvm_runner *runner);
int kvm_runner_kick(struct kvm_runner *runner);

/* Convert by gmem and set KVM's attribute, in the right order, as for the hypercall. */
int kvm_guest_convert(struct kvm_guest *g, uint64_t gpa, uint64_t size,
		      bool to_private, uint32_t content);
int kvm_guest_attribute(struct kvm_guest *g, uint64_t gpa, uint64_t size,
			bool private);
int kvm_punch(int store, uint64_t offset, uint64_t size);
/* Format the reason why the guest has stopped, for the log. */
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

/* Run the guest until it stops; fail with the reason if it is not @stop. */
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

/* Run one operation, which must succeed. */
#define expect_op(g, cpu, opcode, gpa, size, value) do {		\
	struct kvm_script *__script = kvm_script(g, cpu);		\
									\
	kvm_script_start(__script);					\
	kvm_script_op(__script, opcode, gpa, size, value);		\
	expect_stop(KVM_STOP_DONE, g, cpu);				\
} while (0)

#endif /* KVM_VM_H */
