// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>

#include "bench_rows.h"
#include "out.h"

/* WORK | WHO | UNIT | VALUE | SPREAD */
enum { WORK, WHO, UNIT, AMOUNT, SPREAD, FIELDS };

/**
 * struct bench_rows - what is known so far
 * @measure: what a value is: "ns"
 * @name: of the case at hand
 * @rows, @left_out: arrays of the JSON object
 */
struct bench_rows {
	char measure[32];
	char name[64];
	struct json_object *rows, *left_out;
};

/* Such a line of several words is for people who look for faults. */
static void take_measure(struct bench_rows *all, char *text)
{
	if (strchr(text, ' '))
		return;
	snprintf(all->measure, sizeof(all->measure), "%s", text);
	out_string(out_root(), "measure", text);
	out_text("%-46s %-17s %-13s %12s %8s\n", "", "", "for each", text, "+-");
}

static void add_number(struct json_object *row, const char *key, const char *text)
{
	if (row)
		json_object_object_add(row, key, json_object_new_double_s(atof(text), text));
}

/* Part a row into its fields. Return: whether it has just those. */
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

static void take_skip(struct bench_rows *all, char *why)
{
	struct json_object *entry = out_append(all->left_out);

	out_string(entry, "case", all->name);
	out_string(entry, "why", why);
	out_text("not here: %s: %s\n", all->name, why);
}

static void take_case(struct bench_rows *all, char *name)
{
	snprintf(all->name, sizeof(all->name), "%s", name);
}

static void take_failure(struct bench_rows *all, char *what)
{
	out_error(all->name[0] ? all->name : "gmem_bench", what, 0, NULL);
}

static void take_line(struct bench_rows *all, char *line)
{
	static const struct {
		const char *begin;
		void (*take)(struct bench_rows *all, char *text);
	} kinds[] = {
		{ "# measure: ", take_measure },
		{ "# case: ", take_case },
		{ "# bench: ", take_row },
		{ "# skip: ", take_skip },
		{ "# fail: ", take_failure },
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		size_t length = strlen(kinds[i].begin);

		if (!strncmp(line, kinds[i].begin, length))
			kinds[i].take(all, line + length);
	}
}

void bench_rows_show(FILE *stream)
{
	struct bench_rows all = {
		.rows = out_array(out_root(), "rows"),
		.left_out = out_array(out_root(), "not_here"),
	};
	size_t room = 0;
	char *line = NULL;

	while (getline(&line, &room, stream) >= 0) {
		line[strcspn(line, "\n")] = '\0';
		take_line(&all, line);
	}
	free(line);
}
