// SPDX-License-Identifier: GPL-2.0
/* The kernel modules; gmemctl load, gmemctl unload */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <libkmod.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/calls.h"
#include "../gmem/gmem.h"
#include "../host/host.h"
#include "../who/who.h"
#include "command.h"
#include "out.h"

const char *const modules_names[MODULES_COUNT] = { "gmem", "gmem_kvm" };

#define HINT_SIGN "the kernel takes signed modules only (Secure Boot or " \
	"lockdown): sign the .ko with the kernel's scripts/sign-file and a key " \
	"enrolled with `mokutil --import`, or turn Secure Boot off"

/* For the files of this host. CPUID and MSRs are not set up. */
static const struct host host;

bool modules_loaded(const char *name, char version[HOST_VERSION_SIZE])
{
	return host_module(&host, name, version);
}

static const char *modules_load_hint(int rc, const char *dir)
{
	char line[128];

	switch (rc) {
	case -EKEYREJECTED:
	case -ENOKEY:
	case -EBADMSG:
		return HINT_SIGN;
	case -EPERM:
		return !host_read_line(&host, "/sys/kernel/security/lockdown", line,
				       sizeof(line)) &&
		       (strstr(line, "[integrity]") || strstr(line, "[confidentiality]")) ?
		       HINT_SIGN : "loading modules takes root (CAP_SYS_MODULE), and "
		       "/proc/sys/kernel/modules_disabled must be 0";
	case -ENOENT:
		return dir ? "no such file there, or the module needs a symbol "
			     "that the kernel lacks (see dmesg): build with `make`" :
			     "not installed for the running kernel: `make && make "
			     "install`, then `modprobe gmem gmem_kvm`, or load "
			     "from a build tree with --dir DIR";
	case -ENOEXEC:
	case -EINVAL:
		return "built for another kernel: rebuild with "
		       "`make KDIR=/lib/modules/$(uname -r)/build`; dmesg says "
		       "what does not fit";
	default:
		return NULL;
	}
}

/* Suppress libkmod's messages, because errors are reported here, with a hint. */
static void modules_log(void *data, int priority, const char *file, int line,
			const char *fn, const char *format, va_list args)
{
}

/* Insert a module from a folder, or from the kernel's modules if @dir is NULL. */
static int modules_insert(struct kmod_ctx *ctx, const char *dir, const char *name)
{
	struct kmod_list *list = NULL;
	struct kmod_module *module;
	char path[4096];
	int rc;

	if (dir) {
		if (snprintf(path, sizeof(path), "%s/%s.ko", dir, name) >= (int)sizeof(path))
			return -ENAMETOOLONG;
		rc = kmod_module_new_from_path(ctx, path, &module);
		if (rc < 0)
			return rc;
		rc = kmod_module_insert_module(module, 0, NULL);
	} else {
		rc = kmod_module_new_from_lookup(ctx, name, &list);
		if (rc < 0 || !list)
			return rc < 0 ? rc : -ENOENT;
		module = kmod_module_get_module(list);
		rc = kmod_module_probe_insert_module(module, 0, NULL, NULL, NULL, NULL);
		kmod_module_unref_list(list);
	}
	kmod_module_unref(module);
	return rc;
}

static struct kmod_ctx *modules_open(struct error *error)
{
	struct kmod_ctx *ctx = kmod_new(NULL, NULL);

	if (!ctx)
		error_set(error, -ENOMEM, "libkmod", "start", NULL);
	else
		kmod_set_log_fn(ctx, modules_log, NULL);
	return ctx;
}

int modules_load(const char *dir, struct error *error)
{
	struct kmod_ctx *ctx = modules_open(error);
	const char *hint;
	int rc = 0;

	if (!ctx)
		return -ENOMEM;
	for (unsigned int i = 0; !rc && i < MODULES_COUNT; i++) {
		const char *name = modules_names[i];

		if (modules_loaded(name, NULL))
			continue;
		rc = modules_insert(ctx, dir, name);
		if (rc == -EEXIST || rc > 0)
			rc = 0;
		if (!rc)
			continue;
		hint = modules_load_hint(rc, dir);
		if (dir)
			error_set(error, rc, dir, "load a module from it", "%s.ko%s%s", name,
				  hint ? ": " : "", hint ? hint : "");
		else
			error_set(error, rc, name, "load module", hint ? "%s" : NULL, hint);
	}
	kmod_unref(ctx);
	return rc;
}

/* Processes with an open gmem fd that were found so far */
struct users {
	char text[256];
	unsigned int count;
};

/* The link of a gmem fd is that of a deleted file, "/gmem" or "/gmem:NAME". */
static int is_gmem(int folder, const char *name, const char *link, void *data)
{
	return !strcmp(link, GMEM_DEVICE_PATH) || !strcmp(link, "anon_inode:[gmem-view]") ||
	       (!strncmp(link, "/gmem", 5) && strchr(" :", link[5]));
}

