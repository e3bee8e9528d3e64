/* The FPU, as thread.c and trap.c use it (fpu.c). */
#pragma once

#include "internal.h"

#define FPU_CPU_NONE (~0u)

void fpu_init_cpu(void); /* on each CPU */
void *fpu_new(void);     /* the state of a fresh program; free with up_free; NULL: no memory */
void fpu_save(
    void *area); /* may leave out what has its initial value since the last load from `area` */
void fpu_save_full(void *area);
void fpu_load(const void *area);
/* Say that `area` holds x87 state, which was put there by hand. */
void fpu_set_x87(void *area);

#define FXSAVE_SIZE 512 /* of the image at the start of every area */
