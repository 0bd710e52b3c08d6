// SPDX-License-Identifier: GPL-2.0
/*
 * The driver pvmemcontrol used from userspace, with the model of a device in
 * pvmemcontrol_test.ko: access rights of the node, requests that reach the device, their
 * answers, and the effect on open files when the device forgets its connections, is
 * suspended, breaks or is unplugged.
 */
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/capability.h>
#include <linux/pvmemcontrol.h>

#include "../module/test/pvmemcontrol/pvmemcontrol_test.h"
#include "fail_nth.h"
#include "gmem_utils.h"
#include "ksft.h"

#define TRACEFS "/sys/kernel/tracing"
#define INSTANCE TRACEFS "/instances/pvmemcontrol_test"
#define REPORT_PARAM "/sys/module/pvmemcontrol/parameters/report_free_pages"
#define THREADS 4
#define MAX_RUNS 200

FIXTURE(pvm) {
	int device;
	int fd;
	char path[64];
};

/* Open a new device. Return: its fd, or a negative errno. */
static int device_open(void)
{
	int fd = open(PVMEMCONTROL_TEST_PATH, O_RDWR | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static int device_do(int device, enum pvmemcontrol_test_op op, long long value)
{
	struct pvmemcontrol_test_do what = { .op = op, .value = value };

	return ioctl(device, PVMEMCONTROL_TEST_DO, &what) ? -errno : 0;
}

static struct pvmemcontrol_test_seen device_seen(int device)
{
	struct pvmemcontrol_test_seen seen = { 0 };

	EXPECT_EQ(0, ioctl(device, PVMEMCONTROL_TEST_SEEN, &seen));
	return seen;
}

static void node_path(int device, char *path, size_t size)
{
	snprintf(path, size, PVMEMCONTROL_DEVICE_DIR "%u", device_seen(device).number);
}

static int node_open(const char *path, int flags)
{
	int fd = open(path, O_RDWR | O_CLOEXEC | flags);

	return fd < 0 ? -errno : fd;
}

static int call(int fd, uint64_t func, uint64_t addr, uint64_t length, uint64_t arg,
		struct pvmemcontrol_vmm_ret *ret)
{
	struct pvmemcontrol_buf buf = {
		.call = { .func_code = func, .addr = addr, .length = length, .arg = arg },
	};

	if (ioctl(fd, PVMEMCONTROL_IOCTL_VMM, &buf))
		return -errno;
	if (ret)
		*ret = buf.ret;
	return -(int)buf.ret.ret_errno;
}

static int call_free(int fd)
{
	return call(fd, PVMEMCONTROL_FREE, PAGE, PAGE, 0, NULL);
}

FIXTURE_SETUP(pvm)
{
	if (access(PVMEMCONTROL_TEST_PATH, F_OK))
		SKIP(return, "no pvmemcontrol_test.ko");
	self->device = device_open();
	ASSERT_GE(self->device, 0);
	node_path(self->device, self->path, sizeof(self->path));
	self->fd = node_open(self->path, 0);
	ASSERT_GE(self->fd, 0);
}

FIXTURE_TEARDOWN(pvm)
{
	close(self->fd);
	close(self->device);
	EXPECT_EQ(-1, access(self->path, F_OK));
}

/* The registered ioctl number, which other drivers and programs know. */
TEST(ioctl_number)
{
	EXPECT_EQ(0xc020da00, PVMEMCONTROL_IOCTL_VMM);
	EXPECT_EQ(32, sizeof(struct pvmemcontrol_buf));
}

TEST_F(pvm, node_is_roots)
{
	struct stat st;

	ASSERT_EQ(0, stat(self->path, &st));
	EXPECT_TRUE(S_ISCHR(st.st_mode));
	EXPECT_EQ(0600, st.st_mode & 07777);
	EXPECT_EQ(0, st.st_uid);
	EXPECT_EQ(-EINVAL, node_open(self->path, O_EXCL));
}

/* Root without CAP_SYS_ADMIN cannot open the node, whatever its mode is. */
static int open_without_capability(const char *path)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &head, data))
		return errno;
	data[0].effective &= ~(1U << CAP_SYS_ADMIN);
	data[0].permitted &= ~(1U << CAP_SYS_ADMIN);
	if (syscall(SYS_capset, &head, data))
		return errno;
	return -node_open(path, 0);
}

