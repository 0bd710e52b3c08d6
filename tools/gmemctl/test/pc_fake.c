// SPDX-License-Identifier: GPL-2.0
#include <json-c/json.h>
#include <string.h>

#include "../base/clock.h"
#include "../base/calls.h"
#include "pc_fake.h"
#include "ram.h"

struct pc_fake pc_fake;

static struct pc_config config;

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
	ram_start(BACKING_SHARED);
	ram.config.guest_memfd = true;
	config = (struct pc_config){ .machine.memory = ram.config };
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
