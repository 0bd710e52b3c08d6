/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The interface between fill.c and fill_table.c.
 */
#ifndef GMEM_FILL_H
#define GMEM_FILL_H

#include "internal.h"

/* Up to this number of pages a fill allocates no array: guests convert page by page. */
#define GMEM_FILL_FEW 16

/**
 * enum gmem_fill_how - which pages of a block are filled
 * @GMEM_FILL_PAGES: only the given pages
 * @GMEM_FILL_AROUND: all pages, if none of the block is mapped. The block may have had one
 *	entry, which was removed together with one of its pages.
 * @GMEM_FILL_WHOLE: all pages, even if some are mapped. The block may have had one entry,
 *	and a vCPU has asked for a page since.
 * @GMEM_FILL_HELD: as @GMEM_FILL_AROUND, at the end of a conversion, which holds the range
 *	lock over the converted pages only. Only blocks that are converted as a whole, or
 *	have a page table, are filled.
 */
enum gmem_fill_how {
	GMEM_FILL_PAGES,
	GMEM_FILL_AROUND,
	GMEM_FILL_WHOLE,
	GMEM_FILL_HELD,
};

/**
 * struct gmem_fill - pages of a block on their way into a mapping
 * @start: first page
 * @end: page after the last one, in the same block
 * @entry: for each page: its struct page, with the lowest bit set if it is private; or 0
 *	if it is not populated
 * @prot: protection of shared and of private entries
 * @few: storage of @entry for a few pages
 * @how: which pages of a block are filled
 * @rest: out: with GMEM_FILL_HELD, whether a block was skipped that is converted in part
 * @set: number of pages mapped so far
 */
struct gmem_fill {
	pgoff_t start;
	pgoff_t end;
	unsigned long *entry;
	unsigned long few[GMEM_FILL_FEW];
	pgprot_t prot[2];
	enum gmem_fill_how how;
	bool rest;
	unsigned long set;
};

/* fill_table.c */
void gmem_fill_prots(struct gmem_fill *fill);
pmd_t *gmem_fill_pmd(struct mm_struct *mm, unsigned long address);
bool gmem_fill_has_table(pmd_t *pmd);
bool gmem_fill_has_huge(pmd_t *pmd);
bool gmem_fill_huge(struct gmem_view_mapping *mapping, struct gmem_fill *fill,
		    unsigned long address);
void gmem_fill_share_huge(struct gmem_fill *fill, struct mm_struct *mm,
			  unsigned long address, pmd_t *pmd);
int gmem_fill_tables(struct gmem_fill *fill, struct mm_struct *mm, unsigned long address);

#endif
