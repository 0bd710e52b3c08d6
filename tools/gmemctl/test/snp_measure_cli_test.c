// SPDX-License-Identifier: GPL-2.0
/* `gmemctl snp measure` with the inputs of its users. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "../snp/hash.h"
#include "../snp/hex.h"
#include "cli_run.h"
#include "snp_build.h"
#include "unit.h"

#define MEASURE "measure --firmware fw --vcpu-type EPYC --json "

static bool init(struct cli *cli)
{
	uint8_t data[BUILD_SIZE];

	if (!cli_init(cli))
		return false;
	build_firmware(data, sizeof(data), build_sections, BUILD_SECTIONS, 0);
	cli_write(cli, "fw", data, sizeof(data));
	return true;
}

static bool has_sha256(struct cli *cli, const char *key, const void *data,
		       size_t size)
{
	uint8_t digest[SNP_SHA256_SIZE];
	char text[2 * SNP_SHA256_SIZE + 1];

	CHECK(!snp_sha256(data, size, digest));
	return cli_has(cli, "kernel", key,
		       hex_format(digest, sizeof(digest), text));
}

/* The kernel is only hashed: 257 MiB of zeros, one more than used to fit. */
static void test_f10(void)
{
	struct cli cli;

	if (!init(&cli))
		return;
	CHECK(!cli_shell(&cli, "truncate -s 257M k"));
	CHECK(cli_run(&cli, MEASURE "--kernel k") == 0);
	CHECK(cli_has(&cli, "kernel", "kernel_sha256", "053eadfdec682cf16f3f8704"
		      "c7609c57868dd75765e08dc5a7491f5d06bcb74d"));
	CHECK(cli_run(&cli, MEASURE "--kernel .") == 1);
	CHECK(cli_says(&cli, "directory"));
	cli_free(&cli);
}

/* What has no size, or no end that could be asked for, is read to its end. */
static void test_f12_kernel(void)
{
	struct cli cli;
	char text[512] = "";
	FILE *file;

	if (!init(&cli))
		return;
	file = fopen("/proc/version", "r");
	CHECK(file && fgets(text, sizeof(text), file));
	if (file)
		fclose(file);
	CHECK(cli_run(&cli, MEASURE "--kernel /proc/version") == 0);
	CHECK(has_sha256(&cli, "kernel_sha256", text, strlen(text)));
	cli_write(&cli, "k", "kernel", 6);
	CHECK(cli_run(&cli, MEASURE "--kernel k --initrd /dev/fd/0 <k") == 0);
	CHECK(has_sha256(&cli, "initrd_sha256", "kernel", 6));
	/* The writer of a pipe takes its time, first to open it, then to write. */
	CHECK(!cli_shell(&cli, "mkfifo p q && { (sleep .1; cat k) >q & } && "
			 "{ (sleep .1; cat k >p) & }"));
	CHECK(cli_run(&cli, MEASURE "--kernel p --initrd /dev/stdin <q") == 0);
	CHECK(has_sha256(&cli, "kernel_sha256", "kernel", 6));
	CHECK(has_sha256(&cli, "initrd_sha256", "kernel", 6));
	cli_free(&cli);
}

/* User and system time of children that have ended, in seconds */
static double children(void)
{
	struct rusage usage;

	getrusage(RUSAGE_CHILDREN, &usage);
	return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
	       (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

/* Reading and hashing a file, in seconds of this CPU */
static double hash_file(struct cli *cli, const char *name)
{
	static uint8_t block[1 << 17];
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	clock_t before = clock();
	char path[128];
	ssize_t size;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", cli->dir, name);
	fd = open(path, O_RDONLY);
	CHECK(EVP_DigestInit_ex(context, EVP_sha256(), NULL) == 1);
	while ((size = read(fd, block, sizeof(block))) > 0)
		EVP_DigestUpdate(context, block, (size_t)size);
	EVP_DigestFinal_ex(context, block, NULL);
	EVP_MD_CTX_free(context);
	close(fd);
	return (double)(clock() - before) / CLOCKS_PER_SEC;
}

static double least(double a, double b)
{
	return a && a < b ? a : b;
}

/*
 * The initrd is read and hashed once: a second pass would need 2.0 times as much.
 * What a start takes without an initrd is not counted.
 */
static void test_f24(void)
{
	double sum = 0, start = 0, all = 0, before;
	struct cli cli;

	if (!init(&cli))
		return;
	cli_write(&cli, "k", "kernel", 6);
	CHECK(!cli_shell(&cli, "head -c 64M /dev/zero >i && cat i >/dev/null"));
	for (int i = 0; i < 3; i++) {
		sum = least(sum, hash_file(&cli, "i"));
		before = children();
		CHECK(!cli_run(&cli, MEASURE "--kernel k"));
		start = least(start, children() - before);
		before = children();
		CHECK(!cli_run(&cli, MEASURE "--kernel k --initrd i"));
		all = least(all, children() - before);
	}
	printf("# 64 MiB: hashing %.0f ms, snp measure %.0f ms, without them %.0f "
	       "ms\n", sum * 1e3, all * 1e3, start * 1e3);
	CHECK(all - start < 1.6 * sum);
	cli_free(&cli);
}

static const struct unit_test tests[] = {
	{ "snp_measure.f10", test_f10 },
	{ "snp_measure.f12_kernel", test_f12_kernel },
	{ "snp_measure.f24", test_f24 },
};

UNIT_TESTS(tests)
