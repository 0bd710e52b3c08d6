// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "realm/abi.h"
#include "snp/abi.h"
#include "settings.h"

#define WORD_MAX 64
#define ASIDS 8

/* Whole text, decimal or with 0x; no sign, no blank. */
static bool parse_number(const char *text, uint64_t max, uint64_t *value)
{
	char *end;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	*value = strtoull(text, &end, 0);
	return !errno && !*end && *value <= max;
}

static bool parse_bool(const char *text, bool *value)
{
	*value = *text == '1';
	return !strcmp(text, "0") || !strcmp(text, "1");
}

/* The next word of a list; false at its end, or if the word is too long. */
static bool next_word(const char **list, char separator, char word[WORD_MAX])
{
	const char *from = *list;
	size_t length;

	if (!from)
		return false;
	length = (size_t)(strchrnul(from, separator) - from);
	*list = from[length] ? from + length + 1 : NULL;
	if (length >= WORD_MAX)
		length = 0;
	memcpy(word, from, length);
	word[length] = '\0';
	return true;
}

static bool parse_profile(struct sim_settings *settings, const char *text)
{
	settings->config.profile = strcmp(text, "7.3") ? SIM_LINUX_6_12 :
							 SIM_LINUX_7_3;
	return !strcmp(text, "6.12") || !strcmp(text, "7.3");
}

static bool parse_arm(struct sim_settings *settings, const char *text)
{
	static const char *const names[] = {
		[SIM_ARM_PLAIN] = "plain", [SIM_ARM_CCA_V14] = "cca-v14",
		[SIM_ARM_OTHER] = "other",
	};

	for (int i = SIM_ARM_PLAIN; i <= SIM_ARM_OTHER; i++) {
		if (strcmp(names[i], text))
			continue;
		settings->config.arm = (enum sim_arm)i;
		return true;
	}
	return false;
}

static bool parse_host(struct sim_settings *settings, const char *text)
{
	const struct {
		const char *name;
		bool *flag;
	} flags[] = {
		{ "no-snp", &settings->config.no_snp },
		{ "no-dev-sev", &settings->config.no_dev_sev },
		{ "snp-uninitialized", &settings->config.snp_uninitialized },
		{ "psp-dead", &settings->config.psp_dead },
		{ "no-smt", &settings->config.no_smt },
		{ "sw-protected", &settings->config.sw_protected },
		{ "no-gmem", &settings->config.no_gmem },
		{ "la57", &settings->config.la57 },
	};
	char word[WORD_MAX];

	while (next_word(&text, ',', word)) {
		size_t i = 0;

		while (i < sizeof(flags) / sizeof(flags[0]) &&
		       strcmp(flags[i].name, word))
			i++;
		if (i == sizeof(flags) / sizeof(flags[0]))
			return false;
		*flags[i].flag = true;
	}
	return true;
}

static bool parse_unsigned(const char *text, unsigned int *value)
{
	uint64_t number;

	if (!parse_number(text, UINT32_MAX, &number))
		return false;
	*value = (unsigned int)number;
	return true;
}

static bool parse_without(struct sim_settings *settings, const char *text)
{
	char word[WORD_MAX];

	for (int i = 0; next_word(&text, ',', word); i++) {
		unsigned int *capability = &settings->config.without[i];

		if (i == SIM_WITHOUT || !parse_unsigned(word, capability) ||
		    !*capability)
			return false;
	}
	return true;
}

/* LEAF[.INDEX]:REGISTER:VALUE */
static bool parse_register(struct sim_cpuid_value *given, const char *text)
{
	static const char *const names[] = { "eax", "ebx", "ecx", "edx" };
	char word[WORD_MAX], part[WORD_MAX];
	const char *leaf = word;

	*given = (struct sim_cpuid_value){ 0 };
	if (!next_word(&text, ':', word) || !next_word(&leaf, '.', part) ||
	    !parse_unsigned(part, &given->leaf) ||
	    (leaf && !parse_unsigned(leaf, &given->index)) ||
	    !next_word(&text, ':', word))
		return false;
	while (given->reg < 4 && strcmp(names[given->reg], word))
		given->reg++;
	return given->reg < 4 && text && parse_unsigned(text, &given->value);
}

static bool parse_cpuid(struct sim_settings *settings, const char *text)
{
	struct sim_config *config = &settings->config;
	char word[WORD_MAX];

	while (next_word(&text, ',', word))
		if (config->nr_cpuid == SIM_CPUID_VALUES ||
		    !parse_register(&config->cpuid[config->nr_cpuid++], word))
			return false;
	return true;
}

static bool parse_asids(struct sim_settings *settings, const char *text)
{
	return parse_unsigned(text, &settings->config.asids);
}

static bool parse_progress(struct sim_settings *settings, const char *text)
{
	return parse_unsigned(text, &settings->config.progress);
}

static bool parse_ipa_bits(struct sim_settings *settings, const char *text)
{
	return parse_unsigned(text, &settings->config.ipa_bits) &&
	       settings->config.ipa_bits <= REALM_IPA_BITS_MAX;
}

