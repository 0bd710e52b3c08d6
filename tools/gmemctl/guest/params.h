/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The interface between the VMM and the payloads: addresses, ports, and the block of parameters in
 * a shared page. Both the VMM and the payloads include this file.
 */
#ifndef GMEMCTL_GUEST_PARAMS_H
#define GMEMCTL_GUEST_PARAMS_H

/* Guest physical addresses; virtual ones are the same. */
#define GUEST_GDT_GPA		0x1000
#define GUEST_PARAMS_GPA	0x2000
#define GUEST_RESULT_GPA	0x3000
#define GUEST_PROBE_GPA		0x4000
#define GUEST_PML4_GPA		0x5000
#define GUEST_PDPT_GPA		0x6000
#define GUEST_PD_GPA		0x7000	/* GUEST_PD_COUNT pages */
#define GUEST_PD_COUNT		4	/* one GiB each */
#define GUEST_IMAGE_GPA		0x10000
#define GUEST_IMAGE_MAX		0x70000
#define GUEST_STACK_GPA		0x80000	/* one per vCPU */
#define GUEST_STACK_SIZE	0x4000
#define GUEST_MAX_VCPUS		8
#define GUEST_HEAP_GPA		0x200000 /* bounce buffers, then the input */
#define GUEST_CHUNK		0x200000 /* size of one MAP_GPA_RANGE request */

/* The guest writes an event to this port, as 32 bits: event << 24 | value. */
#define GUEST_EVENT_PORT	0x500
#define GUEST_EVENT_SHIFT	24
#define GUEST_EVENT_VALUE_MASK	0xffffff

/* The guest writes text for the console to this port, byte by byte. */
#define GUEST_CONSOLE_PORT	0xe9

#ifndef __ASSEMBLER__

#include <stdint.h>

/**
 * enum guest_event - events that a payload reports
 * @GUEST_EVENT_PRIVATE: all of the input is private now
 * @GUEST_EVENT_PROGRESS: the value is the number of sixteenths of the work that are done
 * @GUEST_EVENT_DONE: the result can be read
 * @GUEST_EVENT_FAILED: a conversion or a check failed, see the parameters
 */
enum guest_event {
	GUEST_EVENT_PRIVATE = 1,
	GUEST_EVENT_PROGRESS,
	GUEST_EVENT_DONE,
	GUEST_EVENT_FAILED,
};

/**
 * enum guest_payload - programs in the built-in image
 * @GUEST_PAYLOAD_SHA256: compute the digest of the input in private memory
 * @GUEST_PAYLOAD_CONVERT: convert all memory in both directions, and check its contents
 * @GUEST_PAYLOAD_RACE: vCPU 0 converts a page that the others read
 * @GUEST_PAYLOAD_TOUCH: read the probe page, then fill it with a pattern
 * @GUEST_PAYLOAD_BADMAP: call MAP_GPA_RANGE with invalid arguments
 * @GUEST_PAYLOAD_MMIO: access an address without a slot
 * @GUEST_PAYLOAD_PORT: access a port without a device
 * @GUEST_PAYLOAD_CRASH: cause a triple fault
 * @GUEST_PAYLOAD_SPIN: run until the VM is stopped
 * @GUEST_PAYLOAD_COUNT: number of payloads
 */
enum guest_payload {
	GUEST_PAYLOAD_SHA256,
	GUEST_PAYLOAD_CONVERT,
	GUEST_PAYLOAD_RACE,
	GUEST_PAYLOAD_TOUCH,
	GUEST_PAYLOAD_BADMAP,
	GUEST_PAYLOAD_MMIO,
	GUEST_PAYLOAD_PORT,
	GUEST_PAYLOAD_CRASH,
	GUEST_PAYLOAD_SPIN,
	GUEST_PAYLOAD_COUNT,
};

/* flags */
#define GUEST_F_VMMCALL		(1U << 0) /* use AMD's hypercall instruction */
#define GUEST_F_BOUNCE		(1U << 1) /* conversions lose contents: use a bounce buffer */

/* Size of the digest in the result page */
#define GUEST_DIGEST_SIZE 32

/**
 * struct guest_params - the block at GUEST_PARAMS_GPA
 * @payload: enum guest_payload
 * @flags: GUEST_F_*
 * @nr_vcpus: vCPUs that run the payload
 * @rounds: for GUEST_PAYLOAD_CONVERT and GUEST_PAYLOAD_RACE
 * @memory_size: size of the memory, which is one slot
 * @input_gpa: address of the input; page-aligned
 * @input_length: size of the input in bytes
 * @bounce_gpa: with GUEST_F_BOUNCE: bounce buffers, GUEST_CHUNK bytes for each vCPU
 * @pattern: the value that GUEST_PAYLOAD_TOUCH writes
 * @arrived: out: number of vCPUs that are done with their part
 * @failed: out: not 0 if a vCPU has failed
 * @refused: out: number of requests that were answered with an error
 * @checked: out: number of checks that have passed
 * @fail_gpa: out: address of the failure
 * @fail_result: out: answer of the hypercall that has failed
 * @observed: out: values that the payload has read
 */
struct guest_params {
	uint32_t payload;
	uint32_t flags;
	uint32_t nr_vcpus;
	uint32_t rounds;
	uint64_t memory_size;
	uint64_t input_gpa;
	uint64_t input_length;
	uint64_t bounce_gpa;
	uint64_t pattern;
	uint32_t arrived;
	uint32_t failed;
	uint32_t refused;
	uint32_t checked;
	uint64_t fail_gpa;
	int64_t fail_result;
	uint64_t observed[4];
};

/** guest_image_start: the image of the payloads, which the VMM loads at GUEST_IMAGE_GPA */
extern const uint8_t guest_image_start[];
extern const uint8_t guest_image_end[];

#endif /* __ASSEMBLER__ */
#endif /* GMEMCTL_GUEST_PARAMS_H */
