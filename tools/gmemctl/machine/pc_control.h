/* SPDX-License-Identifier: GPL-2.0 */
/* What a running PC answers on its control socket. */
#ifndef GMEMCTL_MACHINE_PC_CONTROL_H
#define GMEMCTL_MACHINE_PC_CONTROL_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "../base/error.h"
#include "../control/control.h"
#include "../memory/remote.h"
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
 * pc_freeze_try() - keep jobs from starting, for what changes memory from outside
 *
 * Return: 0, pc_freeze_end() has to follow; -EBUSY while a job is done; -ESHUTDOWN if
 * the machine has ended.
 */
int pc_freeze_try(struct pc *pc);
void pc_freeze_end(struct pc *pc);

/** PC_REMOTES_MAX: remotes at a time */
#define PC_REMOTES_MAX 4

/**
 * struct pc_remote - one of them
 * @memory: the PC's
 * @remote: see there
 * @socket: to it
 * @thread: starts it, and waits until it goes
 * @used: there is a thread
 * @done: the thread is about to end; changed atomically
 */
struct pc_remote {
	struct guest_memory *memory;
	struct remote remote;
	int socket;
	pthread_t thread;
	bool used;
	bool done;
};

/** PC_CONTROL_RANGES_MAX: ranges in one answer of map; the rest is asked for */
#define PC_CONTROL_RANGES_MAX 1024

/**
 * struct pc_control - the control socket of a PC
 * @pc: the machine
 * @name: its name
 * @server: the socket
 * @remotes: processes that share its memory; of the server's thread
 * @started_ns: when it was started
 */
struct pc_control {
	struct pc *pc;
	const char *name;
	struct server server;
	struct pc_remote remotes[PC_REMOTES_MAX];
	uint64_t started_ns;
};

/** pc_control_start() - @pc and @name have to outlive it */
int pc_control_start(struct pc_control *control, struct pc *pc,
		     const char *name, struct error *error);
void pc_control_stop(struct pc_control *control);

/** pc_remotes_stop() - share memory with no other process any more */
void pc_remotes_stop(struct pc_control *control);

/** pc_control_serve() - a request, as server_fn; @data is the pc_control */
int pc_control_serve(void *data, const char *command,
		     struct json_object *request, struct json_object **result,
		     struct error *error);

#endif /* GMEMCTL_MACHINE_PC_CONTROL_H */
