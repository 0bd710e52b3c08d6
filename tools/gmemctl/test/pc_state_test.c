// SPDX-License-Identifier: GPL-2.0
/* The clocks of a PC go on from where they were when it was saved. */
#include "../base/calls.h"
#include "../kvm/abi.h"
#include "../kvm/state.h"
#include "../machine/pc.h"
#include "kvm_fake.h"
#include "pc_fake.h"
#include "ksft.h"

#define SECOND UINT64_C(1000000000)

static struct calls own_calls;
static struct tlv records;
static struct error error;
static uint64_t now, clock_ns;

static uint64_t host_now(void)
{
	return now;
}

/* A KVM whose clock runs with the host's, and whose other state is all zeros. */
static int state_ioctl(int fd, unsigned long request, void *arg)
{
	struct kvm_clock_data *clock = arg;

	switch (request) {
	case KVM_GET_CLOCK:
		clock->clock = now - clock_ns;
		return 0;
	case KVM_SET_CLOCK:
		clock_ns = now - clock->clock;
		return 0;
	case KVM_GET_IRQCHIP:
	case KVM_SET_IRQCHIP:
	case KVM_GET_PIT2:
	case KVM_SET_PIT2:
		return 0;
	default:
		return -ENOTTY;
	}
}

/* A host that has been up for @uptime. */
static void start(uint64_t uptime)
{
	struct pc *pc = &pc_fake.pc;

	EXPECT_TRUE(pc_fake_start());
	EXPECT_FALSE(pc_devices(pc, NULL));
	own_calls = *calls;
	own_calls.ioctl = state_ioctl;
	calls = &own_calls;
	now = uptime;
	clock_ns = now;
	power_init(&pc->power, &pc->board, host_now);
}

static void stop(void)
{
	pc_devices_destroy(&pc_fake.pc);
	pc_fake_stop();
}

/* Both clocks have run for @ns. */
static bool ran_for(uint64_t ns)
{
	return power_timer_ns(&pc_fake.pc.power) == ns && now - clock_ns == ns;
}

/* 5 s at one host, which sleeps in a file then, and 3 s at a younger one. */
TEST_OF(pc_state, clocks_C26)
{
	start(1000 * SECOND);
	now += 5 * SECOND;
	EXPECT_TRUE(ran_for(5 * SECOND));
	EXPECT_FALSE(pc_state_get(&pc_fake.pc, &records, &error));
	stop();
	start(20 * SECOND);
	now += SECOND;
	EXPECT_FALSE(pc_state_set(&pc_fake.pc, &records, &error));
	EXPECT_TRUE(ran_for(5 * SECOND));
	now += 3 * SECOND;
	EXPECT_TRUE(ran_for(8 * SECOND));
	stop();
	tlv_free(&records);
}

/* The state of a gmemctl that had no such record: the timer starts anew. */
TEST_OF(pc_state, without_timer)
{
	uint64_t zero = 0;
	struct tlv old = { 0 };
	size_t size;

	start(1000 * SECOND);
	EXPECT_FALSE(pc_state_get(&pc_fake.pc, &records, &error));
	/* It is the last one. */
	EXPECT_EQ(tlv_find(&records, STATE_MACHINE + 6, 0, &size), records.bytes + records.size -
		  sizeof(zero));
	records.size -= 16 + sizeof(zero);
	now += SECOND;
	EXPECT_FALSE(pc_state_set(&pc_fake.pc, &records, &error));
	EXPECT_EQ(power_timer_ns(&pc_fake.pc.power), SECOND);
	EXPECT_EQ(pc_state_set(&pc_fake.pc, &old, &error), -EBADMSG);
	stop();
	tlv_free(&records);
}
