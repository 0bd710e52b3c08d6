/* SPDX-License-Identifier: GPL-2.0 */
#ifndef GMEMCTL_GUEST_IMAGE_H
#define GMEMCTL_GUEST_IMAGE_H

#include <stdint.h>

/** guest_image_start: the payloads, to be loaded at GUEST_IMAGE_GPA */
extern const uint8_t guest_image_start[];
extern const uint8_t guest_image_end[];

#endif /* GMEMCTL_GUEST_IMAGE_H */
