/* System V IPC.  i386's older structures are shown as if they were of IPC_64, as strace does. */
#include <asm/msgbuf.h>
#include <asm/sembuf.h>
#include <asm/shmbuf.h>
#include <i386/layout.h>

#include "decode.h"

enum { RMID, SET, STAT, INFO };
enum { SEM_STAT_K = 18, SEM_INFO_K, SEM_STAT_ANY_K };
enum { SHM_STAT_K = 13, SHM_INFO_K, SHM_STAT_ANY_K };
enum { MSG_STAT_K = 11, MSG_INFO_K, MSG_STAT_ANY_K };
#define IPC_64_K 0x100

void trace_show_ipc_key(struct trace *t, unsigned i)
{
    if (t->arg[i])
        trace_put_x(t, (uint32_t)t->arg[i]);
    else
        trace_put(t, "IPC_PRIVATE");
}

void trace_show_ipc_get_flags(struct trace *t, unsigned i)
{
    uint32_t v = (uint32_t)t->arg[i];

    if (v & ~0777U) {
        trace_put_flags(t, trace_arg_table(t, i), v & ~0777U);
        trace_put_char(t, '|');
    }
    trace_put_mode(t, v & 0777);
}

void trace_show_ipc_command(struct trace *t, unsigned i)
{
    uint32_t v = (uint32_t)t->arg[i];

    if (v & IPC_64_K)
        trace_put(t, "IPC_64|");
    trace_put_enum(t, trace_arg_table(t, i), v & ~(uint32_t)IPC_64_K);
}

/* Of the argument before: is it one that the call answers in memory? */
bool trace_ipc_is_late(const struct trace *t, unsigned i)
{
    uint32_t cmd = (uint32_t)t->arg[i - 1] & ~(uint32_t)IPC_64_K;

    switch (t->sc->kind[i]) {
    case KIND_SEMARG:
        return cmd == STAT || cmd == INFO || (cmd >= SEM_STAT_K && cmd <= SEM_STAT_ANY_K);
    case KIND_SHMBUF:
        return cmd == STAT || cmd == INFO || (cmd >= SHM_STAT_K && cmd <= SHM_STAT_ANY_K);
    default:
        return cmd == STAT || cmd == INFO || (cmd >= MSG_STAT_K && cmd <= MSG_STAT_ANY_K);
    }
}

/* --- permissions ------------------------------------------------------------------------------------------------ */

static void put_perm(struct trace *t, const char *name, const struct ipc64_perm *p, bool is_set)
{
    trace_field(t, name);
    trace_put_char(t, '{');
    trace_field_u(t, "uid", p->uid);
    trace_field_u(t, "gid", p->gid);
    trace_field(t, "mode");
    trace_put_mode(t, p->mode);
    if (!is_set) {
        trace_field_u(t, "key", (uint32_t)p->key);
        trace_field_u(t, "cuid", p->cuid);
        trace_field_u(t, "cgid", p->cgid);
    }
    trace_put_char(t, '}');
}

static void perm_of(struct ipc64_perm *p, const uint8_t *bytes)
{
    union i386_ipc64_perm s;

    __builtin_memcpy(&s, bytes, sizeof(s));
    *p = (struct ipc64_perm){.key = s.key,
                             .uid = s.uid,
                             .gid = s.gid,
                             .cuid = s.cuid,
                             .cgid = s.cgid,
                             .mode = (__kernel_mode_t)s.mode};
}

/* --- semaphores ----------------------------------------------------------------------------------------------------- */

static void put_sembuf(struct trace *t, uint64_t addr)
{
    struct {
        uint16_t num;
        int16_t op, flg;
    } b;

    if (!trace_fetch_quietly(t, addr, &b, sizeof(b)))
        return;
    trace_put_char(t, '{');
    trace_field_u(t, "sem_num", b.num);
    trace_field_d(t, "sem_op", b.op);
    trace_field_flags(t, "sem_flg", &trace_flags_semop, (uint16_t)b.flg);
    trace_put_char(t, '}');
}

void trace_show_sembufs(struct trace *t, unsigned i)
{
    trace_put_array(t, t->arg[i], (uint32_t)t->arg[i + 1], 6, put_sembuf);
}

