/* SPDX-License-Identifier: GPL-2.0 */
/* The control socket: stat, map, convert, decommit, dump and stop of gmemctl. */
#ifndef GMEMCTL_EXEC_CONTROL_H
#define GMEMCTL_EXEC_CONTROL_H

/** exec_control_start() - serve it, if there is a name for it, and no server yet */
void exec_control_start(void);

/** exec_control_stop() - the process ends */
void exec_control_stop(void);

#endif /* GMEMCTL_EXEC_CONTROL_H */
