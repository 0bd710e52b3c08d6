/* SPDX-License-Identifier: GPL-2.0 */
/* Conversions, for the guest and for the control socket. */
#ifndef GMEMCTL_EXEC_CONVERT_H
#define GMEMCTL_EXEC_CONVERT_H

#include <stddef.h>

#include "../memory/range.h"
#include "vm.h"

/**
 * exec_convert() - convert a range of guest physical addresses
 * @why: out: what is wrong, in words
 *
 * All of the range or nothing of it, unless it lies in several gmem fds. Waits for
 * pages that somebody holds as long as the settings say, whatever signals come.
 *
 * Return: 0; -EINVAL if it is not all in views; what GMEM_IOCTL_CONVERT returns.
 */
int exec_convert(struct exec_vm *vm, struct range what, bool to_private,
		 char *why, size_t why_size);

/** exec_decommit() - give the memory of a range back. Return: 0; -EINVAL, ... */
int exec_decommit(struct exec_vm *vm, struct range what);

/** exec_convert_rate() - conversions per second, lately */
double exec_convert_rate(uint64_t start_ns);

/** exec_reset() - the VM is reset: all of it is shared, and what was private zero */
void exec_reset(struct exec_vm *vm);

#endif /* GMEMCTL_EXEC_CONVERT_H */
