/* How often each call was made, how long it took, how often it failed: strace's table. */
#include "tracecount.h"

#include <stdlib.h>
#include <string.h>
#include <syscalls/custom.h>

#include "yolk.h"

#define RULE "------ ----------- ----------- --------- --------- ----------------\n"

struct count {
    const char *name;
    uint64_t calls, errors, ns;
};

struct tracecount {
    struct count row[NR_ABIS][NR_ROWS + CUSTOM_ROWS_MAX];
    bool is_used[NR_ABIS];
};

struct tracecount *tracecount_new(void)
{
    struct tracecount *c = xmalloc(sizeof *c);

    for (unsigned abi = 0; abi < NR_ABIS; abi++)
        for (unsigned i = 0; i < syscall_nr_rows(); i++)
            c->row[abi][i].name = syscall_name(syscall_of_row(i));
    return c;
}

void tracecount_add(struct tracecount *c, enum abi abi, unsigned row, uint64_t ns, bool failed)
{
    struct count *one = &c->row[abi][row];

    c->is_used[abi] = true;
    one->calls++;
    one->errors += failed;
    one->ns += ns;
}

static int by_time(const void *a, const void *b)
{
    const struct count *x = a, *y = b;

    if (x->ns != y->ns)
        return x->ns < y->ns ? 1 : -1;
    if (x->calls != y->calls)
        return x->calls < y->calls ? 1 : -1;
    return strcmp(x->name, y->name);
}

static double us_per_call(const struct count *c)
{
    return c->calls ? (double)c->ns / 1000 / (double)c->calls : 0;
}

static void print_row(FILE *to, const struct count *c, uint64_t all_ns)
{
    char errors[24] = "";

    if (c->errors)
        snprintf(errors, sizeof errors, "%ju", (uintmax_t)c->errors);
    fprintf(to, "%6.2f %11.6f %11ju %9ju %9s %s\n",
            all_ns ? 100.0 * (double)c->ns / (double)all_ns : 0, (double)c->ns / 1e9,
            (uintmax_t)us_per_call(c), (uintmax_t)c->calls, errors, c->name);
}

/* Sorts the rows. */
static void print_table(struct count *rows, FILE *to)
{
    unsigned nr = syscall_nr_rows();
    struct count total = {.name = "total"};

    qsort(rows, nr, sizeof *rows, by_time);
    for (unsigned i = 0; i < nr; i++) {
        total.calls += rows[i].calls;
        total.errors += rows[i].errors;
        total.ns += rows[i].ns;
    }
    fputs("% time     seconds  usecs/call     calls    errors syscall\n" RULE, to);
    for (unsigned i = 0; i < nr; i++)
        if (rows[i].calls)
            print_row(to, &rows[i], total.ns);
    fputs(RULE, to);
    print_row(to, &total, total.ns);
}

/* A table for each ABI: x86-64's has no heading. */
void tracecount_print(struct tracecount *c, FILE *to)
{
    if (c->is_used[ABI_X86_64] || !c->is_used[ABI_I386])
        print_table(c->row[ABI_X86_64], to);
    if (!c->is_used[ABI_I386])
        return;
    fputs("System call usage summary for 32 bit mode:\n", to);
    print_table(c->row[ABI_I386], to);
}
