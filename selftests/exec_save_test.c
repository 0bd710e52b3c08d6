// SPDX-License-Identifier: GPL-2.0
/*
 * Operations of QEMU that use the whole memory of a guest, under `gmemctl exec` and while
 * a part is private: saving, dumping, debugging. Each works or is refused with a reason,
 * and the guest continues with its contents. The guest is a small firmware.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "qcow2.h"
#include "qemu_test.h"
#include "qmp.h"
#include "tiny_bios.h"

#define TIMEOUT	400
#define MIB	"8"
#define BIOS	"/tmp/exec-bios"
#define QMP	"/tmp/exec-qmp"
#define EVENTS	"/tmp/exec-events"
#define GDB	"/tmp/exec-gdb"
#define DISK	"/tmp/exec-disk"
#define STREAM	"/tmp/exec-stream"
#define STATE	"/tmp/exec-state"
#define DUMP	"/tmp/exec-dump"
#define BYTES	"/tmp/exec-bytes"
#define HAS_IT	TINY_BIOS_FOUND "IT.."
#define PRIVATE_SIZE "2M"
#define PRIVATE_BYTES (TINY_BIOS_PAGES * PAGE)

static struct qemu qemu;
static char text[8192];
static int qmp = -1;

#define CONTROL(...) qemu_control(text, sizeof(text), __VA_ARGS__)
#define ASK(command) qmp_ask(qmp, command, text, sizeof(text))
#define SAID(what) EXPECT_TRUE(strstr(text, what))

#define OPTIONS								\
	"-no-reboot", "-qmp", "unix:" QMP ",server=on,wait=off",	\
	"-qmp", "unix:" EVENTS ",server=on,wait=off",			\
	"-drive", "if=none,format=qcow2,file=" DISK

static const char *const options[] = {
	OPTIONS, "-gdb", "unix:" GDB ",server=on,wait=off", "-blockdev", "driver=qcow2,"
	"node-name=ring,file.driver=file,file.aio=io_uring,file.filename=" DISK "-ring", NULL
};
static const char *const incoming[] = { OPTIONS, "-incoming", "defer", NULL };

/* Run a command of the human monitor by QMP, which returns the output as a string. */
static bool monitor(const char *line)
{
	char words[256];

	snprintf(words, sizeof(words), "{\"execute\":\"human-monitor-command\","
		 "\"arguments\":{\"command-line\":\"%s\"}}", line);
	return ASK(words);
}

static void must(const char *command)
{
	if (!ASK(command)) {
		TH_LOG("%s: %s", command, text);
		ASSERT_TRUE(!"QEMU does it");
	}
}

static bool status_is(const char *command, const char *status)
{
	char key[64];

	snprintf(key, sizeof(key), "\"status\": \"%s\"", status);
	must(command);
	return strstr(text, key);
}

/* Wait until the migration has ended. Return: whether the status is the expected one. */
static bool migrated(const char *status)
{
	for (unsigned int i = 0; i < QEMU_WAIT_S * 10; i++) {
		if (status_is("{\"execute\":\"query-migrate\"}", status))
			return true;
		if (strstr(text, "\"status\": \"failed\"") ||
		    strstr(text, "\"status\": \"completed\""))
			break;
		usleep(100000);
	}
	TH_LOG("migration: %s", text);
	return false;
}

static bool migrate(const char *to, const char *status)
{
	char words[128];

	snprintf(words, sizeof(words), "{\"execute\":\"migrate\",\"arguments\":{\"uri\":"
		 "\"%s\"}}", to);
	must(words);
	return migrated(status);
}

static void load(const char *from)
{
	char words[128];

	snprintf(words, sizeof(words), "{\"execute\":\"migrate-incoming\",\"arguments\":"
		 "{\"uri\":\"%s\"}}", from);
	must(words);
	EXPECT_TRUE(migrated("completed"));
	must("{\"execute\":\"cont\"}");
}

#define RUNS() EXPECT_TRUE(status_is("{\"execute\":\"query-status\"}", "running"))

/* Check the contents that the guest itself sees in memory that is or was private. */
static void guest_has(struct qemu *q, const char *what)
{
	qemu_guest_seen(q);
	must("{\"execute\":\"inject-nmi\"}");
	qemu_expect_line(q, what);
}

static uint64_t private_bytes(void)
{
	EXPECT_EQ(0, CONTROL("stat", QEMU_GUEST_NAME, "--json"));
	return json_number(text, "\"private_bytes\"");
}

static void share(void)
{
	char at[32];

	snprintf(at, sizeof(at), "%u", TINY_BIOS_PRIVATE);
	EXPECT_EQ(0, CONTROL("convert", QEMU_GUEST_NAME, at, PRIVATE_SIZE, "shared"));
}

