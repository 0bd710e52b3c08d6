// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stddef.h>
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

static bool parse_unsigned(void *value, const char *text)
{
	uint64_t number;

	if (!parse_number(text, UINT32_MAX, &number))
		return false;
	*(unsigned int *)value = (unsigned int)number;
	return true;
}

static bool parse_ipa_bits(void *value, const char *text)
{
	return parse_unsigned(value, text) && *(unsigned int *)value <= REALM_IPA_BITS_MAX;
}

static bool parse_bool(void *value, const char *text)
{
	*(bool *)value = *text == '1';
	return !strcmp(text, "0") || !strcmp(text, "1");
}

static bool parse_text(void *value, const char *text)
{
	*(const char **)value = text;
	return *text;
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

static bool parse_profile(void *value, const char *text)
{
	*(enum sim_profile *)value = strcmp(text, "7.3") ? SIM_LINUX_6_12 : SIM_LINUX_7_3;
	return !strcmp(text, "6.12") || !strcmp(text, "7.3");
}

static bool parse_arm(void *value, const char *text)
{
	static const char *const names[] = {
		[SIM_ARM_PLAIN] = "plain", [SIM_ARM_CCA_V14] = "cca-v14",
		[SIM_ARM_OTHER] = "other",
	};

	for (int i = SIM_ARM_PLAIN; i <= SIM_ARM_OTHER; i++) {
		if (strcmp(names[i], text))
			continue;
		*(enum sim_arm *)value = (enum sim_arm)i;
		return true;
	}
	return false;
}

static bool parse_host(void *value, const char *text)
{
	struct sim_config *config = value;
	const struct {
		const char *name;
		bool *flag;
	} flags[] = {
		{ "no-snp", &config->no_snp },
		{ "no-dev-sev", &config->no_dev_sev },
		{ "snp-uninitialized", &config->snp_uninitialized },
		{ "psp-dead", &config->psp_dead },
		{ "no-smt", &config->no_smt },
		{ "sw-protected", &config->sw_protected },
		{ "no-gmem", &config->no_gmem },
		{ "la57", &config->la57 },
	};
	char word[WORD_MAX];

	while (next_word(&text, ',', word)) {
		size_t i = 0;

		while (i < sizeof(flags) / sizeof(flags[0]) && strcmp(flags[i].name, word))
			i++;
		if (i == sizeof(flags) / sizeof(flags[0]))
			return false;
		*flags[i].flag = true;
	}
	return true;
}

static bool parse_without(void *value, const char *text)
{
	uint32_t *without = value;
	char word[WORD_MAX];

	for (int i = 0; next_word(&text, ',', word); i++)
		if (i == SIM_WITHOUT || !parse_unsigned(&without[i], word) || !without[i])
			return false;
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
	    !parse_unsigned(&given->leaf, part) || (leaf && !parse_unsigned(&given->index, leaf)) ||
	    !next_word(&text, ':', word))
		return false;
	while (given->reg < 4 && strcmp(names[given->reg], word))
		given->reg++;
	return given->reg < 4 && text && parse_unsigned(&given->value, text);
}

static bool parse_cpuid(void *value, const char *text)
{
	struct sim_config *config = value;
	char word[WORD_MAX];

	while (next_word(&text, ',', word))
		if (config->nr_cpuid == SIM_CPUID_VALUES ||
		    !parse_register(&config->cpuid[config->nr_cpuid++], word))
			return false;
	return true;
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
	if (!next_word(&text, ':', word) || !parse_unsigned(&fault->nth, word) || !fault->nth)
		return false;
	if (error == NO_ERROR || (error == MAY_HAVE_ERROR && !text))
		return !text;
	return next_word(&text, ':', word) &&
	       parse_unsigned(&fault->error, word) && fault->error && !text;
}

static bool parse_fail(void *value, const char *text)
{
	struct sim_settings *settings = value;
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
	{ NULL, 0, false, 0 },
};