static bool parse_strict(struct sim_settings *settings, const char *text)
{
	return parse_bool(text, &settings->config.strict);
}

static bool parse_hybrid(struct sim_settings *settings, const char *text)
{
	return parse_bool(text, &settings->hybrid);
}

static bool parse_trace(struct sim_settings *settings, const char *text)
{
	settings->trace = text;
	return *text;
}

/* Whether an event has an error to go with it */
enum event_error { NO_ERROR, HAS_ERROR, MAY_HAVE_ERROR };

static const struct {
	const char *name;
	enum event_error error;
} event_names[SIM_EVENTS] = {
	[SIM_GCTX_CREATE] = { "gctx-create", HAS_ERROR },
	[SIM_START] = { "start", HAS_ERROR },
	[SIM_ACTIVATE] = { "activate", HAS_ERROR },
	[SIM_UPDATE] = { "update", HAS_ERROR },
	[SIM_FINISH] = { "finish", HAS_ERROR },
	[SIM_SIGNAL] = { "signal", NO_ERROR },
	[SIM_AGAIN] = { "again", NO_ERROR },
	[SIM_RMI_CREATE] = { "rmi-create", NO_ERROR },
	[SIM_RMI_POPULATE] = { "rmi-populate", MAY_HAVE_ERROR },
	[SIM_RMI_REC] = { "rmi-rec", NO_ERROR },
	[SIM_RMI_RIPAS] = { "rmi-ripas", NO_ERROR },
	[SIM_RMI_ACTIVATE] = { "rmi-activate", NO_ERROR },
};

/* EVENT:NTH[:ERROR] */
static bool parse_fault(struct sim_settings_fault *fault, const char *text)
{
	enum event_error error;
	char word[WORD_MAX];
	int event = 0;

	next_word(&text, ':', word);
	while (event < SIM_EVENTS && strcmp(event_names[event].name, word))
		event++;
	if (event == SIM_EVENTS)
		return false;
	error = event_names[event].error;
	fault->event = (enum sim_event)event;
	fault->error = 0;
	if (!next_word(&text, ':', word) ||
	    !parse_unsigned(word, &fault->nth) || !fault->nth)
		return false;
	if (error == NO_ERROR || (error == MAY_HAVE_ERROR && !text))
		return !text;
	return next_word(&text, ':', word) &&
	       parse_unsigned(word, &fault->error) && fault->error && !text;
}

static bool parse_fail(struct sim_settings *settings, const char *text)
{
	char word[WORD_MAX];

	while (next_word(&text, ',', word)) {
		if (settings->nr_faults == SIM_SETTINGS_FAULTS ||
		    !parse_fault(&settings->faults[settings->nr_faults++], word))
			return false;
	}
	return true;
}

/**
 * struct exit_name - how an exit is written
 * @numbers: that follow: none, the GHCB MSR, or GPA and pages
 */
struct exit_name {
	const char *name;
	uint32_t reason;
	bool private;
	unsigned int numbers;
};

static const struct exit_name exit_names[] = {
	{ "map-private", KVM_EXIT_HYPERCALL, true, 2 },
	{ "map-shared", KVM_EXIT_HYPERCALL, false, 2 },
	{ "fault-private", KVM_EXIT_MEMORY_FAULT, true, 2 },
	{ "fault-shared", KVM_EXIT_MEMORY_FAULT, false, 2 },
	{ "certs", KVM_EXIT_SNP_REQ_CERTS, false, 2 },
	{ "term", KVM_EXIT_SYSTEM_EVENT, false, 1 },
	{ "event", KVM_EXIT_SYSTEM_EVENT, false, 1 },
	{ "mmio-read", KVM_EXIT_MMIO, false, 2 },
	{ "mmio-write", KVM_EXIT_MMIO, true, 2 },
	{ "shutdown", KVM_EXIT_SHUTDOWN, false, 0 },
	{ "reset-hold", KVM_EXIT_AP_RESET_HOLD, false, 0 },
};

#define EXIT_NAMES (sizeof(exit_names) / sizeof(exit_names[0]))

static const struct exit_name *find_exit(const char *name)
{
	for (size_t i = 0; i < EXIT_NAMES; i++)
		if (!strcmp(exit_names[i].name, name))
			return &exit_names[i];
	return NULL;
}

/* NAME[:NUMBER[:NUMBER]] */
static bool parse_exit(struct sim_exit *exit, const char *text)
{
	const struct exit_name *name;
	uint64_t numbers[2] = { 0 };
	char word[WORD_MAX];

	next_word(&text, ':', word);
	name = find_exit(word);
	if (!name)
		return false;
	for (unsigned int i = 0; i < name->numbers; i++)
		if (!next_word(&text, ':', word) ||
		    !parse_number(word, UINT64_MAX, &numbers[i]))
			return false;
	*exit = (struct sim_exit){
		.reason = name->reason, .private = name->private,
		.gpa = name->numbers == 2 ? numbers[0] : 0,
		.pages = numbers[1],
		.data = name->numbers == 1 ? numbers[0] : 0,
	};
	return !text;
}

