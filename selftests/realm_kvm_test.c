// SPDX-License-Identifier: GPL-2.0
/*
 * gmemctl's realms with the KVM of this arm64 kernel, which does not support realms:
 * gmemctl finds that. The parts that realms share with ordinary VMs - vCPUs, registers,
 * GICv3, exits, the payload - behave like in the simulator, in an ordinary VM.
 */
#include <fcntl.h>
#include <sys/ioctl.h>

#include "ksft.h"

#include "../tools/gmemctl/base/calls.h"
#include "../tools/gmemctl/realm/abi.h"
#include "../tools/gmemctl/realm/realm.h"

#define BASE UINT64_C(0x40000000)
#define DATA (BASE + 0x1000)
#define UART UINT64_C(0x09000000)
#define MEMORY 0x10000
#define IPA_BITS 40

/*
 * mov w1, #0x5a; str w1, [x0]; ldr w2, [x0]; movz x3, #0x4000, lsl #16;
 * movk x3, #0x1000; str w2, [x3]
 */
static const uint32_t touch[] = {
	0x52800b41, 0xb9000001, 0xb9400002, 0xd2a80003, 0xf2820003, 0xb9000062,
};

/* As in gmemctl: PSCI's SYSTEM_OFF */
static const uint32_t power_off[] = {
	0x52b08000, 0x72800100, 0xd4000003, 0xd503207f, 0x17ffffff,
};

/**
 * struct ordinary - a realm whose VM is an ordinary one
 * @memory: the guest's memory at BASE
 */
struct ordinary {
	struct realm realm;
	struct realm_config config;
	struct machine_type type;
	struct error error;
	uint8_t *memory;
};

static int open_kvm(void)
{
	return open("/dev/kvm", O_RDWR | O_CLOEXEC);
}

#define NEED_KVM() do {							\
	int fd = open_kvm();						\
									\
	if (fd < 0)							\
		SKIP(return, KSFT_BY_DESIGN " no /dev/kvm");		\
	close(fd);							\
} while (0)

static int create_vm(struct machine *machine, struct error *error)
{
	static const struct vm_capability nothing = { 0, 0, NULL, NULL };
	int kvm = open_kvm();

	return vm_adopt(&machine->vm, kvm, ioctl(kvm, KVM_CREATE_VM, IPA_BITS), &nothing, error);
}

static void init(struct ordinary *vm, unsigned int vcpus)
{
	struct realm *realm = &vm->realm;
	const struct machine_config machine = {
		.memory = { .requests = &realm->request, .nr_requests = 1 },
		.nr_vcpus = vcpus,
	};

	memset(vm, 0, sizeof(*vm));
	vm->config = (struct realm_config){
		.ram = { BASE, BASE + MEMORY }, .entry = BASE, .argument = UART,
	};
	vm->type = machine_realm;
	vm->type.create_vm = create_vm;
	realm->config = &vm->config;
	realm->gic_fd = -1;
	realm->request = (struct memory_request){
		.ranges = &vm->config.ram, .nr_ranges = 1, .kind = BACKING_SHARED,
		.existing_fd = -1, .node = -1,
	};
	machine_init(&realm->machine, &vm->type, &machine);
}

static void create(struct ordinary *vm, unsigned int vcpus)
{
	init(vm, vcpus);
	ASSERT_EQ(create_vm(&vm->realm.machine, &vm->error), 0);
}

/* Build a realm up to, but without, the GIC. */
static void build(struct ordinary *vm, unsigned int vcpus)
{
	init(vm, vcpus);
	ASSERT_EQ(machine_build(&vm->realm.machine, &vm->error), 0);
	vm->memory = machine_host(&vm->realm.machine, BASE);
}

static void build_whole(struct ordinary *vm, unsigned int vcpus)
{
	build(vm, vcpus);
	ASSERT_EQ(realm_gic_create(&vm->realm, &vm->error), 0);
}

static uint64_t get_reg(struct ordinary *vm, uint64_t id)
{
	uint64_t value = 0;
	struct kvm_one_reg reg = { .id = id, .addr = (uintptr_t)&value };

	EXPECT_EQ(calls->ioctl(vm->realm.machine.vcpus[0].fd, KVM_GET_ONE_REG, &reg), 0);
	return value;
}

/* Return: the reason why the guest has ended */
static enum end run(struct ordinary *vm)
{
	EXPECT_EQ(machine_prepare(&vm->realm.machine, &vm->error), 0);
	machine_run(&vm->realm.machine);
	TH_LOG("%s", vm->realm.machine.report);
	return vm->realm.machine.end;
}

