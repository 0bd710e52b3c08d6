// SPDX-License-Identifier: GPL-2.0
/*
 * The trace: one JSON object in a line for each call, with the argument before
 * it, what has changed in it after, and the result.
 */
#include <errno.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/hex.h"
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

/**
 * struct trace_command - a command of KVM_MEMORY_ENCRYPT_OP
 * @data: what its argument points to, or NULL
 */
struct trace_command {
	uint32_t id;
	const char *name;
	const struct trace_struct *data;
};

/*
 * A structure is a line of its members, each with how it is shown: as a Number, in heX, as an
 * Address, as the address of a Page, as a File, as Bytes, as a Segment, as a Command.
 */
#define FIELD(member, format) \
	{ #member, offsetof(T, member), sizeof(((T *)0)->member), format }
#define N(member) FIELD(member, TRACE_NUMBER)
#define X(member) FIELD(member, TRACE_HEX)
#define A(member) FIELD(member, TRACE_ADDRESS)
#define P(member) FIELD(member, TRACE_PAGE)
#define F(member) FIELD(member, TRACE_FILE)
#define B(member) FIELD(member, TRACE_BYTES)
#define S(member) FIELD(member, TRACE_SEGMENT)
#define C(member) FIELD(member, TRACE_COMMAND)
#define MEMBERS(name, ...)							\
static const struct trace_struct name = {					\
	sizeof(T), (const struct trace_field[]){ __VA_ARGS__ },			\
	sizeof((const struct trace_field[]){ __VA_ARGS__ }) /			\
	sizeof(struct trace_field),						\
}

#define T struct kvm_userspace_memory_region2
MEMBERS(region2, N(slot), X(flags), X(guest_phys_addr), X(memory_size), P(userspace_addr),
	X(guest_memfd_offset), F(guest_memfd));
#undef T
/* The older structure is the beginning of the newer one. */
#define T struct kvm_userspace_memory_region
MEMBERS(region1, N(slot), X(flags), X(guest_phys_addr), X(memory_size), P(userspace_addr));
#undef T

#define T struct kvm_memory_attributes
MEMBERS(attributes, X(address), X(size), X(attributes), X(flags));
#undef T

#define T struct kvm_create_guest_memfd
MEMBERS(gmem, X(size), X(flags));
#undef T

#define T struct kvm_pre_fault_memory
MEMBERS(prefault, X(gpa), X(size), X(flags));
#undef T

#define T struct kvm_enable_cap
MEMBERS(cap, N(cap), X(flags), X(args[0]));
#undef T

#define T struct kvm_device_attr
MEMBERS(attr, X(flags), N(group), N(attr), A(addr));
#undef T

#define T struct kvm_regs
MEMBERS(regs, X(rax), X(rbx), X(rcx), X(rdx), X(rsi), X(rdi), X(rsp), X(rbp), X(r8), X(r9), X(r10),
	X(r11), X(r12), X(r13), X(r14), X(r15), X(rip), X(rflags));
#undef T

#define T struct kvm_segment
MEMBERS(segment, X(selector), X(base), X(limit), X(type), N(present));
#undef T

#define T struct kvm_sregs
MEMBERS(sregs, S(cs), S(ds), S(es), S(fs), S(gs), S(ss), S(tr), S(ldt), X(gdt.base), X(gdt.limit),
	X(idt.base), X(idt.limit), X(cr0), X(cr2), X(cr3), X(cr4), X(cr8), X(efer), X(apic_base));
#undef T

#define T struct kvm_fpu
MEMBERS(fpu, X(fcw), X(fsw), X(ftwx), X(mxcsr));
#undef T

#define T struct kvm_xcrs
MEMBERS(xcrs, N(nr_xcrs), X(flags), N(xcrs[0].xcr), X(xcrs[0].value));
#undef T

/* What follows these two has the length that they say. */
#define T struct kvm_msrs
MEMBERS(msrs, N(nmsrs));
#undef T

#define T struct kvm_cpuid2
MEMBERS(cpuid, N(nent));
#undef T

#define T struct kvm_guest_debug
MEMBERS(debug, X(control));
#undef T

#define T struct snp_kvm_cmd
MEMBERS(cmd, C(id), A(data), X(error), F(sev_fd));
#undef T

#define T struct snp_sev_cmd
MEMBERS(sev, N(cmd), A(data), X(error));
#undef T

#define T struct snp_kvm_init2
MEMBERS(init2, X(vmsa_features), X(flags), N(ghcb_version));
#undef T

#define T struct snp_kvm_launch_start
MEMBERS(start, X(policy), B(gosvw), X(flags));
#undef T

#define T struct snp_kvm_launch_update
MEMBERS(update, X(gfn_start), P(uaddr), X(len), N(type), X(flags));
#undef T

#define T struct snp_kvm_launch_finish
MEMBERS(finish, A(id_block_uaddr), A(id_auth_uaddr), N(id_block_en), N(auth_key_en),
	N(vcek_disabled), B(host_data), X(flags));
#undef T

#define T struct realm_kvm_populate
MEMBERS(populate, X(base), X(size), P(source), X(flags), X(reserved));
#undef T

#define T struct realm_kvm_vcpu_init
MEMBERS(vcpu_init, N(target), X(features[0]));
#undef T

#define T struct kvm_create_device
MEMBERS(device, N(type), F(fd), X(flags));
#undef T

#define T struct kvm_one_reg
MEMBERS(reg, X(id), A(addr));
#undef T

/* Only that there is one is written down. */
static const struct trace_struct opaque = { 0, NULL, 0 };

#define CALL(kind, request, arg) { kind, request, #request, arg }

static const struct trace_call calls[] = {
	CALL(SIM_KVM, KVM_GET_API_VERSION, NULL),
	CALL(SIM_KVM, KVM_CREATE_VM, NULL),
	CALL(SIM_KVM, KVM_GET_VCPU_MMAP_SIZE, NULL),
	CALL(SIM_KVM, KVM_GET_SUPPORTED_CPUID, &cpuid),
	CALL(SIM_KVM, KVM_GET_DEVICE_ATTR, &attr),
	CALL(SIM_FREE, KVM_CHECK_EXTENSION, NULL),
	CALL(SIM_VM, KVM_CREATE_VCPU, NULL),
	CALL(SIM_VM, KVM_ENABLE_CAP, &cap),
	CALL(SIM_VM, KVM_CREATE_IRQCHIP, NULL),
	CALL(SIM_VM, KVM_CREATE_PIT2, &opaque),
	CALL(SIM_VM, KVM_SET_TSS_ADDR, NULL),
	CALL(SIM_VM, KVM_SET_IDENTITY_MAP_ADDR, &opaque),
	CALL(SIM_VM, KVM_IRQ_LINE, &opaque),
	CALL(SIM_VM, KVM_SET_USER_MEMORY_REGION, &region1),
	CALL(SIM_VM, KVM_SET_USER_MEMORY_REGION2, &region2),
	CALL(SIM_VM, KVM_SET_MEMORY_ATTRIBUTES, &attributes),
	CALL(SIM_VM, KVM_CREATE_GUEST_MEMFD, &gmem),
	CALL(SIM_VM, KVM_MEMORY_ENCRYPT_OP, &cmd),
	CALL(SIM_VCPU, KVM_RUN, NULL),
	CALL(SIM_VCPU, KVM_GET_REGS, &regs),
	CALL(SIM_VCPU, KVM_SET_REGS, &regs),
	CALL(SIM_VCPU, KVM_GET_SREGS, &sregs),
	CALL(SIM_VCPU, KVM_SET_SREGS, &sregs),
	CALL(SIM_VCPU, KVM_GET_FPU, &fpu),
	CALL(SIM_VCPU, KVM_SET_FPU, &fpu),
	CALL(SIM_VCPU, KVM_SET_XCRS, &xcrs),
	CALL(SIM_VCPU, KVM_GET_XSAVE, &opaque),
	CALL(SIM_VCPU, KVM_SET_XSAVE, &opaque),
	CALL(SIM_VCPU, KVM_GET_MSRS, &msrs),
	CALL(SIM_VCPU, KVM_SET_MSRS, &msrs),
	CALL(SIM_VCPU, KVM_GET_CPUID2, &cpuid),
	CALL(SIM_VCPU, KVM_SET_CPUID2, &cpuid),
	CALL(SIM_VCPU, KVM_SET_DEBUGREGS, &opaque),
	CALL(SIM_VCPU, KVM_GET_MP_STATE, &opaque),
	CALL(SIM_VCPU, KVM_SET_MP_STATE, &opaque),
	CALL(SIM_VCPU, KVM_GET_TSC_KHZ, NULL),
	CALL(SIM_VCPU, KVM_SET_GUEST_DEBUG, &debug),
	CALL(SIM_VCPU, KVM_PRE_FAULT_MEMORY, &prefault),
	CALL(SIM_VM, KVM_CREATE_DEVICE, &device),
	CALL(SIM_VCPU, KVM_SET_ONE_REG, &reg),
	CALL(SIM_VCPU, KVM_GET_ONE_REG, &reg),
	CALL(SIM_GIC, KVM_SET_DEVICE_ATTR, &attr),
	{ SIM_VM, REALM_POPULATE, "KVM_ARM_RMI_POPULATE", &populate },
	{ SIM_VM, REALM_PREFERRED_TARGET, "KVM_ARM_PREFERRED_TARGET",
	  &vcpu_init },
	{ SIM_VCPU, REALM_VCPU_INIT, "KVM_ARM_VCPU_INIT", &vcpu_init },
	{ SIM_SEV, SNP_SEV_ISSUE_CMD, "SEV_ISSUE_CMD", &sev },
};

static const struct trace_command commands[] = {
	{ SNP_KVM_INIT2, "KVM_SEV_INIT2", &init2 },
	{ SNP_KVM_LAUNCH_START, "KVM_SEV_SNP_LAUNCH_START", &start },
	{ SNP_KVM_LAUNCH_UPDATE, "KVM_SEV_SNP_LAUNCH_UPDATE", &update },
	{ SNP_KVM_LAUNCH_FINISH, "KVM_SEV_SNP_LAUNCH_FINISH", &finish },
	{ SNP_KVM_ENABLE_REQ_CERTS, "KVM_SEV_SNP_ENABLE_REQ_CERTS", NULL },
};

static const struct trace_call *trace_call_find(enum sim_kind kind, unsigned long request)
{
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		if (calls[i].request == request &&
		    (calls[i].kind == kind || calls[i].kind == SIM_FREE))
			return &calls[i];
	return NULL;
}

static const struct trace_command *trace_command(uint32_t id)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (commands[i].id == id)
			return &commands[i];
	return NULL;
}

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
	snprintf(text, sizeof(text), "%s%u", kind_names[found->kind], found->serial);
	return json_object_new_string(text);
}

