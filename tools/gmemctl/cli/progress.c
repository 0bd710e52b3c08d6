// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "../kvm/threads.h"
#include "out.h"
#include "progress.h"

#define LINE_CLEAR "\r\033[K"

static void *progress_main(void *data)
{
	struct progress *progress = data;
	unsigned int seconds = 0;
	struct timespec next;
	struct stat stat;
	char size[32];

	clock_gettime(CLOCK_MONOTONIC, &next);
	pthread_mutex_lock(&progress->lock);
	while (!progress->done) {
		next.tv_sec++;
		while (!progress->done && !pthread_cond_clockwait(&progress->over, &progress->lock,
								  CLOCK_MONOTONIC, &next))
			;
		if (progress->done)
			break;
		*size = '\0';
		if (progress->fd >= 0 && !fstat(progress->fd, &stat))
			snprintf(size, sizeof(size), ", %llu MiB",
				 (unsigned long long)stat.st_size >> 20);
		fprintf(stderr, LINE_CLEAR "gmemctl: %s: %u s%s", progress->what, ++seconds, size);
		fflush(stderr);
	}
	pthread_mutex_unlock(&progress->lock);
	if (seconds)
		fputs(LINE_CLEAR, stderr);
	return NULL;
}

void progress_start(struct progress *progress, const char *what, int fd)
{
	const char *term = getenv("TERM");

	*progress = (struct progress){ .what = what, .fd = fd };
	if (out_is_json() || !isatty(2) || !term || !strcmp(term, "dumb"))
		return;
	pthread_mutex_init(&progress->lock, NULL);
	pthread_cond_init(&progress->over, NULL);
	/* Without a thread there is no line, and no harm. */
	progress->started = !threads_start(&progress->thread, progress_main, progress);
}

void progress_stop(struct progress *progress)
{
	if (!progress->started)
		return;
	pthread_mutex_lock(&progress->lock);
	progress->done = true;
	pthread_cond_signal(&progress->over);
	pthread_mutex_unlock(&progress->lock);
	pthread_join(progress->thread, NULL);
	progress->started = false;
}

void steps_start(struct steps *steps, const char *what, int width)
{
	*steps = (struct steps){
		.what = what, .width = width, .array = out_array(out_root(), "steps"),
	};
	progress_start(&steps->progress, what, -1);
}

void steps_stop(struct steps *steps)
{
	progress_stop(&steps->progress);
}

void steps_show(void *data, const char *step, const char *text)
{
	struct steps *steps = data;
	struct json_object *entry = out_append(steps->array);

	progress_stop(&steps->progress);
	out_string(entry, "step", step);
	out_string(entry, "text", text);
	out_text("%-*s %s\n", steps->width, step, text);
	fflush(stdout);
	progress_start(&steps->progress, steps->what, -1);
}
