// SPDX-License-Identifier: GPL-2.0
/* Parser of IGVM files: their headers, and the directives for the loader. */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/bytes.h"
#include "igvm.h"

#define TYPE_PARAMETER_AREA 0x301
#define TYPE_PAGE_DATA 0x302
#define TYPE_PARAMETER_INSERT 0x303
#define TYPE_VP_CONTEXT 0x304
#define TYPE_REQUIRED_MEMORY 0x305
#define TYPE_SNP_ID_BLOCK 0x30b
#define TYPE_ERROR_RANGE 0x30d
#define TYPE_VBS_MEASUREMENT 0x311

/* IGVM_VHS_PAGE_DATA: flags and types */
#define PAGE_2M 1u
#define PAGE_UNMEASURED 2u
#define PAGE_SHARED 4u
#define PAGE_FLAGS (PAGE_2M | PAGE_UNMEASURED | PAGE_SHARED)
#define SIZE_2M (UINT64_C(2) << 20)

enum page_data_type { DATA_NORMAL, DATA_SECRETS, DATA_CPUID, DATA_CPUID_XF };

/* Ranges are joined if the gap between them is not larger. */
#define RANGE_GAP SIZE_2M

/* A number of a key or signature has 72 bytes, as in the firmware's form. */
#define NUMBER_SIZE 72
#define ID_BLOCK_SIZE 696

/* One variable header; @type does not include TYPE_IGNORABLE */
struct header {
	uint32_t type;
	const uint8_t *body;
	uint32_t size;
};

/* Describe a fault of the file. Return: @rc. */
static int __attribute__((format(printf, 4, 5)))
fail(const struct snp_igvm *igvm, struct error *error, int rc, const char *fault, ...)
{
	char text[256];
	va_list args;

	va_start(args, fault);
	vsnprintf(text, sizeof(text), fault, args);
	va_end(args);
	return error_set(error, rc, igvm->name, "parse IGVM file", "%s", text);
}

/* Whether a range is page-aligned and within KVM's 52 bits of address */
static bool range_is_good(uint64_t gpa, uint64_t size)
{
	return gpa % SNP_PAGE_SIZE == 0 && size && size % SNP_PAGE_SIZE == 0 &&
	       gpa < UINT64_C(1) << 52 && size <= (UINT64_C(1) << 52) - gpa;
}

/* Find the first range but @except that is within RANGE_GAP of @range. Return: it or NULL. */
static struct range *find_near(struct snp_igvm *igvm, const struct range *range,
			       const struct range *except)
{
	for (unsigned int i = 0; i < igvm->nr_required; i++) {
		struct range *other = &igvm->required[i];

		if (other != except && range->start <= other->end + RANGE_GAP &&
		    other->start <= range->end + RANGE_GAP)
			return other;
	}
	return NULL;
}

static void range_join(struct range *range, const struct range *with)
{
	if (with->start < range->start)
		range->start = with->start;
	if (with->end > range->end)
		range->end = with->end;
}

/* Join all ranges near @range with it, and remove them from the list. */
static void join_all(struct snp_igvm *igvm, struct range *range)
{
	struct range *other;

	while ((other = find_near(igvm, range, range))) {
		struct range *last = &igvm->required[igvm->nr_required - 1];

		range_join(range, other);
		*other = *last;
		/* The last range has moved to @other. It may be @range. */
		if (range == last)
			range = other;
		igvm->nr_required--;
	}
}

static int require(struct snp_igvm *igvm, uint64_t gpa, uint64_t size, struct error *error)
{
	const struct range wanted = { gpa, gpa + size };
	struct range *range = find_near(igvm, &wanted, NULL);

	if (range) {
		range_join(range, &wanted);
		join_all(igvm, range);
		return 0;
	}
	if (igvm->nr_required == SNP_IGVM_RANGES)
		return fail(igvm, error, -EINVAL, "it has more than %d memory ranges",
			    SNP_IGVM_RANGES);
	igvm->required[igvm->nr_required++] = wanted;
	return 0;
}

