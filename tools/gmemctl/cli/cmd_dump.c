// SPDX-License-Identifier: GPL-2.0
/* Reads the memory of a running VM, whose fds this process gets and maps. */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../control/control.h"
#include "../memory/remote.h"
#include "command.h"
#include "out.h"
#include "run_pc.h"

#define DUMP_CHUNK	(1U << 20)	/* bytes read at once */
#define DUMP_JSON_MAX	(1U << 20)	/* bytes that a JSON object may have */
#define DUMP_LINE	16		/* bytes on a line of text */

/**
 * struct dump - a range of memory, and the state of its output
 * @name: name of the VM
 * @start: guest physical address of the first byte
 * @size: bytes
 * @raw: write the bytes unchanged
 * @mapper: the memory of the VM
 * @bytes: the current chunk
 * @hex: all bytes in hexadecimal, for JSON, or NULL
 * @used: characters of @hex that are written
 * @last: the previous line of text
 * @repeated: the previous line was a repetition, and was left out
 */
struct dump {
	const char *name;
	uint64_t start;
	uint64_t size;
	bool raw;
	struct remote_mapper mapper;
	uint8_t bytes[DUMP_CHUNK];
	char *hex;
	size_t used;
	uint8_t last[DUMP_LINE];
	bool repeated;
};

static const struct cli_option dump_options[] = {
	{ "NAME", NULL, option_vm_name, TO(struct dump, name) },
	{ "START", NULL, option_size, TO(struct dump, start), "guest physical address" },
	{ "SIZE", NULL, option_size, TO(struct dump, size),
	  "bytes; both take 0x and the suffixes K, M, G and T" },
	{ "--raw", NULL, option_flag, TO(struct dump, raw),
	  "write the bytes to standard output as they are" },
	{ 0 }
};

/* Fail if one of the VM's ranges is private and overlaps @range. */
static int check_ranges(const struct dump *dump, struct json_object *result,
			struct range range, struct error *error)
{
	struct json_object *ranges, *entry;
	const char *state;
	uint64_t at;

	if (!json_object_object_get_ex(result, "ranges", &ranges) ||
	    !json_object_is_type(ranges, json_type_array))
		return error_set(error, -EBADMSG, dump->name, "map", NULL);
	for (size_t i = 0; i < json_object_array_length(ranges); i++) {
		entry = json_object_array_get_idx(ranges, i);
		state = message_string(entry, "state", NULL);
		if (!state || strcmp(state, "private") ||
		    message_number(entry, "start", &at, NULL))
			continue;
		return error_set(error, -EPERM, dump->name, "dump memory", "0x%" PRIx64
				 " is private: the host cannot read "
				 "it; `gmemctl map %s` shows what is",
				 at < range.start ? range.start : at, dump->name);
	}
	return 0;
}

/* Return: 0 if no page of @range is private; -EPERM; another negative errno. */
static int check_shared(const struct dump *dump, struct range range, struct error *error)
{
	uint64_t next = range.start - range.start % RANGE_PAGE_SIZE;
	uint64_t end = range.end + -range.end % RANGE_PAGE_SIZE;
	struct json_object *request, *result, *value;
	uint64_t before;
	int rc = 0;

	while (!rc && next < end) {
		before = next;
		request = message_request("map");
		message_add_number(request, "start", next);
		message_add_number(request, "size", end - next);
		rc = client_call(dump->name, CLIENT_TIMEOUT_S, request, &result, error);
		if (rc)
			return rc;
		rc = check_ranges(dump, result, range, error);
		next = json_object_object_get_ex(result, "next", &value) ?
		       json_object_get_uint64(value) : end;
		json_object_put(result);
		/* An answer without progress would repeat the request without end. */
		if (!rc && next <= before)
			rc = error_set(error, -EBADMSG, dump->name, "map", NULL);
	}
	return rc;
}

/*
 * Check the state before the read, to tell private pages from other failures, and after it,
 * so that pages that have become private meanwhile are not shown as zeros.
 */
static int read_chunk(struct dump *dump, struct range range, struct error *error)
{
	uint64_t fault = range.start;
	int rc = check_shared(dump, range, error);

	if (rc)
		return rc;
	rc = remote_mapper_read(&dump->mapper, range.start, dump->bytes, range_size(range), &fault);
	if (rc == -EFAULT && check_shared(dump, range, error))
		return error->rc;
	if (rc)
		return error_set(error, rc, dump->name, "dump memory",
				 rc == -EFAULT ? "0x%" PRIx64 " is no RAM that "
				 "the guest sees" :
				 "the VM has ended, or has dropped the connection, "
				 "before 0x%" PRIx64, fault);
	return check_shared(dump, range, error);
}