/* NAME[:NUMBER[:NUMBER]] */
static bool parse_exit(struct sim_exit *exit, const char *text)
{
	const struct exit_name *name = exit_names;
	uint64_t numbers[2] = { 0 };
	char word[WORD_MAX];

	next_word(&text, ':', word);
	while (name->name && strcmp(name->name, word))
		name++;
	if (!name->name)
		return false;
	for (unsigned int i = 0; i < name->numbers; i++)
		if (!next_word(&text, ':', word) || !parse_number(word, UINT64_MAX, &numbers[i]))
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
static bool parse_script(void *value, const char *text)
{
	struct sim_settings *settings = value;
	char word[WORD_MAX];

	while (next_word(&text, ',', word)) {
		struct sim_settings_exit *exit = &settings->exits[settings->nr_exits];
		char *slash = strchr(word, '/');

		if (settings->nr_exits++ == SIM_SETTINGS_EXITS)
			return false;
		exit->vcpu = 0;
		if (slash)
			*slash = '\0';
		if (slash && !parse_unsigned(&exit->vcpu, word))
			return false;
		if (!parse_exit(&exit->exit, slash ? slash + 1 : word))
			return false;
	}
	return true;
}

/**
 * struct setting - a variable
 * @parse: its value, to what is at @offset of the settings
 */
static const struct setting {
	const char *name;
	bool (*parse)(void *value, const char *text);
	size_t offset;
	const char *hint;
} all_settings[] = {
#define AT(member) offsetof(struct sim_settings, member)
	{ "PROFILE", parse_profile, AT(config.profile), "6.12 or 7.3" },
	{ "HOST", parse_host, AT(config), "no-snp, no-dev-sev, snp-uninitialized, psp-dead, "
	  "no-smt, sw-protected, no-gmem, la57; separated by commas" },
	{ "ARM", parse_arm, AT(config.arm), "plain, cca-v14 or other" },
	{ "IPA_BITS", parse_ipa_bits, AT(config.ipa_bits),
	  "bits of a realm's addresses; 0: KVM's" },
	{ "WITHOUT", parse_without, AT(config.without), "numbers of capabilities, at most 8, "
	  "separated by commas" },
	{ "CPUID", parse_cpuid, AT(config), "LEAF[.INDEX]:REGISTER:VALUE, such as "
	  "0x7.0:ebx:0x40; at most 16, separated by commas" },
	{ "ASIDS", parse_unsigned, AT(config.asids), "a number of guests" },
	{ "PROGRESS", parse_unsigned, AT(config.progress), "pages in one LAUNCH_UPDATE or "
	  "RMI_POPULATE; 0: no limit" },
	{ "FAIL", parse_fail, 0, "gctx-create, start, activate, update or finish"
	  ":NTH:ERROR, signal:NTH, again:NTH; of an RMM rmi-create, rmi-rec, "
	  "rmi-ripas or rmi-activate:NTH, rmi-populate:NTH[:PAGES]; separated by "
	  "commas" },
	{ "SCRIPT", parse_script, 0, "[VCPU/]EXIT,...: map-private:GPA:PAGES, "
	  "map-shared:, fault-private:, fault-shared:, certs:GPA:PAGES, "
	  "term:MSR, shutdown, reset-hold; on arm64 event:TYPE, "
	  "mmio-read:GPA:BYTES, mmio-write:" },
	{ "STRICT", parse_bool, AT(config.strict), "0 or 1" },
	{ "HYBRID", parse_bool, AT(hybrid), "0 or 1" },
	{ "TRACE", parse_text, AT(trace), "a file, or - for standard error" },
#undef AT
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

		if ((size_t)(equals - name) != length || memcmp(name, setting->name, length))
			continue;
		if (setting->parse((char *)settings + setting->offset, equals + 1))
			return 0;
		snprintf(message, size, "%s: not understood; it is %s", variable, setting->hint);
		return -EINVAL;
	}
	snprintf(message, size, "%s: no such setting of the simulator", variable);
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
		if (!strncmp(*environment, SIM_SETTINGS_PREFIX, strlen(SIM_SETTINGS_PREFIX)))
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
		rc = sim_fail(sim, settings->faults[i].event, settings->faults[i].nth,
			      settings->faults[i].error);
	for (unsigned int i = 0; i < settings->nr_exits && !rc; i++)
		rc = sim_plan(sim, settings->exits[i].vcpu, &settings->exits[i].exit);
	if (!rc)
		return sim;
	sim_destroy(sim);
	return NULL;
}
