// SPDX-License-Identifier: GPL-2.0
/*
 * Private memory for your VMM: an ordinary VM whose memory is a view of gmem. Its guest
 * takes a page away from the host, works in it, and gives it back.
 *
 * What a VMM has to do is in the functions that start with "duty"; see view.rst.
 */
#include <cpuid.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include <linux/gmem.h>
#include <linux/kvm.h>
#include <linux/kvm_para.h>

#define LENGTH		(UINT64_C(4) << 20)
#define GUEST_PAGE	UINT64_C(4096)
#define BLOCK		(UINT64_C(64) << 10)
#define CODE_GPA	0x1000
#define DATA_GPA	0x8000	/* the page that changes hands */
#define PORT		0x10	/* the guest says what it has read */
#define TRIES		8

/* In 16 bits: private, read, add 1, write, say, shared, say, halt. */
static const uint8_t code[] = {
	0x66, 0xb8, KVM_HC_MAP_GPA_RANGE, 0, 0, 0,	/* mov eax, 12 */
	0x66, 0xbb, 0x00, 0x80, 0x00, 0x00,		/* mov ebx, 0x8000 */
	0x66, 0xb9, 0x01, 0x00, 0x00, 0x00,		/* mov ecx, 1 */
	0x66, 0xba, 0x10, 0x00, 0x00, 0x00,		/* mov edx, private */
	0x0f, 0x01, 0xc1,				/* 24: vmcall */
	0xfe, 0x06, 0x00, 0x80,				/* inc byte [0x8000] */
	0xa0, 0x00, 0x80,				/* mov al, [0x8000] */
	0xe6, PORT,					/* out PORT, al */
	0xa2, 0x00, 0xf0,				/* mov [0xf000], al */
	0x66, 0xb8, KVM_HC_MAP_GPA_RANGE, 0, 0, 0,	/* mov eax, 12 */
	0x66, 0x31, 0xd2,				/* xor edx, edx: shared */
	0x0f, 0x01, 0xc1,				/* 48: vmcall */
	0xf4,						/* hlt */
};
#define VMCALL_OFFSETS { 24, 48 }
#define VMMCALL_LAST 0xd9	/* AMD's instruction ends with this */

/**
 * struct vmm - what the example has open
 * @vm: the VM, and @vcpu its vCPU
 * @vcpu: see there
 * @run: what KVM shares with it
 * @fd: gmem fd
 * @memory: mapping of @fd, for the VMM
 * @view: view of @fd
 * @slot: mapping of @view, for KVM
 */
struct vmm {
	int vm;
	int vcpu;
	struct kvm_run *run;
	int fd;
	uint8_t *memory;
	int view;
	uint8_t *slot;
};

static int fail(const char *object, const char *action)
{
	int rc = -errno;

	fprintf(stderr, "%s: %s: %s\n", object, action, strerror(-rc));
	return rc;
}

/* 1: memory of gmem, all shared at first, and a mapping for the VMM's own access. */
static int duty_memory(struct vmm *vmm)
{
	struct gmem_ioctl_create create = {
		.size = sizeof(create),
		.flags = GMEM_CREATE_F_INIT_SHARED,
		.length = LENGTH,
		.fd_flags = O_CLOEXEC,
	};
	int device = open(GMEM_DEVICE_PATH, O_RDWR | O_CLOEXEC), rc;

	if (device < 0)
		return fail(GMEM_DEVICE_PATH, "open");
	rc = ioctl(device, GMEM_IOCTL_CREATE, &create);
	if (rc)
		rc = fail(GMEM_DEVICE_PATH, "GMEM_IOCTL_CREATE");
	close(device);
	if (rc)
		return rc;
	vmm->fd = create.out_fd;
	vmm->memory = mmap(NULL, LENGTH, PROT_READ | PROT_WRITE, MAP_SHARED,
			   vmm->fd, 0);
	return vmm->memory == MAP_FAILED ? fail("gmem fd", "mmap") : 0;
}

/* 2: a view, mapped as a whole, which is what KVM gets instead. */
static int duty_view(struct vmm *vmm)
{
	struct gmem_ioctl_view view = {
		.size = sizeof(view),
		.length = LENGTH,
		.fd_flags = O_CLOEXEC,
	};

	if (ioctl(vmm->fd, GMEM_IOCTL_VIEW, &view))
		return fail("gmem fd", "GMEM_IOCTL_VIEW");
	vmm->view = view.out_fd;
	vmm->slot = mmap(NULL, LENGTH, PROT_NONE, MAP_SHARED, vmm->view, 0);
	return vmm->slot == MAP_FAILED ? fail("view", "mmap") : 0;
}

