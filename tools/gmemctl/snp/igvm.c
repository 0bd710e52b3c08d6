// SPDX-License-Identifier: GPL-2.0
/* The frame of an IGVM file: fixed header, and the list of variable headers. */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/bytes.h"
#include "igvm.h"

/* IGVM_FIXED_HEADER, and IGVM_FIXED_HEADER_V2, which is longer */
#define FIXED_VERSION 4
#define FIXED_OFFSET 8
#define FIXED_HEADERS_SIZE 12
#define FIXED_FILE_SIZE 16
#define FIXED_CHECKSUM 20
#define FIXED_SIZE 24
#define FIXED_ARCHITECTURE 24
#define FIXED_PAGE_SIZE 28
#define FIXED_SIZE_2 32
#define ARCHITECTURE_X64 0

/* A loader may be asked to read so much at most: half a million pages. */
#define HEADERS_MAX (UINT32_C(16) << 20)

#define HEADER_SIZE 8
#define TYPE_IGNORABLE (UINT32_C(1) << 31)
#define TYPE_SUPPORTED_PLATFORM 0x1
#define TYPE_GUEST_POLICY 0x101
#define TYPE_RELOCATABLE_REGION 0x102
#define TYPE_PAGE_TABLE_RELOCATION 0x103

#define PLATFORM_SEV_SNP 2
#define PLATFORM_SNP_VERSION 1

/* Ranges of types, which come in this order */
enum section { PLATFORM, INITIALIZATION, DIRECTIVE, UNKNOWN };

int snp_igvm_bad(const struct snp_igvm *igvm, struct error *error,
		 const char *fault, ...)
{
	char text[256];
	va_list args;

	va_start(args, fault);
	vsnprintf(text, sizeof(text), fault, args);
	va_end(args);
	return error_set(error, -EINVAL, igvm->name, "parse IGVM file", "%s", text);
}

bool snp_igvm_is(const void *data, uint64_t size)
{
	return size >= strlen(SNP_IGVM_MAGIC) &&
	       !memcmp(data, SNP_IGVM_MAGIC, strlen(SNP_IGVM_MAGIC));
}

/* CRC-32 of IEEE 802.3, reflected, as in zlib. @crc: 0 for the first bytes. */
static uint32_t crc32(uint32_t crc, const uint8_t *bytes, uint64_t size)
{
	crc = ~crc;
	while (size--) {
		crc ^= *bytes++;
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
	}
	return ~crc;
}

static int check_checksum(const struct snp_igvm *igvm, uint32_t fixed_size,
			  uint32_t offset, uint32_t size, struct error *error)
{
	uint32_t wanted = bytes_get32(igvm->data + FIXED_CHECKSUM), crc;
	uint8_t fixed[FIXED_SIZE_2];

	memcpy(fixed, igvm->data, fixed_size);
	bytes_put32(fixed + FIXED_CHECKSUM, 0);
	crc = crc32(crc32(0, fixed, fixed_size), igvm->data + offset, size);
	if (crc == wanted)
		return 0;
	return snp_igvm_bad(igvm, error, "the checksum of its headers is 0x%08x, "
			    "and it says 0x%08x: the file is damaged", crc, wanted);
}

static int check_version(const struct snp_igvm *igvm, uint32_t *fixed_size,
			 struct error *error)
{
	uint32_t version;

	if (igvm->size < FIXED_SIZE || !snp_igvm_is(igvm->data, igvm->size))
		return snp_igvm_bad(igvm, error, "it does not begin with the "
				    "header of an IGVM file");
	version = bytes_get32(igvm->data + FIXED_VERSION);
	*fixed_size = version == 2 ? FIXED_SIZE_2 : FIXED_SIZE;
	if (version != 1 && version != 2)
		return error_set(error, -EOPNOTSUPP, igvm->name,
				 "parse IGVM file", "it has version %u, and this "
				 "program knows 1 and 2", version);
	if (igvm->size < *fixed_size)
		return snp_igvm_bad(igvm, error, "it ends in its header");
	if (version == 2 &&
	    (bytes_get32(igvm->data + FIXED_ARCHITECTURE) != ARCHITECTURE_X64 ||
	     bytes_get32(igvm->data + FIXED_PAGE_SIZE) != SNP_PAGE_SIZE))
		return error_set(error, -EOPNOTSUPP, igvm->name,
				 "parse IGVM file", "it is for another architecture "
				 "than x86-64, or other pages than of 4 KiB");
	return 0;
}

