/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A simulated host, and a VM on it that is as far as a test needs it. The host
 * can also be whatever answers to system calls: a kernel, or the simulator as
 * a preloaded library.
 */
#ifndef GMEMCTL_TEST_SIM_WORLD_H
#define GMEMCTL_TEST_SIM_WORLD_H

#include "../sim.h"
#include "realm/abi.h"
#include "snp/abi.h"

/* Guest memory: one slot, of which the first half is private. */
#define WORLD_PAGES 16
#define WORLD_PRIVATE 8
#define WORLD_PAGE 4096

/* How often a case may call world_fail() */
#define WORLD_FAULTS 4

struct world_fault {
	enum sim_event event;
	unsigned int nth;
	uint32_t error;
};

/**
 * struct world - what a case works with
 * @args: of the case
 * @nr_agreed, @agreed: how often world_agree() was called, and its first result
 * @host: to be changed before the first world_*() call
 * @type: of the VM
 * @base: where its memory is
 * @faults: what world_fail() was told
 * @system: system calls instead of a simulator; it is called when the case has
 *	said in @host and @faults what it needs
 * @sim: NULL if it is system calls
 * @cmd: of the last KVM_MEMORY_ENCRYPT_OP, as it came back
 * @update: of the last LAUNCH_UPDATE, as it came back
 * @gic: of a realm, likewise @run, the vCPU's
 * @populate: of the last RMI_POPULATE, as it came back
 * @lints: what a real kernel would have warned of
 * @source: WORLD_PAGES pages, page-aligned; the byte of each is its number
 */
struct world {
	const uint64_t *args;
	unsigned int nr_agreed;
	int agreed;
	struct sim_config host;
	unsigned long type;
	uint64_t base;
	struct world_fault faults[WORLD_FAULTS];
	unsigned int nr_faults;
	void (*system)(const struct world *world);
	struct sim *sim;
	int kvm, sev, vm, vcpu, gmem;
	struct snp_kvm_cmd cmd;
	struct snp_kvm_launch_update update;
	int gic;
	struct kvm_run *run;
	struct realm_kvm_populate populate;
	unsigned int lints;
	uint8_t *source;
};

void world_init(struct world *world, enum sim_profile profile);
void world_free(struct world *world);

/** world_fail() - see sim_fail(); to be called before those below */
void world_fail(struct world *world, enum sim_event event, unsigned int nth, uint32_t error);

/* Each includes what is before it, if that has not been done yet. */
void world_host(struct world *world);
void world_vm(struct world *world);
void world_inited(struct world *world);
void world_memory(struct world *world);
void world_vcpu(struct world *world);
void world_started(struct world *world);
/** world_ready() - started, with memory and one vCPU */
void world_ready(struct world *world);
void world_finished(struct world *world);

/* Return: 0 or more, or a negative errno */
int world_open(struct world *world, const char *path, int flags);
int world_close(struct world *world, int fd);
int world_ioctl(struct world *world, int fd, unsigned long request, void *arg);
int world_op(struct world *world, uint32_t id, void *data);
int world_init2(struct world *world, uint64_t features, uint32_t flags, uint16_t ghcb);
int world_start(struct world *world, uint64_t policy);
int world_finish(struct world *world);
/** world_agree() - one of several results that all have to be the same. Return: @rc. */
int world_agree(struct world *world, int rc);
/** world_update() - @pages of the source's first ones, from page @gfn on */
int world_update(struct world *world, uint8_t type, uint64_t gfn, uint64_t pages);
/** world_update_again() - go on with what is left in @update */
int world_update_again(struct world *world);
int world_attributes(struct world *world, uint64_t address, uint64_t size,
		     uint64_t attributes, uint64_t flags);
int world_slot(struct world *world, uint32_t slot, uint64_t gpa, uint64_t size,
	       int gmem, uint64_t offset);
int world_gmem(struct world *world, uint64_t size, uint64_t flags);

#endif /* GMEMCTL_TEST_SIM_WORLD_H */
