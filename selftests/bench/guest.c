// SPDX-License-Identifier: GPL-2.0
/*
 * Round trips of a guest. It asks for private memory, touches each page, asks for shared
 * memory, and touches each page again. The host has mapped the shared pages before. The
 * measurement contains the guest, KVM, the VMM, and gmem or its replacement.
 */
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bench.h"
#include "gmem_view.h"
#include "kvm_vm.h"

#define BASE KVM_DATA_GPA

static struct kvm_guest guest;

/* The shared and the private memory of guest_discard() */
static struct memory discarded;
static int discarded_store;

static void guest_touch(struct kvm_script *script, uint64_t length)
{
	struct kvm_op touch = {
		.opcode = KVM_OP_READ,
		.gpa = BASE,
		.size = PAGE,
		.stride = PAGE,
		.count = length / PAGE,
	};

	kvm_script_add(script, &touch);
}

static void guest_trip(uint64_t length)
{
	struct kvm_script *script = kvm_script(&guest, 0);
	int stop;

	kvm_script_start(script);
	kvm_script_op(script, KVM_OP_MAP, BASE, length, KVM_MAP_PRIVATE);
	guest_touch(script, length);
	kvm_script_op(script, KVM_OP_MAP, BASE, length, KVM_MAP_SHARED);
	guest_touch(script, length);
	stop = kvm_guest_run(&guest, 0);
	if (stop != KVM_STOP_DONE)
		bench_fail("kvm_guest_run()", stop);
}

static void guest_trips(const char *name, const char *peer, uint8_t *host,
			uint64_t length)
{
	struct bench_count count = bench_new(name, peer, "page", length / PAGE);

	while (bench_more(&count)) {
		memory_write(host, length);
		bench_begin(&count);
		guest_trip(length);
		bench_end(&count);
	}
	bench_report(&count);
}

static void guest_both(const char *peer, uint8_t *host)
{
	guest_trips("round trip of a guest, 2 MiB", peer, host, SZ_2M);
	guest_trips("round trip of a guest, one page", peer, host, PAGE);
}

/* QEMU's TCG loses guests if virtual CPUs run at the same time. */
void guest_need(void)
{
	if (getenv("GMEM_NO_GUESTS"))
		bench_skip("no guests in this VM");
}

static void guest_of_view(struct memory *m)
{
	guest_need();
	if (gmem_view_unavailable())
		bench_skip(gmem_view_unavailable());
	if (kvm_guest_create_views(&guest, 1))
		bench_skip("no VM of KVM");
	memory_open(m, MEMORY_GMEM, SZ_2M);
	must(kvm_guest_add(&guest, BASE, SZ_2M, m->fd, 0, 0));
	m->map = guest.data[0].host;
}

static void guest_end(struct memory *m)
{
	m->map = NULL;
	kvm_guest_destroy(&guest);
	memory_close(m);
}

void guest_view(const struct bench_case *c)
{
	struct memory m;

	guest_of_view(&m);
	memory_scatter(&m);
	must(gmem_view_populate(guest.data[0].view, guest.data[0].map, SZ_2M, 0));
	guest_both("gmem view", m.map);
	guest_end(&m);
}

/* While the whole range has one state, KVM maps it by a 2 MiB entry. */
void guest_view_huge(const struct bench_case *c)
{
	struct memory m;

	guest_of_view(&m);
	if (!memory_gather(&m))
		bench_skip("no 2 MiB in one piece");
	must(gmem_view_populate(guest.data[0].view, guest.data[0].map, SZ_2M, 0));
	guest_both("gmem view, 2 MiB", m.map);
	guest_end(&m);
}

void guest_store(const struct bench_case *c)
{
	struct memory m;

	guest_need();
	if (kvm_guest_unavailable())
		bench_skip(kvm_guest_unavailable());
	must(kvm_guest_create(&guest, 1));
	memory_open(&m, c->kind, SZ_2M);
	must(kvm_guest_add(&guest, BASE, SZ_2M, m.fd, 0, 0));
	m.map = guest.data[0].host;
	memory_scatter(&m);
	guest_both("gmem store", m.map);
	guest_end(&m);
}

/* Like QEMU: contents are lost, so nothing is copied. */
static int discard_convert(struct kvm_guest *g, uint64_t gpa, uint64_t size,
			   bool to_private)
{
	int rc = kvm_guest_attribute(g, gpa, size, to_private);

	if (rc)
		return rc;
	return gmem_punch(to_private ? discarded.fd : discarded_store, gpa - BASE, size);
}

void guest_discard(const struct bench_case *c)
{
	struct slot slot = { .gpa = BASE, .size = SZ_2M };

	guest_need();
	if (kvm_guest_unavailable())
		bench_skip(kvm_guest_unavailable());
	must(kvm_guest_create(&guest, 1));
	memory_open(&discarded, c->kind, SZ_2M);
	memory_map(&discarded);
	discarded_store = (int)must(vm_create_guest_memfd(&guest.vm, SZ_2M, NULL));
	slot.host = discarded.map;
	slot.guest_memfd = discarded_store;
	must(slot_add(&guest.vm, &slot, &guest.error));
	guest.convert = discard_convert;
	memory_write(discarded.map, SZ_2M);
	guest_both("discard", discarded.map);
	kvm_guest_destroy(&guest);
	close(discarded_store);
	memory_close(&discarded);
}
