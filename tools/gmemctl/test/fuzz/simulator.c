// SPDX-License-Identifier: GPL-2.0
/*
 * Any ioctls on the simulator, in any order, with any arguments. The caller's
 * memory is an arena, so that addresses from the input can do no harm. The input
 * is a sequence of steps; see struct step.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "../../realm/abi.h"
#include "sim/sim.h"
#include "../../snp/abi.h"
#include "fuzz.h"

#define ARENA_SIZE 32768
#define STEPS_MAX 96

/**
 * struct step - one call
 * @action: index into requests[], or open, close, punch, copy
 * @fd: one of the first eight, or none
 * @offset: in the arena: where the argument is, or where to copy the rest to
 * @words: copied to the argument before the call
 */
struct step {
	uint8_t action;
	uint8_t fd;
	uint16_t offset;
	uint32_t words[15];
};

static const unsigned long requests[] = {
	KVM_CREATE_VM, KVM_CREATE_VCPU, KVM_CREATE_GUEST_MEMFD,
	KVM_SET_USER_MEMORY_REGION2, KVM_SET_USER_MEMORY_REGION,
	KVM_SET_MEMORY_ATTRIBUTES, KVM_MEMORY_ENCRYPT_OP, KVM_RUN,
	KVM_CHECK_EXTENSION, KVM_ENABLE_CAP, KVM_GET_DEVICE_ATTR,
	KVM_SET_REGS, KVM_SET_SREGS, KVM_GET_SREGS, KVM_SET_FPU, KVM_GET_FPU,
	KVM_SET_XCRS, KVM_SET_MSRS, KVM_SET_CPUID2, KVM_SET_GUEST_DEBUG,
	KVM_SET_XSAVE, KVM_GET_XSAVE, KVM_GET_MSRS, KVM_GET_CPUID2,
	KVM_GET_SUPPORTED_CPUID, KVM_SET_DEBUGREGS, KVM_SET_MP_STATE,
	SNP_SEV_ISSUE_CMD, KVM_CREATE_DEVICE, KVM_SET_DEVICE_ATTR,
	KVM_SET_ONE_REG, KVM_GET_ONE_REG, REALM_VCPU_INIT,
	REALM_PREFERRED_TARGET, REALM_POPULATE,
};

#define REQUESTS (sizeof(requests) / sizeof(requests[0]))

enum {
	ACTION_OPEN_KVM = REQUESTS,
	ACTION_OPEN_SEV,
	ACTION_CLOSE,
	ACTION_PUNCH,
	ACTIONS,
};

static uint8_t arena[ARENA_SIZE];

static int arena_in(void *context, void *to, uint64_t from, size_t size)
{
	if (from > ARENA_SIZE || size > ARENA_SIZE - from)
		return -EFAULT;
	memcpy(to, arena + from, size);
	return 0;
}

static int arena_out(void *context, uint64_t to, const void *from, size_t size)
{
	if (to > ARENA_SIZE || size > ARENA_SIZE - to)
		return -EFAULT;
	memcpy(arena + to, from, size);
	return 0;
}

static const struct sim_memory memory = { arena_in, arena_out, NULL };

/* The first byte of the input: which host */
#define HOST_7_3 1
#define HOST_ARM_SHIFT 1
#define HOST_ARM_MASK 3
#define HOST_STEPWISE 8

/* What takes a number takes a small one: a type, an id, a capability. */
static void *argument(unsigned long request, const struct step *step)
{
	if (request == KVM_CREATE_VM || request == KVM_CREATE_VCPU ||
	    request == KVM_CHECK_EXTENSION)
		return (void *)(uintptr_t)step->words[0];
	if (request == KVM_RUN)
		return NULL;
	return (void *)(uintptr_t)step->offset;
}

