/* SPDX-License-Identifier: GPL-2.0 */
/* Pages that a launch adds to a guest. */
#ifndef GMEMCTL_SNP_RUN_H
#define GMEMCTL_SNP_RUN_H

#include <stdint.h>

#include "digest.h"

/**
 * struct snp_run - pages of one type
 * @name: what it is, for messages
 * @gpa: of the first page
 * @size: bytes, whole pages
 * @data: @size bytes; NULL: zeros, or their contents are not known yet. Only those of
 *	SNP_PAGE_NORMAL and SNP_PAGE_VMSA are measured.
 */
struct snp_run {
	const char *name;
	enum snp_page_type type;
	uint64_t gpa;
	uint64_t size;
	const uint8_t *data;
};

#endif /* GMEMCTL_SNP_RUN_H */
