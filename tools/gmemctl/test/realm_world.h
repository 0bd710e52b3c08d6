/* SPDX-License-Identifier: GPL-2.0 */
/* A simulated arm64 host, and a realm on it that is as far as a test needs. */
#ifndef GMEMCTL_TEST_REALM_WORLD_H
#define GMEMCTL_TEST_REALM_WORLD_H

#include "../realm/abi.h"
#include "sim/sim.h"

/* Guest memory: a slot at 1 GiB, of which the first half is private. */
#define REALM_WORLD_GPA UINT64_C(0x40000000)
#define REALM_WORLD_PAGE 4096
#define REALM_WORLD_PAGES 16
#define REALM_WORLD_PRIVATE 8
#define REALM_WORLD_SIZE (REALM_WORLD_PAGES * REALM_WORLD_PAGE)

/**
 * struct realm_world - what a test works with
 * @host: to be changed before realm_world_host()
 * @type: of the VM
 * @args: of the last RMI_POPULATE, as it came back
 * @source: REALM_WORLD_PAGES pages, page-aligned
 * @lints: what a real kernel would have warned of
 */
struct realm_world {
	struct sim_config host;
	struct sim *sim;
	unsigned long type;
	int kvm, vm, gmem, vcpu, gic;
	struct kvm_run *run;
	struct realm_kvm_populate args;
	uint8_t *source;
	unsigned int lints;
};

void realm_world_init(struct realm_world *world, enum sim_arm arm);
void realm_world_free(struct realm_world *world);

/* Each includes what is before it, if that has not been done yet. */
void realm_world_host(struct realm_world *world);
void realm_world_vm(struct realm_world *world);
void realm_world_memory(struct realm_world *world);
/** realm_world_vcpu() - one that KVM knows of, not initialised */
void realm_world_vcpu(struct realm_world *world);
void realm_world_gic(struct realm_world *world);
/** realm_world_ready() - memory, a vCPU and a GIC: it can be populated or run */
void realm_world_ready(struct realm_world *world);

/* Return: 0 or more, or a negative errno */
int realm_world_ioctl(struct realm_world *world, int fd, unsigned long request,
		      void *arg);
/** realm_world_populate() - @pages of the source's first ones, from @page on */
int realm_world_populate(struct realm_world *world, unsigned int page,
			 unsigned int pages, uint32_t flags);
/** realm_world_again() - go on with what is left in @args */
int realm_world_again(struct realm_world *world);
int realm_world_private(struct realm_world *world, unsigned int page,
			unsigned int pages, bool private);
int realm_world_vcpu_init(struct realm_world *world, uint32_t features);
int realm_world_run(struct realm_world *world, bool immediate_exit);

#endif /* GMEMCTL_TEST_REALM_WORLD_H */
