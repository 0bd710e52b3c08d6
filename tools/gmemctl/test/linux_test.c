// SPDX-License-Identifier: GPL-2.0
/*
 * What a Linux guest finds in its memory: memory map, zero page, and each part
 * at a place of its own; and that nothing is written unless all of it fits.
 */
#include "../base/calls.h"
#include "../boot/linux.h"
#include "bzimage_fake.h"
#include "ksft.h"

/* It is a number for compilers of GNU C. */
#undef linux

#define M (UINT64_C(1) << 20)
#define G (UINT64_C(1) << 30)
#define RAM_SIZE (32 * M)
#define INITRD_SIZE 0x12345

static uint8_t image[FAKE_SIZE_ALL];
static uint8_t initrd[INITRD_SIZE];
static uint8_t *memory;
static struct range ram[2];
static struct linux_boot boot;
static uint64_t entry;

static struct setup_header *header;

FIXTURE(linux) {
};

FIXTURE_SETUP(linux)
{
	ram[0] = (struct range){ 0, RAM_SIZE };
	ram[1] = (struct range){ 4 * G, 5 * G };
	memory = calloc(1, RAM_SIZE);
	memset(initrd, 0xab, sizeof(initrd));
	boot = (struct linux_boot){
		.kernel = image,
		.kernel_size = sizeof(image),
		.kernel_name = "bzImage",
		.initrd = initrd,
		.initrd_size = sizeof(initrd),
		.cmdline = "console=ttyS0 panic=-1",
		.ram = ram,
		.nr_ram = 2,
	};
	header = bzimage_fake_write(image);
}

FIXTURE_TEARDOWN(linux)
{
	free(memory);
}

static int load(void)
{
	return memory ? linux_load(memory, &boot, &entry, NULL) : -ENOMEM;
}

static bool untouched(void)
{
	for (uint64_t i = 0; i < RAM_SIZE; i++)
		if (memory[i])
			return false;
	return !entry;
}

TEST_OF(e820, place)
{
	struct range out[E820_PLACES];

	EXPECT_EQ(e820_place(512 * M, out), 1);
	EXPECT_EQ(out[0].start, 0);
	EXPECT_EQ(out[0].end, 512 * M);
	EXPECT_EQ(e820_place(3 * G, out), 1);
	EXPECT_EQ(out[0].end, 3 * G);
	EXPECT_EQ(e820_place(3 * G + 4096, out), 2);
	EXPECT_EQ(out[0].end, 3 * G);
	EXPECT_EQ(out[1].start, 4 * G);
	EXPECT_EQ(out[1].end, 4 * G + 4096);
	EXPECT_EQ(e820_place(UINT64_MAX - 4095 - G, out), 2);
	EXPECT_EQ(out[1].end, UINT64_MAX - 4095);
	EXPECT_FALSE(e820_place(UINT64_MAX - 4095, out));
	EXPECT_FALSE(e820_place(0, out));
	EXPECT_FALSE(e820_place(4097, out));
}

TEST_OF(e820, holes)
{
	static const struct boot_e820_entry expected[] = {
		{ 0, 0x9fc00, 1 }, { 0x9fc00, 0x400, 2 },
		{ 0xf0000, 0x10000, 2 }, { 0x100000, 31 * M, 1 },
		{ 4 * G, G, 1 },
	};
	struct boot_e820_entry table[6];

	ram[0] = (struct range){ 0, RAM_SIZE };
	ram[1] = (struct range){ 4 * G, 5 * G };
	EXPECT_EQ(e820_build(ram, 2, table, 6), 5);
	EXPECT_MEMEQ(table, expected, sizeof(expected));
	memset(table, 0, sizeof(table));
	EXPECT_EQ(e820_build(ram, 2, table, 4), -E2BIG);
	EXPECT_FALSE(table[4].size);
	/* Just the first MiB: there is nothing above the hole. */
	ram[0].end = M;
	EXPECT_EQ(e820_build(ram, 1, table, 6), 3);
	EXPECT_EQ(e820_build(ram, 0, table, 6), 0);
}

