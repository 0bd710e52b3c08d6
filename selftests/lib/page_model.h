/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A model of a page of a gmem file. The contents are a number, which is written to both
 * ends of the page. It is 0 in a page that was not written.
 */
#ifndef PAGE_MODEL_H
#define PAGE_MODEL_H

#include <stdbool.h>
#include <stdint.h>

struct page_model {
	uint8_t state;
	bool populated;
	bool contents;		/* has been used, not only committed while private */
	uint64_t tag;
};

/* Whether the host sees what the model expects at p. The access may populate the page. */
bool page_model_agrees(struct page_model *m, const uint8_t *p);
/* Write from the host. Return: false if the result is not the expected one. */
bool page_model_write(struct page_model *m, uint8_t *p, uint64_t tag);
/* The page has been used. */
void page_model_touch(struct page_model *m);
/* The page has got memory. */
void page_model_commit(struct page_model *m);
/* The page was converted to @state, or already had this state. */
void page_model_convert(struct page_model *m, uint8_t state, bool zero);
/* The page has lost its memory, but keeps its state. */
void page_model_drop(struct page_model *m);

#endif /* PAGE_MODEL_H */
