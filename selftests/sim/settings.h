/* SPDX-License-Identifier: GPL-2.0 */
/* Settings of the simulator, from environment variables. */
#ifndef GMEMCTL_SIM_SETTINGS_H
#define GMEMCTL_SIM_SETTINGS_H

#include "sim.h"

#define SIM_SETTINGS_PREFIX "GMEMCTL_SIM_"
#define SIM_SETTINGS_FAULTS 16
#define SIM_SETTINGS_EXITS 32

struct sim_settings_fault {
	enum sim_event event;
	unsigned int nth;
	uint32_t error;
};

struct sim_settings_exit {
	uint32_t vcpu;
	struct sim_exit exit;
};

/**
 * struct sim_settings - the settings
 * @config: the host
 * @faults: events of FAIL
 * @exits: exits of SCRIPT
 * @trace: path of the trace, or NULL; "-" is standard error
 * @hybrid: a real KVM handles calls that are not about SNP
 */
struct sim_settings {
	struct sim_config config;
	struct sim_settings_fault faults[SIM_SETTINGS_FAULTS];
	unsigned int nr_faults;
	struct sim_settings_exit exits[SIM_SETTINGS_EXITS];
	unsigned int nr_exits;
	const char *trace;
	bool hybrid;
};

/**
 * sim_settings_parse() - parse all variables that begin with SIM_SETTINGS_PREFIX
 * @environment: as in environ(7); its texts must outlive the settings
 * @message: out: description of an error
 * @size: size of @message
 *
 * Return: 0, or -EINVAL for an unknown name or an invalid value.
 */
int sim_settings_parse(struct sim_settings *settings, char *const *environment,
		       char *message, size_t size);

/** sim_settings_create() - create a simulator with these settings, or return NULL */
struct sim *sim_settings_create(const struct sim_settings *settings);

#endif /* GMEMCTL_SIM_SETTINGS_H */