/* Find bytes of the file; offset 0 means zeros. Return: false if the file has no such bytes. */
static bool file_data(const struct snp_igvm *igvm, uint32_t offset, uint64_t size,
		      const uint8_t **data)
{
	*data = offset ? igvm->data + offset : NULL;
	return !offset || (offset < igvm->size && size <= igvm->size - offset);
}

/* Whether the page continues @run, both in guest memory and in the file */
static bool run_goes_on(const struct snp_run *run, enum snp_page_type type,
			uint64_t gpa, const uint8_t *data)
{
	/* The firmware takes pages of these types one at a time. */
	if (type == SNP_PAGE_SECRETS || type == SNP_PAGE_CPUID || type == SNP_PAGE_VMSA)
		return false;
	return run->type == type && run->gpa + run->size == gpa &&
	       !run->data == !data && (!data || run->data + run->size == data);
}

static int add_run(struct snp_igvm *igvm, const char *name, enum snp_page_type type, uint64_t gpa,
		   uint64_t size, const uint8_t *data, struct error *error)
{
	struct snp_run *last = igvm->nr_runs ? &igvm->runs[igvm->nr_runs - 1] : NULL;

	igvm->pages_size += size;
	if (igvm->pages_size > SNP_IGVM_PAGES_SIZE)
		return fail(igvm, error, -EINVAL, "it has more than %" PRIu64 " MiB of pages",
			    SNP_IGVM_PAGES_SIZE >> 20);
	if (last && run_goes_on(last, type, gpa, data)) {
		last->size += size;
		return 0;
	}
	if (igvm->nr_runs == igvm->room) {
		unsigned int room = igvm->room ? 2 * igvm->room : 64;
		struct snp_run *runs = realloc(igvm->runs, room * sizeof(*runs));

		if (!runs)
			return error_set(error, -ENOMEM, igvm->name, "parse IGVM file", NULL);
		igvm->runs = runs;
		igvm->room = room;
	}
	igvm->runs[igvm->nr_runs++] = (struct snp_run){
		name, type, gpa, size, data,
	};
	return 0;
}

/* IGVM_VHS_PAGE_DATA: GPA, mask, offset in the file, flags, type, reserved */
static int page_data(struct snp_igvm *igvm, const struct header *header, struct error *error)
{
	const uint8_t *body = header->body;
	uint64_t gpa = bytes_get64(body), size;
	uint32_t flags = bytes_get32(body + 16);
	uint16_t type = bytes_get16(body + 20);
	const uint8_t *data;

	size = flags & PAGE_2M ? SIZE_2M : SNP_PAGE_SIZE;
	if (flags & ~PAGE_FLAGS || type > DATA_CPUID_XF || bytes_get16(body + 22))
		return fail(igvm, error, -EOPNOTSUPP, "the page at 0x%" PRIx64 " has flags "
			    "0x%x and type %u, which are not known", gpa, flags, type);
	if (!range_is_good(gpa, size) || gpa % size ||
	    !file_data(igvm, bytes_get32(body + 12), size, &data))
		return fail(igvm, error, -EINVAL, "the page at 0x%" PRIx64 " is not aligned, "
			    "or its data are not in the file", gpa);
	if (require(igvm, gpa, size, error))
		return -EINVAL;
	if (flags & PAGE_SHARED) {
		igvm->shared = true;
		return 0;
	}
	if (type == DATA_SECRETS)
		return add_run(igvm, "IGVM secrets", SNP_PAGE_SECRETS, gpa, size, NULL, error);
	if (type != DATA_NORMAL)
		return add_run(igvm, "IGVM CPUID", SNP_PAGE_CPUID, gpa, size, NULL, error);
	return add_run(igvm, "IGVM page data", flags & PAGE_UNMEASURED ?
		       SNP_PAGE_UNMEASURED : SNP_PAGE_NORMAL, gpa, size, data,
		       error);
}

