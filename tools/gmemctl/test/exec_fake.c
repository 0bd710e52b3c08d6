// SPDX-License-Identifier: GPL-2.0
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "../base/calls.h"
#include "../exec/exec.h"
#include "exec_fake.h"
#include "ksft.h"

struct exec_fake exec_fake;

static struct calls fake_calls;
static const struct calls *calls_before;

static int fake_sigmask(int how, const sigset_t *set, sigset_t *old)
{
	if (how == SIG_SETMASK)
		__atomic_add_fetch(&exec_fake.masks, 1, __ATOMIC_RELAXED);
	return pthread_sigmask(how, set, old);
}

const struct exec_next *exec_next(void)
{
	static const struct exec_next next = {
		.sigaction = sigaction,
		.sigprocmask = sigprocmask,
		.pthread_sigmask = fake_sigmask,
	};

	return &next;
}

/* Kernels older than 6.11 say the same in words. */
static int fake_procmap(struct exec_procmap *query)
{
	FILE *file = fopen("/proc/self/maps", "r");
	unsigned long start, end, offset, inode;
	unsigned int major, minor;
	char line[512], flags[8];
	int rc = -ENOENT;

	while (file && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%lx-%lx %7s %lx %x:%x %lu", &start, &end, flags,
			   &offset, &major, &minor, &inode) != 7 ||
		    end <= query->query_addr || start > query->query_addr)
			continue;
		query->vma_start = start;
		query->vma_end = end;
		query->vma_offset = offset;
		query->inode = inode;
		query->dev_major = major;
		query->dev_minor = minor;
		query->vma_flags = (flags[0] == 'r' ? EXEC_PROCMAP_READABLE : 0) |
				   (flags[1] == 'w' ? EXEC_PROCMAP_WRITABLE : 0) |
				   (flags[3] == 's' ? EXEC_PROCMAP_SHARED : 0);
		rc = 0;
	}
	if (file)
		fclose(file);
	return rc;
}

/* The number of the gmem fd that @fd is a descriptor of, or -1. */
static int fake_gmem(int fd)
{
	struct stat asked, ours;

	for (int i = 0; i < EXEC_FAKE_GMEM; i++)
		if (!fstat(fd, &asked) && !fstat(exec_fake.gmem[i], &ours) &&
		    asked.st_ino == ours.st_ino && asked.st_dev == ours.st_dev)
			return i;
	return -1;
}

static void fake_state(int gmem, const struct gmem_convert_range *range, uint32_t target)
{
	for (uint64_t at = 0; at < range->length; at += 4096)
		exec_fake.private[gmem][(range->offset + at) / 4096] =
			target == GMEM_STATE_PRIVATE;
}

static int fake_convert(int gmem, const struct gmem_ioctl_convert *convert)
{
	struct gmem_convert_range one = { convert->offset, convert->length };
	const struct gmem_convert_range *ranges = convert->flags &
		GMEM_CONVERT_F_RANGES ? (void *)(uintptr_t)convert->ranges : &one;
	unsigned int count = convert->nr_ranges ? convert->nr_ranges : 1;

	if (__atomic_load_n(&exec_fake.interrupts, __ATOMIC_RELAXED)) {
		__atomic_sub_fetch(&exec_fake.interrupts, 1, __ATOMIC_RELAXED);
		return -EINTR;
	}
	exec_fake.converts++;
	exec_fake.content = convert->content;
	exec_fake.nr_converted = count;
	for (unsigned int i = 0; i < count && i < EXEC_FAKE_RANGES; i++) {
		exec_fake.converted[i] = ranges[i];
		if (!exec_fake.convert_rc)
			fake_state(gmem, &ranges[i], convert->target);
	}
	return exec_fake.convert_rc;
}

