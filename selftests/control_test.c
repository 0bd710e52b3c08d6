// SPDX-License-Identifier: GPL-2.0
/*
 * The control socket of a running VM: its answers, its access rights, and that no client
 * can harm the VM. The guest increments a counter in memory that is a file, which shows
 * that it is running.
 */
#include <dirent.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "ksft.h"
#include "linux_guest.h"
#include "tiny_guest.h"

#define NAME		"control"
#define KERNEL		"/tmp/control-kernel"
#define MEMORY		"/tmp/control-memory"
#define MEMORY_SIZE	(32 << 20)
#define TIMEOUT		120
#define PART		(2 << 20)
#define PART_GPA	(4 << 20)
#define ATTACKERS	4
#define ATTACK_SECONDS	3

static char directory[64], output[1 << 16];
static struct boot boot;
static pid_t vm;
static int vm_out, vm_err;
static uint8_t *memory;

static int ask(const char *command, const char *a, const char *b,
	       const char *c)
{
	const char *words[] = { command, "--json", NAME, a, b, c, NULL };

	return tool_run(output, sizeof(output), words);
}

static uint64_t counter(void)
{
	return __atomic_load_n((uint64_t *)(memory + TINY_GUEST_COUNTER),
			       __ATOMIC_RELAXED);
}

/* Whether the guest's counter increases, and the VM answers. */
static bool goes_on(void)
{
	uint64_t before = counter();

	for (int i = 0; i < 400 && counter() == before; i++)
		usleep(50000);
	return counter() != before && !ask("stat", NULL, NULL, NULL) &&
	       strstr(output, "\"state\":\"running\"");
}

static void start(const char *kind)
{
	strcpy(directory, "/tmp/control.XXXXXX");
	ASSERT_TRUE(mkdtemp(directory));
	setenv("GMEMCTL_RUNTIME_DIR", directory, 1);
	ASSERT_TRUE(tiny_guest_write(KERNEL));
	memset(&boot, 0, sizeof(boot));
	boot.kernel = KERNEL;
	boot.memory = kind;
	boot.name = NAME;
	boot.seconds = "100";
	vm_out = output_file();
	vm_err = output_file();
	vm = boot_start(&boot, vm_out, vm_err);
	ASSERT_GT(vm, 0);
	boot_wait_answer(vm, NAME);
}

static void start_file(void)
{
	int fd;

	unlink(MEMORY);
	start("32M,kind=file,file=" MEMORY);
	fd = open(MEMORY, O_RDWR | O_CLOEXEC);
	ASSERT_GE(fd, 0);
	memory = mmap(NULL, MEMORY_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		      0);
	close(fd);
	ASSERT_NE(MAP_FAILED, (void *)memory);
	ASSERT_TRUE(goes_on());
}

static void stop(void)
{
	EXPECT_EQ(0, ask("stop", NULL, NULL, NULL));
	boot_end(&boot, vm, vm_out, vm_err);
	if (boot.code)
		boot_log(&boot, boot.console);
	EXPECT_EQ(0, boot.code);
	EXPECT_TRUE(strstr(boot.json, "\"end\":\"stopped\""));
	unlink(MEMORY);
	unlink(KERNEL);
	/* All of its files are gone. */
	EXPECT_EQ(0, rmdir(directory));
}

static int try_connect(int flags)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s/" NAME ".sock",
		 directory);
	if (!connect(fd, (struct sockaddr *)&address, sizeof(address)))
		return fd;
	close(fd);
	return -errno;
}

static unsigned long vm_descriptors(void)
{
	unsigned long count = 0;
	char path[64];
	DIR *all;

	snprintf(path, sizeof(path), "/proc/%d/fd", vm);
	all = opendir(path);
	while (all && readdir(all))
		count++;
	if (all)
		closedir(all);
	return count;
}

/* KiB of the process without the guest's memory. */
static unsigned long vm_memory(void)
{
	char path[64], text[4096];
	const char *at;
	ssize_t got;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/status", vm);
	fd = open(path, O_RDONLY);
	got = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[got > 0 ? got : 0] = '\0';
	at = strstr(text, "RssAnon:");
	return at ? strtoul(at + 8, NULL, 10) : 0;
}

