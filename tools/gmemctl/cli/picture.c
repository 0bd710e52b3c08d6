// SPDX-License-Identifier: GPL-2.0
/* Draws the states of guest memory, with one character or square for each block. */
#include <inttypes.h>
#include <langinfo.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <errno.h>

#include "../gmem/gmem.h"
#include "../kvm/slot.h"
#include "../who/who.h"
#include "command.h"
#include "out.h"

#define PICTURE_WIDTH	64
#define PICTURE_BLOCKS	1024

enum cell {
	CELL_UNPOPULATED,
	CELL_SHARED,
	CELL_PRIVATE,
	CELL_MIXED,
	CELL_HELD,
	CELL_COUNT,
};

static const char *const glyphs_ascii[CELL_COUNT] = { ".", "s", "P", "+", "H" };
static const char *const glyphs_utf8[CELL_COUNT] = { "·", "░", "█", "▒", "◆" };
static const char *const names[CELL_COUNT] = {
	"unpopulated", "shared", "private", "mixed", "held",
};
static const char *const fills[CELL_COUNT] = {
	"#eeeeee", "#f2c14e", "#2a9d8f", "#6d8fb3", "#d1495b",
};

/* The order in the legend */
static const enum cell order[CELL_COUNT] = {
	CELL_SHARED, CELL_PRIVATE, CELL_UNPOPULATED, CELL_MIXED, CELL_HELD,
};

/**
 * struct picture - a map of memory as blocks
 * @cells: kind of each block, array of @count
 * @unit: bytes of a block
 * @held: show blocks with held pages as CELL_HELD
 */
struct picture {
	uint8_t cells[PICTURE_BLOCKS];
	size_t count;
	uint64_t unit;
	bool held;
};

/**
 * struct block - contents of a block
 * @bytes: bytes in each state, by enum gmem_state
 * @populated: number of populated pages
 */
struct block {
	uint64_t bytes[2];
	uint64_t populated;
};

static int block_add(const struct gmem_range *range, void *data)
{
	struct block *block = data;

	if (range->state > GMEM_STATE_PRIVATE)
		return -EPROTO;
	block->bytes[range->state] += range->length;
	block->populated += range->populated;
	return 0;
}

static enum cell block_cell(const struct block *block)
{
	if (block->bytes[GMEM_STATE_SHARED] && block->bytes[GMEM_STATE_PRIVATE])
		return CELL_MIXED;
	if (!block->populated)
		return CELL_UNPOPULATED;
	return block->bytes[GMEM_STATE_PRIVATE] ? CELL_PRIVATE : CELL_SHARED;
}

static int picture_mark_held(const struct gmem_ioctl_holder *page, void *data)
{
	struct picture *picture = data;

	picture->cells[page->offset / picture->unit] = CELL_HELD;
	return 0;
}

/* Return: a picture, which the caller frees, or NULL with @rc set. */
static struct picture *picture_make(int fd, uint64_t size, bool held, int *rc)
{
	struct picture *picture = calloc(1, sizeof(*picture));
	uint64_t unit = GUEST_PAGE_SIZE;

	*rc = picture ? 0 : -ENOMEM;
	while ((size + unit - 1) / unit > PICTURE_BLOCKS)
		unit *= 2;
	for (uint64_t offset = 0; !*rc && offset < size; offset += unit) {
		uint64_t length = size - offset < unit ? size - offset : unit;
		struct block block = { 0 };

		*rc = gmem_query(fd, offset, length, block_add, &block);
		picture->cells[picture->count++] = (uint8_t)block_cell(&block);
	}
	if (!*rc) {
		picture->unit = unit;
		picture->held = held;
		if (held)
			*rc = gmem_held(fd, 0, size, picture_mark_held, picture);
	}
	if (!*rc)
		return picture;
	free(picture);
	return NULL;
}

static const enum out_color colors[CELL_COUNT] = {
	[CELL_SHARED] = OUT_YELLOW, [CELL_PRIVATE] = OUT_GREEN,
	[CELL_MIXED] = OUT_BLUE, [CELL_HELD] = OUT_RED,
};

static const char *const *picture_glyphs(void)
{
	return strcmp(nl_langinfo(CODESET), "UTF-8") ? glyphs_ascii : glyphs_utf8;
}

static void picture_row(uint64_t gpa, const uint8_t *cells, size_t count)
{
	const char *const *glyphs = picture_glyphs();

	printf("    0x%08" PRIx64 " |", gpa);
	for (size_t i = 0; i < count; i++) {
		if (i ? cells[i] != cells[i - 1] : colors[cells[i]])
			fputs(out_color(1, colors[cells[i]]), stdout);
		fputs(glyphs[cells[i]], stdout);
	}
	printf("%s|\n", colors[cells[count - 1]] ? out_color(1, OUT_PLAIN) : "");
}

/* Draw rows. Rows that are equal to the one above are only counted. */
static void picture_rows(const uint8_t *cells, size_t count, uint64_t unit)
{
	size_t row, same = 0;

	for (row = 0; row < count; row += PICTURE_WIDTH) {
		size_t width = count - row < PICTURE_WIDTH ? count - row :
			       PICTURE_WIDTH;
		bool again = row && width == PICTURE_WIDTH &&
			     !memcmp(cells + row, cells + row - PICTURE_WIDTH, PICTURE_WIDTH);

		if (again) {
			same++;
			continue;
		}
		if (same)
			printf("               : %zu more like that\n", same);
		same = 0;
		picture_row(row * unit, cells + row, width);
	}
	if (same)
		printf("               : %zu more like that\n", same);
}

