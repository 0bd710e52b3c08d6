/* SPDX-License-Identifier: GPL-2.0 */
/* The flat binary of the payloads, as data of the VMM. */
	.section .rodata
	.globl guest_image_start
	.globl guest_image_end
	.balign 16
guest_image_start:
	.incbin GUEST_IMAGE_FILE
guest_image_end:
	.byte 0

	.section .note.GNU-stack, "", @progbits
