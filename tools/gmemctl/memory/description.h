/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Describes a guest's memory in bytes, for another process or a file: the requests, the
 * ranges, and which pages are private. It has no contents.
 *
 * DOC: Format, version 1, little endian, without gaps
 *
 * header: magic "GMEMDESC"; u32 version; u32 bytes in all; u32 flags; u32
 *	number of requests; u32 number of private ranges; u32 zero
 * request, each: u32 kind; u32 flags, with the binary logarithm of the size of huge
 *	pages in bits 8 to 15; s32 NUMA node or -1; u32 number of ranges; then its
 *	ranges
 * then the private ranges, in ascending order
 * range, each: u64 start; u64 end
 */
#ifndef GMEMCTL_MEMORY_DESCRIPTION_H
#define GMEMCTL_MEMORY_DESCRIPTION_H

#include <stddef.h>
#include <stdint.h>

#include "../base/error.h"
#include "options.h"

#define DESCRIPTION_REQUESTS_MAX	64
#define DESCRIPTION_RANGES_MAX		1024
#define DESCRIPTION_SIZE_MAX		(UINT32_C(64) << 20)

/**
 * struct description - memory of a guest
 * @config: the configuration; points to the following members
 * @requests: the requests of @config
 * @ranges: the ranges of all requests
 * @private: ranges of guest physical addresses that are private
 */
struct description {
	struct memory_config config;
	struct memory_request requests[DESCRIPTION_REQUESTS_MAX];
	struct range ranges[DESCRIPTION_RANGES_MAX];
	struct range *private;
	uint32_t nr_private;
};

/**
 * description_encode() - write a description
 * @bytes: out: allocated
 *
 * It has no paths and no fds.
 *
 * Return: 0; -E2BIG if there are more requests or ranges than the format allows; -ENOMEM.
 */
int description_encode(const struct memory_config *config,
		       const struct range *private, uint32_t nr_private,
		       uint8_t **bytes, size_t *size);

/**
 * description_decode() - check and read a description
 * @bytes: bytes that are not trusted
 *
 * The caller has to call memory_config_check(). The requests have no fds yet.
 *
 * Return: 0; -EBADMSG if the bytes are not a description; -ENOMEM.
 */
int description_decode(const uint8_t *bytes, size_t size,
		       struct description *out, struct error *error);

void description_free(struct description *description);

#endif /* GMEMCTL_MEMORY_DESCRIPTION_H */