static int users_visit(int folder, pid_t pid, void *data)
{
	struct users *users = data;
	size_t used = strlen(users->text);
	char command[WHO_COMMAND_SIZE];

	if (who_each_fd(folder, is_gmem, NULL) <= 0)
		return 0;
	who_command(folder, command);
	snprintf(users->text + used, sizeof(users->text) - used, "%s%d (%s)",
		 users->count++ ? ", " : "", (int)pid, command);
	return 0;
}

static int modules_unload_error(int rc, const char *name, struct error *error)
{
	struct users users = { .count = 0 };
	unsigned int unseen;

	if (rc == -EPERM)
		return error_set(error, rc, name, "unload module", "takes root (CAP_SYS_MODULE)");
	if (rc != -EAGAIN && rc != -EBUSY && rc != -EWOULDBLOCK)
		return error_set(error, rc, name, "unload module", NULL);
	who_each_process(PROC, users_visit, &users, &unseen, NULL);
	if (users.count)
		return error_set(error, -EBUSY, name, "unload module",
				 "in use: stop what holds a gmem fd or a mapping "
				 "of it: process %s", users.text);
	return error_set(error, -EBUSY, name, "unload module",
			 "in use: by another module, or by a mapping or a binding "
			 "whose fd is closed; /sys/module/%s/holders and lsmod tell", name);
}

/* Unload all modules or none, because a running VM needs gmem_kvm as well as gmem. */
static int modules_unload(struct error *error)
{
	struct kmod_ctx *ctx = modules_open(error);
	struct kmod_module *module;
	int rc = 0;

	if (!ctx)
		return -ENOMEM;
	if (!kmod_module_new_from_name(ctx, "gmem", &module)) {
		/* gmem has another user than gmem_kvm */
		if (kmod_module_get_refcnt(module) > modules_loaded("gmem_kvm", NULL))
			rc = modules_unload_error(-EBUSY, "gmem", error);
		kmod_module_unref(module);
	}
	for (unsigned int i = MODULES_COUNT; !rc && i--;) {
		const char *name = modules_names[i];

		if (!modules_loaded(name, NULL))
			continue;
		rc = kmod_module_new_from_name(ctx, name, &module);
		if (!rc) {
			rc = kmod_module_remove_module(module, O_NONBLOCK);
			kmod_module_unref(module);
		}
		if (rc)
			rc = modules_unload_error(rc, name, error);
	}
	kmod_unref(ctx);
	return rc;
}

int modules_check_abi(unsigned int *abi, struct error *error)
{
	int device = gmem_open(error);
	int rc;

	*abi = 0;
	if (device < 0)
		return device;
	rc = gmem_check_abi(device, abi, error);
	calls->close(device);
	return rc;
}

static int load_main(const struct command *command, void *arguments)
{
	const char *const *dir = arguments;
	char version[HOST_VERSION_SIZE] = "";
	struct error error;
	unsigned int abi;

	if (modules_load(*dir, &error))
		return out_error_report(&error);
	for (unsigned int i = 0; i < MODULES_COUNT; i++) {
		modules_loaded(modules_names[i], version);
		out_text("%s: loaded, version %s\n", modules_names[i],
			 version[0] ? version : "unknown");
	}
	if (modules_check_abi(&abi, &error))
		return out_error_report(&error);
	out_text("ABI version %u\n", abi);
	return EXIT_CODE_OK;
}

static int unload_main(const struct command *command, void *arguments)
{
	struct error error;

	if (modules_unload(&error))
		return out_error_report(&error);
	out_text("gmem_kvm, gmem: not loaded\n");
	return EXIT_CODE_OK;
}

static const struct cli_option load_options[] = {
	{ "--dir", "DIR", option_text, .help = "take gmem.ko and gmem_kvm.ko from DIR, a "
	  "build tree, instead of the running kernel's directory" },
	{ 0 }
};

const struct command command_load = {
	.name = "load",
	.run = load_main,
	.size = sizeof(char *),
	.summary = "load gmem and gmem_kvm",
	.about = "Loads the modules gmem and gmem_kvm, unless they are loaded already. Checks "
		 "that they have this program's ABI version.",
	.options = load_options,
	.without_json = true,
	.examples = "gmemctl load\n"
		    "gmemctl load --dir build/module",
};

const struct command command_unload = {
	.name = "unload",
	.run = unload_main,
	.summary = "unload gmem_kvm and gmem",
	.about = "Unloads the modules. While a gmem fd is open this fails, and the processes that "
		 "hold one are named.",
	.without_json = true,
	.examples = "gmemctl unload",
};
