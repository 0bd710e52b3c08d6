/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What fill.c and fill_table.c know of each other.
 */
#ifndef GMEM_FILL_H
#define GMEM_FILL_H

#include "internal.h"

/* Guests convert page by page: so many pages need no memory for the fill. */
#define GMEM_FILL_FEW 16

/**
 * enum gmem_fill_how - which pages of a block are filled
 * @GMEM_FILL_PAGES: those that are asked for
 * @GMEM_FILL_AROUND: all, where nothing of the block is mapped: it may have been one entry,
 *	of which a page has gone
 * @GMEM_FILL_WHOLE: all, even if something is mapped: since the block was one entry, a
 *	vCPU has asked for a page
 * @GMEM_FILL_HELD: as @GMEM_FILL_AROUND, by who has converted and still has its range lock,
 *	over no more than the pages: only blocks that are in it as a whole, or have a
 *	table already
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
 * @entry: for each: its struct page and, lowest bit, whether it is private; or 0
 *	for one that is not populated
 * @prot: of shared and of private entries
 * @few: where @entry is for a few pages
 * @how: which pages of a block are filled
 * @rest: out: with GMEM_FILL_HELD, whether a block was left that has to be filled as a whole
 * @set: pages that were put into mappings so far
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