int picture_draw(int fd, uint64_t size, bool held)
{
	const char *const *glyphs = picture_glyphs();
	int rc;
	struct picture *picture = picture_make(fd, size, held, &rc);

	if (!picture)
		return rc;
	picture_rows(picture->cells, picture->count, picture->unit);
	for (size_t i = 0; i < (held ? CELL_COUNT : CELL_HELD); i++)
		printf("%s%s%s%s %s", i ? "  " : "    ", out_color(1, colors[order[i]]),
		       glyphs[order[i]], out_color(1, OUT_PLAIN), names[order[i]]);
	printf("; one character is %" PRIu64 " KiB\n", picture->unit >> 10);
	free(picture);
	return 0;
}

#define SVG_CELL	12	/* size of a block in pixels, with its edge */
#define SVG_LEFT	110
#define SVG_TOP		34

/* Escape text: the name of a gmem fd can have any visible ASCII. */
static void svg_text(const char *text, FILE *svg)
{
	for (; *text; text++)
		fprintf(svg, strchr("&<>", *text) ? "&#%d;" : "%c", *text);
}

static void svg_write(const struct picture *picture, const struct who_memory *memory, FILE *svg)
{
	size_t rows = (picture->count + PICTURE_WIDTH - 1) / PICTURE_WIDTH;
	size_t y = SVG_TOP + (rows + 1) * SVG_CELL;

	fprintf(svg, "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%zu\" "
		"font-family=\"monospace\" font-size=\"11\">\n"
		"<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>\n"
		"<text x=\"%d\" y=\"20\" font-size=\"13\">",
		SVG_LEFT + PICTURE_WIDTH * SVG_CELL + 20, SVG_TOP + (rows + 4) * SVG_CELL,
		SVG_LEFT);
	svg_text(memory->name, svg);
	fprintf(svg, ", %" PRIu64 " MiB</text>\n", memory->length >> 20);
	for (size_t i = 0; i < picture->count; i++) {
		size_t top = SVG_TOP + i / PICTURE_WIDTH * SVG_CELL;

		if (!(i % PICTURE_WIDTH))
			fprintf(svg, "<text x=\"%d\" y=\"%zu\" text-anchor=\"end\">0x%" PRIx64
				"</text>\n", SVG_LEFT - 8, top + SVG_CELL - 2, i * picture->unit);
		fprintf(svg, "<rect x=\"%zu\" y=\"%zu\" width=\"%d\" height=\"%d\" "
			"fill=\"%s\"><title>0x%" PRIx64 ": %s</title></rect>\n",
			SVG_LEFT + i % PICTURE_WIDTH * SVG_CELL, top, SVG_CELL - 1, SVG_CELL - 1,
			fills[picture->cells[i]], i * picture->unit,
			names[picture->cells[i]]);
	}
	for (size_t i = 0; i < CELL_COUNT; i++) {
		size_t x = SVG_LEFT + i * 110;

		fprintf(svg, "<rect x=\"%zu\" y=\"%zu\" width=\"%d\" height=\"%d\" "
			"fill=\"%s\"/><text x=\"%zu\" y=\"%zu\">%s</text>\n", x, y,
			SVG_CELL - 1, SVG_CELL - 1, fills[order[i]], x + SVG_CELL + 4,
			y + SVG_CELL - 2, names[order[i]]);
	}
	fprintf(svg, "<text x=\"%d\" y=\"%zu\">a square is %" PRIu64 " KiB</text>\n</svg>\n",
		SVG_LEFT, y + 2 * SVG_CELL + 6, picture->unit >> 10);
}

static int map_failed(const struct who_memory *memory, int rc, struct error *error)
{
	return rc ? error_set(error, rc, memory->name, "look at its pages", rc == -ENOTTY ?
			      "the loaded module is older than this gmemctl" : NULL) : 0;
}

int map_picture(const char *name)
{
	struct who_memory *memories;
	struct error error;
	size_t count;
	int rc = who_find(name, &memories, &count, &error);

	if (rc)
		return out_error_report(&error);
	for (size_t i = 0; !rc && i < count; i++) {
		out_text("%s: %" PRIu64 " MiB\n", memories[i].name, memories[i].length >> 20);
		rc = map_failed(&memories[i], picture_draw(memories[i].fd, memories[i].length,
							   true), &error);
	}
	who_memories_free(memories, count);
	return rc ? out_error_report(&error) : EXIT_CODE_OK;
}

/* Write an SVG file, which gets its name only when it is complete. */
static int map_draw(const struct who_memory *memory, const char *path, struct error *error)
{
	struct output_file file = OUTPUT_FILE_NONE;
	char *text = NULL;
	size_t size = 0;
	FILE *svg = open_memstream(&text, &size);
	struct picture *picture;
	int rc;

	if (!svg)
		return error_set(error, -errno, path, "draw", NULL);
	picture = picture_make(memory->fd, memory->length, true, &rc);
	if (picture)
		svg_write(picture, memory, svg);
	free(picture);
	if (fclose(svg) && !rc)
		rc = -ENOMEM;
	rc = map_failed(memory, rc, error);
	if (!rc)
		rc = output_file_find(&file, path, true, error);
	if (!rc)
		rc = output_file_create(&file, 0644, error);
	if (!rc)
		rc = output_file_write(&file, text, size, error);
	if (!rc)
		rc = output_file_commit(&file, error);
	output_file_close(&file);
	free(text);
	return rc;
}

int map_svg(const char *name, const char *path)
{
	struct who_memory *memories;
	size_t count, largest = 0;
	struct error error;
	int rc = who_find(name, &memories, &count, &error);

	if (rc)
		return out_error_report(&error);
	for (size_t i = 0; i < count; i++) {
		if (memories[i].length > memories[largest].length)
			largest = i;
	}
	rc = map_draw(&memories[largest], path, &error);
	who_memories_free(memories, count);
	return rc ? out_error_report(&error) : EXIT_CODE_OK;
}
