// SPDX-License-Identifier: GPL-2.0
/*
 * The gmemctl that is installed, on a simulated host: what it launches is what
 * it has predicted, and what goes wrong on the way it says.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "preload.h"
#include "sim_world.h"
#include "snp_build.h"
#include "ksft.h"

#define TRACE_SIZE (1 << 20)
#define DIGEST_DIGITS 96

/* Firmware in the test's folder */
static void firmware(void)
{
	static uint8_t data[BUILD_SIZE];
	FILE *file;

	ASSERT_FALSE(chdir(ksft_folder()));
	build_firmware(data, BUILD_SIZE, build_sections, BUILD_SECTIONS, 0);
	file = fopen("fw", "wb");
	ASSERT_TRUE(file);
	EXPECT_EQ(fwrite(data, 1, sizeof(data), file), sizeof(data));
	fclose(file);
}

static int launch(const char *const *settings)
{
	const char *const arguments[] = {
		"snp", "launch", "--firmware", "fw", "--cpus", "2",
		"--vcpu-type", "EPYC-v4", "--memory", "64M", NULL,
	};

	return preload_gmemctl(arguments, settings);
}

/* The file's last text after @key, as far as a digest goes */
static bool last_digest(const char *text, const char *key,
			char digest[DIGEST_DIGITS + 1])
{
	const char *found = NULL;

	for (const char *at = text; (at = strstr(at, key)); at++)
		found = at + strlen(key);
	if (!found || strspn(found, "0123456789abcdef") != DIGEST_DIGITS)
		return false;
	memcpy(digest, found, DIGEST_DIGITS);
	digest[DIGEST_DIGITS] = '\0';
	return true;
}

static char *read_text(const char *path)
{
	char *text = calloc(1, TRACE_SIZE);
	FILE *file = fopen(path, "re");

	if (text && file)
		text[fread(text, 1, TRACE_SIZE - 1, file)] = '\0';
	if (file)
		fclose(file);
	return text;
}

/* Launched, with the digest that gmemctl has predicted. Return: the trace. */
static char *launch_traced(const char *profile, const char *limit)
{
	char told[DIGEST_DIGITS + 1], predicted[DIGEST_DIGITS + 1];
	char measured[DIGEST_DIGITS + 1], *text;
	const char *const settings[] = {
		profile, limit, "STRICT=1", "TRACE=trace", NULL,
	};

	EXPECT_FALSE(launch(settings));
	text = read_text("trace");
	EXPECT_TRUE(last_digest(preload_said, "predicted digest   ", predicted));
	EXPECT_TRUE(last_digest(preload_said, "launch digest ", told));
	EXPECT_TRUE(last_digest(text, "\"digest\":\"", measured));
	EXPECT_STREQ(predicted, measured);
	EXPECT_STREQ(told, measured);
	unlink("trace");
	return text;
}

/* However many pages go at a time; and two runs have the same trace. */
TEST_OF(shim_launch, launch)
{
	char *first, *second, *other;

	firmware();
	first = launch_traced("PROFILE=6.12", "PROGRESS=0");
	second = launch_traced("PROFILE=6.12", "PROGRESS=0");
	EXPECT_STRSTR(first, "KVM_SEV_SNP_LAUNCH_FINISH");
	EXPECT_STREQ(first, second);
	other = launch_traced("PROFILE=7.3", "PROGRESS=3");
	EXPECT_TRUE(strcmp(first, other));
	free(first);
	free(second);
	free(other);
}

TEST_OF(shim_launch, exits)
{
	static const char *const settings[] = {
		"STRICT=1", "SCRIPT=map-shared:0x3000:2,fault-private:0x3000:1,"
		"map-private:0x4000:1,term:0x1100", NULL,
	};
	const char *const arguments[] = {
		"run", "--vm-type", "snp", "--firmware", "fw", "--vcpu-type",
		"EPYC-v4", "--memory", "64M", "--trace", NULL,
	};

	firmware();
	EXPECT_GT(preload_gmemctl(arguments, settings), 0);
	EXPECT_STRSTR(preload_said, "0x3000 + 0x2000 to shared: done");
	EXPECT_STRSTR(preload_said, "0x3000 + 0x1000 to private: done");
	EXPECT_STRSTR(preload_said, "0x4000 + 0x1000 to private: done");
	EXPECT_STRSTR(preload_said, "1 implicit conversions");
	EXPECT_STRSTR(preload_said, "end:         system-event");
}
