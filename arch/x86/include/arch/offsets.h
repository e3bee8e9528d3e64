/* Numbers that assembly shares with C.  Only plain #define lines: the build turns them into NASM's %define
 * (offsets.inc).  cpu.c asserts that they are true. */
#pragma once

/* struct cpu */
#define CPU_CURRENT    8
#define CPU_KERNEL_RSP 16
#define CPU_USER_RSP   24
#define CPU_WORK       32

/* struct regs */
#define REGS_RBP      32
#define REGS_R11      48
#define REGS_R10      56
#define REGS_R9       64
#define REGS_R8       72
#define REGS_RAX      80
#define REGS_RCX      88
#define REGS_RDX      96
#define REGS_RSI      104
#define REGS_RDI      112
#define REGS_ORIG_RAX 120
#define REGS_RIP      128
#define REGS_CS       136
#define REGS_RFLAGS   144
#define REGS_RSP      152
#define REGS_SS       160
#define REGS_SIZE     168

/* struct arch_thread */
#define THREAD_RSP 0

/* Segment selectors (arch/regs.h). */
#define SEL_KERNEL_CS 0x10
#define SEL_KERNEL_DS 0x18
#define SEL_USER32_CS 0x23
#define SEL_USER_DS   0x2b
#define SEL_USER_CS   0x33

/* Vectors of internal.h that assembly names. */
#define NUM_VECTORS    256
#define NUM_EXCEPTIONS 32
#define VEC_NMI        2
#define VEC_DOUBLE     8
#define VEC_PROTECTION 13
#define VEC_MACHINE    18
#define VEC_SYSCALL    0x80

/* The early page tables in boot.asm. */
#define BOOT_IMAGE_TABLES 4 /* 2 MiB of kernel image each */
