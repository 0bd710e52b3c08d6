/* SPDX-License-Identifier: GPL-2.0 */
/*
 * pvmemcontrol: a PCI function with which a guest requests changes of its own memory on the
 * host. See Documentation/pvmemcontrol.rst.
 *
 * DOC: Locks
 *
 * Commands of the transport, and writes of the payload, take pvmemcontrol.lock. A request takes
 * no lock: it finds its buffer by atomic reads, and several vCPUs make requests in parallel. A
 * request during a RESET uses the buffer from before or from after it.
 */
#ifndef GMEMCTL_DEVICES_PVMEMCONTROL_H
#define GMEMCTL_DEVICES_PVMEMCONTROL_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "../base/tlv.h"
#include "../memory/advice.h"
#include "pci.h"

/* Registers in BAR 0 */
#define PVMEMCONTROL_BAR_SIZE		16
#define PVMEMCONTROL_PAYLOAD		0x00	/* 8 bytes */
#define PVMEMCONTROL_COMMAND		0x08	/* 4 bytes; reads as the status */

/* Commands of the transport; one with bit 31 is a connection */
#define PVMEMCONTROL_RESET		0x060fe6d2U
#define PVMEMCONTROL_REGISTER		0x0e359539U
#define PVMEMCONTROL_READY		0x0ca8d227U
#define PVMEMCONTROL_DISCONNECT		0x030f5da0U
#define PVMEMCONTROL_ACK		0x03cf5196U
#define PVMEMCONTROL_ERROR		0x01fba249U
#define PVMEMCONTROL_CONNECTION		0x80000000U

/** PVMEMCONTROL_CONNECTIONS_MAX: number of buffers; Linux has one for each possible CPU */
#define PVMEMCONTROL_CONNECTIONS_MAX	1024

/* Function codes: INFO, and those of enum advice_kind */
#define PVMEMCONTROL_INFO		0
#define PVMEMCONTROL_CODES		ADVICE_KINDS
#define PVMEMCONTROL_CODES_ALL		((1U << PVMEMCONTROL_CODES) - 1)

#define PVMEMCONTROL_MAJOR		1
#define PVMEMCONTROL_MINOR		0

/* enum pvmemcontrol_state - of the transport; part of a file format */
enum pvmemcontrol_state {
	PVMEMCONTROL_STATE_BROKEN,
	PVMEMCONTROL_STATE_INIT,
	PVMEMCONTROL_STATE_READY,
};

/**
 * struct pvmemcontrol_request - the buffer as the guest fills it, little endian
 * @code: function code
 * @address: guest physical, whole pages
 * @length: bytes, whole pages
 * @argument: of SET_VMA_ANON_NAME
 */
struct pvmemcontrol_request {
	uint64_t code;
	uint64_t address;
	uint64_t length;
	uint64_t argument;
};

/**
 * struct pvmemcontrol_response - the buffer with the answer, little endian
 * @error: an errno, or 0
 * @code: the function code, if it is unknown or refused, or its range is invalid; otherwise 0
 * @value: INFO: the page size in bytes
 * @arguments: INFO: major and minor version
 */
struct pvmemcontrol_response {
	uint32_t error;
	uint32_t code;
	uint64_t value;
	uint64_t arguments[2];
};

/**
 * struct pvmemcontrol_counters - statistics; each is changed atomically
 * @done: successful requests by function code
 * @refused: requests that were answered with an error, by function code
 * @unknown: requests with an unknown code
 * @unanswered: requests whose buffer could not be read or written, or without a valid
 *	connection
 * @bytes: bytes freed by DONTNEED and REMOVE
 */
struct pvmemcontrol_counters {
	uint64_t done[PVMEMCONTROL_CODES];
	uint64_t refused[PVMEMCONTROL_CODES];
	uint64_t unknown;
	uint64_t unanswered;
	uint64_t bytes;
};

/**
 * struct pvmemcontrol - the device
 * @function: on the PCI bus
 * @board: for notes
 * @advice: does the requests
 * @codes: function codes that the guest may use, as bits
 * @counters: statistics
 * @lock: see above
 * @payload: the first register
 * @status: value that the command register returns
 * @state: enum pvmemcontrol_state; read atomically
 * @nr_buffers: entries of @buffers in use; read atomically
 * @buffers: guest physical addresses, by connection; each is read atomically
 */
struct pvmemcontrol {
	struct pci_function function;
	const struct board *board;
	struct advice *advice;
	uint32_t codes;
	struct pvmemcontrol_counters counters;
	pthread_mutex_t lock;
	uint8_t payload[8];
	uint32_t status;
	uint32_t state;
	uint32_t nr_buffers;
	uint64_t buffers[PVMEMCONTROL_CONNECTIONS_MAX];
};

/** pvmemcontrol_init() - initialise it as after power-on; pci_add() puts it on a bus */
void pvmemcontrol_init(struct pvmemcontrol *device, const struct board *board,
		       struct advice *advice, uint32_t codes);
void pvmemcontrol_destroy(struct pvmemcontrol *device);

/** pvmemcontrol_code_names: "info", "dontneed" and so on, by code; up to a NULL */
extern const char *const pvmemcontrol_code_names[];

/** pvmemcontrol_state_name() - name of its current state, such as "ready" */
const char *pvmemcontrol_state_name(struct pvmemcontrol *device);

/*
 * Get and set its registers, connections and codes as a record of @type. Return: 0, or -EBADMSG
 * if it is not such a record.
 */
void pvmemcontrol_get(struct pvmemcontrol *device, struct tlv *records, uint32_t type);
int pvmemcontrol_set(struct pvmemcontrol *device, const struct tlv *records, uint32_t type);

#endif /* GMEMCTL_DEVICES_PVMEMCONTROL_H */
