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

#include "../base/hex.h"
#include "../snp/digest.h"
#include "cli_run.h"
#include "igvm_build.h"
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
	CHECK_EQ(cli_run(&cli, MEASURE "--kernel k"), 0);
	CHECK(cli_has(&cli, "kernel", "kernel_sha256", "053eadfdec682cf16f3f8704"
		      "c7609c57868dd75765e08dc5a7491f5d06bcb74d"));
	CHECK_EQ(cli_run(&cli, MEASURE "--kernel ."), 1);
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
	CHECK_EQ(cli_run(&cli, MEASURE "--kernel /proc/version"), 0);
	CHECK(has_sha256(&cli, "kernel_sha256", text, strlen(text)));
	cli_write(&cli, "k", "kernel", 6);
	CHECK_EQ(cli_run(&cli, MEASURE "--kernel k --initrd /dev/fd/0 <k"), 0);
	CHECK(has_sha256(&cli, "initrd_sha256", "kernel", 6));
	/* The writer of a pipe takes its time, first to open it, then to write. */
	CHECK(!cli_shell(&cli, "mkfifo p q && { (sleep .1; cat k) >q & } && "
			 "{ (sleep .1; cat k >p) & }"));
	CHECK_EQ(cli_run(&cli, MEASURE "--kernel p --initrd /dev/stdin <q"), 0);
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
	CHECK_EQ(EVP_DigestInit_ex(context, EVP_sha256(), NULL), 1);
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

/* Whether two runs say the same launch digest, which they have to have. */
static bool same_digest(struct cli *cli, const char *a, const char *b)
{
	char first[256], second[256];

	CHECK_EQ(cli_run(cli, "measure --firmware fw --json %s", a), 0);
	cli_get(cli, "measurement", "digest", first, sizeof(first));
	CHECK_EQ(cli_run(cli, "measure --firmware fw --json %s", b), 0);
	cli_get(cli, "measurement", "digest", second, sizeof(second));
	return first[0] && !strcmp(first, second);
}

/* Names of CPUs as QEMU and sev-snp-measure have them */
static void test_f14(void)
{
	struct cli cli;

	if (!init(&cli))
		return;
	CHECK(same_digest(&cli, "--vcpu-type EPYC-IBPB", "--vcpu-type EPYC-v2"));
	CHECK_EQ(cli_run(&cli, "measure --firmware fw --vcpu-type EPYC-IPBP"),
		 2);
	cli_free(&cli);
}

/* Zero is a signature; that there is none is another thing. */
static void test_f15(void)
{
	struct cli cli;

	if (!init(&cli))
		return;
	CHECK(same_digest(&cli, "--vcpu-signature 0", "--vcpu-signature 0x0"));
	CHECK(!same_digest(&cli, "--vcpu-signature 0", "--vcpu-signature 1"));
	CHECK_EQ(cli_run(&cli, "measure --firmware fw"), 2);
	CHECK_EQ(cli_run(&cli, "launch --firmware fw --vcpu-signature 0"), 2);
	CHECK(cli_says(&cli, "no such CPU"));
	cli_free(&cli);
}

static bool init_svsm(struct cli *cli)
{
	static const struct snp_section section = {
		0, 0x2000, SNP_SECTION_MEMORY,
	};
	uint8_t data[BUILD_SIZE];

	if (!init(cli))
		return false;
	build_firmware(data, sizeof(data), &section, 1, 0x1000);
	cli_write(cli, "svsm", data, sizeof(data));
	return true;
}

#define SVSM "--vcpu-type EPYC --svsm svsm "

/* Only QEMU starts an SVSM in a way that is known. */
static void test_f16(void)
{
	struct cli cli;

	if (!init_svsm(&cli))
		return;
	CHECK_EQ(cli_run(&cli, MEASURE SVSM "--vars-size 64K --vmm ec2"), 2);
	CHECK(cli_says(&cli, "not with --svsm"));
	CHECK_EQ(cli_run(&cli, MEASURE SVSM "--vars-size 64K --vmm qemu"), 0);
	cli_free(&cli);
}

