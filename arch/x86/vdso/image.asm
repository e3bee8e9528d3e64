; The vDSOs as the build made them (user/, cmake/vdso.cmake).  Programs map them as they are, so kernel.ld gives each whole
; pages of its own.

%macro IMAGE 2
global vdso_image_%1, vdso_image_%1_size

section .rodata.vdso%1 align=16
vdso_image_%1:
        incbin  %2
vdso_image_%1_end:

section .rodata
align 8
vdso_image_%1_size:
        dq      (vdso_image_%1_end - vdso_image_%1 + 4095) & ~4095
%endmacro

        IMAGE   64, "vdso64.loaded"
        IMAGE   32, "vdso32.loaded"
