// SPDX-License-Identifier: GPL-2.0
/*
 * Debian's own kernel as a guest of Debian's QEMU under `gmemctl exec`. Half of its
 * memory is private, and is converted while KVM's paravirtual services are on and network
 * frames are exchanged. Network devices of QEMU and of the host kernel are also given
 * buffers in private memory. All checks use one boot, because booting takes long.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "qemu_test.h"
#include "qmp.h"
#include "vm/guest/frames.h"
#include "wire.h"

#define TIMEOUT	450
#define MIB	"128"
#define KERNEL	"/guest/debian"
#define QMP	"/tmp/exec-qmp"
#define WIRE	"/tmp/exec-wire"
#define FRAMES	20		/* exchanged with a device */
#define LOST	8		/* that are dropped */
#define BUFFERS	(2 * LOST)
#define RING_SIZE "8K"
#define RING_BYTES 8192
#define BALLOON	(UINT64_C(88) << 20)
#define FREED	(UINT64_C(16) << 20)
#define ALL	(UINT64_C(128) << 20)

/*
 * The guest has four devices. For two of them IOMMU_PLATFORM tells Linux that they cannot
 * access all memory, so that it copies private contents. The other two access private
 * pages directly.
 */
#define NIC(id, more) "virtio-net-pci,romfile=,netdev=" id ",id=" id more
#define COPIED	",disable-legacy=on,iommu_platform=on"
#define DIRECT	""
#define DATAGRAMS "local.type=unix,local.path=" WIRE "-qemu,remote.type=unix,remote.path=" WIRE
#define TAP(id)	"tap,script=no,downscript=no,id=" id ",ifname=gmem-" id

static const char *const options[] = {
	"-no-reboot", "-qmp", "unix:" QMP ",server=on,wait=off",
	"-netdev", "dgram,id=a," DATAGRAMS, "-device", NIC("a", COPIED),
	"-netdev", TAP("b"), "-device", NIC("b", DIRECT),
	"-netdev", TAP("c") ",vhost=on", "-device", NIC("c", COPIED),
	"-netdev", TAP("d") ",vhost=on", "-device", NIC("d", DIRECT),
	"-device", "virtio-balloon-pci,free-page-reporting=on", NULL,
};

static struct qemu qemu;
static struct wire a, b, c, d;
static char text[65536];

#define CONTROL(...) qemu_control(text, sizeof(text), __VA_ARGS__)

static uint64_t stat_number(const char *key)
{
	EXPECT_EQ(0, CONTROL("stat", QEMU_GUEST_NAME, "--json"));
	return json_number(text, key);
}

/* Send @line, with the device name and the number in it, to the guest. */
static void order(struct qemu *q, const char *line, const char *nic, unsigned int number,
		  const char *answer)
{
	char words[64];

	snprintf(words, sizeof(words), line, nic, number);
	qemu_order(q, words, answer);
}

#define EXCHANGED(number) ": rc=0 sent=" #number " received=" #number " wrong=0"

static struct qemu *boots(void)
{
	struct qemu *q = &qemu;

	ASSERT_TRUE(wire_open_unix(&a, WIRE, WIRE "-qemu"));
	*q = (struct qemu){
		.machine = "q35",
		.memory = QEMU_GUEST_RAM_OF(MIB),
		.mib = MIB,
		.kernel = KERNEL,
		/* Report free pages from 128 KiB on, instead of 2 MiB. */
		.append = "swiotlb=2048,force GMEM_RUN=/convert "
			  "page_reporting.page_reporting_order=5",
		.options = options,
	};
	qemu_start(q);
	ASSERT_TRUE(wire_open_interface(&b, "gmem-b"));
	ASSERT_TRUE(wire_open_interface(&c, "gmem-c"));
	ASSERT_TRUE(wire_open_interface(&d, "gmem-d"));
	return q;
}

/* Half of the memory is private, and parts of it are converted while frames are exchanged. */
static void half(struct qemu *q)
{
	qemu_order(q, "paravirt\n", "clock=kvm-clock "
		   "on=kvm-clock,async-pf,steal-time,pv-eoi,");
	qemu_order(q, "half start\n", ": rc=0 wrong=0");
	EXPECT_EQ(qemu_answer(q, "pages=") * PAGE, stat_number("\"private_bytes\""));
	EXPECT_GT(stat_number("\"private_bytes\""), ALL / 4);
	qemu_order(q, "half turn\n", ": rc=0 wrong=0");
	qemu_order(q, "net eth0 100\n", EXCHANGED(100));
	qemu_order(q, "net eth2 50\n", EXCHANGED(50));
	qemu_order(q, "half still\n", ": rc=0 wrong=0");
	EXPECT_GT(qemu_answer(q, "turns="), 0);
}