TEST_F(linux, load)
{
	const struct boot_params *params;
	uint64_t at;

	header->setup_data = 0x1234;
	EXPECT_FALSE(load());
	EXPECT_EQ(entry, FAKE_START + 0x200);
	EXPECT_MEMEQ(memory + FAKE_START, image + FAKE_CODE_OFFSET, FAKE_CODE_SIZE);
	params = (void *)(memory + LINUX_ZERO_PAGE_GPA);
	EXPECT_STREQ((char *)memory + params->hdr.cmd_line_ptr, boot.cmdline);
	at = params->hdr.ramdisk_image;
	EXPECT_EQ(at, RAM_SIZE - 0x13000);
	EXPECT_EQ(params->hdr.ramdisk_size, INITRD_SIZE);
	EXPECT_MEMEQ(memory + at, initrd, INITRD_SIZE);
	EXPECT_FALSE(memory[at - 1]);
	EXPECT_FALSE(memory[at + INITRD_SIZE]);
	EXPECT_EQ(params->hdr.type_of_loader, 0xff);
	EXPECT_FALSE(params->sentinel);
	EXPECT_EQ(params->hdr.header, 0x53726448);
	EXPECT_FALSE(params->hdr.setup_data);
	EXPECT_EQ(params->e820_entries, 5);
	EXPECT_EQ(params->e820_table[4].addr, 4 * G);
	EXPECT_FALSE(params->screen_info.orig_video_isVGA);
}

TEST_F(linux, no_initrd)
{
	const struct boot_params *params;

	boot.initrd = NULL;
	boot.initrd_size = 0;
	boot.cmdline = "";
	/* Not a byte more than the kernel says it needs. */
	ram[0].end = FAKE_START + FAKE_INIT_SIZE;
	EXPECT_FALSE(load());
	params = (void *)(memory + LINUX_ZERO_PAGE_GPA);
	EXPECT_FALSE(params->hdr.ramdisk_image);
	EXPECT_FALSE(params->hdr.ramdisk_size);
	EXPECT_FALSE(memory[LINUX_CMDLINE_GPA]);
}

TEST_F(linux, no_room)
{
	boot.initrd_size = RAM_SIZE - FAKE_START - FAKE_INIT_SIZE + 1;
	EXPECT_EQ(load(), -ENOSPC);
	boot.initrd_size = 0;
	ram[0].end = FAKE_START + FAKE_INIT_SIZE - 4096;
	EXPECT_EQ(load(), -ENOSPC);
	EXPECT_TRUE(untouched());
}

/* As high as it fits, below what the kernel can reach, above the kernel. */
TEST_F(linux, place)
{
	struct linux_places places;
	struct bzimage kernel;
	uint64_t end;

	EXPECT_FALSE(bzimage_parse(image, sizeof(image), "bzImage", &kernel, NULL));
	end = kernel.end;
	EXPECT_FALSE(linux_place(&kernel, 1, G, &places, NULL));
	EXPECT_EQ(places.initrd.start, G - 4096);
	EXPECT_EQ(places.initrd.end, G - 4095);
	EXPECT_FALSE(linux_place(&kernel, 2 * M, 3 * G, &places, NULL));
	EXPECT_EQ(places.initrd.end, kernel.initrd_end);
	kernel.initrd_end = UINT64_C(1) << 32;
	EXPECT_FALSE(linux_place(&kernel, 4097, 3 * G, &places, NULL));
	EXPECT_EQ(places.initrd.start, 3 * G - 8192);
	/* The last place there is, then one page too many. */
	EXPECT_FALSE(linux_place(&kernel, 8191, end + 8192, &places, NULL));
	EXPECT_EQ(places.initrd.start, end);
	EXPECT_EQ(places.kernel.end, end);
	EXPECT_EQ(linux_place(&kernel, 8193, end + 8192, &places, NULL), -ENOSPC);
	EXPECT_EQ(linux_place(&kernel, 1, end, &places, NULL), -ENOSPC);
	EXPECT_EQ(linux_place(&kernel, UINT64_MAX, G, &places, NULL), -ENOSPC);
	EXPECT_EQ(linux_place(&kernel, 0, end - 1, &places, NULL), -ENOSPC);
	/* What the kernel can reach ends inside the kernel. */
	kernel.initrd_end = end - 1;
	EXPECT_EQ(linux_place(&kernel, 1, G, &places, NULL), -ENOSPC);
	/* Ends that are not whole pages. */
	kernel.initrd_end = end + 4095;
	EXPECT_EQ(linux_place(&kernel, 1, G, &places, NULL), -ENOSPC);
	kernel.initrd_end = end + 4096;
	kernel.end = end + 1;
	EXPECT_EQ(linux_place(&kernel, 1, G, &places, NULL), -ENOSPC);
}

