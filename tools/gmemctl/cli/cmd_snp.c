// SPDX-License-Identifier: GPL-2.0
#include "cli.h"
#include "snp.h"
#include "snp_guest.h"

static const struct subcommand subcommands[] = {
	{ "measure", snp_measure_main },
	{ "id-block", snp_id_block_main },
	{ "id-check", snp_id_check_main },
	{ "verify", snp_verify_main },
	{ "launch", snp_launch_main },
	{ "status", snp_status_main },
};

static int snp_main(int argc, char **argv)
{
	return subcommand_run(subcommands,
			      sizeof(subcommands) / sizeof(subcommands[0]),
			      argc, argv);
}

const struct command command_snp = {
	.name = "snp",
	.run = snp_main,
	.summary = "predict, sign, do and verify the launch of an SEV-SNP guest",
	.help = "usage: gmemctl snp measure IMAGE [--json]\n"
		"       gmemctl snp id-block IMAGE|--digest HEX --id-key PEM\n"
		"                   --id-block FILE --id-auth FILE [OPTIONS] [--json]\n"
		"       gmemctl snp id-check --id-block FILE --id-auth FILE\n"
		"                   [IMAGE|--digest HEX] [--policy N] [--json]\n"
		"       gmemctl snp verify REPORT [--cert FILE] [--chain FILE]\n"
		"                   IMAGE|--measurement HEX|--expect FILE [OPTIONS]\n"
		"                   [--json]\n"
		"       gmemctl snp launch --firmware FILE|--igvm FILE [OPTIONS] [--json]\n"
		"       gmemctl run --vm-type snp --firmware FILE|--igvm FILE [OPTIONS]\n"
		"                   [--json]\n"
		"       gmemctl snp status [--json]\n"
		"\n"
		"launch, run and status need a host; the others, only files.\n"
		"\n"
		"measure   predict the launch digest of a guest\n"
		"id-block  create an ID block for a digest, and sign it\n"
		"id-check  check what the firmware checks when a launch ends; exit code\n"
		"          3 if it does not hold\n"
		"verify    verify an attestation report; exit code 0 only if all holds,\n"
		"          3 if it must not be trusted\n"
		"launch    launch a guest, show each step, and end it again\n"
		"run       launch it, and run it with its console\n"
		"status    look whether this host can launch one, as `gmemctl check`\n"
		"\n"
		"IMAGE, which is measured:\n"
		"  --igvm FILE         an IGVM file, which needs no other option, or\n"
		"  --firmware FILE     OVMF with SEV metadata, such as OVMF.fd\n"
		"  --firmware-digest HEX\n"
		"                      the digest after it, if it is known already\n"
		"  --vmm NAME          who programs the vCPUs: qemu (default), gmemctl,\n"
		"                      ec2, ec2-old, gce, kvm (nobody), kvm-sregs\n"
		"  --vcpus N           number of vCPUs (default 1)\n"
		"  --vcpu-type NAME    EPYC, EPYC-IBPB, EPYC-Rome, EPYC-Milan, EPYC-Genoa\n"
		"                      or EPYC-Turin; qemu and gmemctl need it\n"
		"  --vcpu-signature N  or CPUID leaf 1's EAX, such as 0x800f12\n"
		"  --vcpu-family N, --vcpu-model N, --vcpu-stepping N\n"
		"                      or the parts of it\n"
		"  --features N        guest features of the VMSA (default 0x1)\n"
		"  --kernel FILE       the firmware is to check this kernel,\n"
		"  --initrd FILE       this initrd,\n"
		"  --cmdline TEXT      and this command line\n"
		"  --svsm FILE         an SVSM that starts before the firmware,\n"
		"  --vars-size SIZE    below a variable store of this size,\n"
		"  --vars-file FILE    or of the size of this file\n"
		"  --ovmf, --snp-ovmf-hash, --vmm-type, --vcpu-sig, --guest-features,\n"
		"  --append            other names of them, as sev-snp-measure has them\n"
		"\n"
		"measure:\n"
		"  --mode NAME         snp, snp:svsm, or snp:ovmf-hash for the digest\n"
		"                      after the firmware only\n"
		"  --output-format NAME\n"
		"                      hex or base64: show only the digest\n"
		"\n"
		"id-block:\n"
		"  --digest HEX        the launch digest, instead of an IMAGE\n"
		"  --id-key PEM        private ECDSA key on P-384 that signs the block\n"
		"  --author-key PEM    private key that signs the ID key\n"
		"  --policy N          guest policy (default 0x30000)\n"
		"  --family-id HEX     16 bytes of the owner's choice\n"
		"  --image-id HEX      16 bytes of the owner's choice\n"
		"  --guest-svn N       version of the guest\n"
		"  --id-block FILE     the ID block: 96 bytes, a new file\n"
		"  --id-auth FILE      the ID authentication: 4096 bytes, a new file\n"
		"  --base64            write both in base64, as QEMU wants them\n"
		"\n"
		"id-check reads the two files, and compares digest and policy if given.\n"
		"\n"
		SNP_GUEST_HELP
		"\n"
		"  --json              print a JSON object\n",
	.help_more = snp_verify_help,
};
