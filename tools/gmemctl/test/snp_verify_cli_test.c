// SPDX-License-Identifier: GPL-2.0
/* `gmemctl snp verify` as a user runs it: files, exit codes, words, JSON. */
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "../base/hex.h"
#include "cli_run.h"
#include "test_certs.h"
#include "ksft.h"

#define DIGEST "--measurement $(cat digest) "
#define CERTS "--cert leaf --chain chain "
#define TRUST "--root $(cat root) --time 2025-06-15 "
#define GOOD "verify report " CERTS DIGEST TRUST

static void write_hex(const char *name, const uint8_t *bytes, size_t size)
{
	char text[2 * SNP_EXPECT_BYTES + 1];

	hex_format(bytes, size, text);
	cli_write(name, text, strlen(text));
}

/* report, leaf, chain, extended (a report with its certificates), root, digest */
static void files_init(void)
{
	static const struct test_certs_kind vcek;
	uint8_t digest[SNP_SHA256_SIZE], extended[SNP_REPORT_SIZE + 8192];
	struct test_certs certs;
	struct snp_report report;
	size_t size;

	cli_init();
	test_certs_make(&certs, &vcek);
	test_report(&report, false, certs.key);
	cli_write("report", &report, sizeof(report));
	cli_write("leaf", certs.leaf, certs.leaf_size);
	cli_write("chain", certs.chain, certs.chain_size);
	memcpy(extended, &report, sizeof(report));
	size = test_certs_table(&certs, extended + sizeof(report));
	cli_write("extended", extended, sizeof(report) + size);
	size = test_certs_crl(&certs, certs.certs[TEST_INTERMEDIATE], TEST_TIME, extended);
	cli_write("crl", extended, size);
	EXPECT_TRUE(X509_digest(certs.certs[TEST_ROOT], EVP_sha256(), digest, NULL));
	write_hex("root", digest, sizeof(digest));
	write_hex("digest", report.measurement, sizeof(report.measurement));
	test_certs_free(&certs);
}

/* A forged chain is not taken for AMD's, in text and in JSON. */
TEST_OF(snp, f2_cli)
{
	files_init();
	EXPECT_TRUE(cli_did(0, "verified\n", GOOD));
	EXPECT_TRUE(cli_did(3, "FAIL  root", "verify report " CERTS DIGEST "--time 2025-06-15"));
	EXPECT_EQ(cli_run("verify report " CERTS DIGEST "--time 2025-06-15 --json"), 3);
	EXPECT_TRUE(cli_has(NULL, "verified", "false"));
	EXPECT_EQ(cli_run(GOOD "--json"), 0);
	EXPECT_TRUE(cli_has(NULL, "verified", "true"));
	EXPECT_TRUE(cli_did(3, "FAIL  revocation", GOOD "--crl crl"));
}

/* 3: do not trust it; 2: asked wrongly; 1: could not be looked at. */
TEST_OF(snp, f26_exit_codes)
{
	static const struct {
		const char *command;
		int code;
		const char *says;
	} cases[] = {
		{ GOOD "--vmpl 1", 3, "do not trust" },
		{ "verify report " CERTS DIGEST "--root $(cat root)", 3,
		  "of chain: certificate has expired; it is valid from 2025" },
		{ "verify report --cert leaf " DIGEST TRUST, 2, "--chain" },
		{ "verify report --chain chain " DIGEST TRUST, 2, "--cert" },
		{ "verify report --cert leaf --chain leaf " DIGEST TRUST, 3,
		  "'SEV-VCEK' of leaf names 'SEV-Test'" },
		{ "verify report " CERTS TRUST, 2, "--measurement" },
		{ "verify report " CERTS TRUST "--id-key-digest "
		  "$(printf %%096d 0)", 2, "--measurement" },
		{ "verify " CERTS DIGEST TRUST, 2, "REPORT" },
		{ GOOD "report", 2, "unexpected argument" },
		/* Not a word that does not count */
		{ GOOD "--vcpus 2", 2, "--vcpus has an effect only with" },
		{ GOOD "--vcpu-type EPYC", 2, "--vcpu-type has an effect only with" },
		{ GOOD "--features 0x21", 2, "--features has an effect only with" },
		{ GOOD "--vmm ec2", 2, "--vmm has an effect only with" },
		{ GOOD "--kernel leaf", 2, "--kernel has an effect only with" },
		{ GOOD "--initrd leaf", 2, "--initrd has an effect only with" },
		{ GOOD "--vars-size 0", 2, "--vars-size has an effect only with" },
		{ GOOD "--vmpl 4", 2, "0 to 3, or host, not '4'" },
		{ GOOD "--vmpl 0 --vmpl 0", 2, "given twice" },
		{ GOOD "--time 2025-06-31", 2, "--time" },
		{ GOOD "--root 00", 2, "64 hexadecimal digits" },
		{ "verify none " CERTS DIGEST TRUST, 1, "none: open" },
		{ "verify report --cert none --chain chain " DIGEST, 1, "none" },
		{ "verify report --cert leaf --chain none " DIGEST, 1, "none" },
		{ GOOD "--crl none", 1, "none: open" },
		{ GOOD "--expect none", 1, "none: open" },
		{ GOOD "--host-data-file none", 1, "none: open" },
		{ "verify leaf " CERTS DIGEST TRUST, 1, "leaf: parse report" },
		{ "verify report --cert chain --chain chain " DIGEST TRUST, 1,
		  "chain: read certificate" },
		{ "verify report --cert report --chain chain " DIGEST, 1,
		  "report: read certificates" },
		{ "verify report --cert leaf --chain report " DIGEST, 1,
		  "report: read certificates" },
		{ GOOD "--crl leaf", 1, "leaf: read revocation lists" },
		{ GOOD "--expect leaf", 1, "leaf: read expectations" },
	};
	files_init();
	ksft_for_each(c, cases) {
		EXPECT_TRUE(cli_did(c->code, c->says, c->command));
		ksft_part("%s", c->command);
	}
}

