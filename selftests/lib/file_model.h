/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A model of a gmem file: its pages, their bindings, the references to them, and the
 * result that a request must have. Makes no system calls.
 */
#ifndef FILE_MODEL_H
#define FILE_MODEL_H

#include <stdbool.h>
#include <stdint.h>

#include "page_model.h"

#define MODEL_PAGES 700			/* two blocks, the last one short */
#define MODEL_BOUND 4
#define MODEL_HOLDS 6
#define MODEL_HOLD_PAGES 4

enum bound_kind { BOUND_NONE, BOUND_KVM, BOUND_MOCK };

/* A range with a binding */
struct bound_model {
	enum bound_kind kind;
	int first;
	int count;
	bool encrypted;
};

enum hold_kind { HOLD_NONE, HOLD_PIPE, HOLD_URING, HOLD_MOCK };

/* References to pages. Pages that have left the file no longer count. */
struct hold_model {
	enum hold_kind kind;
	int first;
	int count;
	bool live[MODEL_HOLD_PAGES];
};

struct file_model {
	int nr;
	bool consent;
	struct page_model page[MODEL_PAGES];
	struct bound_model bound[MODEL_BOUND];
	struct hold_model hold[MODEL_HOLDS];
};

/* The expected result of a conversion */
struct verdict {
	int rc;
	int page;			/* the first page that cannot be converted */
	unsigned int refs;
	bool pinned;
};

struct bound_model *file_model_bound(struct file_model *f, int page);
/* The enum gmem_store of a page */
uint32_t file_model_store(struct file_model *f, int page);
/* Whether the page's memory is in the file itself. */
bool file_model_resident(struct file_model *f, int page);
/* Number of references of all holds to a page. *pinned: whether one of them is a pin. */
unsigned int file_model_refs(struct file_model *f, int page, bool *pinned);
/* Whether a private page of the range is held. */
bool file_model_private_held(struct file_model *f, int first, int count);
bool file_model_all_shared(struct file_model *f, int first, int count);

struct verdict file_model_judge_convert(struct file_model *f, int first,
					int count, uint32_t target,
					uint32_t content, bool guest);
int file_model_judge_bind(struct file_model *f, int first, int count);

void file_model_convert(struct file_model *f, int first, int count,
			uint32_t target, uint32_t content);
/* The range loses its memory. Holds refer to pages that are no longer in the file. */
void file_model_drop(struct file_model *f, int first, int count);

#endif /* FILE_MODEL_H */