TEST_F(linux, cmdline)
{
	char *text = malloc(LINUX_CMDLINE_SIZE + 1);
	struct error error;

	memset(text, 'x', LINUX_CMDLINE_SIZE);
	boot.cmdline = text;
	text[2048] = '\0';
	EXPECT_EQ(linux_load(memory, &boot, &entry, &error), -E2BIG);
	EXPECT_TRUE(untouched());
	EXPECT_STRSTR(error.hint, "at most 2047");
	text[2047] = '\0';
	EXPECT_FALSE(load());
	EXPECT_MEMEQ(memory + LINUX_CMDLINE_GPA, text, 2048);
	/* A kernel that takes any, but there is room for 64 KiB only. */
	header->cmdline_size = 0xffffffff;
	memset(text, 'y', LINUX_CMDLINE_SIZE);
	text[LINUX_CMDLINE_SIZE] = '\0';
	EXPECT_EQ(load(), -E2BIG);
	text[LINUX_CMDLINE_SIZE - 1] = '\0';
	EXPECT_FALSE(load());
	EXPECT_FALSE(memory[LINUX_CMDLINE_GPA + LINUX_CMDLINE_SIZE]);
	free(text);
}

TEST_F(linux, ram)
{
	static const struct range bad[][2] = {
		{ { 4096, 32 << 20 }, { 0, 0 } },
		{ { 0, 0xff000 }, { UINT64_C(1) << 32, UINT64_C(1) << 33 } },
		{ { 0, (UINT64_C(1) << 32) + 4096 }, { 0, 0 } },
		{ { 0, 32 << 20 }, { 16 << 20, UINT64_C(1) << 33 } },
		{ { 0, 32 << 20 }, { UINT64_C(1) << 33, UINT64_C(1) << 32 } },
		{ { 0, (32 << 20) - 1 }, { UINT64_C(1) << 32, UINT64_C(1) << 33 } },
	};

	boot.ram = bad[0];
	boot.nr_ram = 0;
	EXPECT_EQ(load(), -EINVAL);
	ksft_for_each(item, bad) {
		boot.ram = *item;
		boot.nr_ram = (*item)[1].start ? 2 : 1;
		EXPECT_EQ(load(), -EINVAL);
		EXPECT_TRUE(untouched());
	}
	boot.ram = ram;
	boot.nr_ram = 2;
	boot.kernel_size--;
	EXPECT_EQ(load(), -ENOEXEC);
	EXPECT_TRUE(untouched());
}

static struct kvm_regs vcpu_regs;
static struct kvm_sregs vcpu_sregs;

static int vcpu_ioctl(int fd, unsigned long request, void *arg)
{
	if (request == KVM_GET_SREGS)
		*(struct kvm_sregs *)arg = vcpu_sregs;
	else if (request == KVM_SET_SREGS)
		vcpu_sregs = *(struct kvm_sregs *)arg;
	else if (request == KVM_SET_REGS)
		vcpu_regs = *(struct kvm_regs *)arg;
	else
		return -ENOTTY;
	return 0;
}

static const struct calls vcpu_calls = { .ioctl = vcpu_ioctl };

/* The state that the 64-bit boot protocol asks for. */
TEST_F(linux, vcpu)
{
	struct vcpu vcpu = { .fd = 3 };
	const uint64_t *gdt;

	EXPECT_FALSE(load());
	calls = &vcpu_calls;
	EXPECT_FALSE(linux_vcpu(&vcpu, entry, NULL));
	calls = &calls_system;
	EXPECT_EQ(vcpu_regs.rip, entry);
	EXPECT_EQ(vcpu_regs.rsi, LINUX_ZERO_PAGE_GPA);
	EXPECT_EQ(vcpu_regs.rflags, 2);
	EXPECT_EQ(vcpu_sregs.cs.selector, 0x10);
	EXPECT_TRUE(vcpu_sregs.cs.l);
	EXPECT_FALSE(vcpu_sregs.cs.db);
	EXPECT_EQ(vcpu_sregs.ds.selector, 0x18);
	EXPECT_EQ(vcpu_sregs.ss.selector, 0x18);
	EXPECT_EQ(vcpu_sregs.es.selector, 0x18);
	EXPECT_TRUE(vcpu_sregs.cr0 & 1);
	EXPECT_TRUE(vcpu_sregs.cr0 >> 31 & 1);
	EXPECT_TRUE(vcpu_sregs.cr4 & 0x20);
	EXPECT_EQ((vcpu_sregs.efer & 0x500), 0x500);
	gdt = (void *)(memory + vcpu_sregs.gdt.base);
	EXPECT_EQ(vcpu_sregs.gdt.limit, 31);
	EXPECT_FALSE(gdt[0]);
	EXPECT_EQ(gdt[2], 0x00af9b000000ffff);
	EXPECT_EQ(gdt[3], 0x00cf93000000ffff);
}
