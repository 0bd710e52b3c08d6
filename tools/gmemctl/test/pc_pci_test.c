// SPDX-License-Identifier: GPL-2.0
/* A PC with pvmemcontrol and a balloon: where they are, their state, and the socket. */
#include <errno.h>
#include <json-c/json.h>
#include <string.h>

#include "../base/bytes.h"
#include "../machine/pc_control.h"
#include "../machine/pc_pci.h"
#include "../machine/pc_state.h"
#include "pc_fake.h"
#include "unit.h"

#define PAGE RANGE_PAGE_SIZE

static struct pc *const pc = &pc_fake.pc;
static struct pc_config config;
static struct tlv records;
static struct error error;

static void start(uint32_t pvmemcontrol, bool balloon)
{
	CHECK(pc_fake_start());
	config = *pc->config;
	config.pvmemcontrol = pvmemcontrol;
	config.balloon = balloon;
	pc->config = &config;
	CHECK(!advice_init(&pc->machine.advice, &pc->machine.memory, NULL));
	CHECK(!pc_devices(pc, &error));
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

static int ask(const char *command, const char *text, struct json_object **result)
{
	struct json_object *request = json_tokener_parse(text);
	int rc;

	*result = NULL;
	rc = pc_control_serve(&pc_fake.control, command, request, result, &error);
	json_object_put(request);
	return rc;
}

static int ask_plain(const char *command, const char *text)
{
	struct json_object *result;
	int rc = ask(command, text, &result);

	json_object_put(result);
	return rc;
}

/* Each where ACPI and the driver look for it, and only if it was asked for. */
static void test_pc_pci_devices(void)
{
	start(0, false);
	CHECK_EQ(config_word(0, 0), 0xffffffff);
	CHECK(!bus_find(&pc->machine.mmio, PCI_MEMORY_START));
	CHECK(!bus_find(&pc->machine.ports, PCI_IO_START));
	stop();
	start(PVMEMCONTROL_CODES_ALL, false);
	CHECK(config_word(0, 0) == 0x00081b36 && config_word(1, 0) == 0x00871ae0 &&
	      config_word(2, 0) == 0xffffffff);
	CHECK(bus_find(&pc->machine.mmio, PCI_MEMORY_START));
	stop();
	start(0, true);
	CHECK(config_word(1, 0) == 0xffffffff && config_word(2, 0) == 0x10451af4);
	CHECK(bus_find(&pc->machine.ports, PCI_IO_START));
	stop();
}

/* What a taker has to build follows from the records; without them it is a plain PC. */
static void test_pc_pci_state(void)
{
	struct pc_config other = { 0 };
	const struct range pages = { 4 * PAGE, 8 * PAGE };

	start(1U << ADVICE_DONTNEED | 1U << ADVICE_PROTECT_R, true);
	CHECK(!advice_take(&pc->machine.advice, ADVICE_PROTECT_R, 0, PAGE, 0));
	given_add(&pc->machine.given, pages);
	pc_pci_get(pc, &records);
	stop();
	pc_pci_config(&records, &other);
	CHECK(other.pvmemcontrol && other.balloon);
	start(other.pvmemcontrol, other.balloon);
	CHECK(!pc_pci_set(pc, &records) && !pc_pci_set_memory(pc, &records, &error));
	CHECK_EQ(pc->pvmemcontrol.codes,
		 1U << ADVICE_DONTNEED | 1U << ADVICE_PROTECT_R);
	CHECK(advice_denies(&pc->machine.advice, 0) &&
	      pc->machine.given.count == 4);
	stop();
	tlv_free(&records);
	start(0, false);
	pc_pci_get(pc, &records);
	CHECK(!records.size && !pc_pci_set(pc, &records));
	pc_pci_config(&records, &other);
	CHECK(!other.balloon);
	stop();
	start(PVMEMCONTROL_CODES_ALL, true);
	CHECK_EQ(pc_pci_set(pc, &records), -EBADMSG);
	stop();
}

static void test_pc_pci_stat(void)
{
	struct json_object *result, *device, *done;

	start(0, false);
	CHECK(!ask("stat", "{}", &result));
	CHECK(!json_object_object_get_ex(result, "pvmemcontrol", &device) &&
	      !json_object_object_get_ex(result, "balloon", &device));
	json_object_put(result);
	stop();
	start(PVMEMCONTROL_CODES_ALL, true);
	pc->pvmemcontrol.counters.done[ADVICE_LOCK] = 7;
	given_add(&pc->machine.given, (struct range){ 0, PAGE });
	CHECK(!ask("stat", "{}", &result));
	CHECK(json_object_object_get_ex(result, "pvmemcontrol", &device) &&
	      json_object_object_get_ex(device, "done", &done));
	CHECK_STR(json_object_to_json_string_ext(done, JSON_C_TO_STRING_PLAIN),
		  "{\"mlock\":7}");
	CHECK(json_object_object_get_ex(result, "balloon", &device) &&
	      json_object_object_get_ex(device, "given_bytes", &done));
	CHECK_EQ(json_object_get_uint64(done), PAGE);
	json_object_put(result);
	stop();
}

static void test_pc_pci_balloon(void)
{
	start(0, true);
	CHECK(!ask_plain("balloon", "{\"size\":131072}"));
	CHECK_EQ(bytes_get32(pc->balloon.virtio.state.config), 32);
	CHECK_EQ(ask_plain("balloon", "{\"size\":135168}"), -EINVAL);
	CHECK_EQ(ask_plain("balloon", "{\"size\":4095}"), -EINVAL);
	CHECK_EQ(ask_plain("balloon", "{}"), -EINVAL);
	CHECK_EQ(bytes_get32(pc->balloon.virtio.state.config), 32);
	CHECK(!ask_plain("balloon", "{\"size\":0}"));
	CHECK_EQ(bytes_get32(pc->balloon.virtio.state.config), 0);
	/* Not while the guest is given away, or after that. */
	pthread_mutex_lock(&pc->still);
	CHECK_EQ(ask_plain("balloon", "{\"size\":4096}"), -EBUSY);
	pthread_mutex_unlock(&pc->still);
	stop();
	start(0, false);
	CHECK_EQ(ask_plain("balloon", "{\"size\":4096}"), -EOPNOTSUPP);
	CHECK(strstr(error.hint, "--balloon"));
	stop();
}

static const struct unit_test tests[] = {
	{ "pc.pci_devices", test_pc_pci_devices },
	{ "pc.pci_state", test_pc_pci_state },
	{ "pc.pci_stat", test_pc_pci_stat },
	{ "pc.pci_balloon", test_pc_pci_balloon },
};

UNIT_TESTS(tests)