/* Write lines of text. An asterisk replaces lines that repeat the one before. */
static void write_text(struct dump *dump, struct range range)
{
	size_t size = range_size(range);

	for (size_t at = 0; at < size; at += DUMP_LINE) {
		size_t part = size - at < DUMP_LINE ? size - at : DUMP_LINE;
		uint64_t gpa = range.start + at;
		const uint8_t *line = dump->bytes + at;
		char text[DUMP_LINE + 1] = "";

		if (gpa > dump->start && gpa + part < dump->start + dump->size &&
		    !memcmp(line, dump->last, DUMP_LINE)) {
			if (!dump->repeated)
				out_text("*\n");
			dump->repeated = true;
			continue;
		}
		dump->repeated = false;
		memcpy(dump->last, line, part);
		out_text("%016" PRIx64 " ", gpa);
		for (size_t i = 0; i < part; i++) {
			out_text(" %02x", line[i]);
			text[i] = isprint(line[i]) ? (char)line[i] : '.';
		}
		out_text("%*s  |%s|\n", (int)(3 * (DUMP_LINE - part)), "", text);
	}
}

static int dump_all(struct dump *dump, struct error *error)
{
	uint64_t end = dump->start + dump->size;
	struct range range = { dump->start, dump->start };

	for (; range.start < end; range.start = range.end) {
		size_t size;
		int rc;

		range.end = end - range.start < DUMP_CHUNK ? end : range.start + DUMP_CHUNK;
		rc = read_chunk(dump, range, error);
		if (rc)
			return rc;
		size = range_size(range);
		if (dump->raw && fwrite(dump->bytes, 1, size, stdout) != size)
			return error_set(error, -errno, "standard output", "write", NULL);
		for (size_t i = 0; dump->hex && i < size; i++, dump->used += 2)
			sprintf(dump->hex + dump->used, "%02x", dump->bytes[i]);
		if (!dump->raw && !dump->hex)
			write_text(dump, range);
	}
	return 0;
}

/* Return: an exit code. */
static int dump_connected(struct dump *dump, int socket)
{
	struct error error;
	int rc;

	dump->hex = out_is_json() ? calloc(2, dump->size + 1) : NULL;
	if (out_is_json() && !dump->hex)
		return out_no_memory("dump");
	rc = remote_mapper_start(&dump->mapper, socket, &error);
	if (!rc) {
		rc = dump_all(dump, &error);
		remote_mapper_stop(&dump->mapper);
	}
	if (!rc && dump->hex) {
		out_uint(out_root(), "start", dump->start);
		out_uint(out_root(), "size", dump->size);
		out_string(out_root(), "bytes", dump->hex);
	}
	free(dump->hex);
	return rc ? out_error_report(&error) : EXIT_CODE_OK;
}

static int dump_main(const struct command *command, void *arguments)
{
	struct dump *dump = arguments;
	int code, socket;

	if (!dump->size || dump->start + dump->size < dump->start)
		return usage_error("SIZE", "not a range of addresses",
				   "at least a byte, and no more than there are");
	if (out_is_json() && dump->raw)
		return usage_error("--raw", "not with --json", "one of them");
	if (out_is_json() && dump->size > DUMP_JSON_MAX)
		return usage_error("SIZE", "too large for --json",
				   "at most 1M; --raw takes any size");
	code = move_request(dump->name, message_request("remote"), &socket);
	if (code)
		return code;
	code = dump_connected(dump, socket);
	close(socket);
	return code;
}

const struct command command_dump = {
	.name = "dump",
	.run = dump_main,
	.size = sizeof(struct dump),
	.summary = "show the contents of a VM's memory",
	.about = "Reads guest memory while the guest runs. Private memory, and memory of kind "
		 "private, cannot be read. Unpopulated pages read as zero, and stay unpopulated. "
		 "A JSON object has at most 1M bytes.",
	.options = dump_options,
	.examples = "gmemctl dump web 0x20000 128\n"
		    "gmemctl dump web 1M 4K --raw >page.bin",
};
