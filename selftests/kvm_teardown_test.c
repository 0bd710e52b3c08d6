// SPDX-License-Identifier: GPL-2.0
/*
 * The gmem fd, KVM's guest_memfd, the VM, the binding or the process ends first, with
 * private pages in KVM and with a running guest. Nothing is lost that is still in use,
 * and nothing is leaked.
 */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "ksft.h"
#include "kvm_vm.h"

#define BASE	KVM_DATA_GPA
#define PAGES	16
#define LENGTH	(PAGES * PAGE)
#define PRIVATE_PAGES 8		/* the first half */

FIXTURE(teardown) {
	struct kvm_guest g;
	struct kvm_runner runner;
	int fd;
	struct kvm_data *data;
};

static void guest_start(struct teardown_data *self)
{
	test_kvm_guest_create(&self->g, 1);
	self->fd = test_gmem_create(LENGTH, GMEM_CREATE_F_INIT_SHARED);
	ASSERT_EQ(0, kvm_guest_add(&self->g, BASE, LENGTH, self->fd, 0, PAGE));
	self->data = &self->g.data[0];
	gmem_fill(self->data->host, 0, LENGTH);
	ASSERT_EQ(0, kvm_guest_convert(&self->g, BASE, PRIVATE_PAGES * PAGE,
				       true, PRESERVE));
}

