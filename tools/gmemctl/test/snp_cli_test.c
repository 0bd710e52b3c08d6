// SPDX-License-Identifier: GPL-2.0
/*
 * `gmemctl snp` as a user runs it: exit codes, JSON, and files that go from one
 * sub-command to the next.
 */
#include <stdio.h>
#include <unistd.h>
#include <openssl/pem.h>

#include "../base/hex.h"
#include "../snp/measure.h"
#include "cli_run.h"
#include "snp_build.h"
#include "test_key.h"
#include "ksft.h"

static void cli_write_key(struct cli *cli)
{
	EVP_PKEY *key = test_key(TEST_ID_KEY);
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "%s/key.pem", cli->dir);
	file = fopen(path, "wb");
	EXPECT_EQ(PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL), 1);
	fclose(file);
	EVP_PKEY_free(key);
}

static void predict(const uint8_t *data, char text[2 * SNP_DIGEST_SIZE + 1])
{
	struct snp_measurement measurement;
	struct snp_firmware firmware;
	struct snp_image image = {
		.firmware = &firmware, .nr_vcpus = 2, .signature = 0x800f12,
		.features = 1,
	};
	struct error error;

	EXPECT_FALSE(snp_firmware_parse(&firmware, "image", data, BUILD_SIZE, SNP_4G, &error));
	EXPECT_FALSE(snp_measure(&image, &measurement, &error));
	hex_format(measurement.digest, SNP_DIGEST_SIZE, text);
}

#define IMAGE "--firmware fw --vcpu-type EPYC --vcpus 2"

static void check_measure(struct cli *cli)
{
	uint8_t data[BUILD_SIZE];
	char digest[2 * SNP_DIGEST_SIZE + 1];

	build_firmware(data, sizeof(data), build_sections, BUILD_SECTIONS, 0);
	cli_write(cli, "fw", data, sizeof(data));
	predict(data, digest);
	EXPECT_EQ(cli_run(cli, "measure " IMAGE), 0);
	EXPECT_EQ(cli_run(cli, "measure " IMAGE " --json"), 0);
	EXPECT_TRUE(cli_has(cli, "measurement", "digest", digest));
	EXPECT_TRUE(cli_has(cli, "vcpus", "vmm", "qemu"));
	EXPECT_EQ(cli_run(cli, "measure --firmware none --vcpu-type EPYC"), 1);
	EXPECT_EQ(cli_run(cli, "measure --firmware fw"), 2);
	EXPECT_EQ(cli_run(cli, "measure " IMAGE " more"), 2);
	EXPECT_EQ(cli_run(cli, "measure " IMAGE " --initrd fw"), 2);
	EXPECT_EQ(cli_run(cli, "measure --bogus"), 2);
	EXPECT_EQ(cli_run(cli, "nonsense"), 2);
}

static bool cli_exists(struct cli *cli, const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", cli->dir, name);
	return !access(path, F_OK);
}

/* Both files or none (C5, C8): where the second cannot be, the first goes. */
static void check_id_files(struct cli *cli)
{
	static const char *const second[] = { "new", "/dev/null", "a", "no/a" };

	for (size_t i = 0; i < sizeof(second) / sizeof(second[0]); i++) {
		EXPECT_EQ(cli_run(cli,
				  "id-block " IMAGE " --id-key key.pem --id-block new --id-auth %s",
				  second[i]), 1);
		EXPECT_FALSE(cli_exists(cli, "new"));
	}
	EXPECT_EQ(cli_run(cli, "id-check --id-block b --id-auth a " IMAGE), 0);
}

/* 3: another digest or policy, a block that was changed; 1: no such files. */
static void check_id_exit_codes(struct cli *cli)
{
	EXPECT_EQ(cli_run(cli, "id-check --id-block b --id-auth a " IMAGE " --features 0x21"), 3);
	EXPECT_TRUE(cli_says(cli, "b: compare digest"));
	EXPECT_EQ(cli_run(cli, "id-check --id-block b --id-auth a --policy 0xb0000 --json"), 3);
	EXPECT_TRUE(cli_says(cli, "compare policy"));
	EXPECT_FALSE(cli_shell(cli, "{ head -c 95 b; printf '\\377'; } >changed"));
	EXPECT_EQ(cli_run(cli, "id-check --id-block changed --id-auth a"), 3);
	EXPECT_TRUE(cli_says(cli, "ID block: check signature"));
	EXPECT_EQ(cli_run(cli, "id-check --id-block none --id-auth a"), 1);
	EXPECT_EQ(cli_run(cli, "id-check --id-block a --id-auth b"), 1);
	EXPECT_EQ(cli_run(cli, "id-check --id-block b --id-auth fw"), 1);
}

