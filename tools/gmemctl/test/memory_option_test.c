// SPDX-License-Identifier: GPL-2.0
/* --memory takes what it documents, and says which item is wrong. */
#include "../cli/command.h"
#include "ksft.h"

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

/* Each of several texts, with the same message */
#define REFUSED(message, ...) do {						\
	static const char *const texts[] = { __VA_ARGS__ };			\
										\
	ksft_for_each(text, texts)						\
		EXPECT_TRUE(refused(*text, message));				\
} while (0)

TEST_OF(memory_option, size)
{
	EXPECT_TRUE(parsed("4G"));
	EXPECT_EQ(option.size, 4 * G);
	EXPECT_EQ(option.request.kind, BACKING_SHARED);
	EXPECT_TRUE(option.request.thp);
	EXPECT_FALSE(option.request.prefetch);
	EXPECT_FALSE(option.request.hugepages);
	EXPECT_EQ(option.request.node, -1);
	EXPECT_EQ(option.request.existing_fd, -1);
	EXPECT_FALSE(option.request.path);
	EXPECT_FALSE(option.request.nr_ranges);
	EXPECT_TRUE(parsed("size=8192"));
	EXPECT_EQ(option.size, 8192);
	EXPECT_TRUE(parsed("2T"));
	EXPECT_EQ(option.size, 2048 * G);
	EXPECT_FALSE(option.kind_given);
	EXPECT_TRUE(parsed("size=512MiB"));
	EXPECT_EQ(option.size, 512 * M);
	EXPECT_TRUE(parsed("thp=off,size=1G"));
	EXPECT_EQ(option.size, G);
	EXPECT_TRUE(parsed("kind=gmem"));
	EXPECT_EQ(option.size, 0);
	EXPECT_TRUE(refused("", "unknown key"));
	REFUSED("not a size", "4X", "size=", "size", "0", "size=-1", "99999999999999999999G");
	EXPECT_TRUE(parsed("size=00000000000000000000000000000001M"));
	EXPECT_EQ(option.size, M);
	EXPECT_TRUE(refused("thp,4G", "unknown key"));
	EXPECT_TRUE(refused("1G,size=1G", "given twice"));
	EXPECT_TRUE(refused("4097", "RAM range 0x0-0x1001 is not whole pages"));
	EXPECT_TRUE(refused("17179869183G", "ram size 18446744072635809792 is too large"));
}

TEST_OF(memory_option, kind)
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

	ksft_for_each(c, cases) {
		EXPECT_TRUE(parsed(c->text));
		EXPECT_EQ(option.request.kind, c->kind);
	}
	REFUSED("no such kind of memory", "kind=gmem-stor", "kind=", "kind");
	EXPECT_STRSTR(error.hint, "not 'kind'");
}

TEST_OF(memory_option, switch)
{
	EXPECT_TRUE(parsed("prefetch,thp=off"));
	EXPECT_TRUE(option.request.prefetch);
	EXPECT_FALSE(option.request.thp);
	EXPECT_TRUE(parsed("prefetch=off,thp"));
	EXPECT_FALSE(option.request.prefetch);
	EXPECT_TRUE(option.request.thp);
	/* Off by default with hugepages, where it means nothing. */
	EXPECT_TRUE(parsed("hugepages=on"));
	EXPECT_FALSE(option.request.thp);
	REFUSED("not a switch", "thp=", "thp=1", "thp=onn", "prefetch=of");
	EXPECT_TRUE(refused("thp,prefetch,thp", "given twice"));
}

TEST_OF(memory_option, hugepages)
{
	EXPECT_TRUE(parsed("1G,hugepages,hugepage_size=1G"));
	EXPECT_EQ(memory_request_hugepage(&option.request), G);
	EXPECT_TRUE(parsed("kind=hugetlb,hugepage_size=4M"));
	EXPECT_EQ(memory_request_hugepage(&option.request), 4 * M);
	EXPECT_TRUE(parsed("kind=hugetlb"));
	EXPECT_EQ(memory_request_hugepage(&option.request), 2 * M);
	EXPECT_TRUE(refused("hugepage_size=2M", "hugepage_size requires hugepages=on"));
	EXPECT_TRUE(refused("hugepages=off,hugepage_size=2M",
			    "hugepage_size requires hugepages=on"));
	EXPECT_TRUE(refused("hugepages,kind=private", "hugepages=on conflicts with kind=private"));
	EXPECT_TRUE(refused("hugepages,file=x", "hugepages=on conflicts with file=..."));
	EXPECT_TRUE(refused("hugepages=off,kind=hugetlb",
			    "kind=hugetlb conflicts with hugepages=off"));
	EXPECT_TRUE(refused("hugepages,kind=gmem",
			    "hugepages are incompatible with memory of kind gmem"));
	EXPECT_TRUE(refused("3M,hugepages", "RAM size 3 MB is not aligned to 2 MB "
			    "hugepages; choose a memory size that is a multiple of "
			    "the hugepage size"));
	EXPECT_TRUE(refused("hugepages,hugepage_size=3M", "hugepage size 3 MB must "
			    "be a power of two and at least the host page size"));
}