#define NEED_KVM() do {							\
	const char *__why = control_unavailable();			\
									\
	if (access("/dev/kvm", R_OK | W_OK))				\
		SKIP(return, KSFT_BY_DESIGN " no /dev/kvm");		\
	if (__why)							\
		SKIP(return, "%s", __why);				\
} while (0)

/* Only the user has access to the socket. */
TEST_TIMEOUT(private, TIMEOUT)
{
	char path[128];
	struct stat status;
	int code;
	pid_t pid;

	NEED_KVM();
	start_file();
	ASSERT_EQ(0, stat(directory, &status));
	EXPECT_EQ(0700, status.st_mode & 07777);
	snprintf(path, sizeof(path), "%s/" NAME ".sock", directory);
	ASSERT_EQ(0, stat(path, &status));
	EXPECT_EQ(0600, status.st_mode & 07777);
	EXPECT_TRUE(S_ISSOCK(status.st_mode));
	/* Neither the directory nor the socket gives access to another user. */
	ASSERT_EQ(0, chmod(directory, 0755));
	pid = fork();
	if (!pid)
		_exit(setresuid(65534, 65534, 65534) ||
		      try_connect(0) != -EACCES);
	ASSERT_EQ(pid, waitpid(pid, &code, 0));
	EXPECT_EQ(0, code);
	ASSERT_EQ(0, chmod(directory, 0700));
	EXPECT_TRUE(goes_on());
	stop();
}

/* stat and map describe the memory, and decommit frees it. */
TEST_TIMEOUT(answers, TIMEOUT)
{
	unsigned long before, zero = 0;

	NEED_KVM();
	start_file();
	EXPECT_EQ(MEMORY_SIZE, (int)json_number(output, "\"memory\""));
	EXPECT_EQ((unsigned long)vm, json_number(output, "\"pid\""));
	before = json_number(output, "\"resident_bytes\"");
	EXPECT_GT(before, 0);
	memset(memory + PART_GPA, 0x5a, PART);
	EXPECT_TRUE(goes_on());
	EXPECT_EQ(before + PART, json_number(output, "\"resident_bytes\""));
	EXPECT_EQ(0, ask("decommit", "0x400000", "2M", NULL));
	EXPECT_TRUE(goes_on());
	EXPECT_EQ(before, json_number(output, "\"resident_bytes\""));
	for (int i = 0; i < PART; i++)
		zero += !memory[PART_GPA + i];
	EXPECT_EQ(PART, zero);
	EXPECT_EQ(0, ask("map", NULL, NULL, NULL));
	EXPECT_TRUE(strstr(output, "\"shared\""));
	EXPECT_FALSE(strstr(output, "\"private\""));
	/* A failed command reports an error with all details. */
	EXPECT_EQ(CODE_UNSUPPORTED, ask("convert", "0x400000", "2M", "private"));
	EXPECT_TRUE(strstr(output, "\"hint\""));
	EXPECT_EQ(1, ask("decommit", "0x400000", "1G", NULL));
	EXPECT_TRUE(strstr(output, "\"message\":\"Invalid argument\""));
	EXPECT_EQ(2, ask("decommit", "0x400000", "1X", NULL));
	EXPECT_TRUE(goes_on());
	stop();
}