/* Every line of the table is an option that help has, also in JSON. */
TEST_OF(snp, expect_help)
{
	static const char *const runs[] = { "verify --help", "verify --help --json" };
	cli_init();
	for (unsigned int i = 0; i < 2 * SNP_EXPECT_NR; i++) {
		char option[SNP_EXPECT_NAME_SIZE + 3] = "--";

		if (i % SNP_EXPECT_NR == 0)
			EXPECT_EQ(cli_run("%s", runs[i / SNP_EXPECT_NR]), 0);
		snp_expect_option((enum snp_expect_id)(i % SNP_EXPECT_NR), option + 2);
		EXPECT_TRUE(cli_says(strcat(option, " ")));
	}
}

/* What the command line says comes before what the file says. */
TEST_OF(snp, f2b_cli)
{
	files_init();
	EXPECT_FALSE(cli_shell("printf '{\"root\": \"%%s\", \"time\": "
			       "\"2025-06-15\", \"measurement\": [\"%%s\"], \"vmpl\": 0,"
			       " \"min_firmware\": \"1.55\"}' $(cat root) $(cat digest) >wants"));
	EXPECT_TRUE(cli_did(0, "pass  firmware", "verify report " CERTS "--expect wants"));
	EXPECT_EQ(cli_run("verify report " CERTS "--expect wants --vmpl 1"), 3);
	EXPECT_EQ(cli_run("verify report " CERTS "--expect wants --time 2026-01-01"), 3);
	EXPECT_EQ(cli_run("verify report " CERTS "--expect wants --expect wants"), 2);
	EXPECT_FALSE(cli_shell("sed -i s/min_f/minf/ wants"));
	EXPECT_TRUE(cli_did(1, "minfirmware", "verify report " CERTS "--expect wants --json"));
	EXPECT_FALSE(cli_shell("printf '{\"id_key_digest\": \"%%0192d\"}' 4 "
			       "| sed 's/0\\{96\\}//; s/^/ /' >wants"));
	EXPECT_TRUE(cli_did(3, "FAIL  id_key_digest",
			    "verify report " CERTS TRUST "--expect wants"));
}

/* Every file may be a pipe, and has an end. */
TEST_OF(snp, f12_verify)
{
	static const char *const files[] = {
		"verify %s " CERTS DIGEST, "verify report --cert %s " DIGEST,
		"verify report --cert leaf --chain %s " DIGEST,
		GOOD "--crl %s", GOOD "--expect %s", GOOD "--host-data-file %s",
	};
	files_init();
	EXPECT_FALSE(cli_shell("truncate -s 4G sparse && mkfifo fifo"));
	EXPECT_FALSE(cli_shell("cat report | '%s' snp verify - " CERTS DIGEST TRUST ">out",
			       cli_program));
	EXPECT_FALSE(cli_shell("{ cat chain >fifo & } && '%s' snp verify report "
			       "--cert leaf --chain fifo " DIGEST TRUST ">out", cli_program));
	EXPECT_FALSE(cli_shell("cat leaf | '%s' snp verify report --cert "
			       "/proc/self/fd/0 --chain chain " DIGEST TRUST ">out", cli_program));
	ksft_for_each(item, files) {
		EXPECT_TRUE(cli_did(1, "sparse: read", *item, "sparse"));
		EXPECT_EQ(cli_run(*item, "."), 1);
	}
	/* /proc has files whose size is 0: they are read, and are no report. */
	EXPECT_TRUE(cli_did(1, "it has 6 bytes", "verify /proc/sys/kernel/ostype " CERTS DIGEST));
}

/* No character of a file's name is cut in two, however long that is. */
TEST_OF(snp, f26_long_names)
{
	files_init();
	EXPECT_FALSE(cli_shell("d=$(printf '\303\251%%.0s' $(seq 120)) && "
			       "mkdir -p $d/$d/$d && cp leaf chain crl $d/$d/$d && "
			       "echo $d/$d/$d >name"));
	for (unsigned int i = 0; i < 2; i++) {
		/* An odd number of bytes more: the cut is elsewhere. */
		EXPECT_FALSE(cli_shell("sed -i s,^,%s, name", i ? ".//" : ""));
		EXPECT_EQ(cli_run("verify report --cert $(cat name)/leaf "
				  "--chain $(cat name)/chain --crl $(cat name)/crl " DIGEST), 3);
		EXPECT_FALSE(cli_shell("iconv -f UTF-8 -t UTF-8 out >/dev/null"));
	}
}

/* A report that brings its certificates, from a pipe: nothing else is needed. */
TEST_OF(snp, f28_cli)
{
	files_init();
	EXPECT_EQ(cli_run("verify extended " DIGEST TRUST), 0);
	EXPECT_EQ(cli_run("verify - " DIGEST TRUST "<extended"), 0);
	EXPECT_EQ(cli_run("verify extended --cert leaf --chain chain " DIGEST TRUST), 0);
	EXPECT_FALSE(cli_shell("tail -c +1185 extended >table"));
	EXPECT_EQ(cli_run("verify report --cert table " DIGEST TRUST), 0);
	EXPECT_FALSE(cli_shell("head -c 2000 extended >cut"));
	EXPECT_TRUE(cli_did(1, "certificate table", "verify cut " DIGEST TRUST));
}