TEST_F(pvm, needs_capability)
{
	int status;
	pid_t pid = fork();

	if (!pid)
		_exit(open_without_capability(self->path));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(EACCES, WEXITSTATUS(status));
}

TEST_F(pvm, unknown_ioctls)
{
	struct pvmemcontrol_buf buf = { 0 };
	unsigned int nr;

	for (nr = 1; nr < 256; nr++) {
		EXPECT_EQ(-1, ioctl(self->fd, _IOWR(0xda, nr, buf), &buf));
		EXPECT_EQ(EINVAL, errno);
	}
	EXPECT_EQ(-1, ioctl(self->fd, _IOR(0xda, 0, buf), &buf));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, ioctl(self->fd, _IOWR(0xda, 0, uint32_t), &buf));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, ioctl(self->fd, PVMEMCONTROL_IOCTL_VMM, NULL));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(1, device_seen(self->device).requests);
	EXPECT_EQ(-1, read(self->fd, &buf, 1));
	EXPECT_EQ(-1, lseek(self->fd, 0, SEEK_SET));
}

/* The answer cannot be written to the request's memory, but the request was executed. */
TEST_F(pvm, read_only_memory)
{
	struct pvmemcontrol_buf *buf = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
					    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ASSERT_NE(-1, (long)buf);
	buf->call.func_code = PVMEMCONTROL_FREE;
	ASSERT_EQ(0, mprotect(buf, PAGE, PROT_READ));
	EXPECT_EQ(-1, ioctl(self->fd, PVMEMCONTROL_IOCTL_VMM, buf));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(2, device_seen(self->device).requests);
}

TEST_F(pvm, info)
{
	struct pvmemcontrol_vmm_ret ret;

	EXPECT_EQ(0, call(self->fd, PVMEMCONTROL_INFO, 1, 2, 3, &ret));
	EXPECT_EQ(4096, ret.ret_value);
	EXPECT_EQ(1, ret.arg0);
	EXPECT_EQ(0, ret.arg1);
	EXPECT_EQ(1, device_seen(self->device).requests);
}

/* Each function reaches the device unchanged, also unknown ones. */
TEST_F(pvm, requests)
{
	struct pvmemcontrol_test_seen seen;
	struct pvmemcontrol_vmm_ret ret;
	uint64_t func;

	for (func = PVMEMCONTROL_DONTNEED; func <= PVMEMCONTROL_UNMERGEABLE + 1; func++) {
		call(self->fd, func, func << 12, func << 20, ~func, &ret);
		seen = device_seen(self->device);
		EXPECT_EQ(func, seen.func);
		EXPECT_EQ(func << 12, seen.addr);
		EXPECT_EQ(func << 20, seen.length);
		EXPECT_EQ(~func, seen.arg);
		EXPECT_EQ(func > PVMEMCONTROL_UNMERGEABLE ? func : 0, ret.ret_code);
		EXPECT_EQ(func > PVMEMCONTROL_UNMERGEABLE ? EOPNOTSUPP :
			  func == PVMEMCONTROL_REMOVE ? EINVAL : 0, ret.ret_errno);
	}
	ASSERT_EQ(0, device_do(self->device, PVMEMCONTROL_TEST_FAIL, ENOMEM));
	EXPECT_EQ(-ENOMEM, call(self->fd, PVMEMCONTROL_MLOCK, 0, PAGE, 0, &ret));
	EXPECT_EQ(0, ret.ret_code);
}

TEST_F(pvm, forgotten)
{
	ASSERT_EQ(0, device_do(self->device, PVMEMCONTROL_TEST_FORGET, 0));
	EXPECT_EQ(0, device_seen(self->device).connections);
	EXPECT_EQ(0, call_free(self->fd));
	EXPECT_EQ(2, device_seen(self->device).resets);
	EXPECT_EQ(0, call_free(self->fd));
	EXPECT_EQ(2, device_seen(self->device).resets);
}

