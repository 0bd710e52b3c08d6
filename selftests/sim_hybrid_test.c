// SPDX-License-Identifier: GPL-2.0
/*
 * The installed gmemctl launches SNP guests with the KVM of this kernel, with the
 * simulator in hybrid mode preloaded: KVM answers all calls that do not concern SNP. The
 * digest is the predicted one, and that of a launch with the simulator alone. KVM and the
 * simulator give the same answers.
 */
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/utsname.h>

#include "ksft.h"
#include "sim_trace.h"

#include "../tools/gmemctl/kvm/abi.h"
#include "../tools/gmemctl/test/snp_build.h"

#define TOOL "/usr/sbin/gmemctl"
#define LIBRARY "/usr/lib/gmemctl-sim.so"
#define FIRMWARE "/tmp/sim_hybrid.fd"
#define OUTPUT "/tmp/sim_hybrid.out"
#define TRACE "/tmp/sim_hybrid.trace"
#define TEXT_SIZE (1 << 20)
#define DIGITS 96

static char output[TEXT_SIZE];

static const char *const launch[] = {
	TOOL, "snp", "launch", "--firmware", FIRMWARE, "--cpus", "2",
	"--vcpu-type", "EPYC-v4", "--memory", "64M", NULL,
};

static const char *const run[] = {
	TOOL, "run", "--vm-type", "snp", "--firmware", FIRMWARE, "--vcpu-type",
	"EPYC-v4", "--memory", "64M", "--trace", NULL,
};

static int vm_types(void)
{
	int fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	int types = fd < 0 ? -1 :
		    ioctl(fd, KVM_CHECK_EXTENSION, KVM_CAP_VM_TYPES);

	if (fd >= 0)
		close(fd);
	return types;
}

/* Return: why a launch is impossible with this kernel, or NULL */
static const char *unusable(void)
{
	if (access(LIBRARY, R_OK) || access(TOOL, X_OK))
		return "gmemctl or its simulator is not installed";
	if (vm_types() < 0)
		return "no /dev/kvm";
	if (!(vm_types() >> KVM_X86_SW_PROTECTED_VM & 1))
		return "this KVM has no VM type with private memory";
	return NULL;
}

static const char *profile(void)
{
	struct utsname name;

	uname(&name);
	return strncmp(name.release, "7.", 2) ? "6.12" : "7.3";
}

static void write_firmware(void)
{
	static uint8_t data[BUILD_SIZE];
	int fd = open(FIRMWARE, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	build_firmware(data, BUILD_SIZE, build_sections, BUILD_SECTIONS, 0);
	ASSERT_EQ(BUILD_SIZE, write(fd, data, BUILD_SIZE));
	close(fd);
}

static void read_text(const char *path, char text[TEXT_SIZE])
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t size = read(fd, text, TEXT_SIZE - 1);

	close(fd);
	text[size > 0 ? size : 0] = '\0';
}

static void __attribute__((noreturn))
execute(const char *const *arguments, const char *hybrid, const char *setting)
{
	int fd = open(OUTPUT, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	dup2(fd, STDOUT_FILENO);
	dup2(fd, STDERR_FILENO);
	setenv("LD_PRELOAD", LIBRARY, 1);
	setenv("GMEMCTL_SIM_PROFILE", profile(), 1);
	setenv("GMEMCTL_SIM_STRICT", "1", 1);
	setenv("GMEMCTL_SIM_HYBRID", hybrid, 1);
	setenv("GMEMCTL_SIM_TRACE", TRACE, 1);
	if (setting)
		putenv((char *)setting);
	execv(arguments[0], (char *const *)arguments);
	_exit(127);
}

/* Return: the exit code, or -1. output[]: the output of gmemctl. */
static int gmemctl(const char *const *arguments, const char *hybrid,
		   const char *setting)
{
	int status = -1;
	pid_t pid = fork();

	if (!pid)
		execute(arguments, hybrid, setting);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	read_text(OUTPUT, output);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void show_output(void)
{
	for (char *line = strtok(output, "\n"); line; line = strtok(NULL, "\n"))
		TH_LOG("%s", line);
}

/* Get the text after the last @key, or an empty text */
static void find_digest(const char *text, const char *key, char digest[DIGITS + 1])
{
	const char *found = "";

	for (const char *at = text; (at = strstr(at, key)); at++)
		found = at + strlen(key);
	snprintf(digest, DIGITS + 1, "%s", found);
}

static unsigned int differences(const char *what)
{
	FILE *trace = fopen(TRACE, "re");
	unsigned int count;

	ASSERT_TRUE(trace);
	count = sim_trace_differences(trace, what);
	fclose(trace);
	return count;
}

TEST(launch)
{
	char predicted[DIGITS + 1], measured[DIGITS + 1], simulated[DIGITS + 1];
	static char trace[TEXT_SIZE];
	int code;

	if (unusable())
		SKIP(return, "%s", unusable());
	write_firmware();
	EXPECT_EQ(0, gmemctl(launch, "0", NULL));
	find_digest(output, "launch digest ", simulated);
	code = gmemctl(launch, "1", NULL);
	EXPECT_EQ(0, code);
	find_digest(output, "predicted digest   ", predicted);
	if (code)
		show_output();
	read_text(TRACE, trace);
	find_digest(trace, "\"digest\":\"", measured);
	EXPECT_EQ(DIGITS, strspn(measured, "0123456789abcdef"));
	EXPECT_TRUE(!strcmp(predicted, measured));
	EXPECT_TRUE(!strcmp(simulated, measured));
	EXPECT_EQ(0, differences("gmemctl snp launch"));
	TH_LOG("digest %s", measured);
}

/* The guest's conversions are changes of KVM's attributes; only its exits are simulated. */
TEST(conversions)
{
	static char script[] = "GMEMCTL_SIM_SCRIPT=map-shared:0x3000:2,"
			       "fault-private:0x3000:1,map-private:0x4000:1,"
			       "term:0x1100";

	if (unusable())
		SKIP(return, "%s", unusable());
	write_firmware();
	EXPECT_GT(gmemctl(run, "1", script), 0);
	EXPECT_TRUE(strstr(output, "0x3000 + 0x2000 to shared: done"));
	EXPECT_TRUE(strstr(output, "0x3000 + 0x1000 to private: done"));
	EXPECT_TRUE(strstr(output, "0x4000 + 0x1000 to private: done"));
	EXPECT_TRUE(strstr(output, "end:         system-event"));
	EXPECT_EQ(0, differences("gmemctl run, conversions"));
	if (!strstr(output, "system-event"))
		show_output();
}

/* What the firmware refuses is also refused with a real KVM. */
TEST(failures)
{
	static char settings[][48] = {
		"GMEMCTL_SIM_FAIL=start:1:0x17",
		"GMEMCTL_SIM_FAIL=update:1:0x10",
		"GMEMCTL_SIM_FAIL=finish:1:0xb",
		"GMEMCTL_SIM_ASIDS=0",
	};

	if (unusable())
		SKIP(return, "%s", unusable());
	write_firmware();
	for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
		EXPECT_EQ(1, gmemctl(launch, "1", settings[i]));
		EXPECT_TRUE(strstr(output, i < 3 ? "firmware error 0x" :
				   "no ASID is free"));
	}
}

TEST_HARNESS_MAIN
