// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "../base/bytes.h"
#include "../memory/access.h"
#include "pvmemcontrol.h"

#define PAYLOAD_SIZE	8
#define BUFFER_SIZE	sizeof(struct pvmemcontrol_request)

_Static_assert(sizeof(struct pvmemcontrol_request) == 32 &&
	       sizeof(struct pvmemcontrol_response) == 32, "they are one buffer");

static const struct pci_identity identity = {
	.vendor = 0x1ae0,
	.device = 0x0087,
	.subvendor = 0x1ae0,
	.subsystem = 0x011f,
	.class = 0x088000,
	.revision = 1,
};

const char *const pvmemcontrol_code_names[] = {
	[PVMEMCONTROL_INFO]	= "info",
	[ADVICE_DONTNEED]	= "dontneed",
	[ADVICE_REMOVE]		= "remove",
	[ADVICE_FREE]		= "free",
	[ADVICE_PAGEOUT]	= "pageout",
	[ADVICE_DONTDUMP]	= "dontdump",
	[ADVICE_NAME]		= "set-vma-anon-name",
	[ADVICE_LOCK]		= "mlock",
	[ADVICE_UNLOCK]		= "munlock",
	[ADVICE_PROTECT_NONE]	= "mprotect-none",
	[ADVICE_PROTECT_R]	= "mprotect-r",
	[ADVICE_PROTECT_W]	= "mprotect-w",
	[ADVICE_PROTECT_RW]	= "mprotect-rw",
	[ADVICE_MERGEABLE]	= "mergeable",
	[ADVICE_UNMERGEABLE]	= "unmergeable",
	[PVMEMCONTROL_CODES]	= NULL,
};

static const char *const state_names[] = {
	[PVMEMCONTROL_STATE_BROKEN]	= "broken",
	[PVMEMCONTROL_STATE_INIT]	= "initializing",
	[PVMEMCONTROL_STATE_READY]	= "ready",
};

/**
 * struct saved_state - the start of a record; addresses of the buffers follow
 */
struct saved_state {
	uint8_t payload[PAYLOAD_SIZE];
	uint32_t status;
	uint32_t state;
	uint32_t codes;
	uint32_t nr_buffers;
};

const char *pvmemcontrol_state_name(struct pvmemcontrol *device)
{
	return state_names[__atomic_load_n(&device->state, __ATOMIC_ACQUIRE)];
}

static void count(uint64_t *counter, uint64_t more)
{
	__atomic_add_fetch(counter, more, __ATOMIC_RELAXED);
}

static void note(const struct pvmemcontrol *device, const char *text, uint64_t value)
{
	char line[128];

	snprintf(line, sizeof(line), "pvmemcontrol: %s: 0x%" PRIx64, text, value);
	board_note(device->board, line);
}

static void set_state(struct pvmemcontrol *device, enum pvmemcontrol_state state)
{
	__atomic_store_n(&device->state, state, __ATOMIC_RELEASE);
	device->status = state == PVMEMCONTROL_STATE_BROKEN ?
			 PVMEMCONTROL_ERROR : PVMEMCONTROL_ACK;
}

/* Write all bytes, so that the guest does not see old contents of the payload. */
static void set_payload(struct pvmemcontrol *device, uint32_t value)
{
	bytes_put64(device->payload, value);
}

static void command_register(struct pvmemcontrol *device)
{
	uint64_t gpa = bytes_get64(device->payload);
	uint32_t number = device->nr_buffers;

	set_payload(device, 0);
	if (device->state != PVMEMCONTROL_STATE_INIT || number == PVMEMCONTROL_CONNECTIONS_MAX ||
	    !access_is_shared(device->advice->memory, gpa, BUFFER_SIZE)) {
		note(device, "no buffer", gpa);
		return set_state(device, PVMEMCONTROL_STATE_BROKEN);
	}
	__atomic_store_n(&device->buffers[number], gpa, __ATOMIC_RELAXED);
	__atomic_store_n(&device->nr_buffers, number + 1, __ATOMIC_RELEASE);
	set_payload(device, PVMEMCONTROL_CONNECTION | number);
	device->status = PVMEMCONTROL_ACK;
}

