// SPDX-License-Identifier: GPL-2.0
/* `gmemctl snp measure` with the inputs of its users. */
#include <fcntl.h>
#include <openssl/evp.h>
#include <sys/resource.h>

#include "../base/hex.h"
#include "../snp/digest.h"
#include "cli_run.h"
#include "igvm_build.h"
#include "snp_build.h"
#include "ksft.h"

#define MEASURE "measure --firmware fw --vcpu-type EPYC --json "

static void init(void)
{
	cli_init();
	cli_write_firmware();
}

static bool has_sha256(const char *key, const void *data, size_t size)
{
	uint8_t digest[SNP_SHA256_SIZE];
	char text[2 * SNP_SHA256_SIZE + 1];

	EXPECT_FALSE(snp_sha256(data, size, digest));
	return cli_has("kernel", key, hex_format(digest, sizeof(digest), text));
}

/* The kernel is only hashed: 257 MiB of zeros, one more than used to fit. */
TEST_OF(snp_measure, f10)
{
	init();
	EXPECT_FALSE(cli_shell("truncate -s 257M k"));
	EXPECT_EQ(cli_run(MEASURE "--kernel k"), 0);
	EXPECT_TRUE(cli_has("kernel", "kernel_sha256",
			    "053eadfdec682cf16f3f8704c7609c57868dd75765e08dc5a7491f5d06bcb74d"));
	EXPECT_TRUE(cli_did(1, "directory", MEASURE "--kernel ."));
}

