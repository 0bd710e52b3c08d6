/* SPDX-License-Identifier: GPL-2.0 */
/* A line on a terminal that says what takes long, until it is done. */
#ifndef GMEMCTL_CLI_PROGRESS_H
#define GMEMCTL_CLI_PROGRESS_H

#include <pthread.h>
#include <stdbool.h>

struct json_object;

/**
 * struct progress - a line that may be there
 * @what: is done: "save the VM"
 * @fd: a file that grows meanwhile, or -1
 * @thread: writes the line, if @started
 * @lock: protects @done
 * @over: told when @done changes
 */
struct progress {
	const char *what;
	int fd;
	pthread_t thread;
	bool started;
	bool done;
	pthread_mutex_t lock;
	pthread_cond_t over;
};

/**
 * progress_start() - show @what on standard error after a second
 *
 * Nothing is shown where that is no terminal, and none with --json.
 */
void progress_start(struct progress *progress, const char *what, int fd);

/** progress_stop() - take the line away; anything can be written then */
void progress_stop(struct progress *progress);

/**
 * struct steps - what is done in steps, each of which is shown
 * @what: is done: "launch the guest"
 * @width: characters that the name of a step takes
 * @array: of the steps, for programs
 * @progress: of the step that is being done
 */
struct steps {
	const char *what;
	int width;
	struct json_object *array;
	struct progress progress;
};

/** steps_start() - before the first step; steps_stop() after the last */
void steps_start(struct steps *steps, const char *what, int width);
void steps_stop(struct steps *steps);

/** steps_show() - show that one is done, as it happens: what fails shows how far it came */
void steps_show(void *data, const char *step, const char *text);

#endif /* GMEMCTL_CLI_PROGRESS_H */