/* 3: the slot, and exits for the guest's requests. */
static int duty_slot(struct vmm *vmm)
{
	struct kvm_userspace_memory_region slot = {
		.memory_size = LENGTH,
		.userspace_addr = (uintptr_t)vmm->slot,
	};
	struct kvm_enable_cap exits = {
		.cap = KVM_CAP_EXIT_HYPERCALL,
		.args = { 1 << KVM_HC_MAP_GPA_RANGE },
	};

	if (ioctl(vmm->vm, KVM_SET_USER_MEMORY_REGION, &slot))
		return fail("VM", "KVM_SET_USER_MEMORY_REGION");
	if (ioctl(vmm->vm, KVM_ENABLE_CAP, &exits))
		return fail("VM", "KVM_ENABLE_CAP(KVM_CAP_EXIT_HYPERCALL)");
	return 0;
}

static int populate(struct vmm *vmm, uint64_t gpa, uint64_t length,
		    uint32_t flags)
{
	struct gmem_ioctl_view_populate populate = {
		.size = sizeof(populate),
		.flags = flags,
		.address = (uintptr_t)vmm->slot + gpa,
		.length = length,
	};

	if (ioctl(vmm->view, GMEM_IOCTL_VIEW_POPULATE, &populate))
		return fail("view", "GMEM_IOCTL_VIEW_POPULATE");
	return 0;
}

/* -EAGAIN: this thread's vCPU has not faulted yet. */
static int last_fault(struct vmm *vmm, struct gmem_ioctl_view_fault *fault)
{
	*fault = (struct gmem_ioctl_view_fault){ .size = sizeof(*fault) };
	return ioctl(vmm->view, GMEM_IOCTL_VIEW_FAULT, fault) ? -errno : 0;
}

/* 4: before the first KVM_RUN: what was loaded, and a look at this thread's faults. */
static int duty_start(struct vmm *vmm)
{
	struct gmem_ioctl_view_fault fault;
	int rc = populate(vmm, 0, LENGTH, GMEM_VIEW_POPULATE_F_NOALLOC);

	if (rc)
		return rc;
	rc = last_fault(vmm, &fault);
	return rc && rc != -EAGAIN ? fail("view", "GMEM_IOCTL_VIEW_FAULT (is gmem_kvm "
					  "loaded?)") : 0;
}

/*
 * 5: KVM_RUN has ended with EFAULT: the guest has touched what the view does not have.
 * A count that stands still is KVM itself, which cannot read what it has to emulate.
 */
static int duty_fault(struct vmm *vmm, uint64_t *count, unsigned int *still)
{
	struct gmem_ioctl_view_fault fault;
	int rc = last_fault(vmm, &fault);

	if (rc && rc != -EAGAIN)
		return fail("view", "GMEM_IOCTL_VIEW_FAULT");
	if (rc || fault.count == *count || fault.gpa >= LENGTH) {
		if (++*still < TRIES)
			return 0;
		fprintf(stderr, "vCPU: KVM cannot read what it has to emulate: it is "
			"private\n");
		return -EFAULT;
	}
	*still = 0;
	*count = fault.count;
	printf("touch of 0x%" PRIx64 "\n", (uint64_t)fault.gpa);
	return populate(vmm, fault.gpa & ~(BLOCK - 1), BLOCK, 0);
}

/* 6: the guest asks for a conversion. KVM's page tables and the view follow. */
static void duty_convert(struct vmm *vmm)
{
	struct kvm_run *run = vmm->run;
	bool private = run->hypercall.args[2] & 0x10;
	struct gmem_ioctl_convert convert = {
		.size = sizeof(convert),
		.offset = run->hypercall.args[0],
		.length = run->hypercall.args[1] * GUEST_PAGE,
		.target = private ? GMEM_STATE_PRIVATE : GMEM_STATE_SHARED,
		.content = GMEM_CONTENT_PRESERVE,
		.timeout_ms = private ? 1000 : 0,
	};
	int rc = -EINVAL;

	/* The arguments are the guest's: anything. */
	if (run->hypercall.nr == KVM_HC_MAP_GPA_RANGE &&
	    convert.offset < LENGTH &&
	    run->hypercall.args[1] <= (LENGTH - convert.offset) / GUEST_PAGE)
		rc = ioctl(vmm->fd, GMEM_IOCTL_CONVERT, &convert) ? -errno : 0;
	printf("0x%" PRIx64 " to %s: %s\n", (uint64_t)convert.offset,
	       private ? "private" : "shared", rc ? strerror(-rc) : "done");
	run->hypercall.ret = (uint64_t)(int64_t)rc;
}

