/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The simulator as a library that is loaded before all others: the program's
 * system calls that concern /dev/kvm and /dev/sev end here.
 */
#ifndef GMEMCTL_SIM_SHIM_SHIM_H
#define GMEMCTL_SIM_SHIM_SHIM_H

#include <stdint.h>
#include <sys/types.h>

/* The next library's functions */
struct shim_next {
	int (*openat)(int directory, const char *path, int flags, ...);
	int (*close)(int fd);
	int (*ioctl)(int fd, unsigned long request, ...);
	int (*dup)(int fd);
	int (*dup2)(int fd, int number);
	int (*dup3)(int fd, int number, int flags);
	int (*fcntl)(int fd, int command, ...);
	int (*fallocate)(int fd, int mode, off_t offset, off_t length);
	int (*close_range)(unsigned int first, unsigned int last, int flags);
};

const struct shim_next *shim_next(void);

/*
 * Return: SHIM_NOT_OURS if the file or path is not the simulator's, else what
 * the call returns, as a negative errno on failure.
 */
#define SHIM_NOT_OURS (-0x10000)

int shim_open(const char *path, int flags);
/** platform_open() - a file that is not a device of KVM's; likewise */
int platform_open(const char *path);
void platform_closing(int fd);
/** shim_config() - of the simulated host; NULL: there is none, for its settings are wrong */
const struct sim_config *shim_config(void);
int shim_ioctl(int fd, unsigned long request, void *arg);
int shim_fallocate(int fd, int mode, uint64_t offset, uint64_t length);

/* The file itself is already, or is going to be, duplicated or closed. */
void shim_duplicated(int fd, int number);
void shim_closing(int fd);

#endif /* GMEMCTL_SIM_SHIM_SHIM_H */
