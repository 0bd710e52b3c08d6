// SPDX-License-Identifier: GPL-2.0
/*
 * Test vectors of the launch measurement. Where a digest was published, the
 * comment or the member says by whom; those of the kvm profiles were derived
 * from the sources of Linux 6.12 and 7.3, not taken from hardware.
 */
#include "snp_vectors.h"
#include "ksft.h"

void vector_tell(const char *name, uint32_t nr_vcpus)
{
	if (nr_vcpus)
		ksft_part("vector %s, %u vCPUs", name, nr_vcpus);
	else
		ksft_part("vector %s", name);
}

const struct vector_vmsa vector_vmsas[VECTOR_VMSAS] = {
	{ "qemu_bsp_epycv4_f01", SNP_VMM_QEMU, 0, 0x800f12, 0x1,
	  "77920c4c629ff47e90c0e174fc1ad0eb6fa664f88cd47394"
	  "88058a8c6cb1a77b3856f55378e9518d0da99452d51c553a" },
	{ "qemu_bsp_epycv4_f21", SNP_VMM_QEMU, 0, 0x800f12, 0x21,
	  "ae79efa6efbe1594a2717dfd42af495a0e4ed37b00e529a5"
	  "fdf349bea04c3513962ffb0c74cf65b0d9a1857271833d6e" },
	{ "qemu_ap_eip80b004_epycv4_f01", SNP_VMM_QEMU, 1, 0x800f12, 0x1,
	  "8413b852790765a310d95867a8b00bfca3a802b5a8083004"
	  "4b45e253fe96222657e11e53fcf63eb0e0afd722385bf7b4" },
	{ "ec2_bsp_f01", SNP_VMM_EC2, 0, 0x800f12, 0x1,
	  "d08442e8bcdb6a5dcd7f22e4f7fd6979beffb9f0bb54a9d1"
	  "977407fe84f482abf23c1baae6ce95a6a9e7a94c3c51f412" },
	{ "ec2_ap_eip80b004_f01", SNP_VMM_EC2, 1, 0x800f12, 0x1,
	  "acff2d22db95b8eb82272d844aa2ad1f8f84218ccbab0036"
	  "97acade12228a6e901256e160d41713c22fed92e0a1ed0e1" },
	{ "ec2_old_bsp_f01", SNP_VMM_EC2_OLD, 0, 0x800f12, 0x1,
	  "1ce642f84290ae8cabc97e93c602d756bbbad7c1a3b79731"
	  "80b02a4aec331fdea29155cacc988601047a7457eea1025b" },
	{ "gce_bsp_f01", SNP_VMM_GCE, 0, 0x800f12, 0x1,
	  "f9e03177dad7f4819ee193af7cfb70507d8a923ab513412e"
	  "908bc73460a9dfdaa54215d58952816118ffb2ec281e7fd2" },
	{ "gce_ap_eip80b004_f01", SNP_VMM_GCE, 1, 0x800f12, 0x1,
	  "5302d262c88780a7a13159a327fa99cf188cab234c680e1f"
	  "3b6729171380a4312511813a354cab136d69c778050c245a" },
	{ "kvm_reset_untouched_f01", SNP_VMM_KVM, 0, 0x800f12, 0x1,
	  "64657e8cbfcb827116bf6e1b2dcc274918e6a217b75997df"
	  "1645525e71595813f89913c460621db2a2a2e2bc914d985d" },
	{ "kvm_get_set_sregs_roundtrip_f01", SNP_VMM_KVM_SREGS, 0, 0x800f12, 0x1,
	  "230da2d3040a6f39ffae0b4250226aee44f5f8d9639a419c"
	  "0eba717151a57d758b602a65d8c2b9d5fc0b527203f79e1d" },
};

/* Digests after the firmware, of sev-snp-measure's and sev's suffixes and of Debian's OVMF */
#define AMDSEV \
	"086e2e9149ebf45abdc3445fba5b2da8270bdbb04094d7a2" \
	"c37faaa4b24af3aa16aff8c374c2a55c467a50da6d466b74"
