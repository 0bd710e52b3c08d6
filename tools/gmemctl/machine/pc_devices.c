// SPDX-License-Identifier: GPL-2.0
/* Which devices a PC has, and where. */
#include "../devices/exit_port.h"
#include "../devices/off_port.h"
#include "../devices/port_a.h"
#include "../devices/pvpanic.h"
#include "../kvm/irqchip.h"
#include "pc.h"

static void pc_irq(void *data, unsigned int irq, bool level)
{
	struct machine *machine = data;
	int rc = irqchip_set_line(&machine->vm, irq, level);

	if (rc)
		machine_end(machine, END_FAILED, "interrupt line %u: error %d",
			    irq, -rc);
}

static void pc_event(void *data, enum board_event event, uint32_t value)
{
	struct machine *machine = data;

	switch (event) {
	case BOARD_RESET:
		machine_end(machine, END_RESET, NULL);
		break;
	case BOARD_POWER_OFF:
		machine_end(machine, END_POWER_OFF, NULL);
		break;
	case BOARD_PANIC:
		machine_end(machine, END_PANIC, NULL);
		break;
	case BOARD_EXIT:
		machine_end_test(machine, value);
		break;
	}
}

static int pc_devices_add(struct pc *pc, struct error *error)
{
	const struct bus_device devices[] = {
		uart_device(&pc->uart),
		i8042_data_device(&pc->i8042),
		i8042_command_device(&pc->i8042),
		rtc_device(&pc->rtc),
		pci_device(&pc->pci),
		power_device(&pc->power),
		pvpanic_device(&pc->board),
		exit_port_device(&pc->board),
		port_a_device(&pc->board),
	};
	const struct bus_device off = off_port_device(&pc->board,
						      pc->config->off_port);
	int rc = 0;

	for (size_t i = 0; !rc && i < sizeof(devices) / sizeof(devices[0]); i++)
		rc = bus_add(&pc->machine.ports, &devices[i], error);
	if (!rc && pc->config->off_port)
		rc = bus_add(&pc->machine.ports, &off, error);
	return rc;
}

int pc_devices(struct pc *pc, struct error *error)
{
	struct uart_wire wire = console_wire(&pc->console);

	pc->board = (struct board){
		.irq = pc_irq,
		.event = pc_event,
		.data = &pc->machine,
	};
	uart_init(&pc->uart, &pc->board, &wire);
	i8042_init(&pc->i8042, &pc->board);
	rtc_init(&pc->rtc, NULL);
	pci_init(&pc->pci, &pc->board);
	power_init(&pc->power, &pc->board, NULL);
	return pc_devices_add(pc, error);
}

void pc_devices_destroy(struct pc *pc)
{
	uart_destroy(&pc->uart);
	i8042_destroy(&pc->i8042);
	rtc_destroy(&pc->rtc);
	pci_destroy(&pc->pci);
	power_destroy(&pc->power);
}
