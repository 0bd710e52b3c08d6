/* SPDX-License-Identifier: GPL-2.0 */
/* A PC that never runs, above the KVM of the tests, and what answers for it. */
#ifndef GMEMCTL_TEST_PC_FAKE_H
#define GMEMCTL_TEST_PC_FAKE_H

#include <stdbool.h>

#include "../machine/pc.h"

/**
 * struct pc_fake - a PC with 16 pages at 0 and 16 at 64, which can be private
 * @pc: not created by pc_create(): it has memory, but neither CPUs nor devices
 * @control: of @pc; it has no socket
 * @error: why the last request was refused
 */
struct pc_fake {
	struct pc pc;
	struct pc_control control;
	struct error error;
};

extern struct pc_fake pc_fake;

/**
 * machine_fake_start() - a machine above the KVM of the tests, which has been started
 * @config: it has memory if that says so
 *
 * Neither a VM nor vCPUs are created. Return: whether that has worked.
 */
bool machine_fake_start(struct machine *machine, const struct machine_config *config);

/** machine_fake_stop() - and the system's calls are back */
void machine_fake_stop(struct machine *machine);

/** pc_fake_start() - build it. Return: whether that has worked. */
bool pc_fake_start(void);
void pc_fake_stop(void);

/** pc_ask_for() - what the control socket answers to @command with @text, JSON */
int pc_ask_for(const char *command, const char *text, struct json_object **result);

/** pc_ask() - the same, without what is answered */
int pc_ask(const char *command, const char *text);

#endif /* GMEMCTL_TEST_PC_FAKE_H */
