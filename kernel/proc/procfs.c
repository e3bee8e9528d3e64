/* /proc: the tree.  What concerns the machine is made once at boot; what concerns a process is made
 * by look-up and thrown away when nobody uses it.
 *
 * Locks: a look-up runs under its directory's lock and a text is made under its file's, both of
 * which rank above RANK_PROCESS; so /proc takes a process's lock as RANK_PROCESS_INNER.  That cannot
 * deadlock because nobody who holds a process's lock looks anything up in /proc. */
#include "procfs_private.h"

#include <base/string.h>
#include <core/heap.h>
#include <core/work.h>
#include <linux/magic.h>
#include <linux/stat.h>
#include <proc/procfs.h>
#include <vfs/mount.h>

static struct superblock *procfs;

/* --- processes -------------------------------------------------------------------------------- */

void proc_lock(struct process *p)
{
    mutex_lock_nested(&p->lock, RANK_PROCESS_INNER);
}

void proc_unlock(struct process *p)
{
    mutex_unlock(&p->lock);
}

struct vm *proc_get_vm(struct process *p)
{
    proc_lock(p);
    struct vm *vm = p->vm;
    if (vm)
        vm_get(vm);
    proc_unlock(p);
    return vm;
}

struct fdtable *proc_get_files(struct process *p)
{
    proc_lock(p);
    struct fdtable *files = p->files;
    if (files)
        fdtable_get(files);
    proc_unlock(p);
    return files;
}

struct fs_context *proc_get_fs(struct process *p)
{
    proc_lock(p);
    struct fs_context *fs = p->fs;
    if (fs)
        fs_context_get(fs);
    proc_unlock(p);
    return fs;
}

/* --- what may not be put here ----------------------------------------------------------------- */

struct late_put {
    struct work work;
    void (*put)(void *object);
    void *object;
};

static void run_late_put(struct work *w)
{
    struct late_put *l = container_of(w, struct late_put, work);
    l->put(l->object);
    heap_free(l);
}

/* Without memory it happens at once: the order of locks is then wrong for once, in theory a deadlock. */
static void put_later(void (*put)(void *object), void *object)
{
    struct late_put *l = heap_alloc(sizeof(*l));
    if (!l) {
        put(object);
        return;
    }
    work_init(&l->work, run_late_put);
    l->put = put;
    l->object = object;
    work_queue(&l->work);
}

static void put_vm(void *vm)
{
    vm_put(vm);
}

static void put_files(void *files)
{
    fdtable_put(files);
}

static void put_fs(void *fs)
{
    fs_context_put(fs);
}

static void put_file(void *f)
{
    file_put(f);
}

/* The current process has references of its own as long as this thread lives. */
static void put_of(struct process *p, void (*put)(void *object), void *object)
{
    if (!object)
        return;
    if (p == current_process())
        put(object);
    else
        put_later(put, object);
}

void proc_put_vm(struct process *p, struct vm *vm)
{
    put_of(p, put_vm, vm);
}

void proc_put_files(struct process *p, struct fdtable *files)
{
    put_of(p, put_files, files);
}

void proc_put_fs(struct process *p, struct fs_context *fs)
{
    put_of(p, put_fs, fs);
}

void proc_put_file(struct file *f)
{
    if (f && !ref_put_unless_last(&f->ref))
        put_later(put_file, f);
}

struct task *proc_get_task(const struct proc_node *n)
{
    struct task *t = n->task;
    if (t) {
        task_get(t);
        return t;
    }
    struct process *p = n->process;
    proc_lock(p);
    if (!list_is_empty(&p->tasks)) {
        t = list_entry(p->tasks.next, struct task, process_node);
        task_get(t);
    }
    proc_unlock(p);
    return t;
}

/* --- nodes ------------------------------------------------------------------------------------ */

int proc_fill(struct dentry *d, const struct proc_node *node, unsigned mode,
              const struct inode_ops *ops, const struct file_ops *file_ops)
{
    struct proc_node *copy = heap_alloc(sizeof(*copy));
    if (!copy)
        return -ENOMEM;
    int ret = simple_fill(d, mode, ops, file_ops, copy);
    if (ret < 0) {
        heap_free(copy);
        return ret;
    }
    *copy = *node;
    process_get(copy->process);
    if (copy->task)
        task_get(copy->task);
    return 0;
}

