// SPDX-License-Identifier: GPL-2.0
/*
 * The simulator of a process: made when /dev/kvm or /dev/sev is opened for the
 * first time, from the environment as it is then. Its files are real ones, so
 * that their numbers are the process's and that a kvm_run can be mapped.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../internal.h"
#include "../settings.h"
#include "shim.h"

static struct sim *host;
static size_t run_size = SIM_RUN_SIZE;
static bool hybrid;

/*
 * All of the simulator's state. Recursive: what runs with it held, such as the
 * start of libcrypto, may close a file.
 */
static pthread_mutex_t lock = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;

static int map_run(void *context, int fd, void **run)
{
	void *address = mmap(NULL, run_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (address == MAP_FAILED)
		return -errno;
	*run = address;
	return 0;
}

static int vcpu_file(void **run)
{
	int fd = memfd_create("simulated vCPU", MFD_CLOEXEC);
	int rc;

	if (fd < 0)
		return -errno;
	rc = ftruncate(fd, (off_t)run_size) ? -errno : map_run(NULL, fd, run);
	if (rc) {
		shim_next()->close(fd);
		return rc;
	}
	return fd;
}

/* Like a VM or /dev/kvm, an eventfd cannot be mapped. */
static int file_open(void *context, enum sim_kind kind, void **run)
{
	int fd;

	if (kind == SIM_VCPU)
		return vcpu_file(run);
	fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return fd < 0 ? -errno : fd;
}

static void file_forget(void *context, void *run)
{
	munmap(run, run_size);
}

static const struct sim_files files = { file_open, file_forget, NULL };

static int kernel_ioctl(void *context, int fd, unsigned long request, uint64_t arg)
{
	int rc = shim_next()->ioctl(fd, request, (void *)arg);

	return rc < 0 ? -errno : rc;
}

static int kernel_open(void *context)
{
	int fd = shim_next()->openat(AT_FDCWD, KVM_DEVICE_PATH, O_RDWR | O_CLOEXEC);
	int size;

	if (fd < 0)
		return -errno;
	size = kernel_ioctl(context, fd, KVM_GET_VCPU_MMAP_SIZE, 0);
	if (size > 0)
		run_size = (size_t)size;
	return fd;
}

static const struct sim_kernel kernel = {
	.open = kernel_open, .ioctl = kernel_ioctl, .map = map_run,
};

static int start_trace(const char *path)
{
	FILE *file = !strcmp(path, "-") ? stderr : fopen(path, "we");
	int rc = -errno;

	if (!file) {
		fprintf(stderr, "gmemctl-sim: %s: %s\n", path, strerror(-rc));
		return rc;
	}
	sim_trace(host, file);
	return 0;
}

/* What is wrong with the settings is said once. */
static int start(void)
{
	struct sim_settings settings;
	char message[256];
	static bool refused;

	if (host || refused)
		return refused ? -EINVAL : 0;
	if (sim_settings_parse(&settings, environ, message, sizeof(message))) {
		fprintf(stderr, "gmemctl-sim: %s\n", message);
		refused = true;
		return -EINVAL;
	}
	settings.config.files = &files;
	hybrid = settings.hybrid;
	settings.config.kernel = hybrid ? &kernel : NULL;
	host = sim_settings_create(&settings);
	if (!host)
		return -ENOMEM;
	return settings.trace ? start_trace(settings.trace) : 0;
}

const struct sim_config *shim_config(void)
{
	int rc;

	pthread_mutex_lock(&lock);
	rc = start();
	pthread_mutex_unlock(&lock);
	return rc ? NULL : &host->config;
}

int shim_open(const char *path, int flags)
{
	int rc;

	if (!path)
		return SHIM_NOT_OURS;
	if (strcmp(path, KVM_DEVICE_PATH) && strcmp(path, SNP_DEVICE_PATH))
		return platform_open(path);
	pthread_mutex_lock(&lock);
	rc = start();
	if (!rc)
		rc = sim_open(host, path, flags);
	if (rc >= 0 && !(flags & O_CLOEXEC))
		shim_next()->fcntl(rc, F_SETFD, 0);
	pthread_mutex_unlock(&lock);
	return rc;
}

/* With the lock held if it is true */
static bool enter(int fd)
{
	pthread_mutex_lock(&lock);
	if (host && sim_is_fd(host, fd))
		return true;
	pthread_mutex_unlock(&lock);
	return false;
}

int shim_ioctl(int fd, unsigned long request, void *arg)
{
	int rc;

	if (!enter(fd))
		return SHIM_NOT_OURS;
	rc = sim_ioctl(host, fd, request, arg);
	pthread_mutex_unlock(&lock);
	return rc;
}

int shim_fallocate(int fd, int mode, uint64_t offset, uint64_t length)
{
	int rc = -EOPNOTSUPP;

	if (!enter(fd))
		return SHIM_NOT_OURS;
	if (mode == (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE))
		rc = sim_punch(host, fd, offset, length);
	else if (!(mode & ~FALLOC_FL_KEEP_SIZE))
		rc = sim_allocate(host, fd, offset, length);
	pthread_mutex_unlock(&lock);
	/* In hybrid mode it is the kernel's file, too. */
	return hybrid ? SHIM_NOT_OURS : rc;
}

void shim_closing(int fd)
{
	platform_closing(fd);
	if (!enter(fd))
		return;
	sim_close(host, fd);
	pthread_mutex_unlock(&lock);
}

void shim_duplicated(int fd, int number)
{
	if (fd == number)
		return;
	shim_closing(number);
	if (!enter(fd))
		return;
	sim_dup(host, fd, number);
	pthread_mutex_unlock(&lock);
}
