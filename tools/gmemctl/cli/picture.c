// SPDX-License-Identifier: GPL-2.0
#include <inttypes.h>
#include <langinfo.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <errno.h>

#include "../gmem/gmem.h"
#include "../kvm/slot.h"
#include "out.h"
#include "picture.h"

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

/* As a legend has them */
static const enum cell order[CELL_COUNT] = {
	CELL_SHARED, CELL_PRIVATE, CELL_UNPOPULATED, CELL_MIXED, CELL_HELD,
};

/**
 * struct picture - what there is to draw
 * @cells: a block each, of @count
 * @unit: bytes of a block
 * @held: blocks with a page that somebody holds are shown as such
 */
struct picture {
	uint8_t cells[PICTURE_BLOCKS];
	size_t count;
	uint64_t unit;
	bool held;
};

/**
 * struct block - what is in one block
 * @bytes: by enum gmem_state
 * @populated: pages that have memory
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

static int picture_fill(struct picture *picture, int fd, uint64_t size)
{
	uint64_t unit = picture->unit;

	for (uint64_t offset = 0; offset < size; offset += unit) {
		uint64_t length = size - offset < unit ? size - offset : unit;
		struct block block = { 0 };
		int rc = gmem_query(fd, offset, length, block_add, &block);

		if (rc)
			return rc;
		picture->cells[picture->count++] = (uint8_t)block_cell(&block);
	}
	return picture->held ? gmem_held(fd, 0, size, picture_mark_held, picture) : 0;
}

/* Return: to be freed, or NULL with @rc. */
static struct picture *picture_make(int fd, uint64_t size, bool held, int *rc)
{
	struct picture *picture = calloc(1, sizeof(*picture));

	*rc = -ENOMEM;
	if (!picture)
		return NULL;
	picture->unit = GUEST_PAGE_SIZE;
	picture->held = held;
	while ((size + picture->unit - 1) / picture->unit > PICTURE_BLOCKS)
		picture->unit *= 2;
	*rc = picture_fill(picture, fd, size);
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

/* Rows like the one above are counted, not drawn. */
static void picture_rows(const uint8_t *cells, size_t count, uint64_t unit)
{
	size_t row, same = 0;

	for (row = 0; row < count; row += PICTURE_WIDTH) {
		size_t width = count - row < PICTURE_WIDTH ? count - row :
			       PICTURE_WIDTH;
		bool again = row && width == PICTURE_WIDTH &&
			     !memcmp(cells + row, cells + row - PICTURE_WIDTH,
				     PICTURE_WIDTH);

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

static void picture_legend(const struct picture *picture)
{
	const char *const *glyphs = picture_glyphs();

	for (size_t i = 0; i < (picture->held ? CELL_COUNT : CELL_HELD); i++)
		printf("%s%s%s%s %s", i ? "  " : "    ",
		       out_color(1, colors[order[i]]), glyphs[order[i]],
		       out_color(1, OUT_PLAIN), names[order[i]]);
	printf("; one character is %" PRIu64 " KiB\n", picture->unit >> 10);
}

int picture_draw(int fd, uint64_t size, bool held)
{
	int rc;
	struct picture *picture = picture_make(fd, size, held, &rc);

	if (!picture)
		return rc;
	picture_rows(picture->cells, picture->count, picture->unit);
	picture_legend(picture);
	free(picture);
	return 0;
}

#define SVG_CELL	12	/* of a block, in pixels, its edge included */
#define SVG_LEFT	110
#define SVG_TOP		34

static void svg_row(const struct picture *picture, size_t row, FILE *svg)
{
	size_t y = SVG_TOP + row / PICTURE_WIDTH * SVG_CELL;

	fprintf(svg, "<text x=\"%d\" y=\"%zu\" text-anchor=\"end\">0x%" PRIx64 "</text>\n",
		SVG_LEFT - 8, y + SVG_CELL - 2, row * picture->unit);
	for (size_t i = row; i < picture->count && i < row + PICTURE_WIDTH; i++)
		fprintf(svg, "<rect x=\"%zu\" y=\"%zu\" width=\"%d\" height=\"%d\" "
			"fill=\"%s\"><title>0x%" PRIx64 ": %s</title></rect>\n",
			SVG_LEFT + (i - row) * SVG_CELL, y, SVG_CELL - 1, SVG_CELL - 1,
			fills[picture->cells[i]], i * picture->unit,
			names[picture->cells[i]]);
}

static void svg_legend(const struct picture *picture, size_t y, FILE *svg)
{
	for (size_t i = 0; i < CELL_COUNT; i++) {
		size_t x = SVG_LEFT + i * 110;

		fprintf(svg, "<rect x=\"%zu\" y=\"%zu\" width=\"%d\" height=\"%d\" "
			"fill=\"%s\"/><text x=\"%zu\" y=\"%zu\">%s</text>\n", x, y,
			SVG_CELL - 1, SVG_CELL - 1, fills[order[i]], x + SVG_CELL + 4,
			y + SVG_CELL - 2, names[order[i]]);
	}
	fprintf(svg, "<text x=\"%d\" y=\"%zu\">a square is %" PRIu64 " KiB</text>\n",
		SVG_LEFT, y + 2 * SVG_CELL + 6, picture->unit >> 10);
}

int picture_svg(int fd, uint64_t size, const char *title, FILE *svg)
{
	int rc;
	struct picture *picture = picture_make(fd, size, true, &rc);
	size_t rows, height;

	if (!picture)
		return rc;
	rows = (picture->count + PICTURE_WIDTH - 1) / PICTURE_WIDTH;
	height = SVG_TOP + (rows + 4) * SVG_CELL;
	fprintf(svg, "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%zu\" "
		"font-family=\"monospace\" font-size=\"11\">\n"
		"<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>\n"
		"<text x=\"%d\" y=\"20\" font-size=\"13\">%s, %" PRIu64 " MiB</text>\n",
		SVG_LEFT + PICTURE_WIDTH * SVG_CELL + 20, height, SVG_LEFT, title, size >> 20);
	for (size_t row = 0; row < picture->count; row += PICTURE_WIDTH)
		svg_row(picture, row, svg);
	svg_legend(picture, SVG_TOP + (rows + 1) * SVG_CELL, svg);
	fputs("</svg>\n", svg);
	free(picture);
	return 0;
}
