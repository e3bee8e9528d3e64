/* From a file to a program that can start: execve(2), and the first program of all.
 *
 * It goes in two steps.  exec_load opens the file, asks elf.c for a plan and maps it into a new
 * address space: anything may still fail, and the caller keeps what it has.  exec_commit is past
 * the point of no return: it runs in the new address space, fills the stack and sets the registers.
 * File segments are mapped, not read, so a program of any size starts at once and its pages come on
 * demand. */
#include "private.h"

#include "elf.h"

#include <base/string.h>
#include <core/heap.h>
#include <core/usercopy.h>
#include <linux/fcntl.h>
#include <linux/limits.h>
#include <linux/mman.h>
#include <linux/resource.h>
#include <linux/signal.h>
#include <linux/stat.h>
#include <proc/cred.h>

/* --- opening and reading ---------------------------------------------------------------------- */

static int exec_refuse(const char *path, const char *why, int err)
{
    /* The first program's fate is everybody's business; a program's own attempts are not. */
    enum log_level level = current_thread() && current_thread()->is_user ? LOG_INFO : LOG_ERROR;
    log_line(level, "%s %s", path, why);
    return err;
}

static int open_file(const struct walk *walk, const struct exec_request *r, struct file **out)
{
    if (!r->empty_path || r->path[0])
        return path_open(walk, r->path, O_RDONLY | (r->no_follow ? O_NOFOLLOW : 0), 0, out);
    struct path place;
    int err = path_walk(walk, "", WALK_EMPTY, &place);
    if (!err) {
        err = path_open_place(&place, walk->cred, O_RDONLY, out);
        path_put(&place);
    }
    return err;
}

static int exec_open(struct process *p, const struct cred *cred, const struct exec_request *r,
                     struct file **out)
{
    const struct walk walk = {.fs = p->fs, .cred = cred, .at = r->at};
    struct file *f;
    int err = open_file(&walk, r, &f);
    if (err)
        return exec_refuse(r->name, err == -ENOENT ? "does not exist" : "cannot be opened", err);
    if (!S_ISREG(f->inode->mode))
        err = exec_refuse(r->name, "is not a regular file", -EACCES);
    else if (inode_permission(f->inode, cred, MAY_EXEC))
        err = exec_refuse(r->name, "is not executable (chmod +x it)", -EACCES);
    else if (inode_claim_exec(f->inode))
        err = exec_refuse(r->name, "is being written to", -ETXTBSY);
    if (err)
        file_put(f);
    else
        *out = f;
    return err;
}

/* The program in `f` runs no more; what exec_open opened is closed. */
void exec_close(struct file *f)
{
    inode_release_exec(f->inode);
    file_put(f);
}

/* A dynamic program: say which interpreter it wants, and the way out. */
static int refuse_interpreter(const char *path, struct file *f, const struct elf_plan *plan)
{
    char name[64] = "", why[ELF_WHY_BYTES];
    size_t len = MIN(plan->interp_len, sizeof(name) - 1);
    if (file_read_kernel(f, name, len, (int64_t)plan->interp) < 0)
        name[0] = '\0';
    snprintf(why, sizeof(why),
             "is dynamically linked (interpreter %s): link it statically (-static, CGO_ENABLED=0)",
             name);
    return exec_refuse(path, why, -ENOEXEC);
}

static int read_plan(const char *path, struct file *f, struct elf_plan *plan)
{
    char bytes[ELF_HEAD_BYTES];
    struct elf_head head;
    struct elf_why why;
    ssize_t n = file_read_kernel(f, bytes, sizeof(bytes), 0);
    if (n < 0)
        return exec_refuse(path, "cannot be read", (int)n);
    int err = elf_read_head(bytes, (size_t)n, &head, &why);
    if (err)
        return exec_refuse(path, why.text, err);

    size_t size = head.phnum * head.phdr_bytes;
    void *table = heap_alloc(size);
    if (!table)
        return -ENOMEM;
    if (head.phoff > INT64_MAX - size ||
        file_read_kernel(f, table, size, (int64_t)head.phoff) != (ssize_t)size)
        err = exec_refuse(path, "is truncated: its program headers are missing", -ENOEXEC);
    if (!err) {
        err = elf_make_plan(&head, table, f->inode->size, plan, &why);
        if (err)
            exec_refuse(path, why.text, err);
    }
    heap_free(table);
    if (!err && plan->interp_len)
        err = refuse_interpreter(path, f, plan);
    return err;
}

