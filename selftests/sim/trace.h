/* SPDX-License-Identifier: GPL-2.0 */
/* How the arguments of ioctls are written down. */
#ifndef GMEMCTL_SIM_TRACE_H
#define GMEMCTL_SIM_TRACE_H

#include <stddef.h>

#include "internal.h"

/*
 * Two runs of the same program have the same trace: files have names, and
 * addresses in the program are left out. Of memory that has to be page-aligned
 * there is whether it is.
 */
enum trace_format {
	TRACE_NUMBER,
	TRACE_HEX,
	TRACE_ADDRESS,
	TRACE_PAGE,
	TRACE_FILE,
	TRACE_BYTES,
	TRACE_SEGMENT,
	TRACE_COMMAND,
};

/**
 * struct trace_field - a member of a structure
 */
struct trace_field {
	const char *name;
	size_t offset;
	size_t size;
	enum trace_format format;
};

/**
 * struct trace_struct - what an argument points to
 * @size: bytes read of it; 0: it is not decoded
 */
struct trace_struct {
	size_t size;
	const struct trace_field *fields;
	unsigned int count;
};

/**
 * struct trace_call - an ioctl
 * @kind: of which files, or SIM_FREE for any
 * @arg: NULL: the argument is a number, or nothing
 */
struct trace_call {
	enum sim_kind kind;
	unsigned long request;
	const char *name;
	const struct trace_struct *arg;
};

/* The longest of the structures */
#define TRACE_STRUCT_MAX 512

/** trace_call_find() - Return: NULL for an ioctl that is not known. */
const struct trace_call *trace_call_find(enum sim_kind kind,
					 unsigned long request);

/**
 * struct trace_command - a command of KVM_MEMORY_ENCRYPT_OP
 * @data: what its argument points to, or NULL
 */
struct trace_command {
	uint32_t id;
	const char *name;
	const struct trace_struct *data;
};

/** trace_command() - Return: NULL for one that is not known. */
const struct trace_command *trace_command(uint32_t id);

#endif /* GMEMCTL_SIM_TRACE_H */
