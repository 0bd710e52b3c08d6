// SPDX-License-Identifier: GPL-2.0
/*
 * `gmemctl snp launch` and `gmemctl run --vm-type snp` as a user runs them: the
 * program itself, with the simulator loaded before the C library.
 */
#include <fcntl.h>
#include <openssl/evp.h>

#include "../snp/measure.h"
#include "cli_run.h"
#include "igvm_build.h"
#include "run_case.h"
#include "snp_build.h"
#include "test_key.h"
#include "ksft.h"

#define MEMORY_FD 77

/* For the commands: memory of the guest, made before it is. */
static void open_memory(off_t size, int number)
{
	int fd = memfd_create("test", 0);

	EXPECT_GE(fd, 0);
	EXPECT_FALSE(ftruncate(fd, size));
	EXPECT_EQ(dup2(fd, number), number);
	close(fd);
}

/* To the test's folder, with what the commands below name */
static void enter(void)
{
	ASSERT_FALSE(chdir(ksft_folder()));
	cli_write_firmware();
	cli_write_key();
	cli_write("certs", "certificates", 12);
	open_memory((64 << 20) + BUILD_SIZE, MEMORY_FD);
}

#define LAUNCH "snp launch --firmware fw"
#define RUN "run --vm-type snp --firmware fw"
#define SIGN "snp id-block --firmware fw --vmm gmemctl --vcpu-signature 0xa00f11 " \
	"--id-key key.pem --vcpus 2 "
#define SIGNED LAUNCH " --cpus 2 --id-block b --id-auth a "

static const struct run_case good[] = {
	{ LAUNCH, "", 0, "launched: 34 pages" },
	{ LAUNCH, "PROFILE=6.12 PROGRESS=1", 0, "launched: 34 pages" },
	{ LAUNCH " --cpus 4 --vcpu-type EPYC-Milan --json", "", 0, "\"SNP_LAUNCH_FINISH\"" },
	{ LAUNCH " --memory 64M,kind=private --policy 0xb0000", "", 0, "policy 0xb0000" },
	{ LAUNCH " --kernel key.pem --append quiet", "", 0, "NORMAL" },
	{ LAUNCH " --memory 5G", "FAIL=again:2", 0, "launched: 34 pages" },
	{ LAUNCH " --certs certs", "", 0, "launched" },
	{ LAUNCH " --memory 64M,fd=77", "", 0, "launched: 34 pages" },
	{ SIGN "--id-block b --id-auth a", "", 0, "id_key_digest" },
	{ SIGNED "--host-data-file fw", "", 0, "ID block, host data" },
	{ "snp id-check --id-block b --id-auth a", "", 0, "" },
	{ SIGN "--id-block b64 --id-auth a64 --base64", "", 0, "id_key_digest" },
	{ LAUNCH " --cpus 2 --id-block b64 --id-auth a64", "", 0, "ID block" },
};

/* On hosts with both kernels */
#define LAUNCH_ON(settings, code, says)				\
	{ LAUNCH " --cpus 2", settings, code, says },		\
	{ LAUNCH " --cpus 2", "PROFILE=6.12 " settings, code, says }

