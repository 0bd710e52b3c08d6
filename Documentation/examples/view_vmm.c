// SPDX-License-Identifier: GPL-2.0
/*
 * Private memory for your VMM: an ordinary VM whose memory is a view of gmem. Its guest
 * takes a page away from the host, works in it, and gives it back.
 *
 * What a VMM does with gmem is in gmem_client.h; see howto.rst and view.rst.
 */
#include <cpuid.h>
#include <string.h>
#include <sys/uio.h>

#include "gmem_client.h"

#define LENGTH		(UINT64_C(4) << 20)
#define GUEST_PAGE	UINT64_C(4096)
#define CODE_GPA	0x1000
#define DATA_GPA	0x8000	/* the page that changes hands */
#define PORT		0x10	/* the guest says what it has read */

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
 * @client: the guest's memory
 */
struct vmm {
	int vm;
	int vcpu;
	struct kvm_run *run;
	struct client client;
};

static int fail_with(const char *object, const char *action, int rc)
{
	fprintf(stderr, "%s: %s: %s\n", object, action, strerror(-rc));
	return rc;
}

static int fail(const char *object, const char *action)
{
	return fail_with(object, action, -errno);
}

/* Its arguments are the guest's: anything. Its result is the guest's, too. */
static void hypercall(struct vmm *vmm)
{
	struct kvm_run *run = vmm->run;
	uint64_t gpa = run->hypercall.args[0], pages = run->hypercall.args[1];
	bool private = run->hypercall.args[2] & 0x10;
	int rc = -EINVAL;

	if (run->hypercall.nr == KVM_HC_MAP_GPA_RANGE && gpa < LENGTH &&
	    pages <= (LENGTH - gpa) / GUEST_PAGE)
		rc = client_convert(&vmm->client, gpa, pages * GUEST_PAGE, private);
	printf("0x%" PRIx64 " to %s: %s\n", gpa, private ? "private" : "shared",
	       rc ? strerror(-rc) : "done");
	run->hypercall.ret = (uint64_t)(int64_t)rc;
}

/* What the host sees of the page now, by a system call: no signal. */
static void show(struct vmm *vmm)
{
	uint8_t byte = 0;
	struct iovec here = { &byte, 1 };
	struct iovec there = { vmm->client.memory + DATA_GPA, 1 };

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
		hypercall(vmm);
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
	struct client_progress progress = { 0 };
	bool goes_on = true;
	int rc = 0;

	while (!rc && goes_on) {
		rc = ioctl(vmm->vcpu, KVM_RUN, 0) ? -errno : 0;
		/* KVM_EXIT_MEMORY_FAULT comes with this errno, and says no more than it. */
		if (rc == -EFAULT)
			rc = client_fault(&vmm->client, &progress);
		else if (rc == -EINTR || rc == -EAGAIN)
			rc = 0;
		else if (!rc)
			goes_on = exit_serve(vmm);
	}
	return rc ? fail_with("vCPU", "run", rc) : 0;
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
	uint8_t *text = vmm->client.memory + CODE_GPA;

	memcpy(text, code, sizeof(code));
	for (unsigned int i = 0; i < 2 && is_amd(); i++)
		text[offsets[i] + 2] = VMMCALL_LAST;
	vmm->client.memory[DATA_GPA] = 0x41;
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

static int set_up(struct vmm *vmm)
{
	int rc = client_create(&vmm->client);

	if (rc)
		return fail_with(GMEM_DEVICE_PATH, "create memory", rc);
	rc = client_slot(&vmm->client, vmm->vm);
	if (rc)
		return fail_with("VM", "give it a view", rc);
	rc = set_registers(vmm);
	if (rc)
		return rc;
	load(vmm);
	show(vmm);
	rc = client_start(&vmm->client);
	return rc ? fail_with("view", "start (is gmem_kvm loaded?)", rc) : 0;
}

int main(void)
{
	struct vmm vmm = {
		.vm = -1, .vcpu = -1,
		.client = { .length = LENGTH, .fd = -1, .view = -1 },
	};
	int rc = create_vm(&vmm);

	if (!rc)
		rc = set_up(&vmm);
	if (!rc)
		rc = vcpu_loop(&vmm);
	if (!rc)
		show(&vmm);
	/* The fds may be closed in any order; exit does it as well. */
	close(vmm.client.view);
	close(vmm.client.fd);
	close(vmm.vcpu);
	close(vmm.vm);
	return rc ? 1 : 0;
}