static void do_step(struct sim *sim, const struct step *step, int first)
{
	unsigned int action = step->action % ACTIONS;
	int fd = first + step->fd % 16;

	arena_out(NULL, step->offset, step->words, sizeof(step->words));
	if (action == ACTION_OPEN_KVM)
		sim_open(sim, KVM_DEVICE_PATH, O_RDWR);
	else if (action == ACTION_OPEN_SEV)
		sim_open(sim, SNP_DEVICE_PATH, O_RDWR);
	else if (action == ACTION_CLOSE)
		sim_close(sim, fd);
	else if (action == ACTION_PUNCH)
		sim_punch(sim, fd, step->words[0], step->words[1]);
	else
		sim_ioctl(sim, fd, requests[action],
			  argument(requests[action], step));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sim_config config = { .asids = 2, .memory = &memory };
	struct step step;
	struct sim *sim;
	int first;

	if (!size)
		return 0;
	config.profile = data[0] & HOST_7_3 ? SIM_LINUX_7_3 : SIM_LINUX_6_12;
	config.arm = data[0] >> HOST_ARM_SHIFT & HOST_ARM_MASK;
	config.progress = data[0] & HOST_STEPWISE ? 1 : 0;
	memset(arena, 0, sizeof(arena));
	sim = sim_create(&config);
	FUZZ_ASSERT(sim);
	first = sim_open(sim, KVM_DEVICE_PATH, O_RDWR);
	data++;
	size--;
	for (int i = 0; i < STEPS_MAX && size >= sizeof(step); i++) {
		memcpy(&step, data, sizeof(step));
		do_step(sim, &step, first);
		data += sizeof(step);
		size -= sizeof(step);
	}
	sim_destroy(sim);
	return 0;
}

/* Mostly with other numbers */
static void change(void *data, unsigned int random)
{
	struct step *step = data;

	if (random & 1)
		step->action = (uint8_t)(random >> 8);
	if (random & 2)
		step->fd = random >> 16 & 7;
	if (random & 4)
		step->words[random >> 20 & 7] = random >> 23 & ((1U << (random >> 18 & 7)) - 1);
}

/* Whole steps are put in and taken out, besides what is done to any input. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned int seed)
{
	return fuzz_mutate_steps(data, size, max, seed, sizeof(struct step), change);
}

static void add(struct fuzz_steps *seed, unsigned long request, uint8_t fd,
		uint16_t offset, const void *words, size_t size)
{
	struct step step = { .fd = fd, .offset = offset };

	while (step.action < REQUESTS && requests[step.action] != request)
		step.action++;
	if (step.action == REQUESTS)
		step.action = (uint8_t)request;
	memcpy(step.words, words, size);
	fuzz_add_step(seed, &step, sizeof(step));
}

static const struct kvm_create_guest_memfd gmem = { .size = 0x10000 };
static const struct kvm_memory_attributes private = {
	.size = 0x8000, .attributes = KVM_MEMORY_ATTRIBUTE_PRIVATE,
};
static const uint32_t zero[15];

/* A VM of a type, with a guest_memfd, the first half of which is private */
static void add_vm(struct fuzz_steps *seed, uint32_t type, uint8_t vm)
{
	const struct kvm_userspace_memory_region2 region = {
		.flags = KVM_MEM_GUEST_MEMFD, .memory_size = 0x10000,
		.guest_memfd = 0x100001 + vm,
	};

	add(seed, KVM_CREATE_VM, 0, 0, &type, sizeof(type));
	add(seed, KVM_CREATE_GUEST_MEMFD, vm, 0x100, &gmem, 60);
	add(seed, KVM_SET_USER_MEMORY_REGION2, vm, 0x100, &region, 60);
	add(seed, KVM_SET_MEMORY_ATTRIBUTES, vm, 0x100, &private, sizeof(private));
}

/* fd 0 is /dev/kvm, 1 the VM, 2 its guest_memfd, 3 a vCPU, 4 the GIC. */
static size_t seed_realm(uint8_t *data)
{
	const struct realm_kvm_vcpu_init init = {
		.target = REALM_TARGET_GENERIC_V8,
		.features = { 1U << REALM_VCPU_PSCI_0_2 },
	};
	const struct kvm_one_reg pc = { .id = REALM_REG_PC, .addr = 0x1000 };
	const struct kvm_create_device device = { .type = REALM_GIC_TYPE };
	struct kvm_device_attr attr = {
		.attr = REALM_GIC_ADDR_DIST, .addr = 0x4000,
	};
	const struct realm_kvm_populate populate = {
		.size = 0x3000, .source = 0x1000, .flags = 1,
	};
	struct fuzz_steps seed = { .data = data, .size = 1 };

	data[0] = SIM_ARM_CCA_V14 << HOST_ARM_SHIFT;
	add_vm(&seed, (uint32_t)REALM_VM_TYPE | 40, 1);
	add(&seed, KVM_CREATE_VCPU, 1, 0, zero, 4);
	add(&seed, REALM_VCPU_INIT, 3, 0x100, &init, sizeof(init));
	add(&seed, KVM_SET_ONE_REG, 3, 0x100, &pc, sizeof(pc));
	add(&seed, KVM_CREATE_DEVICE, 1, 0x100, &device, sizeof(device));
	add(&seed, KVM_SET_DEVICE_ATTR, 4, 0x100, &attr, sizeof(attr));
	attr.attr = REALM_GIC_ADDR_REDIST;
	add(&seed, KVM_SET_DEVICE_ATTR, 4, 0x100, &attr, sizeof(attr));
	add(&seed, REALM_POPULATE, 1, 0x100, &populate, sizeof(populate));
	add(&seed, KVM_RUN, 3, 0, zero, 4);
	add(&seed, REALM_POPULATE, 1, 0x100, &populate, sizeof(populate));
	return seed.size;
}

