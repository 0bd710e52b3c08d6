// SPDX-License-Identifier: GPL-2.0
/**
 * DOC: the registry of stores
 *
 * Stores are modules of their own. A binding holds a reference to its store's
 * module, so that a store that is in use cannot be unloaded.
 *
 * Lock order: gmem_stores_lock is innermost.
 */
#include <linux/rwsem.h>

#include "internal.h"

#define GMEM_STORE_TYPES (GMEM_STORE_KVM + 1)

static const struct gmem_store_ops *gmem_stores[GMEM_STORE_TYPES];
static DECLARE_RWSEM(gmem_stores_lock);

/**
 * gmem_store_register() - offer a store to userspace
 * @ops: the store, valid until gmem_store_unregister()
 *
 * Context: process context.
 * Return: 0, -EINVAL for a type that the ABI does not know, -EBUSY if there is
 * a store of this type.
 */
int gmem_store_register(const struct gmem_store_ops *ops)
{
	int rc = 0;

	if (ops->type == GMEM_STORE_RESIDENT || ops->type >= GMEM_STORE_TYPES)
		return -EINVAL;

	down_write(&gmem_stores_lock);
	if (gmem_stores[ops->type])
		rc = -EBUSY;
	else
		gmem_stores[ops->type] = ops;
	up_write(&gmem_stores_lock);
	return rc;
}
GMEM_EXPORT_SYMBOL(gmem_store_register);

/**
 * gmem_store_unregister() - withdraw a store
 * @ops: as registered
 *
 * For module exit: no binding exists then, as each holds the module.
 *
 * Context: process context.
 */
void gmem_store_unregister(const struct gmem_store_ops *ops)
{
	down_write(&gmem_stores_lock);
	gmem_stores[ops->type] = NULL;
	up_write(&gmem_stores_lock);
}
GMEM_EXPORT_SYMBOL(gmem_store_unregister);

/**
 * gmem_store_get() - find a store and hold its module
 * @type: enum gmem_store
 *
 * Context: process context.
 * Return: the store, to be given back with module_put(); ERR_PTR(-EINVAL) for
 * an unknown type, ERR_PTR(-EOPNOTSUPP) when the module is not there.
 */
const struct gmem_store_ops *gmem_store_get(u32 type)
{
	const struct gmem_store_ops *ops;

	if (type == GMEM_STORE_RESIDENT || type >= GMEM_STORE_TYPES)
		return ERR_PTR(-EINVAL);

	down_read(&gmem_stores_lock);
	ops = gmem_stores[type];
	if (!ops || !try_module_get(ops->owner))
		ops = ERR_PTR(-EOPNOTSUPP);
	up_read(&gmem_stores_lock);
	return ops;
}

/**
 * gmem_store_features() - which stores there are
 *
 * Context: process context.
 * Return: GMEM_FEATURE_*
 */
u64 gmem_store_features(void)
{
	u64 features = 0;
	u32 type;

	down_read(&gmem_stores_lock);
	for (type = 0; type < GMEM_STORE_TYPES; type++) {
		if (gmem_stores[type])
			features |= gmem_stores[type]->feature;
	}
	up_read(&gmem_stores_lock);
	return features;
}
