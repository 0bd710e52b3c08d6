// SPDX-License-Identifier: GPL-2.0
#include <json-c/json.h>
#include <string.h>

#include "../base/clock.h"
#include "../base/calls.h"
#include "kvm_fake.h"
#include "pc_fake.h"

#define PAGE RANGE_PAGE_SIZE

struct pc_fake pc_fake;

static const struct range ranges[] = {
	{ 0, 16 * PAGE }, { 64 * PAGE, 80 * PAGE },
};

static const struct memory_request request = {
	.ranges = ranges,
	.nr_ranges = 2,
	.kind = BACKING_SHARED,
	.existing_fd = -1,
	.node = -1,
};

static const struct pc_config config = {
	.machine.memory = { .requests = &request, .nr_requests = 1,
			    .guest_memfd = true },
};

static int no_loop(void *data, struct vcpu *unused)
{
	return 0;
}

bool machine_fake_start(struct machine *machine, const struct machine_config *with)
{
	machine_init(machine, &machine_x86, with);
	machine->vm = kvm_fake.vm;
	return !threads_init(&machine->threads, no_loop, machine, NULL) &&
	       (!with->memory.nr_requests ||
		(!guest_memory_create(&machine->memory, &machine->config.memory, &machine->vm,
				      NULL) && !guest_memory_attach(&machine->memory, NULL)));
}

void machine_fake_stop(struct machine *machine)
{
	if (machine->memory.reservation.base)
		guest_memory_destroy(&machine->memory);
	threads_destroy(&machine->threads);
	pthread_mutex_destroy(&machine->lock);
	calls = &calls_system;
}

bool pc_fake_start(void)
{
	kvm_fake_start();
	memset(&pc_fake, 0, sizeof(pc_fake));
	pc_fake.pc.config = &config;
	pc_fake.control.pc = &pc_fake.pc;
	pthread_mutex_init(&pc_fake.control.remotes.lock, NULL);
	pc_fake.control.name = "test";
	pc_fake.control.started_ns = clock_now_ns();
	return machine_fake_start(&pc_fake.pc.machine, &config.machine);
}

void pc_fake_stop(void)
{
	machine_fake_stop(&pc_fake.pc.machine);
}

int pc_ask_for(const char *command, const char *text, struct json_object **result)
{
	struct json_object *request = json_tokener_parse(text);
	int rc;

	*result = NULL;
	rc = pc_control_serve(&pc_fake.control, command, request, result, &pc_fake.error);
	json_object_put(request);
	return rc;
}

int pc_ask(const char *command, const char *text)
{
	struct json_object *result;
	int rc = pc_ask_for(command, text, &result);

	json_object_put(result);
	return rc;
}
