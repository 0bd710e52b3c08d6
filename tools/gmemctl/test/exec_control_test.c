// SPDX-License-Identifier: GPL-2.0
/* The control socket of `gmemctl exec`: who shares the guest's memory, and who waits for that. */
#include <limits.h>
#include <sys/socket.h>

#include "../base/clock.h"
#include "../base/fdpass.h"
#include "../control/control.h"
#include "../exec/exec.h"
#include "../exec/report.h"
#include "../machine/remotes.h"
#include "../memory/remote.h"
#include "exec_fake.h"
#include "ksft.h"

#define NAME "guest"
#define MIB (UINT64_C(1) << 20)
#define TIMEOUT_MS 10000

static struct exec_vm *vm;
static char *ram;
static struct channel channel;
static struct error error;

FIXTURE(exec_control) {
};

FIXTURE_SETUP(exec_control)
{
	setenv("GMEMCTL_RUNTIME_DIR", ksft_folder(), 1);
	exec_settings.name = NAME;
	exec_fake_start();
	vm = exec_vm_of(exec_fake.vm);
	ram = exec_fake_map(0, 4 * MIB, 0);
	EXPECT_FALSE(exec_fake_slot(0, 0, 0, 2 * MIB, ram));
	EXPECT_FALSE(exec_fake_slot(1, 0, 16 * MIB, MIB, ram + 2 * MIB));
	EXPECT_FALSE(channel_listen(&channel, &error));
}

FIXTURE_TEARDOWN(exec_control)
{
	channel_close(&channel);
	exec_control_stop();
	munmap(ram, 4 * MIB);
	exec_fake_stop();
	EXPECT_FALSE(rmdir(ksft_folder()));
}

/* Ask, and put the request. Return: what the VM says, as client_call(). */
static int ask(struct json_object *request)
{
	return client_call(NAME, CLIENT_TIMEOUT_S, request, NULL, &error);
}

/* Another process that asks to share the memory. Return: its connection. */
static int join(void)
{
	struct json_object *request = message_request("remote");

	message_add_string(request, "channel", channel.name);
	EXPECT_FALSE(ask(request));
	return channel_accept(&channel, TIMEOUT_MS, &error);
}

/* What it is told next, which is of @kind. Return: the range. */
static struct range told(int socket, enum remote_kind kind)
{
	struct remote_message message = { 0 };
	struct files files = { .count = 0 };

	EXPECT_FALSE(files_receive(socket, &message, sizeof(message), 1, &files));
	EXPECT_EQ(message.kind, (uint32_t)kind);
	EXPECT_EQ(files.count, kind == REMOTE_MAP);
	files_close(&files);
	return message.range;
}

static void answer(int socket)
{
	int32_t rc = 0;

	EXPECT_EQ(send(socket, &rc, sizeof(rc), 0), (ssize_t)sizeof(rc));
}

/* Whether it is told, in time, that it is over. */
static bool dropped(int socket)
{
	struct pollfd end = { .fd = socket, .events = POLLRDHUP };

	return poll(&end, 1, REMOTE_TIMEOUT_MS / 2) == 1 && end.revents & POLLRDHUP;
}

static void share(int socket)
{
	EXPECT_EQ(told(socket, REMOTE_START).end, 17 * MIB);
	EXPECT_EQ(told(socket, REMOTE_MAP).end, 2 * MIB);
	answer(socket);
	EXPECT_EQ(told(socket, REMOTE_MAP).start, 16 * MIB);
	answer(socket);
	told(socket, REMOTE_READY);
}

TEST_F(exec_control, remote)
{
	int socket = join();

	share(socket);
	EXPECT_FALSE(exec_fake_slot(1, 0, 0, 0, ram));
	EXPECT_TRUE(dropped(socket));
	close(socket);
	/* The next one has what there is now, and loses it with the VM. */
	socket = join();
	EXPECT_EQ(told(socket, REMOTE_START).end, 2 * MIB);
	EXPECT_EQ(told(socket, REMOTE_MAP).end, 2 * MIB);
	answer(socket);
	told(socket, REMOTE_READY);
	EXPECT_FALSE(ask(message_request("stat")));
	exec_closing(exec_fake.vcpu);
	exec_closing(exec_fake.vm);
	EXPECT_TRUE(dropped(socket));
	close(socket);
}

