// SPDX-License-Identifier: GPL-2.0
/* KVM_RUN as the preload library of `gmemctl exec` does it for a VMM. */
#include "../exec/exec.h"
#include "../exec/report.h"
#include "exec_fake.h"
#include "ksft.h"

#define PAGE	UINT64_C(4096)
#define MIB	(UINT64_C(1) << 20)
#define HIGH	(UINT64_C(4) << 30)

static struct exec_vcpu *vcpu;
static struct exec_vm *vm;
static char *ram;

/* A PC with 7 MiB: six of them below, one above 4 GiB. */
FIXTURE(exec_run) {
};

FIXTURE_SETUP(exec_run)
{
	exec_fake_start();
	EXEC_RUNS({ .reason = KVM_EXIT_IO });
	vm = exec_vm_of(exec_fake.vm);
	vcpu = exec_vcpu_of(exec_fake.vcpu);
	ram = exec_fake_map(0, 7 * MIB, 0);
	EXPECT_FALSE(exec_fake_slot(0, 0, 0, 6 * MIB, ram));
	EXPECT_FALSE(exec_fake_slot(1, 0, HIGH, MIB, ram + 6 * MIB));
	exec_settings.timeout_ms = 100;
}

FIXTURE_TEARDOWN(exec_run)
{
	exec_fake_stop();
	munmap(ram, 7 * MIB);
}

TEST_F(exec_run, pass)
{
	EXPECT_FALSE(exec_run(vcpu, NULL));
	EXPECT_EQ(exec_fake.entered, 1);
	EXPECT_EQ(exec_fake.run->exit_reason, KVM_EXIT_IO);
	EXEC_RUNS({ .rc = -EINTR });
	EXPECT_EQ(exec_run(vcpu, NULL), -EINTR);
	EXPECT_EQ(exec_fake.entered, 1);
}

static uintptr_t view_of(uint64_t gpa)
{
	const struct exec_slot *slot = exec_slot_find(vm, 0, gpa);

	return (uintptr_t)slot->view + (gpa - slot->gpa);
}

/* The guest touches what is not populated, twice; then it does something else. */
TEST_F(exec_run, fault)
{
	uint64_t faults = exec_counters.faults;

	EXEC_RUNS({ -EFAULT, 0, 3 * MIB + 7 * PAGE + 8, 1 }, { -EFAULT, 0, HIGH + 5 * PAGE, 2 },
		  { .reason = KVM_EXIT_IO });
	EXPECT_FALSE(exec_run(vcpu, NULL));
	EXPECT_EQ(exec_fake.entered, 3);
	EXPECT_EQ(exec_counters.faults, faults + 2);
	/* The last block is cut where the slot ends, and begins where it does. */
	EXPECT_EQ(exec_fake.populated.address, view_of(HIGH));
	EXPECT_EQ(exec_fake.populated.length, MIB);
	EXPECT_FALSE(exec_fake.populated.flags);
	EXEC_RUNS({ -EFAULT, 0, 3 * MIB + 7 * PAGE + 8, 100 }, { .reason = KVM_EXIT_IO });
	EXPECT_FALSE(exec_run(vcpu, NULL));
	EXPECT_EQ(exec_fake.populated.address, view_of(2 * MIB));
	EXPECT_EQ(exec_fake.populated.length, 2 * MIB);
	/* Without memory for a block there may be some for the page. */
	exec_fake.entered = 0;
	exec_fake.populate_rc = -ENOMEM;
	EXPECT_FALSE(exec_run(vcpu, NULL));
	EXPECT_EQ(exec_fake.populated.address, view_of(3 * MIB + 7 * PAGE));
	EXPECT_EQ(exec_fake.populated.length, PAGE);
}