/* Where things are is not the same in two runs, and a trace is to be. */
static struct json_object *address_object(uint64_t address)
{
	return address ? json_object_new_string("address") : NULL;
}

static struct json_object *bytes_object(const uint8_t *bytes, size_t size)
{
	char text[2 * SIM_DIGEST + 1];

	hex_format(bytes, size, text);
	return json_object_new_string(text);
}

static struct json_object *fields_object(const struct sim *sim, const struct trace_struct *type,
					 const uint8_t *data);

static struct json_object *field_object(const struct sim *sim, const struct trace_field *field,
					const uint8_t *data)
{
	const uint8_t *at = data + field->offset;
	const struct trace_command *command;
	uint64_t value = 0;

	if (field->format == TRACE_BYTES)
		return bytes_object(at, field->size);
	if (field->format == TRACE_SEGMENT)
		return fields_object(sim, &segment, at);
	memcpy(&value, at, field->size);
	switch (field->format) {
	case TRACE_ADDRESS:
		return address_object(value);
	case TRACE_PAGE:
		if (!value)
			return NULL;
		return json_object_new_string(value % SIM_PAGE ? "unaligned" : "page");
	case TRACE_FILE:
		return file_object(sim, (int)value);
	case TRACE_HEX:
		return hex_object(value);
	case TRACE_COMMAND:
		command = trace_command((uint32_t)value);
		if (command)
			return json_object_new_string(command->name);
		break;
	default:
		break;
	}
	return json_object_new_int64((int64_t)value);
}

