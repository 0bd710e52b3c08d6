// SPDX-License-Identifier: GPL-2.0
/*
 * Lines of trace_pipe. The kernel writes, with the options that instance.c sets:
 *
 *   "%16s-%-7d [%03d] FLAGS SECONDS.MICROSECONDS: EVENT: KEY=VALUE KEY=VALUE WORD"
 *   "CPU:%d [LOST %lu EVENTS]"
 *
 * The name of a process is at most 15 bytes, and the process can choose any bytes. So it is
 * found by its position, and a newline in it does not end the line.
 */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trace.h"

#define COMMAND_WIDTH 16
#define US_PER_S UINT64_C(1000000)

/* Take a decimal number. Return: whether there is one. */
static bool take_number(char **at, uint64_t *number)
{
	char *end;

	if (!isdigit((unsigned char)**at))
		return false;
	errno = 0;
	*number = strtoull(*at, &end, 10);
	*at = end;
	return !errno;
}

static bool take_character(char **at, char c)
{
	if (**at != c)
		return false;
	(*at)++;
	return true;
}

static void take_spaces(char **at)
{
	*at += strspn(*at, " ");
}

/* Mask control characters: the process can choose any name, and it may go to a terminal. */
static void take_command(const char *line, struct trace_record *record)
{
	size_t spaces = strspn(line, " "), length;

	if (spaces >= COMMAND_WIDTH)
		spaces = COMMAND_WIDTH - 1;
	length = COMMAND_WIDTH - spaces;
	if (length >= sizeof(record->command))
		length = sizeof(record->command) - 1;
	memcpy(record->command, line + spaces, length);
	record->command[length] = '\0';
	for (char *c = record->command; *c; c++) {
		if (*c < ' ' || *c > '~')
			*c = '?';
	}
}

/* "-PID ", perhaps "(TGID) ", and "[CPU] " */
static bool take_thread(char **at, struct trace_record *record)
{
	uint64_t tid, cpu;

	if (!take_character(at, '-') || !take_number(at, &tid) || tid > INT32_MAX)
		return false;
	take_spaces(at);
	if (**at == '(') {
		*at += strcspn(*at, ")");
		take_character(at, ')');
	}
	take_spaces(at);
	if (!take_character(at, '[') || !take_number(at, &cpu) || cpu > INT32_MAX ||
	    !take_character(at, ']'))
		return false;
	record->tid = (pid_t)tid;
	record->cpu = (unsigned int)cpu;
	take_spaces(at);
	return true;
}

/* "SECONDS.MICROSECONDS: " */
static bool take_time(char **at, struct trace_record *record)
{
	char *from = *at;
	uint64_t s, us;

	if (!take_number(at, &s) || !take_character(at, '.') || !take_number(at, &us) ||
	    !take_character(at, ':') || us >= US_PER_S || s > UINT64_MAX / US_PER_S - 1) {
		*at = from;
		return false;
	}
	record->us = s * US_PER_S + us;
	take_spaces(at);
	return true;
}

static void take_fields(char *at, struct trace_record *record)
{
	char *word, *value, *code, *save = NULL;

	for (word = strtok_r(at, " ", &save); word && record->nr < TRACE_FIELDS_MAX;
	     word = strtok_r(NULL, " ", &save)) {
		value = strchr(word, '=');
		if (value)
			*value++ = '\0';
		record->fields[record->nr++] = (struct trace_field){ word, value ? value : "" };
		code = value ? strchr(value, '(') : NULL;
		if (!code || record->nr == TRACE_FIELDS_MAX)
			continue;
		*code++ = '\0';
		code[strcspn(code, ")")] = '\0';
		record->fields[record->nr++] = (struct trace_field){ "code", code };
	}
}

/* "CPU:N [LOST M EVENTS]", without M if the number is unknown */
static bool take_lost(char *line, struct trace_record *record)
{
	unsigned int cpu;
	char *at = line;
	uint64_t number;
	int end = 0;

	if (sscanf(line, "CPU:%u [LOST %n", &cpu, &end) != 1 || !end)
		return false;
	at += end;
	record->cpu = cpu;
	record->lost = UINT64_MAX;
	if (take_number(&at, &number)) {
		record->lost = number;
		take_spaces(&at);
	}
	return record->lost && !strcmp(at, "EVENTS]");
}

int trace_parse(char *line, struct trace_record *record)
{
	char *at = line + COMMAND_WIDTH, *end;

	memset(record, 0, sizeof(*record));
	if (take_lost(line, record))
		return 0;
	memset(record, 0, sizeof(*record));
	if (strlen(line) <= COMMAND_WIDTH)
		return -EINVAL;
	take_command(line, record);
	if (!take_thread(&at, record))
		return -EINVAL;
	/* Flags such as "d..1." may begin with a digit, too, but only a time has dot and colon. */
	if (!take_time(&at, record)) {
		at += strcspn(at, " ");
		take_spaces(&at);
		if (!take_time(&at, record))
			return -EINVAL;
	}
	end = at + strcspn(at, ": ");
	if (end == at || *end != ':')
		return -EINVAL;
	*end = '\0';
	record->event = at;
	take_fields(end + 1, record);
	return 0;
}

/* Handle a newline: it ends a line, or is in the name of a process. */
static int lines_end(struct trace_lines *lines, trace_visit_fn visit, void *data)
{
	struct trace_record record;
	char line[TRACE_LINE_MAX + 1];
	int rc;

	memcpy(line, lines->text, lines->used);
	line[lines->used] = '\0';
	rc = trace_parse(line, &record);
	if (rc && lines->used && lines->used < COMMAND_WIDTH) {
		lines->text[lines->used++] = '\n';
		return 0;
	}
	lines->used = 0;
	if (!rc)
		return visit(&record, data);
	lines->strange++;
	return 0;
}

int trace_feed(struct trace_lines *lines, const char *bytes, size_t size,
	       trace_visit_fn visit, void *data)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < size; i++) {
		if (lines->skip) {
			lines->skip = bytes[i] != '\n';
		} else if (bytes[i] == '\n') {
			rc = lines_end(lines, visit, data);
		} else if (lines->used == sizeof(lines->text)) {
			lines->strange++;
			lines->used = 0;
			lines->skip = true;
		} else {
			lines->text[lines->used++] = bytes[i] ? bytes[i] : '?';
		}
	}
	return rc;
}
