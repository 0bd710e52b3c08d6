// SPDX-License-Identifier: GPL-2.0
#include "mapping.h"

#define NAME_PRIVATE "guest-ram-private"

/*
 * A node that was asked for and cannot be had is a failure. Huge pages are
 * advice: the kernel may have none, and ignore it any time later.
 */
static int mapping_apply_policy(const struct mapping *mapping,
				struct reservation *reservation,
				struct range place)
{
	int rc = 0;

	if (mapping->fd < 0) {
		reservation_set_name(reservation, place, NAME_PRIVATE);
		if (mapping->node >= 0)
			rc = reservation_bind_node(reservation, place,
						   (unsigned int)mapping->node);
	}
	if (mapping->thp)
		(void)reservation_advise_huge(reservation, place);
	return rc;
}

int mapping_enable(const struct mapping *mapping,
		   struct reservation *reservation, uint64_t start,
		   bool writable)
{
	struct extent extent = {
		.range = mapping_place(mapping, start),
		.fd = mapping->fd,
		.fd_offset = mapping->fd_offset,
		.page_size = mapping->page_size,
		.writable = mapping->writable && writable,
		.dump = mapping->dump,
	};
	int rc = reservation_map(reservation, &extent);

	if (rc)
		return rc;
	rc = mapping_apply_policy(mapping, reservation, extent.range);
	if (rc)
		reservation_unmap(reservation, extent.range);
	return rc;
}

int mapping_disable(const struct mapping *mapping,
		    struct reservation *reservation, uint64_t start)
{
	return reservation_unmap(reservation, mapping_place(mapping, start));
}