#define OVMFX64 \
	"b91e6fec73d2bcc57ad5fd400a426ce02731c22ea92bc894" \
	"ce675e7c9921a822977d6cf025b85f8ef4f264bff8839d20"
#define BOOKWORM \
	"ba2c811512ef868474f239a21f7d7057d65a20de87a003c4" \
	"f116e4fb1573183bfbcd75c3e99b2f558575a5d0094f73c6"
#define TRIXIE \
	"52de7f3ba560307ec6c22a5cb001524d5e560467b5d618c7" \
	"15cfe3c6f1addcadb91563693fbfa433ae18c2412d739a95"

/* And after the sections of the first, with an empty command line, one, no kernel; on EC2 */
#define NO_CMDLINE \
	"09048f370bff1a29414c64f73db9cacdd1bc0dd523da79b0" \
	"48c495e713448bc72cf1c17ba0ed88c96c84237d6572c158"
#define CMDLINE \
	"36fcd572bd473b23cdcce6f078026377e7b2d18ede30fe02" \
	"2d371f062ac1fbd73ba70c6286951b488c864e3ff9392f43"
#define NO_KERNEL \
	"2a436bb1f7bd08b3888d20579f83961e6cd34b45f10bfa96" \
	"bfb8086d15e258e407b2b04f62e1e6536aa64ba1b16dd65c"
#define EC2 \
	"9daa559470cda92228cf8a12248f91ea0f4550acce935463" \
	"1356c297612ab0cc4f36e60bd7b4a060bb2a0877c108d895"