static const struct run_case bad[] = {
	LAUNCH_ON("HOST=no-snp", 4, "VM type KVM_X86_SNP_VM: Operation not supported"),
	{ LAUNCH, "HOST=no-dev-sev", 4, "/dev/sev: open" },
	LAUNCH_ON("ASIDS=0", 1, "INIT2: Device or resource busy; no ASID is free"),
	LAUNCH_ON("HOST=psp-dead", 1, "SNP_LAUNCH_START: Inappropriate ioctl"),
	LAUNCH_ON("FAIL=gctx-create:1:0x3", 1, "firmware error 0x3 INVALID_CONFIG"),
	LAUNCH_ON("FAIL=start:1:0x17", 1, "firmware error 0x17 RESOURCE_LIMIT"),
	LAUNCH_ON("FAIL=activate:1:0xc", 1, "firmware error 0xc"),
	LAUNCH_ON("FAIL=update:1:0x10", 1, "firmware error 0x10"),
	/* The firmware still means it when the rest is asked for. */
	LAUNCH_ON("FAIL=update:2:0x10,update:3:0x10", 1, "firmware error 0x10"),
	{ LAUNCH, "FAIL=update:5:0x1a,update:6:0x1a", 1,
	  "ZERO page at gpa 0x802000: SNP_LAUNCH_UPDATE, firmware error 0x1a "
	  "INVALID_PAGE_STATE" },
	LAUNCH_ON("FAIL=signal:1", 1, "KVM does not report the cause"),
	LAUNCH_ON("FAIL=finish:1:0xb", 1, "firmware error 0xb BAD_MEASUREMENT"),
	/* These are no failures: the rest goes in with another call. */
	LAUNCH_ON("FAIL=update:2:0x10", 0, "launched: "),
	LAUNCH_ON("FAIL=signal:2", 0, "launched: "),
	LAUNCH_ON("FAIL=again:1", 0, "launched: "),
	{ LAUNCH " --features 0x201", "PROFILE=6.12", 4, "does not support the bits 0x200" },
	{ LAUNCH " --policy 0x130000", "PROFILE=6.12", 1, "clear the bits 0x1" },
	{ LAUNCH " --certs certs", "PROFILE=6.12", 4, "REQ_CERTS" },
	{ LAUNCH " --memory 4M", "", 1, "give the guest more" },
	/* C22 */
	{ LAUNCH " --memory 300T", "", 1, "guest addresses of 48 bits" },
	{ SIGNED "--policy 0xb0000", "", 1, "compare policy" },
	{ SIGNED "--vcpu-type EPYC", "", 1, "compare digest" },
	{ LAUNCH " --id-block fw --id-auth a", "", 1, "expected 96" },
	{ LAUNCH " --certs none", "", 1, "none" },
	{ LAUNCH " --memory 64M,fd=78", "", 1, "Bad file descriptor" },
	{ LAUNCH " --memory 32M,fd=77", "", 1, "memory backing file has size" },
	{ "snp launch --firmware none", "", 1, "none" },
	{ "snp launch --firmware key.pem", "", 1, "key.pem" },
};

static const struct run_case usage[] = {
	{ "snp launch", "", 2, "--firmware" },
	{ LAUNCH " --id-block b", "", 2, "--id-auth" },
	{ LAUNCH " --cpus 33", "", 2, "--cpus" },
	{ LAUNCH " --cpus 0", "", 2, "--cpus" },
	{ LAUNCH " --memory 64M,kind=gmem", "", 2, "not for SNP" },
	{ LAUNCH " --memory kind=hugetlb --conversion handover", "", 2, "--conversion" },
	{ LAUNCH " --conversion copy", "", 2, "expected discard or handover" },
	{ LAUNCH " --host-data 00", "", 2, "64 hexadecimal" },
	{ LAUNCH " --vmm qemu", "", 2, "" },
	{ LAUNCH " more", "", 2, "more" },
	{ "run --memory 64M,fd=77", "", 2, "fd= is not for this guest" },
	{ "run --vm-type tdx", "", 2, "expected default or snp" },
	{ "run --vm-type", "", 2, "value is missing" },
	{ "run --vm-type=snp", "", 2, "--firmware" },
};

static const struct run_case runs[] = {
	{ RUN, "SCRIPT=map-shared:0x200000:4,fault-private:0x201000:1,"
	  "term:0x21100", 19, "set 1, reason 2: PVALIDATE has failed" },
	{ RUN " --json", "SCRIPT=map-shared:0x200000:4,shutdown", 18, "\"converted_bytes\":16384" },
	{ RUN " --certs certs --trace", "SCRIPT=map-shared:0x200000:1,"
	  "certs:0x200000:1,certs:0x200000:0,shutdown", 18,
	  "1 pages: No space left" },
	{ RUN, "SCRIPT=map-private:0x90000000:4,reset-hold,shutdown", 18, "1 requests refused" },
	{ RUN, "SCRIPT=reset-hold,term:0x1100", 19, "end:         system-event" },
	{ RUN, "SCRIPT=certs:0x5000:4,term:0x1100", 19, "end:         system-event" },
	{ RUN, "SCRIPT=0/map-shared:0x3000:1,0/fault-private:0x3000:1,0/shutdown", 18,
	  "1 implicit conversions" },
	{ RUN, "SCRIPT=fault-private:0x200000:1", 22, "private access" },
	{ RUN, "FAIL=signal:9 SCRIPT=shutdown", 18, "triple-fault" },
};

