// A conversation: reads lines, answers each with its SHA-1, until the end of input (Ctrl-D on a terminal).
package main

import (
	"bufio"
	"crypto/sha1"
	"fmt"
	"os"
)

func main() {
	in := bufio.NewReader(os.Stdin)
	fmt.Println("Type a line to see its SHA-1; Ctrl-D ends.")
	for {
		fmt.Print("> ")
		line, err := in.ReadString('\n')
		if len(line) > 0 && line[len(line)-1] == '\n' {
			line = line[:len(line)-1]
		}
		if err != nil && line == "" {
			fmt.Println("bye")
			return
		}
		fmt.Printf("%x\n", sha1.Sum([]byte(line)))
	}
}
