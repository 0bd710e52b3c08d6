// SPDX-License-Identifier: GPL-2.0
/*
 * init of a test VM. GMEM_MODE on the kernel command line selects the mode; the
 * kernel puts unknown parameters into init's environment:
 *
 *   test	load the modules, run all programs, check the kernel, unload
 *   demo	gmemctl demo with the file on the disk
 *   bench	gmem_bench
 *   shell	modules loaded, then a shell on the console
 *   probe	only report whether this VM can run guests
 *
 * The first and the last line of the output are init's; a VM whose last line
 * is missing was lost.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/reboot.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "init.h"

static bool env_is(const char *name, const char *value)
{
	const char *text = getenv(name);

	return text && !strcmp(text, value);
}

static void banner(void)
{
	struct utsname u;

	uname(&u);
	port_line("# gmem-init: up, kernel %s", u.release);
}

static void __attribute__((noreturn)) end(int status)
{
	port_line("# gmem-init: end status=%d", status);
	sync();
	file_write("/proc/sys/kernel/sysrq", "1");
	file_write("/proc/sysrq-trigger", "b");
	reboot(RB_AUTOBOOT);
	for (;;)
		pause();
}

/*
 * A KCSAN report is a warning, too, but most do not concern gmem, so with KCSAN only the
 * log is judged.
 */
static void panic_on_warn(void)
{
	if (access("/sys/kernel/debug/kcsan", F_OK))
		file_write("/proc/sys/kernel/panic_on_warn", "1");
}

static void checks_after(const struct module_list *modules)
{
	kmsg_mark("unload");
	if (leak_available())
		result(!leak_scan(), "kmemleak before rmmod");
	module_unload_own(modules);
	if (module_list_own(modules))
		result(!slab_leftovers(), "no slab cache left");
	if (leak_available())
		result(!leak_scan(), "kmemleak after rmmod");
	result(!kmsg_judge(), "unload: dmesg clean");
	if (lockdep_available())
		result(lockdep_alive(), "lockdep still on");
}

static unsigned int plan(const struct module_list *modules,
			 const struct program_list *programs)
{
	unsigned int own = module_list_own(modules);

	return 2 * own + 1 + 2 * programs->count + !!own + 1 +
	       2 * leak_available() + lockdep_available();
}

static int run_tests(const struct module_list *modules)
{
	struct program_list programs;
	unsigned int i;

	if (program_list_read(&programs)) {
		port_line("# init: /selftests: %s", strerror(errno));
		return 1;
	}
	result_plan(plan(modules, &programs));
	if (leak_available())
		leak_prime();
	panic_on_warn();
	kmsg_mark("load");
	module_load_own(modules);
	result(!kmsg_judge(), "load: dmesg clean");
	for (i = 0; i < programs.count; i++)
		program_run(programs.name[i]);
	checks_after(modules);
	return result_failures() ? 1 : 0;
}

/* A shell with job control on the serial console; the VM ends when it exits. */
static int run_shell(const struct module_list *modules)
{
	char *argv[] = { (char *)"/bin/sh", (char *)"-l", NULL };
	int status = 0, fd;
	pid_t pid;

	module_load_own(modules);
	pid = fork();
	if (!pid) {
		setsid();
		fd = open("/dev/ttyS0", O_RDWR);
		ioctl(fd, TIOCSCTTY, 1);
		dup2(fd, STDIN_FILENO);
		dup2(fd, STDOUT_FILENO);
		dup2(fd, STDERR_FILENO);
		/*
		 * The directory with the kernel and the initrd of a guest, as in
		 * README.rst.
		 */
		if (chdir("/guest"))
			perror("/guest");
		execv(argv[0], argv);
		perror(argv[0]);
		_exit(127);
	}
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

static int run_probe(void)
{
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC), vm, vcpu;

	vm = ioctl(kvm, KVM_CREATE_VM, 0);
	vcpu = ioctl(vm, KVM_CREATE_VCPU, 0);
	port_line("# probe: kvm %s", vcpu >= 0 ? "works" : "does not work");
	return vcpu >= 0 ? 0 : 1;
}

/*
 * On a busy host the kernel of an emulated machine first measures a wrong TSC rate, and
 * corrects it a second later. KVM keeps the first value for the TSC of its vCPUs, which
 * SVM without TSC scaling cannot set. Then timers of guests are late or lost, and guests
 * with two CPUs hang. So tolerate a rate that is wrong by less than a tenth.
 */
static void kvm_tolerate_tsc(void)
{
	file_write("/sys/module/kvm/parameters/tsc_tolerance_ppm", "100000");
}

/*
 * Keep off the CPU that boot.sh names, where the reason is explained. Programs that pin a
 * thread to it do not enter guests.
 */
static void leave_spare_cpu(void)
{
	const char *spare = getenv("GMEM_SPARE_CPU");
	cpu_set_t set;

	if (!spare)
		return;
	if (!sched_getaffinity(0, sizeof(set), &set)) {
		CPU_CLR(strtoul(spare, NULL, 10), &set);
		if (!sched_setaffinity(0, sizeof(set), &set))
			return;
	}
	port_line("# init: CPU %s: %s", spare, strerror(errno));
}

static int run(void)
{
	static struct module_list modules;

	if (module_list_read(&modules)) {
		port_line("# init: too many modules");
		return 1;
	}
	leave_spare_cpu();
	module_load_deps(&modules);
	kvm_tolerate_tsc();
	if (env_is("GMEM_MODE", "probe"))
		return run_probe();
	if (env_is("GMEM_MODE", "demo"))
		return demo_run();
	if (env_is("GMEM_MODE", "bench"))
		return bench_run(&modules);
	if (env_is("GMEM_MODE", "shell"))
		return run_shell(&modules);
	return run_tests(&modules);
}

int main(void)
{
	setenv("PATH", "/usr/sbin:/usr/bin:/sbin:/bin", 1);
	setenv("HOME", "/tmp", 1);
	mounts_setup();
	port_open();
	banner();
	if (kmsg_open()) {
		port_line("# init: /dev/kmsg: %s", strerror(errno));
		end(1);
	}
	end(run());
}
