// SPDX-License-Identifier: GPL-2.0
/* minihyp: a hypervisor on gmem, as small as it can be. See library.rst. */
#include <linux/highmem.h>
#include <linux/module.h>

#include "minihyp.h"

/* The pages are about to change: take them from the guest. */
static void guest_invalidate(struct gmem_binding *binding, pgoff_t start,
			     pgoff_t end)
{
	struct guest *guest = binding->priv;

	mutex_lock(&guest->lock);
	memset(&guest->table[start], 0, (end - start) * sizeof(guest->table[0]));
	mutex_unlock(&guest->lock);
}

static void guest_error(struct gmem_binding *binding, pgoff_t index)
{
	guest_invalidate(binding, index, index + 1);
}

static const struct gmem_ops guest_ops = {
	.owner = THIS_MODULE,
	.invalidate_start = guest_invalidate,
	.error = guest_error,
};

/* A second-stage fault. Nothing about the page changes before the put. */
static int guest_fault(struct guest *guest, pgoff_t index)
{
	struct gmem_lookup lookup;
	int rc = gmem_lookup(guest->binding, index, 0, &lookup);

	if (rc)
		return rc;
	mutex_lock(&guest->lock);
	guest->table[index] = pfn_to_page(lookup.pfn);
	mutex_unlock(&guest->lock);
	gmem_lookup_put(&lookup);
	return 0;
}

/* The guest loads or stores a byte. The lock stands for the TLB. */
long guest_access(struct guest *guest, u32 gpa, u8 byte, bool store)
{
	struct page *page = NULL;
	int rc = 0;

	while (!page && !rc) {
		mutex_lock(&guest->lock);
		page = guest->table[gpa >> PAGE_SHIFT];
		if (page && store)
			memcpy_to_page(page, offset_in_page(gpa), &byte, 1);
		else if (page)
			memcpy_from_page(&byte, page, offset_in_page(gpa), 1);
		mutex_unlock(&guest->lock);
		if (!page)
			rc = guest_fault(guest, gpa >> PAGE_SHIFT);
	}
	return rc ?: byte;
}

/* The guest asks for a page in the other state: only with this it consents. */
int guest_convert(struct guest *guest, u32 gpa, enum gmem_state target)
{
	struct gmem_conversion conv = {
		.start = gpa >> PAGE_SHIFT,
		.end = (gpa >> PAGE_SHIFT) + 1,
		.target = target,
		.content = GMEM_CONTENT_PRESERVE,
		.timeout_ms = 1000,
	};

	return gmem_convert(guest->binding, &conv);
}

int guest_create(struct guest *guest, struct file *file)
{
	mutex_init(&guest->lock);
	guest->binding = gmem_bind(file, 0, MINIHYP_PAGES, &guest_ops, guest, 0);
	return PTR_ERR_OR_ZERO(guest->binding);
}

/* No vCPU runs any more; on return no method does. */
void guest_destroy(struct guest *guest)
{
	gmem_unbind(guest->binding);
}
