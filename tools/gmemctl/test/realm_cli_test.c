// SPDX-License-Identifier: GPL-2.0
/*
 * `gmemctl realm` as a user runs it: the program itself, with the simulator
 * loaded before the C library.
 */
#include <fcntl.h>

#include "run_case.h"
#include "ksft.h"

/* In the test's folder, with a file of two pages and a half. */
static void in_folder(const struct run_case *cases, size_t count)
{
	int fd;

	ASSERT_FALSE(chdir(ksft_folder()));
	fd = open("image", O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	EXPECT_FALSE(ftruncate(fd, 10000));
	close(fd);
	run_cases(cases, count);
}

#define RUN_ALL(cases) in_folder(cases, sizeof(cases) / sizeof((cases)[0]))

TEST_OF(realm_cli, status)
{
	static const struct run_case cases[] = {
		{ "realm status", "ARM=cca-v14", 0, "a realm can be launched" },
		{ "realm status --json", "ARM=cca-v14", 0, "\"usable\":true" },
		{ "realm status --abi v14", "ARM=cca-v14", 0,
		  "PASS  vm             one was created" },
		{ "realm status", "ARM=plain", 4, "FAIL  capability" },
		{ "realm status", "ARM=other", 4, "capability 249 has another meaning" },
		{ "realm status", "HOST=no-snp", 4, "FAIL  capability" },
		{ "realm status --json", "ARM=plain", 4, "\"usable\":false" },
		{ "realm status --abi v15", "ARM=plain", 2, "expected v14, not" },
		{ "realm status more", "ARM=plain", 2, "unexpected argument" },
	};

	RUN_ALL(cases);
}

TEST_OF(realm_cli, launch)
{
	static const struct run_case cases[] = {
		{ "realm launch", "ARM=cca-v14", 0,
		  "launched: 4096 bytes measured, 0 unmeasured, with 1 calls" },
		{ "realm launch --load image --cpus 4", "ARM=cca-v14", 0,
		  "launched: 12288 bytes measured" },
		{ "realm launch --load image --cpus 4", "ARM=cca-v14 PROGRESS=1", 0,
		  "with 3 calls" },
		{ "realm launch --load image --json", "ARM=cca-v14 PROGRESS=2", 0,
		  "\"populate_calls\":2" },
		{ "realm launch --base 0x80000000 --memory 1G --ipa-bits 40",
		  "ARM=cca-v14", 0, "0x80000000 to 0xc0000000, private" },
		{ "realm launch", "ARM=cca-v14 IPA_BITS=39", 0, "39 bits of guest addresses" },
		/* These are no failures: the rest goes in with another call. */
		{ "realm launch --load image", "ARM=cca-v14 FAIL=rmi-populate:2", 0, "launched: " },
		{ "realm launch --load image", "ARM=cca-v14 FAIL=signal:1", 0, "launched: " },
	};

	RUN_ALL(cases);
}

TEST_OF(realm_cli, failures)
{
	static const struct run_case cases[] = {
		{ "realm launch", "ARM=plain", 4, "249 in CCA v14" },
		{ "realm launch --json", "ARM=plain", 4, "\"errors\":[" },
		{ "realm launch --json", "ARM=cca-v14", 0, "\"measured\":true" },
		{ "realm launch", "ARM=other", 4, "has another meaning" },
		{ "realm launch", "ARM=cca-v14 FAIL=rmi-create:1", 1,
		  "KVM_ARM_RMI_POPULATE: No such device or address; the RMM" },
		{ "realm launch --load image",
		  "ARM=cca-v14 FAIL=rmi-populate:2,rmi-populate:3", 1,
		  "gpa 0x40001000: KVM_ARM_RMI_POPULATE" },
		{ "realm launch", "ARM=cca-v14 FAIL=rmi-populate:1:9", 1,
		  "this is a bug of the kernel" },
		{ "realm launch --cpus 3", "ARM=cca-v14 FAIL=rmi-rec:3", 1,
		  "vCPU 0: KVM_RUN: No such device or address" },
		{ "realm launch", "ARM=cca-v14 FAIL=rmi-ripas:1", 1, "vCPU 0: KVM_RUN" },
		{ "realm launch --json", "ARM=cca-v14 FAIL=rmi-activate:1", 1,
		  "\"state\":\"failed\"" },
		{ "realm launch --memory 4T --ipa-bits 40", "ARM=cca-v14", 1,
		  "private half of the 40-bit guest addresses" },
	};

	RUN_ALL(cases);
}

TEST_OF(realm_cli, run)
{
	static const struct run_case cases[] = {
		{ "realm run --cpus 2", "ARM=cca-v14", 0, "end:         power-off" },
		{ "realm run --trace",
		  "ARM=cca-v14 SCRIPT=fault-shared:0x41000000:2,"
		  "fault-private:0x41000000:1,mmio-read:0x9000000:4", 0,
		  "0x41000000 + 0x1000 to private: done" },
		{ "realm run",
		  "ARM=cca-v14 SCRIPT=fault-shared:0x41000000:2,"
		  "fault-shared:0x41000000:2,mmio-write:0x9000000:4", 0,
		  "1 conversions of 8192 bytes, 1 confirmed, 1 stray" },
		{ "realm run", "ARM=cca-v14 SCRIPT=event:2", 16, "end:         reset" },
		{ "realm run --json", "ARM=cca-v14 SCRIPT=event:3", 17, "\"end\":\"panic\"" },
		{ "realm run", "ARM=cca-v14 SCRIPT=fault-private:0x1000:1", 22,
		  "private access at gpa 0x1000" },
	};

	RUN_ALL(cases);
}

TEST_OF(realm_cli, usage)
{
	static const struct run_case cases[] = {
		{ "realm", "", 2, "sub-command is missing" },
		{ "realm fly", "", 2, "no such sub-command" },
		{ "realm launch more", "", 2, "unexpected argument" },
		{ "realm launch", "ARM=none", 1, "a library in LD_PRELOAD" },
		{ "realm launch --cpus 0", "", 2, "expected 1 to 32" },
		{ "realm launch --cpus 33", "", 2, "expected 1 to 32" },
		{ "realm launch --memory much", "", 2, "not a size" },
		{ "realm launch --base here", "", 2, "not a size or an address" },
		{ "realm launch --load", "", 2, "value is missing" },
		{ "realm launch --load ,at=0", "", 2, "file is missing" },
		{ "realm launch --load f,at=", "", 2, "not a size or an address" },
		{ "realm launch --load f,measured", "", 2, "not 'measured'" },
		{ "realm launch --load /nowhere", "", 1, "/nowhere: open" },
		{ "realm launch --load image --load image --entry 3", "ARM=cca-v14", 1,
		  "0x3 is not a multiple of 4 within the memory" },
		{ "realm launch --memory 0", "ARM=cca-v14", 1, "multiples of the page size" },
		{ "realm launch --base 0x8000000", "ARM=cca-v14", 1, "--base" },
		{ "realm launch --base 0xfffffffffffff000 --memory 1M",
		  "ARM=cca-v14", 1, "memory: place" },
		{ "realm launch --load /dev/null", "ARM=cca-v14", 1, "" },
		{ "help realm", "", 0, "usage: gmemctl realm status" },
		{ "realm launch", "ARM=cca-v13", 1, "" },
	};

	RUN_ALL(cases);
}