TEST_F(exec_run, fault_bad)
{
	/* Not watched by then; elsewhere; not known. */
	EXEC_RUNS({ .rc = -EFAULT });
	EXPECT_EQ(exec_run(vcpu, NULL), -EFAULT);
	EXPECT_LT(exec_fake.entered, 100);
	EXEC_RUNS({ -EFAULT, 0, 2 * HIGH, 5000 });
	EXPECT_EQ(exec_run(vcpu, NULL), -EFAULT);
	EXPECT_EQ(exec_fake.entered, 1);
	exec_fake.fault_rc = -EOPNOTSUPP;
	EXEC_RUNS({ .rc = -EFAULT });
	EXPECT_EQ(exec_run(vcpu, NULL), -EFAULT);
	EXPECT_EQ(exec_fake.entered, 1);
	/* The second time there was no page fault: KVM itself could not. */
	EXEC_RUNS({ -EFAULT, 0, MIB, 100 }, { -EFAULT, 0, MIB, 0 });
	EXPECT_EQ(exec_run(vcpu, NULL), -EFAULT);
	EXPECT_EQ(exec_fake.entered, 2);
	/* Again and again, and all is there. */
	exec_fake.populate_pages = 0;
	EXEC_RUNS({ -EFAULT, 0, MIB, 1 });
	EXPECT_EQ(exec_run(vcpu, NULL), -EFAULT);
	EXPECT_GT(exec_fake.entered, 2);
	EXPECT_LT(exec_fake.entered, 100);
}

/* What the guest gets for a hypercall, after which there is an exit. */
static int64_t ask(uint64_t gpa, uint64_t pages, uint64_t attributes)
{
	EXEC_RUNS({ .reason = KVM_EXIT_HYPERCALL }, { .reason = KVM_EXIT_IO });
	exec_fake.run->hypercall.nr = KVM_HC_MAP_GPA_RANGE;
	exec_fake.run->hypercall.args[0] = gpa;
	exec_fake.run->hypercall.args[1] = pages;
	exec_fake.run->hypercall.args[2] = attributes;
	exec_fake.run->hypercall.ret = 12345;
	EXPECT_FALSE(exec_run(vcpu, NULL));
	return (int64_t)exec_fake.run->hypercall.ret;
}

TEST_F(exec_run, hypercall)
{
	EXPECT_EQ(exec_fake.enabled, 1U << KVM_HC_MAP_GPA_RANGE);
	EXPECT_FALSE(ask(MIB, 3, 0x10));
	EXPECT_EQ(exec_fake.entered, 2);
	EXPECT_EQ(exec_fake.nr_converted, 1);
	EXPECT_EQ(exec_fake.converted[0].offset, MIB);
	EXPECT_EQ(exec_fake.converted[0].length, 3 * PAGE);
	EXPECT_EQ(exec_fake.content, GMEM_CONTENT_PRESERVE);
	EXPECT_TRUE(exec_fake.private[0][256]);
	EXPECT_TRUE(exec_fake.private[0][258]);
	EXPECT_FALSE(exec_fake.private[0][259]);
	EXPECT_FALSE(ask(MIB + PAGE, 1, 0));
	EXPECT_FALSE(exec_fake.private[0][257]);
	EXPECT_FALSE(ask(HIGH, 1, 0x10));
	EXPECT_TRUE(exec_fake.private[0][6 * 256]);
}

TEST_F(exec_run, hypercall_bad)
{
	static const uint64_t bad[][3] = {
		{ MIB + 1, 1, 0x10 }, { MIB, 0, 0x10 }, { MIB, 1, 0x20 },
		{ MIB, UINT64_MAX, 0x10 }, { 6 * MIB, 1, 0x10 }, { 5 * MIB, 512, 0x10 },
		{ UINT64_MAX - PAGE + 1, 1, 0x10 },
	};

	ksft_for_each(item, bad)
		EXPECT_EQ(ask((*item)[0], (*item)[1], (*item)[2]), -EINVAL);
	EXPECT_FALSE(exec_fake.converts);
	EXPECT_EQ(exec_fake.entered, 2);
	exec_fake.convert_rc = -EAGAIN;
	EXPECT_EQ(ask(MIB, 1, 0x10), -EAGAIN);
	/* Signals come, and do not end the conversion. */
	exec_fake.convert_rc = 0;
	exec_fake.interrupts = 7;
	EXPECT_FALSE(ask(MIB, 1, 0x10));
	EXPECT_FALSE(exec_fake.interrupts);
}

/* Without views it is not ours; what the VMM wants to see, it sees. */
TEST_OF(exec_run, hypercall_others)
{
	exec_fake_start();
	vm = exec_vm_of(exec_fake.vm);
	vcpu = exec_vcpu_of(exec_fake.vcpu);
	EXPECT_EQ(ask(0, 1, 0x10), -KVM_ENOSYS);
	EXPECT_EQ(exec_fake.entered, 2);
	vm->asked = 1U << KVM_HC_MAP_GPA_RANGE;
	EXPECT_EQ(ask(0, 1, 0x10), 12345);
	EXPECT_EQ(exec_fake.entered, 1);
	exec_fake_stop();
}

