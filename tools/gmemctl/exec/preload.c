// SPDX-License-Identifier: GPL-2.0
/* The functions of the C library that this library replaces. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <linux/aio_abi.h>
#include <linux/io_uring.h>

#include "../base/calls.h"
#include "exec.h"
#include "report.h"

/* Instruction pointer of a vCPU after reset, where the firmware of a PC starts */
#define RESET_RIP 0xfff0

#define EXPORT __attribute__((visibility("default")))

/*
 * Do not include <unistd.h> and <sys/ioctl.h>, which may have inline functions with these
 * names.
 */
int ioctl(int fd, unsigned long request, ...);
int close(int fd);
int memfd_create(const char *name, unsigned int flags);
ssize_t writev(int fd, const struct iovec *parts, int count);
ssize_t sendmsg(int fd, const struct msghdr *message, int flags);
int io_submit(void *context, long count, struct iocb **requests);
int io_uring_submit(struct io_uring *ring);
int io_uring_submit_and_wait(struct io_uring *ring, unsigned int count);

/*
 * Programs use either name of these pairs, and headers may define one as the other. With a
 * 64-bit long both functions are the same.
 */
int resize(int fd, int64_t length) __asm__("ftruncate");
ssize_t put(int fd, const void *data, size_t size, int64_t offset) __asm__("pwrite");
ssize_t putv(int fd, const struct iovec *parts, int count, int64_t offset) __asm__("pwritev");
int control(int fd, int request, ...) __asm__("fcntl");

#define ALIAS(name) EXPORT __attribute__((alias(name)))

ALIAS("ftruncate") int resize64(int fd, int64_t length) __asm__("ftruncate64");
ALIAS("pwrite") ssize_t put64(int fd, const void *data, size_t size,
			      int64_t offset) __asm__("pwrite64");
ALIAS("pwritev") ssize_t putv64(int fd, const struct iovec *parts, int count,
				int64_t offset) __asm__("pwritev64");
ALIAS("fcntl") int control64(int fd, int request, ...) __asm__("fcntl64");

/**
 * struct io_uring - the start of liburing 2's structure, which is part of its ABI
 * @kernel: head and tail of the requests that the kernel has
 * @mask: mask for indices of @requests
 * @unused: entries, flags, dropped, array
 * @requests: the requests
 * @head: the first request that was not submitted yet
 * @tail: the one after the last
 */
struct io_uring {
	unsigned int *kernel[2];
	unsigned int *mask;
	unsigned int *unused[4];
	struct io_uring_sqe *requests;
	unsigned int head;
	unsigned int tail;
};

static struct exec_next next;
static struct calls next_calls;

static int next_ioctl(int fd, unsigned long request, void *arg)
{
	int rc = next.ioctl(fd, request, arg);

	return rc < 0 ? -errno : rc;
}

static int next_close(int fd)
{
	return next.close(fd) ? -errno : 0;
}

/* Find the replaced functions, and let struct calls use them, not the replacements. */
static void next_find(void)
{
	next.ioctl = dlsym(RTLD_NEXT, "ioctl");
	next.close = dlsym(RTLD_NEXT, "close");
	next.sigaction = dlsym(RTLD_NEXT, "sigaction");
	next.signal = dlsym(RTLD_NEXT, "signal");
	next.sigprocmask = dlsym(RTLD_NEXT, "sigprocmask");
	next.pthread_sigmask = dlsym(RTLD_NEXT, "pthread_sigmask");
	next.memfd_create = dlsym(RTLD_NEXT, "memfd_create");
	next.ftruncate = dlsym(RTLD_NEXT, "ftruncate64");
	next.fcntl = dlsym(RTLD_NEXT, "fcntl64");
	next.writev = dlsym(RTLD_NEXT, "writev");
	next.sendmsg = dlsym(RTLD_NEXT, "sendmsg");
	next.pwrite = dlsym(RTLD_NEXT, "pwrite64");
	next.pwritev = dlsym(RTLD_NEXT, "pwritev64");
	/* NULL if the VMM does not use libaio or liburing. */
	next.io_submit = dlsym(RTLD_NEXT, "io_submit");
	next.io_uring_submit = dlsym(RTLD_NEXT, "io_uring_submit");
	next.io_uring_submit_and_wait = dlsym(RTLD_NEXT, "io_uring_submit_and_wait");
	next_calls = calls_system;
	next_calls.ioctl = next_ioctl;
	next_calls.close = next_close;
	calls = &next_calls;
}

const struct exec_next *exec_next(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, next_find);
	return &next;
}

static int result(int rc)
{
	if (rc >= 0)
		return rc;
	errno = -rc;
	return -1;
}

