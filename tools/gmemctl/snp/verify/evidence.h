/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Parses attestation reports, in the formats of the firmware, of drivers and of clouds. A TCB is
 * the versions of the parts of a CPU's firmware, one byte for each. Their places in the 64 bits of
 * a report depend on the product.
 */
#ifndef GMEMCTL_SNP_VERIFY_EVIDENCE_H
#define GMEMCTL_SNP_VERIFY_EVIDENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../id_block.h"

/* Size of the text of a TCB: "fmc=255,bootloader=255,..." */
#define SNP_TCB_TEXT 80

enum snp_tcb_layout {
	SNP_TCB_MILAN,		/* and Genoa with its relatives */
	SNP_TCB_TURIN,		/* FMC is the first of them */
	SNP_TCB_LAYOUTS,
};

enum { SNP_TCB_PARTS = 5 };

/**
 * struct snp_tcb_part - a part of the firmware
 * @name: its name in output and options
 * @extension: number of the certificate's extension with its version, below AMD's arc 3
 * @byte: index of its version in the 64 bits, for each layout; negative: there is none
 */
struct snp_tcb_part {
	const char *name;
	unsigned int extension;
	signed char byte[SNP_TCB_LAYOUTS];
};

/* Source: SEV-SNP Firmware ABI (AMD 56860), TCB_VERSION; VCEK (AMD 57230) */
extern const struct snp_tcb_part snp_tcb_parts[SNP_TCB_PARTS];

/** struct snp_tcb - versions, in the order of snp_tcb_parts; 0: no version */
struct snp_tcb {
	uint8_t versions[SNP_TCB_PARTS];
};

/** snp_tcb_format() - write a TCB to @text, of SNP_TCB_TEXT bytes, as snp_tcb_parse() reads it */
char *snp_tcb_format(uint64_t raw, enum snp_tcb_layout layout, char *text);

/**
 * snp_tcb_parse() - parse a TCB: "bootloader=3,snp=8,microcode=115"
 *
 * A version that is not given is 0, which is the lowest one.
 *
 * Return: 0, or -EINVAL for an unknown name, a name that occurs twice, or a version that is not 0
 * to 255.
 */
int snp_tcb_parse(const char *text, struct snp_tcb *tcb);

/** snp_tcb_reaches() - whether each version is at least that of @floor */
bool snp_tcb_reaches(uint64_t raw, enum snp_tcb_layout layout, const struct snp_tcb *floor);

/**
 * snp_platform_format() - write the names of platform bits, in the form of snp_platform_parse()
 *
 * A bit without a name is written as "bit-N".
 *
 * Return: @text.
 */
char *snp_platform_format(uint64_t bits, char *text, size_t size);

/**
 * snp_platform_parse() - parse platform bits: "ecc,alias-check"
 *
 * A bit without a name is given as "bit-N".
 *
 * Return: 0, or -EINVAL for an unknown name.
 */
int snp_platform_parse(const char *text, uint64_t *bits);

#define SNP_REPORT_SIZE 1184
/* Number of signed bytes: everything before the signature. */
#define SNP_REPORT_SIGNED 0x2a0
#define SNP_CHIP_ID_SIZE 64

/* VMPL of a report that the host has requested, not the guest */
#define SNP_VMPL_HOST UINT32_MAX
#define SNP_VMPL_MAX 3

/** struct snp_report_firmware - version of the SNP firmware */
struct snp_report_firmware {
	uint8_t build, minor, major, reserved;
};

/** struct snp_report - an attestation report, versions 2 to 5; newer versions use reserved bytes */
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

/* The signing key: bits 4 to 2 of key_info */
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
 * snp_report_layout() - the layout of TCB versions in a report
 *
 * Reports have the model of the CPU from version 3 on. Older ones have the layout of Milan.
 */
enum snp_tcb_layout snp_report_layout(const struct snp_report *report);

/** snp_report_product() - "Milan", "Genoa", "Turin"; NULL for another CPU, or before version 3 */
const char *snp_report_product(const struct snp_report *report);

/* Limit of the size of a file; a report with certificates has about 10 KiB. */
#define SNP_EVIDENCE_MAX (1 << 20)

/**
 * struct snp_evidence - the contents of a file with a report
 * @report: the report
 * @table: certificate table of an extended report, @table_size bytes; or NULL
 * @table_size: size of the table
 * @claims: the statement of Azure's paravisor about the guest, @claims_size bytes; or NULL. The
 *	report must have its hash, see snp_evidence_claims_match().
 * @claims_size: size of the claims
 * @claims_hash_size: size of this hash
 * @buffer: memory to which the other members point
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
 * snp_evidence_parse() - find the report in the contents of a file
 * @name: name of the file, for messages
 *
 * The known formats are: a report; a report followed by the certificate table of the GHCB
 * specification; the answer of SNP_GET_REPORT, with the report at 0x20; and the blob that Azure's
 * vTPM has at 0x01400001, with the report at 0x20. Each can also be hexadecimal, with white space
 * anywhere, and with 0x in front.
 *
 * Return: 0, and the caller calls snp_evidence_free(); -EINVAL for another format; -EFBIG for more
 * than SNP_EVIDENCE_MAX bytes; -ENOMEM.
 */
int snp_evidence_parse(struct snp_evidence *evidence, const char *name,
		       const uint8_t *data, size_t size, struct error *error);
void snp_evidence_free(struct snp_evidence *evidence);

/** snp_evidence_claims_match() - whether report_data of the report is the hash of the claims */
bool snp_evidence_claims_match(const struct snp_evidence *evidence);

#endif /* GMEMCTL_SNP_VERIFY_EVIDENCE_H */
