// SPDX-License-Identifier: GPL-2.0
#include <errno.h>

#include "../kvm/state.h"
#include "pc_pci.h"
#include "pc_state.h"

static int add_balloon(struct pc *pc, struct error *error)
{
	struct machine *machine = &pc->machine;
	int rc = given_init(&machine->given, &machine->memory, error);

	if (rc)
		return rc;
	balloon_init(&pc->balloon, &pc->board, &machine->memory, &machine->given,
		     pc->config->page_reporting);
	pci_add(&pc->pci, PCI_SLOT_BALLOON, &pc->balloon.virtio.function);
	return 0;
}

int pc_pci_init(struct pc *pc, struct error *error)
{
	pci_init(&pc->pci, &pc->board);
	if (pc->config->pvmemcontrol) {
		pvmemcontrol_init(&pc->pvmemcontrol, &pc->board,
				  &pc->machine.advice, pc->config->pvmemcontrol);
		pci_add(&pc->pci, PCI_SLOT_PVMEMCONTROL,
			&pc->pvmemcontrol.function);
	}
	return pc->config->balloon ? add_balloon(pc, error) : 0;
}

void pc_pci_destroy(struct pc *pc)
{
	if (pc->pci.functions[PCI_SLOT_BALLOON])
		balloon_destroy(&pc->balloon);
	if (pc->pci.functions[PCI_SLOT_PVMEMCONTROL])
		pvmemcontrol_destroy(&pc->pvmemcontrol);
	pci_destroy(&pc->pci);
}

void pc_pci_get(struct pc *pc, struct tlv *records)
{
	for (unsigned int i = PCI_SLOT_BRIDGE; i < PCI_SLOTS; i++)
		if (pc->pci.functions[i])
			pci_function_get(pc->pci.functions[i], records,
					 STATE_FUNCTION, (enum pci_slot)i);
	if (pc->config->pvmemcontrol) {
		pvmemcontrol_get(&pc->pvmemcontrol, records, STATE_PVMEMCONTROL);
		advice_get(&pc->machine.advice, records, STATE_ADVICE);
	}
	if (!pc->config->balloon)
		return;
	balloon_get(&pc->balloon, records, STATE_BALLOON);
	given_get(&pc->machine.given, records, STATE_GIVEN);
}

int pc_pci_set(struct pc *pc, const struct tlv *records)
{
	int rc = 0;

	for (unsigned int i = PCI_SLOT_BRIDGE; !rc && i < PCI_SLOTS; i++)
		if (pc->pci.functions[i])
			rc = pci_function_set(pc->pci.functions[i], records,
					      STATE_FUNCTION, (enum pci_slot)i);
	if (!rc && pc->config->pvmemcontrol)
		rc = pvmemcontrol_set(&pc->pvmemcontrol, records,
				      STATE_PVMEMCONTROL);
	if (!rc && pc->config->balloon)
		rc = balloon_set(&pc->balloon, records, STATE_BALLOON);
	return rc;
}

void pc_pci_config(const struct tlv *records, struct pc_config *config)
{
	size_t size;

	/* Which codes the guest may use comes along with its state. */
	if (tlv_find(records, STATE_PVMEMCONTROL, 0, &size))
		config->pvmemcontrol = PVMEMCONTROL_CODES_ALL;
	config->balloon = tlv_find(records, STATE_BALLOON, 0, &size);
}

int pc_pci_set_memory(struct pc *pc, const struct tlv *records,
		      struct error *error)
{
	int rc = 0;

	if (pc->config->balloon)
		rc = given_set(&pc->machine.given, records, STATE_GIVEN);
	if (rc)
		return error_set(error, rc, "balloon", "find its pages", NULL);
	if (pc->config->pvmemcontrol)
		rc = advice_set(&pc->machine.advice, records, STATE_ADVICE);
	if (!rc)
		return 0;
	return error_set(error, rc, "guest memory", "protect, lock and name it as the "
			 "guest has asked for",
			 rc == -ENOMEM ? "%s" : NULL,
			 "is RLIMIT_MEMLOCK high enough for what it has locked?");
}
