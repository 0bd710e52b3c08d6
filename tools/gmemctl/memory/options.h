/* SPDX-License-Identifier: GPL-2.0 */
/* The memory that a guest is to have, and the rules for valid combinations. */
#ifndef GMEMCTL_MEMORY_OPTIONS_H
#define GMEMCTL_MEMORY_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../base/error.h"
#include "range.h"

#define HUGEPAGE_SIZE_DEFAULT (UINT64_C(2) << 20)

/**
 * enum backing_kind - kinds of memory
 * @BACKING_SHARED: a memfd
 * @BACKING_PRIVATE: private anonymous memory of this process, which cannot be passed to
 *	another process
 * @BACKING_HUGETLB: a memfd of huge pages, reserved up front
 * @BACKING_FILE: a file, which keeps its contents
 * @BACKING_GMEM: gmem; private pages live in gmem itself, and KVM has a view of it
 * @BACKING_GMEM_STORE: gmem; private pages live in the VM's guest_memfd
 * @BACKING_GUEST_MEMFD: the VM's guest_memfd alone, which the host maps; no page
 *	is private
 * @BACKING_KINDS: number of kinds
 */
enum backing_kind {
	BACKING_SHARED,
	BACKING_PRIVATE,
	BACKING_HUGETLB,
	BACKING_FILE,
	BACKING_GMEM,
	BACKING_GMEM_STORE,
	BACKING_GUEST_MEMFD,
	BACKING_KINDS,
};

/** backing_kind_name() - as in --memory kind=NAME */
const char *backing_kind_name(enum backing_kind kind);

/** backing_kind_find() - Return: 0, or -ENOENT if no kind has that name. */
int backing_kind_find(const char *name, size_t length, enum backing_kind *kind);

/**
 * struct memory_request - ranges of RAM with the same backing
 * @ranges: guest physical addresses, packed into the backing in this order
 * @kind: see enum backing_kind
 * @thp: ask for transparent huge pages; ignored for hugetlb
 * @prefetch: populate at once
 * @consent: private contents never become shared; for the kinds of gmem
 * @dump: core dumps of this process include it, as far as the host can read it
 * @hugepages: use huge pages of @hugepage_size: a shared memfd becomes hugetlb
 * @hugepage_size: 0: HUGEPAGE_SIZE_DEFAULT
 * @path: path of the file, for BACKING_FILE
 * @existing_fd: memory that another process has handed over, or -1
 * @node: NUMA node of the host, or -1
 */
struct memory_request {
	const struct range *ranges;
	unsigned int nr_ranges;
	enum backing_kind kind;
	bool thp;
	bool prefetch;
	bool consent;
	bool dump;
	bool hugepages;
	uint64_t hugepage_size;
	const char *path;
	int existing_fd;
	int node;
};

/**
 * struct memory_config - all RAM of a guest
 * @requests: in the order in which the VM's guest_memfd has them
 * @guest_memfd: add a private side; conversions then discard the stale side
 * @initial_private: pages with a private side start private
 * @encrypted: the guest is encrypted: conversions do not preserve contents
 * @view: fail if memory of kind gmem cannot have a view
 * @convert_timeout_ms: how long a conversion to private may wait for references
 */
struct memory_config {
	const struct memory_request *requests;
	unsigned int nr_requests;
	bool guest_memfd;
	bool initial_private;
	bool encrypted;
	bool view;
	uint32_t convert_timeout_ms;
};

/**
 * struct layout_range - a range of RAM
 * @range: guest physical addresses
 * @offset: its offset in the VM's guest_memfd, if there is one
 * @request: the request that it belongs to
 * @part: its offset in the memory of @request
 */
struct layout_range {
	struct range range;
	uint64_t offset;
	const struct memory_request *request;
	uint64_t part;
};

/**
 * struct layout - all RAM of a VM, in the order of the requests
 * @size: bytes in all
 */
struct layout {
	struct layout_range *ranges;
	unsigned int nr_ranges;
	uint64_t size;
};

/** layout_create() - lay out all ranges, which must not overlap */
int layout_create(struct layout *layout, const struct memory_config *config,
		  struct error *error);
void layout_destroy(struct layout *layout);

/**
 * layout_find() - the range of RAM that contains all of @range, or NULL
 *
 * Adjacent ranges are not merged: a slot of KVM can span them only if their pages are
 * adjacent in the file, too.
 */
const struct layout_range *layout_find(const struct layout *layout, struct range range);

/**
 * memory_request_size() - bytes of all ranges
 * @size: out: the size; UINT64_MAX if it does not fit in 64 bits
 *
 * Return: 0, or -EOVERFLOW if no file can be so large.
 */
int memory_request_size(const struct memory_request *request, uint64_t *size);

/** memory_request_hugepage() - the size of its huge pages; 0 without huge pages */
uint64_t memory_request_hugepage(const struct memory_request *request);

/**
 * memory_config_check() - check that a configuration is valid
 *
 * It opens and allocates nothing. The first violated rule is reported, in a fixed order: rules
 * for each request, sizes of huge pages, sizes of RAM.
 */
int memory_config_check(const struct memory_config *config,
			struct error *error);

/** memory_config_end() - the end of the highest range */
uint64_t memory_config_end(const struct memory_config *config);

/**
 * memory_size_text() - a size in words
 *
 * In the largest of TB, GB, MB and KB that divides it, else in bytes.
 */
const char *memory_size_text(uint64_t size, char text[32]);

#endif /* GMEMCTL_MEMORY_OPTIONS_H */
