// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include "../base/calls.h"
#include "abi.h"
#include "realm.h"

#define HINT_KERNEL "a kernel with CCA v14 has it; `gmemctl realm status` " \
	"says what is missing"

static const struct vm_capability capabilities[] = {
	{ KVM_CAP_USER_MEMORY2, 0, "KVM_CAP_USER_MEMORY2", HINT_KERNEL },
	{ KVM_CAP_GUEST_MEMFD, 0, "KVM_CAP_GUEST_MEMFD", HINT_KERNEL },
	{ KVM_CAP_MEMORY_ATTRIBUTES, KVM_MEMORY_ATTRIBUTE_PRIVATE,
	  "KVM_CAP_MEMORY_ATTRIBUTES (PRIVATE)", HINT_KERNEL },
	{ 0, 0, NULL, NULL },
};

const char *realm_state_name(enum realm_state state)
{
	static const char *const names[] = {
		[REALM_CLOSED] = "closed", [REALM_OPEN] = "open",
		[REALM_POPULATED] = "populated", [REALM_ACTIVE] = "active",
		[REALM_FAILED] = "failed",
	};

	return names[state];
}

int realm_enter(const struct realm *realm, enum realm_state wanted,
		const char *step, struct error *error)
{
	if (realm->state == wanted)
		return 0;
	return error_set(error, -EINVAL, "realm", step,
			 "not at this point, where it is %s%s",
			 realm_state_name(realm->state),
			 realm->state == REALM_FAILED ? ": create a new VM" : "");
}

void realm_tell(const struct realm *realm, const char *step,
		const char *format, ...)
{
	char text[256];
	va_list args;

	if (!realm->config->step)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	realm->config->step(realm->config->data, step, text);
}

void realm_trace(const struct realm *realm, const struct vcpu *vcpu,
		 const char *format, ...)
{
	FILE *file = realm->config->trace;
	va_list args;

	if (!file)
		return;
	flockfile(file);
	fprintf(file, "vCPU %u: ", vcpu->index);
	va_start(args, format);
	vfprintf(file, format, args);
	va_end(args);
	fputc('\n', file);
	funlockfile(file);
}

static int create_vm(struct realm *realm, struct error *error)
{
	int kvm_fd, fd, rc;

	kvm_fd = vm_open_kvm(error);
#ifndef __aarch64__
	/* Modules of KVM would not help. */
	if (kvm_fd == -ENOENT)
		return error_set(error, kvm_fd, KVM_DEVICE_PATH, "open",
				 "realms need an arm64 host with RME");
#endif
	if (kvm_fd < 0)
		return kvm_fd;
	realm->ipa_bits = realm->config->ipa_bits;
	fd = realm_create_vm(kvm_fd, &realm->ipa_bits, error);
	if (fd < 0) {
		calls->close(kvm_fd);
		return fd;
	}
	rc = vm_adopt(&realm->vm, kvm_fd, fd, capabilities, error);
	if (rc)
		return rc;
	if (realm->config->ram.end > UINT64_C(1) << (realm->ipa_bits - 1))
		return error_set(error, -EINVAL, "memory", "place",
				 "it ends at 0x%" PRIx64 ", but this host has %u "
				 "bits of guest addresses, of which the top one "
				 "means shared: less memory",
				 realm->config->ram.end, realm->ipa_bits);
	realm_tell(realm, "KVM_CREATE_VM", "CCA %s, %u bits of guest addresses",
		   REALM_ABI, realm->ipa_bits);
	return 0;
}

/* All of it is private: what the realm wants to share it says when it runs. */
static int create_memory(struct realm *realm, struct error *error)
{
	const struct range *ram = &realm->config->ram;
	int rc;

	realm->request = (struct memory_request){
		.ranges = ram, .nr_ranges = 1, .kind = BACKING_SHARED,
		.existing_fd = -1, .node = -1,
	};
	realm->memory_config = (struct memory_config){
		.requests = &realm->request, .nr_requests = 1,
		.guest_memfd = true, .initial_private = true,
		.encrypted = true,
	};
	rc = memory_config_check(&realm->memory_config, error);
	if (!rc)
		rc = guest_memory_create(&realm->memory, &realm->memory_config,
					 &realm->vm, 0, error);
	if (!rc)
		rc = guest_memory_attach(&realm->memory, error);
	if (rc)
		return rc;
	realm_tell(realm, "memory", "0x%" PRIx64 " to 0x%" PRIx64 ", private",
		   ram->start, ram->end);
	return 0;
}