/* Capability numbers of realms can have another meaning on this kernel */
TEST(no_realms)
{
	unsigned int bits = 0;
	struct error error;
	int kvm;

	NEED_KVM();
	kvm = open_kvm();
	EXPECT_EQ(realm_create_vm(kvm, &bits, &error), -EOPNOTSUPP);
	TH_LOG("%s: %s", error.object, error.action);
	close(kvm);
}

static int create_type(unsigned long type)
{
	int kvm = open_kvm(), vm = ioctl(kvm, KVM_CREATE_VM, type);
	int rc = vm < 0 ? -errno : 0;

	if (vm >= 0)
		close(vm);
	close(kvm);
	return rc;
}

TEST(types)
{
	int kvm, most;

	NEED_KVM();
	kvm = open_kvm();
	most = ioctl(kvm, KVM_CHECK_EXTENSION, KVM_CAP_ARM_VM_IPA_SIZE);
	close(kvm);
	EXPECT_GE(most, REALM_IPA_BITS_MIN);
	EXPECT_LE(most, REALM_IPA_BITS_MAX);
	EXPECT_EQ(create_type(0), 0);
	EXPECT_EQ(create_type((unsigned long)most), 0);
	EXPECT_EQ(create_type((unsigned long)most + 1), -EINVAL);
	EXPECT_EQ(create_type(REALM_IPA_BITS_MIN - 1), -EINVAL);
	EXPECT_EQ(create_type(REALM_VM_TYPE | IPA_BITS), -EINVAL);
	EXPECT_EQ(create_type(REALM_VM_TYPE | REALM_VM_TYPE_PROTECTED),
		  -EINVAL);
	EXPECT_EQ(create_type(1UL << 8 | IPA_BITS), -EINVAL);
}

TEST(unknown_calls)
{
	struct kvm_memory_attributes attributes = {
		.address = BASE, .size = MEMORY,
		.attributes = KVM_MEMORY_ATTRIBUTE_PRIVATE,
	};
	struct ordinary vm;

	NEED_KVM();
	create(&vm, 1);
	EXPECT_EQ(calls->ioctl(vm.realm.machine.vm.fd, REALM_POPULATE, NULL), -EINVAL);
	EXPECT_FALSE(realm_knows_populate(vm.realm.machine.vm.fd));
	EXPECT_EQ(calls->ioctl(vm.realm.machine.vm.fd, KVM_SET_MEMORY_ATTRIBUTES,
			       &attributes), -EINVAL);
}

TEST(vcpus)
{
	struct ordinary vm;

	NEED_KVM();
	build_whole(&vm, 3);
	EXPECT_EQ(get_reg(&vm, REALM_REG_PC), BASE);
	EXPECT_EQ(get_reg(&vm, REALM_REG_X(0)), UART);
	EXPECT_EQ(get_reg(&vm, REALM_REG_X(30)), 0);
	/* The GIC supports three vCPUs only. */
	EXPECT_EQ(calls_ioctl_value(vm.realm.machine.vm.fd, KVM_CREATE_VCPU, 3),
		  -EBUSY);
	EXPECT_EQ(calls_ioctl_value(vm.realm.machine.vm.fd, KVM_CREATE_VCPU, 0),
		  -EBUSY);
}

TEST(vcpu_errors)
{
	struct realm_kvm_vcpu_init init = { .features = { 1U << 31 } };
	uint64_t value = 0;
	struct kvm_one_reg pc = {
		.id = REALM_REG_PC, .addr = (uintptr_t)&value,
	};
	struct ordinary vm;
	struct vcpu vcpu;

	NEED_KVM();
	create(&vm, 1);
	ASSERT_EQ(vcpu_open(&vcpu, &vm.realm.machine.vm, 0, &vm.error), 0);
	EXPECT_EQ(calls->ioctl(vcpu.fd, KVM_SET_ONE_REG, &pc), -ENOEXEC);
	EXPECT_EQ(calls->ioctl(vcpu.fd, KVM_RUN, NULL), -ENOEXEC);
	init.target = REALM_TARGET_GENERIC_V8;
	EXPECT_EQ(calls->ioctl(vcpu.fd, REALM_VCPU_INIT, &init), -ENOENT);
	init.features[0] = 1U << REALM_VCPU_PSCI_0_2;
	EXPECT_EQ(calls->ioctl(vcpu.fd, REALM_VCPU_INIT, &init), 0);
	EXPECT_EQ(calls->ioctl(vcpu.fd, KVM_SET_ONE_REG, &pc), 0);
	EXPECT_EQ(calls_ioctl_value(vm.realm.machine.vm.fd, KVM_CREATE_VCPU, 0),
		  -EEXIST);
	vcpu_destroy(&vcpu);
}

