/* SPDX-License-Identifier: GPL-2.0 */
/* Memory of a guest that is asked for in two requests, one with a hole. */
#ifndef GMEMCTL_TEST_TWO_REQUESTS_H
#define GMEMCTL_TEST_TWO_REQUESTS_H

#include "../memory/guest_memory.h"

/** struct two_requests - what guest_memory_create() is asked for; stays in place */
struct two_requests {
	struct range ranges[3];
	struct memory_request requests[2];
	struct memory_config config;
};

/** two_requests_init() - 16 pages at page 64 and 8 at 0; of @second, 8 at 32 */
void two_requests_init(struct two_requests *two, enum backing_kind first, enum backing_kind second);

#endif /* GMEMCTL_TEST_TWO_REQUESTS_H */