/* A snapshot by a job, to a disk that QEMU writes by io_uring. */
static void refuses_snapshot_to_ring(void)
{
	must("{\"execute\":\"snapshot-save\",\"arguments\":{\"job-id\":\"j\",\"tag\":\"s2\","
	     "\"vmstate\":\"ring\",\"devices\":[\"ring\"]}}");
	for (unsigned int i = 0; i < QEMU_WAIT_S * 10; i++) {
		if (status_is("{\"execute\":\"query-jobs\"}", "concluded"))
			break;
		usleep(100000);
	}
	SAID("Error while writing VM state");
}

/* The migration thread reports the failure by an event, for which libvirt waits. */
static void tells_of_failed_migration(void)
{
	int events = qmp_open(EVENTS);

	ASSERT_GE(events, 0);
	must("{\"execute\":\"migrate-set-capabilities\",\"arguments\":{\"capabilities\":"
	     "[{\"capability\":\"events\",\"state\":true}]}}");
	EXPECT_TRUE(migrate("exec:cat >" STREAM, "failed"));
	SAID("Operation not permitted");
	EXPECT_TRUE(qmp_event(events, "\"status\": \"failed\""));
	close(events);
}

/* Saving to a disk, a command or a socket is refused, and leaves nothing behind. */
static void refuses_to_save(struct qemu *q)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = STREAM "-socket" };
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	EXPECT_TRUE(monitor("savevm s1"));
	SAID("Error while writing VM state");
	qemu_expect(q, "gmemctl exec: snapshot of a guest with private memory");
	EXPECT_TRUE(monitor("info snapshots"));
	SAID("There is no snapshot available");
	RUNS();
	refuses_snapshot_to_ring();
	RUNS();
	tells_of_failed_migration();
	qemu_expect(q, "gmemctl exec: migration of a guest with private memory");
	RUNS();
	ASSERT_EQ(0, bind(listener, (struct sockaddr *)&address, sizeof(address)));
	ASSERT_EQ(0, listen(listener, 1));
	EXPECT_TRUE(migrate("unix:" STREAM "-socket", "failed"));
	SAID("Operation not permitted");
	RUNS();
	close(listener);
	unlink(STREAM "-socket");
}

/* Operations that need the dirty log, but no contents, work. */
static void measures(void)
{
	must("{\"execute\":\"calc-dirty-rate\",\"arguments\":{\"calc-time\":1,\"mode\":"
	     "\"dirty-bitmap\"}}");
	for (unsigned int i = 0; i < QEMU_WAIT_S * 10; i++) {
		if (status_is("{\"execute\":\"query-dirty-rate\"}", "measured"))
			return;
		usleep(100000);
	}
	EXPECT_TRUE(!"measured");
}

static bool file_has(const char *path, const char *what, size_t size)
{
	char *bytes = malloc(16 << 20);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got = bytes && fd >= 0 ? read(fd, bytes, 16 << 20) : -1;
	bool found = got > 0 && memmem(bytes, (size_t)got, what, size);

	if (fd >= 0)
		close(fd);
	free(bytes);
	unlink(path);
	EXPECT_GT(got, 0);
	return found;
}

/* A raw dump fails. Dumps of single ranges and the monitor read zeros. */
static void looks(struct qemu *q)
{
	char line[128];

	EXPECT_FALSE(ASK("{\"execute\":\"dump-guest-memory\",\"arguments\":{\"paging\":false,"
			 "\"protocol\":\"file:" DUMP "\"}}"));
	SAID("failed to save memory: Bad address");
	snprintf(line, sizeof(line), "xp /1wx 0x%x", TINY_BIOS_PRIVATE);
	EXPECT_TRUE(monitor(line));
	SAID("0x00000000");
	qemu_expect(q, "it reads zeros instead");
	snprintf(line, sizeof(line), "pmemsave 0x%x 0x2000 \\\"" BYTES "\\\"",
		 TINY_BIOS_PRIVATE);
	EXPECT_TRUE(monitor(line));
	EXPECT_FALSE(file_has(BYTES, "IT", 2));
	EXPECT_FALSE(file_has(DUMP, "IT\0\0\0\0\0\0", 8));
	RUNS();
}

/* Read the next packet of gdb's protocol. */
static bool gdb_read(int fd, char *packet, size_t size)
{
	size_t used = 0;

	while (used < size - 1 && read(fd, packet + used, 1) == 1) {
		packet[++used] = '\0';
		if (used > 3 && packet[used - 3] == '#')
			return dprintf(fd, "+") == 1;
	}
	return false;
}

/* Send @packet and read the answer; skip reports that the guest has stopped. */
static bool gdb_ask(int fd, const char *packet, char *answer, size_t size)
{
	unsigned char sum = 0;

	for (const char *at = packet; *at; at++)
		sum += (unsigned char)*at;
	if (dprintf(fd, "$%s#%02x", packet, sum) < 0)
		return false;
	do {
		if (!gdb_read(fd, answer, size))
			return false;
	} while (strstr(answer, "$T"));
	return true;
}

