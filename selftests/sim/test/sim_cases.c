// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sim_cases.h"
#include "ksft.h"

int sim_agree(const int *results, unsigned int count)
{
	for (unsigned int i = 1; i < count; i++)
		EXPECT_EQ(results[i], results[0]);
	return results[0];
}

const struct sim_case *sim_case_get(unsigned int index)
{
	const struct {
		const struct sim_case *cases;
		unsigned int count;
	} tables[] = {
		{ sim_cases_host, sim_cases_host_count },
		{ sim_cases_launch, sim_cases_launch_count },
		{ sim_cases_update, sim_cases_update_count },
		{ sim_cases_memory, sim_cases_memory_count },
	};

	for (unsigned int i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
		if (index < tables[i].count)
			return &tables[i].cases[index];
		index -= tables[i].count;
	}
	return NULL;
}

void sim_case_run(const struct sim_case *sim_case, struct world *world)
{
	const struct sim_result *expect =
		&sim_case->expect[world->host.profile];
	int rc = sim_case->run(world);
	bool as_expected = rc == expect->rc &&
			   (expect->error == ANY ||
			    expect->error == world->cmd.error);

	if (!as_expected)
		printf("# case %s: %d, firmware error 0x%x; expected %d, 0x%x\n",
		       sim_case->id, rc, world->cmd.error, expect->rc,
		       expect->error);
	EXPECT_TRUE(as_expected);
}

void sim_cases_run(enum sim_profile profile)
{
	unsigned int total = 0;

	for (; sim_case_get(total); total++) {
		struct world world;

		world_init(&world, profile);
		sim_case_run(sim_case_get(total), &world);
		world_free(&world);
		ksft_part("%s", sim_case_get(total)->id);
	}
	EXPECT_EQ(total, SIM_CASES);
}

static void run_system(const struct sim_case *sim_case,
		       const struct sim_system *system)
{
	struct world world;

	world_init(&world, system->profile);
	world.system = system->prepare;
	world.type = system->type;
	world.host.no_snp = system->has > SIM_NEEDS_SNP;
	sim_case_run(sim_case, &world);
	world_free(&world);
}

/* A process for each: it begins without files, and with another simulator. */
unsigned int sim_cases_run_system(const struct sim_system *system)
{
	const struct sim_case *sim_case;
	unsigned int run = 0;

	for (unsigned int i = 0; (sim_case = sim_case_get(i)); i++) {
		int status = -1;
		pid_t pid;

		if (sim_case->needs < system->has)
			continue;
		fflush(NULL);
		pid = fork();
		if (!pid) {
			run_system(sim_case, system);
			fflush(NULL);
			_exit(EXIT_SUCCESS);
		}
		EXPECT_GT(pid, 0);
		EXPECT_EQ(waitpid(pid, &status, 0), pid);
		EXPECT_FALSE(status);
		ksft_part("%s", sim_case->id);
		run++;
	}
	fflush(stdout);
	return run;
}
