/* SPDX-License-Identifier: GPL-2.0 */
/* A Linux guest that runs /memctl, which does what it is told on its console. */
#ifndef GUEST_TALK_H
#define GUEST_TALK_H

#include <stdbool.h>
#include <stdint.h>

#include "linux_guest.h"

/* The part of its memory that the guest leaves alone: 8 MiB at 64 MiB. */
#define TALK_PART	(64UL << 20)
#define TALK_PART_SIZE	(8UL << 20)
#define TALK_MEMORY	160	/* MiB of all such guests */
#define TALK_APPEND	"memmap=8M$64M GMEM_RUN=/memctl GMEM_ACTION=halt"

/**
 * struct talk - the guest
 * @boot: what is wanted, and what came of it
 * @tool: gmemctl
 * @input: what is typed at its console
 * @commands: so many have been sent
 */
struct talk {
	struct boot boot;
	struct boot_process tool;
	int input;
	unsigned int commands;
};

/*
 * Boot it, with @talk->boot filled in. Return: whether its program has started; if not,
 * boot.code says how gmemctl has ended.
 */
bool talk_start(struct talk *talk, unsigned int seconds);

/* Send a line. The answer comes to talk_answer(), or is a loss of the guest. */
void talk_send(struct talk *talk, const char *line);

/* Send a line, and wait for the answer; "" if there is none. */
const char *talk_tell(struct talk *talk, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Send one after which nothing comes, and wait until gmemctl has ended. */
void talk_last(struct talk *talk, const char *line);

/* Its console is somebody else's from now on: a process that goes on with the guest. */
void talk_move(struct talk *talk, struct boot_process tool);

/* The number after "@key=" in an answer, or -1. */
long long talk_number(const char *answer, const char *key);

/* A row of a table: what an idle guest has given back, in bytes. */
void talk_row(const char *kind, const char *way, unsigned long before,
	      unsigned long after);

/* Bytes of huge pages that are taken from the host's pool. */
unsigned long talk_huge_bytes(void);

/* Wait until gmemctl has ended, which somebody has told it. */
void talk_end(struct talk *talk);

#endif /* GUEST_TALK_H */
