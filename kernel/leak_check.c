/* yolk.leakcheck: when process 1 is gone, is all its memory back?
 *
 * The last thread of the process cannot tell, as it stands on some of that memory itself; and the worker buries threads
 * a little later.  So a thread of its own waits until the counters are where they were, for a few seconds at most.
 * Files that the program has left count as lost: a program that is checked cleans up.  Connections that it has closed
 * do not, although TCP keeps them for a minute. */
#include <arch/arch.h>
#include <core/heap.h>
#include <core/thread.h>
#include <core/timer.h>
#include <core/wait.h>
#include <image/boot.h>
#include <net/net.h>

#define PATIENCE_NS 5000000000UL
#define LOOK_NS     20000000UL
/* What may stay: the spare objects that each CPU keeps, names in caches, pages of the program's own file; tables of the
 * kernel's half, and what maps memory that was touched for the first time.  What is lost at each call of a kind, and
 * not once, is far more in a test that deserves the name. */
static const struct heap_slack slack = {.objects = 24, .block_bytes = 64 * 1024, .pages = 64};

static struct heap_counts before;
static bool is_on;
static unsigned program_status;

void leak_check_begin(void)
{
    is_on = true;
    heap_count(&before);
}

static void pause_a_moment(void)
{
    wait_prepare(WAIT_UNINTERRUPTIBLE);
    int late = wait_sleep(arch_clock_ns() + LOOK_NS);
    (void)late;
}

static void compare(void *unused)
{
    uint64_t give_up = arch_clock_ns() + PATIENCE_NS;

    net_forget_ended();
    while (heap_grown(&before, slack, false) && arch_clock_ns() < give_up) {
        pause_a_moment();
        net_forget_ended(); /* packets go on coming, and their answers may find no room */
    }
    unsigned nr = heap_grown(&before, slack, true);
    if (nr > 0)
        control_end(
            125, "%u kinds of kernel memory did not come back (the program ended with status %u)",
            nr, program_status);
    control_end(program_status, NULL);
}

bool leak_check_end(unsigned status)
{
    if (!is_on)
        return false;
    program_status = status;
    if (!thread_spawn("leakcheck", compare, NULL))
        control_end(125, "no memory to look for leaks");
    return true;
}