/* Send frames from private memory, with and without copies by Linux. */
static void sends_private(struct qemu *q)
{
	qemu_order(q, "ring eth0\n", ": rc=0 private=16 shared=16");
	EXPECT_TRUE(wire_wait(&a, 100 + FRAME_RING));
	qemu_order(q, "ring eth2\n", ": rc=0 private=16 shared=16");
	EXPECT_TRUE(wire_wait(&c, 50 + FRAME_RING));
	/* QEMU writes them to the tap by a system call, which fails. */
	qemu_order(q, "ring eth1\n", ": rc=0 private=16 shared=16");
	/* vhost retries until the pages are shared. */
	qemu_order(q, "ring eth3\n", ": rc=0 private=0 shared=16");
	EXPECT_TRUE(wire_wait(&d, FRAME_RING));
	EXPECT_EQ(100 + FRAME_RING, a.right);
	EXPECT_EQ(0, b.right + b.empty);
	EXPECT_EQ(50 + FRAME_RING, c.right);
	EXPECT_EQ(FRAME_RING, d.right);
}

/**
 * struct piece - memory of the guest
 * @gpa: guest physical address, a multiple of the page size
 * @size: in bytes
 */
struct piece {
	uint64_t gpa;
	uint64_t size;
};

/* A descriptor of a virtqueue. */
struct descriptor {
	uint64_t gpa;
	uint32_t length;
	uint16_t flags;
	uint16_t next;
};

static unsigned int piece_add(struct piece *pieces, unsigned int count,
			      const struct descriptor *at)
{
	uint64_t first = at->gpa / PAGE * PAGE, end = at->gpa + at->length;

	end = (end + PAGE - 1) / PAGE * PAGE;
	for (uint64_t gpa = first; gpa < end; gpa += PAGE) {
		struct piece *last = pieces + count - 1;

		if (count && gpa >= last->gpa && gpa < last->gpa + last->size)
			continue;
		if (count && gpa == last->gpa + last->size)
			last->size += PAGE;
		else
			pieces[count++] = (struct piece){ gpa, PAGE };
	}
	return count;
}

/* Return: the address of ring 0 of a network device, which receives frames. */
static uint64_t ring_find(int qmp, const char *nic)
{
	char words[160];

	snprintf(words, sizeof(words), "{\"execute\":\"x-query-virtio-queue-status\","
		 "\"arguments\":{\"path\":\"/machine/peripheral/%s/virtio-backend\","
		 "\"queue\":0}}", nic);
	ASSERT_TRUE(qmp_ask(qmp, words, text, sizeof(text)));
	ASSERT_EQ(256, json_number(text, "\"vring-num\""));
	return json_number(text, "\"vring-desc\"");
}

/* Find the buffers to which a device writes the next frames. */
static unsigned int buffers_find(int qmp, const char *nic, struct piece *pieces)
{
	uint64_t ring = ring_find(qmp, nic);
	uint64_t available = json_number(text, "\"vring-avail\"") - ring;
	uint64_t used = json_number(text, "\"vring-used\"") - ring;
	const uint16_t *heads = (const void *)(text + available);
	const uint16_t *done = (const void *)(text + used);
	unsigned int count = 0;
	char words[32];

	ASSERT_LT(available, RING_BYTES - 1024);
	ASSERT_LT(used, RING_BYTES - 1024);
	snprintf(words, sizeof(words), "%" PRIu64, ring);
	ASSERT_EQ(0, CONTROL("dump", QEMU_GUEST_NAME, words, RING_SIZE, "--raw"));
	for (unsigned int i = 0; i < BUFFERS; i++) {
		struct descriptor at;

		/* Both rings consist of flags, an index, and the entries. */
		memcpy(&at, text + sizeof(at) * heads[2 + (done[1] + i) % 256],
		       sizeof(at));
		count = piece_add(pieces, count, &at);
	}
	return count;
}

static void pieces_convert(const struct piece *pieces, unsigned int count, const char *to)
{
	for (unsigned int i = 0; i < count; i++) {
		char gpa[32], size[32];

		snprintf(gpa, sizeof(gpa), "%" PRIu64, pieces[i].gpa);
		snprintf(size, sizeof(size), "%" PRIu64, pieces[i].size);
		EXPECT_EQ(0, CONTROL("convert", QEMU_GUEST_NAME, gpa, size, to));
	}
}