/* The VMM creates and closes VMs, and its guest goes on, whoever does not answer. */
TEST_F(exec_control, remote_stalls)
{
	int socket = join();
	uint64_t before;

	told(socket, REMOTE_START);
	told(socket, REMOTE_MAP);
	before = clock_now_ms();
	exec_vms_lock();
	exec_vms_unlock();
	exec_slots_fill(vm);
	EXPECT_LT(clock_now_ms() - before, REMOTE_TIMEOUT_MS / 2);
	EXPECT_FALSE(exec_fake_slot(1, 0, 0, 0, ram));
	EXPECT_TRUE(dropped(socket));
	close(socket);
}

static void *convert_main(void *data)
{
	struct json_object *request = message_request("convert");

	message_add_string(request, "to", "private");
	message_add_number(request, "start", 0);
	message_add_number(request, "size", 4096);
	__atomic_store_n((int *)data, ask(request), __ATOMIC_RELAXED);
	return NULL;
}

/* The VMM closes its VM, whatever a conversion waits for; the rest goes when that is done. */
TEST_F(exec_control, convert_waits)
{
	uint64_t before;
	pthread_t thread;
	int rc = 1;

	__atomic_store_n(&exec_fake.interrupts, UINT_MAX, __ATOMIC_RELAXED);
	EXPECT_FALSE(pthread_create(&thread, NULL, convert_main, &rc));
	while (__atomic_load_n(&exec_fake.interrupts, __ATOMIC_RELAXED) == UINT_MAX)
		usleep(1000);
	before = clock_now_ms();
	exec_closing(exec_fake.vcpu);
	exec_closing(exec_fake.vm);
	EXPECT_LT(clock_now_ms() - before, REMOTE_TIMEOUT_MS / 2);
	EXPECT_EQ(exec_vms_lock(), vm);
	exec_vms_unlock();
	/* The other thread counts at the same time, and may undo it. */
	while (__atomic_load_n(&rc, __ATOMIC_RELAXED) == 1) {
		__atomic_store_n(&exec_fake.interrupts, 0, __ATOMIC_RELAXED);
		usleep(1000);
	}
	pthread_join(thread, NULL);
	EXPECT_FALSE(rc);
	EXPECT_EQ(ask(message_request("stat")), -ESHUTDOWN);
}

static void *change_main(void *data)
{
	EXPECT_FALSE(exec_fake_slot(1, 0, 32 * MIB, MIB, ram + 2 * MIB));
	return NULL;
}

/* One that has come while a change waits has what was there before, and must not keep it. */
TEST_F(exec_control, remote_before_change)
{
	pthread_t thread;
	int socket;

	pthread_rwlock_rdlock(&vm->lock);
	EXPECT_FALSE(pthread_create(&thread, NULL, change_main, NULL));
	usleep(100000);
	socket = join();
	share(socket);
	pthread_rwlock_unlock(&vm->lock);
	pthread_join(thread, NULL);
	EXPECT_TRUE(dropped(socket));
	close(socket);
}

/* Who says something that nobody has asked for, and goes, makes room all the same. */
TEST_F(exec_control, remote_talks)
{
	int rc = -EBUSY, socket;

	for (int i = 0; i < REMOTES_MAX; i++) {
		socket = join();
		share(socket);
		answer(socket);
		close(socket);
	}
	for (int i = 0; i < 1000 && rc == -EBUSY; i++) {
		struct json_object *request = message_request("remote");

		message_add_string(request, "channel", channel.name);
		rc = ask(request);
		usleep(1000);
	}
	EXPECT_FALSE(rc);
	socket = channel_accept(&channel, TIMEOUT_MS, &error);
	share(socket);
	close(socket);
}
