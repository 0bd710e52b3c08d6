/* SPDX-License-Identifier: GPL-2.0 */
/*
 * DOC: Jobs
 *
 * Something that is done to a running machine while none of its vCPUs runs: its
 * memory and its state are read, and perhaps given away. Any thread posts it;
 * pc_run() stops the vCPUs, does it, and goes on or ends. Requests that would
 * change memory meanwhile are refused.
 */
#ifndef GMEMCTL_MACHINE_PC_JOB_H
#define GMEMCTL_MACHINE_PC_JOB_H

#include "pc.h"

/**
 * struct pc_job - a job; allocated, and freed when it is over
 * @work: do it; no vCPU runs, and none has an I/O unfinished. Where @error is
 *	set already, nothing can be done, and only who has asked is told. The machine
 *	goes on unless machine_end() was called.
 * @fd: a connection to who has asked, closed when it is over
 * @stop: for @work: end the machine if it succeeds
 */
struct pc_job {
	void (*work)(struct pc *pc, struct pc_job *job, struct error *error);
	int fd;
	bool stop;
};

/**
 * pc_job_post() - have a job done soon
 * @job: taken over on success
 *
 * Return: 0; -EBUSY if there is another; -ESHUTDOWN if the machine has ended.
 */
int pc_job_post(struct pc *pc, struct pc_job *job);

/** pc_job_serve() - do what is pending; no vCPU thread exists */
void pc_job_serve(struct pc *pc);

/**
 * pc_still_try() - keep jobs from starting; for what changes memory
 *
 * Return: 0; -EBUSY while a job is done; -ESHUTDOWN if the machine has ended.
 */
int pc_still_try(struct pc *pc);
void pc_still_end(struct pc *pc);

#endif /* GMEMCTL_MACHINE_PC_JOB_H */