/*
 * KVM_MEMORY_ENCRYPT_OP, with 60 bytes of data that follow the command in the arena; they are
 * put there by a call that fails.
 */
static void add_op(struct fuzz_steps *seed, uint32_t id, const void *data)
{
	const struct snp_kvm_cmd cmd = { .id = id, .data = 0x400, .sev_fd = 0x100001 };

	add(seed, KVM_RUN, 0, 0x400, data, 60);
	add(seed, KVM_MEMORY_ENCRYPT_OP, 2, 0x200, &cmd, sizeof(cmd));
}

/* A launch: fd 0 is /dev/kvm, 1 /dev/sev, 2 the VM, 3 its guest_memfd. */
static size_t seed_launch(unsigned int index, uint8_t *data)
{
	const struct snp_kvm_launch_start start = { .policy = 0x30000 };
	const struct snp_kvm_launch_update update = {
		.uaddr = 0x1000, .len = 0x2000, .type = index ? 6 : 1,
	};
	struct fuzz_steps seed = { .data = data, .size = 1 };

	data[0] = (uint8_t)index;
	add(&seed, ACTION_OPEN_SEV, 0, 0, zero, sizeof(zero));
	add_vm(&seed, KVM_X86_SNP_VM, 2);
	add_op(&seed, SNP_KVM_INIT2, zero);
	add_op(&seed, SNP_KVM_LAUNCH_START, &start);
	add_op(&seed, SNP_KVM_LAUNCH_UPDATE, &update);
	add(&seed, KVM_CREATE_VCPU, 2, 0, zero, 4);
	add_op(&seed, SNP_KVM_LAUNCH_FINISH, zero);
	add(&seed, KVM_RUN, 4, 0, zero, 4);
	return seed.size;
}

/* Registers, and lists that are nearly full: fd 1 is the VM, 2 a vCPU. */
static size_t seed_vcpu(uint8_t *data)
{
	static const struct {
		unsigned long request;
		uint32_t first;
	} calls[] = {
		{ KVM_SET_CPUID2, 200 }, { KVM_GET_CPUID2, 200 },
		{ KVM_SET_MSRS, 50 }, { KVM_GET_MSRS, 50 }, { KVM_SET_XCRS, 10 },
		{ KVM_GET_SREGS, 0 }, { KVM_SET_SREGS, 0 }, { KVM_SET_REGS, 0 },
		{ KVM_GET_XSAVE, 0 }, { KVM_SET_XSAVE, 0 }, { KVM_SET_FPU, 0 },
		{ KVM_GET_FPU, 0 }, { KVM_SET_MP_STATE, 0 },
		{ KVM_SET_GUEST_DEBUG, 1 }, { KVM_SET_DEBUGREGS, 0 },
		{ KVM_RUN, 0 },
	};
	const uint32_t type = KVM_X86_DEFAULT_VM;
	struct fuzz_steps seed = { .data = data, .size = 1 };

	data[0] = 1;
	add(&seed, KVM_CREATE_VM, 0, 0, &type, sizeof(type));
	add(&seed, KVM_CREATE_VCPU, 1, 0, zero, 4);
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		const uint32_t words[15] = { calls[i].first };

		add(&seed, calls[i].request, 2, 0x100, words, sizeof(words));
	}
	return seed.size;
}

size_t fuzz_seed(unsigned int index, uint8_t *data)
{
	if (index < 2)
		return seed_launch(index, data);
	if (index == 2)
		return seed_realm(data);
	return index == 3 ? seed_vcpu(data) : 0;
}
