// SPDX-License-Identifier: GPL-2.0
/**
 * DOC: the transport
 *
 * The 16 bytes of registers, little endian: a payload of 8 bytes at 0, and at 8 a command,
 * which reads as the status of the last one. RESET makes the device forget all buffers.
 * REGISTER with the guest physical address of a buffer returns a connection, with its top
 * bit set. READY ends the registration. From then on, writing a connection as a command
 * makes the device handle the request in its buffer, and overwrite it with the answer.
 * DISCONNECT ends all connections, with status ERROR, which is also the status of a device
 * before the first RESET. (Cloud Hypervisor, devices/src/pvmemcontrol.rs.)
 *
 * Functions say whether they can be called with preemption disabled. No locks here;
 * device.c serialises calls against everything else.
 */
#include <linux/align.h>
#include <linux/cpumask.h>
#include <linux/gfp.h>
#include <linux/io.h>
#include <linux/log2.h>
#include <linux/preempt.h>
#include <linux/set_memory.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <linux/wordpart.h>

#include "internal.h"

/* Registers */
#define REG_PAYLOAD	0x0
#define REG_COMMAND	0x8

/* Commands */
#define COMMAND_RESET		0x060fe6d2
#define COMMAND_REGISTER	0x0e359539
#define COMMAND_READY		0x0ca8d227
#define COMMAND_DISCONNECT	0x030f5da0

/* Values that the command register returns */
#define STATUS_ACK	0x03cf5196
#define STATUS_ERROR	0x01fba249
/* No device decodes the address any more. */
#define STATUS_UNPLUGGED U32_MAX

/* A connection, not a command */
#define CONNECTION_BIT	BIT(31)

/* The version of the protocol, which PVMEMCONTROL_INFO must return */
#define VERSION_MAJOR	1

#define WIRE_WORDS	4
#define WIRE_SIZE	32

/**
 * struct pvmemcontrol_wire - layout of a buffer
 * @word: the request: function code, address, length, argument
 * @ret_errno: the answer, as all following members; see struct pvmemcontrol_vmm_ret
 * @ret_code: as there
 * @ret_value: as there
 * @arg0: as there
 * @arg1: as there
 */
struct pvmemcontrol_wire {
	union {
		__le64 word[WIRE_WORDS];
		struct {
			__le32 ret_errno;
			__le32 ret_code;
			__le64 ret_value;
			__le64 arg0;
			__le64 arg1;
		};
	};
};
static_assert(sizeof(struct pvmemcontrol_wire) == WIRE_SIZE);

/*
 * Distance between two buffers. CPUs do not share a cache line. The distance is a power of two,
 * so no buffer crosses a page boundary.
 */
#define WIRE_STRIDE	ALIGN(WIRE_SIZE, SMP_CACHE_BYTES)
static_assert(PAGE_SIZE % WIRE_STRIDE == 0);

static size_t transport_bytes(void)
{
	return PAGE_ALIGN(nr_cpu_ids * WIRE_STRIDE);
}

static struct pvmemcontrol_wire *
transport_wire(struct pvmemcontrol_transport *transport, unsigned int cpu)
{
	return transport->memory + cpu * WIRE_STRIDE;
}

/*
 * The host has to read and write the buffers, and finds them by guest physical address.
 * dma_alloc_coherent() would decrypt them in a confidential guest, but gives an address
 * for a device behind an IOMMU, which this one is not: the VMM itself reads the memory.
 * Hence pages, made shared by set_memory_decrypted(), which x86 and arm64 export to GPL
 * modules and which does nothing in other guests. If this or the reverse fails, the pages may
 * be shared, and are leaked.
 */
static void *transport_memory_alloc(void)
{
	size_t bytes = transport_bytes();
	void *memory = alloc_pages_exact(bytes, GFP_KERNEL);

	if (!memory)
		return NULL;
	if (set_memory_decrypted((unsigned long)memory, bytes >> PAGE_SHIFT)) {
		pr_warn_once("pages could not be made shared with the host, and are leaked\n");
		return NULL;
	}
	/* Decryption has changed the contents. */
	memset(memory, 0, bytes);
	return memory;
}

