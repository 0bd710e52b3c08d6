// SPDX-License-Identifier: GPL-2.0
#include "clock.h"

#define NS_PER_S UINT64_C(1000000000)

void rate_add(struct rate *rate, uint64_t now_ns)
{
	uint64_t second = now_ns / NS_PER_S;
	unsigned int at = (unsigned int)(second % (RATE_SECONDS + 1));

	if (rate->second[at] != second) {
		rate->second[at] = second;
		rate->count[at] = 0;
	}
	rate->count[at]++;
}

double rate_per_second(const struct rate *rate, uint64_t start_ns,
		       uint64_t now_ns)
{
	uint64_t second = now_ns / NS_PER_S, events = 0;
	uint64_t from_ns = second > RATE_SECONDS ?
			   (second - RATE_SECONDS) * NS_PER_S : 0;

	for (unsigned int i = 0; i <= RATE_SECONDS; i++)
		if (rate->second[i] + RATE_SECONDS >= second)
			events += rate->count[i];
	if (from_ns < start_ns)
		from_ns = start_ns;
	if (from_ns >= now_ns)
		return 0;
	return (double)events * (double)NS_PER_S / (double)(now_ns - from_ns);
}