/* With the lock held. */
static void transport_command(struct pvmemcontrol *device, uint32_t command)
{
	if (command == PVMEMCONTROL_REGISTER)
		return command_register(device);
	switch (command) {
	case PVMEMCONTROL_RESET:
		set_state(device, PVMEMCONTROL_STATE_INIT);
		__atomic_store_n(&device->nr_buffers, 0, __ATOMIC_RELEASE);
		break;
	case PVMEMCONTROL_READY:
		set_state(device, device->state == PVMEMCONTROL_STATE_INIT ?
			  PVMEMCONTROL_STATE_READY : PVMEMCONTROL_STATE_BROKEN);
		break;
	case PVMEMCONTROL_DISCONNECT:
	case PVMEMCONTROL_ACK:
	case PVMEMCONTROL_ERROR:
		set_state(device, PVMEMCONTROL_STATE_BROKEN);
		break;
	default:
		return note(device, "unknown command", command);
	}
	set_payload(device, 0);
}

/* Return: 0, or a negative errno. */
static int serve_known(struct pvmemcontrol *device, const struct pvmemcontrol_request *request)
{
	struct pvmemcontrol_counters *counters = &device->counters;
	int rc = -EOPNOTSUPP;

	if (device->codes & 1U << request->code)
		rc = advice_take(device->advice, (enum advice_kind)request->code, request->address,
				 request->length, request->argument);
	count(rc ? &counters->refused[request->code] : &counters->done[request->code], 1);
	if (!rc && (request->code == ADVICE_DONTNEED || request->code == ADVICE_REMOVE))
		count(&counters->bytes, request->length);
	return rc;
}

static void serve(struct pvmemcontrol *device, const struct pvmemcontrol_request *request,
		  struct pvmemcontrol_response *response)
{
	int rc = -EOPNOTSUPP;

	if (request->code == PVMEMCONTROL_INFO) {
		count(&device->counters.done[PVMEMCONTROL_INFO], 1);
		*response = (struct pvmemcontrol_response){
			.value = RANGE_PAGE_SIZE,
			.arguments = { PVMEMCONTROL_MAJOR, PVMEMCONTROL_MINOR },
		};
		return;
	}
	if (request->code < PVMEMCONTROL_CODES)
		rc = serve_known(device, request);
	else
		count(&device->counters.unknown, 1);
	*response = (struct pvmemcontrol_response){ .error = (uint32_t)-rc };
	/* Errors of the device itself name the code of the request. */
	if (rc == -EOPNOTSUPP || rc == -EINVAL)
		response->code = (uint32_t)request->code;
}

/* Find the buffer of a connection. Return: whether there is one. */
static bool find_buffer(struct pvmemcontrol *device, uint32_t connection, uint64_t *gpa)
{
	uint32_t number = connection & ~PVMEMCONTROL_CONNECTION;

	if (__atomic_load_n(&device->state, __ATOMIC_ACQUIRE) != PVMEMCONTROL_STATE_READY ||
	    number >= __atomic_load_n(&device->nr_buffers, __ATOMIC_ACQUIRE))
		return false;
	*gpa = __atomic_load_n(&device->buffers[number], __ATOMIC_RELAXED);
	return true;
}

/* Runs in the vCPU's thread: when its write to the register completes, the request is done. */
static void connection_command(struct pvmemcontrol *device, uint32_t connection)
{
	struct guest_memory *memory = device->advice->memory;
	struct pvmemcontrol_response response;
	struct pvmemcontrol_request request;
	uint64_t gpa = 0;

	if (!find_buffer(device, connection, &gpa)) {
		count(&device->counters.unanswered, 1);
		return note(device, "no such connection", connection);
	}
	if (access_read(memory, gpa, &request, sizeof(request))) {
		count(&device->counters.unanswered, 1);
		return note(device, "buffer cannot be read", gpa);
	}
	serve(device, &request, &response);
	if (!access_write(memory, gpa, &response, sizeof(response)))
		return;
	count(&device->counters.unanswered, 1);
	note(device, "buffer cannot be written", gpa);
}

static void device_read(void *data, uint64_t offset, uint8_t *bytes, unsigned int size)
{
	struct pvmemcontrol *device = data;
	uint8_t registers[PVMEMCONTROL_BAR_SIZE] = { 0 };

	pthread_mutex_lock(&device->lock);
	memcpy(registers, device->payload, PAYLOAD_SIZE);
	bytes_put32(registers + PVMEMCONTROL_COMMAND, device->status);
	pthread_mutex_unlock(&device->lock);
	memcpy(bytes, registers + offset, size);
}