/* What has no size, or no end that could be asked for, is read to its end. */
TEST_OF(snp_measure, f12_kernel)
{
	char text[512] = "";
	FILE *file;

	init();
	file = fopen("/proc/version", "r");
	EXPECT_TRUE(file);
	EXPECT_TRUE(fgets(text, sizeof(text), file));
	if (file)
		fclose(file);
	EXPECT_EQ(cli_run(MEASURE "--kernel /proc/version"), 0);
	EXPECT_TRUE(has_sha256("kernel_sha256", text, strlen(text)));
	cli_write("k", "kernel", 6);
	EXPECT_EQ(cli_run(MEASURE "--kernel k --initrd /dev/fd/0 <k"), 0);
	EXPECT_TRUE(has_sha256("initrd_sha256", "kernel", 6));
	/* The writer of a pipe takes its time, first to open it, then to write. */
	EXPECT_FALSE(cli_shell("mkfifo p q && { (sleep .1; cat k) >q & } && "
			       "{ (sleep .1; cat k >p) & }"));
	EXPECT_EQ(cli_run(MEASURE "--kernel p --initrd /dev/stdin <q"), 0);
	EXPECT_TRUE(has_sha256("kernel_sha256", "kernel", 6));
	EXPECT_TRUE(has_sha256("initrd_sha256", "kernel", 6));
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
static double hash_file(const char *name)
{
	static uint8_t block[1 << 17];
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	clock_t before = clock();
	ssize_t size;
	int fd;

	fd = open(name, O_RDONLY);
	EXPECT_EQ(EVP_DigestInit_ex(context, EVP_sha256(), NULL), 1);
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
TEST_OF(snp_measure, f24)
{
	double sum = 0, start = 0, all = 0, before;
	init();
	cli_write("k", "kernel", 6);
	EXPECT_FALSE(cli_shell("head -c 64M /dev/zero >i && cat i >/dev/null"));
	for (int i = 0; i < 3; i++) {
		sum = least(sum, hash_file("i"));
		before = children();
		EXPECT_FALSE(cli_run(MEASURE "--kernel k"));
		start = least(start, children() - before);
		before = children();
		EXPECT_FALSE(cli_run(MEASURE "--kernel k --initrd i"));
		all = least(all, children() - before);
	}
	printf("# 64 MiB: hashing %.0f ms, snp measure %.0f ms, without them %.0f "
	       "ms\n", sum * 1e3, all * 1e3, start * 1e3);
	EXPECT_TRUE(all - start < 1.6 * sum);
}

/* Whether two runs say the same launch digest, which they have to have. */
static bool same_digest(const char *a, const char *b)
{
	char first[256], second[256];

	EXPECT_EQ(cli_run("measure --firmware fw --json %s", a), 0);
	cli_get("measurement", "digest", first, sizeof(first));
	EXPECT_EQ(cli_run("measure --firmware fw --json %s", b), 0);
	cli_get("measurement", "digest", second, sizeof(second));
	return first[0] && !strcmp(first, second);
}

/* Names of CPUs as QEMU and sev-snp-measure have them */
TEST_OF(snp_measure, f14)
{
	init();
	EXPECT_TRUE(same_digest("--vcpu-type EPYC-IBPB", "--vcpu-type EPYC-v2"));
	EXPECT_EQ(cli_run("measure --firmware fw --vcpu-type EPYC-IPBP"), 2);
}

/* Zero is a signature; that there is none is another thing. */
TEST_OF(snp_measure, f15)
{
	init();
	EXPECT_TRUE(same_digest("--vcpu-signature 0", "--vcpu-signature 0x0"));
	EXPECT_FALSE(same_digest("--vcpu-signature 0", "--vcpu-signature 1"));
	EXPECT_EQ(cli_run("measure --firmware fw"), 2);
	EXPECT_TRUE(cli_did(2, "no such CPU", "launch --firmware fw --vcpu-signature 0"));
}

static void init_svsm(void)
{
	static const struct snp_section section = {
		0, 0x2000, SNP_SECTION_MEMORY,
	};
	uint8_t data[BUILD_SIZE];

	init();
	build_firmware(data, sizeof(data), &section, 1, 0x1000);
	cli_write("svsm", data, sizeof(data));
}

#define SVSM "--vcpu-type EPYC --svsm svsm "

/* Only QEMU starts an SVSM in a way that is known. */
TEST_OF(snp_measure, f16)
{
	init_svsm();
	EXPECT_TRUE(cli_did(2, "not with --svsm", MEASURE SVSM "--vars-size 64K --vmm ec2"));
	EXPECT_EQ(cli_run(MEASURE SVSM "--vars-size 64K --vmm qemu"), 0);
}

/* Where the SVSM is has to be said: it is part of the digest. */
TEST_OF(snp_measure, f17)
{
	init_svsm();
	EXPECT_TRUE(cli_did(2, "--vars-size", MEASURE SVSM));
	EXPECT_EQ(cli_run(MEASURE SVSM "--vars-size 0"), 0);
	EXPECT_FALSE(cli_shell("truncate -s 64K vars && truncate -s 1 odd"));
	EXPECT_TRUE(same_digest(SVSM "--vars-file vars", SVSM "--vars-size 64K"));
	EXPECT_EQ(cli_run(MEASURE SVSM "--vars-file odd"), 1);
	EXPECT_EQ(cli_run(MEASURE SVSM "--vars-file none"), 1);
	EXPECT_EQ(cli_run(MEASURE SVSM "--vars-file vars --vars-size 0"), 2);
	EXPECT_EQ(cli_run(MEASURE "--vars-file vars"), 2);
}

/* The features of the reference's SVSM are SNP, whatever is asked for. */
TEST_OF(snp_measure, f18)
{
	init_svsm();
	EXPECT_TRUE(same_digest(SVSM "--vars-size 64K --features 0x21", SVSM "--vars-size 64K"));
	EXPECT_TRUE(cli_has("vcpus", "features", "1"));
	EXPECT_FALSE(same_digest("--vcpu-type EPYC --features 0x21", "--vcpu-type EPYC"));
}

TEST_OF(snp_measure, f19)
{
	init_svsm();
	EXPECT_TRUE(same_digest(SVSM "--vars-size 0x10000", SVSM "--vars-size 65536"));
	EXPECT_TRUE(same_digest(SVSM "--vars-size 64K", SVSM "--vars-size 65536"));
	EXPECT_EQ(cli_run(MEASURE SVSM "--vars-size 0x10000X"), 2);
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
TEST_OF(snp_measure, f25_kernel)
{
	init();
	ksft_for_each(item, kernels) {
		uint8_t file[2048] = { [0x1fe] = 0x55, [0x1ff] = 0xaa };

		memcpy(file + item->offset, item->bytes, strlen(item->bytes));
		cli_write("k", file, sizeof(file));
		EXPECT_EQ(cli_run(MEASURE "--kernel k"), 0);
		EXPECT_TRUE(has_sha256("kernel_sha256", file, sizeof(file)));
		if (item->says)
			EXPECT_TRUE(cli_says(item->says));
		else
			EXPECT_EQ(cli_shell("grep -q warning out"), 1);
	}
	EXPECT_TRUE(cli_did(0, "an empty file", MEASURE "--kernel /dev/null"));
	EXPECT_TRUE(cli_did(0, "gmemctl: fw: warning: it is a file",
			    "measure --ovmf fw --vcpu-type EPYC --kernel fw"));
}

/* The CPU is said once: none of the ways wins silently. */
TEST_OF(snp_measure, f25_cpu)
{
	init();
	EXPECT_TRUE(cli_did(2, "not with another one", MEASURE "--vcpu-signature 1"));
	EXPECT_EQ(cli_run(MEASURE "--vcpu-family 25 --vcpu-model 1 --vcpu-stepping 1"), 2);
	EXPECT_EQ(cli_run("measure --firmware fw --vcpu-sig 1 --vcpu-model 1"), 2);
	EXPECT_EQ(cli_run(MEASURE "--vcpu-type EPYC-Milan"), 2);
	EXPECT_TRUE(cli_did(2, "not with another one",
			    "measure --firmware fw --vcpu-sig 1 --vcpu-signature 2"));
	EXPECT_EQ(cli_run("launch --firmware fw --vcpu-type EPYC --vcpu-sig 1"), 2);
}

/* As users of sev-snp-measure type it, and what they read from it. */
TEST_OF(snp_measure, f28_aliases)
{
	init_svsm();
	cli_write("k", "kernel", 6);
	EXPECT_TRUE(same_digest("--vcpu-type EPYC --features 0x21 --kernel k --cmdline quiet",
				"--mode snp --vmm-type QEMU --ovmf fw "
				"--vcpu-sig 0x800f12 --guest-features 0x21 --kernel k "
				"--append quiet"));
	EXPECT_TRUE(same_digest("--vcpu-type EPYC-Milan",
				"--vcpu-family 25 --vcpu-model 1 --vcpu-stepping 1"));
	EXPECT_TRUE(same_digest("--mode snp:svsm " SVSM "--vars-size 0", SVSM "--vars-size 0"));
	EXPECT_EQ(cli_run(MEASURE "--mode seves"), 2);
	EXPECT_EQ(cli_run("measure --firmware fw --vcpu-family 25"), 2);
	EXPECT_EQ(cli_run("measure --firmware fw --vcpu-family 25 --vcpu-model "
			  "256 --vcpu-stepping 1"), 2);
}

TEST_OF(snp_measure, f28_output)
{
	char digest[256], firmware[256];
	init();
	EXPECT_EQ(cli_run(MEASURE), 0);
	cli_get("measurement", "digest", digest, sizeof(digest));
	cli_get("measurement", "firmware", firmware, sizeof(firmware));
	EXPECT_FALSE(cli_run("measure --ovmf fw --vcpu-type EPYC --output-format hex"));
	EXPECT_FALSE(cli_shell("echo %s | cmp - out", digest));
	EXPECT_FALSE(cli_run("measure --ovmf fw --vcpu-type EPYC --output-format base64"));
	EXPECT_FALSE(cli_shell("base64 -d out | od -An -v -tx1 >d && "
			       "printf %s $(cat d) >d && printf %s | cmp - d", "%s", digest));
	EXPECT_FALSE(cli_run("measure --mode snp:ovmf-hash --ovmf fw"));
	EXPECT_FALSE(cli_shell("echo %s | cmp - out", firmware));
	EXPECT_EQ(cli_run(MEASURE "--output-format hex"), 2);
	EXPECT_EQ(cli_run("measure --ovmf fw --vcpu-type EPYC --output-format Hex"), 2);
}

/* With the digest after the firmware its last page, with the metadata, is enough. */
TEST_OF(snp_measure, f28_firmware_digest)
{
	char firmware[256], arguments[512];
	init();
	EXPECT_EQ(cli_run(MEASURE), 0);
	cli_get("measurement", "firmware", firmware, sizeof(firmware));
	EXPECT_FALSE(cli_shell("tail -c 4096 fw >tail"));
	snprintf(arguments, sizeof(arguments), "--vcpu-type EPYC --ovmf tail "
		 "--snp-ovmf-hash %s", firmware);
	EXPECT_TRUE(same_digest("--vcpu-type EPYC", arguments));
	EXPECT_TRUE(cli_has("measurement", "firmware", firmware));
	EXPECT_FALSE(same_digest("--vcpu-type EPYC", "--vcpu-type EPYC --ovmf tail"));
	EXPECT_EQ(cli_run("measure --firmware-digest %s", firmware), 2);
	EXPECT_EQ(cli_run(MEASURE "--firmware-digest 00"), 2);
}

/* The file says all; an option that would be void is refused, and a wrong kind. */
TEST_OF(snp_measure, f28_igvm)
{
	static const char *const options[] = {
		"--kernel k", "--svsm svsm --vars-size 0", "--vmm gce", "--vcpus 2",
		"--vcpu-type EPYC", "--vcpu-sig 0", "--features 1", "--firmware fw",
		"--mode snp:ovmf-hash",
	};
	static struct igvm_build build;
	init_svsm();
	cli_write("order", build.file, igvm_build_order(&build));
	cli_write("i", build.file, igvm_build_svsm(&build));
	EXPECT_FALSE(cli_run("measure --igvm i --json"));
	EXPECT_TRUE(cli_has("measurement", "digest",
			    "41676cc0548bbe92b2cfcb4913dc898a7db0fb4e62d16341"
			    "ee865a28b90616d143aa51d764887be30daeff1647d8c19e"));
	EXPECT_TRUE(cli_has("igvm", "highest_vtl", "2"));
	EXPECT_EQ(cli_shell("grep -q warning out"), 1);
	EXPECT_TRUE(cli_did(0, "41676cc0548bbe92b2cfcb49", "measure --igvm i --output-format hex"));
	EXPECT_TRUE(cli_did(0, "warning: the digest is that of the file", "measure --igvm order"));
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		EXPECT_TRUE(cli_did(2, "not with", "measure --igvm i %s", options[i]));
	EXPECT_TRUE(cli_did(1, "give it with --igvm", "measure --firmware i --vcpu-type EPYC"));
	EXPECT_TRUE(cli_did(1, "does not begin with", "measure --igvm fw"));
	EXPECT_FALSE(cli_shell("head -c 8192 i >cut"));
	EXPECT_EQ(cli_run("measure --igvm cut"), 1);
}

/* An ID block in the file, signed for its digest or for another one */
TEST_OF(snp_measure, f28_igvm_id_block)
{
	static struct igvm_build build;
	init();
	igvm_build_version_2(&build);
	igvm_build_id_block(&build, NULL, NULL);
	cli_write("i", build.file, igvm_build_finish(&build));
	EXPECT_FALSE(cli_run("measure --igvm i --json"));
	EXPECT_TRUE(cli_has("igvm", "id_block_matches", "false"));
	EXPECT_TRUE(cli_says("another launch digest"));
}
