/* SPDX-License-Identifier: GPL-2.0 */
/* The other side of a control socket. */
#ifndef GMEMCTL_CONTROL_CLIENT_H
#define GMEMCTL_CONTROL_CLIENT_H

#include <json-c/json.h>
#include <sys/types.h>

#include "../base/error.h"

/**
 * client_call() - ask the VM @name
 * @request: its own reference is kept
 * @reply: out: all of the reply, to be put; @result is in it
 * @result: out: may be NULL
 *
 * Return: 0; -ENOENT or -ECONNREFUSED if no such VM runs; -ETIME if it does not
 * answer; another negative errno, from the VM or from here.
 */
int client_call(const char *name, struct json_object *request, struct json_object **reply,
		struct json_object **result, struct error *error);

/**
 * client_call_within() - the same, when there is no time to lose
 * @timeout_s: of each step; 0: never give up
 */
int client_call_within(const char *name, unsigned int timeout_s,
		       struct json_object *request, struct json_object **reply,
		       struct json_object **result, struct error *error);

/**
 * client_process() - the process that a VM is, as its socket has it
 * @pid: out: in the namespace of this process
 *
 * Return: 0, or as client_call().
 */
int client_process(const char *name, pid_t *pid, struct error *error);

#endif /* GMEMCTL_CONTROL_CLIENT_H */
