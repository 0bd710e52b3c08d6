// SPDX-License-Identifier: GPL-2.0
/*
 * Hot-plug and unplug of memory and CPUs while a Linux guest of QEMU, under `gmemctl
 * exec`, has private memory. New memory can be private if it is gmem's.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "qemu_test.h"
#include "qmp.h"

#define TIMEOUT	400
#define QMP	"/tmp/exec-qmp"
#define PLACE	"0x100000000"	/* above 4 GiB, where QEMU puts the first DIMM */
#define DIMM_BYTES "134217728"
#define PART	"2M"
#define PART_BYTES (UINT64_C(2) << 20)

static struct qemu qemu;
static char text[8192];
static int qmp;

#define CONTROL(...) qemu_control(text, sizeof(text), __VA_ARGS__)

static void must(const char *command)
{
	if (!qmp_ask(qmp, command, text, sizeof(text))) {
		TH_LOG("%s: %s", command, text);
		ASSERT_TRUE(!"QEMU does it");
	}
}

static uint64_t stat_number(const char *key)
{
	EXPECT_EQ(0, CONTROL("stat", QEMU_GUEST_NAME, "--json"));
	return json_number(text, key);
}

static void dimm_add(const char *backend, const char *id)
{
	char words[192];

	snprintf(words, sizeof(words), "{\"execute\":\"object-add\",\"arguments\":{\"qom-type\":"
		 "\"%s\",\"id\":\"m%s\",\"size\":" DIMM_BYTES "}}", backend, id);
	must(words);
	snprintf(words, sizeof(words), "{\"execute\":\"device_add\",\"arguments\":{\"driver\":"
		 "\"pc-dimm\",\"id\":\"%s\",\"memdev\":\"m%s\"}}", id, id);
	must(words);
}

static void cpu_add(const char *id)
{
	char words[192];

	snprintf(words, sizeof(words), "{\"execute\":\"device_add\",\"arguments\":{\"driver\":"
		 "\"host-x86_64-cpu\",\"id\":\"%s\",\"socket-id\":1,\"core-id\":0,"
		 "\"thread-id\":0}}", id);
	must(words);
}

/* Ask the guest to release a device, and wait until it is removed. */
static void device_del(const char *id, const char *query)
{
	char words[96], key[32];

	snprintf(words, sizeof(words), "{\"execute\":\"device_del\",\"arguments\":{\"id\":\"%s\"}}",
		 id);
	snprintf(key, sizeof(key), "/%s\"", id);
	must(words);
	snprintf(words, sizeof(words), "{\"execute\":\"%s\"}", query);
	for (unsigned int i = 0; i < QEMU_WAIT_S * 10; i++) {
		must(words);
		if (!strstr(text, strcmp(query, "query-cpus-fast") ? "\"id\"" : key))
			return;
		usleep(100000);
	}
	TH_LOG("%s", text);
	EXPECT_TRUE(!"it is gone");
}

/* RAM that is not a gmem fd cannot be private: convert fails with this reason. */
static void memory(void)
{
	uint64_t before = stat_number("\"private_bytes\""), all = stat_number("\"memory\"");

	dimm_add("memory-backend-memfd", "d1");
	EXPECT_EQ(all + strtoull(DIMM_BYTES, NULL, 10), stat_number("\"memory\""));
	EXPECT_EQ(0, CONTROL("convert", QEMU_GUEST_NAME, PLACE, PART, "private"));
	EXPECT_EQ(before + PART_BYTES, stat_number("\"private_bytes\""));
	EXPECT_EQ(CODE_FAILURE, CONTROL("dump", QEMU_GUEST_NAME, PLACE, "4K", "--raw"));
	device_del("d1", "query-memory-devices");
	EXPECT_EQ(before, stat_number("\"private_bytes\""));
	EXPECT_EQ(all, stat_number("\"memory\""));
	must("{\"execute\":\"object-del\",\"arguments\":{\"id\":\"md1\"}}");
	dimm_add("memory-backend-ram", "d2");
	EXPECT_EQ(CODE_FAILURE, CONTROL("convert", QEMU_GUEST_NAME, PLACE, PART, "private"));
	EXPECT_TRUE(strstr(text, "not all of it is memory of a gmem fd"));
	device_del("d2", "query-memory-devices");
}

TEST_TIMEOUT(pc, TIMEOUT)
{
	static const char *const ram[] = {
		"-object", "memory-backend-memfd,id=ram,share=on,size=" QEMU_GUEST_MIB "M",
		NULL,
	};
	static const char *const options[] = {
		"-qmp", "unix:" QMP ",server=on,wait=off", NULL,
	};
	struct qemu *q = &qemu;

	NEED_QEMU();
	*q = (struct qemu){
		.machine = "pc",
		.memory = ram,
		.mib = QEMU_GUEST_MIB ",slots=2,maxmem=1G",
		.cpus = "1,maxcpus=2,sockets=2",
		.append = "GMEM_RUN=/convert GMEM_ACTION=power-off",
		.options = options,
	};
	qemu_start(q);
	qmp = qmp_open(QMP);
	ASSERT_GE(qmp, 0);
	qemu_order(q, "alternate\n", ": rc=0");
	memory();
	cpu_add("c1");
	EXPECT_EQ(2, stat_number("\"vcpus\""));
	qemu_order(q, "run 1000 keep\n", " refused=0 wrong=0");
	device_del("c1", "query-cpus-fast");
	qemu_order(q, "end\n", ": rc=0 wrong=0");
	EXPECT_TRUE(qemu_guest_end(q, 60));
	EXPECT_EQ(0, q->boot.code);
	boot_log(&q->boot, q->boot.console);
	close(qmp);
	unlink(QMP);
}

TEST_HARNESS_MAIN