static int create_vm(int fd, void *type)
{
	int rc = calls->ioctl(fd, KVM_CREATE_VM, type);

	/* Only the default type. Others have private memory of KVM's own, or none. */
	if (rc >= 0 && !type)
		exec_vm_create(rc);
	return rc;
}

/* Keep exits for MAP_GPA_RANGE enabled, and record what the VMM has enabled itself. */
static int enable_cap(struct exec_vm *vm, const struct kvm_enable_cap *theirs)
{
	struct kvm_enable_cap cap = *theirs;
	int rc;

	if (cap.cap != KVM_CAP_EXIT_HYPERCALL || !vm->answers)
		return calls->ioctl(vm->fd, KVM_ENABLE_CAP, (void *)theirs);
	cap.args[0] |= 1U << KVM_HC_MAP_GPA_RANGE;
	rc = calls->ioctl(vm->fd, KVM_ENABLE_CAP, &cap);
	if (!rc)
		vm->asked = theirs->args[0];
	return rc;
}

static int vm_ioctl(struct exec_vm *vm, unsigned long request, void *arg)
{
	int rc;

	switch (request) {
	case KVM_SET_USER_MEMORY_REGION:
	case KVM_SET_USER_MEMORY_REGION2:
		rc = exec_slot_set(vm, request, arg);
		/* Here, because the watch needs the signal that is taken with the first view. */
		if (exec_vm_has_views(vm))
			exec_watch_start();
		return rc;
	case KVM_CREATE_VCPU:
		rc = calls->ioctl(vm->fd, request, arg);
		if (rc >= 0)
			exec_vcpu_create(vm, rc, (uint32_t)(uintptr_t)arg);
		return rc;
	case KVM_ENABLE_CAP:
		return enable_cap(vm, arg);
	case KVM_GET_DIRTY_LOG:
		exec_save_log();
		return calls->ioctl(vm->fd, request, arg);
	default:
		return calls->ioctl(vm->fd, request, arg);
	}
}

static int vcpu_ioctl(struct exec_vcpu *vcpu, unsigned long request, void *arg)
{
	const struct kvm_regs *regs = arg;

	switch (request) {
	case KVM_RUN:
		return exec_run(vcpu, arg);
	case KVM_SET_REGS:
		/* The first vCPU is set to the reset vector: the machine is reset. */
		if (!vcpu->id && vcpu->runs && regs->rip == RESET_RIP)
			exec_reset(vcpu->vm);
		return calls->ioctl(vcpu->fd, request, arg);
	case KVM_SET_CPUID2:
		return exec_cpuid_set(vcpu, arg);
	default:
		return calls->ioctl(vcpu->fd, request, arg);
	}
}

EXPORT int ioctl(int fd, unsigned long request, ...)
{
	struct exec_vcpu *vcpu;
	struct exec_vm *vm;
	va_list args;
	void *arg;

	va_start(args, request);
	arg = va_arg(args, void *);
	va_end(args);
	/* The kernel uses only the lower half. */
	request = (unsigned int)request;
	if (_IOC_TYPE(request) != KVMIO)
		return exec_next()->ioctl(fd, request, arg);
	exec_next();
	if (request == KVM_CREATE_VM)
		return result(create_vm(fd, arg));
	vcpu = exec_vcpu_of(fd);
	if (vcpu)
		return result(vcpu_ioctl(vcpu, request, arg));
	vm = exec_vm_of(fd);
	if (vm)
		return result(vm_ioctl(vm, request, arg));
	return exec_next()->ioctl(fd, request, arg);
}

EXPORT int close(int fd)
{
	exec_closing(fd);
	exec_memfd_closing(fd);
	return exec_next()->close(fd);
}

EXPORT int memfd_create(const char *name, unsigned int flags)
{
	bool wanted = exec_memfd_wanted(name);
	int fd;

	if (wanted && exec_memfd_refused(flags))
		return result(-EINVAL);
	fd = exec_next()->memfd_create(name, flags);
	if (wanted && fd >= 0)
		exec_memfd_made(fd, flags);
	return fd;
}

EXPORT int resize(int fd, int64_t length)
{
	const struct exec_next *next = exec_next();

	if (length > 0 && exec_memfd_resize(fd, (uint64_t)length))
		return 0;
	return next->ftruncate(fd, length);
}

/* Pass the argument on as the C library does, whatever its type, and even if there is none. */
EXPORT int control(int fd, int request, ...)
{
	va_list args;
	void *arg;
	int rc;

	va_start(args, request);
	arg = va_arg(args, void *);
	va_end(args);
	if (exec_memfd_seals(fd, request, (unsigned int)(uintptr_t)arg, &rc))
		return result(rc);
	return exec_next()->fcntl(fd, request, arg);
}

