// SPDX-License-Identifier: GPL-2.0
/* Ethernet frames to the test on the host and back, from memory in any state. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "../frames.h"
#include "convert.h"

#define ANSWER_S	10
#define SILENCE_S	2
#define LINK_TRIES	1000	/* of 10 ms each */
#define RING_PAGES	(FRAME_RING / 2)
#define RING_SLOT	2048
#define RING_TRIES	100	/* of 10 ms each */

/* Without a link the kernel accepts frames, and drops them. */
static int interface_up(int fd, const char *name)
{
	struct ifreq request = { 0 };

	strncpy(request.ifr_name, name, sizeof(request.ifr_name) - 1);
	for (unsigned int tries = 0; tries < LINK_TRIES; tries++) {
		if (ioctl(fd, SIOCGIFFLAGS, &request))
			return -errno;
		if (request.ifr_flags & IFF_RUNNING)
			return 0;
		request.ifr_flags |= IFF_UP;
		if (ioctl(fd, SIOCSIFFLAGS, &request))
			return -errno;
		usleep(10000);
	}
	return -ENETDOWN;
}

/*
 * Bypass the kernel's queue before the device, which drops frames if the host is slow
 * (CoDel).
 *
 * Return: a socket for frames of the test only, or a negative errno.
 */
static int packets(const char *name, int wait_s)
{
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(FRAME_TYPE));
	struct timeval wait = { .tv_sec = wait_s };
	struct sockaddr_ll address = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(FRAME_TYPE),
		.sll_ifindex = (int)if_nametoindex(name),
	};
	int rc, bypass = 1;

	if (fd < 0)
		return -errno;
	rc = interface_up(fd, name);
	if (!rc && (bind(fd, (struct sockaddr *)&address, sizeof(address)) ||
		    setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &bypass,
			       sizeof(bypass)) ||
		    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait))))
		rc = -errno;
	if (!rc)
		return fd;
	close(fd);
	return rc;
}

/* Send frames; each comes back as an answer. */
int net_exchange(const char *name, unsigned int count, struct net *net)
{
	unsigned char frame[FRAME_MAX];
	int fd = packets(name, ANSWER_S);

	for (unsigned int i = 0; fd >= 0 && i < count; i++) {
		size_t length = frame_length(i);
		ssize_t got;

		frame_make(frame, i, FRAME_ASKS);
		net->sent += send(fd, frame, length, 0) == (ssize_t)length;
		got = recv(fd, frame, sizeof(frame), 0);
		net->received += got > 0;
		net->wrong += got > 0 && !frame_is(frame, (size_t)got, i, FRAME_ANSWERS);
	}
	if (fd >= 0)
		close(fd);
	return fd < 0 ? fd : 0;
}

/* Receive unsolicited frames, until none comes for some time. */
int net_listen(const char *name, struct net *net)
{
	unsigned char frame[FRAME_MAX];
	int fd = packets(name, SILENCE_S);

	if (fd < 0)
		return fd;
	printf("gmem-guest: listens\n");
	for (;;) {
		ssize_t got = recv(fd, frame, sizeof(frame), 0);

		if (got <= 0)
			break;
		net->received++;
		net->wrong += !frame_is(frame, (size_t)got, frame_number(frame),
					FRAME_ASKS);
	}
	close(fd);
	return 0;
}

static int ring_open(int fd, char **ring)
{
	struct tpacket_req request = {
		.tp_block_size = PAGE_BYTES,
		.tp_block_nr = RING_PAGES,
		.tp_frame_size = RING_SLOT,
		.tp_frame_nr = FRAME_RING,
	};
	int version = TPACKET_V2;

	if (setsockopt(fd, SOL_PACKET, PACKET_VERSION, &version, sizeof(version)) ||
	    setsockopt(fd, SOL_PACKET, PACKET_TX_RING, &request, sizeof(request)))
		return -errno;
	*ring = mmap(NULL, RING_PAGES * PAGE_BYTES, PROT_READ | PROT_WRITE,
		     MAP_SHARED, fd, 0);
	return *ring == MAP_FAILED ? -errno : 0;
}

static struct tpacket2_hdr *ring_slot(char *ring, unsigned int i)
{
	return (void *)(ring + i * RING_SLOT);
}

static int ring_fill(int fd, char *ring)
{
	for (unsigned int i = 0; i < FRAME_RING; i++) {
		struct tpacket2_hdr *header = ring_slot(ring, i);

		header->tp_len = (uint32_t)frame_length(i);
		frame_make((unsigned char *)header + TPACKET2_HDRLEN -
			   sizeof(struct sockaddr_ll), i, FRAME_ASKS);
		__atomic_store_n(&header->tp_status, TP_STATUS_SEND_REQUEST,
				 __ATOMIC_RELEASE);
	}
	return send(fd, NULL, 0, MSG_DONTWAIT) < 0 && errno != EAGAIN ? -errno : 0;
}

/*
 * Return: the number of frames that the device has completed, after all, or after a
 * timeout.
 */
static unsigned int ring_wait(char *ring)
{
	unsigned int done = 0;

	for (unsigned int tries = 0; tries < RING_TRIES && done < FRAME_RING; tries++) {
		usleep(10000);
		done = 0;
		for (unsigned int i = 0; i < FRAME_RING; i++)
			done += __atomic_load_n(&ring_slot(ring, i)->tp_status,
						__ATOMIC_ACQUIRE) ==
				TP_STATUS_AVAILABLE;
	}
	return done;
}

/*
 * The kernel passes these pages to the driver without a copy, except for the Ethernet
 * header. First they are private. Then they become shared, for a device that has not
 * completed them.
 */
int net_ring(const struct memory *memory, const char *name, struct ring *done)
{
	int fd = packets(name, ANSWER_S), rc = fd < 0 ? fd : 0;
	uint64_t gpa[RING_PAGES];
	char *ring = NULL;

	if (!rc)
		rc = ring_open(fd, &ring);
	if (!rc)
		rc = gpa_find(ring, RING_PAGES, gpa);
	if (!rc)
		rc = gpa_convert(memory, gpa, RING_PAGES, true);
	if (!rc)
		rc = ring_fill(fd, ring);
	if (!rc) {
		done->private = ring_wait(ring);
		rc = gpa_convert(memory, gpa, RING_PAGES, false);
		done->shared = ring_wait(ring);
	}
	if (fd >= 0)
		close(fd);
	return rc;
}
