// SPDX-License-Identifier: GPL-2.0
/* A PC with pvmemcontrol and a balloon: where they are, their state, and the socket. */
#include <json-c/json.h>

#include "../base/bytes.h"
#include "../machine/pc.h"
#include "pc_fake.h"
#include "ksft.h"

#define PAGE RANGE_PAGE_SIZE

static struct pc *const pc = &pc_fake.pc;
static struct pc_config config;
static struct tlv records;

static void start(uint32_t pvmemcontrol, bool balloon)
{
	EXPECT_TRUE(pc_fake_start());
	config = *pc->config;
	config.pvmemcontrol = pvmemcontrol;
	config.balloon = balloon;
	pc->config = &config;
	EXPECT_FALSE(advice_init(&pc->machine.advice, &pc->machine.memory, NULL));
	EXPECT_FALSE(pc_devices(pc, &pc_fake.error));
}

static void stop(void)
{
	pc_devices_destroy(pc);
	given_destroy(&pc->machine.given);
	advice_destroy(&pc->machine.advice);
	pc_fake_stop();
}

static uint32_t config_word(unsigned int slot, unsigned int at)
{
	uint8_t bytes[4];

	bytes_put32(bytes, 0x80000000U | slot << 11 | at);
	bus_write(&pc->machine.ports, PCI_PORT, bytes, sizeof(bytes));
	bus_read(&pc->machine.ports, PCI_PORT + 4, bytes, sizeof(bytes));
	return bytes_get32(bytes);
}

/* Each where ACPI and the driver look for it, and only if it was asked for. */
TEST_OF(pc, pci_devices)
{
	start(0, false);
	EXPECT_EQ(config_word(0, 0), 0xffffffff);
	EXPECT_FALSE(bus_find(&pc->machine.mmio, PCI_MEMORY_START));
	EXPECT_FALSE(bus_find(&pc->machine.ports, PCI_IO_START));
	stop();
	start(PVMEMCONTROL_CODES_ALL, false);
	EXPECT_EQ(config_word(0, 0), 0x00081b36);
	EXPECT_EQ(config_word(1, 0), 0x00871ae0);
	EXPECT_EQ(config_word(2, 0), 0xffffffff);
	EXPECT_TRUE(bus_find(&pc->machine.mmio, PCI_MEMORY_START));
	stop();
	start(0, true);
	EXPECT_EQ(config_word(1, 0), 0xffffffff);
	EXPECT_EQ(config_word(2, 0), 0x10451af4);
	EXPECT_TRUE(bus_find(&pc->machine.ports, PCI_IO_START));
	stop();
}

/* What a taker has to build follows from the records; without them it is a plain PC. */
TEST_OF(pc, pci_state)
{
	struct pc_config other = { 0 };
	const struct range pages = { 4 * PAGE, 8 * PAGE };

	start(1U << ADVICE_DONTNEED | 1U << ADVICE_PROTECT_R, true);
	EXPECT_FALSE(advice_take(&pc->machine.advice, ADVICE_PROTECT_R, 0, PAGE, 0));
	given_add(&pc->machine.given, pages);
	pc_pci_get(pc, &records);
	stop();
	pc_pci_config(&records, &other);
	EXPECT_TRUE(other.pvmemcontrol);
	EXPECT_TRUE(other.balloon);
	start(other.pvmemcontrol, other.balloon);
	EXPECT_FALSE(pc_pci_set(pc, &records));
	EXPECT_FALSE(pc_pci_set_memory(pc, &records, &pc_fake.error));
	EXPECT_EQ(pc->pvmemcontrol.codes, 1U << ADVICE_DONTNEED | 1U << ADVICE_PROTECT_R);
	EXPECT_TRUE(advice_denies(&pc->machine.advice, 0));
	EXPECT_EQ(pc->machine.given.count, 4);
	stop();
	tlv_free(&records);
	start(0, false);
	pc_pci_get(pc, &records);
	EXPECT_FALSE(records.size);
	EXPECT_FALSE(pc_pci_set(pc, &records));
	pc_pci_config(&records, &other);
	EXPECT_FALSE(other.balloon);
	stop();
	start(PVMEMCONTROL_CODES_ALL, true);
	EXPECT_EQ(pc_pci_set(pc, &records), -EBADMSG);
	stop();
}

TEST_OF(pc, pci_stat)
{
	struct json_object *result, *device, *done;

	start(0, false);
	EXPECT_FALSE(pc_ask_for("stat", "{}", &result));
	EXPECT_FALSE(json_object_object_get_ex(result, "pvmemcontrol", &device));
	EXPECT_FALSE(json_object_object_get_ex(result, "balloon", &device));
	json_object_put(result);
	stop();
	start(PVMEMCONTROL_CODES_ALL, true);
	pc->pvmemcontrol.counters.done[ADVICE_LOCK] = 7;
	given_add(&pc->machine.given, (struct range){ 0, PAGE });
	EXPECT_FALSE(pc_ask_for("stat", "{}", &result));
	EXPECT_TRUE(json_object_object_get_ex(result, "pvmemcontrol", &device));
	EXPECT_TRUE(json_object_object_get_ex(device, "done", &done));
	EXPECT_STREQ(json_object_to_json_string_ext(done, JSON_C_TO_STRING_PLAIN), "{\"mlock\":7}");
	EXPECT_TRUE(json_object_object_get_ex(result, "balloon", &device));
	EXPECT_TRUE(json_object_object_get_ex(device, "given_bytes", &done));
	EXPECT_EQ(json_object_get_uint64(done), PAGE);
	json_object_put(result);
	stop();
}

/* Whoever looks at a guest that is being given away must not write to it. */
TEST_OF(pc, pci_stat_still)
{
	struct json_object *result;

	start(0, true);
	pc->balloon.held = true;
	pthread_mutex_lock(&pc->still);
	EXPECT_FALSE(pc_ask_for("stat", "{}", &result));
	EXPECT_TRUE(pc->balloon.held);
	json_object_put(result);
	pthread_mutex_unlock(&pc->still);
	EXPECT_FALSE(pc_ask_for("stat", "{}", &result));
	EXPECT_TRUE(!pc->balloon.held);
	json_object_put(result);
	stop();
}

TEST_OF(pc, pci_balloon)
{
	start(0, true);
	EXPECT_FALSE(pc_ask("balloon", "{\"size\":131072}"));
	EXPECT_EQ(bytes_get32(pc->balloon.virtio.state.config), 32);
	EXPECT_EQ(pc_ask("balloon", "{\"size\":135168}"), -EINVAL);
	EXPECT_EQ(pc_ask("balloon", "{\"size\":4095}"), -EINVAL);
	EXPECT_EQ(pc_ask("balloon", "{}"), -EINVAL);
	EXPECT_EQ(bytes_get32(pc->balloon.virtio.state.config), 32);
	EXPECT_FALSE(pc_ask("balloon", "{\"size\":0}"));
	EXPECT_EQ(bytes_get32(pc->balloon.virtio.state.config), 0);
	/* Not while the guest is given away, or after that. */
	pthread_mutex_lock(&pc->still);
	EXPECT_EQ(pc_ask("balloon", "{\"size\":4096}"), -EBUSY);
	pthread_mutex_unlock(&pc->still);
	stop();
	start(0, false);
	EXPECT_EQ(pc_ask("balloon", "{\"size\":4096}"), -EOPNOTSUPP);
	EXPECT_TRUE(strstr(pc_fake.error.hint, "--balloon"));
	stop();
}
