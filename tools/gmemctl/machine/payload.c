// SPDX-License-Identifier: GPL-2.0
/* A machine that runs a payload. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "../boot/boot.h"
#include "payload.h"

/* Memory that a run needs besides guest memory: page tables, the VM, the tool. */
#define HOST_RESERVE (UINT64_C(16) << 20)

static int host_available(uint64_t *bytes)
{
	FILE *file = fopen("/proc/meminfo", "re");
	unsigned long long kib;
	char line[128];
	int rc = -ENOENT;

	if (!file)
		return -errno;
	while (rc && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "MemAvailable: %llu kB", &kib) != 1)
			continue;
		*bytes = (uint64_t)kib << 10;
		rc = 0;
	}
	fclose(file);
	return rc;
}

static int cgroup_read(const char *cgroup, const char *name, uint64_t *bytes)
{
	unsigned long long value;
	char path[512];
	FILE *file;
	int found;

	snprintf(path, sizeof(path), "/sys/fs/cgroup%s/%s", cgroup, name);
	file = fopen(path, "re");
	if (!file)
		return -errno;
	found = fscanf(file, "%llu", &value);
	fclose(file);
	if (found != 1)
		return -ENOENT;
	*bytes = value;
	return 0;
}

/* Find how much the memory cgroup (version 2) of this process may still use. */
static int cgroup_available(uint64_t *bytes)
{
	FILE *file = fopen("/proc/self/cgroup", "re");
	uint64_t limit, used;
	char line[384];
	int rc = -ENOENT;

	if (!file)
		return -errno;
	while (fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = '\0';
		if (strncmp(line, "0::", 3))
			continue;
		if (cgroup_read(line + 3, "memory.max", &limit) ||
		    cgroup_read(line + 3, "memory.current", &used))
			continue;
		*bytes = limit > used ? limit - used : 0;
		rc = 0;
	}
	fclose(file);
	return rc;
}

int payload_check_memory(uint64_t bytes, struct error *error)
{
	uint64_t available = 0;

	if (!host_available(&available) && available < bytes + HOST_RESERVE)
		return error_set(error, -ENOMEM, "host", "find memory",
				 "the run takes %" PRIu64 " MiB, %" PRIu64 " MiB "
				 "are available: stop something, or choose a "
				 "smaller file or --memory",
				 (bytes + HOST_RESERVE) >> 20, available >> 20);
	if (!cgroup_available(&available) && available < bytes + HOST_RESERVE)
		return error_set(error, -ENOMEM, "memory cgroup", "find memory", "the run takes %"
				 PRIu64 " MiB, memory.max leaves %" PRIu64
				 " MiB: raise it, or choose a smaller file or --memory",
				 (bytes + HOST_RESERVE) >> 20, available >> 20);
	return 0;
}

uint64_t payload_input_gpa(enum memory_strategy strategy, unsigned int nr_vcpus)
{
	if (strategy == MEMORY_INPLACE)
		return GUEST_HEAP_GPA;
	return GUEST_HEAP_GPA + (uint64_t)nr_vcpus * GUEST_CHUNK;
}

uint8_t *payload_input(struct payload *payload)
{
	return machine_host(&payload->machine, payload_input_gpa(payload->config.strategy,
								 payload->config.nr_vcpus));
}

static void payload_failed(struct payload *payload)
{
	const struct guest_params *params = payload->params;
	struct machine *machine = &payload->machine;
	char refusal[MACHINE_REFUSAL_MAX];

	pthread_mutex_lock(&machine->lock);
	memcpy(refusal, machine->refusal, sizeof(refusal));
	pthread_mutex_unlock(&machine->lock);
	machine_end(machine, END_GAVE_UP, "gpa 0x%" PRIx64 ", result %" PRId64 "%s%s",
		    params->fail_gpa, params->fail_result, *refusal ? "; " : "", refusal);
}

static void port_read(void *data, uint64_t offset, uint8_t *bytes, unsigned int size)
{
	memset(bytes, 0xff, size);
}

