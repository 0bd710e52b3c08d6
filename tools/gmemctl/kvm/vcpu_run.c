// SPDX-License-Identifier: GPL-2.0
/* What vCPUs of every architecture have. */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "../base/calls.h"
#include "vcpu.h"
#include "vm.h"

static int vcpu_map_run(struct vcpu *vcpu, struct vm *vm, struct error *error)
{
	void *address;
	int rc;

	rc = calls->map(vm->run_size, PROT_READ | PROT_WRITE, MAP_SHARED,
			vcpu->fd, 0, &address);
	if (rc)
		return error_set(error, rc, "vCPU", "mmap", NULL);
	vcpu->run = address;
	vcpu->run_size = vm->run_size;
	return 0;
}

int vcpu_open(struct vcpu *vcpu, struct vm *vm, unsigned int index,
	      struct error *error)
{
	int rc;

	memset(vcpu, 0, sizeof(*vcpu));
	vcpu->index = index;
	vcpu->fd = calls_ioctl_value(vm->fd, KVM_CREATE_VCPU, index);
	if (vcpu->fd < 0)
		return error_set(error, vcpu->fd, "VM", "KVM_CREATE_VCPU",
				 "vCPU %u", index);
	rc = vcpu_map_run(vcpu, vm, error);
	if (rc)
		vcpu_destroy(vcpu);
	return rc;
}

void vcpu_destroy(struct vcpu *vcpu)
{
	if (vcpu->run)
		calls->unmap(vcpu->run, vcpu->run_size);
	if (vcpu->fd >= 0)
		calls->close(vcpu->fd);
	vcpu->run = NULL;
	vcpu->fd = -1;
}

int vcpu_run(struct vcpu *vcpu)
{
	int rc = calls->ioctl(vcpu->fd, KVM_RUN, NULL);

	if ((rc == -EFAULT || rc == -EHWPOISON) &&
	    vcpu->run->exit_reason == KVM_EXIT_MEMORY_FAULT)
		return 0;
	return rc < 0 ? rc : 0;
}

int vcpu_translate(struct vcpu *vcpu, struct kvm_translation *translation)
{
	return calls->ioctl(vcpu->fd, KVM_TRANSLATE, translation);
}
