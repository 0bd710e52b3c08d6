/* SPDX-License-Identifier: GPL-2.0 */
/* The kernel modules: whether they are loaded, loading, unloading. */
#ifndef GMEMCTL_CLI_MODULES_H
#define GMEMCTL_CLI_MODULES_H

#include <stdbool.h>
#include <stddef.h>

#include "../base/error.h"

#define MODULES_COUNT 2

/** modules_names: in the order of loading */
extern const char *const modules_names[MODULES_COUNT];

bool modules_loaded(const char *name);

/** modules_version() - version of a loaded module; "" if it has none */
void modules_version(const char *name, char *version, size_t size);

/**
 * modules_load() - load all modules that are not loaded yet
 * @dir: directory with .ko files, or NULL for the kernel's own
 */
int modules_load(const char *dir, struct error *error);

/**
 * modules_check_abi() - whether the loaded gmem speaks this program's ABI
 * @abi: out: its version
 */
int modules_check_abi(unsigned int *abi, struct error *error);

#endif /* GMEMCTL_CLI_MODULES_H */
