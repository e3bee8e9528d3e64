// The smallest Go program worth running.  Go's runtime starts several threads, installs handlers for all signals
// and reserves large address ranges before it prints the line.
package main

import "fmt"

func main() {
	fmt.Println("hello from Go")
}
