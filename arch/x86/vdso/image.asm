; The vDSO as the build made it (user/, cmake/vdso.cmake), in whole pages: programs map them as they are.

global vdso_image_64, vdso_image_64_size

section .rodata.vdso align=4096
vdso_image_64:
        incbin  "vdso64.so"
        align   4096, db 0
vdso_image_64_end:

section .rodata
align 8
vdso_image_64_size:
        dq      vdso_image_64_end - vdso_image_64
