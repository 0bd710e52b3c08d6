// SPDX-License-Identifier: GPL-2.0
/* Adding pages to a guest: all of the plan, whatever KVM does at a time. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../kvm/attributes.h"
#include "command.h"
#include "cpuid_page.h"
#include "launch.h"

/* KVM documents EAGAIN; one that never ends is a failure. */
#define RETRIES_MAX 1000
#define RETRY_NS 1000000

static const char *type_name(enum snp_page_type type)
{
	static const char *const names[] = {
		[SNP_PAGE_NORMAL] = "NORMAL",
		[SNP_PAGE_VMSA] = "VMSA",
		[SNP_PAGE_ZERO] = "ZERO",
		[SNP_PAGE_UNMEASURED] = "UNMEASURED",
		[SNP_PAGE_SECRETS] = "SECRETS",
		[SNP_PAGE_CPUID] = "CPUID",
	};

	return names[type];
}

/* What is left of the command is where it failed. */
static int update_failed(const struct snp_command *command,
			 const struct snp_run *run,
			 const struct snp_kvm_launch_update *update,
			 struct error *error)
{
	char object[160];

	snprintf(object, sizeof(object), "%.80s, %s page at gpa 0x%llx",
		 run->name, type_name(run->type),
		 (unsigned long long)update->gfn_start << GUEST_PAGE_SHIFT);
	if (command->rc)
		return snp_command_failed(command, object, error);
	return error_set(error, -EIO, object, "SNP_LAUNCH_UPDATE",
			 "KVM says that it is done, and has done nothing: this is "
			 "a bug of the kernel");
}

static void wait_a_moment(void)
{
	const struct timespec moment = { .tv_nsec = RETRY_NS };

	nanosleep(&moment, NULL);
}

/**
 * update_once() - one command, repeated as long as KVM asks for that
 *
 * Return: 0 if it got on, else a negative errno; @command has the details.
 */
static int update_once(struct snp_launch *launch, struct snp_command *command,
		       const struct snp_kvm_launch_update *update)
{
	uint64_t before = update->len;

	for (unsigned int i = 0; ; i++) {
		launch->calls++;
		snp_command_run(command);
		if ((command->rc != -EAGAIN && command->rc != -EINTR) ||
		    i == RETRIES_MAX)
			break;
		launch->retries++;
		wait_a_moment();
	}
	if (command->rc)
		return command->rc;
	return update->len < before ? 0 : -EIO;
}

/**
 * update_run() - add the pages of one run, until nothing is left
 * @source: its contents; page-aligned, not NULL also where they do not count:
 *	Linux 6.12 looks at them all the same
 * @fw_error: out
 */
static int update_run(struct snp_launch *launch, const struct snp_run *run,
		      const void *source, uint32_t *fw_error,
		      struct error *error)
{
	struct snp_kvm_launch_update update = {
		.gfn_start = run->gpa >> GUEST_PAGE_SHIFT,
		.uaddr = (uintptr_t)source,
		.len = run->size,
		.type = (uint8_t)run->type,
	};
	struct snp_command command = {
		.id = SNP_KVM_LAUNCH_UPDATE, .vm_fd = launch->vm->fd,
		.sev_fd = launch->sev_fd, .data = &update,
	};
	unsigned int calls = launch->calls;

	while (update.len) {
		int rc = update_once(launch, &command, &update);

		*fw_error = command.fw_error;
		if (rc)
			return update_failed(&command, run, &update, error);
	}
	snp_launch_tell(launch, "SNP_LAUNCH_UPDATE",
			"0x%09llx  %6llu pages  %-10s  %s, calls: %u",
			(unsigned long long)run->gpa,
			(unsigned long long)run->size >> GUEST_PAGE_SHIFT,
			type_name(run->type), run->name, launch->calls - calls);
	return 0;
}


static void tell_change(void *data, const char *text)
{
	struct snp_launch *launch = data;

	snp_launch_tell(launch, "CPUID page", "the firmware: %s", text);
}

/*
 * The firmware has written what it wants into the page. Once is enough: a page
 * that it does not take then is not about values.
 */
static int update_cpuid_again(struct snp_launch *launch,
			      const struct snp_run *run,
			      const struct snp_cpuid_page *given,
			      struct error *error)
{
	uint32_t fw_error;

	launch->corrections = snp_cpuid_page_compare(given, launch->cpuid,
						     tell_change, launch);
	if (!launch->corrections)
		return error_wrap(error, -EIO, "CPUID page",
				  "the firmware refuses it, and does not say why");
	if (launch->config->cpuid_strict)
		return error_set(error, -EIO, "CPUID page", "SNP_LAUNCH_UPDATE, "
				 "firmware error 0x16 INVALID_PARAM",
				 "the firmware wants %u registers otherwise, as "
				 "shown: leave --cpuid-strict out to take its values",
				 launch->corrections);
	return update_run(launch, run, launch->cpuid, &fw_error, error);
}

