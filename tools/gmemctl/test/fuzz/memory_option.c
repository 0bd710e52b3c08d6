// SPDX-License-Identifier: GPL-2.0
/* The text after --memory. */
#include <string.h>

#include "../../cli/command.h"
#include "fuzz.h"

/* What is taken goes together, also when it is asked for again. */
static void check_option(const struct memory_option *option)
{
	struct range range = { 0, option->size };
	struct memory_request request = option->request;
	struct memory_config config = { .requests = &request, .nr_requests = 1 };

	FUZZ_ASSERT(request.kind < BACKING_KINDS);
	FUZZ_ASSERT(!request.path || request.path == option->path);
	FUZZ_ASSERT(!request.path || *option->path);
	FUZZ_ASSERT(option->kind_given || request.kind == BACKING_SHARED);
	FUZZ_ASSERT(request.node >= -1 && request.node <= 65535);
	FUZZ_ASSERT(request.existing_fd >= -1);
	FUZZ_ASSERT(!request.hugepages || request.kind == BACKING_HUGETLB);
	if (!option->size)
		return;
	request.ranges = &range;
	request.nr_ranges = 1;
	FUZZ_ASSERT(!memory_config_check(&config, NULL));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct memory_option option;
	struct error error = { 0 };
	char *text = fuzz_text(data, size);

	if (memory_option_parse(text, &option, &error))
		FUZZ_ASSERT(error.rc && error.action[0]);
	else
		check_option(&option);
	free(text);
	return 0;
}

FUZZ_SEED_TEXTS("4G", "size=512M,kind=gmem-store,prefetch=on,node=0",
		"1G,hugepages,hugepage_size=1G,thp=off",
		"16M,file=/dev/shm/ram", "1TiB,file=a,,b,thp", "kind=private,thp",
		"kind=guest-memfd",
		"16M,kind=gmem-store,fd=5",
		"kind=hugetlb,size=4M", "kind=gmem,prefetch", "kind=shared")
