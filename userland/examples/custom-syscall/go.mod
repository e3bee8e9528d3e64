module custom-syscall

go 1.19
