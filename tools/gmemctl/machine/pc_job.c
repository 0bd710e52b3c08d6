// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "pc_job.h"

/* A string instruction can leave some exits behind, but not that many. */
#define SETTLE_MAX 100000

int pc_job_post(struct pc *pc, struct pc_job *job)
{
	struct machine *machine = &pc->machine;
	int rc = 0;

	pthread_mutex_lock(&machine->lock);
	if (machine->end != END_NONE)
		rc = -ESHUTDOWN;
	else if (pc->job)
		rc = -EBUSY;
	if (!rc) {
		pc->job = job;
		machine_pause(machine, true);
	}
	pthread_mutex_unlock(&machine->lock);
	return rc;
}

int pc_still_try(struct pc *pc)
{
	int rc = -pthread_mutex_trylock(&pc->still);

	/* What has been given away must not be changed any more. */
	if (rc || !machine_ended(&pc->machine))
		return rc;
	pthread_mutex_unlock(&pc->still);
	return -ESHUTDOWN;
}

void pc_still_end(struct pc *pc)
{
	pthread_mutex_unlock(&pc->still);
}

/*
 * KVM finishes an access to a device when the vCPU is entered the next time. It
 * comes back at once then, since the vCPU is told to exit immediately.
 */
static int pc_settle_vcpu(struct pc *pc, struct vcpu *vcpu, struct error *error)
{
	vcpu->run->immediate_exit = 1;
	for (int i = 0; i < SETTLE_MAX; i++) {
		int rc = vcpu_run(vcpu);

		if (rc == -EINTR || rc == -EAGAIN)
			return 0;
		if (rc)
			return error_set(error, rc, "vCPU", "finish its I/O",
					 "vCPU %u", vcpu->index);
		machine_exit(&pc->machine, vcpu);
	}
	return error_set(error, -ELOOP, "vCPU", "finish its I/O", "vCPU %u",
			 vcpu->index);
}

static int pc_settle(struct pc *pc, struct error *error)
{
	int rc = 0;

	for (unsigned int i = 0; !rc && i < pc->machine.nr_vcpus; i++)
		rc = pc_settle_vcpu(pc, &pc->machine.vcpus[i], error);
	if (!rc && machine_ended(&pc->machine))
		rc = error_set(error, -ESHUTDOWN, "VM", "stop its vCPUs",
			       "it has just ended: %s", end_text(pc->machine.end));
	return rc;
}

void pc_job_serve(struct pc *pc)
{
	struct error error = { 0 };
	struct pc_job *job;

	pthread_mutex_lock(&pc->machine.lock);
	job = pc->job;
	pthread_mutex_unlock(&pc->machine.lock);
	if (!job)
		return;
	pthread_mutex_lock(&pc->still);
	pc_settle(pc, &error);
	job->work(pc, job, &error);
	pthread_mutex_unlock(&pc->still);
	pthread_mutex_lock(&pc->machine.lock);
	pc->job = NULL;
	machine_pause(&pc->machine, false);
	pthread_mutex_unlock(&pc->machine.lock);
	close(job->fd);
	free(job);
}
