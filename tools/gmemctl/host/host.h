/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Information about a host: CPUID, /proc, /sys, MSRs, the kernel log. Devices are opened through
 * the table of calls (base/calls.h). A test sets the members of struct host to simulate another
 * host.
 */
#ifndef GMEMCTL_HOST_HOST_H
#define GMEMCTL_HOST_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <linux/gmem.h>

#include "../snp/abi.h"

#define HOST_PATH_SIZE 512
#define HOST_LINE_SIZE 8192
#define HOST_VERSION_SIZE 64

/** struct host_cpuid - registers of one leaf of CPUID */
struct host_cpuid {
	uint32_t eax, ebx, ecx, edx;
};

/**
 * struct host - the sources of information
 * @root: prefix of each path: "" for this host
 * @release, @machine: as returned by uname(2)
 * @cpuid: read a leaf, sub-leaf 0; returns false if there is no such leaf or instruction
 * @msr: read a model specific register of CPU 0; returns 0 or a negative errno
 * @memlock: bytes that this process may lock; UINT64_MAX: no limit
 */
struct host {
	char root[128];
	char release[80];
	char machine[80];
	bool (*cpuid)(uint32_t leaf, struct host_cpuid *out);
	int (*msr)(uint32_t number, uint64_t *value);
	uint64_t memlock;
};

/** host_init() - initialise it for this host */
void host_init(struct host *host);

/** host_stat() - mode of a file. Return: 0 or a negative errno. */
int host_stat(const struct host *host, const char *path, unsigned int *mode);

/** host_folder_is_empty() - whether a folder is missing or has nothing in it */
bool host_folder_is_empty(const struct host *host, const char *path);

/** host_read_line() - the first line of a file, without its end */
int host_read_line(const struct host *host, const char *path, char *line, size_t size);

/**
 * host_read_lines() - all lines of a file, or of /dev/kmsg
 * @visit: called for each of at most HOST_LINE_SIZE bytes; true ends the walk
 *
 * Return: 1 if @visit ended it, 0 at the end, or a negative errno.
 */
int host_read_lines(const struct host *host, const char *path,
		    bool (*visit)(const char *line, void *data), void *data);

/**
 * host_module() - whether a module is loaded
 * @version: out: "" if it has none; may be NULL
 */
bool host_module(const struct host *host, const char *name, char version[HOST_VERSION_SIZE]);

/** host_has_word() - whether a text has a word, between blanks */
bool host_has_word(const char *text, const char *word);

/**
 * enum host_verdict - FAIL: a launch will not work; PASS; SKIP: could not be checked, or is
 *	irrelevant here
 */
enum host_verdict { HOST_FAIL, HOST_PASS, HOST_SKIP };

/**
 * struct host_check - one line of a report
 * @group: heading of this line and its neighbours, or NULL
 * @value: the result
 * @fix: what to do, or ""
 */
struct host_check {
	const char *name;
	const char *group;
	enum host_verdict verdict;
	char value[320];
	char fix[512];
};

#define HOST_CHECKS_MAX 32

/** struct host_report - lines; @failed: number of FAIL, for reports on launches */
struct host_report {
	unsigned int count;
	unsigned int failed;
	struct host_check checks[HOST_CHECKS_MAX];
};

/**
 * struct host_view - the requirements of views; results are 0 or a negative errno
 * @device: result of opening /dev/gmem
 * @features: GMEM_FEATURE_* of gmem
 * @kvm: result of opening /dev/kvm
 * @exits: KVM supports exits for KVM_HC_MAP_GPA_RANGE
 * @made: result of creating a view of one page and mapping it
 */
struct host_view {
	int device;
	uint64_t features;
	int kvm;
	bool exits;
	int made;
};

/** host_view_look() - check the requirements, and try a view */
void host_view_look(struct host_view *view);

/** host_view_lacks() - the first missing requirement; NULL: views work */
const char *host_view_lacks(const struct host_view *view);

