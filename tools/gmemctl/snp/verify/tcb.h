/* SPDX-License-Identifier: GPL-2.0 */
/*
 * TCB versions: the versions of what the firmware of a CPU consists of, one byte
 * each. Where each is in the 64 bits of a report depends on the product.
 */
#ifndef GMEMCTL_SNP_VERIFY_TCB_H
#define GMEMCTL_SNP_VERIFY_TCB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* All of a TCB in text: "fmc=255,bootloader=255,..." */
#define SNP_TCB_TEXT 80

enum snp_tcb_layout {
	SNP_TCB_MILAN,		/* and Genoa with its relatives */
	SNP_TCB_TURIN,		/* FMC is the first of them */
	SNP_TCB_LAYOUTS,
};

enum { SNP_TCB_PARTS = 5 };

/**
 * struct snp_tcb_part - one of the versions
 * @name: as it is shown and given
 * @extension: number of the certificate's extension with it, below AMD's arc 3
 * @byte: where it is in the 64 bits, for each layout; negative: it has none
 */
struct snp_tcb_part {
	const char *name;
	unsigned int extension;
	signed char byte[SNP_TCB_LAYOUTS];
};

/* Source: SEV-SNP Firmware ABI (AMD 56860), TCB_VERSION; VCEK (AMD 57230) */
extern const struct snp_tcb_part snp_tcb_parts[SNP_TCB_PARTS];

/** struct snp_tcb - versions, in the order of snp_tcb_parts; 0 if there is none */
struct snp_tcb {
	uint8_t versions[SNP_TCB_PARTS];
};

/** snp_tcb_format() - to @text of SNP_TCB_TEXT, as snp_tcb_parse() reads it */
char *snp_tcb_format(uint64_t raw, enum snp_tcb_layout layout, char *text);

/**
 * snp_tcb_parse() - "bootloader=3,snp=8,microcode=115"
 *
 * What is not named is 0, which everything reaches.
 *
 * Return: 0, or -EINVAL for another name, one that is there twice, or a version
 * that is not 0 to 255.
 */
int snp_tcb_parse(const char *text, struct snp_tcb *tcb);

/** snp_tcb_reaches() - whether no version is below that of @floor */
bool snp_tcb_reaches(uint64_t raw, enum snp_tcb_layout layout,
		     const struct snp_tcb *floor);

/**
 * snp_platform_format() - bits by name, as snp_platform_parse() reads them
 *
 * A bit that has no name yet is shown as "bit-N".
 *
 * Return: @text.
 */
char *snp_platform_format(uint64_t bits, char *text, size_t size);

/**
 * snp_platform_parse() - "ecc,alias-check"
 *
 * A bit without a name is given as it is shown.
 *
 * Return: 0, or -EINVAL for a name that is not known.
 */
int snp_platform_parse(const char *text, uint64_t *bits);

#endif /* GMEMCTL_SNP_VERIFY_TCB_H */