static int find_area(const struct snp_igvm *igvm, uint32_t index)
{
	for (unsigned int i = 0; i < igvm->nr_areas; i++)
		if (igvm->areas[i].index == index)
			return (int)i;
	return -ENOENT;
}

/* IGVM_VHS_PARAMETER: index of the area, offset */
static int parameter(struct snp_igvm *igvm, const struct header *header, struct error *error)
{
	uint32_t index = bytes_get32(header->body);
	uint32_t offset = bytes_get32(header->body + 4);
	int area = find_area(igvm, index);

	if (area < 0 || igvm->areas[area].inserted || offset >= igvm->areas[area].size)
		return fail(igvm, error, -EINVAL, "the parameter of type 0x%x cannot be at offset "
			    "0x%x of parameter area %u: the area is not declared, inserted "
			    "already, or smaller", header->type, offset, index);
	if (igvm->nr_parameters == SNP_IGVM_PARAMETERS)
		return fail(igvm, error, -EINVAL, "it has more than %d parameters",
			    SNP_IGVM_PARAMETERS);
	igvm->parameters[igvm->nr_parameters++] = (struct snp_igvm_parameter){
		(enum snp_igvm_parameter_type)header->type, (unsigned int)area,
		offset,
	};
	return 0;
}

/* IGVM_VHS_PARAMETER_AREA: size, index, offset of the initial contents */
static int parameter_area(struct snp_igvm *igvm, const struct header *header, struct error *error)
{
	const uint8_t *body = header->body;
	uint64_t size = bytes_get64(body);
	uint32_t index = bytes_get32(body + 8);
	struct snp_igvm_area *area = &igvm->areas[igvm->nr_areas];
	const uint8_t *data;

	if (igvm->nr_areas == SNP_IGVM_AREAS)
		return fail(igvm, error, -EINVAL, "it has more than %d parameter areas",
			    SNP_IGVM_AREAS);
	if (find_area(igvm, index) >= 0)
		return fail(igvm, error, -EINVAL, "parameter area %u is declared twice", index);
	if (!size || size % SNP_PAGE_SIZE || size > SNP_IGVM_AREA_SIZE ||
	    !file_data(igvm, bytes_get32(body + 12), size, &data))
		return fail(igvm, error, -EINVAL, "parameter area %u has 0x%" PRIx64 " bytes, "
			    "not whole pages of at most 1 MiB, or its data are not in the file",
			    index, size);
	*area = (struct snp_igvm_area){
		.index = index, .size = size, .data = calloc(1, size),
	};
	if (!area->data)
		return error_set(error, -ENOMEM, igvm->name, "parse IGVM file", NULL);
	if (data)
		memcpy(area->data, data, size);
	igvm->nr_areas++;
	return 0;
}

/* IGVM_VHS_PARAMETER_INSERT: GPA, mask, index of the area. Its pages are unmeasured. */
static int parameter_insert(struct snp_igvm *igvm, const struct header *header, struct error *error)
{
	const uint8_t *body = header->body;
	uint64_t gpa = bytes_get64(body);
	uint32_t index = bytes_get32(body + 12);
	int at = find_area(igvm, index);
	struct snp_igvm_area *area = at < 0 ? NULL : &igvm->areas[at];

	if (!area || area->inserted)
		return fail(igvm, error, -EINVAL, "parameter area %u is inserted %s", index,
			    area ? "twice" : "and not declared");
	if (!range_is_good(gpa, area->size))
		return fail(igvm, error, -EINVAL, "parameter area %u is inserted at 0x%" PRIx64 ", "
			    "which is not a valid page address", index, gpa);
	if (require(igvm, gpa, area->size, error))
		return -EINVAL;
	area->inserted = true;
	return add_run(igvm, "IGVM parameters", SNP_PAGE_UNMEASURED, gpa,
		       area->size, area->data, error);
}

