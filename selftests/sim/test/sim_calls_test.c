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
#include "unit.h"

#define SIZE 0x10000

static void open_vm(struct sim *sim, struct vm *vm)
{
	struct error error;

	memset(vm, 0, sizeof(*vm));
	vm->kvm_fd = vm_open_kvm(&error);
	CHECK(sim_is_fd(sim, vm->kvm_fd));
	CHECK(vm_type_supported(vm->kvm_fd, KVM_X86_SNP_VM));
	vm->fd = calls_ioctl_value(vm->kvm_fd, KVM_CREATE_VM, KVM_X86_SNP_VM);
	CHECK(sim_is_fd(sim, vm->fd));
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
	CHECK(memfd >= 0 && !sim_is_fd(sim, memfd));
	CHECK(!calls->map(SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, memfd, 0,
			  &slot.host));
	memset(slot.host, 1, SIZE);
	slot.guest_memfd = calls->ioctl(vm->fd, KVM_CREATE_GUEST_MEMFD, &create);
	CHECK(sim_is_fd(sim, slot.guest_memfd));
	number = slot_add(vm, &slot, &error);
	CHECK(number >= 0);
	CHECK(slot_covers_private(&vm->slots, 0, SIZE));
	CHECK(!vm_set_private(vm, 0x1000, 0x2000, true));
	CHECK(sim_vm_is_private(sim, vm->fd, 0x2fff));
	CHECK(!sim_vm_is_private(sim, vm->fd, 0x3000));
	CHECK(!calls->punch(slot.guest_memfd, 0, SIZE));
	CHECK(!slot_remove(vm, (unsigned int)number));
	CHECK(!calls->unmap(slot.host, SIZE));
	CHECK(!calls->close(memfd));
	CHECK(!calls->close(slot.guest_memfd));
}

static void check_run(struct vm *vm)
{
	int fd = calls_ioctl_value(vm->fd, KVM_CREATE_VCPU, 0);
	struct kvm_run *run;
	void *address;

	CHECK(!calls->map(vm->run_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
			  0, &address));
	run = address;
	CHECK(calls->map(vm->run_size, PROT_READ, MAP_SHARED, fd, 4096,
			 &address) == -EINVAL);
	/* Not initialised as an SNP guest yet. */
	CHECK_EQ(calls_ioctl_value(fd, KVM_RUN, 0), -EINVAL);
	CHECK(!run->exit_reason);
	CHECK(!calls->unmap(run, vm->run_size));
	CHECK(!calls->close(fd));
}

static void test_sim_calls(void)
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
	CHECK_EQ(calls->open("/dev/null/nothing", 0), -ENOTDIR);
	CHECK(!calls->close(vm.fd));
	CHECK(!calls->close(vm.kvm_fd));
	sim_use(NULL);
	CHECK(calls == &calls_system);
	sim_destroy(sim);
}

static const struct unit_test tests[] = {
	{ "sim.calls", test_sim_calls },
};

UNIT_TESTS(tests)
