/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The simulator as a library that is loaded before the C library. It handles the program's system
 * calls for /dev/kvm, /dev/sev and other files of the simulated host.
 */
#ifndef GMEMCTL_SIM_SHIM_SHIM_H
#define GMEMCTL_SIM_SHIM_SHIM_H

#include <stdint.h>
#include <sys/types.h>

/* Functions of the next library, usually the C library */
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
 * These functions return SHIM_NOT_OURS if the file or path does not belong to the simulator.
 * Otherwise they return the result of the call, or a negative errno.
 */
#define SHIM_NOT_OURS (-0x10000)

int shim_open(const char *path, int flags);
/** platform_open() - open a file of the simulated host that is no device; returns as shim_open() */
int platform_open(const char *path);
void platform_closing(int fd);
/** shim_config() - configuration of the simulated host; NULL: the settings are invalid */
const struct sim_config *shim_config(void);
int shim_ioctl(int fd, unsigned long request, void *arg);
int shim_fallocate(int fd, int mode, uint64_t offset, uint64_t length);

/* Called after a file was duplicated, and before a file is closed */
void shim_duplicated(int fd, int number);
void shim_closing(int fd);

#endif /* GMEMCTL_SIM_SHIM_SHIM_H */