static int convert(uint64_t start, uint64_t size, bool to_private)
{
	char why[256];

	return exec_convert(vm, (struct range){ start, start + size },
			    to_private, why, sizeof(why));
}

/* Slots that lie side by side, but not in the file, and in two of them. */
TEST_F(exec_run, convert_parts)
{
	char *other = exec_fake_map(1, MIB, 0);
	EXPECT_FALSE(exec_fake_slot(2, 0, HIGH + MIB, MIB, ram + MIB));
	EXPECT_FALSE(convert(HIGH, 2 * MIB, true));
	EXPECT_EQ(exec_fake.converts, 1);
	EXPECT_EQ(exec_fake.nr_converted, 2);
	EXPECT_EQ(exec_fake.converted[0].offset, MIB);
	EXPECT_EQ(exec_fake.converted[1].offset, 6 * MIB);
	EXPECT_FALSE(exec_fake_slot(3, 0, HIGH + 2 * MIB, MIB, other));
	EXPECT_FALSE(convert(HIGH + MIB, 2 * MIB, true));
	EXPECT_EQ(exec_fake.converts, 3);
	EXPECT_TRUE(exec_fake.private[1][0]);
	EXPECT_TRUE(exec_fake.private[1][255]);
	EXPECT_EQ(convert(HIGH + 2 * MIB, 2 * MIB, false), -EINVAL);
	EXPECT_TRUE(exec_fake.private[1][0]);
	munmap(other, MIB);
}

/* A device has zeros in the place of a private page, until it is shared again. */
TEST_F(exec_run, hole)
{
	uintptr_t at = (uintptr_t)ram + 3 * PAGE;

	memset(ram, 0x5a, 8 * PAGE);
	EXPECT_FALSE(convert(2 * PAGE, 3 * PAGE, true));
	EXPECT_TRUE(exec_hole_make(at + 17));
	EXPECT_FALSE(ram[3 * PAGE]);
	EXPECT_FALSE(ram[4 * PAGE - 1]);
	EXPECT_EQ(ram[2 * PAGE], 0x5a);
	EXPECT_EQ(ram[4 * PAGE], 0x5a);
	ram[3 * PAGE] = 1;
	EXPECT_FALSE(convert(4 * PAGE, PAGE, false));
	EXPECT_EQ(ram[3 * PAGE], 1);
	EXPECT_FALSE(convert(2 * PAGE, 2 * PAGE, false));
	EXPECT_EQ(ram[3 * PAGE], 0x5a);
}

TEST_F(exec_run, hole_bad)
{
	void *anonymous = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	unsigned int tries = 0;

	/* Whose page is not gmem's, or is there: that is for others to answer. */
	EXPECT_FALSE(exec_hole_make((uintptr_t)anonymous));
	EXPECT_FALSE(exec_hole_make(8));
	while (exec_hole_make((uintptr_t)ram) && tries < 100)
		tries++;
	EXPECT_TRUE(tries);
	EXPECT_LT(tries, 100);
	munmap(anonymous, PAGE);
}

/* There are not more of them than there may be, and the oldest goes first. */
TEST_F(exec_run, hole_many)
{
	uint64_t count = 0;

	memset(ram, 0x5a, 6 * MIB);
	EXPECT_FALSE(convert(0, 6 * MIB, true));
	for (uint64_t i = 0; i < EXEC_HOLES_MAX + 10; i++)
		EXPECT_TRUE(exec_hole_make((uintptr_t)ram + i * PAGE));
	for (uint64_t i = 0; i < EXEC_HOLES_MAX + 10; i++)
		count += !ram[i * PAGE];
	EXPECT_EQ(count, EXEC_HOLES_MAX);
	EXPECT_EQ(ram[0], 0x5a);
	EXPECT_FALSE(ram[10 * PAGE]);
	/* What the VMM has mapped there meanwhile is not touched. */
	EXPECT_EQ(mmap(ram + 20 * PAGE, PAGE, PROT_READ, MAP_PRIVATE | MAP_FIXED | MAP_ANONYMOUS,
		       -1, 0), ram + 20 * PAGE);
	exec_reset(vm);
	EXPECT_FALSE(ram[20 * PAGE]);
	EXPECT_EQ(ram[21 * PAGE], 0x5a);
}