/* Where the SVSM is has to be said: it is part of the digest. */
static void test_f17(void)
{
	struct cli cli;

	if (!init_svsm(&cli))
		return;
	CHECK_EQ(cli_run(&cli, MEASURE SVSM), 2);
	CHECK(cli_says(&cli, "--vars-size"));
	CHECK_EQ(cli_run(&cli, MEASURE SVSM "--vars-size 0"), 0);
	CHECK(!cli_shell(&cli, "truncate -s 64K vars && truncate -s 1 odd"));
	CHECK(same_digest(&cli, SVSM "--vars-file vars", SVSM "--vars-size 64K"));
	CHECK_EQ(cli_run(&cli, MEASURE SVSM "--vars-file odd"), 1);
	CHECK_EQ(cli_run(&cli, MEASURE SVSM "--vars-file none"), 1);
	CHECK_EQ(cli_run(&cli, MEASURE SVSM "--vars-file vars --vars-size 0"),
		 2);
	CHECK_EQ(cli_run(&cli, MEASURE "--vars-file vars"), 2);
	cli_free(&cli);
}

/* The features of the reference's SVSM are SNP, whatever is asked for. */
static void test_f18(void)
{
	struct cli cli;

	if (!init_svsm(&cli))
		return;
	CHECK(same_digest(&cli, SVSM "--vars-size 64K --features 0x21",
			  SVSM "--vars-size 64K"));
	CHECK(cli_has(&cli, "vcpus", "features", "1"));
	CHECK(!same_digest(&cli, "--vcpu-type EPYC --features 0x21",
			   "--vcpu-type EPYC"));
	cli_free(&cli);
}

static void test_f19(void)
{
	struct cli cli;

	if (!init_svsm(&cli))
		return;
	CHECK(same_digest(&cli, SVSM "--vars-size 0x10000",
			  SVSM "--vars-size 65536"));
	CHECK(same_digest(&cli, SVSM "--vars-size 64K",
			  SVSM "--vars-size 65536"));
	CHECK_EQ(cli_run(&cli, MEASURE SVSM "--vars-size 0x10000X"), 2);
	cli_free(&cli);
}

static const struct {
	const char *bytes, *says;
	size_t offset;
} kernels[] = {
	{ "HdrS", NULL, 0x202 },
	{ "\177ELF", "an ELF file", 0 },
	{ "ARM\x64", "arm64", 0x38 },
	{ "MZ\1\1zimg", "zboot", 0 },
	{ "MZ", "EFI application", 0 },
	{ "", "no boot sector", 0 },
};

/* What is no kernel for OVMF is measured with a warning. */
static void test_f25_kernel(void)
{
	struct cli cli;

	if (!init(&cli))
		return;
	for (size_t i = 0; i < sizeof(kernels) / sizeof(kernels[0]); i++) {
		uint8_t file[2048] = { [0x1fe] = 0x55, [0x1ff] = 0xaa };

		memcpy(file + kernels[i].offset, kernels[i].bytes,
		       strlen(kernels[i].bytes));
		cli_write(&cli, "k", file, sizeof(file));
		CHECK_EQ(cli_run(&cli, MEASURE "--kernel k"), 0);
		CHECK(has_sha256(&cli, "kernel_sha256", file, sizeof(file)));
		if (kernels[i].says)
			CHECK(cli_says(&cli, kernels[i].says));
		else
			CHECK_EQ(cli_shell(&cli, "grep -q warning out"), 1);
	}
	CHECK_EQ(cli_run(&cli, MEASURE "--kernel /dev/null"), 0);
	CHECK(cli_says(&cli, "an empty file"));
	CHECK(cli_run(&cli, "measure --ovmf fw --vcpu-type EPYC --kernel fw") == 0);
	CHECK(cli_says(&cli, "gmemctl: fw: warning: it is a file"));
	cli_free(&cli);
}

