// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "command.h"
#include "map_picture.h"
#include "out.h"
#include "output_file.h"
#include "picture.h"
#include "who_find.h"

static int map_failed(const struct who_memory *memory, int rc, struct error *error)
{
	return rc ? error_set(error, rc, memory->name, "look at its pages", rc == -ENOTTY ?
			      "the loaded module is older than this gmemctl" : NULL) : 0;
}

int map_picture(const char *name)
{
	struct who_memory *memories;
	struct error error;
	size_t count;
	int rc = who_find(name, &memories, &count, &error);

	if (rc)
		return out_error_report(&error);
	for (size_t i = 0; !rc && i < count; i++) {
		out_text("%s: %" PRIu64 " MiB\n", memories[i].name, memories[i].length >> 20);
		rc = map_failed(&memories[i], picture_draw(memories[i].fd, memories[i].length,
							   true), &error);
	}
	who_memories_free(memories, count);
	return rc ? out_error_report(&error) : EXIT_CODE_OK;
}

/* All of it, and then it gets its name. */
static int map_write(const char *path, const char *text, size_t size, struct error *error)
{
	struct output_file file;
	int rc = output_file_find(&file, path, true, error);

	if (!rc)
		rc = output_file_create(&file, 0644, error);
	if (!rc)
		rc = output_file_write(&file, text, size, error);
	if (!rc)
		rc = output_file_commit(&file, error);
	output_file_close(&file);
	return rc;
}

static int map_draw(const struct who_memory *memory, const char *path, struct error *error)
{
	char *text = NULL;
	size_t size = 0;
	FILE *svg = open_memstream(&text, &size);
	int rc;

	if (!svg)
		return error_set(error, -errno, path, "draw", NULL);
	rc = picture_svg(memory->fd, memory->length, memory->name, svg);
	if (fclose(svg) && !rc)
		rc = -ENOMEM;
	rc = map_failed(memory, rc, error);
	if (!rc)
		rc = map_write(path, text, size, error);
	free(text);
	return rc;
}

int map_svg(const char *name, const char *path)
{
	struct who_memory *memories;
	size_t count, largest = 0;
	struct error error;
	int rc = who_find(name, &memories, &count, &error);

	if (rc)
		return out_error_report(&error);
	for (size_t i = 0; i < count; i++) {
		if (memories[i].length > memories[largest].length)
			largest = i;
	}
	rc = map_draw(&memories[largest], path, &error);
	who_memories_free(memories, count);
	return rc ? out_error_report(&error) : EXIT_CODE_OK;
}
