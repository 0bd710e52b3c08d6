// SPDX-License-Identifier: GPL-2.0
#include "two_requests.h"

#define PAGE RANGE_PAGE_SIZE

void two_requests_init(struct two_requests *two, enum backing_kind first, enum backing_kind second)
{
	two->ranges[0] = (struct range){ 64 * PAGE, 80 * PAGE };
	two->ranges[1] = (struct range){ 0, 8 * PAGE };
	two->ranges[2] = (struct range){ 32 * PAGE, 40 * PAGE };
	two->requests[0] = (struct memory_request){
		.ranges = two->ranges, .nr_ranges = 2, .kind = first,
		.existing_fd = -1, .node = -1,
	};
	two->requests[1] = (struct memory_request){
		.ranges = &two->ranges[2], .nr_ranges = 1, .kind = second,
		.existing_fd = -1, .node = -1,
	};
	two->config = (struct memory_config){
		.requests = two->requests, .nr_requests = 2,
	};
}