/* The model that was asked for, which is part of the VMSA, too. */
static void set_signature(struct kvm_cpuid2 *cpuid, uint32_t signature)
{
	for (uint32_t i = 0; i < cpuid->nent; i++)
		if (cpuid->entries[i].function == 0x1 ||
		    cpuid->entries[i].function == 0x80000001)
			cpuid->entries[i].eax = signature;
}

static int update_cpuid(struct snp_launch *launch, const struct snp_run *run,
			struct vcpu *vcpu, struct error *error)
{
	struct snp_cpuid_page given;
	struct kvm_cpuid2 *cpuid;
	uint32_t fw_error = 0;
	int rc;

	/* KVM reads and writes as much as the run has. */
	if (run->size != sizeof(*launch->cpuid))
		return error_set(error, -EINVAL, run->name, "SNP_LAUNCH_UPDATE",
				 "its section has 0x%llx bytes, and the firmware "
				 "checks single pages: take another build",
				 (unsigned long long)run->size);
	rc = snp_launch_get_cpuid(vcpu, &cpuid, error);
	if (rc)
		return rc;
	set_signature(cpuid, launch->image.signature);
	rc = snp_cpuid_page_build(launch->cpuid, cpuid, error);
	free(cpuid);
	if (rc)
		return rc;
	given = *launch->cpuid;
	rc = update_run(launch, run, launch->cpuid, &fw_error, error);
	if (rc == -EIO && fw_error == SNP_FW_INVALID_PARAM)
		rc = update_cpuid_again(launch, run, &given, error);
	return rc;
}

/* Contents in pages of their own: a file in memory is not aligned. */
static int update_staged(struct snp_launch *launch, const struct snp_run *run,
			 struct error *error)
{
	void *source = aligned_alloc(SNP_PAGE_SIZE, run->size);
	uint32_t fw_error;
	int rc;

	if (!source)
		return error_set(error, -ENOMEM, run->name, "allocate", NULL);
	if (run->data)
		memcpy(source, run->data, run->size);
	else
		memset(source, 0, run->size);
	rc = update_run(launch, run, source, &fw_error, error);
	free(source);
	return rc;
}

/* The end of the pages from @at on that are in the state @private. */
static uint64_t state_end(const struct guest_memory *memory, uint64_t at,
			  uint64_t end, bool private)
{
	while (at < end &&
	       guest_memfd_is_private(&memory->memfd, at) == private)
		at += GUEST_PAGE_SIZE;
	return at;
}

/*
 * What is private already stays so, also if somebody has converted it long
 * before: the contents come from the plan.
 */
static int make_private(struct guest_memory *memory, const struct snp_run *run,
			struct error *error)
{
	uint64_t at = run->gpa, end = run->gpa + run->size, next;
	char why[256] = "";
	int rc;

	for (; at < end; at = next) {
		at = state_end(memory, at, end, true);
		next = state_end(memory, at, end, false);
		if (at == next)
			break;
		rc = guest_memory_convert(memory, (struct range){ at, next },
					  true, why, sizeof(why));
		if (rc)
			return error_set(error, rc, run->name, "make private",
					 "gpa 0x%llx to 0x%llx: %s",
					 (unsigned long long)at,
					 (unsigned long long)next, why);
	}
	return 0;
}

static int populate_run(struct snp_launch *launch, struct guest_memory *memory,
			const struct snp_run *run, struct vcpu *vcpu,
			struct error *error)
{
	int rc;

	/* KVM adds them itself, in the end. */
	if (run->type == SNP_PAGE_VMSA)
		return 0;
	rc = make_private(memory, run, error);
	if (rc)
		return rc;
	if (run->type == SNP_PAGE_CPUID)
		return update_cpuid(launch, run, vcpu, error);
	return update_staged(launch, run, error);
}

/* Pages cannot be taken back: after a failure the digest is never right. */
int snp_launch_populate(struct snp_launch *launch, struct guest_memory *memory,
			struct vcpu *vcpu, struct error *error)
{
	const struct snp_plan *plan = launch->plan;
	int rc = snp_launch_enter(launch, SNP_LAUNCH_STARTED,
				  "SNP_LAUNCH_UPDATE", error);

	if (rc)
		return rc;
	for (unsigned int i = 0; i < plan->nr_runs && !rc; i++)
		rc = populate_run(launch, memory, &plan->runs[i], vcpu, error);
	launch->state = rc ? SNP_LAUNCH_FAILED : SNP_LAUNCH_POPULATED;
	return rc;
}
