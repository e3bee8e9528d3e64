/* What the files of procfs share. */
#pragma once

#include <proc/process.h>
#include <vfs/simplefs.h>
#include <vfs/text_file.h>

/* inode->data of everything under /proc/PID. */
struct proc_node {
    struct process *process; /* referenced */
    struct task *task;       /* referenced; NULL: the process as a whole */
    const struct proc_entry
        *entry; /* what it is in the directory; NULL: the directory itself, or an fd */
    int fd;     /* under fd/ and fdinfo/ */
};

/* One name in /proc/PID (and /proc/PID/task/TID): a text, a link or a directory. */
struct proc_entry {
    const char *name;
    unsigned mode;        /* with S_IF* */
    text_show_fn *show;   /* a text, with */
    text_store_fn *store; /* NULL: read-only */
    /* A link: where it leads, referenced. */
    int (*where)(struct process *p, struct path *out);
    const struct inode_ops *ops; /* a directory */
    const struct file_ops *file_ops;
    bool only_process; /* not in task/TID */
};
extern const struct proc_entry proc_entries[];
extern const unsigned proc_nr_entries;

static inline struct proc_node *proc_node(const struct inode *i)
{
    return i->data;
}

/* For inode_ops.lookup: make `d` an inode for a copy of `node` (with references of its own).  0 or -ENOMEM. */
must_check int proc_fill(struct dentry *d, const struct proc_node *node, unsigned mode,
                         const struct inode_ops *ops, const struct file_ops *file_ops);
void proc_node_free(struct inode *i); /* ops->free of such inodes */

/* A number as a whole name; -1: it is none. */
int proc_parse_number(const char *name, size_t len);

/* The process's lock from within /proc: see RANK_PROCESS_INNER. */
void proc_lock(struct process *p);
void proc_unlock(struct process *p);
/* What belongs to a process, referenced; NULL once it is a zombie. */
struct vm *proc_get_vm(struct process *p);
struct fdtable *proc_get_files(struct process *p);
struct fs_context *proc_get_fs(struct process *p);
/* And back.  The last reference to such a thing, or to an open file, may not be dropped under the locks that /proc
 * is called with (it would close files): that is left to a worker.  NULL is fine. */
void proc_put_vm(struct process *p, struct vm *vm);
void proc_put_files(struct process *p, struct fdtable *files);
void proc_put_fs(struct process *p, struct fs_context *fs);
void proc_put_file(struct file *f);
/* The task of a node, or the oldest one of its process, referenced; NULL: none is left. */
struct task *proc_get_task(const struct proc_node *n);

/* Where symbolic links whose target is a file or directory lead, as text. */
ssize_t proc_path_text(const struct path *where, char *buf, size_t size);

/* procfs_fd.c */
extern const struct inode_ops proc_fd_ops, proc_fdinfo_ops;
extern const struct file_ops proc_fd_file_ops;
/* procfs_task.c */
int proc_show_stat(struct text *t, struct inode *i);
int proc_show_statm(struct text *t, struct inode *i);
int proc_show_status(struct text *t, struct inode *i);
int proc_show_limits(struct text *t, struct inode *i);
int proc_show_comm(struct text *t, struct inode *i);
int proc_store_comm(struct inode *i, const char *text, size_t n);
int proc_show_cmdline(struct text *t, struct inode *i);
int proc_show_environ(struct text *t, struct inode *i);
int proc_show_auxv(struct text *t, struct inode *i);
/* procfs_maps.c */
int proc_show_maps(struct text *t, struct inode *i);
int proc_show_smaps(struct text *t, struct inode *i);
int proc_show_mounts(struct text *t, struct inode *i);
int proc_show_mountinfo(struct text *t, struct inode *i);
/* procfs_system.c, procfs_sys.c */
void proc_make_system(struct dentry *root, const char *boot_line);
void proc_make_sys(struct dentry *root);
/* procfs_net.c */
void proc_make_net(struct dentry *root);