static struct json_object *fields_object(const struct sim *sim, const struct trace_struct *type,
					 const uint8_t *data)
{
	struct json_object *object = json_object_new_object();

	for (unsigned int i = 0; i < type->count; i++)
		json_object_object_add(object, type->fields[i].name,
				       field_object(sim, &type->fields[i],
						    data));
	return object;
}

/* NULL: it cannot be read. */
static struct json_object *struct_object(struct sim *sim, const struct trace_struct *type,
					 uint64_t at)
{
	uint8_t data[TRACE_STRUCT_MAX] = { 0 };

	return sim_in(sim, data, at, type->size) ? NULL : fields_object(sim, type, data);
}

/* A launch command, and what it points to */
static struct json_object *launch_object(struct sim *sim, const struct trace_struct *type,
					 uint64_t at)
{
	struct json_object *object = struct_object(sim, type, at);
	const struct trace_command *command;
	struct snp_kvm_cmd cmd;

	if (!object || sim_in(sim, &cmd, at, sizeof(cmd)))
		return object;
	command = trace_command(cmd.id);
	if (command && command->data && cmd.data)
		json_object_object_add(object, "data", struct_object(sim, command->data, cmd.data));
	return object;
}

static struct json_object *argument(struct sim *sim, unsigned long request,
				    const struct trace_call *call, uint64_t arg)
{
	/* Of one that is not known, whether it is an address is in its number. */
	if (!call)
		return _IOC_DIR(request) ? address_object(arg) : hex_object(arg);
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

/* A new file is called by its name. */
static void add_result(struct sim *sim, struct json_object *record, int rc, bool file)
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

	fprintf(sim->trace, "%s\n", json_object_to_json_string_ext(record, flags));
	fflush(sim->trace);
	json_object_put(record);
}