/* f27: a CPUID page that the firmware refuses, tried as a user can. */
static const struct run_case cpuid[] = {
	{ LAUNCH, "CPUID=0x7.0:ebx:0x219c97eb", 0,
	  "leaf 0x7.0 EBX: 0x219c97e9, but the firmware requires 0x219c97a9" },
	{ LAUNCH " --cpuid-strict", "CPUID=0x7:ebx:0x219c97eb", 1,
	  "the firmware requires other values for 1 registers" },
	{ LAUNCH " --json", "CPUID=0x8000001d.3:eax:0x5,0x7.0:ecx:0xffffffff", 0,
	  "\"cpuid_corrections\":2" },
	/* Fewer bits than the CPU has are no concern of the firmware. */
	{ LAUNCH " --cpuid-strict", "CPUID=0x7.0:ebx:0", 0, "launched" },
	{ LAUNCH, "CPUID=0x7.0:ebx:0x219c97eb FAIL=update:16:0x16", 1,
	  "refuses it and returns no other values" },
	{ LAUNCH, "CPUID=0x7:xmm:1", 1, "LEAF[.INDEX]:REGISTER:VALUE" },
	{ LAUNCH, "CPUID=0x7:ebx", 1, "LEAF[.INDEX]:REGISTER:VALUE" },
	{ LAUNCH, "CPUID=0x7.:ebx:1", 1, "LEAF[.INDEX]:REGISTER:VALUE" },
};

#define IGVM "snp launch --igvm "
#define IGVM_SIGN "snp id-block --id-key key.pem --igvm "

/*
 * f28: the simulator has a digest of its own: it takes an ID block of the one that
 * was computed from the file only if both are the same.
 */
static const struct run_case igvm[] = {
	{ IGVM "svsm", "", 0, "launched: 524 pages" },
	{ IGVM "svsm --json", "PROFILE=6.12 PROGRESS=1", 0, "524" },
	{ IGVM "svsm --json", "PROFILE=6.12 PROGRESS=1", 0, "\"gpa\":" },
	{ IGVM_SIGN "svsm --id-block bs --id-auth as", "", 0, "41676cc0548b" },
	{ IGVM "svsm --id-block bs --id-auth as --memory 16M", "", 0, "ID block" },
	{ IGVM_SIGN "two --policy 0xb0000 --id-block b2 --id-auth a2", "", 0, "cd2813f7ee63" },
	/* The policy is the file's, unless it is said. */
	{ IGVM "two --id-block b2 --id-auth a2", "", 0, "policy 0xb0000" },
	{ IGVM "two --id-block b2 --id-auth a2 --policy 0x30000", "", 1, "compare policy" },
	{ IGVM "svsm --id-block b2 --id-auth a2", "", 1, "compare digest" },
	{ IGVM "signed", "", 0, "ID block" },
	{ IGVM "far", "", 0, "launched: 3 pages" },
	{ "run --vm-type snp --igvm svsm", "SCRIPT=map-shared:0x400000:1,shutdown",
	  18, "triple-fault" },
	/* What KVM or gmemctl cannot do */
	{ IGVM "order", "", 4, "a page comes after a VMSA" },
	{ IGVM "shared", "", 4, "shared with the host" },
	{ IGVM "debug", "", 4, "the VMSA of vCPU 0: byte 0x162" },
	{ IGVM "vmpl", "", 4, "byte 0xca" },
	{ IGVM "features", "", 4, "the SEV features of vCPU 1 differ" },
	{ IGVM "tree", "", 4, "type 0x312 is not made" },
	{ IGVM "narrow", "", 1, "type 0x30c does not fit" },
	{ IGVM "svsm --cpus 2", "", 2, "--cpus: not with --igvm" },
	{ IGVM "svsm --firmware fw", "", 2, "--igvm: not with --firmware" },
	{ IGVM "svsm --kernel fw", "", 2, "--kernel: not with --igvm" },
	{ LAUNCH "", "", 0, "launched" },
	{ "snp launch --firmware svsm", "", 1, "give it with --igvm" },
};

static struct igvm_build build;

static void write_igvm(const char *name)
{
	size_t size = igvm_build_finish(&build);

	cli_write(name, build.file, size);
}

