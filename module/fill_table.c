// SPDX-License-Identifier: GPL-2.0
/**
 * DOC: page table entries of views
 *
 * Sets the entries that fill.c has looked up. Entries are for KVM alone: the entry of a
 * private page gives the host no access.
 *
 * The kernel exports few functions for this to modules. apply_to_page_range() allocates page
 * tables. An entry of 2 MiB is set in a page fault that this file triggers itself. Entries are
 * read and written directly, with the lock of their page table held.
 *
 * Locks: mmap_lock for reading, so that mappings and tables stay. Inside it
 * &gmem_view_mapping.huge_lock, and inside that the lock of a page table.
 */
#include <linux/mm.h>
#include <linux/page-flags.h>
#include <linux/pgtable.h>

#include "fill.h"

/*
 * KVM takes an entry as present in either state. It must be RW, or KVM does not let its
 * guest write. vm_get_page_prot() adds what else entries need on this machine, such as the
 * encryption bit of AMD's host memory encryption.
 */
static pgprot_t gmem_fill_prot(unsigned long vm_flags)
{
	return __pgprot(pgprot_val(vm_get_page_prot(vm_flags)) | _PAGE_RW |
			_PAGE_DIRTY | _PAGE_ACCESSED);
}

void gmem_fill_prots(struct gmem_fill *fill)
{
	fill->prot[GMEM_STATE_SHARED] = gmem_fill_prot(VM_SHARED | VM_READ | VM_WRITE);
	fill->prot[GMEM_STATE_PRIVATE] = gmem_fill_prot(VM_SHARED);
}

static struct page *gmem_fill_page(unsigned long entry)
{
	return (struct page *)(entry & ~1UL);
}

/* Whether one entry can map all of the block. */
static bool gmem_fill_fits_huge(const struct gmem_fill *fill)
{
	unsigned long first = fill->entry[0], i;

	if (fill->end - fill->start != GMEM_BLOCK_PAGES || !first ||
	    !IS_ALIGNED(page_to_pfn(gmem_fill_page(first)), GMEM_BLOCK_PAGES))
		return false;
	for (i = 1; i < GMEM_BLOCK_PAGES; i++) {
		if (fill->entry[i] != first + i * sizeof(struct page))
			return false;
	}
	return true;
}

/*
 * Whether memory of one of the pages has failed. The lock of the page table is held: a memory
 * failure marks the page first, and then removes the entry under this lock.
 */
static bool gmem_fill_failed(struct page *page, unsigned long pages)
{
	while (pages--) {
		if (PageHWPoison(page++))
			return true;
	}
	return false;
}

/**
 * gmem_fill_huge_fault() - set an entry of 2 MiB
 * @vmf: the fault that gmem_fill_huge() triggers; others fail before
 * @order: PMD_ORDER
 *
 * A page fault is used because the kernel exports no other function that allocates the
 * tables above the entry.
 *
 * Context: mmap_lock and &gmem_view_mapping.huge_lock held.
 * Return: VM_FAULT_NOPAGE, or VM_FAULT_FALLBACK.
 */
vm_fault_t gmem_fill_huge_fault(struct vm_fault *vmf, unsigned int order)
{
	struct gmem_view_mapping *mapping = vmf->vma->vm_private_data;
	struct mm_struct *mm = vmf->vma->vm_mm;
	struct gmem_fill *fill;
	struct page *page;
	spinlock_t *ptl;
	pmd_t entry;

	if (order != PMD_ORDER || !mapping || READ_ONCE(mapping->filler) != current)
		return VM_FAULT_FALLBACK;
	fill = mapping->huge;
	page = gmem_fill_page(fill->entry[0]);
	entry = pfn_pmd(page_to_pfn(page), fill->prot[fill->entry[0] & 1]);
	ptl = pmd_lock(mm, vmf->pmd);
	if (pmd_none(*vmf->pmd) && !gmem_fill_failed(page, GMEM_BLOCK_PAGES)) {
		set_pmd_at(mm, vmf->address & PMD_MASK, vmf->pmd,
			   pmd_mkspecial(pmd_mkhuge(entry)));
		fill->set += GMEM_BLOCK_PAGES;
	}
	spin_unlock(ptl);
	return VM_FAULT_NOPAGE;
}

/* Find the PMD of @address. Return: NULL if a table above it does not exist. */
pmd_t *gmem_fill_pmd(struct mm_struct *mm, unsigned long address)
{
	pgd_t *pgd = pgd_offset(mm, address);
	p4d_t *p4d;
	pud_t *pud;

	if (pgd_none(*pgd))
		return NULL;
	p4d = p4d_offset(pgd, address);
	if (p4d_none(*p4d))
		return NULL;
	pud = pud_offset(p4d, address);
	return pud_none(*pud) ? NULL : pmd_offset(pud, address);
}