void proc_node_free(struct inode *i)
{
    struct proc_node *n = i->data;
    if (n->task)
        task_put(n->task);
    process_put(n->process);
    heap_free(n);
}

int proc_parse_number(const char *name, size_t len)
{
    int n = 0;
    if (len == 0 || len > 9 || (name[0] == '0' && len > 1))
        return -1;
    for (size_t i = 0; i < len; i++) {
        if (name[i] < '0' || name[i] > '9')
            return -1;
        n = n * 10 + (name[i] - '0');
    }
    return n;
}

/* Emit a computed entry; its inode number is made up from where it is found. */
static bool emit_entry(dir_emit_fn *emit, void *arg, const char *name, unsigned mode, int64_t *pos)
{
    if (!emit(arg, name, strlen(name), *pos & 0xffffffff, (mode & S_IFMT) >> 12, *pos + 1))
        return false;
    ++*pos;
    return true;
}

/* --- links: cwd, root, exe -------------------------------------------------------------------- */

ssize_t proc_path_text(const struct path *where, char *buf, size_t size)
{
    struct path root;
    fs_context_root(current_process()->fs, &root);
    ssize_t len = path_name(&root, where, buf, size);
    path_put(&root);
    return len;
}

static int link_follow(struct inode *i, struct path *out)
{
    struct proc_node *n = proc_node(i);
    return n->entry->where(n->process, out);
}

static ssize_t link_readlink(struct inode *i, char *buf, size_t size)
{
    struct path where;
    int ret = link_follow(i, &where);
    if (ret < 0)
        return ret;
    ssize_t len = proc_path_text(&where, buf, size);
    path_put(&where);
    return len;
}

static const struct inode_ops link_ops = {.set_attr = inode_apply_attr,
                                          .readlink = link_readlink,
                                          .follow = link_follow,
                                          .free = proc_node_free};

/* The root or the working directory. */
static int where_in_fs(struct process *p, bool is_root, struct path *out)
{
    struct fs_context *fs = proc_get_fs(p);
    if (!fs)
        return -ENOENT;
    if (is_root)
        fs_context_root(fs, out);
    else
        fs_context_cwd(fs, out);
    proc_put_fs(p, fs);
    return 0;
}

static int where_root(struct process *p, struct path *out)
{
    return where_in_fs(p, true, out);
}

static int where_cwd(struct process *p, struct path *out)
{
    return where_in_fs(p, false, out);
}

static int where_exe(struct process *p, struct path *out)
{
    proc_lock(p);
    struct file *f = p->exe_file;
    if (f) {
        *out = (struct path){f->mount, f->dentry};
        path_get(out);
    }
    proc_unlock(p);
    return f ? 0 : -ENOENT;
}

/* --- texts ------------------------------------------------------------------------------------ */

static int node_open(struct inode *i, struct file *f)
{
    const struct proc_entry *e = proc_node(i)->entry;
    return text_open(f, e->show, e->store);
}

static int node_set_attr(struct inode *i, const struct inode_attr *attr, const struct cred *cred)
{
    return attr->mask & ATTR_SIZE ? 0 : inode_apply_attr(i, attr, cred);
}

static const struct inode_ops node_ops = {
    .set_attr = node_set_attr, .open = node_open, .free = proc_node_free};

static int show_cgroup(struct text *t, struct inode *i)
{
    text_print(t, "0::/\n");
    return 0;
}

static int show_zero(struct text *t, struct inode *i)
{
    text_print(t, "0\n");
    return 0;
}

/* --- /proc/PID/task --------------------------------------------------------------------------- */

static const struct inode_ops pid_ops, task_dir_ops;
static const struct file_ops pid_file_ops, task_dir_file_ops;

static int task_lookup(struct inode *dir, struct dentry *d)
{
    struct process *p = proc_node(dir)->process;
    int tid = proc_parse_number(d->name, d->name_len);
    struct task *t = tid > 0 ? task_find(tid) : NULL;
    int ret = 0;
    if (t && t->process == p) {
        struct proc_node n = {.process = p, .task = t};
        ret = proc_fill(d, &n, S_IFDIR | 0555, &pid_ops, &pid_file_ops);
    }
    if (t)
        task_put(t);
    return ret;
}