static bool fetch_semid(struct trace *t, uint64_t addr, struct semid64_ds *ds)
{
    union i386_semid64 s;

    if (t->abi != ABI_I386)
        return trace_fetch(t, addr, ds, sizeof(*ds));
    if (!trace_fetch(t, addr, &s, sizeof(s)))
        return false;
    perm_of(&ds->sem_perm, s.perm);
    ds->sem_otime = s.otime;
    ds->sem_ctime = s.ctime;
    ds->sem_nsems = s.nsems;
    return true;
}

static void put_semid(struct trace *t, uint64_t addr, bool is_set)
{
    struct semid64_ds ds;

    if (!fetch_semid(t, addr, &ds))
        return;
    trace_put_char(t, '{');
    put_perm(t, "sem_perm", &ds.sem_perm, is_set);
    if (!is_set) {
        trace_field_u(t, "sem_otime", (uint64_t)ds.sem_otime);
        trace_field_u(t, "sem_ctime", (uint64_t)ds.sem_ctime);
        trace_field_u(t, "sem_nsems", ds.sem_nsems);
    }
    trace_put_char(t, '}');
}

/* Words one behind the other, of 32 bits or longs. */
static void put_words(struct trace *t, uint64_t addr, const char *const *names, unsigned nr,
                      size_t size)
{
    uint64_t v[10] = {0};
    uint8_t bytes[80];

    if (!trace_fetch(t, addr, bytes, nr * size))
        return;
    trace_put_char(t, '{');
    for (unsigned n = 0; n < nr; n++) {
        __builtin_memcpy(&v[n], bytes + n * size, size);
        trace_field_u(t, names[n], v[n]);
    }
    trace_put_char(t, '}');
}

/* semctl's, which is behind a pointer when the call came through ipc(2). */
void trace_show_sem_arg(struct trace *t, unsigned i)
{
    static const char *const names[] = {"semmap", "semmni", "semmns", "semmnu", "semmsl",
                                        "semopm", "semume", "semusz", "semvmx", "semaem"};
    uint32_t cmd = (uint32_t)t->arg[i - 1] & ~(uint32_t)IPC_64_K, behind;
    uint64_t v = t->arg[i];

    if (t->is_indirect) {
        if (!trace_fetch_quietly(t, v, &behind, sizeof(behind))) {
            trace_put_addr(t, v);
            return;
        }
        v = behind;
    }
    bool is_structure =
        !(trace_ipc_is_late(t, i) && failed(t)) && (trace_ipc_is_late(t, i) || cmd == SET);
    if (is_structure && (cmd == INFO || cmd == SEM_INFO_K))
        put_words(t, v, names, 10, 4);
    else if (is_structure)
        put_semid(t, v, cmd == SET);
    else if (t->is_indirect) {
        trace_put_char(t, '[');
        trace_put_addr(t, v);
        trace_put_char(t, ']');
    } else
        trace_put_addr(t, v);
}

/* --- shared memory ---------------------------------------------------------------------------------------------------- */

static bool fetch_shmid(struct trace *t, uint64_t addr, struct shmid64_ds *ds)
{
    union i386_shmid64 s;

    if (t->abi != ABI_I386)
        return trace_fetch(t, addr, ds, sizeof(*ds));
    if (!trace_fetch(t, addr, &s, sizeof(s)))
        return false;
    perm_of(&ds->shm_perm, s.perm);
    ds->shm_segsz = s.segsz;
    ds->shm_atime = s.atime;
    ds->shm_dtime = s.dtime;
    ds->shm_ctime = s.ctime;
    ds->shm_cpid = s.cpid;
    ds->shm_lpid = s.lpid;
    ds->shm_nattch = s.nattch;
    return true;
}

static void put_shmid(struct trace *t, uint64_t addr, bool is_set)
{
    struct shmid64_ds ds;

    if (!fetch_shmid(t, addr, &ds))
        return;
    trace_put_char(t, '{');
    put_perm(t, "shm_perm", &ds.shm_perm, is_set);
    if (!is_set) {
        trace_field_u(t, "shm_segsz", ds.shm_segsz);
        trace_field_d(t, "shm_cpid", ds.shm_cpid);
        trace_field_d(t, "shm_lpid", ds.shm_lpid);
        trace_field_u(t, "shm_nattch", ds.shm_nattch);
        trace_field_u(t, "shm_atime", (uint64_t)ds.shm_atime);
        trace_field_u(t, "shm_dtime", (uint64_t)ds.shm_dtime);
        trace_field_u(t, "shm_ctime", (uint64_t)ds.shm_ctime);
    }
    trace_put_char(t, '}');
}