/* Frames are lost if their buffers are private. Later frames are received. */
static void receives_private(struct qemu *q, int qmp, struct wire *wire, const char *nic,
			     const char *name)
{
	struct piece pieces[2 * BUFFERS];
	unsigned int count = buffers_find(qmp, nic, pieces);

	pieces_convert(pieces, count, "private");
	order(q, "listen %s\n", name, 0, "gmem-guest: listens");
	EXPECT_TRUE(wire_send(wire, LOST));
	qemu_expect(q, ": rc=0 received=0 wrong=0");
	pieces_convert(pieces, count, "shared");
	order(q, "net %s %u\n", name, FRAMES, EXCHANGED(20));
}

static bool ballooned(int qmp, uint64_t bytes)
{
	for (unsigned int i = 0; i < QEMU_WAIT_S * 10; i++) {
		ASSERT_TRUE(qmp_ask(qmp, "{\"execute\":\"query-balloon\"}", text,
				    sizeof(text)));
		if (json_number(text, "\"actual\"") == bytes)
			return true;
		usleep(100000);
	}
	return false;
}

static void balloon(int qmp, uint64_t bytes)
{
	char words[96];

	snprintf(words, sizeof(words), "{\"execute\":\"balloon\",\"arguments\":{\"value\":%"
		 PRIu64 "}}", bytes);
	ASSERT_TRUE(qmp_ask(qmp, words, text, sizeof(text)));
	EXPECT_TRUE(ballooned(qmp, bytes));
}

/* Wait until at most @bytes of guest memory are resident. */
static bool resident_until(uint64_t bytes)
{
	for (unsigned int i = 0; i < QEMU_WAIT_S * 10; i++) {
		if (stat_number("\"resident_bytes\"") <= bytes)
			return true;
		usleep(100000);
	}
	return false;
}

/* Memory that the guest reports as unused is freed on the host. */
static void discards(struct qemu *q, int qmp)
{
	uint64_t before = stat_number("\"resident_bytes\"");

	qemu_order(q, "half end\n", ": rc=0 wrong=0");
	EXPECT_EQ(0, stat_number("\"private_bytes\""));
	EXPECT_TRUE(resident_until(before - FREED));
	balloon(qmp, BALLOON);
	EXPECT_TRUE(resident_until(BALLOON));
	balloon(qmp, ALL);
	qemu_order(q, "half start\n", ": rc=0 wrong=0");
}

/*
 * A device whose ring is private, and so reads as zeros, stops working. QEMU and the
 * other devices continue.
 */
static void breaks(struct qemu *q, int qmp)
{
	struct piece ring = { ring_find(qmp, "b"), RING_BYTES };

	pieces_convert(&ring, 1, "private");
	qemu_guest_seen(q);
	EXPECT_TRUE(wire_send(&b, 1));
	qemu_expect(q, "Guest moved used index from");
	qemu_order(q, "net eth0 20\n", EXCHANGED(20));
}

/* A crash while half of the memory is private. */
static void panics(struct qemu *q)
{
	qemu_order(q, "panic\n", "Kernel panic - not syncing: sysrq triggered crash");
	EXPECT_TRUE(qemu_guest_end(q, 60));
	EXPECT_EQ(0, q->boot.code);
	EXPECT_TRUE(strstr(q->boot.console, ", 0 refused;"));
}

TEST_TIMEOUT(q35, TIMEOUT)
{
	struct qemu *q;
	uint64_t zeros;
	int qmp;

	NEED_QEMU();
	q = boots();
	qmp = qmp_open(QMP);
	ASSERT_GE(qmp, 0);
	half(q);
	sends_private(q);
	EXPECT_EQ(0, stat_number("\"zeros\""));
	receives_private(q, qmp, &b, "b", "eth1");
	zeros = stat_number("\"zeros\"");
	EXPECT_GT(zeros, 0);
	EXPECT_TRUE(strstr(q->boot.console, "it reads zeros instead"));
	receives_private(q, qmp, &d, "d", "eth3");
	EXPECT_EQ(zeros, stat_number("\"zeros\""));
	EXPECT_EQ(0, a.wrong + b.wrong + c.wrong + d.wrong);
	discards(q, qmp);
	breaks(q, qmp);
	panics(q);
	boot_log(&q->boot, q->boot.console);
	close(qmp);
	unlink(QMP);
	unlink(WIRE);
}

TEST_HARNESS_MAIN
