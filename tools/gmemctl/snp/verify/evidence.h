/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A report as it is handed out: as the firmware has written it, or within what a
 * driver or a cloud puts around it. Its TCB versions: the versions of what the
 * firmware of a CPU consists of, one byte each. Where each is in the 64 bits of a
 * report depends on the product.
 */
#ifndef GMEMCTL_SNP_VERIFY_EVIDENCE_H
#define GMEMCTL_SNP_VERIFY_EVIDENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../id_block.h"

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
bool snp_tcb_reaches(uint64_t raw, enum snp_tcb_layout layout, const struct snp_tcb *floor);

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

#define SNP_REPORT_SIZE 1184
/* What is signed: everything before the signature. */
#define SNP_REPORT_SIGNED 0x2a0
#define SNP_CHIP_ID_SIZE 64

/* VMPL of a report that the host, not the guest, has asked for */
#define SNP_VMPL_HOST UINT32_MAX
#define SNP_VMPL_MAX 3

/** struct snp_report_firmware - version of the SNP firmware */
struct snp_report_firmware {
	uint8_t build, minor, major, reserved;
};

/** struct snp_report - versions 2 to 5; later ones use reserved bytes */
struct snp_report {
	uint32_t version;
	uint32_t guest_svn;
	uint64_t policy;
	uint8_t family_id[16];
	uint8_t image_id[16];
	uint32_t vmpl;
	uint32_t signature_algorithm;
	uint64_t current_tcb;
	uint64_t platform_info;
	uint32_t key_info;
	uint32_t reserved_4c;
	uint8_t report_data[64];
	uint8_t measurement[SNP_DIGEST_SIZE];
	uint8_t host_data[32];
	uint8_t id_key_digest[SNP_DIGEST_SIZE];
	uint8_t author_key_digest[SNP_DIGEST_SIZE];
	uint8_t report_id[32];
	uint8_t report_id_ma[32];
	uint64_t reported_tcb;
	uint8_t cpuid_family, cpuid_model, cpuid_stepping;
	uint8_t reserved_18b[21];
	uint8_t chip_id[SNP_CHIP_ID_SIZE];
	uint64_t committed_tcb;
	struct snp_report_firmware current, committed;
	uint64_t launch_tcb;
	uint64_t launch_mitigations, current_mitigations;	/* version 5 */
	uint8_t reserved_208[152];
	uint8_t signature[SNP_SIGNATURE_SIZE];
};

_Static_assert(sizeof(struct snp_report) == SNP_REPORT_SIZE, "SNP firmware ABI");
_Static_assert(offsetof(struct snp_report, key_info) == 0x48, "SNP firmware ABI");
_Static_assert(offsetof(struct snp_report, report_data) == 0x50, "SNP firmware ABI");
_Static_assert(offsetof(struct snp_report, measurement) == 0x90, "SNP firmware ABI");
_Static_assert(offsetof(struct snp_report, host_data) == 0xc0, "SNP firmware ABI");
_Static_assert(offsetof(struct snp_report, id_key_digest) == 0xe0, "SNP firmware ABI");
_Static_assert(offsetof(struct snp_report, reported_tcb) == 0x180, "SNP firmware ABI");
_Static_assert(offsetof(struct snp_report, chip_id) == 0x1a0, "SNP firmware ABI");
_Static_assert(offsetof(struct snp_report, current) == 0x1e8, "SNP firmware ABI");
_Static_assert(offsetof(struct snp_report, launch_tcb) == 0x1f0, "SNP firmware ABI");
_Static_assert(offsetof(struct snp_report, signature) == SNP_REPORT_SIGNED, "SNP firmware ABI");

/* Who has signed: bits 4 to 2 of key_info */
enum snp_signer {
	SNP_SIGNER_VCEK = 0,
	SNP_SIGNER_VLEK = 1,
	SNP_SIGNER_NONE = 7,
};

static inline unsigned int snp_report_signer(const struct snp_report *report)
{
	return report->key_info >> 2 & 7;
}

/**
 * snp_report_layout() - how its TCB versions are laid out
 *
 * Since version 3 a report says which CPU it is of. One that does not is taken for
 * one of Milan.
 */
enum snp_tcb_layout snp_report_layout(const struct snp_report *report);

/** snp_report_product() - "Milan", "Genoa", "Turin", or NULL if it does not say */
const char *snp_report_product(const struct snp_report *report);

/* A report with certificates has some 10 KiB. */
#define SNP_EVIDENCE_MAX (1 << 20)

/**
 * struct snp_evidence - what was found in a file
 * @table: the certificate table of an extended report, or NULL
 * @claims: what Azure's paravisor says about the guest, or NULL; their hash, of
 *	@claims_hash_size bytes, is in the report, or should be
 * @buffer: what the others point into
 */
struct snp_evidence {
	struct snp_report report;
	const uint8_t *table;
	size_t table_size;
	const uint8_t *claims;
	size_t claims_size;
	size_t claims_hash_size;
	uint8_t *buffer;
};

/**
 * snp_evidence_parse() - find the report in what a file has
 * @name: of the file, for messages
 *
 * These are known, each also in hexadecimal, with white space anywhere and with 0x
 * in front: a report; an extended report, which is followed by the certificate
 * table of the GHCB specification; the answer of SNP_GET_REPORT, with the report
 * at 0x20; the blob that Azure's vTPM has at 0x01400001, likewise.
 *
 * Return: 0, and the caller frees it with snp_evidence_free(); -EINVAL for anything
 * else; -ENOMEM.
 */
int snp_evidence_parse(struct snp_evidence *evidence, const char *name,
		       const uint8_t *data, size_t size, struct error *error);
void snp_evidence_free(struct snp_evidence *evidence);

/** snp_evidence_claims_match() - whether the report has the hash of @claims */
bool snp_evidence_claims_match(const struct snp_evidence *evidence);

#endif /* GMEMCTL_SNP_VERIFY_EVIDENCE_H */
