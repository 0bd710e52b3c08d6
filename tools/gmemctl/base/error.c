// SPDX-License-Identifier: GPL-2.0
#include <stdarg.h>
#include <stddef.h>

#include "error.h"
#include "text.h"

int error_set(struct error *error, int rc, const char *object,
	      const char *action, const char *hint, ...)
{
	va_list args;

	if (!error)
		return rc;
	error->rc = rc;
	text_print(error->object, sizeof(error->object), "%s", object);
	text_print(error->action, sizeof(error->action), "%s", action);
	error->hint[0] = '\0';
	if (hint) {
		va_start(args, hint);
		text_format(error->hint, sizeof(error->hint), hint, args);
		va_end(args);
	}
	return rc;
}

int error_wrap(struct error *error, int rc, const char *object,
	       const char *action)
{
	struct error cause;

	if (!error)
		return rc;
	cause = *error;
	return error_set(error, rc, object, action, "%s: %s%s%s", cause.object,
			 cause.action, *cause.hint ? "; " : "", cause.hint);
}

int error_adopt(struct error *error, struct error *from)
{
	if (from->rc >= 0 || from->rc < -4095)
		return 0;
	from->object[sizeof(from->object) - 1] = '\0';
	from->action[sizeof(from->action) - 1] = '\0';
	from->hint[sizeof(from->hint) - 1] = '\0';
	return error_set(error, from->rc, from->object, from->action, "%s",
			 from->hint);
}
