// SPDX-License-Identifier: GPL-2.0
#include "../snp/digest.h"
#include "fixture.h"
#include "test_hex.h"
#include "ksft.h"

/* The largest fixture is an image of 4 MiB. */
#define FIXTURE_MAX (16 << 20)

static bool fixture_path(const char *name, char *path, size_t size)
{
	const char *dir = getenv("GMEM_SNP_FIXTURES");
	const char *cache = getenv("XDG_CACHE_HOME");
	const char *home = getenv("HOME");

	if (dir)
		snprintf(path, size, "%s/%s", dir, name);
	else if (cache && *cache)
		snprintf(path, size, "%s/gmem/snp/%s", cache, name);
	else if (home)
		snprintf(path, size, "%s/.cache/gmem/snp/%s", home, name);
	return dir || home || (cache && *cache);
}

static bool fixture_read(struct fixture *fixture, const char *path)
{
	FILE *file = fopen(path, "rb");

	if (!file)
		return false;
	fixture->data = malloc(FIXTURE_MAX);
	fixture->size = fixture->data ?
			fread(fixture->data, 1, FIXTURE_MAX, file) : 0;
	fclose(file);
	return fixture->data;
}

static bool fixture_is(const struct fixture *fixture, const char *sha256)
{
	uint8_t digest[SNP_SHA256_SIZE];

	return !snp_sha256(fixture->data, fixture->size, digest) &&
	       is_hex(digest, sizeof(digest), sha256);
}

bool fixture_load(struct fixture *fixture, const char *name, const char *sha256)
{
	char path[4096];

	memset(fixture, 0, sizeof(*fixture));
	if (!fixture_path(name, path, sizeof(path)) ||
	    !fixture_read(fixture, path)) {
		ksft_skip("needs the file %s, which is not there; "
			  "tools/gmemctl/test/fixtures.sh fetches what Debian has",
			  name);
		return false;
	}
	if (fixture_is(fixture, sha256))
		return true;
	ksft_skip("the file %s is not the version with SHA-256 %s", name, sha256);
	fixture_free(fixture);
	return false;
}

void fixture_free(struct fixture *fixture)
{
	free(fixture->data);
	memset(fixture, 0, sizeof(*fixture));
}