static void check_id(struct cli *cli)
{
	cli_write_key(cli);
	EXPECT_EQ(cli_run(cli,
			  "id-block " IMAGE " --id-key key.pem --id-block b "
			  "--id-auth a --guest-svn 3 --json"),
		  0);
	EXPECT_TRUE(cli_has(cli, NULL, "guest_svn", "3"));
	EXPECT_EQ(cli_run(cli, "id-check --id-block b --id-auth a " IMAGE), 0);
	EXPECT_EQ(cli_run(cli, "id-check --id-block b --id-auth a --policy 0x30000"), 0);
	check_id_exit_codes(cli);
	/* Nothing is overwritten. */
	EXPECT_EQ(cli_run(cli, "id-block " IMAGE " --id-key key.pem --id-block b --id-auth a"),
		  1);
	EXPECT_EQ(cli_run(cli, "id-block " IMAGE " --id-block b --id-auth a"), 2);
	check_id_files(cli);
}

#define ID "snp id-block --digest $(printf %%096d 0) --id-block c --id-auth d "

/* A key comes from a file as every input does: to its end, with a bound. */
TEST_OF(snp, f11)
{
	struct cli cli;

	if (!cli_init(&cli))
		return;
	cli_write_key(&cli);
	EXPECT_FALSE(cli_shell(&cli, "mkfifo p && truncate -s 4G sparse"));
	EXPECT_EQ(cli_shell(&cli, "timeout 4 '%s' " ID "--id-key p >out 2>&1", cli.program), 1);
	EXPECT_TRUE(cli_says(&cli, "p: read"));
	EXPECT_EQ(cli_shell(&cli, "timeout 4 '%s' " ID "--id-key sparse >out 2>&1", cli.program),
		  1);
	EXPECT_TRUE(cli_says(&cli, "sparse: read"));
	EXPECT_EQ(cli_shell(&cli, "timeout 4 '%s' " ID "--id-key /dev/null >out 2>&1",
			    cli.program), 1);
	EXPECT_TRUE(cli_says(&cli, "no private key"));
	EXPECT_EQ(cli_shell(&cli, "{ cat key.pem >p & } && timeout 4 '%s' " ID "--id-key p >out",
			    cli.program), 0);
	cli_free(&cli);
}

#define SIGN "id-block --digest $(printf %%096d 0) --id-key key.pem "

/* Text for QEMU's id-block= and id-auth=, which id-check and launch take, too */
TEST_OF(snp, f28_base64)
{
	struct cli cli;

	if (!cli_init(&cli))
		return;
	cli_write_key(&cli);
	EXPECT_FALSE(cli_run(&cli, SIGN "--id-block b --id-auth a"));
	EXPECT_FALSE(cli_run(&cli, SIGN "--id-block b64 --id-auth a64 --base64"));
	EXPECT_FALSE(cli_shell(&cli, "test $(wc -l <b64) = 1 && test $(wc -l <a64) = 1"));
	EXPECT_FALSE(cli_shell(&cli, "base64 -d b64 | cmp - b"));
	EXPECT_FALSE(cli_shell(&cli, "base64 -d a64 >bin && test $(wc -c <bin) = 4096"));
	EXPECT_FALSE(cli_run(&cli, "id-check --id-block b64 --id-auth a64"));
	EXPECT_FALSE(cli_run(&cli, "id-check --id-block b --id-auth bin"));
	EXPECT_FALSE(cli_shell(&cli, "base64 a >lines && printf %%s $(cat b64) >line"));
	EXPECT_FALSE(cli_run(&cli, "id-check --id-block line --id-auth lines"));
	/* One byte less, one character that is none, the other file */
	EXPECT_FALSE(cli_shell(&cli, "head -c 95 b | base64 >short && tr A _ <a64 >odd"));
	EXPECT_EQ(cli_run(&cli, "id-check --id-block short --id-auth a64"), 1);
	EXPECT_TRUE(cli_says(&cli, "expected 96"));
	EXPECT_EQ(cli_run(&cli, "id-check --id-block b64 --id-auth odd"), 1);
	EXPECT_EQ(cli_run(&cli, "id-check --id-block a64 --id-auth b64"), 1);
	cli_free(&cli);
}

/* One check of a policy, wherever it is given, and words that help. */
TEST_OF(snp, f21)
{
	static const char *const commands[] = {
		"id-block --digest $(printf %%096d 0) --id-block c --id-auth d "
		"--id-key key.pem",
		"launch --firmware fw",
		"id-check --id-block c --id-auth d",
	};
	static const char *const policies[] = {
		"0x300000", "0x10000", "0", "0x8000000000030000",
	};
	struct cli cli;

	if (!cli_init(&cli))
		return;
	cli_write_key(&cli);
	for (unsigned int i = 0; i < 3 * 4; i++) {
		char command[256];

		snprintf(command, sizeof(command), "%s --policy %s",
			 commands[i / 4], policies[i % 4]);
		EXPECT_EQ(cli_run(&cli, command), 2);
		EXPECT_TRUE(cli_says(&cli, i % 4 == 3 ? "reserved" : "bit 17"));
	}
	cli_free(&cli);
}

TEST_OF(snp, cli)
{
	struct cli cli;

	if (!cli_init(&cli))
		return;
	check_measure(&cli);
	check_id(&cli);
	cli_free(&cli);
}