static int set_gic(int gic, uint32_t group, uint64_t attr, uint64_t gpa)
{
	struct kvm_device_attr argument = {
		.group = group, .attr = attr, .addr = (uintptr_t)&gpa,
	};

	return calls->ioctl(gic, KVM_SET_DEVICE_ATTR, &argument);
}

/* Return: the GIC, which has no address yet */
static int create_gic(struct ordinary *vm)
{
	struct kvm_create_device device = { .type = REALM_GIC_TYPE };

	build(vm, 1);
	EXPECT_EQ(calls->ioctl(vm->realm.machine.vm.fd, KVM_CREATE_DEVICE, &device), 0);
	return (int)device.fd;
}

TEST(gic_errors)
{
	struct kvm_create_device device = {
		.type = REALM_GIC_TYPE, .flags = KVM_CREATE_DEVICE_TEST,
	};
	struct ordinary vm;
	int gic;

	NEED_KVM();
	gic = create_gic(&vm);
	EXPECT_EQ(calls->ioctl(vm.realm.machine.vm.fd, KVM_CREATE_DEVICE, &device), 0);
	device.flags = 0;
	EXPECT_EQ(calls->ioctl(vm.realm.machine.vm.fd, KVM_CREATE_DEVICE, &device),
		  -EEXIST);
	EXPECT_EQ(set_gic(gic, REALM_GIC_GROUP_ADDR, REALM_GIC_ADDR_DIST, 1),
		  -EINVAL);
	EXPECT_EQ(set_gic(gic, REALM_GIC_GROUP_ADDR, REALM_GIC_ADDR_DIST,
			  UINT64_C(1) << IPA_BITS), -E2BIG);
	EXPECT_EQ(set_gic(gic, REALM_GIC_GROUP_ADDR, REALM_GIC_ADDR_DIST,
			  REALM_GIC_DIST), 0);
	EXPECT_EQ(set_gic(gic, REALM_GIC_GROUP_ADDR, REALM_GIC_ADDR_DIST,
			  REALM_GIC_DIST), -EEXIST);
	close(gic);
}

/* KVM stops a VM with an error if its GIC has no address when it runs. */
TEST(gic_nowhere)
{
	struct ordinary vm;
	int gic;

	NEED_KVM();
	gic = create_gic(&vm);
	EXPECT_EQ(vcpu_run(vm.realm.machine.vcpus), -ENXIO);
	EXPECT_EQ(vcpu_run(vm.realm.machine.vcpus), -EIO);
	EXPECT_EQ(set_gic(gic, REALM_GIC_GROUP_ADDR, REALM_GIC_ADDR_DIST,
			  REALM_GIC_DIST), -EIO);
	EXPECT_EQ(vm_capability(vm.realm.machine.vm.fd, KVM_CAP_IRQCHIP), -EIO);
	close(gic);
}

/* A run that ends at once initialises like a first run, but executes nothing. */
TEST(immediate_exit)
{
	struct ordinary vm;
	struct vcpu *vcpu;

	NEED_KVM();
	build_whole(&vm, 1);
	vcpu = vm.realm.machine.vcpus;
	memcpy(vm.memory, power_off, sizeof(power_off));
	vcpu->run->immediate_exit = 1;
	EXPECT_EQ(vcpu_run(vcpu), -EINTR);
	EXPECT_EQ(get_reg(&vm, REALM_REG_PC), BASE);
	vcpu->run->immediate_exit = 0;
	EXPECT_EQ(run(&vm), END_POWER_OFF);
}

TEST(payload)
{
	struct ordinary vm;

	NEED_KVM();
	build_whole(&vm, 2);
	memcpy(vm.memory, power_off, sizeof(power_off));
	EXPECT_EQ(run(&vm), END_POWER_OFF);
	EXPECT_EQ(vm.realm.machine.counters.exits, 1);
}

/* There is no device: reads return all ones. */
TEST(stray_accesses)
{
	struct ordinary vm;
	uint32_t value;

	NEED_KVM();
	build_whole(&vm, 1);
	memcpy(vm.memory, touch, sizeof(touch));
	memcpy(vm.memory + sizeof(touch), power_off, sizeof(power_off));
	EXPECT_EQ(run(&vm), END_POWER_OFF);
	EXPECT_EQ(vm.realm.machine.counters.stray_io, 2);
	EXPECT_EQ(vm.realm.machine.counters.exits, 3);
	memcpy(&value, vm.memory + (DATA - BASE), sizeof(value));
	EXPECT_EQ(value, UINT32_MAX);
}

TEST_HARNESS_MAIN