/* IGVM_VHS_VP_CONTEXT: GPA, mask, offset in the file, index, reserved */
static int vp_context(struct snp_igvm *igvm, const struct header *header, struct error *error)
{
	const uint8_t *body = header->body;
	struct snp_igvm_vcpu *vcpu = &igvm->vcpus[igvm->nr_vcpus];
	uint64_t gpa = bytes_get64(body);
	uint16_t index = bytes_get16(body + 16);
	const uint8_t *data;

	if (igvm->nr_vcpus == SNP_IGVM_VCPUS)
		return fail(igvm, error, -EINVAL, "it has more than %d vCPUs", SNP_IGVM_VCPUS);
	if (!range_is_good(gpa, SNP_PAGE_SIZE) || !bytes_get32(body + 12) ||
	    !file_data(igvm, bytes_get32(body + 12), SNP_PAGE_SIZE, &data))
		return fail(igvm, error, -EINVAL, "the VMSA of vCPU %u is not in the file, or its "
			    "address 0x%" PRIx64 " is not valid", index, gpa);
	*vcpu = (struct snp_igvm_vcpu){ index, gpa, data };
	igvm->nr_vcpus++;
	return add_run(igvm, "IGVM VMSA", SNP_PAGE_VMSA, gpa, SNP_PAGE_SIZE, data, error);
}

/* IGVM_VHS_REQUIRED_MEMORY, IGVM_VHS_ERROR_RANGE: GPA, mask, size */
static int memory_range(struct snp_igvm *igvm, const struct header *header, struct error *error)
{
	uint64_t gpa = bytes_get64(header->body);
	uint32_t size = bytes_get32(header->body + 12);

	if (!range_is_good(gpa, size))
		return fail(igvm, error, -EINVAL, "memory at 0x%" PRIx64 ", 0x%x bytes, is not "
			    "whole pages", gpa, size);
	igvm->shared |= header->type == TYPE_ERROR_RANGE;
	return require(igvm, gpa, size, error);
}

/* Copy a key. Its form is the firmware's but for four reserved bytes after the curve. */
static void take_key(uint8_t *key, const uint8_t *from)
{
	memcpy(key, from, 4);
	memcpy(key + 4, from + 8, 2 * NUMBER_SIZE);
}

/*
 * IGVM_VHS_SNP_ID_BLOCK: mask, whether there is an author key, digest, family, image,
 * version, guest SVN, algorithms, then signature and key twice
 */
static int id_block(struct snp_igvm *igvm, const struct header *header, struct error *error)
{
	const uint8_t *body = header->body, *at = body + 88 + 16;
	struct snp_id_block *block = &igvm->id_block;
	struct snp_id_auth *auth = &igvm->id_auth;

	memset(block, 0, sizeof(*block));
	memset(auth, 0, sizeof(*auth));
	memcpy(block->digest, body + 8, SNP_DIGEST_SIZE);
	memcpy(block->family_id, body + 56, SNP_ID_SIZE);
	memcpy(block->image_id, body + 72, SNP_ID_SIZE);
	block->version = bytes_get32(body + 88);
	block->guest_svn = bytes_get32(body + 92);
	auth->id_key_algorithm = bytes_get32(body + 96);
	memcpy(auth->id_block_signature, at, 2 * NUMBER_SIZE);
	take_key(auth->id_key, at + 2 * NUMBER_SIZE);
	at += 4 * NUMBER_SIZE + 8;
	if (body[4]) {
		auth->author_key_algorithm = bytes_get32(body + 100);
		memcpy(auth->id_key_signature, at, 2 * NUMBER_SIZE);
		take_key(auth->author_key, at + 2 * NUMBER_SIZE);
	}
	igvm->has_id_block = true;
	return 0;
}