/* gdb stops the guest when it connects, reads zeros, and its writes are lost. */
static void debugs(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = GDB };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char packet[32], answer[64];

	ASSERT_EQ(0, connect(fd, (struct sockaddr *)&address, sizeof(address)));
	snprintf(packet, sizeof(packet), "m%x,4", TINY_BIOS_PRIVATE);
	ASSERT_TRUE(gdb_ask(fd, packet, answer, sizeof(answer)));
	EXPECT_TRUE(strstr(answer, "$00000000#"));
	snprintf(packet, sizeof(packet), "M%x,2:4142", TINY_BIOS_PRIVATE);
	ASSERT_TRUE(gdb_ask(fd, packet, answer, sizeof(answer)));
	ASSERT_TRUE(gdb_ask(fd, "D", answer, sizeof(answer)));
	EXPECT_TRUE(strstr(answer, "$OK#"));
	close(fd);
	RUNS();
}

static struct qemu *starts(const char *const *memory, const char *const *more)
{
	struct qemu *q = &qemu;

	ASSERT_TRUE(tiny_bios_write(BIOS, TINY_BIOS_ON_NMI));
	ASSERT_TRUE(qcow2_make(DISK, 64 << 20));
	ASSERT_TRUE(qcow2_make(DISK "-ring", 64 << 20));
	*q = (struct qemu){
		.machine = "pc",
		.memory = memory,
		.mib = MIB,
		.bios = BIOS,
		.options = more,
	};
	setenv("GMEMCTL_RUNTIME_DIR", "/tmp/gmemctl-exec", 1);
	if (more == options)
		qemu_start_until(q, TINY_BIOS_READY);
	else
		qemu_guest_start(q, "", 0);
	for (unsigned int i = 0; qmp < 0 && i < QEMU_WAIT_S * 10; i++) {
		usleep(100000);
		qmp = qmp_open(QMP);
	}
	ASSERT_GE(qmp, 0);
	return q;
}

static void quits(struct qemu *q)
{
	must("{\"execute\":\"quit\"}");
	close(qmp);
	qmp = -1;
	EXPECT_TRUE(qemu_guest_end(q, 60));
	EXPECT_EQ(0, q->boot.code);
	boot_log(&q->boot, q->boot.console);
	unlink(QMP);
	unlink(EVENTS);
}

static const char ignore_shared[] = "{\"execute\":\"migrate-set-capabilities\",\"arguments\":"
	"{\"capabilities\":[{\"capability\":\"x-ignore-shared\",\"state\":true}]}}";
static const char ignore_nothing[] = "{\"execute\":\"migrate-set-capabilities\",\"arguments\":"
	"{\"capabilities\":[{\"capability\":\"x-ignore-shared\",\"state\":false}]}}";

/* The test keeps the gmem fd, and a file passes the other state to the next QEMU. */
static struct qemu *hands_over(struct qemu *q)
{
	static char object[128];
	static const char *const memory[] = { "-object", object, NULL };
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/fd/100", q->process.pid);
	fd = open(path, O_RDWR | O_CLOEXEC);
	ASSERT_GE(fd, 0);
	must(ignore_shared);
	EXPECT_TRUE(migrate("exec:cat >" STATE, "completed"));
	quits(q);
	snprintf(object, sizeof(object), "memory-backend-file,id=ram,size=" MIB "M,share=on,"
		 "mem-path=/proc/%d/fd/%d", getpid(), fd);
	q = starts(memory, incoming);
	close(fd);
	must(ignore_shared);
	load("exec:cat " STATE);
	unlink(STATE);
	return q;
}

TEST_TIMEOUT(pc, TIMEOUT)
{
	struct qemu *q;

	NEED_QEMU();
	q = starts(QEMU_GUEST_RAM_OF(MIB), options);
	refuses_to_save(q);
	measures();
	looks(q);
	debugs();
	guest_has(q, HAS_IT);
	EXPECT_EQ(PRIVATE_BYTES, private_bytes());
	q = hands_over(q);
	EXPECT_EQ(PRIVATE_BYTES, private_bytes());
	guest_has(q, HAS_IT);
	/* Without private memory the guest can be saved, and is restored unchanged. */
	share();
	must(ignore_nothing);
	EXPECT_TRUE(monitor("savevm s1"));
	SAID("\"return\": \"\"");
	EXPECT_TRUE(monitor("loadvm s1"));
	SAID("\"return\": \"\"");
	guest_has(q, HAS_IT);
	EXPECT_TRUE(migrate("exec:cat >" STREAM, "completed"));
	quits(q);
	q = starts(QEMU_GUEST_RAM_OF(MIB), incoming);
	load("exec:cat " STREAM);
	guest_has(q, HAS_IT);
	EXPECT_EQ(0, private_bytes());
	quits(q);
	unlink(STREAM);
	unlink(DISK);
	unlink(DISK "-ring");
}

TEST_HARNESS_MAIN
