/* SPDX-License-Identifier: GPL-2.0 */
/* The option --memory: SIZE, or a list of what the memory is to be like. */
#ifndef GMEMCTL_CLI_MEMORY_OPTION_H
#define GMEMCTL_CLI_MEMORY_OPTION_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "../base/error.h"
#include "../memory/options.h"
#include "command.h"

/**
 * struct memory_option - the option, parsed
 * @request: without ranges; where RAM is depends on the machine
 * @size: bytes, 0: not given
 * @kind_given: the kind was named, or follows from another key
 * @path: what @request.path points to; so copies of this structure share it
 */
struct memory_option {
	struct memory_request request;
	uint64_t size;
	bool kind_given;
	char path[PATH_MAX];
};

/**
 * memory_option_parse() - parse SIZE|KEY[=VALUE],...
 * @text: for instance "4G", "size=4G,kind=gmem-store" or "512M,hugepages"
 * @out: all of it is set on success
 *
 * The first item may be a bare SIZE. Each key may come once. A key that is on
 * or off is on without a value. A path ends at a comma, unless two are there,
 * which stand for one.
 *
 * What the keys allow together is checked as memory_config_check() does it.
 *
 * Return: 0, or -EINVAL with @error saying which item is wrong.
 */
int memory_option_parse(const char *text, struct memory_option *out, struct error *error);

/** option_memory() - a struct memory_option: as an option of a command */
int option_memory(const struct cli_option *option, const char *name, const char *text, void *to);

#endif /* GMEMCTL_CLI_MEMORY_OPTION_H */
