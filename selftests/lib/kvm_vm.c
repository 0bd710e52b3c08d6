// SPDX-License-Identifier: GPL-2.0
/*
 * VMs whose guest executes scripts.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../tools/gmemctl/boot/boot.h"
#include "../../tools/gmemctl/kvm/slot.h"
#include "gmem_view.h"
#include "kvm_utils.h"
#include "kvm_vm.h"

#define RAM_SIZE GUEST_HEAP_GPA
#define KICK_SIGNAL SIGUSR2

const char *kvm_guest_unavailable(void)
{
	const char *why = kvm_store_unavailable();
	int kvm;
	bool can;

	if (why)
		return why;
	kvm = vm_open_kvm(NULL);
	if (kvm < 0)
		return "/dev/kvm cannot be opened";
	can = vm_type_supported(kvm, KVM_X86_SW_PROTECTED_VM);
	close(kvm);
	return can ? NULL : "unsupported-by-design: no KVM_X86_SW_PROTECTED_VM";
}

static int guest_add_ram(struct kvm_guest *g)
{
	struct slot slot = { .size = RAM_SIZE, .guest_memfd = -1 };
	unsigned int cpu;
	int rc;

	slot.host = mmap(NULL, RAM_SIZE, PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (slot.host == MAP_FAILED)
		return -errno;
	g->ram = slot.host;
	rc = boot_load(g->ram, RAM_SIZE, &g->error);
	if (rc)
		return rc;
	for (cpu = 0; cpu < g->nr_vcpus; cpu++)
		kvm_script(g, cpu)->vmmcall =
			boot_hypercall_flag() == GUEST_F_VMMCALL;
	rc = slot_add(&g->vm, &slot, &g->error);
	return rc < 0 ? rc : 0;
}

static int guest_add_vcpus(struct kvm_guest *g)
{
	unsigned int cpu;
	int rc = 0;

	for (cpu = 0; !rc && cpu < g->nr_vcpus; cpu++) {
		rc = vcpu_create(&g->vcpus[cpu], &g->vm, cpu,
				 &g->error);
		if (!rc)
			rc = boot_vcpu(&g->vcpus[cpu], &g->error);
	}
	return rc;
}

static int guest_create(struct kvm_guest *g, unsigned int nr_vcpus,
			int (*create)(struct vm *vm, struct error *error))
{
	unsigned int i;
	int rc;

	memset(g, 0, sizeof(*g));
	g->nr_vcpus = nr_vcpus;
	for (i = 0; i < KVM_VCPUS; i++)
		g->vcpus[i].fd = -1;
	for (i = 0; i < KVM_SLOTS; i++) {
		g->data[i].store = -1;
		g->data[i].view = -1;
		g->data[i].number = -1;
	}
	rc = create(&g->vm, &g->error);
	if (!rc)
		rc = guest_add_ram(g);
	if (!rc)
		rc = guest_add_vcpus(g);
	if (rc)
		kvm_guest_destroy(g);
	return rc;
}

int kvm_guest_create(struct kvm_guest *g, unsigned int nr_vcpus)
{
	return guest_create(g, nr_vcpus, vm_create);
}

int kvm_guest_create_plain(struct kvm_guest *g, unsigned int nr_vcpus)
{
	return guest_create(g, nr_vcpus, vm_create_plain);
}

int kvm_guest_create_views(struct kvm_guest *g, unsigned int nr_vcpus)
{
	struct kvm_enable_cap cap = {
		.cap = KVM_CAP_EXIT_HYPERCALL,
		.args = { 1ULL << KVM_HC_MAP_GPA_RANGE },
	};
	int rc = guest_create(g, nr_vcpus, vm_create_plain);

	g->views = true;
	if (!rc && ioctl(g->vm.fd, KVM_ENABLE_CAP, &cap)) {
		rc = -errno;
		kvm_guest_destroy(g);
	}
	return rc;
}

void kvm_data_close(struct kvm_guest *g, struct kvm_data *data)
{
	if (data->number >= 0)
		slot_remove(&g->vm, (unsigned int)data->number);
	if (data->host)
		munmap(data->host, data->size);
	if (data->map)
		munmap(data->map, data->size);
	if (data->store >= 0)
		close(data->store);
	if (data->view >= 0)
		close(data->view);
	data->host = NULL;
	data->map = NULL;
	data->view = -1;
	data->store = -1;
	data->number = -1;
}

void kvm_guest_destroy(struct kvm_guest *g)
{
	unsigned int i;

	for (i = 0; i < g->nr_data; i++)
		kvm_data_close(g, &g->data[i]);
	for (i = 0; i < KVM_VCPUS; i++)
		vcpu_destroy(&g->vcpus[i]);
	vm_destroy(&g->vm);
	if (g->ram)
		munmap(g->ram, RAM_SIZE);
	g->ram = NULL;
	g->nr_data = 0;
}

static int data_map(struct kvm_data *data)
{
	data->host = gmem_map(data->fd, data->offset, data->size);
	if (data->host != MAP_FAILED)
		return 0;
	data->host = NULL;
	return -errno;
}

static int data_attach_view(struct kvm_guest *g, struct kvm_data *data)
{
	struct slot slot = {
		.gpa = data->gpa,
		.size = data->size,
		.guest_memfd = -1,
	};
	int rc;

	data->view = gmem_view(data->fd, data->offset, data->size);
	if (data->view < 0)
		return data->view;
	data->map = gmem_view_map(data->view, data->offset, data->size);
	if (data->map == MAP_FAILED) {
		data->map = NULL;
		return -errno;
	}
	rc = data_map(data);
	if (rc)
		return rc;
	slot.host = data->host;
	slot.view = data->map;
	slot.view_fd = data->view;
	data->number = slot_add(&g->vm, &slot, &g->error);
	return data->number < 0 ? data->number : 0;
}

static int data_attach_store(struct kvm_guest *g, struct kvm_data *data)
{
	struct slot slot = {
		.gpa = data->gpa,
		.size = data->size,
		.guest_memfd_offset = data->store_offset,
	};
	int rc;

	data->store = vm_create_guest_memfd(&g->vm, data->size +
					    data->store_offset, NULL);
	if (data->store < 0)
		return data->store;
	rc = data_map(data);
	if (rc)
		return rc;
	slot.host = data->host;
	slot.guest_memfd = data->store;
	data->number = slot_add(&g->vm, &slot, &g->error);
	if (data->number < 0)
		return data->number;
	return gmem_bind(data->fd, data->offset, data->size, data->store,
			 data->store_offset);
}

/* Use the first free place: that of a closed slot, or a new one. */
int kvm_guest_add(struct kvm_guest *g, uint64_t gpa, uint64_t size, int fd,
		  uint64_t offset, uint64_t store_offset)
{
	struct kvm_data *data = g->data;
	int rc;

	while (data < g->data + g->nr_data && data->number >= 0)
		data++;
	if (data == g->data + KVM_SLOTS)
		return -ENOSPC;
	*data = (struct kvm_data){
		.gpa = gpa,
		.size = size,
		.fd = fd,
		.offset = offset,
		.store = -1,
		.view = -1,
		.store_offset = store_offset,
		.number = -1,
	};
	rc = g->views ? data_attach_view(g, data) : data_attach_store(g, data);
	if (rc)
		kvm_data_close(g, data);
	else if (data == g->data + g->nr_data)
		g->nr_data++;
	return rc;
}

