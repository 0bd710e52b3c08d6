// SPDX-License-Identifier: GPL-2.0
/*
 * Linux as a guest of gmemctl, whose standard output and error are files.
 */
#include <cpuid.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "ksft_excuse.h"
#include "linux_guest.h"

#define TOOL	"/usr/sbin/gmemctl"
#define KERNEL	"/guest/bzImage"
#define INITRD	"/guest/initrd"
#define BY_DESIGN "unsupported-by-design:"
#define ARGS_MAX 80
#define LOG_MAX 3000
#define TRIES 2
#define LOST	"the emulator has lost a guest"

/* gmemctl itself adds what guests need on QEMU's emulated SVM. */
#define APPEND "console=ttyS0 quiet panic=-1 %s"

static unsigned long now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (unsigned long)now.tv_sec * 1000 +
	       (unsigned long)now.tv_nsec / 1000000;
}

const char *linux_guest_unavailable(void)
{
	if (access(KERNEL, R_OK) || access(INITRD, R_OK))
		return BY_DESIGN " there is no kernel for a guest";
	if (access("/dev/kvm", R_OK | W_OK))
		return BY_DESIGN " no /dev/kvm";
	return NULL;
}

const char *control_unavailable(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	if (fd < 0)
		return BY_DESIGN " a kernel without Unix sockets";
	close(fd);
	return NULL;
}

static bool kernel_is(const char *start)
{
	const char *kernel = getenv("GMEM_KERNEL");

	return kernel && !strncmp(kernel, start, strlen(start));
}

const char *linux_guest_unwatched(void)
{
	return kernel_is("race-") ? BY_DESIGN " only gmem is watched here" : NULL;
}

bool linux_guest_slow(void)
{
	return kernel_is("debug-") || kernel_is("race-");
}

int output_file(void)
{
	return memfd_create("output", 0);
}

void output_read(int fd, char *text, size_t size)
{
	ssize_t got = pread(fd, text, size - 1, 0);

	text[got > 0 ? got : 0] = '\0';
	close(fd);
}

static pid_t tool_start(char *const argv[], int in, int out, int err)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	dup2(in, STDIN_FILENO);
	dup2(out, STDOUT_FILENO);
	dup2(err, STDERR_FILENO);
	execv(argv[0], argv);
	_exit(127);
}

static int tool_end(pid_t pid)
{
	int status;

	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) ?
	       WEXITSTATUS(status) : -1;
}

static void add_arguments(char *argv[], const char *const words[])
{
	int count = 0;

	while (argv[count])
		count++;
	for (; words && *words && count < ARGS_MAX - 1; words++)
		argv[count++] = (char *)*words;
}

pid_t boot_start(const struct boot *b, int out, int err)
{
	const char *name[] = { "--name", b->name, NULL };
	const char *initrd[] = { "--initrd", INITRD, NULL };
	char append[512];
	char *argv[ARGS_MAX] = {
		(char *)TOOL, (char *)"run", (char *)"--json",
		(char *)"--kernel", (char *)(b->kernel ? b->kernel : KERNEL),
		(char *)"--append", append,
		(char *)"--memory", (char *)b->memory,
		(char *)"--cpus", (char *)(b->cpus ? b->cpus : "1"),
		(char *)"--timeout",
		(char *)(b->seconds ? b->seconds : "120"), NULL,
	};
	int in = b->input ? b->input : open("/dev/null", O_RDONLY);
	pid_t pid;

	snprintf(append, sizeof(append), APPEND, b->append ? b->append : "");
	add_arguments(argv, b->kernel ? NULL : initrd);
	add_arguments(argv, b->name ? name : NULL);
	add_arguments(argv, b->options);
	pid = tool_start(argv, in, out, err);
	if (!b->input)
		close(in);
	return pid;
}

pid_t boot_start_with(const char *const words[], int in, int out, int err)
{
	char *argv[ARGS_MAX] = { (char *)TOOL };

	add_arguments(argv, words);
	return tool_start(argv, in, out, err);
}

/* Whether this machine is emulated by QEMU's TCG. */
static bool emulated(void)
{
	unsigned int eax, name[3];

	__cpuid(0x40000000, eax, name[0], name[1], name[2]);
	return !memcmp(name, "TCGTCGTCGTCG", sizeof(name));
}

/*
 * QEMU's emulation of nested guests loses some of them. helper_vmrun() (in
 * target/i386/tcg/system/svm_helper.c, also in QEMU 10) injects an interrupt into the
 * guest, and leaves its vector in exception_index. If another thread stops the CPU before
 * the next exit of the guest, the guest gets the interrupt a second time, even with
 * interrupts off. Then a kernel in its entry code panics; other guests may lose their
 * timers.
 */
static void guest_lost(void)
{
	if (emulated())
		ksft_excuse_set(LOST);
}

