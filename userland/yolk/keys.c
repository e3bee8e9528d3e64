/* The keys of a raw terminal that are ours. */
#include <signal.h>

#include "keys.h"

#define ESCAPE ('A' - '@')

static void help(void)
{
    say("Ctrl-A X      stop the machine");
    say("Ctrl-A Ctrl-A send a Ctrl-A (also Ctrl-A A)");
    say("Ctrl-A ?      this help; everything else, Ctrl-C and Ctrl-D too, is the program's");
}

size_t keys_filter(struct relay *relay, char *bytes, size_t size)
{
    size_t kept = 0;

    for (size_t i = 0; i < size; i++) {
        char c = bytes[i];
        if (!relay->saw_escape) {
            if (c == ESCAPE)
                relay->saw_escape = true;
            else
                bytes[kept++] = c;
            continue;
        }
        relay->saw_escape = false;
        switch (c) {
        case 'x':
        case 'X':
            relay_stop(relay, STATUS_INTERRUPTED, "interrupted");
            break;
        case 'a':
        case 'A':
        case ESCAPE:
            bytes[kept++] = ESCAPE;
            break;
        case '?':
        case 'h':
            help();
            break;
        }
    }
    return kept;
}
