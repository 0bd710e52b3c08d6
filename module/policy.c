// SPDX-License-Identifier: GPL-2.0
/**
 * DOC: memory policy
 *
 * mbind() on a mapping sets the policy of the pages behind it, for the file as a
 * whole, as for shmem. The kernel's shared policies are exported only to KVM, so
 * a file keeps its own copy: by page range in a maple tree, with mode and nodes
 * packed into a value, which makes splitting a range easy. The policy applies to
 * allocations; populated pages stay where they are.
 *
 * The kernel charges the tree to nobody, so it has a limit.
 *
 * Locks: &gmem_inode.policies_lock, below mmap_lock, to set policies. Allocation looks them
 * up under RCU.
 */
#include <linux/mempolicy.h>
#include <linux/pagemap.h>

#include "internal.h"

#ifdef CONFIG_NUMA
/* A value entry has 63 bits: three for the mode, and the others for the nodes. */
#define GMEM_POLICY_MODE_BITS 3
#define GMEM_POLICY_NODES (BITS_PER_LONG - 1 - GMEM_POLICY_MODE_BITS)

static_assert(MPOL_MAX <= (1 << GMEM_POLICY_MODE_BITS));

/* The value for @mpol, or an ERR_PTR() if it names nodes that do not fit. */
static void *gmem_policy_pack(struct mempolicy *mpol)
{
	unsigned long nodes = 0;
	int node;

	for_each_node_mask(node, mpol->nodes) {
		if (node >= GMEM_POLICY_NODES)
			return ERR_PTR(-EINVAL);
		nodes |= BIT(node);
	}
	return xa_mk_value(nodes << GMEM_POLICY_MODE_BITS | mpol->mode);
}

static unsigned int gmem_policy_unpack(unsigned long value, nodemask_t *nodes)
{
	unsigned int node;

	nodes_clear(*nodes);
	for (node = 0; node < GMEM_POLICY_NODES && node < MAX_NUMNODES; node++) {
		if (value & BIT(node + GMEM_POLICY_MODE_BITS))
			node_set(node, *nodes);
	}
	return value & (BIT(GMEM_POLICY_MODE_BITS) - 1);
}

/*
 * How many ranges with a policy come into being, or go, if pages @first to @last get @entry. A
 * range that is only covered in part leaves a part at one end, or at both. The covered ranges
 * become one, so repeated calls for the same pages are cheap.
 */
static int gmem_policy_more(struct gmem_inode *gi, pgoff_t first, pgoff_t last,
			    const void *entry)
{
	MA_STATE(mas, &gi->policies, first, first);
	int more = !!entry;
	void *old;

	mas_lock(&mas);
	mas_for_each(&mas, old, last)
		more += (mas.index < first) + (mas.last > last) - 1;
	mas_unlock(&mas);
	return more;
}

/**
 * gmem_policy_set() - set the policy of the pages behind a VMA
 * @vma: a mapping of guest memory
 * @mpol: the policy, or NULL for the default one
 *
 * Context: mmap_lock held for writing.
 * Return: 0, -ENOMEM, or -EINVAL when a node's number is too large.
 */
int gmem_policy_set(struct vm_area_struct *vma, struct mempolicy *mpol)
{
	struct gmem_inode *gi = gmem_from_file(vma->vm_file);
	void *entry = mpol ? gmem_policy_pack(mpol) : NULL;
	pgoff_t last = vma->vm_pgoff + vma_pages(vma) - 1;
	int more, rc = -ENOMEM;

	if (IS_ERR(entry))
		return PTR_ERR(entry);
	mutex_lock(&gi->policies_lock);
	more = gmem_policy_more(gi, vma->vm_pgoff, last, entry);
	if (more <= 0 || gi->nr_policies + more <= GMEM_POLICY_MAX_RANGES)
		rc = mtree_store_range(&gi->policies, vma->vm_pgoff, last, entry, GMEM_GFP);
	if (!rc)
		gi->nr_policies += more;
	mutex_unlock(&gi->policies_lock);
	return rc;
}

static int gmem_policy_interleave(const nodemask_t *nodes, pgoff_t index)
{
	unsigned int nth = index % nodes_weight(*nodes);
	int node = first_node(*nodes);

	while (nth--)
		node = next_node(node, *nodes);
	return node;
}

/**
 * gmem_policy_alloc() - allocate a folio by the policy of a page
 * @gi: the memory
 * @index: the page it is for
 * @gfp: flags of the allocation
 *
 * Context: may sleep if @gfp allows it.
 * Return: a folio or NULL.
 */
struct folio *gmem_policy_alloc(struct gmem_inode *gi, pgoff_t index, gfp_t gfp)
{
	int node = gi->node == NUMA_NO_NODE ? numa_mem_id() : gi->node;
	void *entry = mtree_load(&gi->policies, index);
	nodemask_t nodes;

	/* Neither mbind() nor CREATE has set anything: use the policy of the task. */
	if (!entry && gi->node == NUMA_NO_NODE)
		return folio_alloc(gfp, 0);
	if (!entry)
		return __folio_alloc(gfp, 0, node, NULL);

	switch (gmem_policy_unpack(xa_to_value(entry), &nodes)) {
	case MPOL_BIND:
		/* As for the kernel's own: nodes with nothing but movable memory have none. */
		if (!nodes_intersects(nodes, node_states[N_HIGH_MEMORY]))
			break;
		if (!node_isset(node, nodes))
			node = first_node(nodes);
		return __folio_alloc(gfp, 0, node, &nodes);
	case MPOL_INTERLEAVE:
	case MPOL_WEIGHTED_INTERLEAVE:
		node = gmem_policy_interleave(&nodes, index);
		break;
	case MPOL_PREFERRED:
	case MPOL_PREFERRED_MANY:
		if (!node_isset(node, nodes))
			node = first_node(nodes);
		break;
	default:
		node = numa_mem_id();
		break;
	}
	return __folio_alloc(gfp, 0, node, NULL);
}
#else
struct folio *gmem_policy_alloc(struct gmem_inode *gi, pgoff_t index, gfp_t gfp)
{
	return folio_alloc(gfp, 0);
}
#endif /* CONFIG_NUMA */
