// Calls greet, which only the kernel of docs/CUSTOM_SYSCALLS.md has.
package main

import (
	"fmt"
	"os"

	"custom-syscall/greet"
)

func main() {
	text := make([]byte, 64)
	n, err := greet.Greet("gopher", text)
	if err != nil {
		fmt.Println("greet:", err)
		os.Exit(1)
	}
	fmt.Println(string(text[:n]))
}