static int fake_query(int gmem, struct gmem_ioctl_query *query)
{
	struct gmem_range *range = (void *)(uintptr_t)query->ranges;
	const bool *states = exec_fake.private[gmem];
	uint64_t page = query->offset / 4096, end = page + query->length / 4096;
	uint64_t next = page;

	while (next < end && states[next] == states[page])
		next++;
	*range = (struct gmem_range){
		.offset = page * 4096,
		.length = (next - page) * 4096,
		.state = states[page] ? GMEM_STATE_PRIVATE : GMEM_STATE_SHARED,
	};
	query->nr_ranges = 1;
	query->offset += range->length;
	query->length -= range->length;
	return 0;
}

static void fake_stat(int gmem, struct gmem_ioctl_stat *stat)
{
	stat->length = EXEC_FAKE_SIZE;
	stat->private_pages = 0;
	for (unsigned int page = 0; page < EXEC_FAKE_PAGES; page++)
		stat->private_pages += exec_fake.private[gmem][page];
}

static int fake_populate(struct gmem_ioctl_view_populate *populate)
{
	exec_fake.populated = *populate;
	exec_fake.populates++;
	if (exec_fake.populate_rc && populate->length > 4096)
		return exec_fake.populate_rc;
	populate->pages = exec_fake.populate_pages;
	return 0;
}

static int fake_create(struct gmem_ioctl_create *create)
{
	exec_fake.created = *create;
	if (exec_fake.create_rc)
		return exec_fake.create_rc;
	create->out_fd = calls_system.memfd("created", create->length);
	return 0;
}

static int gmem_ioctl(int fd, unsigned long request, void *arg)
{
	int gmem = fake_gmem(fd);

	switch (request) {
	case GMEM_IOCTL_VIEW_POPULATE:
		return fake_populate(arg);
	case GMEM_IOCTL_VIEW_FAULT:
		*(struct gmem_ioctl_view_fault *)arg = exec_fake.fault;
		return exec_fake.fault_rc;
	case GMEM_IOCTL_CREATE:
		return fake_create(arg);
	}
	if (gmem < 0)
		return -ENOTTY;
	switch (request) {
	case GMEM_IOCTL_STAT:
		fake_stat(gmem, arg);
		return 0;
	case GMEM_IOCTL_VIEW:
		if (exec_fake.view_rc)
			return exec_fake.view_rc;
		exec_fake.views++;
		((struct gmem_ioctl_view *)arg)->out_fd =
			calls_system.memfd("view", EXEC_FAKE_SIZE);
		return 0;
	case GMEM_IOCTL_CONVERT:
		return fake_convert(gmem, arg);
	case GMEM_IOCTL_QUERY:
		return fake_query(gmem, arg);
	default:
		return -ENOTTY;
	}
}

static int fake_cpuid(const struct kvm_cpuid2 *cpuid)
{
	for (unsigned int i = 0; i < cpuid->nent; i++)
		if (cpuid->entries[i].function == 0x40000001)
			exec_fake.cpuid = cpuid->entries[i].eax;
	return 0;
}

static int fake_translate(struct kvm_translation *translation)
{
	translation->valid = !!exec_fake.translate;
	translation->physical_address = exec_fake.translate;
	return 0;
}

static int fake_run(void)
{
	unsigned int number = exec_fake.entered++;
	const struct exec_fake_run *run;

	run = &exec_fake.runs[number < exec_fake.nr_runs ? number : exec_fake.nr_runs - 1];
	if (run->gpa) {
		exec_fake.fault_rc = 0;
		exec_fake.fault.gpa = run->gpa;
		exec_fake.fault.count += run->faults;
	}
	exec_fake.run->exit_reason = run->reason;
	return run->rc;
}

void exec_fake_runs(const struct exec_fake_run *runs, unsigned int count)
{
	memcpy(exec_fake.runs, runs, count * sizeof(*runs));
	exec_fake.nr_runs = count;
	exec_fake.entered = 0;
}

