// SPDX-License-Identifier: GPL-2.0
/*
 * `gmemctl snp` as a user runs it: exit codes, JSON, and files that go from one
 * sub-command to the next.
 */
#include "../base/hex.h"
#include "../snp/measure.h"
#include "cli_run.h"
#include "snp_build.h"
#include "ksft.h"

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

static void check_measure(void)
{
	uint8_t data[BUILD_SIZE];
	char digest[2 * SNP_DIGEST_SIZE + 1];

	build_firmware(data, sizeof(data), build_sections, BUILD_SECTIONS, 0);
	cli_write("fw", data, sizeof(data));
	predict(data, digest);
	EXPECT_EQ(cli_run("measure " IMAGE), 0);
	EXPECT_EQ(cli_run("measure " IMAGE " --json"), 0);
	EXPECT_TRUE(cli_has("measurement", "digest", digest));
	EXPECT_TRUE(cli_has("vcpus", "vmm", "qemu"));
	EXPECT_EQ(cli_run("measure --firmware none --vcpu-type EPYC"), 1);
	EXPECT_EQ(cli_run("measure --firmware fw"), 2);
	EXPECT_EQ(cli_run("measure " IMAGE " more"), 2);
	EXPECT_EQ(cli_run("measure " IMAGE " --initrd fw"), 2);
	EXPECT_EQ(cli_run("measure --bogus"), 2);
	EXPECT_EQ(cli_run("nonsense"), 2);
}

/* Both files or none (C5, C8): where the second cannot be, the first goes. */
static void check_id_files(void)
{
	static const char *const second[] = { "new", "/dev/null", "a", "no/a" };

	ksft_for_each(item, second) {
		EXPECT_EQ(cli_run("id-block " IMAGE " --id-key key.pem --id-block new --id-auth %s",
				  *item), 1);
		EXPECT_NE(access("new", F_OK), 0);
	}
	EXPECT_EQ(cli_run("id-check --id-block b --id-auth a " IMAGE), 0);
}

/* 3: another digest or policy, a block that was changed; 1: no such files. */
static void check_id_exit_codes(void)
{
	EXPECT_TRUE(cli_did(3, "b: compare digest",
			    "id-check --id-block b --id-auth a " IMAGE " --features 0x21"));
	EXPECT_TRUE(cli_did(3, "compare policy",
			    "id-check --id-block b --id-auth a --policy 0xb0000 --json"));
	EXPECT_FALSE(cli_shell("{ head -c 95 b; printf '\\377'; } >changed"));
	EXPECT_TRUE(cli_did(3, "ID block: check signature",
			    "id-check --id-block changed --id-auth a"));
	EXPECT_EQ(cli_run("id-check --id-block none --id-auth a"), 1);
	EXPECT_EQ(cli_run("id-check --id-block a --id-auth b"), 1);
	EXPECT_EQ(cli_run("id-check --id-block b --id-auth fw"), 1);
}

static void check_id(void)
{
	cli_write_key();
	EXPECT_EQ(cli_run("id-block " IMAGE " --id-key key.pem --id-block b "
			  "--id-auth a --guest-svn 3 --json"), 0);
	EXPECT_TRUE(cli_has(NULL, "guest_svn", "3"));
	EXPECT_EQ(cli_run("id-check --id-block b --id-auth a " IMAGE), 0);
	EXPECT_EQ(cli_run("id-check --id-block b --id-auth a --policy 0x30000"), 0);
	check_id_exit_codes();
	/* Nothing is overwritten. */
	EXPECT_EQ(cli_run("id-block " IMAGE " --id-key key.pem --id-block b --id-auth a"), 1);
	EXPECT_EQ(cli_run("id-block " IMAGE " --id-block b --id-auth a"), 2);
	check_id_files();
}

#define ID "snp id-block --digest $(printf %%096d 0) --id-block c --id-auth d "

/* A key comes from a file as every input does: to its end, with a bound. */
TEST_OF(snp, f11)
{
	cli_init();
	cli_write_key();
	EXPECT_FALSE(cli_shell("mkfifo p && truncate -s 4G sparse"));
	EXPECT_EQ(cli_shell("timeout 4 '%s' " ID "--id-key p >out 2>&1", cli_program), 1);
	EXPECT_TRUE(cli_says("p: read"));
	EXPECT_EQ(cli_shell("timeout 4 '%s' " ID "--id-key sparse >out 2>&1", cli_program), 1);
	EXPECT_TRUE(cli_says("sparse: read"));
	EXPECT_EQ(cli_shell("timeout 4 '%s' " ID "--id-key /dev/null >out 2>&1", cli_program), 1);
	EXPECT_TRUE(cli_says("no private key"));
	EXPECT_EQ(cli_shell("{ cat key.pem >p & } && timeout 4 '%s' " ID "--id-key p >out",
			    cli_program), 0);
}

#define SIGN "id-block --digest $(printf %%096d 0) --id-key key.pem "

/* Text for QEMU's id-block= and id-auth=, which id-check and launch take, too */
TEST_OF(snp, f28_base64)
{
	cli_init();
	cli_write_key();
	EXPECT_FALSE(cli_run(SIGN "--id-block b --id-auth a"));
	EXPECT_FALSE(cli_run(SIGN "--id-block b64 --id-auth a64 --base64"));
	EXPECT_FALSE(cli_shell("test $(wc -l <b64) = 1 && test $(wc -l <a64) = 1"));
	EXPECT_FALSE(cli_shell("base64 -d b64 | cmp - b"));
	EXPECT_FALSE(cli_shell("base64 -d a64 >bin && test $(wc -c <bin) = 4096"));
	EXPECT_FALSE(cli_run("id-check --id-block b64 --id-auth a64"));
	EXPECT_FALSE(cli_run("id-check --id-block b --id-auth bin"));
	EXPECT_FALSE(cli_shell("base64 a >lines && printf %%s $(cat b64) >line"));
	EXPECT_FALSE(cli_run("id-check --id-block line --id-auth lines"));
	/* One byte less, one character that is none, the other file */
	EXPECT_FALSE(cli_shell("head -c 95 b | base64 >short && tr A _ <a64 >odd"));
	EXPECT_TRUE(cli_did(1, "expected 96", "id-check --id-block short --id-auth a64"));
	EXPECT_EQ(cli_run("id-check --id-block b64 --id-auth odd"), 1);
	EXPECT_EQ(cli_run("id-check --id-block a64 --id-auth b64"), 1);
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
	cli_init();
	cli_write_key();
	for (unsigned int i = 0; i < 3 * 4; i++) {
		char command[256];

		snprintf(command, sizeof(command), "%s --policy %s",
			 commands[i / 4], policies[i % 4]);
		EXPECT_TRUE(cli_did(2, i % 4 == 3 ? "reserved" : "bit 17", command));
	}
}

TEST_OF(snp, cli)
{
	cli_init();
	check_measure();
	check_id();
}