static int other_platform(struct snp_igvm *igvm, const struct header *header, struct error *error)
{
	return fail(igvm, error, -EINVAL, "a directive of type 0x%x is not valid for the SEV-SNP "
		    "platform", header->type);
}

/* Size of each directive, and offset of its mask; -1: it has no mask. */
static const struct directive {
	uint32_t type, size;
	int mask;
	int (*take)(struct snp_igvm *igvm, const struct header *header, struct error *error);
} directives[] = {
	{ TYPE_PARAMETER_AREA, 16, -1, parameter_area },
	{ TYPE_PAGE_DATA, 24, 8, page_data },
	{ TYPE_PARAMETER_INSERT, 16, 8, parameter_insert },
	{ TYPE_VP_CONTEXT, 20, 8, vp_context },
	{ TYPE_REQUIRED_MEMORY, 24, 8, memory_range },
	{ TYPE_SNP_ID_BLOCK, ID_BLOCK_SIZE, 0, id_block },
	{ TYPE_ERROR_RANGE, 16, 8, memory_range },
	{ TYPE_VBS_MEASUREMENT, 864, 0, other_platform },
	{ SNP_IGVM_VP_COUNT, 8, -1, parameter },
	{ SNP_IGVM_SRAT, 8, -1, parameter },
	{ SNP_IGVM_MADT, 8, -1, parameter },
	{ SNP_IGVM_MMIO_RANGES, 8, -1, parameter },
	{ SNP_IGVM_MEMORY_MAP, 8, -1, parameter },
	{ SNP_IGVM_COMMAND_LINE, 8, -1, parameter },
	{ SNP_IGVM_SLIT, 8, -1, parameter },
	{ SNP_IGVM_PPTT, 8, -1, parameter },
	{ SNP_IGVM_DEVICE_TREE, 8, -1, parameter },
	{ SNP_IGVM_ENVIRONMENT_INFO, 8, -1, parameter },
};

static int take_directive(struct snp_igvm *igvm, const struct header *header, struct error *error)
{
	const struct directive *directive = directives;
	const struct directive *end = directives + sizeof(directives) / sizeof(directives[0]);

	while (directive < end && directive->type != header->type)
		directive++;
	if (directive == end)
		return fail(igvm, error, -EOPNOTSUPP, "its directive of type 0x%x is not known to "
			    "this program", header->type);
	if (header->size != directive->size)
		return fail(igvm, error, -EINVAL, "a directive of type 0x%x has 0x%x bytes, not "
			    "0x%x", header->type, header->size, directive->size);
	if (directive->mask >= 0 && !(bytes_get32(header->body + directive->mask) & igvm->mask))
		return 0;
	return directive->take(igvm, header, error);
}

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

/* Limit for the size of all headers, enough for half a million pages. */
#define HEADERS_MAX (UINT32_C(16) << 20)

#define HEADER_SIZE 8
#define TYPE_IGNORABLE (UINT32_C(1) << 31)
#define TYPE_SUPPORTED_PLATFORM 0x1
#define TYPE_GUEST_POLICY 0x101
#define TYPE_RELOCATABLE_REGION 0x102
#define TYPE_PAGE_TABLE_RELOCATION 0x103

#define PLATFORM_SEV_SNP 2
#define PLATFORM_SNP_VERSION 1

/* Sections of the headers, in their order in the file; each is a range of types */
enum section { PLATFORM, INITIALIZATION, DIRECTIVE, UNKNOWN };

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
	return fail(igvm, error, -EINVAL, "the checksum of its headers is 0x%08x, but its header "
		    "says 0x%08x: the file is damaged", crc, wanted);
}