struct kvm_script *kvm_script(struct kvm_guest *g, unsigned int cpu)
{
	return (struct kvm_script *)(void *)(g->ram + KVM_SCRIPT_GPA +
					     cpu * PAGE);
}

void kvm_script_start(struct kvm_script *script)
{
	memset(script->ops, 0, sizeof(script->ops));
	script->stop = 0;
	script->round = 0;
}

/* The operation after the last one stays KVM_OP_DONE. */
void kvm_script_add(struct kvm_script *script, const struct kvm_op *op)
{
	unsigned int i;

	for (i = 0; i < KVM_SCRIPT_OPS - 1; i++) {
		if (script->ops[i].opcode == KVM_OP_DONE) {
			script->ops[i] = *op;
			return;
		}
	}
	/* The script is too long: let the guest fail on an unknown operation. */
	script->ops[0].opcode = UINT32_MAX;
	script->ops[0].count = 1;
}

void kvm_script_op(struct kvm_script *script, enum kvm_opcode opcode,
		   uint64_t gpa, uint64_t size, uint32_t value)
{
	struct kvm_op op = {
		.opcode = opcode,
		.value = value,
		.gpa = gpa,
		.size = size,
		.count = 1,
	};

	kvm_script_add(script, &op);
}

int kvm_guest_attribute(struct kvm_guest *g, uint64_t gpa, uint64_t size,
			bool private)
{
	return vm_set_private(&g->vm, gpa, size, private);
}

int kvm_punch(int store, uint64_t offset, uint64_t size)
{
	if (fallocate(store, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset,
		      size))
		return -errno;
	return 0;
}