/* Bytes beyond the payload are dropped. */
static void write_payload(struct pvmemcontrol *device, uint64_t offset,
			  const uint8_t *bytes, unsigned int size)
{
	if (size != 4 && size != 8)
		return note(device, "write of unsupported size", size);
	if (offset >= PAYLOAD_SIZE)
		return;
	if (size > PAYLOAD_SIZE - offset)
		size = (unsigned int)(PAYLOAD_SIZE - offset);
	pthread_mutex_lock(&device->lock);
	memcpy(device->payload + offset, bytes, size);
	pthread_mutex_unlock(&device->lock);
}

static void device_write(void *data, uint64_t offset, const uint8_t *bytes, unsigned int size)
{
	struct pvmemcontrol *device = data;
	uint32_t command;

	if (offset != PVMEMCONTROL_COMMAND)
		return write_payload(device, offset, bytes, size);
	if (size != sizeof(command))
		return note(device, "command of unsupported size", size);
	command = bytes_get32(bytes);
	if (command & PVMEMCONTROL_CONNECTION)
		return connection_command(device, command);
	pthread_mutex_lock(&device->lock);
	transport_command(device, command);
	pthread_mutex_unlock(&device->lock);
}

void pvmemcontrol_init(struct pvmemcontrol *device, const struct board *board,
		       struct advice *advice, uint32_t codes)
{
	struct pci_function *function = &device->function;

	memset(device, 0, sizeof(*device));
	device->board = board;
	device->advice = advice;
	device->codes = codes;
	function->name = "pvmemcontrol";
	function->read = device_read;
	function->write = device_write;
	function->data = device;
	pci_identify(function, &identity);
	bytes_put16(function->config + PCI_COMMAND, PCI_COMMAND_IO | PCI_COMMAND_SERR);
	pci_set_bar(function, false, PVMEMCONTROL_BAR_SIZE, PCI_MEMORY_START);
	pthread_mutex_init(&device->lock, NULL);
	set_state(device, PVMEMCONTROL_STATE_BROKEN);
}

void pvmemcontrol_destroy(struct pvmemcontrol *device)
{
	pthread_mutex_destroy(&device->lock);
}

void pvmemcontrol_get(struct pvmemcontrol *device, struct tlv *records, uint32_t type)
{
	uint8_t bytes[sizeof(struct saved_state) + sizeof(device->buffers)];
	struct saved_state saved = {
		.status = device->status,
		.state = device->state,
		.codes = device->codes,
		.nr_buffers = device->nr_buffers,
	};

	memcpy(saved.payload, device->payload, PAYLOAD_SIZE);
	memcpy(bytes, &saved, sizeof(saved));
	memcpy(bytes + sizeof(saved), device->buffers, sizeof(device->buffers));
	tlv_add(records, type, 0, bytes, sizeof(saved) +
		saved.nr_buffers * sizeof(device->buffers[0]));
}

/* The addresses of the buffers are not checked here, but with each request. */
int pvmemcontrol_set(struct pvmemcontrol *device, const struct tlv *records, uint32_t type)
{
	struct saved_state saved;
	const uint8_t *bytes;
	size_t size;

	bytes = tlv_find(records, type, 0, &size);
	if (!bytes || size < sizeof(saved))
		return -EBADMSG;
	memcpy(&saved, bytes, sizeof(saved));
	if (saved.state > PVMEMCONTROL_STATE_READY ||
	    (saved.status != PVMEMCONTROL_ACK && saved.status != PVMEMCONTROL_ERROR) ||
	    saved.nr_buffers > PVMEMCONTROL_CONNECTIONS_MAX ||
	    size != sizeof(saved) + saved.nr_buffers * sizeof(uint64_t))
		return -EBADMSG;
	memcpy(device->payload, saved.payload, PAYLOAD_SIZE);
	device->codes = saved.codes & PVMEMCONTROL_CODES_ALL;
	device->state = saved.state;
	device->status = saved.status;
	device->nr_buffers = saved.nr_buffers;
	memcpy(device->buffers, bytes + sizeof(saved), size - sizeof(saved));
	return 0;
}
