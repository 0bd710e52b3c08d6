// SPDX-License-Identifier: GPL-2.0
/* What can be made to go wrong, and the exits that a test wants to see. */
#include <errno.h>

#include "internal.h"

int sim_fail(struct sim *sim, enum sim_event event, unsigned int nth,
	     uint32_t error)
{
	for (int i = 0; i < SIM_FAULTS; i++) {
		if (sim->faults[i].countdown)
			continue;
		sim->faults[i].event = event;
		sim->faults[i].countdown = nth;
		sim->faults[i].error = error;
		return 0;
	}
	return -ENOSPC;
}

/* Counts one of these; whether this is one that was to fail. */
bool sim_fails(struct sim *sim, enum sim_event event, uint32_t *error)
{
	bool fails = false;

	for (int i = 0; i < SIM_FAULTS; i++) {
		if (sim->faults[i].event != event ||
		    !sim->faults[i].countdown || --sim->faults[i].countdown)
			continue;
		fails = true;
		if (error)
			*error = sim->faults[i].error;
	}
	return fails;
}

void sim_kill_psp(struct sim *sim)
{
	sim->psp_dead = true;
}

int sim_plan(struct sim *sim, uint32_t id, const struct sim_exit *exit)
{
	if (sim->nr_plan == SIM_EXITS)
		return -ENOSPC;
	sim->plan[sim->nr_plan].vcpu = id;
	sim->plan[sim->nr_plan++].exit = *exit;
	return 0;
}

/* A new vCPU: there is room for the whole plan. */
void sim_plan_vcpu(const struct sim *sim, struct sim_vcpu *vcpu)
{
	for (unsigned int i = 0; i < sim->nr_plan; i++)
		if (sim->plan[i].vcpu == vcpu->id)
			vcpu->exits[vcpu->nr_exits++] = sim->plan[i].exit;
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