/**
 * struct host_gmem - support of this host for private memory
 * @info: result of GMEM_IOCTL_INFO, if @has_info
 * @views: memory of kind gmem is supported
 * @store: memory of kind gmem-store is supported
 */
struct host_gmem {
	struct gmem_ioctl_info info;
	bool has_info;
	bool views;
	bool store;
};

/**
 * host_check_gmem() - check modules, device, KVM and both kinds of private memory
 *
 * If one kind is supported, missing requirements of the other are SKIP. A view and a VM are
 * created, and closed again.
 *
 * Return: whether one of the kinds is supported.
 */
bool host_check_gmem(const struct host *host, struct host_report *report, struct host_gmem *found);

/**
 * host_check_realm() - check all requirements of realms, also after a failed one
 *
 * A VM is created and closed again. Nothing is requested of the RMM.
 *
 * Return: true if no check has failed, and a launch can work.
 */
bool host_check_realm(const struct host *host, struct host_report *report);

/**
 * host_check_snp() - check all requirements of SNP guests, also after a failed one
 *
 * The last check creates a VM and initialises it for SNP, which uses one of the CPU's ASIDs for a
 * moment. Nothing else is changed.
 *
 * Return: true if no check has failed, and a launch can work.
 */
bool host_check_snp(const struct host *host, struct host_report *report);

/* Within host/ only: how a report is made. */

/** host_add() - another line */
struct host_check *host_add(struct host_report *report, const char *group, const char *name);

/**
 * host_say() - what was found, and what it means
 * @fix: what to do unless it is PASS, or NULL
 */
void host_say(struct host_check *check, enum host_verdict verdict, const char *fix,
	      const char *format, ...) __attribute__((format(printf, 4, 5)));

/** host_ok() - the verdict of what can only be right or wrong */
static inline enum host_verdict host_ok(bool ok)
{
	return ok ? HOST_PASS : HOST_FAIL;
}

/** host_mode() - the mode of a file as " (mode 0600)", or "" */
const char *host_mode(const struct host *host, const char *path, char text[32]);

/** host_look_module() - whether the module is loaded of which the line has the name */
void host_look_module(const struct host *host, struct host_check *check);

/* What a line of a report on launches can be about, in the order in which it is missed */
#define HOST_HAS_CPU		(1U << 0)
#define HOST_HAS_SEV		(1U << 1)
#define HOST_HAS_FIRMWARE	(1U << 2)
#define HOST_HAS_KVM		(1U << 3)
#define HOST_HAS_REALMS		(1U << 4)
#define HOST_HAS_VM		(1U << 5)

/**
 * struct host_launch - what one look at a host has found so far
 * @has: HOST_HAS_*: the CPU has SEV-SNP; @sev and @kvm are open; the firmware has answered:
 *	@status; KVM has the capability of realms, or something else of that number; @vm is open
 * @kvm, @sev, @vm: /dev/kvm, /dev/sev, the VM of a realm
 * @family: the CPU's
 * @secure_tsc: the CPU has it
 * @vmsa_features: KVM's, or 0
 */
struct host_launch {
	const struct host *host;
	unsigned int has;
	int kvm, sev, vm;
	unsigned int family;
	bool secure_tsc;
	uint64_t vmsa_features;
	struct snp_sev_snp_status status;
};

/**
 * struct host_line - a line of such a report
 * @needs: HOST_HAS_*: else there is nothing to look at
 */
struct host_line {
	const char *name;
	unsigned int needs;
	void (*look)(struct host_launch *launch, struct host_check *check);
};

/** host_look_kvm() - such a line: opens /dev/kvm */
void host_look_kvm(struct host_launch *launch, struct host_check *check);

/** host_check_launch() - look at everything. Return: whether nothing has failed. */
bool host_check_launch(const struct host *host, const struct host_line *lines, size_t count,
		       struct host_report *report);

#endif /* GMEMCTL_HOST_HOST_H */
