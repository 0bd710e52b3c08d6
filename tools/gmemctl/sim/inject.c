// SPDX-License-Identifier: GPL-2.0
/* What can be made to go wrong, and the exits that a test wants to see. */
#include <errno.h>

#include "internal.h"

void sim_fail_command(struct sim *sim, enum sim_command command,
		      unsigned int nth, uint32_t error)
{
	sim->faults[command].countdown = nth;
	sim->faults[command].error = error;
}

void sim_limit_progress(struct sim *sim, unsigned int pages)
{
	sim->progress_limit = pages;
}

void sim_again_once(struct sim *sim)
{
	sim->again = true;
}

void sim_signal(struct sim *sim, bool pending)
{
	sim->signal = pending;
}

void sim_kill_psp(struct sim *sim)
{
	sim->psp_dead = true;
}

int sim_script(struct sim *sim, int fd, const struct sim_exit *script)
{
	const struct sim_fd *found = sim_fd(sim, fd);
	struct sim_vcpu *vcpu;

	if (!found || found->kind != SIM_VCPU)
		return -EBADF;
	vcpu = found->object;
	if (vcpu->nr_exits == SIM_EXITS)
		return -ENOSPC;
	vcpu->exits[vcpu->nr_exits++] = *script;
	return 0;
}
