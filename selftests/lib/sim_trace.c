// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>
#include <string.h>

#include "sim_trace.h"

unsigned int sim_trace_differences(FILE *trace, const char *what)
{
	unsigned int calls = 0, differences = 0;
	char *line = NULL;
	size_t size = 0;

	while (getline(&line, &size, trace) > 0) {
		calls++;
		if (!strstr(line, "\"simulator\""))
			continue;
		differences++;
		printf("# difference: %s", line);
	}
	free(line);
	printf("# differences: %u in %u calls: %s\n", differences, calls, what);
	printf("# table: simulator and KVM | %s | %u in %u\n", what,
	       differences, calls);
	fflush(stdout);
	return differences;
}
