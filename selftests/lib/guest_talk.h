/* SPDX-License-Identifier: GPL-2.0 */
/* A Linux guest that runs /memctl, which executes commands from its console. */
#ifndef GUEST_TALK_H
#define GUEST_TALK_H

#include <stdbool.h>
#include <stdint.h>

#include "linux_guest.h"

/* A part of memory that the guest's kernel does not use: 8 MiB at 64 MiB. */
#define TALK_PART	(64UL << 20)
#define TALK_PART_SIZE	(8UL << 20)
#define TALK_MEMORY	160	/* MiB of memory of each such guest */
#define TALK_APPEND	"memmap=8M$64M GMEM_RUN=/memctl GMEM_ACTION=halt"

/**
 * struct talk - the guest
 * @boot: the configuration and the results
 * @tool: gmemctl
 * @input: input of the guest's console
 * @commands: number of commands sent so far
 */
struct talk {
	struct boot boot;
	struct boot_process tool;
	int input;
	unsigned int commands;
};

/*
 * Boot the guest that @talk->boot describes. Return: whether its program has started; if
 * not, boot.code is the exit code of gmemctl.
 */
bool talk_start(struct talk *talk, unsigned int seconds);

/* Send a line. The answer goes to talk_answer(), or the guest is reported as lost. */
void talk_send(struct talk *talk, const char *line);

/* Send a line, and wait for the answer. Return: the answer; "" if there is none. */
const char *talk_tell(struct talk *talk, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Send a line that has no answer, and wait until gmemctl has ended. */
void talk_last(struct talk *talk, const char *line);

/* Continue with another process that runs the guest, and so with its console. */
void talk_move(struct talk *talk, struct boot_process tool);

/* Return: the number after "@key=" in an answer, or -1. */
long long talk_number(const char *answer, const char *key);

/* Print a row of the table of memory that an idle guest has given back, in bytes. */
void talk_row(const char *kind, const char *way, unsigned long before,
	      unsigned long after);

/* Bytes of huge pages that are in use from the host's pool. */
unsigned long talk_huge_bytes(void);

/* Wait until gmemctl, which was told to end, has ended. */
void talk_end(struct talk *talk);

#endif /* GUEST_TALK_H */