TEST_F(exec_run, reset)
{
	exec_reset(vm);
	EXPECT_FALSE(exec_fake.converts);
	EXPECT_FALSE(convert(0, MIB, true));
	EXPECT_EQ(exec_fake.converts, 1);
	exec_reset(vm);
	EXPECT_EQ(exec_fake.converts, 3);
	EXPECT_FALSE(exec_fake.private[0][0]);
	EXPECT_EQ(exec_fake.content, GMEM_CONTENT_ZERO);
}

/* A VMM copies what is to be booted to memory that is private still. */
TEST_F(exec_run, reset_keeps)
{
	EXPECT_FALSE(convert(0, MIB, true));
	EXPECT_TRUE(exec_hole_make((uintptr_t)ram + 3 * PAGE));
	EXPECT_TRUE(exec_hole_make((uintptr_t)ram + 5 * PAGE));
	EXPECT_TRUE(exec_hole_make((uintptr_t)ram + 7 * PAGE));
	/* This one is what the conversion has left, which is zero but in fakes. */
	ram[7 * PAGE] = 0;
	ram[3 * PAGE] = 7;
	ram[6 * PAGE - 1] = 8;
	/* Before a reset, as if it had not been written. */
	EXPECT_FALSE(convert(5 * PAGE, PAGE, false));
	EXPECT_FALSE(ram[6 * PAGE - 1]);
	exec_reset(vm);
	EXPECT_EQ(ram[3 * PAGE], 7);
	EXPECT_FALSE(ram[4 * PAGE - 1]);
	EXPECT_FALSE(exec_fake.private[0][3]);
	EXPECT_FALSE(ram[6 * PAGE - 1]);
	EXPECT_EQ(ram[7 * PAGE], 0);
	/* It is the memory that has it, not a page of the VMM's own. */
	munmap(ram, 7 * MIB);
	ram = mmap(NULL, 7 * MIB, PROT_READ | PROT_WRITE, MAP_SHARED, exec_fake.gmem[0], 0);
	EXPECT_EQ(ram[3 * PAGE], 7);
}

/* An operand that KVM could not read: the VMM would find zeros there. */
TEST_F(exec_run, operand)
{
	EXEC_RUNS({ .reason = KVM_EXIT_MMIO });
	exec_fake.run->mmio.phys_addr = 5 * PAGE;
	exec_fake.run->mmio.is_write = 0;
	EXPECT_FALSE(exec_run(vcpu, NULL));
	EXPECT_FALSE(convert(4 * PAGE, PAGE, true));
	EXPECT_FALSE(exec_run(vcpu, NULL));
	EXPECT_FALSE(convert(5 * PAGE, PAGE, true));
	EXPECT_EQ(exec_run(vcpu, NULL), -EFAULT);
	exec_fake.run->mmio.phys_addr = HIGH / 2;
	EXPECT_FALSE(exec_run(vcpu, NULL));
}

/* An instruction of the guest that KVM has not read, by the exit code of SVM. */
static uint32_t exit_unread(uint32_t ndata, uint64_t flags, uint64_t code)
{
	EXEC_RUNS({ .reason = KVM_EXIT_INTERNAL_ERROR }, { .reason = KVM_EXIT_IO });
	exec_fake.rip = 0x1000;
	exec_fake.run->internal.suberror = KVM_INTERNAL_ERROR_EMULATION;
	exec_fake.run->internal.ndata = ndata;
	exec_fake.run->internal.data[0] = flags;
	exec_fake.run->internal.data[1] = code;
	EXPECT_FALSE(exec_run(vcpu, NULL));
	return exec_fake.run->exit_reason;
}

/* CPUID that KVM has carried out, and cannot step over, in private memory. */
TEST_F(exec_run, step)
{
	EXPECT_EQ(exit_unread(6, 0, 0x72), KVM_EXIT_INTERNAL_ERROR);
	EXPECT_FALSE(convert(5 * PAGE, PAGE, true));
	EXPECT_EQ(exit_unread(6, 0, 0x72), KVM_EXIT_IO);
	EXPECT_EQ(exec_fake.rip, 0x1002);
	/* Another instruction; one of which there are bytes; no data. */
	EXPECT_EQ(exit_unread(6, 0, 0x73), KVM_EXIT_INTERNAL_ERROR);
	EXPECT_EQ(exit_unread(8, 1, 0x72), KVM_EXIT_INTERNAL_ERROR);
	EXPECT_EQ(exit_unread(1, 0, 0x72), KVM_EXIT_INTERNAL_ERROR);
	EXPECT_EQ(exec_fake.rip, 0x1000);
}