const struct vector_published vector_published[VECTOR_PUBLISHED] = {
	{ "snp_empty_cmdline_f21", "ovmf_AmdSev_suffix.bin", SNP_VMM_QEMU, 1,
	  0x800f12, 0x21, "", AMDSEV, NO_CMDLINE,
	  "329c8ce0972ae52343b64d34a434a86f245dfd74f5ed7aae"
	  "15d22efc78fb9683632b9b50e4e1d7fa41179ef98a7ef198", 33 },
	{ "snp_empty_cmdline_f01", "ovmf_AmdSev_suffix.bin", SNP_VMM_QEMU, 1,
	  0x800f12, 0x1, "", AMDSEV, NO_CMDLINE,
	  "ddc5224521617a536ee7ce9dd6224d1b58a8d4fda1c741f3"
	  "ac99fc4bfa04ba6e9fc98646d4a07a9079397fa3852819b5", 33 },
	{ "snp_default_f21", "ovmf_AmdSev_suffix.bin", SNP_VMM_QEMU, 1,
	  0x800f12, 0x21, "console=ttyS0 loglevel=7", AMDSEV, CMDLINE,
	  "803f691094946e42068aaa3a8f9e26a5c89f36f7b73ecfb2"
	  "8c653360fe4b3aba7e534442e7e1e17895dfe778d0228977", 33 },
	{ "snp_default_f01", "ovmf_AmdSev_suffix.bin", SNP_VMM_QEMU, 1,
	  0x800f12, 0x1, "console=ttyS0 loglevel=7", AMDSEV, CMDLINE,
	  "6d287813eb5222d770f75005c664e34c204f385ce832cc2c"
	  "e7d0d6f354454362f390ef83a92046c042e706363b4b08fa", 33 },
	{ "snp_nokernel_f21", "ovmf_AmdSev_suffix.bin", SNP_VMM_QEMU, 1,
	  0x800f12, 0x21, NULL, AMDSEV, NO_KERNEL,
	  "e1e1ca029dd7973ab9513295be68198472dcd4fc834bd9af"
	  "9b63f6e8a1674dbf281a9278a4a2ebe0eed9f22adbcd0e2b", 33 },
	{ "snp_nokernel_f01", "ovmf_AmdSev_suffix.bin", SNP_VMM_QEMU, 1,
	  0x800f12, 0x1, NULL, AMDSEV, NO_KERNEL,
	  "19358ba9a7615534a9a1e2f0dfc29384dcd4dcb7062ff9c6"
	  "013b26869a5fc6ecabe033c48dd6f6db5d6d76e7c5df632d", 33 },
	{ "snp_4vcpu_f21", "ovmf_AmdSev_suffix.bin", SNP_VMM_QEMU, 4,
	  0x800f12, 0x21, "", AMDSEV, NO_CMDLINE,
	  "4953b1fb416fa874980e8442b3706d345926d5f38879134e"
	  "00813c5d7abcbe78eafe7b422907be0b4698e2414a631942", 36 },
	{ "snp_ovmfx64_f21", "ovmf_OvmfX64_suffix.bin", SNP_VMM_QEMU, 1,
	  0x800f12, 0x21, NULL, OVMFX64,
	  "f412c116030c22fc6050a8d31ade3ea7a90e686aa7145ff1"
	  "0de1a3fbffdd370bc431142d3940bcc09018b231618ba98b",
	  "28797ae0afaba4005a81e629acebfb59e6687949d6be4400"
	  "7cd5506823b0dd66f146aaae26ff291eed7b493d8a64c385", 33 },
	{ "snp_ec2_f21_v0_0_13", "ovmf_AmdSev_suffix.bin", SNP_VMM_EC2, 1,
	  0x800f12, 0x21, "", AMDSEV, EC2,
	  "0ce9ccc06bab55eebe8abc234f3df6514883977a68a591b7"
	  "1052498ab52b2f1aa415db338033946ef93aa8278c0d67fb", 33 },
	{ "snp_ec2_f01_v0_0_13", "ovmf_AmdSev_suffix.bin", SNP_VMM_EC2, 1,
	  0x800f12, 0x1, "", AMDSEV, EC2,
	  "0883bd0eeb716e65b7b977a321c278d1e51b33b5c655fab9"
	  "85443bbcc65c086b9c15e8a0bd8811050dec7e24964e5056", 33 },
	{ "snp_ec2_f21_sevrs", "ovmf_AmdSev_suffix.bin", SNP_VMM_EC2_OLD, 1,
	  0x800f12, 0x21, "", AMDSEV, EC2,
	  "6ae80856486b1396af8c82a40351d6ed76a20c785e9c7fa4"
	  "ffa27c22d5d6313b4b3b458cd3c9968e6f89fb5d8450d7a6", 33 },
	{ "snp_ec2_f01_sevrs", "ovmf_AmdSev_suffix.bin", SNP_VMM_EC2_OLD, 1,
	  0x800f12, 0x1, "", AMDSEV, EC2,
	  "7d3756157c805bf6adf617064c8552e8c1688fa1c8756f11"
	  "cbf56ba5d25c9270fb69c0505c1cbe1c5c66c0e34c6ed3be", 33 },
	{ "snp_gce_f01", "ovmf_AmdSev_suffix.bin", SNP_VMM_GCE, 1,
	  0x800f12, 0x1, "", AMDSEV,
	  "40dc1ade334343172ae8df2bef7d4c3cf1934a00244e1097"
	  "1ebbfde9e37231c11a5610ada9a9c7c2b11e4342e7ff3b61",
	  "5da7106cf14cf46b1725ebab123eb9e53bd46a1e9f400cd0"
	  "c08e7827b04b688ea8b4e403c8404efed4397ea5d5d0722e", 33 },
};

