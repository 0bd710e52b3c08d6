// SPDX-License-Identifier: GPL-2.0
/*
 * With libFuzzer: the seeds of the target, as files in the first folder that it is given.
 * There it finds them, and leaves what it has found itself.
 */
#include <sys/stat.h>

#include "fuzz.h"

static const char *folder_of(int argc, char **argv)
{
	struct stat status;

	for (int i = 1; i < argc; i++)
		if (!stat(argv[i], &status) && S_ISDIR(status.st_mode))
			return argv[i];
	return NULL;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	const char *folder = folder_of(*argc, *argv);
	static uint8_t data[FUZZ_SIZE_MAX];
	size_t size;

	for (unsigned int i = 0; folder && (size = fuzz_seed(i, data)); i++) {
		char path[4096];
		FILE *file;

		snprintf(path, sizeof(path), "%s/seed-%u", folder, i);
		file = fopen(path, "wb");
		FUZZ_ASSERT(file && fwrite(data, 1, size, file) == size);
		FUZZ_ASSERT(!fclose(file));
	}
	return 0;
}
