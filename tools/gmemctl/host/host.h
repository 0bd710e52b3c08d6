/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A host, as it shows itself: CPUID, /proc, /sys, MSRs, the kernel log. Devices
 * are opened through the table of calls (base/calls.h). With the members of
 * struct host set by a test it is another host than this one.
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

/** struct host_cpuid - what one leaf of CPUID answers */
struct host_cpuid {
	uint32_t eax, ebx, ecx, edx;
};

/**
 * struct host - where the facts come from
 * @root: put before each path: "" for this host
 * @release, @machine: as uname(2) has them
 * @cpuid: a leaf, sub-leaf 0; false where there is no such leaf or instruction
 * @msr: a model specific register of CPU 0; 0 or a negative errno
 * @memlock: bytes that this process may lock; UINT64_MAX for no limit
 */
struct host {
	char root[128];
	char release[80];
	char machine[80];
	bool (*cpuid)(uint32_t leaf, struct host_cpuid *out);
	int (*msr)(uint32_t number, uint64_t *value);
	uint64_t memlock;
};

/** host_init() - this host */
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

/** host_has_word() - whether a text has a word, between blanks */
bool host_has_word(const char *text, const char *word);

/**
 * enum host_verdict - PASS; FAIL: a launch will not work; SKIP: could not be
 *	seen, or is of no concern here
 */
enum host_verdict { HOST_PASS, HOST_FAIL, HOST_SKIP };

/**
 * struct host_check - one line of a report
 * @group: what it and those around it are about, or NULL
 * @value: what was found
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

struct host_report {
	unsigned int count;
	unsigned int failed;
	struct host_check checks[HOST_CHECKS_MAX];
};

/** host_verdict_name() - "pass", "fail" or "skip" */
const char *host_verdict_name(enum host_verdict verdict);

/**
 * host_report_start() - begin a line, which is SKIP and empty so far
 *
 * Return: the line, to be given to host_report_end() before the next.
 */
struct host_check *host_report_start(struct host_report *report, const char *name);
void host_report_end(struct host_report *report);

/** host_report_find() - a line by its name, or NULL */
const struct host_check *host_report_find(const struct host_report *report, const char *name);

/** host_say() - what was found, and what it means */
void host_say(struct host_check *check, enum host_verdict verdict,
	      const char *format, ...) __attribute__((format(printf, 3, 4)));

/** host_fix() - say what to do about it */
void host_fix(struct host_check *check, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/**
 * host_judge() - what was found, PASS or FAIL
 * @fix: what to do if it is not @ok, or NULL
 */
void host_judge(struct host_check *check, bool ok, const char *fix,
		const char *format, ...) __attribute__((format(printf, 4, 5)));

/**
 * struct host_view - what was found; rc are 0 or a negative errno
 * @device: opening /dev/gmem
 * @features: GMEM_FEATURE_*, of it
 * @kvm: opening /dev/kvm
 * @exits: KVM lets a guest's KVM_HC_MAP_GPA_RANGE exit
 * @made: making a view of one page, and mapping it
 */
struct host_view {
	int device;
	uint64_t features;
	int kvm;
	bool exits;
	int made;
};

/** host_view_look() - look, and try it; nothing is left behind */
void host_view_look(struct host_view *view);

/** host_view_lacks() - the first thing that is missing, or NULL: views work */
const char *host_view_lacks(const struct host_view *view);

/** host_look_module() - whether a module is loaded, to be said in @check */
void host_look_module(const struct host *host, const char *name, struct host_check *check);

/**
 * struct host_gmem - what there is for private memory of guests
 * @info: what gmem says of itself, if @has_info
 * @views: memory of kind gmem can be had
 * @store: memory of kind gmem-store can be had
 */
struct host_gmem {
	struct gmem_ioctl_info info;
	bool has_info;
	bool views;
	bool store;
};

/**
 * host_check_gmem() - look at modules, device, KVM and both kinds of private memory
 *
 * What is missing of one kind while there is the other is SKIP. A view and a VM are
 * created, and closed again.
 *
 * Return: whether one of them can be had.
 */
bool host_check_gmem(const struct host *host, struct host_report *report, struct host_gmem *found);

/**
 * host_check_realm() - look at everything, also after something has failed
 *
 * A VM is created and closed again; the RMM is asked for nothing.
 *
 * Return: whether nothing has failed: a launch can work.
 */
bool host_check_realm(const struct host *host, struct host_report *report);

/**
 * host_check_snp() - look at everything, also after something has failed
 *
 * The last step creates a VM and has KVM initialise it, which takes one of the
 * CPU's ASIDs for a moment; nothing else is changed.
 *
 * Return: whether nothing has failed: a launch can work.
 */
bool host_check_snp(const struct host *host, struct host_report *report);

/* snp_platform.c, within host/ only: what is looked at for a launch of an SEV-SNP guest */

/**
 * struct snp_host - what one look at a host has found so far
 * @family: the CPU's
 * @cpu: it has SEV-SNP
 * @firmware: the firmware has answered: @status
 * @kvm: /dev/kvm, or a negative errno
 * @sev: /dev/sev, or a negative errno
 * @secure_tsc: the CPU has it
 * @vmsa_features: KVM's, or 0
 */
struct snp_host {
	const struct host *host;
	unsigned int family;
	bool cpu;
	bool firmware;
	bool secure_tsc;
	uint64_t vmsa_features;
	struct snp_sev_snp_status status;
	int kvm;
	int sev;
};

void snp_host_cpu(struct snp_host *snp, struct host_check *check);
void snp_host_features(struct snp_host *snp, struct host_check *check);
void snp_host_c_bit(struct snp_host *snp, struct host_check *check);
void snp_host_asids(struct snp_host *snp, struct host_check *check);
void snp_host_vmpls(struct snp_host *snp, struct host_check *check);
void snp_host_syscfg(struct snp_host *snp, struct host_check *check);
void snp_host_rmp(struct snp_host *snp, struct host_check *check);
void snp_host_sev_device(struct snp_host *snp, struct host_check *check);
void snp_host_firmware(struct snp_host *snp, struct host_check *check);
void snp_host_alias_check(struct snp_host *snp, struct host_check *check);
void snp_host_tcb(struct snp_host *snp, struct host_check *check);
void snp_host_memlock(struct snp_host *snp, struct host_check *check);
void snp_host_module(struct snp_host *snp, struct host_check *check);
void snp_host_gmem_device(struct snp_host *snp, struct host_check *check);
void snp_host_views(struct snp_host *snp, struct host_check *check);

#endif /* GMEMCTL_HOST_HOST_H */
