/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the VMM and the payloads agree on: addresses, ports, and the block of
 * parameters in a shared page. Read by both sides of the VM's border.
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
#define GUEST_CHUNK		0x200000 /* of one MAP_GPA_RANGE */

/* A dword written to this port: event << 24 | value. */
#define GUEST_EVENT_PORT	0x500
#define GUEST_EVENT_SHIFT	24
#define GUEST_EVENT_VALUE_MASK	0xffffff

/* Each byte written to this port is text for a person. */
#define GUEST_CONSOLE_PORT	0xe9

#ifndef __ASSEMBLER__

#include <stdint.h>

/**
 * enum guest_event - what a payload reports
 * @GUEST_EVENT_PRIVATE: the whole input is private now
 * @GUEST_EVENT_PROGRESS: value sixteenths of the work are done
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
 * @GUEST_PAYLOAD_SHA256: digest of the input, computed in private memory
 * @GUEST_PAYLOAD_CONVERT: converts its memory to and fro, checks contents
 * @GUEST_PAYLOAD_RACE: vCPU 0 converts a page that the others read
 * @GUEST_PAYLOAD_TOUCH: reads the probe page, then fills it with a pattern
 * @GUEST_PAYLOAD_BADMAP: MAP_GPA_RANGE with bad arguments
 * @GUEST_PAYLOAD_MMIO: accesses an address that no slot holds
 * @GUEST_PAYLOAD_PORT: accesses a port that no device has
 * @GUEST_PAYLOAD_CRASH: triple fault
 * @GUEST_PAYLOAD_SPIN: runs until it is stopped
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
#define GUEST_F_VMMCALL		(1U << 0) /* AMD's hypercall instruction */
#define GUEST_F_BOUNCE		(1U << 1) /* conversions lose contents */

/* How much of the result page the digest takes */
#define GUEST_DIGEST_SIZE 32

/**
 * struct guest_params - the block at GUEST_PARAMS_GPA
 * @payload: enum guest_payload
 * @flags: GUEST_F_*
 * @nr_vcpus: vCPUs that run the payload
 * @rounds: for GUEST_PAYLOAD_CONVERT and GUEST_PAYLOAD_RACE
 * @memory_size: end of the slot
 * @input_gpa: page aligned
 * @input_length: bytes of input
 * @bounce_gpa: with GUEST_F_BOUNCE: GUEST_CHUNK bytes per vCPU
 * @pattern: what GUEST_PAYLOAD_TOUCH writes
 * @arrived: out: vCPUs that are through with their part
 * @failed: out: not 0 if a vCPU has given up
 * @refused: out: requests that were answered with an error
 * @checked: out: checks that held
 * @fail_gpa: out: address at which a vCPU gave up
 * @fail_result: out: answer of the hypercall there
 * @observed: out: what the payload read
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

/** guest_image_start: for the VMM: the payloads, to be loaded at GUEST_IMAGE_GPA */
extern const uint8_t guest_image_start[];
extern const uint8_t guest_image_end[];

#endif /* __ASSEMBLER__ */
#endif /* GMEMCTL_GUEST_PARAMS_H */