/* What the host sees of the page now, by a system call: no signal. */
static void show(struct vmm *vmm)
{
	uint8_t byte = 0;
	struct iovec here = { &byte, 1 };
	struct iovec there = { vmm->memory + DATA_GPA, 1 };

	if (process_vm_readv(getpid(), &here, 1, &there, 1, 0) == 1)
		printf("the host reads 0x%02x\n", byte);
	else
		printf("the host reads nothing: %s\n", strerror(errno));
}

static bool exit_serve(struct vmm *vmm)
{
	struct kvm_run *run = vmm->run;

	switch (run->exit_reason) {
	case KVM_EXIT_HYPERCALL:
		duty_convert(vmm);
		return true;
	case KVM_EXIT_IO:
		printf("the guest has 0x%02x\n",
		       ((uint8_t *)run)[run->io.data_offset]);
		show(vmm);
		return true;
	default:
		printf("the guest has ended (exit %u)\n", run->exit_reason);
		return false;
	}
}

static int vcpu_loop(struct vmm *vmm)
{
	uint64_t count = 0;
	unsigned int still = 0;
	bool goes_on = true;
	int rc = 0;

	while (!rc && goes_on) {
		if (!ioctl(vmm->vcpu, KVM_RUN, 0))
			goes_on = exit_serve(vmm);
		else if (errno == EFAULT)
			rc = duty_fault(vmm, &count, &still);
		else if (errno != EINTR && errno != EAGAIN)
			rc = fail("vCPU", "KVM_RUN");
	}
	return rc;
}

static bool is_amd(void)
{
	unsigned int eax, ebx, ecx, edx;

	__cpuid(0, eax, ebx, ecx, edx);
	return ebx == 0x68747541 || ebx == 0x6f677948;	/* Auth, Hygo */
}

static void load(struct vmm *vmm)
{
	static const unsigned int offsets[] = VMCALL_OFFSETS;
	uint8_t *text = vmm->memory + CODE_GPA;

	memcpy(text, code, sizeof(code));
	for (unsigned int i = 0; i < 2 && is_amd(); i++)
		text[offsets[i] + 2] = VMMCALL_LAST;
	vmm->memory[DATA_GPA] = 0x41;
}

static int create_vm(struct vmm *vmm)
{
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	int size = -1;

	if (kvm < 0)
		return fail("/dev/kvm", "open");
	vmm->vm = ioctl(kvm, KVM_CREATE_VM, 0);
	if (vmm->vm >= 0)
		vmm->vcpu = ioctl(vmm->vm, KVM_CREATE_VCPU, 0);
	if (vmm->vcpu >= 0)
		size = ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
	close(kvm);
	if (size < 0)
		return fail("/dev/kvm", "create a VM and its vCPU");
	vmm->run = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_SHARED,
			vmm->vcpu, 0);
	return vmm->run == MAP_FAILED ? fail("vCPU", "mmap") : 0;
}

/* Real mode, from CODE_GPA on. */
static int set_registers(struct vmm *vmm)
{
	struct kvm_regs regs = { .rip = CODE_GPA, .rflags = 2 };
	struct kvm_sregs sregs;

	if (ioctl(vmm->vcpu, KVM_GET_SREGS, &sregs))
		return fail("vCPU", "KVM_GET_SREGS");
	sregs.cs.base = 0;
	sregs.cs.selector = 0;
	if (ioctl(vmm->vcpu, KVM_SET_SREGS, &sregs) ||
	    ioctl(vmm->vcpu, KVM_SET_REGS, &regs))
		return fail("vCPU", "set registers");
	return 0;
}

int main(void)
{
	struct vmm vmm = { .vm = -1, .vcpu = -1, .fd = -1, .view = -1 };
	int rc = create_vm(&vmm);

	if (!rc)
		rc = duty_memory(&vmm);
	if (!rc)
		rc = duty_view(&vmm);
	if (!rc)
		rc = duty_slot(&vmm);
	if (!rc)
		rc = set_registers(&vmm);
	if (!rc) {
		load(&vmm);
		show(&vmm);
		rc = duty_start(&vmm);
	}
	if (!rc)
		rc = vcpu_loop(&vmm);
	if (!rc)
		show(&vmm);
	/* The fds may be closed in any order; exit does it as well. */
	close(vmm.view);
	close(vmm.fd);
	close(vmm.vcpu);
	close(vmm.vm);
	return rc ? 1 : 0;
}
