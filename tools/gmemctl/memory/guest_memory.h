/* SPDX-License-Identifier: GPL-2.0 */
/*
 * All memory of a guest: RAM as configured, in a reservation, and as the slots of a
 * VM. It combines the other layers, each of which can be used alone.
 */
#ifndef GMEMCTL_MEMORY_GUEST_MEMORY_H
#define GMEMCTL_MEMORY_GUEST_MEMORY_H

#include <stdbool.h>
#include <stdint.h>

#include "../base/error.h"
#include "../kvm/vm.h"
#include "backing.h"
#include "guest_memfd.h"
#include "options.h"
#include "reservation.h"

/**
 * struct partition - guest memory as a VM sees it: a slot for each range of RAM
 * @attached: the slots exist
 * @prefetch_rc: error of the last prefetch that has failed, or 0. A guest runs without
 *	prefetch, so this is the only effect.
 */
struct partition {
	bool attached;
	int prefetch_rc;
};

/**
 * struct guest_memory - all memory of a guest
 * @config: the configuration; it must stay valid, with all that it points to
 * @vm: the VM with the guest_memfd and the slots, or NULL
 * @memfd: the VM's guest_memfd, if it has one, and the layout of RAM
 * @backings: one for each request, with its view
 * @reservation: the guest's addresses in this process
 * @range_lock: ranges of conversions, decommits and requests of the guest
 * @partition: RAM as @vm sees it
 */
struct guest_memory {
	const struct memory_config *config;
	struct vm *vm;
	struct guest_memfd memfd;
	struct backing *backings;
	unsigned int nr_backings;
	struct reservation reservation;
	struct range_lock range_lock;
	struct partition partition;
};

/**
 * guest_memory_create() - build the memory of a guest
 * @vm: needed for kinds that use a guest_memfd, and for views of gmem; otherwise it
 *	may be NULL
 *
 * The guest's RAM is accessible to the host at reservation.base + address.
 */
int guest_memory_create(struct guest_memory *memory,
			const struct memory_config *config, struct vm *vm,
			struct error *error);

/** guest_memory_attach() - make RAM slots of the VM given at creation */
int guest_memory_attach(struct guest_memory *memory, struct error *error);

/**
 * guest_memory_bind() - bind the backing of a request to the guest_memfd
 * @index: of the request; a no-op for other kinds than gmem-store
 *
 * guest_memory_create() does this. Only a handover undoes it.
 */
int guest_memory_bind(struct guest_memory *memory, unsigned int index,
		      struct error *error);

/** guest_memory_backing() - where the pages of a range of RAM come from */
const struct backing *guest_memory_backing(const struct guest_memory *memory,
					   const struct layout_range *ram);

/** guest_memory_view_of() - the view that a range of RAM is in, or NULL */
const struct view *guest_memory_view_of(const struct guest_memory *memory,
					const struct layout_range *ram);

/** guest_memory_view() - the first view that exists, of any backing; or NULL */
const struct view *guest_memory_view(const struct guest_memory *memory);

/** guest_memory_fill_views() - map all populated pages in the views */
int guest_memory_fill_views(const struct guest_memory *memory,
			    struct error *error);

/**
 * guest_memory_no_private() - why nothing can be private, in words
 *
 * Return: a constant text, or NULL: conversions are possible.
 */
const char *guest_memory_no_private(const struct guest_memory *memory);

/** guest_memory_destroy() - free it; the VM must still exist, and must not run */
void guest_memory_destroy(struct guest_memory *memory);

/** guest_memory_commit() - populate a range of RAM; reservation_commit() of it */
int guest_memory_commit(struct guest_memory *memory, struct range range);

/**
 * guest_memory_decommit() - free the memory of a range, private pages included
 *
 * The contents are lost; shared pages read as zero. Several threads may call this at the same
 * time.
 *
 * Return: as reservation_decommit().
 */
int guest_memory_decommit(struct guest_memory *memory, struct range range);

/* convert.c */

/**
 * guest_memory_convert() - convert RAM, KVM's attribute included, in place or by discarding
 * @range: inside one range of RAM of the configuration
 * @why: out: a text that explains a failure; may be NULL
 * @why_size: bytes of @why
 *
 * Memory of kind gmem with a view, and of kind gmem-store, is converted in place. Memory of
 * another kind, if the VM has a guest_memfd for its private side, is converted by discarding
 * the stale side.
 *
 * In place, all of the range is converted or nothing. But if the private side is encrypted,
 * its contents are lost also if KVM refuses in the end. Conversions of overlapping ranges by
 * several threads take turns.
 *
 * Return: 0; what gmem or KVM returns; -EFAULT if the memory has no private side.
 */
int guest_memory_convert(struct guest_memory *memory, struct range range,
			 bool to_private, char *why, size_t why_size);

/**
 * guest_memory_convert_within() - the same, with another timeout
 * @timeout_ms: instead of that of the configuration
 */
int guest_memory_convert_within(struct guest_memory *memory, struct range range,
				bool to_private, uint32_t timeout_ms,
				char *why, size_t why_size);

/**
 * guest_memory_shared_fd() - the file with all RAM, for another process
 *
 * Return: the fd, or -1 if there is no single one.
 */
int guest_memory_shared_fd(const struct guest_memory *memory);

#endif /* GMEMCTL_MEMORY_GUEST_MEMORY_H */
