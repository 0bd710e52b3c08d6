// SPDX-License-Identifier: GPL-2.0
/* gmemctl's own KVM library works on the simulator as on a kernel. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "../sim.h"
#include "base/calls.h"
#include "kvm/slot.h"
#include "kvm/vcpu.h"
#include "kvm/vm.h"
#include "snp/abi.h"
#include "ksft.h"

#define SIZE 0x10000

static void open_vm(struct sim *sim, struct vm *vm)
{
	struct error error;

	memset(vm, 0, sizeof(*vm));
	vm->kvm_fd = vm_open_kvm(&error);
	EXPECT_TRUE(sim_is_fd(sim, vm->kvm_fd));
	EXPECT_TRUE(vm_type_supported(vm->kvm_fd, KVM_X86_SNP_VM));
	vm->fd = calls_ioctl_value(vm->kvm_fd, KVM_CREATE_VM, KVM_X86_SNP_VM);
	EXPECT_TRUE(sim_is_fd(sim, vm->fd));
	vm->run_size = (size_t)calls_ioctl_value(vm->kvm_fd,
						 KVM_GET_VCPU_MMAP_SIZE, 0);
}

static void check_memory(struct sim *sim, struct vm *vm)
{
	struct kvm_create_guest_memfd create = { .size = SIZE };
	struct slot slot = { .size = SIZE };
	struct error error;
	int memfd, number;

	/* Shared memory is real memory. */
	memfd = calls->memfd("shared", SIZE);
	EXPECT_GE(memfd, 0);
	EXPECT_FALSE(sim_is_fd(sim, memfd));
	EXPECT_FALSE(calls->map(SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, memfd, 0, &slot.host));
	memset(slot.host, 1, SIZE);
	slot.guest_memfd = calls->ioctl(vm->fd, KVM_CREATE_GUEST_MEMFD, &create);
	EXPECT_TRUE(sim_is_fd(sim, slot.guest_memfd));
	number = slot_add(vm, &slot, &error);
	EXPECT_GE(number, 0);
	EXPECT_TRUE(slot_covers_private(&vm->slots, 0, SIZE));
	EXPECT_FALSE(vm_set_private(vm, 0x1000, 0x2000, true));
	EXPECT_TRUE(sim_vm_is_private(sim, vm->fd, 0x2fff));
	EXPECT_FALSE(sim_vm_is_private(sim, vm->fd, 0x3000));
	EXPECT_FALSE(calls->punch(slot.guest_memfd, 0, SIZE));
	EXPECT_FALSE(slot_remove(vm, (unsigned int)number));
	EXPECT_FALSE(calls->unmap(slot.host, SIZE));
	EXPECT_FALSE(calls->close(memfd));
	EXPECT_FALSE(calls->close(slot.guest_memfd));
}

static void check_run(struct vm *vm)
{
	int fd = calls_ioctl_value(vm->fd, KVM_CREATE_VCPU, 0);
	struct kvm_run *run;
	void *address;

	EXPECT_FALSE(calls->map(vm->run_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0, &address));
	run = address;
	EXPECT_EQ(calls->map(vm->run_size, PROT_READ, MAP_SHARED, fd, 4096, &address), -EINVAL);
	/* Not initialised as an SNP guest yet. */
	EXPECT_EQ(calls_ioctl_value(fd, KVM_RUN, 0), -EINVAL);
	EXPECT_FALSE(run->exit_reason);
	EXPECT_FALSE(calls->unmap(run, vm->run_size));
	EXPECT_FALSE(calls->close(fd));
}

TEST_OF(sim, calls)
{
	const struct sim_config config = {
		.profile = SIM_LINUX_7_3, .asids = 1,
	};
	struct sim *sim = sim_create(&config);
	struct vm vm;

	sim_use(sim);
	open_vm(sim, &vm);
	check_memory(sim, &vm);
	check_run(&vm);
	EXPECT_EQ(calls->open("/dev/null/nothing", 0), -ENOTDIR);
	EXPECT_FALSE(calls->close(vm.fd));
	EXPECT_FALSE(calls->close(vm.kvm_fd));
	sim_use(NULL);
	EXPECT_TRUE(calls == &calls_system);
	sim_destroy(sim);
}
