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

/**
 * struct failure - a host on which a launch does not work
 * @code: gmemctl's exit code
 * @text: in what it writes
 */
struct failure {
	const char *setting;
	int code;
	const char *text;
};

static const struct failure failures[] = {
	{ "HOST=no-snp", 4, "VM type KVM_X86_SNP_VM: Operation not supported" },
	{ "HOST=psp-dead", 1, "SNP_LAUNCH_START: Inappropriate ioctl" },
	{ "ASIDS=0", 1, "INIT2: Device or resource busy; no ASID is free" },
	{ "FAIL=gctx-create:1:0x3", 1, "firmware error 0x3 INVALID_CONFIG" },
	{ "FAIL=start:1:0x17", 1, "firmware error 0x17 RESOURCE_LIMIT" },
	{ "FAIL=activate:1:0xc", 1, "firmware error 0xc" },
	{ "FAIL=update:1:0x10", 1, "firmware error 0x10" },
	/* The firmware still means it when the rest is asked for. */
	{ "FAIL=update:2:0x10,update:3:0x10", 1, "firmware error 0x10" },
	{ "FAIL=signal:1", 1, "KVM hides the cause" },
	{ "FAIL=finish:1:0xb", 1, "firmware error 0xb BAD_MEASUREMENT" },
	/* These are no failures: the rest goes in with another call. */
	{ "FAIL=update:2:0x10", 0, "launched: " },
	{ "FAIL=signal:2", 0, "launched: " },
	{ "FAIL=again:1", 0, "launched: " },
};

TEST_OF(shim_launch, failures)
{
	static const char *const profiles[] = { "PROFILE=6.12", "PROFILE=7.3" };
	firmware();
	for (size_t i = 0; i < 2 * sizeof(failures) / sizeof(failures[0]); i++) {
		const struct failure *failure = &failures[i / 2];
		const char *const settings[] = {
			profiles[i % 2], failure->setting, "STRICT=1", NULL,
		};
		int code = launch(settings);
		bool right = code == failure->code &&
			     strstr(preload_said, failure->text);

		if (!right)
			printf("# %s: %d\n%s", failure->setting, code, preload_said);
		EXPECT_TRUE(right);
		ksft_part("%s, %s", failure->setting, profiles[i % 2]);
	}
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

/**
 * struct end - how a guest's run ends
 * @script: its exits
 */
struct end {
	const char *script;
	const char *text;
};

/* Each exit that a script can have, with the unmodified program */
TEST_OF(shim_launch, ends)
{
	static const struct end ends[] = {
		{ "SCRIPT=shutdown", "end:         triple-fault" },
		{ "SCRIPT=certs:0x5000:4,term:0x1100", "end:         system-event" },
		{ "SCRIPT=reset-hold,term:0x1100", "end:         system-event" },
		{ "SCRIPT=0/map-shared:0x3000:1,0/fault-private:0x3000:1,"
		  "0/shutdown", "1 implicit conversions" },
	};
	const char *const arguments[] = {
		"run", "--vm-type", "snp", "--firmware", "fw", "--vcpu-type",
		"EPYC-v4", "--memory", "64M", NULL,
	};

	firmware();
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		const char *const settings[] = {
			"STRICT=1", ends[i].script, NULL,
		};
		bool right = preload_gmemctl(arguments, settings) > 0 &&
			     strstr(preload_said, ends[i].text);

		if (!right)
			printf("# %s\n%s", ends[i].script, preload_said);
		EXPECT_TRUE(right);
		ksft_part("%s", ends[i].script);
	}
}
