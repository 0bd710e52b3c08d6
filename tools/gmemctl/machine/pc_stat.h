/* SPDX-License-Identifier: GPL-2.0 */
/* What a running PC says about itself. */
#ifndef GMEMCTL_MACHINE_PC_STAT_H
#define GMEMCTL_MACHINE_PC_STAT_H

#include <json-c/json.h>
#include <stdint.h>

#include "pc_control.h"

/** pc_memory_size() - bytes of its RAM */
uint64_t pc_memory_size(const struct pc *pc);

/** pc_stat() - an object, which is the caller's */
struct json_object *pc_stat(struct pc_control *control);

#endif /* GMEMCTL_MACHINE_PC_STAT_H */
