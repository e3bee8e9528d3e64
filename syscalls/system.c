/* The machine as a program sees it: its name, its size, its log, its entropy, its off switch. */
#include <abi.h>
#include <base/string.h>
#include <core/load.h>
#include <core/console.h>
#include <core/heap.h>
#include <core/page.h>
#include <core/random.h>
#include <core/timer.h>
#include <core/usercopy.h>
#include <linux/personality.h>
#include <linux/random.h>
#include <linux/reboot.h>
#include <linux/sysinfo.h>
#include <linux/utsname.h>
#include <proc/cred.h>
#include <proc/process.h>
#include <proc/system.h>
#include <syscalls/bodies.h>

/* --- names ------------------------------------------------------------------------------------ */

#define MACHINE_32 "i686"

/* personality(2): what setarch(8) asks for, in either ABI. */
static bool says_i386(void)
{
    return (current_task()->personality & PER_MASK) == PER_LINUX32;
}

static void get_names(struct new_utsname *u)
{
    *u = (struct new_utsname){.sysname = SYSTEM_NAME,
                              .release = SYSTEM_RELEASE,
                              .version = SYSTEM_VERSION,
                              .machine = "x86_64"};
    _Static_assert(sizeof(u->nodename) == SYSTEM_NAME_MAX + 1, "Linux's length");
    if (says_i386())
        strlcpy(u->machine, MACHINE_32, sizeof(u->machine));
    system_get_hostname(u->nodename);
    system_get_domainname(u->domainname);
}

long sys_uname(struct uptr buf)
{
    struct new_utsname u;
    get_names(&u);
    return user_put(buf, &u);
}

/* The same in fields of 65 bytes, without the domain, and in fields of 9. */
long sys_olduname_32(struct uptr name)
{
    struct new_utsname u;
    size_t size = offsetof(struct new_utsname, domainname);
    get_names(&u);
    return user_write(name, &u, size);
}

long sys_oldolduname_32(struct uptr name)
{
    struct new_utsname u;
    union i386_old_utsname old = {.bytes = {0}};
    get_names(&u);
    memcpy(old.sysname, u.sysname, sizeof(old.sysname) - 1);
    memcpy(old.nodename, u.nodename, sizeof(old.nodename) - 1);
    memcpy(old.release, u.release, sizeof(old.release) - 1);
    memcpy(old.version, u.version, sizeof(old.version) - 1);
    memcpy(old.machine, u.machine, sizeof(old.machine) - 1);
    return user_put(name, &old);
}

static long set_name(struct uptr p, int len, void (*set)(const char *name))
{
    char name[SYSTEM_NAME_MAX + 1] = "";
    if (!cred_has_cap(current_cred(), CAP_SYS_ADMIN))
        return -EPERM;
    if (len < 0 || len > SYSTEM_NAME_MAX)
        return -EINVAL;
    if (user_read(name, p, (size_t)len))
        return -EFAULT;
    set(name);
    return 0;
}

long sys_sethostname(struct uptr name, int len)
{
    return set_name(name, len, system_set_hostname);
}

long sys_setdomainname(struct uptr name, int len)
{
    return set_name(name, len, system_set_domainname);
}

long sys_personality(unsigned persona)
{
    struct task *t = current_task();
    unsigned old = (unsigned)t->personality;
    if (persona != 0xffffffff) /* that only asks */
        t->personality = persona;
    return old;
}

/* --- sizes ------------------------------------------------------------------------------------ */

static void count_threads(void *arg, struct thread *t)
{
    unsigned *n = arg;
    *n += t->is_user;
}

/* Sizes that need more than 32 bits are told in larger units, by doubling (pages at the least). */
static int put_sysinfo_32(struct uptr p, const struct sysinfo *s)
{
    union i386_sysinfo small = {.bytes = {0}};
    unsigned shift = 0;
    if ((s->totalram | s->totalswap) >> 32)
        while (s->mem_unit << shift < PAGE_SIZE)
            shift++;
    small.uptime = (int32_t)s->uptime;
    small.load0 = (uint32_t)s->loads[0];
    small.load1 = (uint32_t)s->loads[1];
    small.load2 = (uint32_t)s->loads[2];
    small.totalram = (uint32_t)(s->totalram >> shift);
    small.freeram = (uint32_t)(s->freeram >> shift);
    small.sharedram = (uint32_t)(s->sharedram >> shift);
    small.bufferram = (uint32_t)(s->bufferram >> shift);
    small.totalswap = (uint32_t)(s->totalswap >> shift);
    small.freeswap = (uint32_t)(s->freeswap >> shift);
    small.procs = s->procs;
    small.totalhigh = (uint32_t)(s->totalhigh >> shift);
    small.freehigh = (uint32_t)(s->freehigh >> shift);
    small.mem_unit = s->mem_unit << shift;
    return user_put(p, &small);
}

