// SPDX-License-Identifier: GPL-2.0
/*
 * The VM's side of a save: it ends when the file has its name, and goes on
 * whatever else happens.
 */
#include <fcntl.h>

#include "../base/calls.h"
#include "../control/control.h"
#include "../machine/pc.h"
#include "../memory/save.h"
#include "pc_fake.h"
#include "ksft.h"

/**
 * enum word - what the one who saves says when the guest is written
 * @WORD_NAMED: the file has its name
 * @WORD_FAILED: it cannot get it
 * @WORD_NONE: nothing, it has gone
 */
enum word {
	WORD_NAMED,
	WORD_FAILED,
	WORD_NONE,
};

static struct channel channel;
static struct calls own_calls;
static int (*fake_ioctl)(int fd, unsigned long request, void *arg);
static struct error error;
static enum word word;
static int file, written, last;

/* A KVM whose interrupt controllers and clocks are all zeros. */
static int state_ioctl(int fd, unsigned long request, void *arg)
{
	switch (request) {
	case KVM_GET_IRQCHIP:
	case KVM_GET_PIT2:
	case KVM_GET_CLOCK:
		return 0;
	default:
		return fake_ioctl(fd, request, arg);
	}
}

static void start(void)
{
	setenv("GMEMCTL_RUNTIME_DIR", ksft_folder(), 1);
	EXPECT_TRUE(pc_fake_start());
	pthread_mutex_init(&pc_fake.pc.still, NULL);
	EXPECT_FALSE(pc_devices(&pc_fake.pc, NULL));
	own_calls = *calls;
	fake_ioctl = own_calls.ioctl;
	own_calls.ioctl = state_ioctl;
	calls = &own_calls;
	file = memfd_create("guest", MFD_CLOEXEC);
	EXPECT_FALSE(channel_listen(&channel, &error));
}

static void stop(void)
{
	channel_close(&channel);
	close(file);
	pc_devices_destroy(&pc_fake.pc);
	pthread_mutex_destroy(&pc_fake.pc.still);
	pc_fake_stop();
	EXPECT_FALSE(rmdir(ksft_folder()));
}

/* The process that saves. */
static void *saver_main(void *data)
{
	int socket = channel_accept(&channel, 5000, &error);

	last = 1;
	EXPECT_FALSE(channel_send_file(socket, file));
	written = channel_wait_result(socket, -1, 5000, NULL);
	if (written || word == WORD_NONE) {
		close(socket);
		return NULL;
	}
	EXPECT_FALSE(machine_ended(&pc_fake.pc.machine));
	if (word == WORD_FAILED)
		error_set(&error, -EISDIR, "file", "rename", NULL);
	EXPECT_FALSE(channel_send_result(socket, word == WORD_FAILED ? -EISDIR : 0, &error));
	last = channel_wait_result(socket, -1, 5000, NULL);
	close(socket);
	return NULL;
}

static enum end save(bool and_stop, enum word what)
{
	pthread_t saver;

	word = what;
	EXPECT_FALSE(pthread_create(&saver, NULL, saver_main, NULL));
	EXPECT_FALSE(pc_move_save(&pc_fake.pc, channel.name, and_stop, &error));
	pc_job_serve(&pc_fake.pc);
	pthread_join(saver, NULL);
	EXPECT_FALSE(pc_fake.pc.job);
	return pc_fake.pc.machine.end;
}

static bool file_is_whole(void)
{
	struct saved saved;
	int rc;

	lseek(file, 0, SEEK_SET);
	rc = save_read(file, "guest", &saved, &error);
	if (!rc)
		save_free(&saved);
	return !rc;
}

TEST_OF(pc_move, named_C5)
{
	start();
	EXPECT_EQ(save(true, WORD_NAMED), END_SAVED);
	EXPECT_FALSE(written);
	EXPECT_FALSE(last);
	EXPECT_TRUE(file_is_whole());
	stop();
}

/* The guest stays where it was, however often. */
TEST_OF(pc_move, goes_on_C5)
{
	start();
	EXPECT_EQ(save(true, WORD_NONE), END_NONE);
	EXPECT_FALSE(written);
	EXPECT_EQ(save(true, WORD_FAILED), END_NONE);
	EXPECT_EQ(last, -EISDIR);
	EXPECT_EQ(save(false, WORD_NONE), END_NONE);
	EXPECT_FALSE(written);
	EXPECT_TRUE(file_is_whole());
	stop();
}

/* Nobody gives it a name then. */
TEST_OF(pc_move, full_C5)
{
	start();
	close(file);
	file = open("/dev/full", O_RDWR | O_CLOEXEC);
	EXPECT_EQ(save(true, WORD_NAMED), END_NONE);
	EXPECT_EQ(written, -ENOSPC);
	stop();
}
