/* SPDX-License-Identifier: GPL-2.0 */
/* What went wrong, for a person: the object, the action on it, and what to do. */
#ifndef PVMEMCTL_ERROR_H
#define PVMEMCTL_ERROR_H

#include <stdio.h>

struct error {
	int rc;
	char object[160];
	char action[64];
	const char *hint;
};

/**
 * error_set() - describe a failure
 * @rc: negative errno, or 0 if that would say nothing
 * @object: what the action was done to
 * @action: what was tried
 * @hint: what to do about it, a constant; or NULL
 *
 * Return: @rc, or -EINVAL for 0, so that a caller can return the call.
 */
int error_set(struct error *error, int rc, const char *object, const char *action,
	      const char *hint);

/** error_print() - a line: "pvmemctl: object: action: errno; hint" */
void error_print(const struct error *error, FILE *stream);

#endif /* PVMEMCTL_ERROR_H */
