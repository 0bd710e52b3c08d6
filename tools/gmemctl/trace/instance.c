// SPDX-License-Identifier: GPL-2.0
/*
 * An instance of tracefs: it has its own buffers, events and options, separate from other
 * tracing. Its name has the PID of the process that created it.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/text.h"
#include "trace.h"

#define INSTANCES "instances"
#define NAME "gmemctl-"
#define READS_MAX 64

const char *const trace_tracefs[] = {
	"/sys/kernel/tracing", "/sys/kernel/debug/tracing", NULL
};

/* The format that line.c needs, whatever the global options are; and keep the newest events. */
static const char *const options[] = {
	"context-info", "overwrite", "noraw", "nohex", "nobin", "nofields", "nolatency-format",
	"norecord-tgid",
};

static int write_text(const char *folder, const char *name, const char *text)
{
	char path[PATH_MAX];
	int fd, rc = 0;

	text_print(path, sizeof(path), "%s/%s", folder, name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		rc = -errno;
	close(fd);
	return rc;
}

static bool is_there(const char *folder, const char *name)
{
	char path[PATH_MAX];

	text_print(path, sizeof(path), "%s/%s", folder, name);
	return !access(path, F_OK);
}

/* Find the first folder that is tracefs. */
static int find_tracefs(const char *const *folders, const char **tracefs, struct error *error)
{
	int rc = -ENOENT;

	for (const char *const *at = folders; *at; at++) {
		*tracefs = *at;
		if (is_there(*at, INSTANCES))
			return 0;
		if (errno == EACCES || errno == EPERM)
			rc = -errno;
	}
	if (rc != -ENOENT)
		return error_set(error, rc, folders[0], "look into tracefs", "run as root");
	return error_set(error, -EOPNOTSUPP, folders[0], "find tracefs there",
			 "mount it: mount -t tracefs nodev %s; a kernel without CONFIG_TRACING "
			 "has none", folders[0]);
}

/* Find the requested events that exist. A missing one is an error only if it was chosen. */
static int find_events(const char *tracefs, const struct trace_wish *wish, uint32_t *events,
		       struct error *error)
{
	char name[128];

	*events = 0;
	for (unsigned int i = 0; i < TRACE_EVENTS; i++) {
		const struct trace_event *event = &trace_events[i];

		if (!(wish->events & UINT32_C(1) << i))
			continue;
		text_print(name, sizeof(name), "events/%s/%s", event->system, event->name);
		if (is_there(tracefs, name)) {
			*events |= UINT32_C(1) << i;
			continue;
		}
		if (!wish->chosen)
			continue;
		*strrchr(name, '/') = '\0';
		if (!is_there(tracefs, name))
			return error_set(error, -EOPNOTSUPP, event->system,
					 "trace a module that is not loaded",
					 "load it: gmemctl load");
		return error_set(error, -EOPNOTSUPP, event->name,
				 "trace an event that the loaded module does not have",
				 "load the module that was built together with this gmemctl");
	}
	return *events ? 0 : error_set(error, -EOPNOTSUPP, "gmem", "trace modules of which none "
				       "is loaded", "load them: gmemctl load");
}

/*
 * Remove instances of processes that do not exist any more. The process may exist in another
 * PID namespace: then it has trace_pipe open, and rmdir() fails with EBUSY.
 */
static void remove_stale(const char *tracefs)
{
	char path[PATH_MAX], *end;
	struct dirent *entry;
	long owner;
	DIR *dir;

	text_print(path, sizeof(path), "%s/" INSTANCES, tracefs);
	dir = opendir(path);
	while (dir && (entry = readdir(dir))) {
		if (strncmp(entry->d_name, NAME, strlen(NAME)))
			continue;
		owner = strtol(entry->d_name + strlen(NAME), &end, 10);
		if (*end || owner <= 0 || owner > INT_MAX ||
		    (owner != getpid() && (!kill((pid_t)owner, 0) || errno != ESRCH)))
			continue;
		text_print(path, sizeof(path), "%s/" INSTANCES "/%s", tracefs, entry->d_name);
		rmdir(path);
	}
	if (dir)
		closedir(dir);
}

static int instance_make(const char *tracefs, struct trace_instance *instance, struct error *error)
{
	int rc;

	remove_stale(tracefs);
	text_print(instance->path, sizeof(instance->path), "%s/" INSTANCES "/" NAME "%d",
		   tracefs, (int)getpid());
	if (!mkdir(instance->path, 0700))
		return 0;
	rc = -errno;
	error_set(error, rc, instance->path, "make an instance of tracefs",
		  rc == -EPERM || rc == -EACCES ?
		  "run as root; a kernel in lockdown (confidentiality) refuses root, too" :
		  NULL);
	instance->path[0] = '\0';
	return rc;
}

static int instance_set(const struct trace_instance *instance, uint32_t buffer_kib,
			struct error *error)
{
	char text[16];
	int rc;

	/* Errors are ignored: an option that this kernel does not have needs no change. */
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		write_text(instance->path, "trace_options", options[i]);
	/* By default poll() waits until a buffer is half full. */
	write_text(instance->path, "buffer_percent", "0");
	rc = write_text(instance->path, "trace_clock", "mono");
	if (rc)
		return error_set(error, rc, instance->path, "set its clock", NULL);
	text_print(text, sizeof(text), "%u", buffer_kib);
	rc = buffer_kib ? write_text(instance->path, "buffer_size_kb", text) : 0;
	if (rc)
		return error_set(error, rc, instance->path, "set the size of its buffers",
				 "ask for less: each CPU has one");
	return 0;
}

static int instance_enable(const struct trace_instance *instance, uint32_t events,
			   struct error *error)
{
	char name[128];
	int rc = 0;

	for (unsigned int i = 0; !rc && i < TRACE_EVENTS; i++) {
		if (!(events & UINT32_C(1) << i))
			continue;
		text_print(name, sizeof(name), "events/%s/%s/enable", trace_events[i].system,
			   trace_events[i].name);
		rc = write_text(instance->path, name, "1");
		if (rc)
			error_set(error, rc, trace_events[i].name, "switch the event on", NULL);
	}
	return rc;
}

int trace_open(const char *const *folders, const struct trace_wish *wish,
	       struct trace_instance *instance, struct error *error)
{
	const char *tracefs = NULL;
	char path[PATH_MAX];
	uint32_t events;
	int rc;

	*instance = (struct trace_instance){ .pipe = -1 };
	rc = find_tracefs(folders, &tracefs, error);
	if (!rc)
		rc = find_events(tracefs, wish, &events, error);
	if (!rc)
		rc = instance_make(tracefs, instance, error);
	if (rc)
		return rc;
	rc = instance_set(instance, wish->buffer_kib, error);
	if (rc)
		goto close;
	text_print(path, sizeof(path), "%s/trace_pipe", instance->path);
	instance->pipe = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	rc = instance->pipe < 0 ? error_set(error, -errno, path, "open", NULL) : 0;
	if (!rc)
		rc = instance_enable(instance, events, error);
	if (!rc)
		return 0;
close:
	trace_close(instance);
	return rc;
}

int trace_read(const struct trace_instance *instance, bool all, struct trace_lines *lines,
	       trace_visit_fn visit, void *data, struct error *error)
{
	char bytes[4096];
	ssize_t got;
	int rc = 0;

	/* Limit the reads: events may come faster than they are read, and the caller has to run. */
	for (unsigned int i = 0; !rc && (all || i < READS_MAX); i++) {
		got = read(instance->pipe, bytes, sizeof(bytes));
		if (got < 0 && errno != EAGAIN && errno != EINTR)
			return error_set(error, -errno, instance->path, "read trace_pipe", NULL);
		if (got <= 0)
			break;
		rc = trace_feed(lines, bytes, (size_t)got, visit, data);
	}
	return rc;
}

void trace_stop(const struct trace_instance *instance)
{
	write_text(instance->path, "tracing_on", "0");
}

/* Removing the instance disables its events, so that the modules can be unloaded. */
void trace_close(struct trace_instance *instance)
{
	if (instance->pipe >= 0)
		close(instance->pipe);
	if (instance->path[0])
		rmdir(instance->path);
	*instance = (struct trace_instance){ .pipe = -1 };
}
