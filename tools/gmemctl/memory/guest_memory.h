/* SPDX-License-Identifier: GPL-2.0 */
/*
 * All memory of a guest: RAM as configured, in a reservation, and as the slots of a
 * VM. The layers can be used alone; this puts them together.
 */
#ifndef GMEMCTL_MEMORY_GUEST_MEMORY_H
#define GMEMCTL_MEMORY_GUEST_MEMORY_H

#include <stdbool.h>
#include <stdint.h>

#include "../base/error.h"
#include "../kvm/vm.h"
#include "backing.h"
#include "convert.h"
#include "guest_memfd.h"
#include "options.h"
#include "reservation.h"

/**
 * struct partition - guest memory as a VM sees it: a slot for each range of RAM
 * @attached: it does
 * @prefetch_rc: why a prefetch has failed, the last that did; 0: none did.
 *	Guests run without it, so nothing else fails.
 */
struct partition {
	bool attached;
	int prefetch_rc;
};

/**
 * struct guest_memory - all memory of a guest
 * @config: as asked for; it has to outlive this, with all that it points to
 * @vm: the VM with the guest_memfd and the slots, or NULL
 * @memfd: the VM's guest_memfd, if it has one, and the layout of RAM
 * @backings: one for each request
 * @views: of the backings, @nr_views of them; some may not be there
 * @nr_views: as many as there are backings
 * @reservation: the guest's addresses in this process
 * @range_lock: conversions, decommits and what a guest asks for, going on
 * @partition: RAM as @vm sees it
 */
struct guest_memory {
	const struct memory_config *config;
	struct vm *vm;
	struct guest_memfd memfd;
	struct backing *backings;
	unsigned int nr_backings;
	struct view *views;
	unsigned int nr_views;
	struct reservation reservation;
	struct range_lock range_lock;
	struct partition partition;
};

/**
 * guest_memory_create() - build it
 * @vm: needed for the kinds that use a guest_memfd, and for views of gmem; else it
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
 * @index: of the request; nothing is done for kinds but gmem-store
 *
 * Done at creation; only a handover undoes it.
 */
int guest_memory_bind(struct guest_memory *memory, unsigned int index,
		      struct error *error);

/** guest_memory_backing() - where the pages of a range of RAM come from */
const struct backing *guest_memory_backing(const struct guest_memory *memory,
					   const struct layout_range *ram);

/** guest_memory_view_of() - the view that a range of RAM is in, or NULL */
const struct view *guest_memory_view_of(const struct guest_memory *memory,
					const struct layout_range *ram);

/** guest_memory_view() - a view that is there, of any backing; or NULL */
const struct view *guest_memory_view(const struct guest_memory *memory);

/** guest_memory_fill_views() - give KVM what has memory already */
int guest_memory_fill_views(const struct guest_memory *memory,
			    struct error *error);

/**
 * guest_memory_no_private() - why nothing can be private, in words
 *
 * Return: a constant text, or NULL: conversions are possible.
 */
const char *guest_memory_no_private(const struct guest_memory *memory);

/** guest_memory_destroy() - the VM must not run, and has to exist still */
void guest_memory_destroy(struct guest_memory *memory);

/** guest_memory_commit() - populate a range of RAM; reservation_commit() of it */
int guest_memory_commit(struct guest_memory *memory, struct range range);

/**
 * guest_memory_decommit() - give its memory back, private pages included
 *
 * The contents are gone; shared pages read zero. Several threads may do this at once.
 *
 * Return: as reservation_decommit().
 */
int guest_memory_decommit(struct guest_memory *memory, struct range range);

/**
 * guest_memory_convert() - convert RAM, in place or by discarding
 * @range: inside one range of RAM of the configuration
 * @why: out: a text that explains a failure; may be NULL
 * @why_size: bytes of @why
 *
 * Memory of kind gmem, in a view, and of kind gmem-store is converted in place. Where
 * the VM has a guest_memfd besides memory of another kind, what is stale is discarded.
 *
 * Return: as convert_range(); -EFAULT where there is no private side.
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