/* How often the watch asks until it is known that the vCPU is stuck, up to 20 times. */
static unsigned int ask_stuck(unsigned int faults, uint64_t step)
{
	unsigned int asks = 0;

	do {
		vcpu->kicked = true;
		exec_fake.fault.count += faults;
		exec_fake.fault.gpa += step;
	} while (exec_run(vcpu, NULL) == -EINTR && ++asks < 20);
	return asks;
}

/* The same device again and again, from private memory: that leads nowhere. */
TEST_F(exec_run, stuck)
{
	EXEC_RUNS({ .rc = -EINTR });
	exec_fake.fault_rc = 0;
	exec_fake.fault.gpa = 0xfee00000;
	exec_fake.translate = 5 * PAGE;
	EXPECT_FALSE(convert(5 * PAGE, PAGE, true));
	/* An interrupt that is none of the watch's says nothing. */
	EXPECT_EQ(exec_run(vcpu, NULL), -EINTR);
	EXPECT_FALSE(vcpu->stuck_count);
	EXPECT_EQ(ask_stuck(1000, 0), 3);
	/* One that does get on: no faults; another address; shared memory. */
	EXPECT_EQ(ask_stuck(0, 0), 20);
	EXPECT_EQ(ask_stuck(1000, PAGE), 20);
	exec_fake.translate = 6 * PAGE;
	EXPECT_EQ(ask_stuck(1000, 0), 20);
}

TEST_F(exec_run, cpuid)
{
	static const uint32_t kvm[3] = { 0x4b4d564b, 0x564b4d56, 0x4d };
	struct kvm_cpuid2 *cpuid = calloc(1, sizeof(*cpuid) + 2 * sizeof(cpuid->entries[0]));

	cpuid->nent = 2;
	cpuid->entries[0] = (struct kvm_cpuid_entry2){
		.function = 0x40000000,
		.ebx = kvm[0], .ecx = kvm[1], .edx = kvm[2],
	};
	cpuid->entries[1] = (struct kvm_cpuid_entry2){
		.function = 0x40000001, .eax = 1,
	};
	EXPECT_FALSE(exec_cpuid_set(vcpu, cpuid));
	EXPECT_EQ(exec_fake.cpuid, 0x10001);
	EXPECT_EQ(cpuid->entries[1].eax, 1);
	cpuid->entries[0].ebx = 1;
	EXPECT_FALSE(exec_cpuid_set(vcpu, cpuid));
	EXPECT_EQ(exec_fake.cpuid, 1);
	cpuid->entries[0].ebx = kvm[0];
	vm->answers = false;
	EXPECT_FALSE(exec_cpuid_set(vcpu, cpuid));
	EXPECT_EQ(exec_fake.cpuid, 1);
	free(cpuid);
}

/* A line that nobody reads does not end the VMM. */
TEST_F(exec_run, say)
{
	int stderr_fd = dup(STDERR_FILENO), ends[2];
	sigset_t pending;

	ASSERT_FALSE(pipe(ends));
	close(ends[0]);
	ASSERT_EQ(dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
	exec_say("nobody reads this");
	EXPECT_EQ(errno, EPIPE);
	dup2(stderr_fd, STDERR_FILENO);
	EXPECT_FALSE(sigpending(&pending));
	EXPECT_FALSE(sigismember(&pending, SIGPIPE));
	close(stderr_fd);
	close(ends[1]);
}

/* With no signal at all: the library's own function would let SIGBUS, and the kick, through. */
TEST_F(exec_run, spin)
{
	struct exec_spin spin = { false };
	unsigned int masks = exec_fake.masks;
	sigset_t before, now;

	exec_spin_lock(&spin, &before);
	EXPECT_EQ(exec_fake.masks, masks + 1);
	EXPECT_FALSE(pthread_sigmask(SIG_BLOCK, NULL, &now));
	EXPECT_TRUE(sigismember(&now, SIGBUS));
	exec_spin_unlock(&spin, &before);
	EXPECT_EQ(exec_fake.masks, masks + 2);
	EXPECT_FALSE(pthread_sigmask(SIG_BLOCK, NULL, &now));
	EXPECT_FALSE(sigismember(&now, SIGBUS));
}
