// SPDX-License-Identifier: GPL-2.0
#include "../base/calls.h"
#include "ksft.h"
#include "pc_fake.h"
#include "ram.h"
#include "view_fake.h"
#include "view_machine.h"

struct view_machine view_machine;

static const struct calls *below;
static struct calls cpu_calls;

static int cpu_ioctl(int fd, unsigned long number, void *arg)
{
	struct kvm_translation *translation = arg;

	switch (number) {
	case KVM_GET_REGS:
		*(struct kvm_regs *)arg = view_machine.regs;
		return 0;
	case KVM_GET_SREGS:
		*(struct kvm_sregs *)arg = view_machine.sregs;
		return 0;
	case KVM_TRANSLATE:
		translation->physical_address =
			view_machine.place.physical_address;
		translation->valid = view_machine.place.valid;
		return 0;
	case KVM_GET_STATS_FD:
		return view_machine.stats_fd < 0 ? view_machine.stats_fd :
						   dup(view_machine.stats_fd);
	default:
		return below->ioctl(fd, number, arg);
	}
}

void view_machine_start(void)
{
	struct machine *machine = &view_machine.machine;
	struct machine_config with = { 0 };

	memset(&view_machine, 0, sizeof(view_machine));
	view_fake_start();
	below = calls;
	cpu_calls = *calls;
	cpu_calls.ioctl = cpu_ioctl;
	calls = &cpu_calls;
	view_machine.vcpu.fd = 77;
	view_machine.regs.rip = 0x1234;
	view_machine.stats_fd = -ENOTTY;
	with.memory = ram.config;
	EXPECT_TRUE(machine_fake_start(machine, &with));
	machine->vcpus = &view_machine.vcpu;
	machine->nr_vcpus = 1;
}

void view_machine_stop(void)
{
	machine_fake_stop(&view_machine.machine);
}

bool view_machine_said(const char *text)
{
	bool found = strstr(view_machine.machine.report, text);

	if (!found)
		printf("# %s\n", view_machine.machine.report);
	return found;
}
