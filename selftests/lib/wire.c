// SPDX-License-Identifier: GPL-2.0
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "vm/guest/frames.h"
#include "wire.h"

#define LOOK_MS	100
#define WAIT_S	60

static void count(unsigned int *counter)
{
	__atomic_add_fetch(counter, 1, __ATOMIC_RELAXED);
}

static bool frame_send(struct wire *wire, unsigned int number, enum frame_kind kind)
{
	unsigned char frame[FRAME_MAX];
	ssize_t length = (ssize_t)frame_length(number);

	frame_make(frame, number, kind);
	return sendto(wire->fd, frame, (size_t)length, 0,
		      wire->peer_size ? (struct sockaddr *)&wire->peer : NULL,
		      wire->peer_size) == length;
}

static void look(struct wire *wire, const unsigned char *frame, size_t length)
{
	unsigned int number = frame_number(frame);

	if (frame_is_empty(frame, length)) {
		count(&wire->empty);
	} else if (frame_is(frame, length, number, FRAME_ASKS)) {
		frame_send(wire, number, FRAME_ANSWERS);
		count(&wire->right);
	} else {
		count(&wire->wrong);
	}
}

static void *wire_main(void *data)
{
	unsigned char frame[FRAME_MAX];
	struct wire *wire = data;

	while (!__atomic_load_n(&wire->stop, __ATOMIC_RELAXED)) {
		ssize_t got = recv(wire->fd, frame, sizeof(frame), 0);

		/* Ignore other frames of the guest's kernel. */
		if (got > 0 && frame_is_ours(frame, (size_t)got))
			look(wire, frame, (size_t)got);
	}
	return NULL;
}

static bool wire_start(struct wire *wire)
{
	struct timeval wait = { .tv_usec = LOOK_MS * 1000 };

	if (setsockopt(wire->fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)))
		return false;
	errno = pthread_create(&wire->thread, NULL, wire_main, wire);
	return !errno;
}

static struct sockaddr_un unix_address(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	strncpy(address.sun_path, path, sizeof(address.sun_path) - 1);
	return address;
}

bool wire_open_unix(struct wire *wire, const char *own, const char *peer)
{
	struct sockaddr_un address = unix_address(own), other = unix_address(peer);

	*wire = (struct wire){ .peer_size = sizeof(other) };
	memcpy(&wire->peer, &other, sizeof(other));
	unlink(own);
	wire->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	return wire->fd >= 0 &&
	       !bind(wire->fd, (struct sockaddr *)&address, sizeof(address)) &&
	       wire_start(wire);
}

/* Stop the host's kernel from sending frames there. */
static void interface_quiet(const char *name)
{
	char path[96];
	int fd;

	snprintf(path, sizeof(path), "/proc/sys/net/ipv6/conf/%s/disable_ipv6", name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	if (write(fd, "1", 1) < 0)
		perror(path);
	close(fd);
}

static bool interface_up(int fd, const char *name)
{
	struct ifreq request = { 0 };

	strncpy(request.ifr_name, name, sizeof(request.ifr_name) - 1);
	if (ioctl(fd, SIOCGIFFLAGS, &request))
		return false;
	request.ifr_flags |= IFF_UP;
	return !ioctl(fd, SIOCSIFFLAGS, &request);
}

bool wire_open_interface(struct wire *wire, const char *name)
{
	struct sockaddr_ll address = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(FRAME_TYPE),
		.sll_ifindex = (int)if_nametoindex(name),
	};

	*wire = (struct wire){ 0 };
	interface_quiet(name);
	wire->fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	return wire->fd >= 0 && interface_up(wire->fd, name) &&
	       !bind(wire->fd, (struct sockaddr *)&address, sizeof(address)) &&
	       wire_start(wire);
}

bool wire_send(struct wire *wire, unsigned int number)
{
	for (unsigned int i = 0; i < number; i++)
		if (!frame_send(wire, i, FRAME_ASKS))
			return false;
	return true;
}

static unsigned int came(const struct wire *wire)
{
	return __atomic_load_n(&wire->right, __ATOMIC_RELAXED) +
	       __atomic_load_n(&wire->empty, __ATOMIC_RELAXED) +
	       __atomic_load_n(&wire->wrong, __ATOMIC_RELAXED);
}

bool wire_wait(const struct wire *wire, unsigned int number)
{
	for (unsigned int i = 0; i < WAIT_S * 20 && came(wire) < number; i++)
		usleep(50000);
	return came(wire) >= number;
}

void wire_close(struct wire *wire)
{
	__atomic_store_n(&wire->stop, true, __ATOMIC_RELAXED);
	pthread_join(wire->thread, NULL);
	close(wire->fd);
}
