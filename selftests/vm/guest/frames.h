/* SPDX-License-Identifier: GPL-2.0 */
/* Ethernet frames between a guest and the test on the host. */
#ifndef GUEST_FRAMES_H
#define GUEST_FRAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define FRAME_TYPE	0x88b5	/* IEEE 802: for local experiments */
#define FRAME_HEADER	14
#define FRAME_MAX	1514
#define FRAME_MIN	64
#define FRAME_RING	16	/* number of frames that net_ring() sends */

/* The sender. Not zero, because a lost frame may contain zeros. */
enum frame_kind {
	FRAME_ASKS = 0x35,
	FRAME_ANSWERS = 0xca,
};

static inline size_t frame_length(unsigned int number)
{
	return FRAME_MIN + number * 211 % (FRAME_MAX - FRAME_MIN + 1);
}

static inline unsigned char frame_byte(unsigned int number, size_t at,
				       enum frame_kind kind)
{
	return (unsigned char)((number * 7 + at * 13) | 1) ^ (unsigned char)kind;
}

/* The number follows the header. */
static inline void frame_make(unsigned char *frame, unsigned int number,
			      enum frame_kind kind)
{
	static const unsigned char header[FRAME_HEADER] = {
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x52, 0x54, 0, 0x12, 0x34, 0x56,
		FRAME_TYPE >> 8, FRAME_TYPE & 0xff,
	};

	memcpy(frame, header, sizeof(header));
	memcpy(frame + FRAME_HEADER, &(uint32_t){ number }, 4);
	for (size_t i = FRAME_HEADER + 4; i < frame_length(number); i++)
		frame[i] = frame_byte(number, i, kind);
}

static inline unsigned int frame_number(const unsigned char *frame)
{
	uint32_t number;

	memcpy(&number, frame + FRAME_HEADER, 4);
	return number;
}

static inline bool frame_is_ours(const unsigned char *frame, size_t length)
{
	return length >= FRAME_MIN && frame[12] == FRAME_TYPE >> 8 &&
	       frame[13] == (FRAME_TYPE & 0xff);
}

static inline bool frame_is(const unsigned char *frame, size_t length,
			    unsigned int number, enum frame_kind kind)
{
	if (!frame_is_ours(frame, length) || length != frame_length(number) ||
	    frame_number(frame) != number)
		return false;
	for (size_t i = FRAME_HEADER + 4; i < length; i++)
		if (frame[i] != frame_byte(number, i, kind))
			return false;
	return true;
}

/* Whether all bytes after the header are zero. */
static inline bool frame_is_empty(const unsigned char *frame, size_t length)
{
	for (size_t i = FRAME_HEADER; i < length; i++)
		if (frame[i])
			return false;
	return frame_is_ours(frame, length);
}

#endif /* GUEST_FRAMES_H */
