// SPDX-License-Identifier: GPL-2.0
/* Conversions of memory whose private pages are in KVM's guest_memfd. */
#include <unistd.h>

#include "bench.h"
#include "kvm_vm.h"

/**
 * struct store_counts - the two parts of a conversion with a store
 * @convert: CONVERT, to private and to shared
 * @attribute: setting KVM's attribute, likewise
 */
struct store_counts {
	struct bench_count convert[2];
	struct bench_count attribute[2];
};

static void store_setup(struct kvm_guest *g, struct memory *m)
{
	const char *why = kvm_guest_unavailable();

	if (why)
		bench_skip(why);
	must(kvm_guest_create(g, 1));
	memory_open(m, MEMORY_GMEM, SZ_2M);
	must(kvm_guest_add(g, KVM_DATA_GPA, SZ_2M, m->fd, 0, 0));
	memory_write(g->data[0].host, SZ_2M);
}

static void store_names(struct store_counts *counts, uint64_t length)
{
	static const char *const names[2][4] = {
		{ "2 MiB to private, mapped", "2 MiB to shared, mapped",
		  "2 MiB to private, KVM's attribute", "2 MiB to shared, KVM's attribute" },
		{ "one page to private, mapped", "one page to shared, mapped",
		  "one page to private, KVM's attribute",
		  "one page to shared, KVM's attribute" },
	};
	unsigned int i;

	for (i = 0; i < 2; i++) {
		counts->convert[i] = bench_new(names[length == PAGE][i], "gmem store",
					       "page", length / PAGE);
		counts->attribute[i] = bench_new(names[length == PAGE][2 + i],
						 "gmem store", "page", length / PAGE);
	}
}

static void store_attribute(struct kvm_guest *g, struct bench_count *count,
			    uint64_t length, bool private)
{
	bench_begin(count);
	must(kvm_guest_attribute(g, KVM_DATA_GPA, length, private));
	bench_end(count);
}

static void store_gmem(int fd, struct bench_count *count, uint64_t length,
		       uint32_t target)
{
	bench_begin(count);
	must(gmem_convert(fd, 0, length, target, PRESERVE));
	bench_end(count);
}

static void store_range(struct kvm_guest *g, struct memory *m, uint64_t length)
{
	struct store_counts counts;
	unsigned int i;

	store_names(&counts, length);
	while (bench_more(&counts.convert[1])) {
		memory_write(g->data[0].host, length);
		store_gmem(m->fd, &counts.convert[0], length, PRIVATE);
		store_attribute(g, &counts.attribute[0], length, true);
		store_attribute(g, &counts.attribute[1], length, false);
		store_gmem(m->fd, &counts.convert[1], length, SHARED);
	}
	for (i = 0; i < 2; i++) {
		bench_report(&counts.convert[i]);
		bench_report(&counts.attribute[i]);
	}
}

void store_convert(const struct bench_case *c)
{
	static struct kvm_guest g;
	struct memory m;

	guest_need();
	store_setup(&g, &m);
	store_range(&g, &m, SZ_2M);
	store_range(&g, &m, PAGE);
	kvm_guest_destroy(&g);
	memory_close(&m);
}
