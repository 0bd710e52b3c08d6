/* SPDX-License-Identifier: GPL-2.0 */
#ifndef GMEMCTL_CLI_HOST_H
#define GMEMCTL_CLI_HOST_H

#include <stdint.h>

#include "../base/error.h"

/**
 * host_check_memory() - whether that many bytes can be populated
 *
 * A page fault that finds no memory cannot return an error: the kernel kills
 * somebody. So look first, at the host and at the memory cgroup.
 */
int host_check_memory(uint64_t bytes, struct error *error);

#endif /* GMEMCTL_CLI_HOST_H */