/* One page, and two vCPUs of which one has a byte that is not as usual */
static void write_vcpus(const char *name, unsigned int vcpu, unsigned int at, uint8_t value)
{
	uint8_t vmsa[4096];

	igvm_build_start(&build, 1);
	igvm_build_platform(&build, IGVM_SNP, 0, 2);
	igvm_build_page(&build, 0x1000, 1, 0, 0, IGVM_SNP);
	for (uint16_t i = 0; i < 2; i++) {
		igvm_build_vmsa(vmsa, 0x1000);
		if (i == vcpu)
			vmsa[at] = value;
		igvm_build_vcpu(&build, i, vmsa, IGVM_VMSA_GPA);
	}
	write_igvm(name);
}

/* A parameter that is not made, or has no room; or a page that is shared */
static void write_odd(const char *name, uint32_t parameter, uint32_t flags)
{
	uint8_t vmsa[4096];

	igvm_build_start(&build, 1);
	igvm_build_platform(&build, IGVM_SNP, 0, 2);
	igvm_build_area(&build, 0, 0x1000, 0);
	igvm_build_parameter(&build, parameter, 0, 0x1000 - 24);
	igvm_build_insert(&build, 0x2000, 0);
	igvm_build_page(&build, 0x1000, 1, 0, flags, IGVM_SNP);
	igvm_build_vmsa(vmsa, 0x1000);
	igvm_build_vcpu(&build, 0, vmsa, IGVM_VMSA_GPA);
	write_igvm(name);
}

/* With an ID block in it that is of this file */
static void write_signed(void)
{
	struct snp_image image = { 0 };
	struct snp_id_block block = { .version = 1, .policy = 0xb0000 };
	size_t size = igvm_build_version_2(&build);
	struct snp_measurement measurement;
	EVP_PKEY *key = test_key(TEST_ID_KEY), *author = test_key(TEST_AUTHOR_KEY);
	struct snp_id_auth auth;
	struct snp_igvm file;
	struct error error;

	EXPECT_FALSE(snp_igvm_parse(&file, "signed", build.file, size, &error));
	image.igvm = &file;
	EXPECT_FALSE(snp_measure(&image, &measurement, &error));
	snp_igvm_free(&file);
	memcpy(block.digest, measurement.digest, SNP_DIGEST_SIZE);
	EXPECT_FALSE(snp_id_auth_create(&auth, &block, key, author, &error));
	igvm_build_id_block(&build, &block, &auth);
	write_igvm("signed");
	EVP_PKEY_free(author);
	EVP_PKEY_free(key);
}

TEST_OF(launch_cli, f28_igvm)
{
	uint8_t vmsa[4096];

	enter();
	igvm_build_svsm(&build);
	write_igvm("svsm");
	igvm_build_version_2(&build);
	write_igvm("two");
	igvm_build_order(&build);
	write_igvm("order");
	/* Where coconut-svsm has its kernel: memory beside the guest's RAM */
	igvm_build_start(&build, 1);
	igvm_build_platform(&build, IGVM_SNP, 2, 2);
	igvm_build_page(&build, UINT64_C(0x8000000000), 1, 0, 0, IGVM_SNP);
	igvm_build_page(&build, 0xfff00000, 2, 0, 0, IGVM_SNP);
	igvm_build_vmsa(vmsa, 0xfff00000);
	igvm_build_vcpu(&build, 0, vmsa, IGVM_VMSA_GPA);
	write_igvm("far");
	write_vcpus("debug", 0, 0x162, 1);
	write_vcpus("vmpl", 0, 0xca, 2);
	write_vcpus("features", 1, 0x3b0, 0x21);
	write_odd("shared", 0x307, 4);
	write_odd("tree", 0x312, 0);
	write_odd("narrow", 0x30c, 0);
	write_signed();
	RUN_CASES(igvm);
}

TEST_OF(launch_cli, f27)
{
	enter();
	RUN_CASES(cpuid);
}

TEST_OF(launch_cli, launch)
{
	enter();
	RUN_CASES(good);
	RUN_CASES(bad);
}

TEST_OF(launch_cli, usage)
{
	enter();
	RUN_CASES(usage);
}

TEST_OF(launch_cli, run)
{
	enter();
	RUN_CASES(runs);
}