void boot_end(struct boot *b, pid_t pid, int out, int err)
{
	b->code = tool_end(pid);
	output_read(out, b->json, sizeof(b->json));
	output_read(err, b->console, sizeof(b->console));
	if (boot_said(b, "Fatal exception in interrupt") ||
	    boot_ended(b, "timeout", CODE_FAILURE))
		guest_lost();
}

static void boot_once(struct boot *b)
{
	int out = output_file(), err = output_file();

	boot_end(b, boot_start(b, out, err), out, err);
}

/* A guest that gmemctl has refused to start is not lost. */
static bool boot_lost(const struct boot *b)
{
	return b->code != CODE_UNSUPPORTED && b->code != CODE_USAGE &&
	       (!boot_said(b, LINUX_GUEST_UP) ||
		boot_said(b, "Fatal exception in interrupt"));
}

/*
 * Whether to boot again after a boot that began at @start; @b->lost boots were lost
 * before.
 */
static bool boot_again(const struct boot *b, unsigned long start)
{
	if (!boot_lost(b) || b->lost + 1 == TRIES)
		return false;
	if (emulated())
		ksft_time_lost(now_ms() - start, LOST);
	dprintf(STDOUT_FILENO, "# boot lost, trying once more\n");
	boot_log(b, b->console);
	boot_log(b, b->json);
	return true;
}

void boot_run(struct boot *b)
{
	for (b->lost = 0;; b->lost++) {
		unsigned long start = now_ms();

		boot_once(b);
		b->ms = now_ms() - start;
		if (!boot_again(b, start))
			return;
	}
}

bool boot_up(struct boot *b, struct boot_process *process, const char *text,
	     unsigned int seconds)
{
	for (b->lost = 0;; b->lost++) {
		unsigned long start = now_ms();

		process->out = output_file();
		process->err = output_file();
		process->pid = boot_start(b, process->out, process->err);
		if (boot_wait_for(b, process->pid, process->err, text, seconds))
			return true;
		kill(process->pid, SIGKILL);
		boot_end(b, process->pid, process->out, process->err);
		if (!boot_again(b, start))
			return false;
	}
}

bool boot_has_ended(pid_t pid)
{
	siginfo_t info = { 0 };

	return waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) ||
	       info.si_pid;
}

bool boot_wait_answer(pid_t pid, const char *name)
{
	const char *const words[] = { "stat", name, NULL };
	char text[1024];

	for (int i = 0; i < 600 && !boot_has_ended(pid); i++) {
		if (!tool_run(text, sizeof(text), words))
			return true;
		usleep(50000);
	}
	return false;
}

bool boot_wait_for(struct boot *b, pid_t pid, int err, const char *text,
		   unsigned int seconds)
{
	for (unsigned int i = 0;; i++) {
		bool ended = boot_has_ended(pid);
		ssize_t got = pread(err, b->console, sizeof(b->console) - 1, 0);

		b->console[got > 0 ? got : 0] = '\0';
		if (strstr(b->console + b->seen, text))
			return true;
		if (!ended && i < seconds * 20) {
			usleep(50000);
			continue;
		}
		if (!ended && seconds)
			guest_lost();
		return false;
	}
}

bool boot_said(const struct boot *b, const char *text)
{
	return strstr(b->console, text);
}

unsigned long boot_number(const struct boot *b, const char *text)
{
	const char *at = strstr(b->console, text);

	return at ? strtoul(at + strlen(text), NULL, 10) : 0;
}

bool boot_ended(const struct boot *b, const char *end, int code)
{
	char text[64];

	snprintf(text, sizeof(text), "\"end\":\"%s\"", end);
	return b->code == code && strstr(b->json, text);
}

void boot_error(const struct boot *b, char *text, size_t size)
{
	static const char key[] = "\"action\":\"";
	const char *at = strstr(b->json, key);

	at = at ? at + strlen(key) : "";
	snprintf(text, size, "%.*s", (int)strcspn(at, "\""), at);
}

void boot_log(const struct boot *b, const char *text)
{
	const char *at = text, *end = at + strlen(at);

	dprintf(STDOUT_FILENO, "# exit code %d\n", b->code);
	if (end - at > LOG_MAX)
		at = end - LOG_MAX;
	for (; *at; at += strcspn(at, "\r\n"), at += strspn(at, "\r\n"))
		dprintf(STDOUT_FILENO, "# | %.*s\n", (int)strcspn(at, "\r\n"),
			at);
}

int tool_run(char *out, size_t size, const char *const words[])
{
	char *argv[ARGS_MAX] = { (char *)TOOL };
	int null = open("/dev/null", O_RDWR), file = output_file(), code;
	pid_t pid;

	add_arguments(argv, words);
	pid = tool_start(argv, null, file, file);
	close(null);
	code = tool_end(pid);
	output_read(file, out, size);
	return code;
}

unsigned long json_number(const char *text, const char *key)
{
	const char *at = strstr(text, key);

	return at ? strtoull(at + strlen(key) + 1, NULL, 10) : 0;
}
