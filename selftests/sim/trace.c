// SPDX-License-Identifier: GPL-2.0
/*
 * The trace: one JSON object in a line for each call, with the argument before
 * it, what has changed in it after, and the result.
 */
#include <errno.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "base/hex.h"
#include "trace.h"

static const char *const kind_names[SIM_KINDS] = {
	[SIM_KVM] = "kvm", [SIM_VM] = "vm", [SIM_VCPU] = "vcpu",
	[SIM_GMEM] = "gmem", [SIM_SEV] = "sev", [SIM_GIC] = "gic",
};

static struct json_object *hex_object(uint64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "0x%" PRIx64, value);
	return json_object_new_string(text);
}

/* "vm0": the first VM */
static struct json_object *file_object(const struct sim *sim, int fd)
{
	const struct sim_fd *found = sim_fd(sim, fd);
	char text[24];

	if (!found)
		return json_object_new_string(fd < 0 ? "none" : "other");
	snprintf(text, sizeof(text), "%s%u", kind_names[found->kind],
		 found->serial);
	return json_object_new_string(text);
}

/* Where things are is not the same in two runs, and a trace is to be. */
static struct json_object *address_object(uint64_t address)
{
	return address ? json_object_new_string("address") : NULL;
}

static struct json_object *page_object(uint64_t address)
{
	if (!address)
		return NULL;
	return json_object_new_string(address % SIM_PAGE ? "unaligned" :
							   "page");
}

static struct json_object *bytes_object(const uint8_t *bytes, size_t size)
{
	char text[2 * SIM_DIGEST + 1];

	hex_format(bytes, size, text);
	return json_object_new_string(text);
}

static struct json_object *segment_object(const void *at)
{
	struct json_object *object = json_object_new_object();
	struct kvm_segment segment;

	memcpy(&segment, at, sizeof(segment));
	json_object_object_add(object, "selector",
			       hex_object(segment.selector));
	json_object_object_add(object, "base", hex_object(segment.base));
	json_object_object_add(object, "limit", hex_object(segment.limit));
	json_object_object_add(object, "type", hex_object(segment.type));
	json_object_object_add(object, "present",
			       json_object_new_int(segment.present));
	return object;
}

static struct json_object *command_object(uint32_t id)
{
	const struct trace_command *command = trace_command(id);

	return command ? json_object_new_string(command->name) :
			 json_object_new_int64(id);
}

static struct json_object *field_object(const struct sim *sim,
					const struct trace_field *field,
					const uint8_t *data)
{
	const uint8_t *at = data + field->offset;
	uint64_t value = 0;

	if (field->format == TRACE_BYTES)
		return bytes_object(at, field->size);
	if (field->format == TRACE_SEGMENT)
		return segment_object(at);
	memcpy(&value, at, field->size);
	switch (field->format) {
	case TRACE_ADDRESS:
		return address_object(value);
	case TRACE_PAGE:
		return page_object(value);
	case TRACE_FILE:
		return file_object(sim, (int)value);
	case TRACE_COMMAND:
		return command_object((uint32_t)value);
	case TRACE_HEX:
		return hex_object(value);
	default:
		return json_object_new_int64((int64_t)value);
	}
}

/* NULL: it cannot be read. */
static struct json_object *struct_object(struct sim *sim,
					 const struct trace_struct *type,
					 uint64_t at)
{
	uint8_t data[TRACE_STRUCT_MAX] = { 0 };
	struct json_object *object;

	if (sim_in(sim, data, at, type->size))
		return NULL;
	object = json_object_new_object();
	for (unsigned int i = 0; i < type->count; i++)
		json_object_object_add(object, type->fields[i].name,
				       field_object(sim, &type->fields[i],
						    data));
	return object;
}

/* A launch command, and what it points to */
static struct json_object *launch_object(struct sim *sim,
					 const struct trace_struct *type,
					 uint64_t at)
{
	struct json_object *object = struct_object(sim, type, at);
	const struct trace_command *command;
	struct snp_kvm_cmd cmd;

	if (!object || sim_in(sim, &cmd, at, sizeof(cmd)))
		return object;
	command = trace_command(cmd.id);
	if (command && command->data && cmd.data)
		json_object_object_add(object, "data",
				       struct_object(sim, command->data, cmd.data));
	return object;
}

static struct json_object *argument(struct sim *sim, unsigned long request,
				    const struct trace_call *call, uint64_t arg)
{
	/* Of one that is not known, whether it is an address is in its number. */
	if (!call)
		return _IOC_DIR(request) ? address_object(arg) :
					   hex_object(arg);
	if (!call->arg)
		return hex_object(arg);
	if (!call->arg->size)
		return address_object(arg);
	if (request == KVM_MEMORY_ENCRYPT_OP)
		return launch_object(sim, call->arg, arg);
	return struct_object(sim, call->arg, arg);
}

