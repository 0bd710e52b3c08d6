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
	CELL_COUNT,
};

static const char *const glyphs_ascii[CELL_COUNT] = { ".", "s", "P", "+" };
static const char *const glyphs_utf8[CELL_COUNT] = { "·", "░", "█", "▒" };

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

static int picture_fill(int fd, uint64_t size, uint64_t unit, uint8_t *cells)
{
	for (uint64_t offset = 0; offset < size; offset += unit) {
		uint64_t length = size - offset < unit ? size - offset : unit;
		struct block block = { 0 };
		int rc = gmem_query(fd, offset, length, block_add, &block);

		if (rc)
			return rc;
		*cells++ = (uint8_t)block_cell(&block);
	}
	return 0;
}

static const enum out_color colors[CELL_COUNT] = {
	[CELL_SHARED] = OUT_YELLOW, [CELL_PRIVATE] = OUT_GREEN,
	[CELL_MIXED] = OUT_BLUE,
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

static void picture_legend(uint64_t unit)
{
	static const char *const names[CELL_COUNT] = {
		"unpopulated", "shared", "private", "mixed",
	};
	static const enum cell order[] = {
		CELL_SHARED, CELL_PRIVATE, CELL_UNPOPULATED, CELL_MIXED,
	};
	const char *const *glyphs = picture_glyphs();

	for (size_t i = 0; i < CELL_COUNT; i++)
		printf("%s%s%s%s %s", i ? "  " : "    ",
		       out_color(1, colors[order[i]]), glyphs[order[i]],
		       out_color(1, OUT_PLAIN), names[order[i]]);
	printf("; one character is %" PRIu64 " KiB\n", unit >> 10);
}

int picture_draw(int fd, uint64_t size)
{
	uint64_t unit = GUEST_PAGE_SIZE;
	uint8_t *cells;
	int rc;

	while ((size + unit - 1) / unit > PICTURE_BLOCKS)
		unit *= 2;
	cells = calloc(PICTURE_BLOCKS, 1);
	if (!cells)
		return -ENOMEM;
	rc = picture_fill(fd, size, unit, cells);
	if (!rc) {
		picture_rows(cells, (size + unit - 1) / unit, unit);
		picture_legend(unit);
	}
	free(cells);
	return rc;
}
