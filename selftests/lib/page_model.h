/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One page of a gmem file, as a test knows it to be. Its contents are a number,
 * written to both ends; a page that nobody wrote to has 0.
 */
#ifndef PAGE_MODEL_H
#define PAGE_MODEL_H

#include <stdbool.h>
#include <stdint.h>

struct page_model {
	uint8_t state;
	bool populated;
	bool contents;		/* used, and not only committed while private */
	uint64_t tag;
};

/* The host's view of the page at p, which a look may populate. */
bool page_model_agrees(struct page_model *m, const uint8_t *p);
/* Write from the host; false if that ended as it must not. */
bool page_model_write(struct page_model *m, uint8_t *p, uint64_t tag);
/* Somebody has used the page. */
void page_model_touch(struct page_model *m);
/* The page has memory. */
void page_model_commit(struct page_model *m);
/* The page has become @state, or would have if it was not already. */
void page_model_convert(struct page_model *m, uint8_t state, bool zero);
/* Its memory is gone, its state is not. */
void page_model_drop(struct page_model *m);

#endif /* PAGE_MODEL_H */
