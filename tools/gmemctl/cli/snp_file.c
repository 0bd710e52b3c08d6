// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "input.h"
#include "snp.h"

int snp_file_read(struct snp_file *file, const char *path, struct error *error)
{
	int rc = input_read_all(path, &file->data, &file->size, error);

	if (rc)
		snp_file_free(file);
	return rc;
}

void snp_file_free(struct snp_file *file)
{
	free(file->data);
	memset(file, 0, sizeof(*file));
}

int snp_file_read_exactly(const char *path, void *data, uint64_t size,
			  struct error *error)
{
	struct snp_file file;
	int rc;

	rc = snp_file_read(&file, path, error);
	if (rc)
		return rc;
	if (file.size == size)
		memcpy(data, file.data, size);
	else
		rc = error_set(error, -EINVAL, path, "read",
			       "it has %" PRIu64 " bytes, expected %" PRIu64
			       ": give the right file", file.size, size);
	snp_file_free(&file);
	return rc;
}