TEST_F(pvm, suspended)
{
	ASSERT_EQ(0, device_do(self->device, PVMEMCONTROL_TEST_SUSPEND, 0));
	EXPECT_EQ(-EAGAIN, call_free(self->fd));
	EXPECT_EQ(-EAGAIN, call(self->fd, PVMEMCONTROL_INFO, 0, 0, 0, NULL));
	ASSERT_EQ(0, device_do(self->device, PVMEMCONTROL_TEST_RESUME, 0));
	EXPECT_EQ(0, call_free(self->fd));
}

/* A device answers while it is connected again, but not to later calls. */
TEST_F(pvm, broken)
{
	ASSERT_EQ(0, device_do(self->device, PVMEMCONTROL_TEST_MUTE, 0));
	EXPECT_EQ(-EIO, call_free(self->fd));
	ASSERT_EQ(0, device_do(self->device, PVMEMCONTROL_TEST_MUTE, -1));
	EXPECT_EQ(-EIO, call_free(self->fd));
	EXPECT_EQ(-EIO, call(self->fd, PVMEMCONTROL_INFO, 0, 0, 0, NULL));
	EXPECT_EQ(2, device_seen(self->device).resets);
	ASSERT_EQ(0, device_do(self->device, PVMEMCONTROL_TEST_SUSPEND, 0));
	ASSERT_EQ(0, device_do(self->device, PVMEMCONTROL_TEST_RESUME, 0));
	EXPECT_EQ(0, call_free(self->fd));
}

TEST_F(pvm, unplugged)
{
	int other = dup(self->fd);

	ASSERT_EQ(0, device_do(self->device, PVMEMCONTROL_TEST_UNPLUG, 0));
	EXPECT_EQ(-ENOENT, node_open(self->path, 0));
	EXPECT_EQ(-ENODEV, call_free(self->fd));
	EXPECT_EQ(-ENODEV, call(other, PVMEMCONTROL_INFO, 0, 0, 0, NULL));
	EXPECT_EQ(-1, ioctl(self->fd, _IO(0xda, 1)));
	EXPECT_EQ(EINVAL, errno);
	close(other);
	EXPECT_EQ(-ENODEV, call_free(self->fd));
}

/* The number becomes free after the last file is closed. */
TEST_F(pvm, several)
{
	int devices[3], fds[3], i;
	char path[64];

	for (i = 0; i < 3; i++) {
		devices[i] = device_open();
		ASSERT_GE(devices[i], 0);
		node_path(devices[i], path, sizeof(path));
		EXPECT_NE(0, strcmp(path, self->path));
		fds[i] = node_open(path, 0);
		ASSERT_GE(fds[i], 0);
		EXPECT_EQ(0, call_free(fds[i]));
		EXPECT_EQ(2, device_seen(devices[i]).requests);
	}
	ASSERT_EQ(0, device_do(devices[1], PVMEMCONTROL_TEST_UNPLUG, 0));
	EXPECT_EQ(-ENODEV, call_free(fds[1]));
	EXPECT_EQ(0, call_free(fds[0]));
	EXPECT_EQ(0, call_free(fds[2]));
	EXPECT_EQ(1, device_seen(self->device).requests);
	for (i = 0; i < 3; i++) {
		close(fds[i]);
		close(devices[i]);
	}
}

struct caller {
	pthread_t thread;
	int fd;
	unsigned int wrong;
	int rc;
};

/* Call until the device is unplugged: unknown functions return their own number. */
static void *caller_thread(void *arg)
{
	struct caller *caller = arg;
	struct pvmemcontrol_vmm_ret ret = { 0 };
	uint64_t func = 100 + (uintptr_t)arg % 1000;

	do {
		caller->rc = call(caller->fd, ++func, 0, 0, 0, &ret);
		caller->wrong += caller->rc == -EOPNOTSUPP && ret.ret_code != func;
	} while (caller->rc == -EOPNOTSUPP);
	return NULL;
}

/*
 * All threads use one fd for calls while the device forgets its connections and is
 * unplugged.
 */