/* The CPU is said once: none of the ways wins silently. */
static void test_f25_cpu(void)
{
	struct cli cli;

	if (!init(&cli))
		return;
	CHECK_EQ(cli_run(&cli, MEASURE "--vcpu-signature 1"), 2);
	CHECK(cli_says(&cli, "not with another one"));
	CHECK(cli_run(&cli, MEASURE "--vcpu-family 25 --vcpu-model 1 "
		      "--vcpu-stepping 1") == 2);
	CHECK(cli_run(&cli, "measure --firmware fw --vcpu-sig 1 --vcpu-model 1") ==
	      2);
	CHECK_EQ(cli_run(&cli, MEASURE "--vcpu-type EPYC-Milan"), 2);
	CHECK(cli_run(&cli, "measure --firmware fw --vcpu-sig 1 "
		      "--vcpu-signature 2") == 2);
	CHECK(cli_says(&cli, "not with another one"));
	CHECK(cli_run(&cli, "launch --firmware fw --vcpu-type EPYC --vcpu-sig 1")
	      == 2);
	cli_free(&cli);
}

/* As users of sev-snp-measure type it, and what they read from it. */
static void test_f28_aliases(void)
{
	struct cli cli;

	if (!init_svsm(&cli))
		return;
	cli_write(&cli, "k", "kernel", 6);
	CHECK(same_digest(&cli, "--vcpu-type EPYC --features 0x21 --kernel k "
			  "--cmdline quiet", "--mode snp --vmm-type QEMU --ovmf fw "
			  "--vcpu-sig 0x800f12 --guest-features 0x21 --kernel k "
			  "--append quiet"));
	CHECK(same_digest(&cli, "--vcpu-type EPYC-Milan", "--vcpu-family 25 "
			  "--vcpu-model 1 --vcpu-stepping 1"));
	CHECK(same_digest(&cli, "--mode snp:svsm " SVSM "--vars-size 0",
			  SVSM "--vars-size 0"));
	CHECK_EQ(cli_run(&cli, MEASURE "--mode seves"), 2);
	CHECK_EQ(cli_run(&cli, "measure --firmware fw --vcpu-family 25"), 2);
	CHECK(cli_run(&cli, "measure --firmware fw --vcpu-family 25 --vcpu-model "
		      "256 --vcpu-stepping 1") == 2);
	cli_free(&cli);
}

static void test_f28_output(void)
{
	char digest[256], firmware[256];
	struct cli cli;

	if (!init(&cli))
		return;
	CHECK_EQ(cli_run(&cli, MEASURE), 0);
	cli_get(&cli, "measurement", "digest", digest, sizeof(digest));
	cli_get(&cli, "measurement", "firmware", firmware, sizeof(firmware));
	CHECK(!cli_run(&cli, "measure --ovmf fw --vcpu-type EPYC --output-format "
		       "hex"));
	CHECK(!cli_shell(&cli, "echo %s | cmp - out", digest));
	CHECK(!cli_run(&cli, "measure --ovmf fw --vcpu-type EPYC --output-format "
		       "base64"));
	CHECK(!cli_shell(&cli, "base64 -d out | od -An -v -tx1 >d && "
			 "printf %s $(cat d) >d && printf %s | cmp - d", "%s", digest));
	CHECK(!cli_run(&cli, "measure --mode snp:ovmf-hash --ovmf fw"));
	CHECK(!cli_shell(&cli, "echo %s | cmp - out", firmware));
	CHECK_EQ(cli_run(&cli, MEASURE "--output-format hex"), 2);
	CHECK(cli_run(&cli, "measure --ovmf fw --vcpu-type EPYC --output-format "
		      "Hex") == 2);
	cli_free(&cli);
}

/* With the digest after the firmware its last page, with the metadata, is enough. */
static void test_f28_firmware_digest(void)
{
	char firmware[256], arguments[512];
	struct cli cli;

	if (!init(&cli))
		return;
	CHECK_EQ(cli_run(&cli, MEASURE), 0);
	cli_get(&cli, "measurement", "firmware", firmware, sizeof(firmware));
	CHECK(!cli_shell(&cli, "tail -c 4096 fw >tail"));
	snprintf(arguments, sizeof(arguments), "--vcpu-type EPYC --ovmf tail "
		 "--snp-ovmf-hash %s", firmware);
	CHECK(same_digest(&cli, "--vcpu-type EPYC", arguments));
	CHECK(cli_has(&cli, "measurement", "firmware", firmware));
	CHECK(!same_digest(&cli, "--vcpu-type EPYC",
			   "--vcpu-type EPYC --ovmf tail"));
	CHECK_EQ(cli_run(&cli, "measure --firmware-digest %s", firmware), 2);
	CHECK_EQ(cli_run(&cli, MEASURE "--firmware-digest 00"), 2);
	cli_free(&cli);
}