static int convert_piece(struct kvm_guest *g, const struct kvm_data *data,
			 uint64_t gpa, uint64_t size, bool to_private,
			 uint32_t content)
{
	uint64_t offset = data->offset + (gpa - data->gpa);
	int rc = 0;

	if (!to_private && !g->views)
		rc = kvm_guest_attribute(g, gpa, size, false);
	if (!rc)
		rc = gmem_convert(data->fd, offset, size,
				  to_private ? PRIVATE : SHARED, content);
	if (!rc && to_private && !g->views)
		rc = kvm_guest_attribute(g, gpa, size, true);
	if (!rc && g->commit)
		rc = gmem_commit(data->fd, offset, size);
	return rc;
}

int kvm_guest_convert(struct kvm_guest *g, uint64_t gpa, uint64_t size,
		      bool to_private, uint32_t content)
{
	uint64_t end = gpa + size;
	unsigned int i;
	int rc = 0;

	for (i = 0; !rc && i < g->nr_data; i++) {
		struct kvm_data *data = &g->data[i];
		uint64_t from = data->gpa > gpa ? data->gpa : gpa;
		uint64_t to = data->gpa + data->size;

		to = to < end ? to : end;
		if (data->number >= 0 && from < to)
			rc = convert_piece(g, data, from, to - from, to_private,
					   content);
	}
	return rc;
}

static void serve_hypercall(struct kvm_guest *g, struct kvm_run *run)
{
	uint64_t args[3] = {
		run->hypercall.args[0],
		run->hypercall.args[1],
		run->hypercall.args[2],
	};
	struct map_gpa map;
	const char *why;
	int rc;

	rc = map_gpa_check(&g->vm.slots, args, &map, &why);
	if (!rc && g->convert)
		rc = g->convert(g, map.gpa, map.size, map.to_private);
	else if (!rc)
		rc = kvm_guest_convert(g, map.gpa, map.size, map.to_private,
				       g->content);
	if (rc)
		__atomic_fetch_add(&g->refused, 1, __ATOMIC_RELAXED);
	run->hypercall.ret = (uint64_t)(int64_t)rc;
}

static bool guest_retry(struct kvm_guest *g)
{
	__atomic_fetch_add(&g->retries, 1, __ATOMIC_RELAXED);
	sched_yield();
	return g->patient;
}

/* Return: 0 to continue, else enum kvm_stop. */
static int serve_exit(struct kvm_guest *g, struct vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;
	uint32_t word;

	switch (run->exit_reason) {
	case KVM_EXIT_HYPERCALL:
		if (run->hypercall.nr != KVM_HC_MAP_GPA_RANGE)
			return KVM_STOP_EXIT;
		serve_hypercall(g, run);
		return 0;
	case KVM_EXIT_IO:
		if (run->io.port != KVM_REPORT_PORT)
			return KVM_STOP_EXIT;
		memcpy(&word, (char *)run + run->io.data_offset, sizeof(word));
		return (int)word;
	case KVM_EXIT_MMIO:
		memset(run->mmio.data, 0, sizeof(run->mmio.data));
		return guest_retry(g) ? 0 : KVM_STOP_EXIT;
	case KVM_EXIT_MEMORY_FAULT:
		return guest_retry(g) ? 0 : KVM_STOP_EXIT;
	}
	return KVM_STOP_EXIT;
}

/* Ask by means of any view: the answer is the same. */
static int guest_fault(struct kvm_guest *g, struct gmem_ioctl_view_fault *fault)
{
	const struct slot_table *slots = &g->vm.slots;
	unsigned int i;

	for (i = 0; i < SLOT_MAX; i++) {
		if (slots->slots[i].used && slots->slots[i].view)
			return gmem_view_fault(slots->slots[i].view_fd, fault);
	}
	return -EFAULT;
}

/* Put the page at which KVM_RUN has failed into its view. Return: 0 to run again. */
static int guest_populate(struct kvm_guest *g)
{
	struct gmem_ioctl_view_fault fault;
	const struct slot *slot;
	long long pages;
	int rc;

	if (g->strict)
		return -EFAULT;
	rc = guest_fault(g, &fault);
	if (rc)
		return rc == -EAGAIN ? 0 : rc;
	slot = slot_find(&g->vm.slots, fault.gpa);
	if (!slot || !slot->view)
		return -EFAULT;
	do {
		pages = gmem_view_populate(slot->view_fd,
					   slot->view + ((fault.gpa - slot->gpa) & -PAGE),
					   PAGE, 0);
	} while (pages == -EINTR && !__atomic_load_n(&g->stopping, __ATOMIC_ACQUIRE));
	if (pages > 0)
		__atomic_fetch_add(&g->populated, pages, __ATOMIC_RELAXED);
	return pages < 0 ? (int)pages : 0;
}

