// SPDX-License-Identifier: GPL-2.0
/*
 * The memory that states need, measured as the difference of objects in slab caches. For
 * comparison KVM's attributes, of which a VM with private memory needs one for each page.
 */
#include <glob.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"
#include "kvm_vm.h"

/* Use many GiB: a slab that a CPU uses in part counts as a whole. */
#define GIBS 32ULL
#define RANGES GMEM_CONVERT_MAX_RANGES

/*
 * Objects that CPUs keep for later allocations count as used, and so do objects that
 * kfree_rcu() frees up to five seconds later. So wait, and shrink all caches. Under
 * -icount the wait takes no time.
 */
static void state_shrink(void)
{
	glob_t g;
	size_t i;

	sleep(6);
	if (glob("/sys/kernel/slab/*/shrink", 0, NULL, &g))
		return;
	for (i = 0; i < g.gl_pathc; i++)
		gmem_write_file(g.gl_pathv[i], "1");
	globfree(&g);
}

/* The caches that states are in */
static bool state_cache(const char *line)
{
	return !strncmp(line, "kmalloc", 7) || !strncmp(line, "radix_tree_node", 15);
}

static uint64_t state_slabs(void)
{
	unsigned long long objects, size, bytes = 0;
	FILE *f = fopen("/proc/slabinfo", "re");
	char line[512];

	if (!f)
		bench_skip("no /proc/slabinfo");
	state_shrink();
	/* Shrink again, because the first time may have freed further objects. */
	state_shrink();
	while (fgets(line, sizeof(line), f)) {
		if (state_cache(line) &&
		    sscanf(line, "%*s %llu %*u %llu", &objects, &size) == 2)
			bytes += objects * size;
	}
	fclose(f);
	return bytes;
}

/* Make a page private every @stride bytes, from @at on. */
static void state_stride(int fd, uint64_t at, uint64_t end, uint64_t stride)
{
	struct gmem_convert_range ranges[RANGES];
	struct gmem_ioctl_convert args = {
		.flags = GMEM_CONVERT_F_RANGES,
		.target = PRIVATE,
		.ranges = (uintptr_t)ranges,
	};

	while (at < end) {
		for (args.nr_ranges = 0; args.nr_ranges < RANGES && at < end; at += stride)
			ranges[args.nr_ranges++] = (struct gmem_convert_range){ at, PAGE };
		must(gmem_convert_args(fd, &args));
	}
}

static void state_report(const char *name, uint64_t before)
{
	bench_report_value(name, "gmem", "byte per GiB",
			   ((double)state_slabs() - (double)before) / (double)GIBS);
}

static void state_gmem(void)
{
	struct memory m;
	uint64_t before;

	memory_open(&m, MEMORY_GMEM, GIBS * SZ_1G);
	before = state_slabs();
	must(gmem_convert(m.fd, 0, m.length, PRIVATE, PRESERVE));
	state_report("states: all private", before);
	must(gmem_convert(m.fd, 0, m.length, SHARED, PRESERVE));
	state_stride(m.fd, 0, m.length, SZ_2M);
	state_report("states: one page of 2 MiB private", before);
	/* The whole file would take minutes. */
	state_stride(m.fd, 0, SZ_1G, 2 * PAGE);
	state_report("states: every other page of 1 GiB, too", before);
	memory_close(&m);
}

static void state_kvm(const char *name, uint64_t stride)
{
	static struct kvm_guest g;
	uint64_t before, at;

	must(kvm_guest_create(&g, 1));
	before = state_slabs();
	if (stride)
		for (at = 0; at < SZ_1G; at += stride)
			must(kvm_guest_attribute(&g, KVM_DATA_GPA + at, PAGE, true));
	else
		must(kvm_guest_attribute(&g, KVM_DATA_GPA, SZ_1G, true));
	bench_report_value(name, "KVM's attribute", "byte per GiB",
			   (double)state_slabs() - (double)before);
	kvm_guest_destroy(&g);
}

void state_bytes(const struct bench_case *c)
{
	if (!bench_counts())
		bench_skip("bytes are counted in a VM where nothing else runs");
	state_gmem();
	if (kvm_guest_unavailable())
		return;
	state_kvm("states: all private", 0);
	state_kvm("states: every other page private", 2 * PAGE);
}