/* --- mapping ---------------------------------------------------------------------------------- */

static int map_file_part(struct exec_image *image, const struct elf_load *load, uintptr_t end)
{
    const struct file_ops *ops = image->file->ops;
    size_t len = end - load->start;
    struct vm_object *object;
    if (!ops->mmap)
        return -ENOEXEC;
    int err = ops->mmap(image->file, load->prot, MAP_PRIVATE, load->offset, len, &object);
    if (err)
        return err;

    struct vm_map_args args = {
        .addr = image->base + load->start,
        .len = len,
        .prot = load->prot,
        .flags = MAP_PRIVATE | MAP_FIXED,
        .object = object,
        .offset = load->offset,
        .max_prot = PROT_READ | PROT_WRITE | PROT_EXEC,
    };
    uintptr_t addr;
    err = vm_map(image->vm, &args, &addr);
    vm_object_put(object);
    return err;
}

static int map_zero_part(struct exec_image *image, const struct elf_load *load, uintptr_t start)
{
    struct vm_map_args args = {
        .addr = image->base + start,
        .len = load->end - start,
        .prot = load->prot,
        .flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
        .max_prot = PROT_READ | PROT_WRITE | PROT_EXEC,
    };
    uintptr_t addr;
    return vm_map(image->vm, &args, &addr);
}

static int map_load(struct exec_image *image, const struct elf_load *load)
{
    uintptr_t file_pages = ALIGN_UP(load->file_end, PAGE_SIZE);
    int err = 0;
    if (file_pages > load->start)
        err = map_file_part(image, load, file_pages);
    if (!err && load->end > file_pages)
        err = map_zero_part(image, load, file_pages);

    /* The rest of the last file page must read as zeros.  Like Linux, mind failure only where it
     * can be written. */
    if (!err && load->mem_end > load->file_end && load->file_end < file_pages)
        image->zero[image->nr_zero++] = (struct exec_zero){
            .start = image->base + load->file_end,
            .len = file_pages - load->file_end,
            .must = load->prot & PROT_WRITE,
        };
    return err;
}

static int map_program(struct exec_image *image, const struct elf_plan *plan, size_t stack_size)
{
    _Static_assert(ARRAY_LEN(image->zero) == ELF_MAX_LOADS, "one tail for each segment");
    uintptr_t pie_base = plan->is_i386 ? USER32_PIE_BASE : USER_PIE_BASE;
    if (plan->is_pie)
        image->base = ALIGN_UP(pie_base, plan->align) - ALIGN_DOWN(plan->low, plan->align);
    image->is_i386 = plan->is_i386;
    if (plan->is_i386)
        vm_set_top(image->vm, USER32_TOP);
    int err = 0;
    for (unsigned i = 0; i < plan->nr_loads && !err; i++)
        err = map_load(image, &plan->load[i]);
    if (!err)
        err = stack_map(image, stack_size, plan->exec_stack);
    if (!err)
        err = vdso_map(image->vm, image->is_i386, &image->vdso);
    if (err)
        return err;

    vm_set_brk(image->vm, image->base + plan->high);
    image->entry = image->base + plan->entry;
    image->phdr = plan->phdr ? image->base + plan->phdr : 0;
    image->phnum = plan->phnum;
    return 0;
}

/* --- step one --------------------------------------------------------------------------------- */

static void exec_image_free(struct exec_image *image)
{
    if (image->vm)
        vm_put(image->vm);
    if (image->file)
        exec_close(image->file);
    heap_free(image);
}

static int load_image(struct exec_image *image, struct process *p, const struct cred *cred,
                      const struct exec_request *r)
{
    size_t stack_size = 0;
    struct elf_plan *plan = heap_alloc(sizeof(*plan));
    int err = plan ? stack_measure(image, process_rlimit(p, RLIMIT_STACK), &stack_size) : -ENOMEM;
    if (!err)
        err = exec_open(p, cred, r, &image->file);
    if (!err)
        err = read_plan(image->name, image->file, plan);
    if (!err) {
        image->vm = vm_new();
        err = image->vm ? 0 : -ENOMEM;
    }
    if (!err) {
        limits_apply_vm(p, image->vm);
        err = map_program(image, plan, stack_size);
        if (err)
            exec_refuse(image->name, "does not fit into memory", err);
    }
    heap_free(plan);
    return err;
}

