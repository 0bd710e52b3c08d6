/* SPDX-License-Identifier: GPL-2.0 */
/*
 * IGVM files: a guest as a list of directives to its loader, in the order in which
 * they are measured. Only what an SEV-SNP guest is made of is read.
 *
 * Numbers, layouts and rules are those of Microsoft's igvm_defs 0.4, which is the
 * specification; what is measured, and how, is that of its library igvm
 * (measurement/snp.rs) and of coconut-svsm's igvmmeasure.
 */
#ifndef GMEMCTL_SNP_IGVM_H
#define GMEMCTL_SNP_IGVM_H

#include <stdbool.h>
#include <stddef.h>

#include "../base/error.h"
#include "../memory/range.h"
#include "digest.h"
#include "id_block.h"
#include "vmsa.h"

/* A file that begins so is one. */
#define SNP_IGVM_MAGIC "IGVM"

/* Parameter areas, their memory and parameters: more than any loader fills in */
#define SNP_IGVM_AREAS 16
#define SNP_IGVM_AREA_SIZE (UINT64_C(1) << 20)
#define SNP_IGVM_PARAMETERS 64
#define SNP_IGVM_VCPUS 64
#define SNP_IGVM_RANGES 32
/* All pages, in bytes: zeros need no room in the file, and time to be measured. */
#define SNP_IGVM_PAGES_SIZE (UINT64_C(4) << 30)

/* Types of parameters, which are those of their headers */
enum snp_igvm_parameter_type {
	SNP_IGVM_VP_COUNT = 0x307,
	SNP_IGVM_SRAT = 0x308,
	SNP_IGVM_MADT = 0x309,
	SNP_IGVM_MMIO_RANGES = 0x30a,
	SNP_IGVM_MEMORY_MAP = 0x30c,
	SNP_IGVM_COMMAND_LINE = 0x30e,
	SNP_IGVM_SLIT = 0x30f,
	SNP_IGVM_PPTT = 0x310,
	SNP_IGVM_DEVICE_TREE = 0x312,
	SNP_IGVM_ENVIRONMENT_INFO = 0x313,
};

/**
 * struct snp_igvm_area - memory that the loader fills with parameters
 * @index: by which directives name it
 * @size: bytes, whole pages
 * @data: its contents; owned
 * @inserted: it has its place in the guest
 */
struct snp_igvm_area {
	uint32_t index;
	uint64_t size;
	uint8_t *data;
	bool inserted;
};

/**
 * struct snp_igvm_parameter - what goes where in an area
 * @area: of struct snp_igvm
 * @offset: bytes into it
 */
struct snp_igvm_parameter {
	enum snp_igvm_parameter_type type;
	unsigned int area;
	uint32_t offset;
};

/**
 * struct snp_igvm_vcpu - the state in which a vCPU starts
 * @index: of the vCPU
 * @gpa: of its VMSA in the measurement
 * @vmsa: a page of the file, at any alignment
 */
struct snp_igvm_vcpu {
	uint32_t index;
	uint64_t gpa;
	const uint8_t *vmsa;
};

/**
 * struct snp_igvm - a parsed file, for SEV-SNP
 * @name: for messages; not copied
 * @data: the file, of @size bytes; not copied
 * @mask: bit of SEV-SNP in the compatibility masks
 * @highest_vtl: the highest virtual trust level that the guest uses
 * @shared_boundary: above this address memory is shared; 0: there is none
 * @has_policy, @policy: guest policy
 * @has_id_block, @id_block, @id_auth: the ID block, in the firmware's form; its
 *	policy is @policy
 * @pages_size: bytes of all runs
 * @runs: what is measured, VMSAs included, in this order; owned. As many of them as there are
 *	vCPUs are VMSAs.
 * @required: memory that the guest wants, pages included; disjoint, in no order
 * @shared: there are pages that the host may read
 * @relocatable: it may be loaded elsewhere, which is not done here
 */
struct snp_igvm {
	const char *name;
	const uint8_t *data;
	uint64_t size;
	uint32_t mask;
	uint8_t highest_vtl;
	uint64_t shared_boundary;
	bool has_policy;
	uint64_t policy;
	bool has_id_block;
	struct snp_id_block id_block;
	struct snp_id_auth id_auth;
	uint64_t pages_size;
	struct snp_run *runs;
	unsigned int nr_runs;
	unsigned int room;
	struct snp_igvm_area areas[SNP_IGVM_AREAS];
	unsigned int nr_areas;
	struct snp_igvm_parameter parameters[SNP_IGVM_PARAMETERS];
	unsigned int nr_parameters;
	struct snp_igvm_vcpu vcpus[SNP_IGVM_VCPUS];
	unsigned int nr_vcpus;
	struct range required[SNP_IGVM_RANGES];
	unsigned int nr_required;
	bool shared;
	bool relocatable;
};

/**
 * snp_igvm_parse() - read a file
 * @igvm: out; snp_igvm_free() it in any case
 * @data: the file; it has to outlive @igvm
 *
 * Return: 0; -EINVAL for what is no IGVM file, or is damaged; -ENODATA for one that
 * has nothing for SEV-SNP; -EOPNOTSUPP for one with directives that this reader
 * does not know; -ENOMEM.
 */
int snp_igvm_parse(struct snp_igvm *igvm, const char *name, const void *data,
		   uint64_t size, struct error *error);
void snp_igvm_free(struct snp_igvm *igvm);

/** snp_igvm_is() - whether a file is meant to be one */
bool snp_igvm_is(const void *data, uint64_t size);

/**
 * snp_igvm_kvm_fault() - why KVM would measure another digest, or NULL
 *
 * KVM measures the VMSAs last, vCPU by vCPU, at an address of its own, and takes
 * each page once.
 */
const char *snp_igvm_kvm_fault(const struct snp_igvm *igvm);

#endif /* GMEMCTL_SNP_IGVM_H */