long sys_sysinfo(struct uptr info)
{
    unsigned threads = 0;
    sched_visit(count_threads, &threads);
    struct sysinfo s = {
        .uptime = (long)((clock_mono_ns() + 999999999) / 1000000000),
        .totalram = page_count_total() * PAGE_SIZE,
        .freeram = page_count_free() * PAGE_SIZE,
        .procs = (uint16_t)threads,
        .mem_unit = 1,
    };
    load_averages(s.loads);
    for (unsigned i = 0; i < 3; i++)
        s.loads[i] <<= SI_LOAD_SHIFT - LOAD_SHIFT;
    return caller_is_i386() ? put_sysinfo_32(info, &s) : user_put(info, &s);
}

/* --- entropy ---------------------------------------------------------------------------------- */

/* Fill the user's buffer; a signal ends a long request after whole pages. */
static long put_random(struct uptr buf, size_t len)
{
    uint8_t chunk[256];
    size_t done = 0;
    int err = 0;
    while (done < len && !err) {
        size_t n = MIN(len - done, sizeof(chunk));
        random_bytes(chunk, n);
        err = user_write(uptr_add(buf, done), chunk, n);
        if (!err)
            done += n;
        if (done % PAGE_SIZE == 0 && (sched_checkpoint() || thread_interrupted()))
            break;
    }
    memset(chunk, 0, sizeof(chunk));
    return done ? (long)done : err;
}

long sys_getrandom(struct uptr buf, size_t buflen, unsigned flags)
{
    if (flags & ~(unsigned)(GRND_NONBLOCK | GRND_RANDOM | GRND_INSECURE))
        return -EINVAL;
    if ((flags & (GRND_INSECURE | GRND_RANDOM)) == (GRND_INSECURE | GRND_RANDOM))
        return -EINVAL;
    if (!(flags & GRND_INSECURE) && !random_is_seeded()) {
        if (flags & GRND_NONBLOCK)
            return -EAGAIN;
        if (random_wait_seeded(true))
            return -ERESTARTSYS;
    }
    return put_random(buf, MIN(buflen, (size_t)INT32_MAX));
}

/* --- the log ---------------------------------------------------------------------------------- */

enum { /* syslog(2)'s actions */
       LOG_CLOSE,
       LOG_OPEN,
       LOG_READ,
       LOG_READ_ALL,
       LOG_READ_CLEAR,
       LOG_CLEAR,
       LOG_CONSOLE_OFF,
       LOG_CONSOLE_ON,
       LOG_CONSOLE_LEVEL,
       LOG_SIZE_UNREAD,
       LOG_SIZE_BUFFER,
       LOG_BYTES = 16 * 1024,
};

static long read_log(struct uptr bufp, int len)
{
    if (uptr_is_null(bufp) || len < 0)
        return -EINVAL;
    size_t size = MIN((size_t)len, (size_t)LOG_BYTES);
    char *buf = heap_alloc(size + 1);
    if (!buf)
        return -ENOMEM;
    size_t n = log_read(buf, size);
    int err = user_write(bufp, buf, n);
    heap_free(buf);
    return err ? err : (long)n;
}

/* The log is kept whole: nothing consumes or clears it. */
long sys_syslog(int type, struct uptr bufp, int len)
{
    if (type != LOG_READ_ALL && type != LOG_SIZE_BUFFER &&
        !cred_has_cap(current_cred(), CAP_SYSLOG))
        return -EPERM;
    switch (type) {
    case LOG_CLOSE:
    case LOG_OPEN:
        return 0;
    case LOG_READ_ALL:
        return read_log(bufp, len);
    case LOG_CONSOLE_LEVEL:
        if (len < 1 || len > 8)
            return -EINVAL;
        log_set_level(MIN((enum log_level)(len / 2), LOG_DEBUG)); /* eight levels onto five */
        return 0;
    case LOG_SIZE_BUFFER:
        return LOG_BYTES;
    default:
        return -EINVAL;
    }
}

/* --- the end ---------------------------------------------------------------------------------- */

static bool is_second_magic(unsigned magic)
{
    return magic == LINUX_REBOOT_MAGIC2 || magic == LINUX_REBOOT_MAGIC2A ||
           magic == LINUX_REBOOT_MAGIC2B || magic == LINUX_REBOOT_MAGIC2C;
}

long sys_reboot(unsigned magic, unsigned magic2, unsigned cmd, struct uptr arg)
{
    if (!cred_has_cap(current_cred(), CAP_SYS_BOOT))
        return -EPERM;
    if (magic != LINUX_REBOOT_MAGIC1 || !is_second_magic(magic2))
        return -EINVAL;
    switch (cmd) {
    case LINUX_REBOOT_CMD_RESTART:
    case LINUX_REBOOT_CMD_RESTART2:
        system_end(true);
    case LINUX_REBOOT_CMD_HALT:
    case LINUX_REBOOT_CMD_POWER_OFF:
        system_end(false);
    case LINUX_REBOOT_CMD_CAD_ON:
    case LINUX_REBOOT_CMD_CAD_OFF: /* there is no Ctrl-Alt-Del to divert */
        return 0;
    default:
        return -EINVAL;
    }
}
