/* The order of everything: from the first C instruction to the program's first.
 *
 * If you read one file, read this.  up_main runs on the boot CPU's own stack with interrupts off and ends as that
 * CPU's idle thread; what may sleep happens in boot_thread. */
#include <arch/upcalls.h>
#include <arch/arch.h>
#include <base/errno.h>
#include <base/string.h>
#include <core/console.h>
#include <core/heap.h>
#include <core/page.h>
#include <core/random.h>
#include <core/sched.h>
#include <image/boot.h>
#include <image/cmdline.h>

static struct cmdline boot_line;
static struct bootinfo boot_info;

static void serial_sink_write(enum log_level level, const char *s, size_t n)
{
    (void)level;
    for (size_t i = 0; i < n; i++) {
        if (s[i] == '\n')
            arch_serial_write("\r", 1);
        arch_serial_write(s + i, 1);
    }
}

static struct log_sink serial_sink = {.write = serial_sink_write};

/* The loader's copy may lie in memory that is about to be given away, and parsing cuts it up. */
static void parse_boot_line(void)
{
    size_t size = strlen(boot_info.cmdline) + 1;
    char *copy = heap_alloc(size);

    if (!copy)
        panic("no memory for the command line");
    memcpy(copy, boot_info.cmdline, size);
    if (cmdline_parse(copy, &boot_line) < 0)
        panic("too many words on the command line (at most %d)", CMDLINE_MAX_WORDS);
    log_set_level((enum log_level)MIN(boot_line.loglevel, (unsigned)LOG_DEBUG));
    arch_log_machine();
    log_info("%s, command line: %s", boot_info.loader, boot_info.cmdline);
    for (unsigned i = 0; i < boot_line.nr_unknown; i++)
        log_info("unknown boot parameter \"%s\"", boot_line.unknown[i]);
}

/* Everything that may sleep: devices, files, the program. */
static void boot_thread(void *unused)
{
    (void)unused;
    arch_start_cpus(boot_line.maxcpus);
    boot_devices(&boot_line);
    boot_trace_port();
    boot_files(&boot_info, &boot_line);
    boot_volumes(&boot_line);
    boot_network(&boot_line);
    boot_program(&boot_line);
    thread_exit(NULL);
}

void up_main(const struct bootinfo *info)
{
    boot_info = *info;
    log_add_sink(&serial_sink);
    page_init(&boot_info);
    heap_init();
    core_cpu_init();
    parse_boot_line();
    boot_trace(&boot_line);
    random_init();
    sched_start(boot_thread);
}
