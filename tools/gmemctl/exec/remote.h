/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Other processes that have the guest's memory mapped, as memory/remote.h has it. They
 * are those of `gmemctl dump`, which come and go: when the slots change they go, and
 * the next one has the new slots.
 */
#ifndef GMEMCTL_EXEC_REMOTE_H
#define GMEMCTL_EXEC_REMOTE_H

#include "../base/error.h"
#include "vm.h"

/**
 * exec_remote_add() - share memory with who listens at @channel
 *
 * Return: 0: it will be told soon; -EBUSY if there are too many; another negative
 * errno.
 */
int exec_remote_add(const char *channel, struct error *error);

/** exec_remotes_drop() - share memory with none of them any more */
void exec_remotes_drop(void);

#endif /* GMEMCTL_EXEC_REMOTE_H */