TEST_F(pvm, unplugged_while_calling)
{
	struct caller callers[THREADS];
	int i;

	for (i = 0; i < THREADS; i++) {
		callers[i] = (struct caller){ .fd = self->fd };
		ASSERT_EQ(0, pthread_create(&callers[i].thread, NULL, caller_thread,
					    &callers[i]));
	}
	usleep(200 * 1000);
	ASSERT_EQ(0, device_do(self->device, PVMEMCONTROL_TEST_FORGET, 0));
	usleep(200 * 1000);
	ASSERT_EQ(0, device_do(self->device, PVMEMCONTROL_TEST_UNPLUG, 0));
	for (i = 0; i < THREADS; i++) {
		ASSERT_EQ(0, pthread_join(callers[i].thread, NULL));
		EXPECT_EQ(-ENODEV, callers[i].rc);
		EXPECT_EQ(0, callers[i].wrong);
	}
	EXPECT_EQ(2, device_seen(self->device).resets);
}

/* The file is closed after its device and driver have gone. */
TEST_F(pvm, closed_late)
{
	int device = device_open(), fd;
	char path[64];

	ASSERT_GE(device, 0);
	node_path(device, path, sizeof(path));
	fd = node_open(path, 0);
	ASSERT_GE(fd, 0);
	close(device);
	EXPECT_EQ(-ENODEV, call_free(fd));
	EXPECT_EQ(0, close(fd));
}

/* Errnos that the header documents. */
static bool call_allowed(int rc)
{
	return !rc || rc == -EINVAL || rc == -EFAULT || rc == -EIO || rc == -ENODEV ||
	       rc == -EAGAIN;
}

/* Mostly requests with random values, sometimes random ioctls. */
static int random_call(int fd, uint64_t *state)
{
	struct pvmemcontrol_buf buf = {
		.call.func_code = gmem_rand(state) % 20,
		.call.addr = gmem_rand(state) >> gmem_rand(state) % 64,
		.call.length = gmem_rand(state) >> gmem_rand(state) % 64,
		.call.arg = gmem_rand(state),
	};
	unsigned long cmd = PVMEMCONTROL_IOCTL_VMM;
	void *arg = &buf;

	if (!(gmem_rand(state) % 16))
		cmd ^= 1UL << gmem_rand(state) % 32;
	if (!(gmem_rand(state) % 16))
		arg = (void *)(uintptr_t)gmem_rand(state);
	return ioctl(fd, cmd, arg) ? -errno : 0;
}

static void *random_thread(void *arg)
{
	struct caller *caller = arg;
	uint64_t state = ksft_seed() + (uintptr_t)arg, end = ksft_now_ms() + 2000;

	do {
		caller->rc = random_call(caller->fd, &state);
		caller->wrong += !call_allowed(caller->rc);
	} while (ksft_now_ms() < end);
	return NULL;
}

static void random_event(int device, uint64_t *state)
{
	switch (gmem_rand(state) % 4) {
	case 0:
		device_do(device, PVMEMCONTROL_TEST_FORGET, 0);
		break;
	case 1:
		device_do(device, PVMEMCONTROL_TEST_MUTE, gmem_rand(state) % 4);
		usleep(1000);
		device_do(device, PVMEMCONTROL_TEST_MUTE, -1);
		break;
	default:
		device_do(device, PVMEMCONTROL_TEST_SUSPEND, 0);
		device_do(device, PVMEMCONTROL_TEST_RESUME, 0);
		break;
	}
}

/* Random calls during random events: documented errors only, and a clean end. */
TEST_F(pvm, random)
{
	uint64_t state = ksft_seed(), end = ksft_now_ms() + 2000;
	struct caller callers[THREADS];
	int i;

	for (i = 0; i < THREADS; i++) {
		callers[i] = (struct caller){ .fd = self->fd };
		ASSERT_EQ(0, pthread_create(&callers[i].thread, NULL, random_thread,
					    &callers[i]));
	}
	while (ksft_now_ms() < end) {
		random_event(self->device, &state);
		usleep(5000);
	}
	for (i = 0; i < THREADS; i++) {
		ASSERT_EQ(0, pthread_join(callers[i].thread, NULL));
		EXPECT_EQ(0, callers[i].wrong);
	}
	ASSERT_EQ(0, device_do(self->device, PVMEMCONTROL_TEST_SUSPEND, 0));
	ASSERT_EQ(0, device_do(self->device, PVMEMCONTROL_TEST_RESUME, 0));
	EXPECT_EQ(0, call_free(self->fd));
}