/* The least tid above `after`; 0: none. */
static int next_tid(struct process *p, int after)
{
    int best = 0;
    struct task *t;
    proc_lock(p);
    list_for_each(t, &p->tasks, process_node)
        if (t->tid > after && (best == 0 || t->tid < best))
            best = t->tid;
    proc_unlock(p);
    return best;
}

static int task_readdir(struct file *f, int64_t *pos, dir_emit_fn *emit, void *arg)
{
    int ret = dir_readdir(f, pos, emit, arg);
    if (ret <= 0)
        return ret;
    *pos = MAX(*pos, DIR_POS_DYNAMIC);
    for (;;) {
        char name[12];
        int tid = next_tid(proc_node(f->inode)->process, (int)(*pos - DIR_POS_DYNAMIC) - 1);
        if (tid == 0)
            return 1;
        *pos = DIR_POS_DYNAMIC + tid;
        snprintf(name, sizeof(name), "%d", tid);
        if (!emit_entry(emit, arg, name, S_IFDIR, pos))
            return 0;
    }
}

static const struct inode_ops task_dir_ops = {
    .lookup = task_lookup, .set_attr = inode_apply_attr, .free = proc_node_free};
static const struct file_ops task_dir_file_ops = {.read = dir_read,
                                                  .readdir = task_readdir,
                                                  .seek = file_seek_endless,
                                                  .sync = dir_sync,
                                                  .has_pos = true};

/* --- /proc/PID -------------------------------------------------------------------------------- */

const struct proc_entry proc_entries[] = {
    {"task", S_IFDIR | 0555, .ops = &task_dir_ops, .file_ops = &task_dir_file_ops,
     .only_process = true},
    {"fd", S_IFDIR | 0500, .ops = &proc_fd_ops, .file_ops = &proc_fd_file_ops},
    {"fdinfo", S_IFDIR | 0555, .ops = &proc_fdinfo_ops, .file_ops = &proc_fd_file_ops},
    {"environ", S_IFREG | 0400, .show = proc_show_environ},
    {"auxv", S_IFREG | 0400, .show = proc_show_auxv},
    {"status", S_IFREG | 0444, .show = proc_show_status},
    {"limits", S_IFREG | 0444, .show = proc_show_limits},
    {"comm", S_IFREG | 0644, .show = proc_show_comm, .store = proc_store_comm},
    {"cmdline", S_IFREG | 0444, .show = proc_show_cmdline},
    {"stat", S_IFREG | 0444, .show = proc_show_stat},
    {"statm", S_IFREG | 0444, .show = proc_show_statm},
    {"maps", S_IFREG | 0444, .show = proc_show_maps},
    {"smaps", S_IFREG | 0444, .show = proc_show_smaps},
    {"cwd", S_IFLNK | 0777, .where = where_cwd},
    {"root", S_IFLNK | 0777, .where = where_root},
    {"exe", S_IFLNK | 0777, .where = where_exe},
    {"mounts", S_IFREG | 0444, .show = proc_show_mounts},
    {"mountinfo", S_IFREG | 0444, .show = proc_show_mountinfo},
    {"cgroup", S_IFREG | 0444, .show = show_cgroup},
    {"oom_score", S_IFREG | 0444, .show = show_zero},
    {"oom_score_adj", S_IFREG | 0444, .show = show_zero},
};
const unsigned proc_nr_entries = ARRAY_LEN(proc_entries);

static bool has_entry(const struct proc_node *n, const struct proc_entry *e)
{
    return !(n->task && e->only_process);
}

static int pid_lookup(struct inode *dir, struct dentry *d)
{
    struct proc_node n = *proc_node(dir);
    for (unsigned i = 0; i < proc_nr_entries; i++) {
        const struct proc_entry *e = &proc_entries[i];
        if (strcmp(e->name, d->name) != 0 || !has_entry(&n, e))
            continue;
        n.entry = e;
        const struct inode_ops *ops = e->ops ? e->ops : e->where ? &link_ops : &node_ops;
        return proc_fill(d, &n, e->mode, ops, e->file_ops);
    }
    return 0;
}

