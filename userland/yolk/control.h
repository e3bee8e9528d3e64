/* The control channel: lines of text, docs/DESIGN.md; and what is kept of the kernel's log and
 * QEMU's errors. */
#pragma once

#include "relay.h"

short control_wants(const struct relay *relay); /* for poll */
void control_ready(struct relay *relay, short events);
void control_send(struct relay *relay, const char *line);
void control_send_size(struct relay *relay);
void control_keep_log(struct relay *relay, const char *bytes, size_t size);
void control_print_log(struct relay *relay);
void control_read_errors(struct relay *relay);
