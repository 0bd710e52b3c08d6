// SPDX-License-Identifier: GPL-2.0
/*
 * The expected state of a page, and whether the page has it.
 */
#include <signal.h>
#include <string.h>

#include "gmem_utils.h"
#include "page_model.h"

#define LAST (PAGE - sizeof(uint64_t))

void page_model_touch(struct page_model *m)
{
	m->populated = true;
	m->contents = true;
}

void page_model_commit(struct page_model *m)
{
	m->populated = true;
	if (m->state == SHARED)
		m->contents = true;
}

bool page_model_agrees(struct page_model *m, const uint8_t *p)
{
	uint64_t first = 0, last = 0;
	int sig = gmem_try_copy(&first, p, sizeof(first));

	if (m->state == PRIVATE)
		return sig == SIGBUS;
	page_model_touch(m);
	if (!sig)
		sig = gmem_try_copy(&last, p + LAST, sizeof(last));
	return !sig && first == m->tag && last == m->tag;
}

bool page_model_write(struct page_model *m, uint8_t *p, uint64_t tag)
{
	int first = gmem_try_copy(p, &tag, sizeof(tag));
	int last = gmem_try_copy(p + LAST, &tag, sizeof(tag));

	if (m->state == PRIVATE)
		return first == SIGBUS && last == SIGBUS;
	page_model_touch(m);
	m->tag = tag;
	return !first && !last;
}

void page_model_drop(struct page_model *m)
{
	m->populated = false;
	m->contents = false;
	m->tag = 0;
}

void page_model_convert(struct page_model *m, uint8_t state, bool zero)
{
	if (m->state == state)
		return;
	m->state = state;
	if (zero)
		page_model_drop(m);
}