static void transport_memory_free(void *memory)
{
	size_t bytes = transport_bytes();

	if (set_memory_encrypted((unsigned long)memory, bytes >> PAGE_SHIFT))
		pr_warn_once("pages could not be made private again, and are leaked\n");
	else
		free_pages_exact(memory, bytes);
}

/**
 * pvmemcontrol_transport_init() - buffers
 * @transport: to be filled in
 * @regs: of the device, which is not touched
 *
 * Return: 0 or -ENOMEM.
 */
int pvmemcontrol_transport_init(struct pvmemcontrol_transport *transport,
				struct pvmemcontrol_regs *regs)
{
	transport->regs = regs;
	transport->connections = kcalloc(nr_cpu_ids, sizeof(u32), GFP_KERNEL);
	if (!transport->connections)
		return -ENOMEM;
	transport->memory = transport_memory_alloc();
	if (transport->memory)
		return 0;
	kfree(transport->connections);
	return -ENOMEM;
}

/**
 * pvmemcontrol_transport_destroy() - no buffers
 * @transport: of a device that does not know them any more
 */
void pvmemcontrol_transport_destroy(struct pvmemcontrol_transport *transport)
{
	transport_memory_free(transport->memory);
	kfree(transport->connections);
}

/* Return: 0 if @command has come to @expected. */
static int transport_command(struct pvmemcontrol_transport *transport,
			     u32 command, u32 expected)
{
	struct pvmemcontrol_regs *regs = transport->regs;
	u32 status;

	regs->write(regs, REG_COMMAND, command);
	status = regs->read(regs, REG_COMMAND);
	if (status == expected)
		return 0;
	return status == STATUS_UNPLUGGED ? -ENODEV : -EIO;
}

/*
 * A connection without its bit would be a command when it is written: the device has no
 * right to have this driver write what it wants.
 */
static int transport_register(struct pvmemcontrol_transport *transport,
			      unsigned int cpu)
{
	struct pvmemcontrol_regs *regs = transport->regs;
	u64 gpa = virt_to_phys(transport_wire(transport, cpu));
	u32 connection;
	int rc;

	regs->write(regs, REG_PAYLOAD, lower_32_bits(gpa));
	regs->write(regs, REG_PAYLOAD + sizeof(u32), upper_32_bits(gpa));
	rc = transport_command(transport, COMMAND_REGISTER, STATUS_ACK);
	if (rc)
		return rc;
	connection = regs->read(regs, REG_PAYLOAD);
	if (!(connection & CONNECTION_BIT))
		return -EIO;
	transport->connections[cpu] = connection;
	return 0;
}

/**
 * pvmemcontrol_transport_connect() - from any state to one where calls work
 * @transport: no call is in flight
 *
 * All CPUs are registered that may ever come, and not as they come: a buffer is a cache
 * line, a CPU that comes online need not wait for the VMM nor fail if that refuses, and
 * the device takes no further buffer once it is ready.
 *
 * Return: 0; -EIO if the device answers otherwise than it should, -ENODEV if nobody does.
 */
int pvmemcontrol_transport_connect(struct pvmemcontrol_transport *transport)
{
	unsigned int cpu;
	int rc;

	rc = transport_command(transport, COMMAND_RESET, STATUS_ACK);
	if (rc)
		return rc;
	for_each_possible_cpu(cpu) {
		rc = transport_register(transport, cpu);
		if (rc)
			return rc;
	}
	return transport_command(transport, COMMAND_READY, STATUS_ACK);
}

/**
 * pvmemcontrol_transport_disconnect() - the device is to forget the buffers
 * @transport: no call is in flight
 *
 * Return: as pvmemcontrol_transport_connect(). The device writes to a buffer only while a
 * connection is written, so that an error does not keep the buffers from being freed.
 */
