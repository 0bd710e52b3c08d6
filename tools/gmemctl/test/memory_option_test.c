// SPDX-License-Identifier: GPL-2.0
/* --memory takes what it documents, and says which item is wrong. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../cli/memory_option.h"
#include "unit.h"

#define M (UINT64_C(1) << 20)
#define G (UINT64_C(1) << 30)

static struct memory_option option;
static struct error error;

static bool parsed(const char *text)
{
	memset(&option, 0xff, sizeof(option));
	return !memory_option_parse(text, &option, &error);
}

static bool refused(const char *text, const char *message)
{
	int rc;

	memset(&error, 0, sizeof(error));
	rc = memory_option_parse(text, &option, &error);
	if (rc == -EINVAL && !strcmp(error.action, message))
		return true;
	printf("# '%s': %d, %s\n", text, rc, error.action);
	return false;
}

static void test_memory_option_size(void)
{
	CHECK(parsed("4G") && option.size == 4 * G);
	CHECK(option.request.kind == BACKING_SHARED && option.request.thp);
	CHECK(!option.request.prefetch && !option.request.hugepages);
	CHECK(option.request.node == -1 && option.request.existing_fd == -1);
	CHECK(!option.request.path && !option.request.nr_ranges);
	CHECK(parsed("size=8192") && option.size == 8192);
	CHECK(parsed("2T") && option.size == 2048 * G && !option.kind_given);
	CHECK(parsed("size=512MiB") && option.size == 512 * M);
	CHECK(parsed("thp=off,size=1G") && option.size == G);
	CHECK(parsed("kind=gmem") && option.size == 0);
	CHECK(refused("", "unknown key"));
	CHECK(refused("4X", "not a size") && refused("size=", "not a size"));
	CHECK(refused("size", "not a size") && refused("0", "not a size"));
	CHECK(refused("size=-1", "not a size"));
	CHECK(refused("99999999999999999999G", "not a size"));
	CHECK(refused("size=00000000000000000000000000000001M", "not a size"));
	CHECK(refused("thp,4G", "unknown key"));
	CHECK(refused("1G,size=1G", "given twice"));
	CHECK(refused("4097", "RAM range 0x0-0x1001 is not whole pages"));
	CHECK(refused("17179869183G",
		      "ram size 18446744072635809792 is too large"));
}

static void test_memory_option_kind(void)
{
	static const struct {
		const char *text;
		enum backing_kind kind;
	} cases[] = {
		{ "kind=shared", BACKING_SHARED },
		{ "1G,kind=private", BACKING_PRIVATE },
		{ "kind=hugetlb", BACKING_HUGETLB },
		{ "kind=file,file=x", BACKING_FILE },
		{ "file=x", BACKING_FILE },
		{ "kind=gmem", BACKING_GMEM },
		{ "kind=gmem-store,prefetch", BACKING_GMEM_STORE },
		{ "kind=guest-memfd", BACKING_GUEST_MEMFD },
		{ "hugepages", BACKING_HUGETLB },
		{ "hugepages=off", BACKING_SHARED },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		CHECK(parsed(cases[i].text) &&
		      option.request.kind == cases[i].kind);
	CHECK(refused("kind=gmem-stor", "no such kind of memory"));
	CHECK(refused("kind=", "no such kind of memory"));
	CHECK(refused("kind", "no such kind of memory"));
	CHECK(strstr(error.hint, "not 'kind'"));
}

static void test_memory_option_switch(void)
{
	CHECK(parsed("prefetch,thp=off") && option.request.prefetch);
	CHECK(!option.request.thp);
	CHECK(parsed("prefetch=off,thp") && !option.request.prefetch);
	CHECK(option.request.thp);
	/* Off by default with hugepages, where it means nothing. */
	CHECK(parsed("hugepages=on") && !option.request.thp);
	CHECK(refused("thp=", "not a switch") && refused("thp=1", "not a switch"));
	CHECK(refused("thp=onn", "not a switch"));
	CHECK(refused("prefetch=of", "not a switch"));
	CHECK(refused("thp,prefetch,thp", "given twice"));
}

static void test_memory_option_hugepages(void)
{
	CHECK(parsed("1G,hugepages,hugepage_size=1G"));
	CHECK_EQ(memory_request_hugepage(&option.request), G);
	CHECK(parsed("kind=hugetlb,hugepage_size=4M") &&
	      memory_request_hugepage(&option.request) == 4 * M);
	CHECK(parsed("kind=hugetlb") &&
	      memory_request_hugepage(&option.request) == 2 * M);
	CHECK(refused("hugepage_size=2M",
		      "hugepage_size requires hugepages=on"));
	CHECK(refused("hugepages=off,hugepage_size=2M",
		      "hugepage_size requires hugepages=on"));
	CHECK(refused("hugepages,kind=private",
		      "hugepages=on conflicts with kind=private"));
	CHECK(refused("hugepages,file=x",
		      "hugepages=on conflicts with file=..."));
	CHECK(refused("hugepages=off,kind=hugetlb",
		      "kind=hugetlb conflicts with hugepages=off"));
	CHECK(refused("hugepages,kind=gmem", "hugepages are incompatible with "
		      "memory of kind gmem"));
	CHECK(refused("3M,hugepages", "RAM size 3 MB is not aligned to 2 MB "
		      "hugepages; choose a memory size that is a multiple of "
		      "the hugepage size"));
	CHECK(refused("hugepages,hugepage_size=3M", "hugepage size 3 MB must "
		      "be a power of two and at least the host page size"));
}