FIXTURE_SETUP(teardown)
{
	const char *why = kvm_guest_unavailable();

	if (why)
		SKIP(return, "%s", why);
	guest_start(self);
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

FIXTURE_TEARDOWN(teardown)
{
	kvm_guest_destroy(&self->g);
	close_fd(&self->fd);
}

/* The guest starts to count in its pages, in rounds. */
static void run_start(struct teardown_data *self, unsigned int pages)
{
	struct kvm_script *script = kvm_script(&self->g, 0);
	struct kvm_op op = {
		.opcode = KVM_OP_BUMP,
		.gpa = BASE,
		.size = PAGE,
		.stride = PAGE,
		.count = pages,
	};

	kvm_script_start(script);
	kvm_script_add(script, &op);
	kvm_script_op(script, KVM_OP_LOOP, 0, 1, 0);
	ASSERT_EQ(0, kvm_runner_start(&self->runner, &self->g, 0));
}

/* Wait for this number of further rounds without an error. */
static void run_on(struct teardown_data *self, uint64_t rounds)
{
	volatile struct kvm_script *script = kvm_script(&self->g, 0);
	uint64_t until = script->round + rounds;
	uint64_t end = ksft_now_ms() + 60000;

	while (script->round < until && ksft_now_ms() < end &&
	       !__atomic_load_n(&self->runner.stop, __ATOMIC_ACQUIRE))
		usleep(1000);
	EXPECT_GE(script->round, until);
}

/* Wait until the guest has finished its round. Return: number of rounds. */
static uint64_t run_end(struct teardown_data *self)
{
	volatile struct kvm_script *script = kvm_script(&self->g, 0);
	char text[1024];
	int stop;

	script->stop = 1;
	stop = kvm_runner_join(&self->runner);
	if (stop != KVM_STOP_DONE) {
		kvm_log_stop(&self->g, 0, stop, text, sizeof(text));
		TH_LOG("%s", text);
	}
	EXPECT_EQ(KVM_STOP_DONE, stop);
	return script->round;
}

static void expect_counted(struct teardown_data *self, unsigned int pages,
			   uint64_t rounds)
{
	unsigned int i;

	for (i = 0; i < pages; i++) {
		volatile uint64_t *page = (volatile uint64_t *)(void *)
			(self->data->host + i * PAGE);

		EXPECT_EQ(rounds, page[0]);
		EXPECT_EQ(0, page[1]);
		EXPECT_EQ(rounds, page[511]);
	}
}

/* UNBIND and BIND while the guest runs, without an effect on it. */
TEST_F(teardown, unbind_while_running)
{
	uint64_t rounds;
	int i;

	run_start(self, PAGES);
	for (i = 0; i < 20; i++) {
		run_on(self, 3);
		test_gmem_unbind(self->fd, 0, LENGTH);
		run_on(self, 3);
		test_gmem_bind(self->fd, 0, LENGTH, self->data->store, PAGE);
	}
	rounds = run_end(self);
	EXPECT_GE(rounds, 120);
	ASSERT_EQ(0, kvm_guest_convert(&self->g, BASE, LENGTH, false,
				       PRESERVE));
	expect_counted(self, PAGES, rounds);
}

/* gmem's fd is closed while the guest runs: the guest keeps its private pages. */
TEST_F(teardown, gmem_closed_while_running)
{
	uint64_t rounds;

	run_start(self, PRIVATE_PAGES);
	run_on(self, 10);
	munmap(self->data->host, LENGTH);
	self->data->host = NULL;
	close_fd(&self->fd);
	run_on(self, 10);
	rounds = run_end(self);
	EXPECT_GE(rounds, 20);
	/* Shared pages are lost with gmem: an error for the VMM, and no page. */
	EXPECT_NE(KVM_STOP_DONE,
		  kvm_guest_op(&self->g, 0, KVM_OP_READ,
			       BASE + PRIVATE_PAGES * PAGE, 1, 0, NULL));
}

/* KVM's guest_memfd is closed while the guest runs: conversions still work. */
TEST_F(teardown, store_closed_while_running)
{
	uint64_t rounds;
	int i;

	self->g.patient = true;
	run_start(self, PAGES);
	close_fd(&self->data->store);
	for (i = 0; i < 10; i++) {
		run_on(self, 2);
		ASSERT_EQ(0, kvm_guest_convert(&self->g, BASE, LENGTH, true,
					       PRESERVE));
		run_on(self, 2);
		ASSERT_EQ(0, kvm_guest_convert(&self->g, BASE, LENGTH, false,
					       PRESERVE));
	}
	rounds = run_end(self);
	expect_counted(self, PAGES, rounds);
}

/* The VM's fd is closed: its vCPU and gmem's binding keep the VM. */
TEST_F(teardown, vm_closed_while_running)
{
	uint64_t rounds;

	run_start(self, PAGES);
	run_on(self, 5);
	close_fd(&self->g.vm.fd);
	run_on(self, 5);
	rounds = run_end(self);
	test_gmem_convert(self->fd, 0, PRIVATE_PAGES * PAGE, SHARED, PRESERVE);
	expect_counted(self, PAGES, rounds);
}

/* A thread in KVM_RUN can be kicked out of it after all fds are closed. */
TEST_F(teardown, kicked)
{
	run_start(self, PRIVATE_PAGES);
	run_on(self, 5);
	close_fd(&self->data->store);
	close_fd(&self->g.vm.fd);
	close_fd(&self->g.vm.kvm_fd);
	close_fd(&self->fd);
	run_on(self, 5);
	EXPECT_EQ(-EINTR, kvm_runner_kick(&self->runner));
}

static void expect_no_private_memory(struct teardown_data *self)
{
	const struct kvm_run *run = self->g.vcpus[0].run;

	ASSERT_EQ(KVM_EXIT_MEMORY_FAULT, run->exit_reason);
	EXPECT_EQ(KVM_MEMORY_EXIT_FLAG_PRIVATE,
		  kvm_run_memory_fault(run)->flags);
}

/*
 * The binding keeps the guest_memfd, KVM's slot does not. So a running guest loses its
 * private memory when both gmem's fd and the guest_memfd are closed.
 */
TEST_F(teardown, all_closed_while_running)
{
	run_start(self, PRIVATE_PAGES);
	run_on(self, 5);
	close_fd(&self->data->store);
	run_on(self, 5);
	munmap(self->data->host, LENGTH);
	self->data->host = NULL;
	close_fd(&self->fd);
	ASSERT_EQ(KVM_STOP_EXIT, kvm_runner_join(&self->runner));
	expect_no_private_memory(self);
}

static void end_gmem(struct teardown_data *self)
{
	munmap(self->data->host, LENGTH);
	self->data->host = NULL;
	close_fd(&self->fd);
}

static void end_store(struct teardown_data *self)
{
	close_fd(&self->data->store);
}

static void end_vm(struct teardown_data *self)
{
	vcpu_destroy(&self->g.vcpus[0]);
	vm_destroy(&self->g.vm);
	self->data->number = -1;
}

/* Everything that still exists works: gmem with its contents, the guest with its contents. */
static void expect_working(struct teardown_data *self, uint64_t rounds)
{
	int i;

	if (self->fd >= 0) {
		for (i = 0; i < 2; i++) {
			test_gmem_convert(self->fd, 0, LENGTH, SHARED,
					  PRESERVE);
			expect_counted(self, PAGES, rounds);
			test_gmem_convert(self->fd, 0, PRIVATE_PAGES * PAGE,
					  PRIVATE, PRESERVE);
			expect_sigbus(self->data->host);
		}
	}
	if (self->g.vm.fd >= 0 && self->fd < 0 && self->data->store < 0) {
		EXPECT_EQ(KVM_STOP_EXIT,
			  kvm_guest_op(&self->g, 0, KVM_OP_READ, BASE, 1, 0,
				       NULL));
		expect_no_private_memory(self);
	} else if (self->g.vm.fd >= 0) {
		expect_op(&self->g, 0, KVM_OP_READ,
			  BASE + (PRIVATE_PAGES - 1) * PAGE, 1, 0);
		EXPECT_EQ((uint8_t)rounds,
			  kvm_script(&self->g, 0)->ops[0].result);
	}
}

/*
 * gmem's fd, KVM's guest_memfd and the VM are closed in every order, with private pages
 * in KVM.
 */
TEST_F(teardown, any_order)
{
	static void (*const ends[])(struct teardown_data *) = {
		end_gmem, end_store, end_vm,
	};
	static const int orders[][3] = {
		{ 0, 1, 2 }, { 0, 2, 1 }, { 1, 0, 2 },
		{ 1, 2, 0 }, { 2, 0, 1 }, { 2, 1, 0 },
	};
	uint64_t rounds;
	unsigned int i, n;

	for (i = 0; i < 6; i++) {
		run_start(self, PAGES);
		run_on(self, 3);
		rounds = run_end(self);
		for (n = 0; n < 3; n++) {
			ends[orders[i][n]](self);
			expect_working(self, rounds);
		}
		kvm_guest_destroy(&self->g);
		guest_start(self);
	}
}

static int live_files(void)
{
	static char text[65536];
	int lines = 0;
	char *p;

	if (gmem_read_file("/sys/kernel/debug/gmem/files", text,
			   sizeof(text)) < 0)
		return -1;
	for (p = text; (p = strchr(p, '\n')); p++)
		lines++;
	return lines - 1;
}

/*
 * A VMM in a process of its own: it reports when the guest runs, and converts until it is
 * killed.
 */
static void victim(int ready)
{
	struct teardown_data self = { .fd = -1 };
	char byte = 0;
	int i;

	guest_start(&self);
	self.g.patient = true;
	run_start(&self, PAGES);
	run_on(&self, 2);
	ASSERT_EQ(1, write(ready, &byte, 1));
	for (i = 0;; i++)
		kvm_guest_convert(&self.g, BASE, LENGTH, i & 1, PRESERVE);
}

/* The VMM is killed while its guest runs and its memory is being converted. */
TEST_F(teardown, killed)
{
	int before = live_files();
	int ready[2], i;
	char byte;
	pid_t pid;

	ASSERT_EQ(0, pipe2(ready, O_CLOEXEC));
	for (i = 0; i < 10; i++) {
		pid = fork();
		ASSERT_GE(pid, 0);
		if (!pid)
			victim(ready[1]);
		ASSERT_EQ(1, read(ready[0], &byte, 1));
		usleep(ksft_seed() % 997 * (i + 1) * 5);
		ASSERT_EQ(0, kill(pid, SIGKILL));
		EXPECT_EQ(128 + SIGKILL, gmem_wait_pid(pid));
		EXPECT_EQ(before, live_files());
	}
	run_start(self, PAGES);
	run_on(self, 5);
	run_end(self);
}

/* A child has the gmem fd and the memory, but not the VM: they outlive the VM. */
TEST_F(teardown, child_keeps_gmem)
{
	int go[2];
	char byte = 0;
	pid_t pid;

	ASSERT_EQ(0, pipe2(go, O_CLOEXEC));
	expect_op(&self->g, 0, KVM_OP_FILL, BASE, LENGTH, 0x66);
	pid = fork();
	ASSERT_GE(pid, 0);
	if (!pid) {
		close_fd(&self->data->store);
		end_vm(self);
		ASSERT_EQ(1, read(go[0], &byte, 1));
		expect_sigbus(self->data->host);
		test_gmem_convert(self->fd, 0, LENGTH, SHARED, PRESERVE);
		expect_bytes(0x66, self->data->host, LENGTH);
		_exit(0);
	}
	kvm_guest_destroy(&self->g);
	close_fd(&self->fd);
	ASSERT_EQ(1, write(go[1], &byte, 1));
	EXPECT_EQ(0, gmem_wait_pid(pid));
}

KSFT_NEEDS_CPUS(2)
TEST_HARNESS_MAIN_IF(gmem_unavailable())