static void event_write(void *data, uint64_t offset, const uint8_t *bytes, unsigned int size)
{
	struct payload *payload = data;
	enum guest_event event;
	uint32_t word, value;
	int rc = 0;

	if (offset || size != sizeof(word))
		return;
	memcpy(&word, bytes, sizeof(word));
	event = word >> GUEST_EVENT_SHIFT;
	value = word & GUEST_EVENT_VALUE_MASK;
	machine_trace(&payload->machine, NULL, "event %u, value %u", event, value);
	if (event == GUEST_EVENT_FAILED)
		return payload_failed(payload);
	if (payload->config.event)
		rc = payload->config.event(payload, event, value);
	if (rc)
		machine_end(&payload->machine, END_FAILED, "event %u: %s", event, strerror(-rc));
	else if (event == GUEST_EVENT_DONE)
		__atomic_store_n(&payload->done, true, __ATOMIC_RELEASE);
}

static void console_write(void *data, uint64_t offset, const uint8_t *bytes, unsigned int size)
{
	struct payload *payload = data;

	if (payload->config.console)
		fwrite(bytes, 1, size, payload->config.console);
}

static int payload_load(struct payload *payload, struct error *error)
{
	const struct bus_device devices[] = {
		{ .name = "events", .start = GUEST_EVENT_PORT, .size = 4,
		  .width = 4, .read = port_read, .write = event_write,
		  .data = payload },
		{ .name = "console", .start = GUEST_CONSOLE_PORT, .size = 1,
		  .width = 1, .read = port_read, .write = console_write,
		  .data = payload },
	};
	int rc = 0;

	for (size_t i = 0; !rc && i < sizeof(devices) / sizeof(devices[0]); i++)
		rc = bus_add(&payload->machine.ports, &devices[i], error);
	if (rc)
		return rc;
	payload->params = (void *)machine_host(&payload->machine, GUEST_PARAMS_GPA);
	return boot_load(machine_host(&payload->machine, 0), payload->config.memory_size, error);
}

/* Configure a machine with RAM from address 0 that can be private. */
static struct machine_config payload_machine(struct payload *payload)
{
	const struct payload_config *config = &payload->config;
	bool view = config->strategy == MEMORY_INPLACE &&
		    config->memory.kind == BACKING_GMEM;

	payload->ram = (struct range){ 0, config->memory_size };
	payload->request = config->memory;
	payload->request.ranges = &payload->ram;
	payload->request.nr_ranges = 1;
	return (struct machine_config){
		.memory = {
			.requests = &payload->request,
			.nr_requests = 1,
			.guest_memfd = !view,
			.view = view,
			.convert_timeout_ms = config->convert_timeout_ms,
		},
		.nr_vcpus = config->nr_vcpus,
		.run_timeout_s = config->run_timeout_s,
		.trace = config->trace,
	};
}

int payload_create(struct payload *payload, const struct payload_config *config,
		   struct error *error)
{
	struct machine_config machine;
	int rc;

	if (config->nr_vcpus > GUEST_MAX_VCPUS)
		return error_set(error, -EINVAL, "payload", "create vCPUs", "at most %d, not %u",
				 GUEST_MAX_VCPUS, config->nr_vcpus);
	memset(payload, 0, sizeof(*payload));
	payload->config = *config;
	machine = payload_machine(payload);
	rc = machine_create(&payload->machine, &machine, error);
	if (rc)
		return rc;
	rc = payload_load(payload, error);
	if (rc)
		payload_destroy(payload);
	return rc;
}

void payload_destroy(struct payload *payload)
{
	machine_destroy(&payload->machine);
}

int payload_run(struct payload *payload, enum guest_payload which,
		uint64_t input_length, uint32_t rounds, struct error *error)
{
	const struct payload_config *config = &payload->config;
	struct machine *machine = &payload->machine;
	int rc;

	*payload->params = (struct guest_params){
		.payload = which,
		.flags = boot_hypercall_flag() |
			 (config->strategy == MEMORY_DISCARD ? GUEST_F_BOUNCE : 0),
		.nr_vcpus = config->nr_vcpus,
		.rounds = rounds,
		.memory_size = config->memory_size,
		.input_gpa = payload_input_gpa(config->strategy, config->nr_vcpus),
		.input_length = input_length,
		.bounce_gpa = GUEST_HEAP_GPA,
		.pattern = payload->params->pattern,
	};
	payload->done = false;
	rc = machine_prepare(machine, error);
	for (unsigned int i = 0; !rc && i < machine->nr_vcpus; i++)
		rc = boot_vcpu(&machine->vcpus[i], error);
	if (rc)
		return rc;
	machine_run(machine);
	if (machine->end == END_HALTED && payload->done)
		machine->end = END_DONE;
	return 0;
}
