// SPDX-License-Identifier: GPL-2.0
#include <fcntl.h>
#include <termios.h>

#include "test_tty.h"
#include "ksft.h"

int test_tty_open(int *master)
{
	char name[128];

	*master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (*master >= 0 && !grantpt(*master) && !unlockpt(*master) &&
	    !ptsname_r(*master, name, sizeof(name)))
		return open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
	ksft_skip("no pseudo terminals here");
	return -1;
}

bool test_tty_is_raw(int fd)
{
	struct termios termios;

	return !tcgetattr(fd, &termios) &&
	       !(termios.c_lflag & (ICANON | ECHO | ISIG));
}
