// SPDX-License-Identifier: GPL-2.0
/* Parses the output of gmem_bench, and shows it as a table or as JSON. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "out.h"

/* Fields of a row: WORK | WHO | UNIT | VALUE | SPREAD */
enum { WORK, WHO, UNIT, AMOUNT, SPREAD, FIELDS };

/**
 * struct bench_rows - the state of the parser
 * @measure: unit of the values, such as "ns"
 * @name: name of the current case
 * @rows, @left_out: arrays of the JSON object
 */
struct bench_rows {
	char measure[32];
	char name[64];
	struct json_object *rows, *left_out;
};

/* Split a row into its fields. Return: whether it has exactly these fields. */
static bool split(char *text, char *field[FIELDS])
{
	unsigned int i;

	for (i = 0; i < FIELDS && text; i++) {
		field[i] = text;
		text = strstr(text, " | ");
		if (text) {
			*text = '\0';
			text += 3;
		}
	}
	return i == FIELDS && !text;
}

static void add_number(struct json_object *row, const char *key, const char *text)
{
	if (row)
		json_object_object_add(row, key, json_object_new_double_s(atof(text), text));
}

static void take_row(struct bench_rows *all, char *text)
{
	char *field[FIELDS], key[64];
	struct json_object *row;

	if (!split(text, field)) {
		out_error("gmem_bench", "read its rows", 0, "is it of this version?");
		return;
	}
	row = out_append(all->rows);
	out_string(row, "work", field[WORK]);
	out_string(row, "who", field[WHO]);
	out_string(row, "unit", field[UNIT]);
	add_number(row, all->measure, field[AMOUNT]);
	snprintf(key, sizeof(key), "%s_spread_percent", all->measure);
	add_number(row, key, field[SPREAD]);
	out_text("%-46s %-17s %-13s %12.*f %7.1f%%\n", field[WORK], field[WHO], field[UNIT],
		 atof(field[AMOUNT]) < 100 ? 1 : 0, atof(field[AMOUNT]), atof(field[SPREAD]));
}

void bench_rows_show(FILE *stream)
{
	static const char *const kinds[] = {
		"# bench: ", "# case: ", "# fail: ", "# skip: ", "# measure: ",
	};
	enum { ROW, CASE, FAILURE, SKIPPED, MEASURE, KINDS } kind;
	struct bench_rows all = {
		.rows = out_array(out_root(), "rows"),
		.left_out = out_array(out_root(), "not_here"),
	};
	char *line = NULL, *text;
	struct json_object *entry;
	size_t room = 0;

	while (getline(&line, &room, stream) >= 0) {
		line[strcspn(line, "\n")] = '\0';
		for (kind = ROW; kind < KINDS; kind++)
			if (!strncmp(line, kinds[kind], strlen(kinds[kind])))
				break;
		text = line + (kind < KINDS ? strlen(kinds[kind]) : 0);
		if (kind == ROW) {
			take_row(&all, text);
		} else if (kind == CASE) {
			snprintf(all.name, sizeof(all.name), "%s", text);
		} else if (kind == FAILURE) {
			out_error(all.name[0] ? all.name : "gmem_bench", text, 0, NULL);
		} else if (kind == SKIPPED) {
			entry = out_append(all.left_out);
			out_string(entry, "case", all.name);
			out_string(entry, "why", text);
			out_text("not here: %s: %s\n", all.name, text);
		} else if (kind == MEASURE && !strchr(text, ' ')) {
			/* A line with several words is for debugging, and is skipped. */
			snprintf(all.measure, sizeof(all.measure), "%s", text);
			out_string(out_root(), "measure", text);
			out_text("%-46s %-17s %-13s %12s %8s\n", "", "", "for each", text, "+-");
		}
	}
	free(line);
}
