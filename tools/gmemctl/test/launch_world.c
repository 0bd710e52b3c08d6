// SPDX-License-Identifier: GPL-2.0
#include <openssl/evp.h>

#include "../snp/abi.h"
#include "gmem_mock.h"
#include "launch_world.h"
#include "test_key.h"
#include "ksft.h"

struct launch_world world;

static void lint(void *context, const char *message)
{
	world.lints++;
	printf("# dangerous on a real host: %s\n", message);
}

static void step(void *data, const char *step, const char *text)
{
	size_t used = strlen(world.said);

	snprintf(world.said + used, sizeof(world.said) - used, "%s: %s\n", step, text);
}

void launch_world_init(enum sim_profile profile)
{
	memset(&world, 0, sizeof(world));
	world.host = (struct sim_config){
		.profile = profile, .asids = 1, .lint = lint,
	};
	world.config = (struct snp_launch_config){
		.image = {
			.firmware = &world.firmware,
			.vmm = SNP_VMM_GMEMCTL,
			.nr_vcpus = 2,
			.features = SNP_FEATURE_ACTIVE,
		},
		.policy = SNP_POLICY_DEFAULT,
		.step = step,
	};
	world.vm.fd = -1;
	world.vm.kvm_fd = -1;
	world.launch.sev_fd = -1;
	world.made = malloc(BUILD_SIZE);
	build_firmware(world.made, BUILD_SIZE, build_sections, BUILD_SECTIONS, 0);
	launch_world_firmware(world.made, BUILD_SIZE);
}

void launch_world_firmware(const void *data, size_t size)
{
	EXPECT_FALSE(snp_firmware_parse(&world.firmware, "OVMF.fd", data, size, SNP_4G,
					&world.error));
}

void launch_world_vm(void)
{
	if (!world.real) {
		world.sim = sim_create(&world.host);
		sim_use(world.sim);
	}
	if (world.kind == BACKING_GMEM_STORE && !world.real)
		gmem_mock_start(world.sim);
	EXPECT_FALSE(vm_create_snp(&world.vm, &world.error));
	gmem_mock.vm = world.vm.fd;
}

/* Its memory and vCPUs, after SEV_INIT2 */
static void launch_world_build(void)
{
	struct error *error = &world.error;

	world.ranges[0] = (struct range){ 0, LAUNCH_RAM };
	world.ranges[1] = (struct range){ SNP_4G - world.firmware.size, SNP_4G };
	world.request = (struct memory_request){
		.ranges = world.ranges, .nr_ranges = 2, .kind = world.kind,
		.existing_fd = world.existing_fd ? world.existing_fd : -1,
		.node = -1,
	};
	world.memory_config = (struct memory_config){
		.requests = &world.request, .nr_requests = 1,
		.guest_memfd = world.kind == BACKING_SHARED,
		.initial_private = !world.starts_shared,
		.encrypted = !world.preserve,
	};
	EXPECT_FALSE(guest_memory_create(&world.memory, &world.memory_config, &world.vm, error));
	EXPECT_FALSE(guest_memory_attach(&world.memory, error));
	for (unsigned int i = 0; i < world.config.image.nr_vcpus; i++, world.nr_vcpus++)
		EXPECT_FALSE(vcpu_create(&world.vcpus[i], &world.vm, i, error));
}

int launch_world_run(enum snp_launch_state last)
{
	struct snp_launch *launch = &world.launch;
	struct error *error = &world.error;
	int rc = 0;

	if (world.vm.fd < 0)
		launch_world_vm();
	while (!rc && launch->state < last) {
		switch (launch->state) {
		case SNP_LAUNCH_CLOSED:
			rc = snp_launch_open(launch, &world.config, &world.vm, error);
			break;
		case SNP_LAUNCH_READY:
			rc = snp_launch_init(launch, error);
			if (!rc)
				launch_world_build();
			break;
		case SNP_LAUNCH_INITED:
			rc = snp_launch_start(launch, error);
			break;
		case SNP_LAUNCH_STARTED:
			rc = snp_launch_populate(launch, &world.memory, &world.vcpus[0], error);
			break;
		default:
			rc = snp_launch_finish(launch, world.vcpus, error);
		}
	}
	return rc;
}

void launch_world_sign(struct launch_signature *signature, bool author)
{
	EVP_PKEY *key = test_key(TEST_ID_KEY);
	EVP_PKEY *author_key = author ? test_key(TEST_AUTHOR_KEY) : NULL;
	struct snp_id_block *block = &signature->block;

	memset(signature, 0, sizeof(*signature));
	if (world.vm.fd < 0)
		launch_world_vm();
	EXPECT_FALSE(launch_world_run(SNP_LAUNCH_READY));
	memcpy(block->digest, world.launch.predicted.digest, SNP_DIGEST_SIZE);
	snp_launch_close(&world.launch);
	block->version = 1;
	block->policy = world.config.policy;
	EXPECT_FALSE(snp_id_auth_create(&signature->auth, block, key, author_key, &world.error));
	memset(signature->host_data, 0x5a, sizeof(signature->host_data));
	world.config.id_block = block;
	world.config.id_auth = &signature->auth;
	world.config.host_data = signature->host_data;
	EVP_PKEY_free(author_key);
	EVP_PKEY_free(key);
}

bool launch_world_said(const char *first, const char *second)
{
	char lines[LAUNCH_TEXT], *line, *next;

	strcpy(lines, world.said);
	for (line = strtok_r(lines, "\n", &next); line; line = strtok_r(NULL, "\n", &next))
		if (strstr(line, first) && strstr(line, second))
			return true;
	return false;
}

bool launch_world_digest(void)
{
	const uint8_t *digest = sim_vm_digest(world.sim, world.vm.fd);

	return digest && !memcmp(digest, world.launch.predicted.digest, SNP_DIGEST_SIZE);
}

void launch_world_free(void)
{
	while (world.nr_vcpus)
		vcpu_destroy(&world.vcpus[--world.nr_vcpus]);
	if (world.memory.config)
		guest_memory_destroy(&world.memory);
	snp_launch_close(&world.launch);
	vm_destroy(&world.vm);
	EXPECT_FALSE(world.lints);
	EXPECT_TRUE(!world.sim || !sim_open_files(world.sim));
	if (world.kind == BACKING_GMEM_STORE && !world.real)
		gmem_mock_stop();
	sim_use(NULL);
	sim_destroy(world.sim);
	free(world.made);
}
