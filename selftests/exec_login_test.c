// SPDX-License-Identifier: GPL-2.0
/*
 * Debian with systemd in Debian's QEMU under `gmemctl exec`, from boot to login and
 * shutdown. gmem_guest.ko, loaded like in the package's examples, makes most of the
 * memory private. The disk was made by debootstrap.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "qemu_test.h"

#define TIMEOUT	450
#define BOOT_S	300
#define KERNEL	"/guest/login"
#define MIB	"512"
#define ALL	(UINT64_C(512) << 20)
#define KERNEL_TEXT "0x1000000"	/* shared */
#define PROMPT	"\n# "

static const char *const disk[] = {
	"-drive", "file=/dev/vda,format=raw,if=none,id=d0",
	"-device", "virtio-blk-pci,drive=d0,disable-legacy=on,iommu_platform=on", NULL,
};

static struct qemu qemu;
static char text[65536];

#define CONTROL(...) qemu_control(text, sizeof(text), __VA_ARGS__)

static void wait_for(struct qemu *q, const char *what, unsigned int seconds)
{
	if (!qemu_guest_wait(q, what, seconds))
		qemu_lost(q, what);
}

/* Send a line to the shell. Return: the output after its echo, up to the next prompt. */
static const char *shell(struct qemu *q, const char *line)
{
	static char answer[4096];
	const char *at;

	qemu_guest_seen(q);
	qemu_guest_type(q, line);
	wait_for(q, PROMPT, BOOT_S);
	at = strchr(q->boot.console + q->boot.seen, '\n');
	ASSERT_TRUE(at);
	snprintf(answer, sizeof(answer), "%s", at + 1);
	return answer;
}

static uint64_t private_bytes(void)
{
	EXPECT_EQ(0, CONTROL("stat", QEMU_GUEST_NAME, "--json"));
	return json_number(text, "\"private_bytes\"");
}

/* Dump the first private page that the guest reports. Return: exit code of dump. */
static int private_dump(struct qemu *q)
{
	const char *answer = shell(q, "cat /sys/module/gmem_guest/parameters/private\n");
	char at[32];

	EXPECT_TRUE(!strncmp("0x", answer, 2));
	snprintf(at, sizeof(at), "%.*s", (int)strcspn(answer, "-"), answer);
	return CONTROL("dump", QEMU_GUEST_NAME, at, "4K", "--raw");
}

static struct qemu *boots(void)
{
	struct qemu *q = &qemu;

	setenv("GMEMCTL_RUNTIME_DIR", "/tmp/gmemctl-exec", 1);
	*q = (struct qemu){
		.machine = "q35",
		.memory = QEMU_GUEST_RAM_OF(MIB),
		.mib = MIB,
		.kernel = KERNEL,
		.append = "swiotlb=4096,force kernelcore=160M",
		.options = disk,
	};
	if (!qemu_guest_start(q, "guest login: ", BOOT_S))
		qemu_lost(q, "guest login: ");
	qemu_guest_type(q, "root\n");
	wait_for(q, PROMPT, BOOT_S);
	return q;
}

/* Written data is read back, from the disk and not from the page cache. */
static void uses_disk(struct qemu *q)
{
	char sum[80];

	shell(q, "head -c 8M /dev/urandom >/var/tmp/file; sync\n");
	snprintf(sum, sizeof(sum), "%.64s", shell(q, "sha256sum /var/tmp/file\n"));
	EXPECT_EQ(64, strspn(sum, "0123456789abcdef"));
	shell(q, "echo 3 >/proc/sys/vm/drop_caches\n");
	EXPECT_TRUE(!strncmp(sum, shell(q, "sha256sum /var/tmp/file\n"), 64));
}

TEST_TIMEOUT(systemd, TIMEOUT)
{
	struct qemu *q;
	uint64_t bytes;

	NEED_QEMU();
	if (access(KERNEL, F_OK))
		SKIP(return, "no disk with a Debian: debootstrap makes it, as root");
	q = boots();
	bytes = private_bytes();
	EXPECT_GT(bytes, ALL / 2);
	EXPECT_EQ(bytes, strtoull(shell(q, "cat /sys/module/gmem_guest/parameters/private_bytes\n"),
				  NULL, 10));
	EXPECT_TRUE(!strncmp("running", shell(q, "systemctl is-system-running --wait\n"), 7));
	shell(q, "systemctl --failed --no-pager --plain; free -m\n");
	EXPECT_EQ(0, CONTROL("dump", QEMU_GUEST_NAME, KERNEL_TEXT, "4K", "--raw"));
	EXPECT_NE(0, private_dump(q));
	uses_disk(q);
	EXPECT_EQ(bytes, private_bytes());
	qemu_guest_type(q, "systemctl poweroff\n");
	EXPECT_TRUE(qemu_guest_end(q, BOOT_S));
	EXPECT_EQ(0, q->boot.code);
	boot_log(&q->boot, q->boot.console);
}

TEST_HARNESS_MAIN
