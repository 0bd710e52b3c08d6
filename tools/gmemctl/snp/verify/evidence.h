/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A report as it is handed out: as the firmware has written it, or within what a
 * driver or a cloud puts around it.
 */
#ifndef GMEMCTL_SNP_VERIFY_EVIDENCE_H
#define GMEMCTL_SNP_VERIFY_EVIDENCE_H

#include <stdbool.h>

#include "report.h"

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
