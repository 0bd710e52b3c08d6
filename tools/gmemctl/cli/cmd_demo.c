// SPDX-License-Identifier: GPL-2.0
#include "cli.h"
static int demo_main(int argc, char **argv) { (void)argc; (void)argv; return 1; }
const struct command command_demo = { .name = "demo", .run = demo_main, .summary = "x", .help = "x" };