static int create_vcpus(struct realm *realm, struct error *error)
{
	unsigned int count = realm->config->nr_vcpus;
	int rc = 0;

	while (!rc && realm->nr_vcpus < count)
		rc = realm_vcpu_create(realm, error);
	if (rc)
		return rc;
	realm->threads.vcpus = realm->vcpus;
	realm->threads.count = count;
	realm_tell(realm, "vCPUs", "%u; the first starts at 0x%" PRIx64
		   " with x0 = 0x%" PRIx64, count, realm->config->entry,
		   realm->config->argument);
	return 0;
}

/* A thread of a run. Return: not 0 ends the run of all vCPUs. */
static int run_vcpu(void *data, struct vcpu *vcpu)
{
	struct realm *realm = data;
	struct error error;
	int rc;

	while (!threads_stopping(&realm->threads)) {
		rc = vcpu_run(vcpu);
		/* EAGAIN: it has been started this very moment. */
		if (rc == -EINTR || rc == -EAGAIN)
			continue;
		if (rc) {
			realm_run_error(vcpu, rc, &error);
			realm_end(realm, END_FAILED, "%s: %s: %s; %s",
				  error.object, error.action, strerror(-rc),
				  error.hint);
			return 1;
		}
		if (!realm_exit(realm, vcpu))
			return 1;
	}
	return 0;
}

static void realm_init(struct realm *realm, const struct realm_config *config)
{
	memset(realm, 0, sizeof(*realm));
	realm->config = config;
	realm->page_size = (uint64_t)sysconf(_SC_PAGESIZE);
	realm->vm.fd = -1;
	realm->vm.kvm_fd = -1;
	realm->gic_fd = -1;
	realm->memory.memfd.fd = -1;
	realm->threads.finished_fd = -1;
	pthread_mutex_init(&realm->lock, NULL);
}

int realm_open(struct realm *realm, const struct realm_config *config,
	       struct error *error)
{
	int rc;

	realm_init(realm, config);
	rc = realm_check(config, error);
	if (!rc)
		rc = threads_init(&realm->threads, run_vcpu, realm, error);
	if (!rc)
		rc = create_vm(realm, error);
	if (!rc)
		rc = create_memory(realm, error);
	if (!rc)
		rc = create_vcpus(realm, error);
	if (!rc)
		rc = realm_gic_create(realm, error);
	realm->state = rc ? REALM_FAILED : REALM_OPEN;
	return rc;
}

/*
 * KVM activates a realm before it looks at immediate_exit: so the vCPU comes
 * back at once, and what fails is the activation and nothing else.
 */
int realm_activate(struct realm *realm, struct error *error)
{
	struct vcpu *vcpu = &realm->vcpus[0];
	int rc = realm_enter(realm, REALM_POPULATED, "activate", error);

	if (rc)
		return rc;
	vcpu->run->immediate_exit = 1;
	rc = vcpu_run(vcpu);
	vcpu->run->immediate_exit = 0;
	if (rc && rc != -EINTR) {
		realm->state = REALM_FAILED;
		return realm_run_error(vcpu, rc, error);
	}
	realm->state = REALM_ACTIVE;
	realm_tell(realm, "activate", "all memory is the realm's");
	return 0;
}

void realm_end(struct realm *realm, enum end how, const char *format, ...)
{
	va_list args;

	pthread_mutex_lock(&realm->lock);
	if (realm->end == END_NONE) {
		realm->end = how;
		va_start(args, format);
		vsnprintf(realm->report, sizeof(realm->report), format, args);
		va_end(args);
	}
	pthread_mutex_unlock(&realm->lock);
}

int realm_run(struct realm *realm, struct error *error)
{
	int rc = realm_enter(realm, REALM_ACTIVE, "run", error);

	if (!rc)
		rc = threads_prepare(&realm->threads, error);
	if (rc)
		return rc;
	rc = threads_run(&realm->threads, realm->config->run_timeout_s);
	if (rc == -EINTR)
		realm_end(realm, END_SIGNAL, "%s", "");
	else if (rc == -ETIME)
		realm_end(realm, END_TIMEOUT, "%s", "");
	else if (rc)
		return error_set(error, rc, "realm", "start threads", NULL);
	return 0;
}

void realm_close(struct realm *realm)
{
	while (realm->nr_vcpus)
		vcpu_destroy(&realm->vcpus[--realm->nr_vcpus]);
	if (realm->gic_fd >= 0)
		calls->close(realm->gic_fd);
	realm->gic_fd = -1;
	guest_memory_destroy(&realm->memory);
	vm_destroy(&realm->vm);
	threads_destroy(&realm->threads);
	pthread_mutex_destroy(&realm->lock);
	realm->state = REALM_CLOSED;
}