/* Whether a line of the trace contains both texts. */
static bool traced(const char *text, const char *event, const char *words)
{
	const char *line = text;

	while ((line = strstr(line, event))) {
		const char *end = strchrnul(line, '\n'), *found = strstr(line, words);

		if (found && found < end)
			return true;
		line = end;
	}
	return false;
}

TEST_F(pvm, tracepoints)
{
	char *text = malloc(1 << 18);

	if (access(TRACEFS "/events", F_OK))
		SKIP(return, "no tracefs at " TRACEFS);
	rmdir(INSTANCE);
	ASSERT_EQ(0, mkdir(INSTANCE, 0700));
	EXPECT_EQ(0, gmem_write_file(INSTANCE "/events/pvmemcontrol/enable", "1"));
	call(self->fd, PVMEMCONTROL_REMOVE, PAGE, 2 * PAGE, 3, NULL);
	device_do(self->device, PVMEMCONTROL_TEST_FORGET, 0);
	call_free(self->fd);
	device_do(self->device, PVMEMCONTROL_TEST_UNPLUG, 0);
	call_free(self->fd);
	EXPECT_EQ(0, gmem_write_file(INSTANCE "/events/pvmemcontrol/enable", "0"));
	EXPECT_LT(0, gmem_read_file(INSTANCE "/trace", text, 1 << 18));
	EXPECT_EQ(0, rmdir(INSTANCE));
	EXPECT_TRUE(traced(text, "pvmemcontrol_call:",
			   "func=remove(2) addr=0x1000 length=0x2000 arg=3 "
			   "ret_errno=22 ret_code=0 rc=0"));
	EXPECT_TRUE(traced(text, "pvmemcontrol_call:", "func=free(3)"));
	EXPECT_TRUE(traced(text, "pvmemcontrol_call:", "rc=-19"));
	EXPECT_TRUE(traced(text, "pvmemcontrol_state:", "from=ready to=down rc=0"));
	EXPECT_TRUE(traced(text, "pvmemcontrol_state:", "from=down to=ready rc=0"));
	EXPECT_TRUE(traced(text, "pvmemcontrol_state:", "from=ready to=gone rc=0"));
	free(text);
}

static int report(bool on)
{
	return gmem_write_file(REPORT_PARAM, on ? "1" : "0");
}

static bool reports(void)
{
	char text[8] = "";

	gmem_read_file(REPORT_PARAM, text, sizeof(text));
	return text[0] == 'Y';
}

static bool wait_requests(int device, uint64_t more_than)
{
	for (int i = 0; i < 600; i++) {
		if (device_seen(device).requests > more_than)
			return true;
		usleep(100 * 1000);
	}
	return false;
}

/* Return: NULL, or why free pages cannot be reported. Only the attempt shows it. */
static const char *report_unavailable(void)
{
	int rc = report(true);

	if (rc == -EOPNOTSUPP)
		return KSFT_BY_DESIGN " a kernel without CONFIG_PAGE_REPORTING";
	EXPECT_EQ(0, rc);
	return NULL;
}

/*
 * Reporting is off by default. Blocks of free memory are first reported as shared memory.
 * If the device refuses that, they are reported as anonymous memory.
 */
TEST_F(pvm, reports_free_pages)
{
	struct pvmemcontrol_test_seen seen;
	const char *why;

	EXPECT_FALSE(reports());
	EXPECT_EQ(-EINVAL, gmem_write_file(REPORT_PARAM, "perhaps"));
	why = report_unavailable();
	if (why)
		SKIP(return, "%s", why);
	EXPECT_TRUE(reports());
	EXPECT_TRUE(wait_requests(self->device, 9));
	seen = device_seen(self->device);
	EXPECT_TRUE(seen.func == PVMEMCONTROL_REMOVE || seen.func == PVMEMCONTROL_DONTNEED);
	EXPECT_EQ(0, seen.addr % SZ_2M);
	EXPECT_LE(SZ_2M, seen.length);
	EXPECT_EQ(0, report(false));
	EXPECT_FALSE(reports());
}

