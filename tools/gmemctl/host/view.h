/* SPDX-License-Identifier: GPL-2.0 */
/* Whether this host offers views: private memory for ordinary VMs. */
#ifndef GMEMCTL_HOST_VIEW_H
#define GMEMCTL_HOST_VIEW_H

#include <stdbool.h>
#include <stdint.h>

/**
 * struct host_view - what was found; rc are 0 or a negative errno
 * @device: opening /dev/gmem
 * @features: GMEM_FEATURE_*, of it
 * @kvm: opening /dev/kvm
 * @exits: KVM lets a guest's KVM_HC_MAP_GPA_RANGE exit
 * @made: making a view of one page, and mapping it
 */
struct host_view {
	int device;
	uint64_t features;
	int kvm;
	bool exits;
	int made;
};

/** host_view_look() - look, and try it; nothing is left behind */
void host_view_look(struct host_view *view);

/** host_view_lacks() - the first thing that is missing, or NULL: views work */
const char *host_view_lacks(const struct host_view *view);

#endif /* GMEMCTL_HOST_VIEW_H */
