// SPDX-License-Identifier: GPL-2.0
/*
 * The expected state of a gmem file, and the expected result of a request.
 */
#include <errno.h>
#include <stddef.h>

#include "file_model.h"
#include "gmem_utils.h"

struct bound_model *file_model_bound(struct file_model *f, int page)
{
	struct bound_model *b;

	for (b = f->bound; b < f->bound + MODEL_BOUND; b++)
		if (b->kind && page >= b->first && page < b->first + b->count)
			return b;
	return NULL;
}

static bool bound_to_kvm(struct file_model *f, int page)
{
	const struct bound_model *b = file_model_bound(f, page);

	return b && b->kind == BOUND_KVM;
}

uint32_t file_model_store(struct file_model *f, int page)
{
	return bound_to_kvm(f, page) ? GMEM_STORE_KVM : GMEM_STORE_RESIDENT;
}

bool file_model_resident(struct file_model *f, int page)
{
	const struct page_model *m = &f->page[page];

	return m->populated && !(m->state == PRIVATE && bound_to_kvm(f, page));
}

unsigned int file_model_refs(struct file_model *f, int page, bool *pinned)
{
	unsigned int refs = 0;
	struct hold_model *h;

	*pinned = false;
	for (h = f->hold; h < f->hold + MODEL_HOLDS; h++) {
		if (!h->kind || page < h->first || page >= h->first + h->count ||
		    !h->live[page - h->first])
			continue;
		refs++;
		*pinned |= h->kind == HOLD_URING;
	}
	return refs;
}

bool file_model_private_held(struct file_model *f, int first, int count)
{
	bool pinned;
	int i;

	for (i = first; i < first + count; i++)
		if (f->page[i].state == PRIVATE &&
		    file_model_refs(f, i, &pinned))
			return true;
	return false;
}

bool file_model_all_shared(struct file_model *f, int first, int count)
{
	int i;

	for (i = first; i < first + count; i++)
		if (f->page[i].state != SHARED)
			return false;
	return true;
}

static struct verdict judge_held(struct file_model *f, int first, int count)
{
	struct verdict v = { 0 };
	int i;

	for (i = first; i < first + count; i++) {
		if (f->page[i].state == PRIVATE)
			continue;
		v.refs = file_model_refs(f, i, &v.pinned);
		if (!v.refs)
			continue;
		v.rc = -EAGAIN;
		v.page = i;
		return v;
	}
	return v;
}

/* Check in the order of the kernel: consent, references, encryption. */
struct verdict file_model_judge_convert(struct file_model *f, int first,
					int count, uint32_t target,
					uint32_t content, bool guest)
{
	const struct bound_model *b;
	struct verdict v = { 0 };
	int i, end = first + count;

	for (i = first; i < end && f->page[i].state == target; i++)
		;
	if (i == end)
		return v;
	if (f->consent && !guest && target == SHARED && content == PRESERVE)
		return (struct verdict){ .rc = -EPERM, .page = i };
	if (target == PRIVATE)
		v = judge_held(f, first, count);
	for (; !v.rc && i < end && content == PRESERVE; i++) {
		b = file_model_bound(f, i);
		if (f->page[i].state != target && b && b->encrypted)
			v = (struct verdict){ .rc = -EOPNOTSUPP, .page = i };
	}
	return v;
}

static bool bound_overlaps(struct file_model *f, int first, int count)
{
	int i;

	for (i = first; i < first + count; i++)
		if (file_model_bound(f, i))
			return true;
	return false;
}

/* In a file with consent, a range with private contents cannot be bound. */
int file_model_judge_bind(struct file_model *f, int first, int count)
{
	int i;

	if (bound_overlaps(f, first, count))
		return -EBUSY;
	for (i = first; f->consent && i < first + count; i++)
		if (f->page[i].state == PRIVATE && f->page[i].contents)
			return -EPERM;
	return 0;
}

static void page_drop(struct file_model *f, int page)
{
	struct hold_model *h;

	page_model_drop(&f->page[page]);
	for (h = f->hold; h < f->hold + MODEL_HOLDS; h++)
		if (h->kind && page >= h->first && page < h->first + h->count)
			h->live[page - h->first] = false;
}

void file_model_drop(struct file_model *f, int first, int count)
{
	int i;

	for (i = first; i < first + count; i++)
		page_drop(f, i);
}

void file_model_convert(struct file_model *f, int first, int count,
			uint32_t target, uint32_t content)
{
	int i;

	for (i = first; i < first + count; i++) {
		if (f->page[i].state != target && content == ZERO)
			page_drop(f, i);
		page_model_convert(&f->page[i], target, content == ZERO);
	}
}