/* Where the variable headers are. */
static int check_fixed(const struct snp_igvm *igvm, uint32_t *offset,
		       uint32_t *size, struct error *error)
{
	uint32_t fixed_size = 0;
	uint64_t file_size;
	int rc = check_version(igvm, &fixed_size, error);

	if (rc)
		return rc;
	*offset = bytes_get32(igvm->data + FIXED_OFFSET);
	*size = bytes_get32(igvm->data + FIXED_HEADERS_SIZE);
	file_size = bytes_get32(igvm->data + FIXED_FILE_SIZE);
	if (file_size != igvm->size)
		return snp_igvm_bad(igvm, error, "it has %" PRIu64 " bytes, and "
				    "says that they are %" PRIu64, igvm->size,
				    file_size);
	if (*offset < fixed_size || *offset % 8 ||
	    *offset + (uint64_t)*size > igvm->size)
		return snp_igvm_bad(igvm, error, "its variable headers, 0x%x bytes "
				    "at 0x%x, are not in the file", *size, *offset);
	if (*size > HEADERS_MAX)
		return snp_igvm_bad(igvm, error, "it has 0x%x bytes of headers, at "
				    "most 0x%x are read", *size, HEADERS_MAX);
	return check_checksum(igvm, fixed_size, *offset, *size, error);
}

/* IGVM_VHS_SUPPORTED_PLATFORM: mask, VTL, platform, version, boundary */
static int take_platform(struct snp_igvm *igvm,
			 const struct snp_igvm_header *header,
			 struct error *error)
{
	uint32_t mask;

	if (header->size != 16)
		return snp_igvm_bad(igvm, error, "a platform has 0x%x bytes, not "
				    "0x10", header->size);
	mask = bytes_get32(header->body);
	if (!mask || mask & (mask - 1))
		return snp_igvm_bad(igvm, error, "the compatibility mask 0x%x of a "
				    "platform is not one bit", mask);
	if (header->body[5] != PLATFORM_SEV_SNP || igvm->mask)
		return 0;
	if (bytes_get16(header->body + 6) != PLATFORM_SNP_VERSION)
		return error_set(error, -EOPNOTSUPP, igvm->name,
				 "parse IGVM file", "its version of the platform "
				 "SEV-SNP is %u, not 1",
				 bytes_get16(header->body + 6));
	igvm->mask = mask;
	igvm->highest_vtl = header->body[4];
	igvm->shared_boundary = bytes_get64(header->body + 8);
	return 0;
}

/* IGVM_VHS_GUEST_POLICY: policy, mask; relocations are an offer to the loader. */
static int take_initialization(struct snp_igvm *igvm,
			       const struct snp_igvm_header *header,
			       struct error *error)
{
	bool policy = header->type == TYPE_GUEST_POLICY;
	uint32_t size = policy ? 16 :
			header->type == TYPE_RELOCATABLE_REGION ? 48 : 32;
	uint32_t mask;

	if (!policy && header->type != TYPE_RELOCATABLE_REGION &&
	    header->type != TYPE_PAGE_TABLE_RELOCATION)
		return error_set(error, -EOPNOTSUPP, igvm->name,
				 "parse IGVM file", "its header of type 0x%x is not "
				 "known to this program", header->type);
	if (header->size != size)
		return snp_igvm_bad(igvm, error, "a header of type 0x%x has 0x%x "
				    "bytes, not 0x%x", header->type, header->size,
				    size);
	mask = bytes_get32(header->body + (policy ? 8 : 0));
	if (!(mask & igvm->mask))
		return 0;
	if (policy) {
		igvm->has_policy = true;
		igvm->policy = bytes_get64(header->body);
	} else {
		igvm->relocatable = true;
	}
	return 0;
}

static enum section section_of(uint32_t type)
{
	if (type >= 0x1 && type <= 0x100)
		return PLATFORM;
	if (type >= 0x101 && type <= 0x200)
		return INITIALIZATION;
	if (type >= 0x301 && type <= 0x400)
		return DIRECTIVE;
	return UNKNOWN;
}

static int take_header(struct snp_igvm *igvm,
		       const struct snp_igvm_header *header,
		       enum section section, struct error *error)
{
	if (section == PLATFORM && header->type == TYPE_SUPPORTED_PLATFORM)
		return take_platform(igvm, header, error);
	if (section != PLATFORM && !igvm->mask)
		return error_set(error, -ENODATA, igvm->name, "find SEV-SNP",
				 "this IGVM file is for other platforms only");
	if (section == INITIALIZATION)
		return take_initialization(igvm, header, error);
	if (section == DIRECTIVE)
		return snp_igvm_directive(igvm, header, error);
	return error_set(error, -EOPNOTSUPP, igvm->name, "parse IGVM file",
			 "its header of type 0x%x is not known to this program",
			 header->type);
}

