// SPDX-License-Identifier: GPL-2.0
#include <limits.h>
#include <stdint.h>

#include "../control/client.h"
#include "command.h"
#include "who_find.h"

int who_find(const char *name, struct who_memory **memories, size_t *count,
	     struct error *error)
{
	uint32_t number;
	pid_t pid;
	int rc;

	if (!count_parse(name, INT32_MAX, &number) && number) {
		pid = (pid_t)number;
	} else {
		rc = client_process(name, &pid, error);
		if (rc)
			return rc;
	}
	return who_memories(PROC, pid, memories, count, error);
}
