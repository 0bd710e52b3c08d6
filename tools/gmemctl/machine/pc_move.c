// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "../control/channel.h"
#include "../memory/handover.h"
#include "../memory/save.h"
#include "pc_job.h"
#include "pc_move.h"
#include "pc_state.h"

/*
 * How long the process that saves a guest may take to give the file its name, and
 * to sync the directory. The guest goes on after that.
 */
#define NAMED_TIMEOUT_MS 60000

static int post(struct pc *pc, const char *channel, bool stop,
		void (*work)(struct pc *pc, struct pc_job *job,
			     struct error *error), struct error *error)
{
	struct pc_job *job = calloc(1, sizeof(*job));
	int rc;

	if (!job)
		return error_set(error, -ENOMEM, "job", "allocate", NULL);
	job->work = work;
	job->stop = stop;
	job->fd = channel_connect(channel, error);
	if (job->fd < 0) {
		rc = job->fd;
		free(job);
		return rc;
	}
	rc = pc_job_post(pc, job);
	if (!rc)
		return 0;
	close(job->fd);
	free(job);
	return error_set(error, rc, "VM", "start a job", rc == -EBUSY ?
			 "it is being handed over or saved" :
			 "the VM has ended");
}

static void work_give(struct pc *pc, struct pc_job *job, struct error *error)
{
	struct tlv state = { 0 };
	int rc = error->rc;

	if (!rc)
		rc = pc_state_get(pc, &state, error);
	if (rc)
		handover_refuse(job->fd, error);
	else
		rc = handover_give(job->fd, &pc->machine.memory, &state, error);
	if (!rc)
		machine_end(&pc->machine, END_HANDED_OVER, NULL);
	tlv_free(&state);
}

/* The state of encrypted CPUs does not leave them either. */
static int check_readable(const struct pc *pc, const char *action,
			  struct error *error)
{
	if (!pc->config->machine.snp)
		return 0;
	return error_set(error, -EOPNOTSUPP, "SNP guest", action,
			 "its memory and its CPUs are encrypted");
}

int pc_move_give(struct pc *pc, const char *channel, struct error *error)
{
	int rc = check_readable(pc, "hand over", error);

	if (!rc)
		rc = handover_check(&pc->machine.memory, error);
	return rc ? rc : post(pc, channel, false, work_give, error);
}

/* To the disk, before whoever has given the file lets it have its name. */
static int save(struct pc *pc, const struct pc_job *job, int fd,
		struct error *error)
{
	struct tlv state = { 0 };
	int rc = pc_state_get(pc, &state, error);

	if (!rc)
		rc = save_write(fd, job->fd, &pc->machine.memory, &state, error);
	tlv_free(&state);
	if (!rc && fsync(fd) && errno != EINVAL && errno != EROFS)
		rc = error_set(error, -errno, "file", "fsync", NULL);
	return rc;
}

static int receive_and_save(struct pc *pc, const struct pc_job *job,
			    struct error *error)
{
	int fd = channel_receive_file(job->fd), rc;

	if (fd < 0)
		return error_set(error, fd, "file", "receive",
				 "the one who has asked for it has not sent it");
	rc = save(pc, job, fd, error);
	close(fd);
	return rc;
}

/*
 * The VM ends when the file has its name, for good, and not before: until then a
 * loss of power, or somebody who ends the other process, would leave no guest.
 */
static int wait_named(const struct pc_job *job, struct error *error)
{
	int rc = channel_send_result(job->fd, 0, NULL);

	if (rc)
		return error_set(error, rc, "file", "say that it is written",
				 NULL);
	return channel_wait_result(job->fd, -1, NAMED_TIMEOUT_MS, error);
}

static void work_save(struct pc *pc, struct pc_job *job, struct error *error)
{
	int rc = error->rc;

	if (!rc)
		rc = receive_and_save(pc, job, error);
	if (!rc && job->stop)
		rc = wait_named(job, error);
	if (!rc && job->stop)
		machine_end(&pc->machine, END_SAVED, NULL);
	channel_send_result(job->fd, rc, error);
}

int pc_move_save(struct pc *pc, const char *channel, bool stop,
		 struct error *error)
{
	int rc = check_readable(pc, "save", error);

	return rc ? rc : post(pc, channel, stop, work_save, error);
}