/* Return: whether a save is refused. An invalid @count is left to the kernel. */
static bool refused(const struct iovec *parts, int count)
{
	if (count <= 0 || !exec_save_refuses(parts, (size_t)count))
		return false;
	errno = EPERM;
	return true;
}

EXPORT ssize_t writev(int fd, const struct iovec *parts, int count)
{
	const struct exec_next *next = exec_next();

	return refused(parts, count) ? -1 : next->writev(fd, parts, count);
}

EXPORT ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
	const struct exec_next *next = exec_next();

	return refused(message->msg_iov, (int)message->msg_iovlen) ? -1 :
	       next->sendmsg(fd, message, flags);
}

EXPORT ssize_t put(int fd, const void *data, size_t size, int64_t offset)
{
	const struct iovec part = { (void *)data, size };
	const struct exec_next *next = exec_next();

	return refused(&part, 1) ? -1 : next->pwrite(fd, data, size, offset);
}

EXPORT ssize_t putv(int fd, const struct iovec *parts, int count, int64_t offset)
{
	const struct exec_next *next = exec_next();

	return refused(parts, count) ? -1 : next->pwritev(fd, parts, count, offset);
}

static bool request_refused(const struct iocb *request)
{
	const struct iovec part = { (void *)(uintptr_t)request->aio_buf, request->aio_nbytes };

	switch (request->aio_lio_opcode) {
	case IOCB_CMD_PWRITE:
		return exec_save_refuses(&part, 1);
	case IOCB_CMD_PWRITEV:
		return exec_save_refuses(part.iov_base, part.iov_len);
	default:
		return false;
	}
}

/* Submit the requests before the first refused one. If that is the first, return its error. */
EXPORT int io_submit(void *context, long count, struct iocb **requests)
{
	const struct exec_next *next = exec_next();
	long good = 0;

	while (good < count && !request_refused(requests[good]))
		good++;
	if (count > 0 && !good)
		return -EPERM;
	return next->io_submit ? next->io_submit(context, good, requests) : -ENOSYS;
}

/* Give a refused request an invalid descriptor, so that it fails with EBADF. */
static void ring_refuse(struct io_uring *ring)
{
	for (unsigned int i = ring->head; i != ring->tail; i++) {
		struct io_uring_sqe *request = &ring->requests[i & *ring->mask];
		const struct iovec part = { (void *)(uintptr_t)request->addr, request->len };
		bool refuse = false;

		if (request->opcode == IORING_OP_WRITE)
			refuse = exec_save_refuses(&part, 1);
		else if (request->opcode == IORING_OP_WRITEV)
			refuse = exec_save_refuses(part.iov_base, part.iov_len);
		if (refuse)
			request->fd = -1;
	}
}

EXPORT int io_uring_submit(struct io_uring *ring)
{
	const struct exec_next *next = exec_next();

	ring_refuse(ring);
	return next->io_uring_submit ? next->io_uring_submit(ring) : -ENOSYS;
}

EXPORT int io_uring_submit_and_wait(struct io_uring *ring, unsigned int count)
{
	const struct exec_next *next = exec_next();

	ring_refuse(ring);
	return next->io_uring_submit_and_wait ?
	       next->io_uring_submit_and_wait(ring, count) : -ENOSYS;
}

EXPORT int sigaction(int number, const struct sigaction *action, struct sigaction *old)
{
	if (exec_signals_action(number, action, old))
		return 0;
	return exec_next()->sigaction(number, action, old);
}

EXPORT sighandler_t signal(int number, sighandler_t handler)
{
	struct sigaction action = { .sa_handler = handler, .sa_flags = SA_RESTART };
	struct sigaction old;

	if (!exec_signals_action(number, &action, &old))
		return exec_next()->signal(number, handler);
	/* sa_handler and sa_sigaction are a union, so this is right for both. */
	return old.sa_handler;
}

EXPORT int sigprocmask(int how, const sigset_t *set, sigset_t *old)
{
	sigset_t allowed;

	set = exec_signals_mask(how, set, &allowed);
	return exec_next()->sigprocmask(how, set, old);
}

EXPORT int pthread_sigmask(int how, const sigset_t *set, sigset_t *old)
{
	sigset_t allowed;

	set = exec_signals_mask(how, set, &allowed);
	return exec_next()->pthread_sigmask(how, set, old);
}

static void __attribute__((constructor)) preload_start(void)
{
	exec_next();
	exec_settings_read();
}

static void __attribute__((destructor)) preload_end(void)
{
	exec_control_stop();
	exec_say_stats();
}