TEST_OF(memory_option, file)
{
	char text[PATH_MAX + 16] = "file=";

	EXPECT_TRUE(refused("file=/dev/shm/a=b,16M", "unknown key"));
	EXPECT_TRUE(parsed("16M,file=/dev/shm/a=b"));
	EXPECT_STREQ(option.request.path, "/dev/shm/a=b");
	EXPECT_EQ(parsed("file=,,a,,,,b,,,16M,thp"), false);
	EXPECT_TRUE(parsed("16M,file=,,a,,,,b,,,thp=off"));
	EXPECT_FALSE(option.request.thp);
	EXPECT_STREQ(option.request.path, ",a,,b,");
	EXPECT_TRUE(parsed("16M,file=a,,"));
	EXPECT_STREQ(option.request.path, "a,");
	EXPECT_TRUE(refused("file=a,,,", "unknown key"));
	REFUSED("not a path", "file=", "file");
	EXPECT_TRUE(refused("kind=file", "memory of kind file needs one file"));
	EXPECT_TRUE(refused("kind=shared,file=x", "memory of kind shared takes no file"));
	EXPECT_TRUE(refused("kind=private,file=x",
			    "private memory is incompatible with an existing memory backing"));
	memset(text + 5, 'x', PATH_MAX);
	text[5 + PATH_MAX] = '\0';
	EXPECT_TRUE(refused(text, "not a path"));
	text[5 + PATH_MAX - 1] = '\0';
	EXPECT_TRUE(parsed(text));
	EXPECT_EQ(strlen(option.request.path), PATH_MAX - 1);
}

TEST_OF(memory_option, fd)
{
	EXPECT_TRUE(parsed("16M,fd=0"));
	EXPECT_EQ(option.request.existing_fd, 0);
	EXPECT_TRUE(parsed("16M"));
	EXPECT_EQ(option.request.existing_fd, -1);
	EXPECT_TRUE(parsed("kind=gmem-store,fd=17"));
	EXPECT_EQ(option.request.existing_fd, 17);
	REFUSED("not a file descriptor", "fd=-1", "fd=2147483648", "fd");
	EXPECT_TRUE(refused("kind=private,fd=3",
			    "private memory is incompatible with an existing memory backing"));
	EXPECT_TRUE(refused("kind=hugetlb,fd=3",
			    "hugepages are incompatible with existing memory backing"));
	EXPECT_TRUE(refused("file=x,fd=3", "memory of kind file needs one file"));
	EXPECT_TRUE(refused("kind=gmem-store,consent,fd=3", "consent=on conflicts with fd=..."));
}

/* What host programs may write to disk; of gmem nothing ever goes there. */
TEST_OF(memory_option, dump_C24)
{
	EXPECT_TRUE(parsed("1G"));
	EXPECT_FALSE(option.request.dump);
	EXPECT_TRUE(parsed("1G,dump"));
	EXPECT_TRUE(option.request.dump);
	EXPECT_TRUE(parsed("1G,kind=guest-memfd,dump=off"));
	EXPECT_FALSE(option.request.dump);
	EXPECT_TRUE(refused("1G,dump=yes", "not a switch"));
	EXPECT_TRUE(refused("1G,dump,dump", "given twice"));
	EXPECT_TRUE(refused("1G,kind=gmem,dump", "dump is incompatible with memory of kind gmem"));
	EXPECT_TRUE(refused("1G,kind=gmem-store,dump",
			    "dump is incompatible with memory of kind gmem-store"));
}

TEST_OF(memory_option, node)
{
	EXPECT_TRUE(parsed("node=0"));
	EXPECT_EQ(option.request.node, 0);
	EXPECT_TRUE(parsed("node=65535"));
	EXPECT_EQ(option.request.node, 65535);
	REFUSED("not a NUMA node", "node=65536", "node=", "node=-1");
}

/* Lists that are no lists. */
TEST_OF(memory_option, form)
{
	REFUSED("unknown key", ",", "1G,", ",1G", "=", "1G,,thp");
	EXPECT_TRUE(refused("1G thp", "not a size"));
	REFUSED("unknown key", "Size=1G", "sz=1G");
	EXPECT_STRSTR(error.hint, "not 'sz=1G'");
	EXPECT_TRUE(refused("sizesizesizesizesizesizesizesizesizesizesize=1", "unknown key"));
	EXPECT_LT(strlen(error.hint), 200);
}
