// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <string.h>

#include "error.h"

int error_set(struct error *error, int rc, const char *object, const char *action,
	      const char *hint)
{
	error->rc = rc;
	snprintf(error->object, sizeof(error->object), "%s", object);
	snprintf(error->action, sizeof(error->action), "%s", action);
	error->hint = hint;
	return rc ? rc : -EINVAL;
}

void error_print(const struct error *error, FILE *stream)
{
	fprintf(stream, "pvmemctl: %s: %s%s%s%s%s\n", error->object, error->action,
		error->rc ? ": " : "", error->rc ? strerror(-error->rc) : "",
		error->hint ? "; " : "", error->hint ? error->hint : "");
}