/* [VCPU/]EXIT,...; without a number it is vCPU 0. */
static bool parse_script(struct sim_settings *settings, const char *text)
{
	char word[WORD_MAX];

	while (next_word(&text, ',', word)) {
		struct sim_settings_exit *exit =
			&settings->exits[settings->nr_exits];
		char *slash = strchr(word, '/');

		if (settings->nr_exits++ == SIM_SETTINGS_EXITS)
			return false;
		exit->vcpu = 0;
		if (slash)
			*slash = '\0';
		if (slash && !parse_unsigned(word, &exit->vcpu))
			return false;
		if (!parse_exit(&exit->exit, slash ? slash + 1 : word))
			return false;
	}
	return true;
}

static const struct setting {
	const char *name;
	bool (*parse)(struct sim_settings *settings, const char *text);
	const char *hint;
} all_settings[] = {
	{ "PROFILE", parse_profile, "6.12 or 7.3" },
	{ "HOST", parse_host, "no-snp, snp-uninitialized, psp-dead, no-smt, "
	  "sw-protected, no-gmem, la57; separated by commas" },
	{ "ARM", parse_arm, "plain, cca-v14 or other" },
	{ "IPA_BITS", parse_ipa_bits, "bits of a realm's addresses; 0: KVM's" },
	{ "WITHOUT", parse_without, "numbers of capabilities, at most 8, separated "
	  "by commas" },
	{ "CPUID", parse_cpuid, "LEAF[.INDEX]:REGISTER:VALUE, such as "
	  "0x7.0:ebx:0x40; at most 16, separated by commas" },
	{ "ASIDS", parse_asids, "a number of guests" },
	{ "PROGRESS", parse_progress, "pages in one LAUNCH_UPDATE or RMI_POPULATE; "
	  "0: no limit" },
	{ "FAIL", parse_fail, "gctx-create, start, activate, update or finish"
	  ":NTH:ERROR, signal:NTH, again:NTH; of an RMM rmi-create, rmi-rec, "
	  "rmi-ripas or rmi-activate:NTH, rmi-populate:NTH[:PAGES]; separated by "
	  "commas" },
	{ "SCRIPT", parse_script, "[VCPU/]EXIT,...: map-private:GPA:PAGES, "
	  "map-shared:, fault-private:, fault-shared:, certs:GPA:PAGES, "
	  "term:MSR, shutdown, reset-hold; on arm64 event:TYPE, "
	  "mmio-read:GPA:BYTES, mmio-write:" },
	{ "STRICT", parse_strict, "0 or 1" },
	{ "HYBRID", parse_hybrid, "0 or 1" },
	{ "TRACE", parse_trace, "a file, or - for standard error" },
};

static int parse_one(struct sim_settings *settings, const char *variable,
		     char *message, size_t size)
{
	const char *name = variable + strlen(SIM_SETTINGS_PREFIX);
	const char *equals = strchr(name, '=');

	for (size_t i = 0; equals && i < sizeof(all_settings) /
	     sizeof(all_settings[0]); i++) {
		const struct setting *setting = &all_settings[i];
		size_t length = strlen(setting->name);

		if ((size_t)(equals - name) != length ||
		    memcmp(name, setting->name, length))
			continue;
		if (setting->parse(settings, equals + 1))
			return 0;
		snprintf(message, size, "%s: not understood; it is %s", variable,
			 setting->hint);
		return -EINVAL;
	}
	snprintf(message, size, "%s: no such setting of the simulator",
		 variable);
	return -EINVAL;
}

int sim_settings_parse(struct sim_settings *settings, char *const *environment,
		       char *message, size_t size)
{
	int rc = 0;

	*settings = (struct sim_settings){
		.config = { .profile = SIM_LINUX_7_3, .asids = ASIDS },
	};
	for (; *environment && !rc; environment++)
		if (!strncmp(*environment, SIM_SETTINGS_PREFIX,
			     strlen(SIM_SETTINGS_PREFIX)))
			rc = parse_one(settings, *environment, message, size);
	if (rc || !settings->hybrid || !settings->config.arm)
		return rc;
	snprintf(message, size, SIM_SETTINGS_PREFIX "HYBRID: not with ARM: the "
		 "KVM here is of another architecture");
	return -EINVAL;
}

struct sim *sim_settings_create(const struct sim_settings *settings)
{
	struct sim *sim = sim_create(&settings->config);
	int rc = 0;

	if (!sim)
		return NULL;
	for (unsigned int i = 0; i < settings->nr_faults && !rc; i++)
		rc = sim_fail(sim, settings->faults[i].event,
			      settings->faults[i].nth,
			      settings->faults[i].error);
	for (unsigned int i = 0; i < settings->nr_exits && !rc; i++)
		rc = sim_plan(sim, settings->exits[i].vcpu,
			      &settings->exits[i].exit);
	if (!rc)
		return sim;
	sim_destroy(sim);
	return NULL;
}