static void add_launch(struct json_object *record, const struct sim_vm *vm)
{
	if (vm->guest.state == SIM_GUEST_NONE)
		return;
	json_object_object_add(record, "digest", bytes_object(vm->guest.digest, SIM_DIGEST));
	json_object_object_add(record, "pages", json_object_new_int64((int64_t)vm->guest.pages));
}

void sim_trace_begin(struct sim *sim, int fd, unsigned long request, uint64_t arg)
{
	const struct sim_fd *found = sim_fd(sim, fd);
	const struct trace_call *call;
	struct json_object *record;

	if (!sim->trace)
		return;
	call = trace_call_find(found->kind, request);
	record = json_object_new_object();
	json_object_object_add(record, "file", file_object(sim, fd));
	json_object_object_add(record, "ioctl", call ?
			       json_object_new_string(call->name) : hex_object(request));
	/* What is only written to the caller is nothing before. */
	json_object_object_add(record, "in", _IOC_DIR(request) == _IOC_READ ?
			       address_object(arg) :
			       argument(sim, request, call, arg));
	sim->record = record;
}

void sim_trace_end(struct sim *sim, int fd, unsigned long request, uint64_t arg, int rc)
{
	struct json_object *record = sim->record;
	const struct sim_fd *found = sim_fd(sim, fd);
	struct json_object *after;
	const struct kvm_run *run;

	if (!record)
		return;
	after = argument(sim, request, trace_call_find(found->kind, request), arg);
	if (json_object_equal(after, json_object_object_get(record, "in")))
		json_object_put(after);
	else
		json_object_object_add(record, "out", after);
	if (request == KVM_RUN && found->kind == SIM_VCPU) {
		run = ((struct sim_vcpu *)found->object)->run;
		json_object_object_add(record, "exit_reason",
				       json_object_new_int((int)run->exit_reason));
		json_object_object_add(record, "exit",
				       bytes_object((const uint8_t *)run->padding, 40));
	}
	if (request == KVM_MEMORY_ENCRYPT_OP && found->kind == SIM_VM)
		add_launch(record, found->object);
	add_result(sim, record, rc, request == KVM_CREATE_VM || request == KVM_CREATE_VCPU ||
		   request == KVM_CREATE_GUEST_MEMFD);
	write_record(sim, record);
	sim->record = NULL;
}

/* In hybrid mode: what the simulator would have said */
void sim_trace_differs(struct sim *sim, int rc)
{
	sim->differences++;
	if (!sim->record)
		return;
	json_object_object_add(sim->record, "simulator",
			       rc < 0 ? errno_object(rc) : json_object_new_string("success"));
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
	json_object_object_add(record, "warning", json_object_new_string(message));
	write_record(sim, record);
}

void sim_trace(struct sim *sim, FILE *to)
{
	sim->trace = to;
}