static int check_version(const struct snp_igvm *igvm, uint32_t *fixed_size, struct error *error)
{
	uint32_t version;

	if (igvm->size < FIXED_SIZE || !snp_igvm_is(igvm->data, igvm->size))
		return fail(igvm, error, -EINVAL, "it does not begin with the header of an "
			    "IGVM file");
	version = bytes_get32(igvm->data + FIXED_VERSION);
	*fixed_size = version == 2 ? FIXED_SIZE_2 : FIXED_SIZE;
	if (version != 1 && version != 2)
		return fail(igvm, error, -EOPNOTSUPP, "it has version %u, but this program "
			    "supports 1 and 2", version);
	if (igvm->size < *fixed_size)
		return fail(igvm, error, -EINVAL, "it ends in its header");
	if (version == 2 && (bytes_get32(igvm->data + FIXED_ARCHITECTURE) != ARCHITECTURE_X64 ||
			     bytes_get32(igvm->data + FIXED_PAGE_SIZE) != SNP_PAGE_SIZE))
		return fail(igvm, error, -EOPNOTSUPP, "its architecture is not x86-64, or its page "
			    "size is not 4 KiB");
	return 0;
}

/* Check the fixed header, and find the variable headers. */
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
		return fail(igvm, error, -EINVAL, "it has %" PRIu64 " bytes, but its header says %"
			    PRIu64, igvm->size, file_size);
	if (*offset < fixed_size || *offset % 8 || *offset + (uint64_t)*size > igvm->size)
		return fail(igvm, error, -EINVAL, "its variable headers, 0x%x bytes at 0x%x, "
			    "are not in the file", *size, *offset);
	if (*size > HEADERS_MAX)
		return fail(igvm, error, -EINVAL, "it has 0x%x bytes of headers, but this program "
			    "reads at most 0x%x", *size, HEADERS_MAX);
	return check_checksum(igvm, fixed_size, *offset, *size, error);
}

/* IGVM_VHS_SUPPORTED_PLATFORM: mask, VTL, platform, version, boundary */
static int take_platform(struct snp_igvm *igvm, const struct header *header, struct error *error)
{
	uint32_t mask;

	if (header->size != 16)
		return fail(igvm, error, -EINVAL, "a platform header has 0x%x bytes, not 0x10",
			    header->size);
	mask = bytes_get32(header->body);
	if (!mask || mask & (mask - 1))
		return fail(igvm, error, -EINVAL, "the compatibility mask 0x%x of a platform does "
			    "not have exactly one bit", mask);
	if (header->body[5] != PLATFORM_SEV_SNP || igvm->mask)
		return 0;
	if (bytes_get16(header->body + 6) != PLATFORM_SNP_VERSION)
		return fail(igvm, error, -EOPNOTSUPP, "its SEV-SNP platform version is %u, not 1",
			    bytes_get16(header->body + 6));
	igvm->mask = mask;
	igvm->highest_vtl = header->body[4];
	igvm->shared_boundary = bytes_get64(header->body + 8);
	return 0;
}

/* IGVM_VHS_GUEST_POLICY: policy, mask. The loader may ignore headers about relocation. */
static int take_initialization(struct snp_igvm *igvm, const struct header *header,
			       struct error *error)
{
	bool policy = header->type == TYPE_GUEST_POLICY;
	uint32_t size = policy ? 16 : header->type == TYPE_RELOCATABLE_REGION ? 48 : 32;
	uint32_t mask;

