// SPDX-License-Identifier: GPL-2.0
/* A running PC shares its memory with those who ask on its control socket. */
#include <fcntl.h>

#include "../control/control.h"
#include "../memory/remote.h"
#include "pc_fake.h"
#include "ksft.h"

#define PAGE RANGE_PAGE_SIZE
#define TIMEOUT_MS 10000

static struct pc_control *const control = &pc_fake.control;
static struct channel channel;
static struct error error;

static void start(void)
{
	EXPECT_TRUE(pc_fake_start());
	setenv("GMEMCTL_RUNTIME_DIR", ksft_folder(), 1);
	EXPECT_FALSE(channel_listen(&channel, &error));
}

static void stop(void)
{
	remotes_stop(&control->remotes);
	channel_close(&channel);
	pc_fake_stop();
	EXPECT_FALSE(rmdir(ksft_folder()));
}

static int ask(const char *name)
{
	struct json_object *request = json_object_new_object();
	struct json_object *result = NULL;
	int rc;

	json_object_object_add(request, "channel", json_object_new_string(name));
	rc = pc_control_serve(control, "remote", request, &result, &error);
	json_object_put(request);
	EXPECT_FALSE(result);
	return rc;
}

/* The other side of what was asked for. Return: the connection. */
static int join(struct remote_mapper *mapper)
{
	int socket = channel_accept(&channel, TIMEOUT_MS, &error);

	EXPECT_GE(socket, 0);
	EXPECT_FALSE(remote_mapper_start(mapper, socket, &error));
	return socket;
}

static bool sees(struct remote_mapper *mapper, uint64_t page, uint8_t byte)
{
	uint8_t got = (uint8_t)~byte;

	return !remote_mapper_read(mapper, page * PAGE, &got, 1, NULL) &&
	       got == byte;
}

TEST_OF(pc, remote)
{
	struct remote_mapper mappers[REMOTES_MAX];
	int sockets[REMOTES_MAX];

	start();
	memset(pc_fake.pc.machine.memory.reservation.base + 65 * PAGE, 9, PAGE);
	for (int i = 0; i < REMOTES_MAX; i++) {
		EXPECT_FALSE(ask(channel.name));
		sockets[i] = join(&mappers[i]);
		EXPECT_TRUE(sees(&mappers[i], 65, 9));
		EXPECT_TRUE(sees(&mappers[i], 0, 0));
	}
	EXPECT_EQ(ask(channel.name), -EBUSY);
	/* One that goes makes room, as soon as it is noticed. */
	remote_mapper_stop(&mappers[1]);
	close(sockets[1]);
	for (int i = 0; i < 1000 && ask(channel.name) == -EBUSY; i++)
		usleep(1000);
	sockets[1] = join(&mappers[1]);
	EXPECT_TRUE(sees(&mappers[1], 65, 9));
	remotes_stop(&control->remotes);
	for (int i = 0; i < REMOTES_MAX; i++) {
		remote_mapper_stop(&mappers[i]);
		close(sockets[i]);
	}
	stop();
}

/* Nobody is there, or somebody who never says anything: the VM goes on. */
TEST_OF(pc, remote_alone)
{
	int socket;

	start();
	EXPECT_EQ(ask("job-none"), -ENOENT);
	EXPECT_EQ(ask("../job"), -EINVAL);
	EXPECT_EQ(ask(""), -EINVAL);
	EXPECT_FALSE(ask(channel.name));
	socket = channel_accept(&channel, TIMEOUT_MS, &error);
	EXPECT_GE(socket, 0);
	close(socket);
	EXPECT_FALSE(ask(channel.name));
	stop();
}

/* One who listens and does not accept must not keep the control thread. */
TEST_OF(pc, remote_full)
{
	int fds[8], count = 0;

	start();
	while (count < 8) {
		fds[count] = channel_connect(channel.name, &error);
		if (fds[count] < 0)
			break;
		EXPECT_FALSE(fcntl(fds[count], F_GETFL) & O_NONBLOCK);
		count++;
	}
	EXPECT_TRUE(count);
	EXPECT_LT(count, 8);
	EXPECT_EQ(error.rc, -EAGAIN);
	EXPECT_STRSTR(error.hint, "does not accept");
	EXPECT_EQ(ask(channel.name), -EAGAIN);
	while (count)
		close(fds[--count]);
	stop();
}