/* When the device is unplugged, another one gets the reports; then none does. */
TEST_F(pvm, reports_to_another)
{
	int other = device_open();
	const char *why;

	ASSERT_GE(other, 0);
	why = report_unavailable();
	if (!why) {
		ASSERT_EQ(0, device_do(self->device, PVMEMCONTROL_TEST_UNPLUG, 0));
		EXPECT_TRUE(wait_requests(other, 9));
		ASSERT_EQ(0, device_do(other, PVMEMCONTROL_TEST_UNPLUG, 0));
		EXPECT_TRUE(reports());
		EXPECT_EQ(0, report(false));
	}
	close(other);
	if (why)
		SKIP(return, "%s", why);
}

/* The balloon is a reporter already: this is not an error of a device. */
TEST_F(pvm, reports_not_beside_another)
{
	const char *why = report_unavailable();
	int other;

	if (why)
		SKIP(return, "%s", why);
	EXPECT_EQ(-EBUSY, device_do(self->device, PVMEMCONTROL_TEST_REPORTER, 1));
	EXPECT_EQ(0, report(false));
	EXPECT_EQ(0, device_do(self->device, PVMEMCONTROL_TEST_REPORTER, 1));
	EXPECT_EQ(-EBUSY, report(true));
	EXPECT_FALSE(reports());
	EXPECT_EQ(0, call_free(self->fd));

	/*
	 * Reporting is enabled before there is a device, and the device is added besides
	 * the balloon.
	 */
	EXPECT_EQ(0, device_do(self->device, PVMEMCONTROL_TEST_UNPLUG, 0));
	EXPECT_EQ(0, report(true));
	EXPECT_TRUE(reports());
	other = device_open();
	EXPECT_GE(other, 0);
	EXPECT_EQ(0, report(false));
	close(other);
	EXPECT_EQ(0, device_do(self->device, PVMEMCONTROL_TEST_REPORTER, 0));
}

/*
 * Each allocation fails in turn while a device is added. EFAULT is the error of the copy
 * of the opened path.
 */
TEST_TIMEOUT(plug_fail_nth, 300)
{
	const char *why = fail_nth_unavailable();
	int nth_fd, device = -1, hit = 1, failed = 0;
	unsigned int nth;

	if (!why && access(PVMEMCONTROL_TEST_PATH, F_OK))
		why = "no pvmemcontrol_test.ko";
	if (why)
		SKIP(return, "%s", why);
	nth_fd = fail_nth_open();
	ASSERT_GE(nth_fd, 0);
	for (nth = 1; hit && nth < MAX_RUNS; nth++) {
		ASSERT_EQ(0, fail_nth_arm(nth_fd, nth));
		device = device_open();
		hit = fail_nth_disarm(nth_fd);
		ASSERT_GE(hit, 0);
		EXPECT_TRUE(device >= 0 ||
			    (hit && (device == -ENOMEM || device == -EFAULT)));
		failed += device < 0;
		if (device >= 0) {
			EXPECT_EQ(1, device_seen(device).resets);
			close(device);
		}
	}
	TH_LOG("%u runs, %d failed", nth - 1, failed);
	EXPECT_LT(nth, MAX_RUNS);
	EXPECT_LT(5, failed);
}

/* The same for a call that has to connect the device again. */
TEST_F(pvm, call_fail_nth)
{
	const char *why = fail_nth_unavailable();
	int nth_fd, hit = 1, rc, failed = 0;
	unsigned int nth;

	if (why)
		SKIP(return, "%s", why);
	nth_fd = fail_nth_open();
	ASSERT_GE(nth_fd, 0);
	for (nth = 1; hit && nth < MAX_RUNS; nth++) {
		ASSERT_EQ(0, device_do(self->device, PVMEMCONTROL_TEST_FORGET, 0));
		ASSERT_EQ(0, fail_nth_arm(nth_fd, nth));
		rc = call_free(self->fd);
		hit = fail_nth_disarm(nth_fd);
		ASSERT_GE(hit, 0);
		EXPECT_TRUE(!rc || (hit && rc == -EFAULT));
		failed += !!rc;
		EXPECT_EQ(0, call_free(self->fd));
	}
	EXPECT_LT(nth, MAX_RUNS);
	EXPECT_LT(0, failed);
}

TEST_HARNESS_MAIN