void trace_show_shm_buf(struct trace *t, unsigned i)
{
    static const char *const limits[] = {"shmmax", "shmmin", "shmmni", "shmseg", "shmall"};
    static const char *const used[] = {"shm_tot", "shm_rss", "shm_swp", "swap_attempts",
                                       "swap_successes"};
    uint32_t cmd = (uint32_t)t->arg[i - 1] & ~(uint32_t)IPC_64_K, ids;
    uint64_t v = t->arg[i];

    if (cmd == INFO) {
        put_words(t, v, limits, 5, long_size(t));
    } else if (cmd == SHM_INFO_K) {
        if (!trace_fetch(t, v, &ids, sizeof(ids)))
            return;
        trace_put(t, "{used_ids=");
        trace_put_d(t, (int32_t)ids);
        for (unsigned n = 0; n < 5; n++) {
            bool is_there;
            trace_field_u(t, used[n], trace_fetch_long(t, v + (n + 1) * long_size(t), &is_there));
        }
        trace_put_char(t, '}');
    } else if (cmd == SET || trace_ipc_is_late(t, i)) {
        put_shmid(t, v, cmd == SET);
    } else {
        trace_put_addr(t, v);
    }
}

/* --- messages ------------------------------------------------------------------------------------------------------------ */

static bool fetch_msqid(struct trace *t, uint64_t addr, struct msqid64_ds *ds)
{
    union i386_msqid64 s;

    if (t->abi != ABI_I386)
        return trace_fetch(t, addr, ds, sizeof(*ds));
    if (!trace_fetch(t, addr, &s, sizeof(s)))
        return false;
    perm_of(&ds->msg_perm, s.perm);
    ds->msg_stime = s.stime;
    ds->msg_rtime = s.rtime;
    ds->msg_ctime = s.ctime;
    ds->msg_qnum = s.qnum;
    ds->msg_qbytes = s.qbytes;
    ds->msg_lspid = s.lspid;
    ds->msg_lrpid = s.lrpid;
    return true;
}

static void put_msqid(struct trace *t, uint64_t addr, bool is_set)
{
    struct msqid64_ds ds;

    if (!fetch_msqid(t, addr, &ds))
        return;
    trace_put_char(t, '{');
    put_perm(t, "msg_perm", &ds.msg_perm, is_set);
    if (is_set) {
        trace_field_u(t, "msg_qbytes", ds.msg_qbytes);
    } else {
        trace_field_u(t, "msg_stime", (uint64_t)ds.msg_stime);
        trace_field_u(t, "msg_rtime", (uint64_t)ds.msg_rtime);
        trace_field_u(t, "msg_ctime", (uint64_t)ds.msg_ctime);
        trace_field_u(t, "msg_qnum", ds.msg_qnum);
        trace_field_u(t, "msg_qbytes", ds.msg_qbytes);
        trace_field_d(t, "msg_lspid", ds.msg_lspid);
        trace_field_d(t, "msg_lrpid", ds.msg_lrpid);
    }
    trace_put_char(t, '}');
}

void trace_show_msg_buf(struct trace *t, unsigned i)
{
    static const char *const names[] = {"msgpool", "msgmap", "msgmax", "msgmnb",
                                        "msgmni",  "msgssz", "msgtql", "msgseg"};
    uint32_t cmd = (uint32_t)t->arg[i - 1] & ~(uint32_t)IPC_64_K;

    if (cmd == INFO || cmd == MSG_INFO_K)
        put_words(t, t->arg[i], names, 8, 4);
    else if (cmd == SET || trace_ipc_is_late(t, i))
        put_msqid(t, t->arg[i], cmd == SET);
    else
        trace_put_addr(t, t->arg[i]);
}

/* The type, a long, and as many bytes as the program says. */
void trace_show_msg_text(struct trace *t, unsigned i)
{
    uint64_t type = 0;

    if (!trace_fetch(t, t->arg[i], &type, long_size(t)))
        return;
    trace_put_char(t, '{');
    trace_field_d(t, "mtype", t->abi == ABI_I386 ? (int32_t)type : (int64_t)type);
    trace_field(t, "mtext");
    trace_put_bytes(t, t->arg[i] + long_size(t), t->arg[i + 1]);
    trace_put_char(t, '}');
}