static int kvm_ioctl(unsigned long request, void *arg)
{
	switch (request) {
	case KVM_SET_USER_MEMORY_REGION:
	case KVM_SET_USER_MEMORY_REGION2:
		memcpy(&exec_fake.slot, arg, sizeof(exec_fake.slot));
		exec_fake.slots++;
		return exec_fake.slot_rc;
	case KVM_ENABLE_CAP:
		exec_fake.enabled = ((struct kvm_enable_cap *)arg)->args[0];
		return exec_fake.enable_rc;
	case KVM_SET_CPUID2:
		return fake_cpuid(arg);
	case KVM_RUN:
		return fake_run();
	case KVM_TRANSLATE:
		return fake_translate(arg);
	case KVM_GET_REGS:
		*(struct kvm_regs *)arg = (struct kvm_regs){ .rip = exec_fake.rip };
		return 0;
	case KVM_SET_REGS:
		exec_fake.rip = ((struct kvm_regs *)arg)->rip;
		return 0;
	case KVM_GET_SREGS:
		memset(arg, 0, sizeof(struct kvm_sregs));
		return 0;
	default:
		return -ENOTTY;
	}
}

static int fake_ioctl(int fd, unsigned long request, void *arg)
{
	if (request == EXEC_PROCMAP_QUERY)
		return fake_procmap(arg);
	if (_IOC_TYPE(request) == GMEM_IOCTL_TYPE)
		return gmem_ioctl(fd, request, arg);
	return kvm_ioctl(request, arg);
}

static int fake_open(const char *path, int flags)
{
	return calls_system.open(strcmp(path, GMEM_DEVICE_PATH) ? path : "/dev/null", flags);
}

void exec_fake_start(void)
{
	memset(&exec_fake, 0, sizeof(exec_fake));
	fake_calls = calls_system;
	fake_calls.ioctl = fake_ioctl;
	fake_calls.open = fake_open;
	calls_before = calls;
	calls = &fake_calls;
	for (int i = 0; i < EXEC_FAKE_GMEM; i++)
		exec_fake.gmem[i] = calls->memfd("gmem", EXEC_FAKE_SIZE);
	exec_fake.vm = calls->memfd("vm", 4096);
	exec_fake.vcpu = calls->memfd("vcpu", 4096);
	exec_fake.populate_pages = 1;
	exec_fake.fault_rc = -EAGAIN;
	exec_vm_create(exec_fake.vm);
	exec_vcpu_create(exec_vm_of(exec_fake.vm), exec_fake.vcpu, 0);
	exec_fake.run = exec_vcpu_of(exec_fake.vcpu)->run;
}

void exec_fake_stop(void)
{
	exec_closing(exec_fake.vm);
	exec_closing(exec_fake.vcpu);
	EXPECT_FALSE(exec_vm_of(exec_fake.vm));
	EXPECT_FALSE(exec_vcpu_of(exec_fake.vcpu));
	close(exec_fake.vm);
	close(exec_fake.vcpu);
	for (int i = 0; i < EXEC_FAKE_GMEM; i++)
		close(exec_fake.gmem[i]);
	calls = calls_before;
}

char *exec_fake_map(unsigned int gmem, uint64_t size, uint64_t offset)
{
	char *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, exec_fake.gmem[gmem],
			(off_t)offset);

	EXPECT_NE(at, MAP_FAILED);
	return at;
}

int exec_fake_slot(uint32_t id, uint32_t flags, uint64_t gpa, uint64_t size, const void *at)
{
	struct kvm_userspace_memory_region region = {
		.slot = id,
		.flags = flags,
		.guest_phys_addr = gpa,
		.memory_size = size,
		.userspace_addr = (uintptr_t)at,
	};
	int rc = exec_slot_set(exec_vm_of(exec_fake.vm), KVM_SET_USER_MEMORY_REGION, &region);

	/* What is the VMM's stays as it is. */
	EXPECT_EQ(region.userspace_addr, (uintptr_t)at);
	return rc;
}
