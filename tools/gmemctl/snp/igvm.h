/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Parses IGVM files. Such a file is a list of directives to the loader of a guest, in the order in
 * which they are measured. Only directives for SEV-SNP are used.
 *
 * Numbers, layouts and rules are those of Microsoft's igvm_defs 0.4, the specification. Pages are
 * measured as by its library igvm (measurement/snp.rs) and by coconut-svsm's igvmmeasure.
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

/* The first bytes of an IGVM file */
#define SNP_IGVM_MAGIC "IGVM"

/* Limits for parameter areas, their sizes and parameters, vCPUs and ranges of memory */
#define SNP_IGVM_AREAS 16
#define SNP_IGVM_AREA_SIZE (UINT64_C(1) << 20)
#define SNP_IGVM_PARAMETERS 64
#define SNP_IGVM_VCPUS 64
#define SNP_IGVM_RANGES 32
/*
 * Limit for the size of all pages, in bytes: pages of zeros take no space in the file, but time to
 * measure.
 */
#define SNP_IGVM_PAGES_SIZE (UINT64_C(4) << 30)

/* Types of parameters: the types of their headers */
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
 * struct snp_igvm_area - a parameter area, which the loader fills
 * @index: its index in directives
 * @size: size in bytes, a multiple of the page size
 * @data: its contents; owned
 * @inserted: a directive has inserted it into the guest
 */
struct snp_igvm_area {
	uint32_t index;
	uint64_t size;
	uint8_t *data;
	bool inserted;
};

/**
 * struct snp_igvm_parameter - a parameter in an area
 * @type: type of the parameter
 * @area: index of the area in struct snp_igvm
 * @offset: offset in the area
 */
struct snp_igvm_parameter {
	enum snp_igvm_parameter_type type;
	unsigned int area;
	uint32_t offset;
};

/**
 * struct snp_igvm_vcpu - the initial state of a vCPU
 * @index: index of the vCPU
 * @gpa: address of its VMSA in the measurement
 * @vmsa: the VMSA, in the file; not aligned
 */
struct snp_igvm_vcpu {
	uint32_t index;
	uint64_t gpa;
	const uint8_t *vmsa;
};

/**
 * struct snp_igvm - a parsed file, for SEV-SNP
 * @name: name for messages; not copied
 * @data: the file, @size bytes; not copied
 * @mask: bit of SEV-SNP in the compatibility masks
 * @highest_vtl: the highest virtual trust level that the guest uses
 * @shared_boundary: memory from this address on is shared; 0: there is no boundary
 * @has_policy, @policy: guest policy
 * @has_id_block, @id_block, @id_auth: the ID block, in the firmware's form; its
 *	policy is @policy
 * @pages_size: size of all runs in bytes
 * @runs: the measured pages, VMSAs included, in this order; owned. There is one VMSA for each
 *	vCPU.
 * @nr_runs: number of runs
 * @room: allocated entries of @runs
 * @areas: parameter areas
 * @parameters: parameters in these areas
 * @vcpus: the vCPUs
 * @required: memory that the guest needs, pages included; disjoint, in no order
 * @shared: there are pages that the host can read
 * @relocatable: the file can be loaded at other addresses; this is not supported
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
 * snp_igvm_parse() - parse a file
 * @igvm: out: the parsed file; the caller calls snp_igvm_free(), also after a failure
 * @data: contents of the file, which must outlive @igvm
 *
 * Return: 0; -EINVAL if it is no IGVM file, or is damaged; -ENODATA if it has nothing for SEV-SNP;
 * -EOPNOTSUPP if it has directives that are not supported; -ENOMEM.
 */
int snp_igvm_parse(struct snp_igvm *igvm, const char *name, const void *data,
		   uint64_t size, struct error *error);
void snp_igvm_free(struct snp_igvm *igvm);

/** snp_igvm_is() - whether a file begins as an IGVM file */
bool snp_igvm_is(const void *data, uint64_t size);

/**
 * snp_igvm_kvm_fault() - why KVM would measure another digest, or NULL
 *
 * KVM measures the VMSAs last, in the order of the vCPUs, at SNP_VMSA_GPA. It adds each page at
 * most once.
 */
const char *snp_igvm_kvm_fault(const struct snp_igvm *igvm);

#endif /* GMEMCTL_SNP_IGVM_H */