/* The file says all; an option that would be void is refused, and a wrong kind. */
static void test_f28_igvm(void)
{
	static const char *const options[] = {
		"--kernel k", "--svsm svsm --vars-size 0", "--vmm gce", "--vcpus 2",
		"--vcpu-type EPYC", "--vcpu-sig 0", "--features 1", "--firmware fw",
		"--mode snp:ovmf-hash",
	};
	static struct igvm_build build;
	struct cli cli;

	if (!init_svsm(&cli))
		return;
	cli_write(&cli, "order", build.file, igvm_build_order(&build));
	cli_write(&cli, "i", build.file, igvm_build_svsm(&build));
	CHECK(!cli_run(&cli, "measure --igvm i --json"));
	CHECK(cli_has(&cli, "measurement", "digest",
		      "41676cc0548bbe92b2cfcb4913dc898a7db0fb4e62d16341"
		      "ee865a28b90616d143aa51d764887be30daeff1647d8c19e"));
	CHECK(cli_has(&cli, "igvm", "highest_vtl", "2"));
	CHECK_EQ(cli_shell(&cli, "grep -q warning out"), 1);
	CHECK(!cli_run(&cli, "measure --igvm i --output-format hex"));
	CHECK(cli_says(&cli, "41676cc0548bbe92b2cfcb49"));
	CHECK(!cli_run(&cli, "measure --igvm order"));
	CHECK(cli_says(&cli, "warning: the digest is that of the file"));
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		CHECK_EQ(cli_run(&cli, "measure --igvm i %s", options[i]), 2);
		CHECK(cli_says(&cli, "not with"));
	}
	CHECK_EQ(cli_run(&cli, "measure --firmware i --vcpu-type EPYC"), 1);
	CHECK(cli_says(&cli, "give it with --igvm"));
	CHECK_EQ(cli_run(&cli, "measure --igvm fw"), 1);
	CHECK(cli_says(&cli, "does not begin with"));
	CHECK(!cli_shell(&cli, "head -c 8192 i >cut"));
	CHECK_EQ(cli_run(&cli, "measure --igvm cut"), 1);
	cli_free(&cli);
}

/* An ID block in the file, signed for its digest or for another one */
static void test_f28_igvm_id_block(void)
{
	static struct igvm_build build;
	struct cli cli;

	if (!init(&cli))
		return;
	igvm_build_version_2(&build);
	igvm_build_id_block(&build, NULL, NULL);
	cli_write(&cli, "i", build.file, igvm_build_finish(&build));
	CHECK(!cli_run(&cli, "measure --igvm i --json"));
	CHECK(cli_has(&cli, "igvm", "id_block_matches", "false"));
	CHECK(cli_says(&cli, "another launch digest"));
	cli_free(&cli);
}

static const struct unit_test tests[] = {
	{ "snp_measure.f10", test_f10 },
	{ "snp_measure.f12_kernel", test_f12_kernel },
	{ "snp_measure.f14", test_f14 },
	{ "snp_measure.f15", test_f15 },
	{ "snp_measure.f16", test_f16 },
	{ "snp_measure.f17", test_f17 },
	{ "snp_measure.f18", test_f18 },
	{ "snp_measure.f19", test_f19 },
	{ "snp_measure.f24", test_f24 },
	{ "snp_measure.f25_kernel", test_f25_kernel },
	{ "snp_measure.f25_cpu", test_f25_cpu },
	{ "snp_measure.f28_aliases", test_f28_aliases },
	{ "snp_measure.f28_igvm", test_f28_igvm },
	{ "snp_measure.f28_igvm_id_block", test_f28_igvm_id_block },
	{ "snp_measure.f28_output", test_f28_output },
	{ "snp_measure.f28_firmware_digest", test_f28_firmware_digest },
};

UNIT_TESTS(tests)