static void test_memory_option_file(void)
{
	char text[PATH_MAX + 16] = "file=";

	CHECK(refused("file=/dev/shm/a=b,16M", "unknown key"));
	CHECK(parsed("16M,file=/dev/shm/a=b"));
	CHECK_STR(option.request.path, "/dev/shm/a=b");
	CHECK_EQ(parsed("file=,,a,,,,b,,,16M,thp"), false);
	CHECK(parsed("16M,file=,,a,,,,b,,,thp=off") && !option.request.thp);
	CHECK_STR(option.request.path, ",a,,b,");
	CHECK(parsed("16M,file=a,,") && !strcmp(option.request.path, "a,"));
	CHECK(refused("file=a,,,", "unknown key"));
	CHECK(refused("file=", "not a path") && refused("file", "not a path"));
	CHECK(refused("kind=file", "memory of kind file needs one file"));
	CHECK(refused("kind=shared,file=x",
		      "memory of kind shared takes no file"));
	CHECK(refused("kind=private,file=x", "private memory is incompatible "
		      "with an existing memory backing"));
	memset(text + 5, 'x', PATH_MAX);
	text[5 + PATH_MAX] = '\0';
	CHECK(refused(text, "not a path"));
	text[5 + PATH_MAX - 1] = '\0';
	CHECK(parsed(text) && strlen(option.request.path) == PATH_MAX - 1);
}

static void test_memory_option_fd(void)
{
	CHECK(parsed("16M,fd=0") && option.request.existing_fd == 0);
	CHECK(parsed("16M") && option.request.existing_fd == -1);
	CHECK(parsed("kind=gmem-store,fd=17") &&
	      option.request.existing_fd == 17);
	CHECK(refused("fd=-1", "not a file descriptor"));
	CHECK(refused("fd=2147483648", "not a file descriptor"));
	CHECK(refused("fd", "not a file descriptor"));
	CHECK(refused("kind=private,fd=3", "private memory is incompatible "
		      "with an existing memory backing"));
	CHECK(refused("kind=hugetlb,fd=3", "hugepages are incompatible with "
		      "existing memory backing"));
	CHECK(refused("file=x,fd=3", "memory of kind file needs one file"));
	CHECK(refused("kind=gmem-store,consent,fd=3",
		      "consent=on conflicts with fd=..."));
}

/* What host programs may write to disk; of gmem nothing ever goes there. */
static void test_memory_option_dump_C24(void)
{
	CHECK(parsed("1G") && !option.request.dump);
	CHECK(parsed("1G,dump") && option.request.dump);
	CHECK(parsed("1G,kind=guest-memfd,dump=off") && !option.request.dump);
	CHECK(refused("1G,dump=yes", "not a switch"));
	CHECK(refused("1G,dump,dump", "given twice"));
	CHECK(refused("1G,kind=gmem,dump",
		      "dump is incompatible with memory of kind gmem"));
	CHECK(refused("1G,kind=gmem-store,dump",
		      "dump is incompatible with memory of kind gmem-store"));
}

static void test_memory_option_node(void)
{
	CHECK(parsed("node=0") && option.request.node == 0);
	CHECK(parsed("node=65535") && option.request.node == 65535);
	CHECK(refused("node=65536", "not a NUMA node"));
	CHECK(refused("node=", "not a NUMA node"));
	CHECK(refused("node=-1", "not a NUMA node"));
}

/* Lists that are no lists. */
static void test_memory_option_form(void)
{
	CHECK(refused(",", "unknown key") && refused("1G,", "unknown key"));
	CHECK(refused(",1G", "unknown key") && refused("=", "unknown key"));
	CHECK(refused("1G,,thp", "unknown key"));
	CHECK(refused("1G thp", "not a size"));
	CHECK(refused("Size=1G", "unknown key"));
	CHECK(refused("sz=1G", "unknown key"));
	CHECK(strstr(error.hint, "not 'sz=1G'"));
	CHECK(refused("sizesizesizesizesizesizesizesizesizesizesize=1",
		      "unknown key"));
	CHECK(strlen(error.hint) < 200);
}

static const struct unit_test tests[] = {
	{ "memory_option.size", test_memory_option_size },
	{ "memory_option.kind", test_memory_option_kind },
	{ "memory_option.switch", test_memory_option_switch },
	{ "memory_option.hugepages", test_memory_option_hugepages },
	{ "memory_option.file", test_memory_option_file },
	{ "memory_option.fd", test_memory_option_fd },
	{ "memory_option.node", test_memory_option_node },
	{ "memory_option.dump_C24", test_memory_option_dump_C24 },
	{ "memory_option.form", test_memory_option_form },
};

UNIT_TESTS(tests)
