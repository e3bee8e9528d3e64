/* Tests that run in ring 0, on the kernel's own layers without any program: build/yolk-test.elf.
 *
 * A test is a function that returns normally; CHECK ends the machine with status 1 and the place. */
#pragma once

#include <base/log.h>
#include <base/types.h>

struct kernel_test {
    const char *name;
    void (*run)(void);
};

noreturn void test_failed(const char *file, int line, const char *what);
#define CHECK(cond) ((cond) ? (void)0 : test_failed(__FILE__, __LINE__, #cond))

/* Run `fn(arg)` in `nr` kernel threads at once and wait for all of them. */
void test_in_threads(unsigned nr, void (*fn)(void *arg), void *arg);

extern const struct kernel_test memory_tests[], thread_tests[]; /* ended by a NULL name */
