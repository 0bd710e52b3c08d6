// SPDX-License-Identifier: GPL-2.0
/**
 * DOC: /dev/gmem
 *
 * The device: reports the features of the module, and creates gmem fds. No
 * policy beyond the mode of the node, 0600.
 *
 * Takes no locks.
 */
#include <linux/fcntl.h>
#include <linux/file.h>
#include <linux/miscdevice.h>

#include "internal.h"

static long gmem_ioctl_info(struct file *file, struct gmem_ucmd *ucmd)
{
	struct gmem_ioctl_info *cmd = ucmd->cmd;

	if (memchr_inv(cmd->reserved, 0, sizeof(cmd->reserved)))
		return -EINVAL;

	cmd->abi_version = GMEM_ABI_VERSION;
	cmd->features = gmem_store_features() | GMEM_FEATURE_RANGES |
			GMEM_FEATURE_EVENT | GMEM_FEATURE_HOLDER;
	if (IS_ENABLED(CONFIG_X86_64))
		cmd->features |= GMEM_FEATURE_VIEW;
	if (IS_ENABLED(CONFIG_NUMA))
		cmd->features |= GMEM_FEATURE_NUMA;
	cmd->create_flags = GMEM_CREATE_F_INIT_SHARED |
			    GMEM_CREATE_F_GUEST_CONSENT;
	if (IS_ENABLED(CONFIG_NUMA))
		cmd->create_flags |= GMEM_CREATE_F_NODE;
	cmd->max_length = GMEM_MAX_LENGTH;
	cmd->page_size = PAGE_SIZE;
	cmd->max_timeout_ms = GMEM_CONVERT_TIMEOUT_MAX;
	return gmem_ucmd_respond(ucmd);
}

static long gmem_ioctl_create(struct file *file, struct gmem_ucmd *ucmd)
{
	struct gmem_ioctl_create *cmd = ucmd->cmd;
	struct file *new;
	int fd;
	int rc;

	if (memchr_inv(cmd->reserved, 0, sizeof(cmd->reserved)) || cmd->__pad)
		return -EINVAL;
	if (cmd->fd_flags & ~O_CLOEXEC)
		return -EINVAL;
	if (cmd->node && !(cmd->flags & GMEM_CREATE_F_NODE))
		return -EINVAL;
	if (memchr_inv(cmd->name + strnlen(cmd->name, sizeof(cmd->name)), 0,
		       sizeof(cmd->name) - strnlen(cmd->name, sizeof(cmd->name))))
		return -EINVAL;

	fd = get_unused_fd_flags(cmd->fd_flags);
	if (fd < 0)
		return fd;

	new = gmem_file_create(cmd->name, cmd->length, cmd->flags,
			       cmd->node);
	if (IS_ERR(new)) {
		rc = PTR_ERR(new);
		goto err_fd;
	}

	cmd->out_fd = fd;
	rc = gmem_ucmd_respond(ucmd);
	if (rc)
		goto err_file;

	/* Nothing can fail once another thread may use the fd. */
	fd_install(fd, new);
	return 0;

err_file:
	fput(new);
err_fd:
	put_unused_fd(fd);
	return rc;
}

static const struct gmem_ioctl_op gmem_chardev_ops[] = {
	GMEM_IOCTL_OP(GMEM_CMD_INFO, gmem_ioctl_info, gmem_ioctl_info, reserved),
	GMEM_IOCTL_OP(GMEM_CMD_CREATE, gmem_ioctl_create, gmem_ioctl_create,
		      reserved),
};

static long gmem_chardev_ioctl(struct file *file, unsigned int cmd,
			       unsigned long arg)
{
	return gmem_ioctl_dispatch(file, cmd, arg, gmem_chardev_ops,
				   ARRAY_SIZE(gmem_chardev_ops));
}

static const struct file_operations gmem_chardev_fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = gmem_chardev_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.llseek = noop_llseek,
};

static struct miscdevice gmem_chardev = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "gmem",
	.fops = &gmem_chardev_fops,
	.mode = 0600,
};

int gmem_chardev_init(void)
{
	return misc_register(&gmem_chardev);
}

void gmem_chardev_exit(void)
{
	misc_deregister(&gmem_chardev);
}
