// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <string.h>

#include "../base/bytes.h"
#include "../boot/acpi.h"
#include "../boot/e820.h"
#include "igvm.h"

/* IGVM_VHS_MEMORY_MAP_ENTRY: first page, pages, type, flags, reserved */
#define ENTRY_SIZE 24
#define ENTRY_MEMORY 0

/**
 * struct place - where a parameter goes
 * @at: in its area
 * @room: bytes from there to the end of the area
 */
struct place {
	uint8_t *at;
	uint64_t room;
};

/* Return: whether it fits. */
static bool put_number(struct place *place, uint32_t value)
{
	if (place->room < 4)
		return false;
	bytes_put32(place->at, value);
	return true;
}

static bool put_entry(struct place *place, struct range range)
{
	if (place->room < ENTRY_SIZE)
		return false;
	memset(place->at, 0, ENTRY_SIZE);
	bytes_put64(place->at, range.start / SNP_PAGE_SIZE);
	bytes_put64(place->at + 8, range_size(range) / SNP_PAGE_SIZE);
	bytes_put16(place->at + 16, ENTRY_MEMORY);
	place->at += ENTRY_SIZE;
	place->room -= ENTRY_SIZE;
	return true;
}

/* RAM of a PC, in order; an entry without pages ends it. */
static bool put_memory_map(struct place *place, const struct range *ram,
			   unsigned int nr_ram)
{
	for (unsigned int i = 0; i < nr_ram; i++) {
		bool device = ram[i].start >= E820_LOW_END &&
			      ram[i].end <= E820_HIGH_START;

		if (!device && !put_entry(place, ram[i]))
			return false;
	}
	return put_entry(place, (struct range){ 0, 0 });
}

/* Return: 0, -ENOSPC or -EOPNOTSUPP. */
static int put_parameter(struct place *place, enum snp_igvm_parameter_type type,
			 const struct range *ram, unsigned int nr_ram,
			 unsigned int nr_vcpus)
{
	bool fits = true;

	switch (type) {
	case SNP_IGVM_VP_COUNT:
		fits = put_number(place, nr_vcpus);
		break;
	case SNP_IGVM_ENVIRONMENT_INFO:
		/* Bit 0: memory starts shared. Here it starts private. */
		fits = put_number(place, 0);
		break;
	case SNP_IGVM_COMMAND_LINE:
		*place->at = '\0';
		break;
	case SNP_IGVM_MEMORY_MAP:
		fits = put_memory_map(place, ram, nr_ram);
		break;
	case SNP_IGVM_MADT:
		fits = acpi_build_madt(place->at, place->room, nr_vcpus);
		break;
	case SNP_IGVM_DEVICE_TREE:
		return -EOPNOTSUPP;
	default:
		break;
	}
	return fits ? 0 : -ENOSPC;
}

int machine_igvm_parameters(const struct snp_igvm *igvm,
			    const struct range *ram, unsigned int nr_ram,
			    unsigned int nr_vcpus, struct error *error)
{
	for (unsigned int i = 0; i < igvm->nr_parameters; i++) {
		const struct snp_igvm_parameter *parameter =
			&igvm->parameters[i];
		const struct snp_igvm_area *area = &igvm->areas[parameter->area];
		struct place place = {
			area->data + parameter->offset,
			area->size - parameter->offset,
		};
		int rc = put_parameter(&place, parameter->type, ram, nr_ram,
				       nr_vcpus);

		if (rc)
			return error_set(error, rc, igvm->name,
					 "fill in parameters", "type 0x%x %s",
					 parameter->type, rc == -ENOSPC ?
					 "does not fit its area" :
					 "is not made by gmemctl");
	}
	return 0;
}