static int pid_readdir(struct file *f, int64_t *pos, dir_emit_fn *emit, void *arg)
{
    int ret = dir_readdir(f, pos, emit, arg);
    if (ret <= 0)
        return ret;
    *pos = MAX(*pos, DIR_POS_DYNAMIC);
    while (*pos - DIR_POS_DYNAMIC < proc_nr_entries) {
        const struct proc_entry *e = &proc_entries[*pos - DIR_POS_DYNAMIC];
        if (!has_entry(proc_node(f->inode), e))
            ++*pos;
        else if (!emit_entry(emit, arg, e->name, e->mode, pos))
            return 0;
    }
    return 1;
}

static const struct inode_ops pid_ops = {
    .lookup = pid_lookup, .set_attr = inode_apply_attr, .free = proc_node_free};
static const struct file_ops pid_file_ops = {.read = dir_read,
                                             .readdir = pid_readdir,
                                             .seek = file_seek_endless,
                                             .sync = dir_sync,
                                             .has_pos = true};

/* --- /proc ------------------------------------------------------------------------------------ */

/* Every thread can be looked up here by its id, though only processes are listed. */
static int root_lookup(struct inode *dir, struct dentry *d)
{
    int id = proc_parse_number(d->name, d->name_len), ret = 0;
    if (id <= 0)
        return 0;
    struct process *p = process_find(id);
    if (!p) {
        struct task *t = task_find(id);
        if (!t)
            return 0;
        p = t->process;
        process_get(p);
        task_put(t);
    }
    struct proc_node n = {.process = p};
    ret = proc_fill(d, &n, S_IFDIR | 0555, &pid_ops, &pid_file_ops);
    process_put(p);
    return ret;
}

struct pid_search {
    int after, best;
};

static void find_next_pid(void *arg, struct process *p)
{
    struct pid_search *s = arg;
    if (p->pid > s->after && (s->best == 0 || p->pid < s->best))
        s->best = p->pid;
}

static int root_readdir(struct file *f, int64_t *pos, dir_emit_fn *emit, void *arg)
{
    int ret = dir_readdir(f, pos, emit, arg);
    if (ret <= 0)
        return ret;
    *pos = MAX(*pos, DIR_POS_DYNAMIC);
    for (;;) {
        char name[12];
        struct pid_search s = {.after = (int)(*pos - DIR_POS_DYNAMIC) - 1};
        process_visit_group(0, find_next_pid, &s);
        if (s.best == 0)
            return 1;
        *pos = DIR_POS_DYNAMIC + s.best;
        snprintf(name, sizeof(name), "%d", s.best);
        if (!emit_entry(emit, arg, name, S_IFDIR, pos))
            return 0;
    }
}

static ssize_t self_readlink(struct inode *i, char *buf, size_t size)
{
    return snprintf(buf, size, "%d", current_process()->pid);
}

static ssize_t thread_self_readlink(struct inode *i, char *buf, size_t size)
{
    return snprintf(buf, size, "%d/task/%d", current_process()->pid, current_task()->tid);
}

static int make_procfs(const char *options, struct superblock **sb)
{
    superblock_get(procfs);
    *sb = procfs;
    return 0;
}

void procfs_init(const char *boot_line)
{
    static const struct inode_ops root_ops = {.lookup = root_lookup, .set_attr = inode_apply_attr};
    static const struct file_ops root_file_ops = {.read = dir_read,
                                                  .readdir = root_readdir,
                                                  .seek = file_seek_endless,
                                                  .sync = dir_sync,
                                                  .has_pos = true};
    static const struct inode_ops self_ops = {.readlink = self_readlink};
    static const struct inode_ops thread_self_ops = {.readlink = thread_self_readlink};
    static struct mount_type type = {.name = "proc", .make = make_procfs};

    procfs = simple_superblock("proc", PROC_SUPER_MAGIC, 0555);
    if (!procfs)
        panic("no memory for /proc");
    struct dentry *root = procfs->root;
    root->inode->ops = &root_ops;
    root->inode->file_ops = &root_file_ops;
    if (!simple_special(root, "self", S_IFLNK | 0777, &self_ops, NULL, NULL) ||
        !simple_special(root, "thread-self", S_IFLNK | 0777, &thread_self_ops, NULL, NULL))
        panic("no memory for /proc");
    proc_make_system(root, boot_line);
    proc_make_sys(root);
    proc_make_net(root);
    mount_register_type(&type);
}