int kvm_guest_run(struct kvm_guest *g, unsigned int cpu)
{
	struct vcpu *vcpu = &g->vcpus[cpu];
	int rc = 0;

	while (!rc) {
		rc = vcpu_run(vcpu);
		if (rc == -EINTR || rc == -EAGAIN) {
			if (__atomic_load_n(&g->stopping, __ATOMIC_ACQUIRE))
				return -EINTR;
			rc = 0;
		} else if (rc == -EFAULT) {
			rc = guest_retry(g) ? 0 : guest_populate(g);
		} else if (!rc) {
			rc = serve_exit(g, vcpu);
		}
	}
	return rc;
}

int kvm_guest_op(struct kvm_guest *g, unsigned int cpu, enum kvm_opcode opcode,
		 uint64_t gpa, uint64_t size, uint32_t value, int64_t *result)
{
	struct kvm_script *script = kvm_script(g, cpu);
	int stop;

	kvm_script_start(script);
	kvm_script_op(script, opcode, gpa, size, value);
	stop = kvm_guest_run(g, cpu);
	if (result)
		*result = script->ops[0].result;
	return stop;
}

static void kick_handler(int signal_number)
{
}

static void *runner_main(void *arg)
{
	struct kvm_runner *runner = arg;
	int stop;

	/*
	 * Threads that work on the memory of a busy guest get more CPU time than the
	 * guest.
	 */
	if (nice(10) < 0)
		errno = 0;
	stop = kvm_guest_run(runner->guest, runner->cpu);
	__atomic_store_n(&runner->stop, stop, __ATOMIC_RELEASE);
	return NULL;
}

int kvm_runner_start(struct kvm_runner *runner, struct kvm_guest *g,
		     unsigned int cpu)
{
	struct sigaction action = { .sa_handler = kick_handler };

	sigemptyset(&action.sa_mask);
	sigaction(KICK_SIGNAL, &action, NULL);
	*runner = (struct kvm_runner){ .guest = g, .cpu = cpu };
	return gmem_task_start(&runner->task, -1, runner_main, runner);
}

int kvm_runner_join(struct kvm_runner *runner)
{
	gmem_task_join(&runner->task);
	return runner->stop;
}

/*
 * immediate_exit ends a thread that is about to enter KVM_RUN, the signal ends one in
 * KVM_RUN.
 */
int kvm_runner_kick(struct kvm_runner *runner)
{
	struct kvm_run *run = runner->guest->vcpus[runner->cpu].run;
	int stop;

	__atomic_store_n(&runner->guest->stopping, 1, __ATOMIC_RELEASE);
	__atomic_store_n(&run->immediate_exit, 1, __ATOMIC_RELEASE);
	if (runner->task.started)
		pthread_kill(runner->task.thread, KICK_SIGNAL);
	stop = kvm_runner_join(runner);
	__atomic_store_n(&run->immediate_exit, 0, __ATOMIC_RELEASE);
	__atomic_store_n(&runner->guest->stopping, 0, __ATOMIC_RELEASE);
	return stop;
}

void kvm_log_stop(struct kvm_guest *g, unsigned int cpu, int stop, char *text,
		  size_t size)
{
	struct kvm_script *script = kvm_script(g, cpu);
	struct kvm_op *op = &script->ops[script->failed_op % KVM_SCRIPT_OPS];
	int used;

	if (stop == KVM_STOP_EXIT || stop < 0) {
		used = snprintf(text, size, "stop %d, ", stop);
		exit_describe(&g->vcpus[cpu], text + used, size - used);
		used += strlen(text + used);
		exit_registers(&g->vcpus[cpu], text + used, size - used);
		return;
	}
	if (stop == KVM_STOP_FAILED)
		snprintf(text, size,
			 "vCPU %u: op %llu (opcode %u, gpa 0x%llx + 0x%llx, "
			 "value 0x%x, result %lld): 0x%llx at 0x%llx, round %llu",
			 cpu, (unsigned long long)script->failed_op, op->opcode,
			 (unsigned long long)op->gpa,
			 (unsigned long long)op->size, op->value,
			 (long long)op->result,
			 (unsigned long long)script->seen,
			 (unsigned long long)script->where,
			 (unsigned long long)script->round);
	else
		snprintf(text, size, "vCPU %u: stop %d", cpu, stop);
}