const struct vector_debian vector_debian[VECTOR_DEBIAN] = {
	{ "OVMF-bookworm.fd",
	  "7b456907dd0786d415999e801a1ac4637b8ed4d7cf5378cfc6edbe5e574dd773",
	  1, 0x800f12, 0x1, BOOKWORM,
	  "11570979c77a0adb515761a702527c8b9e11554e73055262"
	  "1d950988613a3a75c6ff1703f540bd22a9beede8fe7a97e3", 544 },
	{ "OVMF-bookworm.fd",
	  "7b456907dd0786d415999e801a1ac4637b8ed4d7cf5378cfc6edbe5e574dd773",
	  4, 0x800f12, 0x1, BOOKWORM,
	  "32ac9d7a17d28f7cd4404a4516d2f00519668c40ada20623"
	  "51c36767e908eb3f090d66c33ab10f80150e00a4385b6d0f", 547 },
	{ "OVMF-trixie.fd",
	  "14954040cc754ade0c625ac3470ea46d4c14318b5b1396de4ef77090203d76db",
	  1, 0x800f12, 0x1, TRIXIE,
	  "6eef547a9fcf5720c5c04883fe85788d29de46b55a51e554"
	  "467029b554a3352e66d2f3c71b84cea937d19a1a6c41596f", 1056 },
	{ "OVMF-trixie.fd",
	  "14954040cc754ade0c625ac3470ea46d4c14318b5b1396de4ef77090203d76db",
	  4, 0x800f12, 0x1, TRIXIE,
	  "676826e902524799a067f7c43b3ab0101dce73a2506d4143"
	  "6dd2f8472fa208081f11f9e65ca5d2439785732a0bfd8339", 1059 },
};

/* After each page: see test_snp_chain(). */
const char *const vector_chain[VECTOR_CHAIN] = {
	/* NORMAL gpa=0x1000 page=4096*00 */
	"e6e4d78904d9d6b33c0cbfd121998fd2d11744dae606b3ae"
	"e35e2a45d6869b60b35c63928a9232bef72d6be386f48ec6",
	/* NORMAL gpa=0x2000 page[i]=i&0xff */
	"a44b9daacc0a3d8223a1258ca98bf7a04897cf278d2c5f0a"
	"5aa141c4684776be280dc4e2241ec107cdad6712b2eb53ea",
	/* ZERO gpa=0x3000 */
	"e0633476ee259b89d516e1810b8e938bd9216f548ed9945b"
	"ab0d52a428c2ca025e76d0b2cd686932210a2995ed86a138",
	/* UNMEASURED gpa=0x4000 */
	"09460f14555a3e911c458d8993f797427409abe5e8961e5d"
	"bbbcaad8ed887e01c11bf01a3457b1c6825c3bd4b54e0230",
	/* SECRETS gpa=0x5000 */
	"38c47cdd42fd9514ae9995bd25c66c60c36fb551964f7f67"
	"13dc349f84faac22746f83b84617a58cc75d9d46fea9d698",
	/* CPUID gpa=0x6000 */
	"82832dfb74727f961841c1f3b946a222f8da4d25fc52d1b2"
	"fe35d39fa63f6ee3d3e7c42bc81c690a432fdfb58097925b",
	/* NORMAL gpa=0xfffff000 page=4096*aa */
	"14a9ed0e251607f1fd0c924aaee511f650bca80bf8fec956"
	"b1b2b1b9e8a91996d6a96687f608aac3e4582b60329b3e68",
	/* NORMAL gpa=0x123456789000 page=4096*55 */
	"a78f18598ff0400d0f7c49676a8a850759f5485e5745d237"
	"943b0e40842f71e0ed804b11b984979492a08b678ae64cc9",
	/* VMSA qemu_bsp_epycv4_f01 */
	"a9147c3906fd454a25a2fdf446a9bcbf527e74b4be354a5a"
	"ec11c5a99fb2f41ff6fc5c7f26395f560cbffec7a5b4a1d8",
	/* VMSA qemu_ap_eip80b004_epycv4_f01 */
	"77dc34510dfbe6a863e38171aa18f38a8179231f34484ec3"
	"3edf8e12e8bf2805c032a4554300e2dfcb723ab2e3915dfb",
};
