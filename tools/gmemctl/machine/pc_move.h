/* SPDX-License-Identifier: GPL-2.0 */
/* The jobs by which a guest leaves its machine; see pc_job.h. */
#ifndef GMEMCTL_MACHINE_PC_MOVE_H
#define GMEMCTL_MACHINE_PC_MOVE_H

#include "pc.h"

/**
 * pc_move_give() - hand the guest over to who listens at @channel
 *
 * Return: 0: it will be tried soon, and who listens is told what comes of it;
 * -EOPNOTSUPP for a kind of memory that cannot leave the process; -EBUSY.
 */
int pc_move_give(struct pc *pc, const char *channel, struct error *error);

/**
 * pc_move_save() - save the guest to the file that comes from @channel
 * @stop: end the machine then
 *
 * Return: 0: it will be tried soon, and who listens is told what comes of it;
 * -EBUSY.
 */
int pc_move_save(struct pc *pc, const char *channel, bool stop,
		 struct error *error);

#endif /* GMEMCTL_MACHINE_PC_MOVE_H */
