/* SPDX-License-Identifier: GPL-2.0 */
/* Status codes of the SNP firmware, in words. */
#ifndef GMEMCTL_SNP_FW_ERROR_H
#define GMEMCTL_SNP_FW_ERROR_H

#include <stdint.h>

/** snp_fw_error_name() - as AMD's specification has it; never NULL */
const char *snp_fw_error_name(uint32_t code);

/** snp_fw_error_hint() - what to do about it in a launch, or NULL */
const char *snp_fw_error_hint(uint32_t code);

#endif /* GMEMCTL_SNP_FW_ERROR_H */