int pvmemcontrol_transport_disconnect(struct pvmemcontrol_transport *transport)
{
	return transport_command(transport, COMMAND_DISCONNECT, STATUS_ERROR);
}

/* The host can change the buffer at any time: look at each word once. */
static void wire_read(struct pvmemcontrol_wire *wire,
		      struct pvmemcontrol_wire *copy)
{
	unsigned int i;

	for (i = 0; i < WIRE_WORDS; i++)
		copy->word[i] = READ_ONCE(wire->word[i]);
}

static void wire_write(struct pvmemcontrol_wire *wire,
		       const struct pvmemcontrol_wire *request)
{
	unsigned int i;

	for (i = 0; i < WIRE_WORDS; i++)
		WRITE_ONCE(wire->word[i], request->word[i]);
}

/**
 * pvmemcontrol_transport_call() - a request and its answer
 * @transport: connected
 * @call: the request
 * @ret: out: the answer
 *
 * A device that is not ready, or does not know the connection, writes nothing, and the
 * request would pass for the answer: that of PVMEMCONTROL_INFO for a success. Hence an
 * answer that is the request, byte by byte, is none. No answer that the protocol knows is:
 * PVMEMCONTROL_INFO has a page size, and all others have zeros in place of address, length
 * and argument. What is left, an error whose number is that of the function, for an empty
 * range at address 0, is no loss.
 *
 * Context: preemption is disabled, so that the buffer is this caller's alone, and the
 * connection the buffer's; not in an interrupt. The write of the connection is where the
 * CPU leaves the guest until the VMM has done it; there is nothing to wait for afterwards.
 * Return: 0; -EIO if there was no answer.
 */
int pvmemcontrol_transport_call(struct pvmemcontrol_transport *transport,
				const struct pvmemcontrol_vmm_call *call,
				struct pvmemcontrol_vmm_ret *ret)
{
	unsigned int cpu = smp_processor_id();
	struct pvmemcontrol_regs *regs = transport->regs;
	struct pvmemcontrol_wire *wire = transport_wire(transport, cpu);
	struct pvmemcontrol_wire request, answer;

	request.word[0] = cpu_to_le64(call->func_code);
	request.word[1] = cpu_to_le64(call->addr);
	request.word[2] = cpu_to_le64(call->length);
	request.word[3] = cpu_to_le64(call->arg);
	wire_write(wire, &request);
	regs->write(regs, REG_COMMAND, transport->connections[cpu]);
	wire_read(wire, &answer);
	if (!memcmp(&request, &answer, sizeof(request)))
		return -EIO;
	*ret = (struct pvmemcontrol_vmm_ret){
		.ret_errno = le32_to_cpu(answer.ret_errno),
		.ret_code = le32_to_cpu(answer.ret_code),
		.ret_value = le64_to_cpu(answer.ret_value),
		.arg0 = le64_to_cpu(answer.arg0),
		.arg1 = le64_to_cpu(answer.arg1),
	};
	return 0;
}

/**
 * pvmemcontrol_transport_info() - ask for the page size and the version
 * @transport: connected
 * @info: out: the answer
 *
 * Context: process context.
 * Return: 0; -EIO if there was no answer or an impossible one; -EPROTO for a version that
 * this driver does not know.
 */
int pvmemcontrol_transport_info(struct pvmemcontrol_transport *transport,
				struct pvmemcontrol_vmm_ret *info)
{
	static const struct pvmemcontrol_vmm_call call = {
		.func_code = PVMEMCONTROL_INFO,
	};
	int rc;

	preempt_disable();
	rc = pvmemcontrol_transport_call(transport, &call, info);
	preempt_enable();
	if (rc)
		return rc;
	if (info->ret_errno || info->ret_code ||
	    !is_power_of_2(info->ret_value))
		return -EIO;
	return info->arg0 == VERSION_MAJOR ? 0 : -EPROTO;
}