static struct json_object *errno_object(int rc)
{
	const char *name = strerrorname_np(-rc);

	return name ? json_object_new_string(name) : json_object_new_int(-rc);
}

static struct json_object *request_object(const struct trace_call *call,
					  unsigned long request)
{
	return call ? json_object_new_string(call->name) : hex_object(request);
}

static bool makes_file(unsigned long request)
{
	return request == KVM_CREATE_VM || request == KVM_CREATE_VCPU ||
	       request == KVM_CREATE_GUEST_MEMFD;
}

/* A new file is called by its name. */
static void add_result(struct sim *sim, struct json_object *record, int rc,
		       bool file)
{
	json_object_object_add(record, "result", rc >= 0 && file ?
			       file_object(sim, rc) :
			       json_object_new_int(rc < 0 ? -1 : rc));
	if (rc < 0)
		json_object_object_add(record, "errno", errno_object(rc));
}

static void write_record(struct sim *sim, struct json_object *record)
{
	int flags = JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE;

	fprintf(sim->trace, "%s\n",
		json_object_to_json_string_ext(record, flags));
	fflush(sim->trace);
	json_object_put(record);
}

static void add_launch(struct json_object *record, const struct sim_vm *vm)
{
	if (vm->guest.state == SIM_GUEST_NONE)
		return;
	json_object_object_add(record, "digest",
			       bytes_object(vm->guest.digest, SIM_DIGEST));
	json_object_object_add(record, "pages",
			       json_object_new_int64((int64_t)vm->guest.pages));
}

static void add_exit(struct json_object *record, const struct kvm_run *run)
{
	json_object_object_add(record, "exit_reason",
			       json_object_new_int((int)run->exit_reason));
	json_object_object_add(record, "exit",
			       bytes_object((const uint8_t *)run->padding, 40));
}

void sim_trace_begin(struct sim *sim, int fd, unsigned long request,
		     uint64_t arg)
{
	const struct sim_fd *found = sim_fd(sim, fd);
	const struct trace_call *call;
	struct json_object *record;

	if (!sim->trace)
		return;
	call = trace_call_find(found->kind, request);
	record = json_object_new_object();
	json_object_object_add(record, "file", file_object(sim, fd));
	json_object_object_add(record, "ioctl", request_object(call, request));
	/* What is only written to the caller is nothing before. */
	json_object_object_add(record, "in", _IOC_DIR(request) == _IOC_READ ?
			       address_object(arg) :
			       argument(sim, request, call, arg));
	sim->record = record;
}

void sim_trace_end(struct sim *sim, int fd, unsigned long request, uint64_t arg,
		   int rc)
{
	struct json_object *record = sim->record;
	const struct sim_fd *found = sim_fd(sim, fd);
	struct json_object *after;

	if (!record)
		return;
	after = argument(sim, request, trace_call_find(found->kind, request),
			 arg);
	if (json_object_equal(after, json_object_object_get(record, "in")))
		json_object_put(after);
	else
		json_object_object_add(record, "out", after);
	if (request == KVM_RUN && found->kind == SIM_VCPU)
		add_exit(record, ((struct sim_vcpu *)found->object)->run);
	if (request == KVM_MEMORY_ENCRYPT_OP && found->kind == SIM_VM)
		add_launch(record, found->object);
	add_result(sim, record, rc, makes_file(request));
	write_record(sim, record);
	sim->record = NULL;
}

/* In hybrid mode: what the simulator would have said */
void sim_trace_differs(struct sim *sim, int rc)
{
	sim->differences++;
	if (!sim->record)
		return;
	json_object_object_add(sim->record, "simulator", rc < 0 ?
			       errno_object(rc) :
			       json_object_new_string("success"));
}

/* @fd: -1: a file that is opened */
void sim_trace_call(struct sim *sim, const char *name, int fd, int rc)
{
	struct json_object *record;

	if (!sim->trace)
		return;
	record = json_object_new_object();
	if (fd >= 0)
		json_object_object_add(record, "file", file_object(sim, fd));
	json_object_object_add(record, "call", json_object_new_string(name));
	add_result(sim, record, rc, fd < 0);
	write_record(sim, record);
}

void sim_trace_warning(struct sim *sim, const char *message)
{
	struct json_object *record;

	if (!sim->trace)
		return;
	record = json_object_new_object();
	json_object_object_add(record, "warning",
			       json_object_new_string(message));
	write_record(sim, record);
}

void sim_trace(struct sim *sim, FILE *to)
{
	sim->trace = to;
}