int exec_load(struct process *p, const struct cred *cred, const struct exec_request *r,
              struct exec_image **out)
{
    static const char *const empty[] = {"", NULL}; /* argv[0] always exists */
    struct exec_image *image = heap_zalloc(sizeof(*image));
    if (!image)
        return -ENOMEM;
    image->name = r->name;
    image->argv = r->argv[0] ? r->argv : empty;
    image->envp = r->envp;
    int err = load_image(image, p, cred, r);
    if (err)
        exec_image_free(image);
    else
        *out = image;
    return err;
}

/* --- step two --------------------------------------------------------------------------------- */

/* From now on the current thread lives in `vm`, whose reference it takes over. */
static void exec_enter_vm(struct vm *vm)
{
    struct thread *self = current_thread();
    struct vm *old = self->vm;
    vm_get(vm); /* the thread's; the caller's becomes the process's */
    bool irqs = arch_irq_save();
    self->vm = vm;
    arch_vm_activate(vm_arch(vm));
    arch_irq_restore(irqs);
    if (old)
        vm_put(old);
}

static void exec_set_registers(const struct exec_image *image, uintptr_t sp)
{
    struct regs *regs = arch_user_regs(&current_thread()->arch);
    memset(regs, 0, sizeof(*regs));
    regs->orig_rax = (uint64_t)-1; /* the old program's call is over */
    regs->rip = image->entry;
    regs->rsp = sp;
    regs->cs = image->is_i386 ? USER32_CS : USER_CS;
    regs->ss = USER_DS;
    regs->rflags = RFLAGS_IF;
    arch_user_reset(image->is_i386);
}

/* The name that ps and /proc/self/comm show: the last component of the path. */
static void exec_set_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    struct thread *self = current_thread();
    memset(self->name, 0, sizeof(self->name));
    strlcpy(self->name, slash ? slash + 1 : path, sizeof(self->name));
}

static void exec_replace_program(struct process *p, struct exec_image *image)
{
    mutex_lock(&p->lock);
    struct file *old_file = p->exe_file;
    struct vm *old_vm = p->vm;
    p->exe_file = image->file;
    p->exe_base = image->base;
    p->is_i386 = image->is_i386;
    p->vdso = image->vdso;
    p->vm = image->vm;
    p->dumpable = true;
    mutex_unlock(&p->lock);
    image->file = NULL; /* taken over */
    image->vm = NULL;
    if (old_file)
        exec_close(old_file);
    if (old_vm)
        vm_put(old_vm);
}

static int exec_fill(struct exec_image *image, struct process *p)
{
    for (unsigned i = 0; i < image->nr_zero; i++) {
        const struct exec_zero *z = &image->zero[i];
        if (user_zero((struct uptr){z->start}, z->len) && z->must)
            return -EFAULT;
    }
    uintptr_t sp;
    int err = stack_fill(image, p, &sp);
    if (!err)
        exec_set_registers(image, sp);
    return err;
}

int exec_commit(struct exec_image *image)
{
    struct process *p = current_process();
    if (current_thread()->vm != image->vm)
        exec_enter_vm(image->vm);
    exec_replace_program(p, image);
    exec_set_name(image->name);
    int err = exec_fill(image, p);
    exec_image_free(image);
    return err;
}

/* What a process sheds on execve(2), besides its memory and the other tasks. */
static void exec_leave_old_program(struct task *t)
{
    exit_leave_memory(t);
    signal_exec();
    timers_exec(t->process);
    rseq_reset(t);
    t->restart.fn = NULL;
    t->robust_list = (struct uptr){0};
    t->robust_list_len = 0;
    fdtable_close_on_exec(t->process->files);
}

int process_exec_check(const struct exec_request *r)
{
    struct file *f;
    int err = exec_open(current_process(), current_cred(), r, &f);
    if (!err)
        exec_close(f);
    return err;
}

int process_exec(const struct exec_request *r)
{
    struct task *t = current_task();
    struct process *p = t->process;
    struct exec_image *image;
    int err = exec_load(p, t->cred, r, &image);
    if (err)
        return err;
    err = cred_exec(image->file->inode);
    if (!err)
        err = exit_other_tasks();
    if (err) {
        exec_image_free(image);
        return err;
    }

    exec_leave_old_program(t);
    err = exec_commit(image);
    if (err) {
        log_error("no memory to start %s", r->path);
        process_exit(SIGKILL); /* there is no program left to tell */
    }
    return 0;
}
