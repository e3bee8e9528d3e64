/* Between virtio_console.c (the device and its control queue) and port.c (the bytes). */
#pragma once

#include <core/lock.h>
#include <core/work.h>
#include <dev/console.h>
#include <dev/virtio.h>

#define PORT_NAME_SIZE  64
#define PORT_RX_BUFFERS 4 /* a page each */
#define PORT_TX_BUFFERS 8

struct console;

struct port {
    struct list node; /* in the console's list; only ever added */
    struct console *console;
    uint32_t id;
    char name[PORT_NAME_SIZE]; /* "" until the host tells; written once */
    bool is_console;
    bool host_is_open;      /* atomic */
    bool was_opened;        /* atomic: since port_take_opened */
    struct port_user *user; /* NULL: not open; set once */
    struct work pump_work;

    struct spinlock lock; /* RANK_DRIVER, interrupts off - guards the rest: */
    struct virtq rx, tx;
    uint8_t *rx_bytes; /* the buffer that is being read; NULL: none */
    uint32_t rx_len, rx_at;
    bool is_pumping, pump_again;
    uint8_t *tx_free[PORT_TX_BUFFERS]; /* pages that the host does not have */
    unsigned nr_tx_free, nr_tx;        /* nr_tx: pages there are; made when first needed */
    bool writer_waits;
};

/* port.c */
void port_init(struct port *p, struct console *c, uint32_t id);
void port_host_changed(struct port *p, bool is_open);
void port_host_resized(struct port *p, unsigned rows, unsigned columns);

/* virtio_console.c */
must_check int console_start_queues(struct port *p, void (*rx)(struct virtq *q),
                                    void (*tx)(struct virtq *q));
/* Tell the host that this side of the port is open. */
void console_send_open(struct port *p);
/* Every port of every console. */
void console_visit(void (*visit)(void *arg, struct port *p), void *arg);