/* A table stays as long as the mapping; an entry of 2 MiB can be removed any time. */
static pmd_t gmem_fill_pmd_get(pmd_t *pmd)
{
	return pmd ? pmdp_get_lockless(pmd) : __pmd(0);
}

bool gmem_fill_has_table(pmd_t *pmd)
{
	pmd_t entry = gmem_fill_pmd_get(pmd);

	return !pmd_none(entry) && !pmd_leaf(entry);
}

bool gmem_fill_has_huge(pmd_t *pmd)
{
	return pmd_leaf(gmem_fill_pmd_get(pmd));
}

/* Map the block at @address by one entry. Return: whether there is such an entry now. */
bool gmem_fill_huge(struct gmem_view_mapping *mapping, struct gmem_fill *fill,
		    unsigned long address)
{
	if (!gmem_fill_fits_huge(fill))
		return false;
	mutex_lock(&mapping->huge_lock);
	mapping->huge = fill;
	WRITE_ONCE(mapping->filler, current);
	handle_mm_fault(mapping->vma, address, 0, NULL);
	WRITE_ONCE(mapping->filler, NULL);
	mutex_unlock(&mapping->huge_lock);
	return gmem_fill_has_huge(gmem_fill_pmd(mapping->vma->vm_mm, address));
}

/* Give the host access to a block that has become shared: change its entry in place. */
void gmem_fill_share_huge(struct gmem_fill *fill, struct mm_struct *mm,
			  unsigned long address, pmd_t *pmd)
{
	spinlock_t *ptl = pmd_lock(mm, pmd);

	if (pmd_leaf(*pmd) && !gmem_fill_failed(pfn_to_page(pmd_pfn(*pmd)),
						GMEM_BLOCK_PAGES)) {
		set_pmd_at(mm, address, pmd,
			   pmd_mkspecial(pmd_mkhuge(pfn_pmd(pmd_pfn(*pmd),
							    fill->prot[0]))));
		fill->set += GMEM_BLOCK_PAGES;
	}
	spin_unlock(ptl);
}

static void gmem_fill_pte(struct gmem_fill *fill, struct mm_struct *mm,
			  unsigned long address, pte_t *pte, unsigned long entry)
{
	struct page *page = gmem_fill_page(entry);
	pte_t old = ptep_get(pte);

	if (!page || PageHWPoison(page))
		return;
	/* Keep an existing entry, unless it is that of a private page that became shared. */
	if (!pte_none(old) && (entry & 1 || pte_flags(old) & _PAGE_PRESENT))
		return;
	set_pte_at(mm, address, pte,
		   pte_mkspecial(pfn_pte(page_to_pfn(page),
					 fill->prot[entry & 1])));
	fill->set++;
}

static int gmem_fill_no_pte(pte_t *pte, unsigned long address, void *data)
{
	return 0;
}

/* Set the entries of [address, end), which are in one table. */
static int gmem_fill_table(struct gmem_fill *fill, struct mm_struct *mm,
			   unsigned long address, unsigned long end,
			   const unsigned long *entry)
{
	pmd_t *pmd = gmem_fill_pmd(mm, address);
	spinlock_t *ptl;
	pte_t *pte;
	int rc;

	if (!gmem_fill_has_table(pmd)) {
		/* The only exported function that allocates a page table. */
		rc = apply_to_page_range(mm, address, PAGE_SIZE, gmem_fill_no_pte,
					 NULL);
		if (rc)
			return rc;
		pmd = gmem_fill_pmd(mm, address);
	}
	ptl = pte_lockptr(mm, pmd);
	spin_lock(ptl);
	pte = pte_offset_kernel(pmd, address);
	for (; address < end; address += PAGE_SIZE)
		gmem_fill_pte(fill, mm, address, pte++, *entry++);
	spin_unlock(ptl);
	return 0;
}

/* Set the entries of @fill in a mapping, from @address on. */
int gmem_fill_tables(struct gmem_fill *fill, struct mm_struct *mm, unsigned long address)
{
	unsigned long end = address + ((fill->end - fill->start) << PAGE_SHIFT);
	const unsigned long *entry = fill->entry;
	unsigned long next;
	int rc = 0;

	for (; !rc && address < end; address = next) {
		next = pmd_addr_end(address, end);
		rc = gmem_fill_table(fill, mm, address, next, entry);
		entry += (next - address) >> PAGE_SHIFT;
	}
	return rc;
}