static void attack_garbage(void)
{
	char text[5000];
	int fd = try_connect(0);

	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (char)random();
	for (int i = 0; fd >= 0 && i < 20; i++)
		if (send(fd, text, (size_t)random() % sizeof(text),
			 MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
			break;
	close(fd);
}

/* Send requests without end, and read no answers. */
static void attack_flood(void)
{
	static const char text[] = "{\"command\":\"stat\"}\n"
				   "{\"command\":\"map\"}\n";
	int fd = try_connect(0);

	for (int i = 0; fd >= 0 && i < 100000; i++)
		if (send(fd, text, sizeof(text) - 1,
			 MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
			break;
	usleep(10000);
	close(fd);
}

static void attack_connect(void)
{
	int fds[250];

	for (int i = 0; i < 250; i++)
		fds[i] = try_connect(SOCK_NONBLOCK);
	usleep(10000);
	for (int i = 0; i < 250; i++)
		if (fds[i] >= 0)
			close(fds[i]);
}

static void attack_descriptors(void)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(32 * sizeof(int))];
	} control = { .header = { .cmsg_len = CMSG_LEN(32 * sizeof(int)),
				  .cmsg_level = SOL_SOCKET,
				  .cmsg_type = SCM_RIGHTS } };
	struct iovec part = { (void *)"{\"command\":\"none\"}\n", 19 };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1,
				  .msg_control = &control,
				  .msg_controllen = sizeof(control) };
	int fd = try_connect(0);

	if (fd < 0)
		return;
	for (int i = 0; i < 32; i++)
		memcpy(CMSG_DATA(&control.header) + i * sizeof(fd), &fd,
		       sizeof(fd));
	for (int i = 0; i < 50; i++)
		if (sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
			break;
	close(fd);
}

static void attack(unsigned int seed)
{
	static void (*const attacks[])(void) = {
		attack_garbage, attack_flood, attack_connect,
		attack_descriptors,
	};

	srandom(seed);
	for (;;)
		attacks[random() % 4]();
}

/* Run all attacks at once for some seconds, and then kill the clients. */
static void attack_for(unsigned int seed)
{
	time_t end = time(NULL) + ATTACK_SECONDS;
	pid_t pids[ATTACKERS];
	bool answered = false;

	for (int i = 0; i < ATTACKERS; i++) {
		pids[i] = fork();
		if (!pids[i])
			attack(seed + (unsigned int)i);
	}
	/* Other clients have to wait longer, but are served. */
	for (int i = 0; i < 10 && !answered; i++)
		answered = !ask("stat", NULL, NULL, NULL);
	EXPECT_TRUE(answered);
	while (time(NULL) < end)
		usleep(100000);
	for (int i = 0; i < ATTACKERS; i++) {
		kill(pids[i], SIGKILL);
		waitpid(pids[i], NULL, 0);
	}
}

TEST_TIMEOUT(attacked, TIMEOUT)
{
	unsigned long descriptors, kib;
	uint64_t before;

	NEED_KVM();
	start_file();
	descriptors = vm_descriptors();
	kib = vm_memory();
	before = counter();
	attack_for((unsigned int)ksft_seed());
	/* The guest has continued to run. */
	EXPECT_GT(counter(), before);
	EXPECT_TRUE(goes_on());
	TH_LOG("descriptors %lu, then %lu; %lu KiB, then %lu", descriptors,
	       vm_descriptors(), kib, vm_memory());
	/* Connections of killed clients are accepted before they are closed. */
	for (int i = 0; i < 100 && vm_descriptors() > descriptors; i++)
		usleep(100000);
	EXPECT_LE(vm_descriptors(), descriptors);
	EXPECT_LT(vm_memory(), kib + 4096);
	stop();
}

static bool ps_has(const char *text)
{
	const char *words[] = { "ps", NULL };

	return !tool_run(output, sizeof(output), words) && strstr(output, text);
}

/* ps lists a killed VM as such once, and then its name is free again. */
TEST_TIMEOUT(killed, TIMEOUT)
{
	NEED_KVM();
	start_file();
	EXPECT_TRUE(ps_has(NAME));
	EXPECT_TRUE(ps_has("file"));
	ASSERT_EQ(0, kill(vm, SIGSTOP));
	EXPECT_TRUE(ps_has("does not answer"));
	ASSERT_EQ(0, kill(vm, SIGCONT));
	EXPECT_TRUE(goes_on());
	ASSERT_EQ(0, kill(vm, SIGKILL));
	boot_end(&boot, vm, vm_out, vm_err);
	EXPECT_EQ(1, ask("stat", NULL, NULL, NULL));
	EXPECT_TRUE(ps_has("has died"));
	EXPECT_FALSE(ps_has(NAME));
	ASSERT_EQ(0, rmdir(directory));
	start_file();
	stop();
}

/* Clients convert memory in both directions, and the map and the counters show it. */
TEST_TIMEOUT(converts, TIMEOUT)
{
	NEED_KVM();
	start("32M,kind=gmem-store");
	if (ask("stat", NULL, NULL, NULL)) {
		boot_end(&boot, vm, vm_out, vm_err);
		if (boot.code != CODE_UNSUPPORTED)
			boot_log(&boot, boot.json);
		ASSERT_EQ(CODE_UNSUPPORTED, boot.code);
		SKIP(return, KSFT_BY_DESIGN " no private memory here");
	}
	for (int i = 0; i < 10; i++) {
		EXPECT_EQ(0, ask("convert", "0x400000", "2M", "private"));
		EXPECT_EQ(0, ask("stat", NULL, NULL, NULL));
		EXPECT_EQ(PART, json_number(output, "\"private_bytes\""));
		EXPECT_EQ(0, ask("map", NULL, NULL, NULL));
		EXPECT_TRUE(strstr(output, "\"private\""));
		EXPECT_EQ(1, ask("dump", "0x3ff000", "8K", NULL));
		EXPECT_TRUE(strstr(output, "0x400000 is private"));
		EXPECT_EQ(0, ask("dump", "0x3ff000", "4K", NULL));
		EXPECT_EQ(0, ask("convert", "0x400000", "2M", "shared"));
	}
	EXPECT_EQ(0, ask("stat", NULL, NULL, NULL));
	EXPECT_EQ(0, json_number(output, "\"private_bytes\""));
	EXPECT_EQ(20, json_number(output, "\"conversions\""));
	EXPECT_TRUE(strstr(output, "\"conversions_per_second\":"));
	EXPECT_FALSE(strstr(output, "\"conversions_per_second\":0.0,"));
	EXPECT_FALSE(strstr(output, "\"conversions_per_second\":0\n"));
	stop();
}

/* Return: whether dump has succeeded; logs its error. */
static bool dump(const char *start, const char *size)
{
	bool done = !ask("dump", start, size, NULL);

	if (!done)
		TH_LOG("dump %s %s: %.600s", start, size, output);
	return done;
}

static void put_text(uint64_t gpa, const char *text)
{
	memcpy(memory + gpa, text, strlen(text));
}

/* Another process maps the memory, and sees the guest's contents. */
TEST_TIMEOUT(dumps, TIMEOUT)
{
	const char *words[] = { "dump", NAME, "0x500ff8", "24", NULL };
	const char *raw[] = { "dump", "--raw", NAME, "0x501000", "4", NULL };
	unsigned long descriptors;

	NEED_KVM();
	start_file();
	descriptors = vm_descriptors();
	put_text(0x500ff8, "over the");
	put_text(0x501000, " edge");
	EXPECT_EQ(0, tool_run(output, sizeof(output), words));
	EXPECT_TRUE(strstr(output, "0000000000500ff8  6f 76 65 72 20 74 68 65 "));
	EXPECT_TRUE(strstr(output, "|over the edge...|"));
	put_text(0x501000, "=EDGE");
	EXPECT_EQ(0, tool_run(output, sizeof(output), raw));
	EXPECT_EQ(0, memcmp(output, "=EDG", 4));
	EXPECT_TRUE(dump("0x501001", "2"));
	EXPECT_TRUE(strstr(output, "\"bytes\":\"4544\""));
	EXPECT_EQ(1, ask("dump", "0x1fffff0", "17", NULL));
	EXPECT_TRUE(strstr(output, "0x2000000 is no RAM"));
	for (int i = 0; i < 10; i++)
		EXPECT_TRUE(dump("0", "64K"));
	EXPECT_TRUE(goes_on());
	for (int i = 0; i < 100 && vm_descriptors() > descriptors + 1; i++)
		usleep(100000);
	EXPECT_LE(vm_descriptors(), descriptors + 1);
	stop();
}

/* Memory that is not a file cannot be dumped by another process. */
TEST_TIMEOUT(dumps_no_private, TIMEOUT)
{
	NEED_KVM();
	start("32M,kind=private");
	EXPECT_EQ(1, ask("dump", "0", "4K", NULL));
	EXPECT_TRUE(strstr(output, "no backing fd (private RAM)"));
	EXPECT_EQ(0, ask("stat", NULL, NULL, NULL));
	stop();
}

TEST_HARNESS_MAIN
