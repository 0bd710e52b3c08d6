/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A guest's memory in a form that outlives the process: what it is made of,
 * where it is, and which of its pages are private. Not the contents.
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
 * @config: what it is; points to what follows
 * @requests: of @config
 * @ranges: of all requests
 * @private: guest physical addresses that are private
 */
struct description {
	struct memory_config config;
	struct memory_request requests[DESCRIPTION_REQUESTS_MAX];
	struct range ranges[DESCRIPTION_RANGES_MAX];
	struct range *private;
	uint32_t nr_private;
};

/**
 * description_encode() - turn it into bytes
 * @bytes: out: allocated
 *
 * Paths and fds are not part of it.
 *
 * Return: 0; -E2BIG for more than the format takes; -ENOMEM.
 */
int description_encode(const struct memory_config *config,
		       const struct range *private, uint32_t nr_private,
		       uint8_t **bytes, size_t *size);

/**
 * description_decode() - check bytes and turn them back
 * @bytes: they may be anything
 *
 * What memory_config_check() refuses is left to it. The requests have no fds yet.
 *
 * Return: 0; -EBADMSG for bytes that are none of this; -ENOMEM.
 */
int description_decode(const uint8_t *bytes, size_t size,
		       struct description *out, struct error *error);

void description_free(struct description *description);

#endif /* GMEMCTL_MEMORY_DESCRIPTION_H */
