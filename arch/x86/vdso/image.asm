; The vDSOs as the build made them (user/, cmake/vdso.cmake), in whole pages: programs map them as they are.

%macro IMAGE 2
global vdso_image_%1, vdso_image_%1_size

section .rodata.vdso align=16 ; where kernel.ld begins a page
vdso_image_%1:
        incbin  %2
        times   -($ - $$) & 4095 db 0
vdso_image_%1_end:

section .rodata
align 8
vdso_image_%1_size:
        dq      vdso_image_%1_end - vdso_image_%1
%endmacro

        IMAGE   64, "vdso64.so"
        IMAGE   32, "vdso32.so"