/* Return: bytes up to the next header, or a negative errno. */
static int64_t walk_header(struct snp_igvm *igvm, const uint8_t *at,
			   uint64_t left, enum section *section,
			   struct error *error)
{
	struct snp_igvm_header header;
	enum section is;
	uint64_t next;
	uint32_t type;
	int rc;

	if (left < HEADER_SIZE)
		return snp_igvm_bad(igvm, error, "its last header is truncated");
	type = bytes_get32(at);
	header.type = type & ~TYPE_IGNORABLE;
	header.size = bytes_get32(at + 4);
	header.body = at + HEADER_SIZE;
	next = HEADER_SIZE + (header.size + UINT64_C(7)) / 8 * 8;
	if (HEADER_SIZE + (uint64_t)header.size > left)
		return snp_igvm_bad(igvm, error, "a header of type 0x%x goes beyond "
				    "the others", header.type);
	is = section_of(header.type);
	if (is != UNKNOWN && is < *section)
		return snp_igvm_bad(igvm, error, "a header of type 0x%x comes too "
				    "late", header.type);
	if (is != UNKNOWN)
		*section = is;
	rc = take_header(igvm, &header, is, error);
	/* What is not known may be left out, if its type says so. */
	if (rc == -EOPNOTSUPP && type & TYPE_IGNORABLE)
		rc = 0;
	return rc ? rc : (int64_t)next;
}

static int walk(struct snp_igvm *igvm, uint64_t offset, uint64_t size,
		struct error *error)
{
	enum section section = PLATFORM;
	uint64_t end = offset + size;

	while (offset < end) {
		int64_t rc = walk_header(igvm, igvm->data + offset, end - offset,
					 &section, error);

		if (rc < 0)
			return (int)rc;
		offset += (uint64_t)rc;
	}
	if (!igvm->mask)
		return error_set(error, -ENODATA, igvm->name, "find SEV-SNP",
				 "this IGVM file is for other platforms only");
	if (!igvm->nr_runs)
		return snp_igvm_bad(igvm, error, "it has no page for SEV-SNP");
	igvm->id_block.policy = igvm->policy;
	return 0;
}

int snp_igvm_parse(struct snp_igvm *igvm, const char *name, const void *data,
		   uint64_t size, struct error *error)
{
	uint32_t offset, headers;
	int rc;

	memset(igvm, 0, sizeof(*igvm));
	igvm->name = name;
	igvm->data = data;
	igvm->size = size;
	rc = check_fixed(igvm, &offset, &headers, error);
	return rc ? rc : walk(igvm, offset, headers, error);
}

static int compare_runs(const void *one, const void *other)
{
	const struct snp_run *a = one, *b = other;

	return (a->gpa > b->gpa) - (a->gpa < b->gpa);
}

/* Of the first @nr runs. Without memory to look, the firmware finds out. */
static bool has_page_twice(const struct snp_igvm *igvm, unsigned int nr)
{
	struct snp_run *runs = malloc((nr + 1) * sizeof(*runs));
	bool twice = false;

	if (!runs)
		return false;
	memcpy(runs, igvm->runs, nr * sizeof(*runs));
	qsort(runs, nr, sizeof(*runs), compare_runs);
	for (unsigned int i = 1; i < nr; i++)
		twice |= runs[i - 1].gpa + runs[i - 1].size > runs[i].gpa;
	free(runs);
	return twice;
}

const char *snp_igvm_kvm_fault(const struct snp_igvm *igvm)
{
	unsigned int first = igvm->nr_runs - igvm->nr_vmsa_runs;

	if (!igvm->nr_vcpus)
		return "it has no vCPU";
	for (unsigned int i = first; i < igvm->nr_runs; i++)
		if (igvm->runs[i].type != SNP_PAGE_VMSA)
			return "a page comes after a VMSA";
	for (unsigned int i = 0; i < igvm->nr_vcpus; i++) {
		if (igvm->vcpus[i].index != i)
			return "its vCPUs are not in their order";
		if (igvm->vcpus[i].gpa != SNP_VMSA_GPA)
			return "a VMSA is not at 0xfffffffff000";
	}
	return has_page_twice(igvm, first) ? "a page is there twice" : NULL;
}

void snp_igvm_free(struct snp_igvm *igvm)
{
	for (unsigned int i = 0; i < igvm->nr_areas; i++)
		free(igvm->areas[i].data);
	free(igvm->runs);
	igvm->runs = NULL;
	igvm->nr_areas = 0;
	igvm->nr_runs = 0;
}