	if (!policy && header->type != TYPE_RELOCATABLE_REGION &&
	    header->type != TYPE_PAGE_TABLE_RELOCATION)
		return fail(igvm, error, -EOPNOTSUPP, "its header of type 0x%x is not known to "
			    "this program", header->type);
	if (header->size != size)
		return fail(igvm, error, -EINVAL, "a header of type 0x%x has 0x%x bytes, not "
			    "0x%x", header->type, header->size, size);
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

static int take_header(struct snp_igvm *igvm, const struct header *header, enum section section,
		       struct error *error)
{
	if (section == PLATFORM && header->type == TYPE_SUPPORTED_PLATFORM)
		return take_platform(igvm, header, error);
	if (section != PLATFORM && !igvm->mask)
		return error_set(error, -ENODATA, igvm->name, "find SEV-SNP",
				 "this IGVM file is for other platforms only");
	if (section == INITIALIZATION)
		return take_initialization(igvm, header, error);
	if (section == DIRECTIVE)
		return take_directive(igvm, header, error);
	return fail(igvm, error, -EOPNOTSUPP, "its header of type 0x%x is not known to this "
		    "program", header->type);
}

/* Return: bytes up to the next header, or a negative errno. */
static int64_t walk_header(struct snp_igvm *igvm, const uint8_t *at, uint64_t left,
			   enum section *section, struct error *error)
{
	struct header header;
	enum section is;
	uint64_t next;
	uint32_t type;
	int rc;

	if (left < HEADER_SIZE)
		return fail(igvm, error, -EINVAL, "its last header is truncated");
	type = bytes_get32(at);
	header.type = type & ~TYPE_IGNORABLE;
	header.size = bytes_get32(at + 4);
	header.body = at + HEADER_SIZE;
	next = HEADER_SIZE + (header.size + UINT64_C(7)) / 8 * 8;
	if (HEADER_SIZE + (uint64_t)header.size > left)
		return fail(igvm, error, -EINVAL, "a header of type 0x%x extends beyond the "
			    "variable headers", header.type);
	is = section_of(header.type);
	if (is != UNKNOWN && is < *section)
		return fail(igvm, error, -EINVAL, "a header of type 0x%x is out of order",
			    header.type);
	if (is != UNKNOWN)
		*section = is;
	rc = take_header(igvm, &header, is, error);
	/* Skip an unknown header if its type permits that. */
	if (rc == -EOPNOTSUPP && type & TYPE_IGNORABLE)
		rc = 0;
	return rc ? rc : (int64_t)next;
}

int snp_igvm_parse(struct snp_igvm *igvm, const char *name, const void *data,
		   uint64_t size, struct error *error)
{
	enum section section = PLATFORM;
	uint32_t first, headers;
	uint64_t offset, end;
	int rc;

	memset(igvm, 0, sizeof(*igvm));
	igvm->name = name;
	igvm->data = data;
	igvm->size = size;
	rc = check_fixed(igvm, &first, &headers, error);
	if (rc)
		return rc;
	offset = first;
	end = offset + headers;
	while (offset < end) {
		int64_t next = walk_header(igvm, igvm->data + offset, end - offset,
					   &section, error);

		if (next < 0)
			return (int)next;
		offset += (uint64_t)next;
	}
	if (!igvm->mask)
		return error_set(error, -ENODATA, igvm->name, "find SEV-SNP",
				 "this IGVM file is for other platforms only");
	if (!igvm->nr_runs)
		return fail(igvm, error, -EINVAL, "it has no page for SEV-SNP");
	igvm->id_block.policy = igvm->policy;
	return 0;
}

static int compare_runs(const void *one, const void *other)
{
	const struct snp_run *a = one, *b = other;

	return (a->gpa > b->gpa) - (a->gpa < b->gpa);
}

/* Whether two of the first @nr runs overlap. If memory runs out, the firmware will find it. */
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
	unsigned int first = igvm->nr_runs - igvm->nr_vcpus;

	if (!igvm->nr_vcpus)
		return "it has no vCPU";
	for (unsigned int i = first; i < igvm->nr_runs; i++)
		if (igvm->runs[i].type != SNP_PAGE_VMSA)
			return "a page comes after a VMSA";
	for (unsigned int i = 0; i < igvm->nr_vcpus; i++) {
		if (igvm->vcpus[i].index != i)
			return "its vCPUs are out of order";
		if (igvm->vcpus[i].gpa != SNP_VMSA_GPA)
			return "a VMSA is not at 0xfffffffff000";
	}
	return has_page_twice(igvm, first) ? "a page is listed twice" : NULL;
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
