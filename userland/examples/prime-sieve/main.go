// The concurrent prime sieve: one goroutine for each prime, each filtering out its multiples, joined by channels.
package main

import (
	"fmt"
	"os"
	"strconv"
)

// generate sends 2, 3, 4, … to ch.
func generate(ch chan<- int) {
	for i := 2; ; i++ {
		ch <- i
	}
}

// filter passes on what prime does not divide.
func filter(in <-chan int, out chan<- int, prime int) {
	for {
		if i := <-in; i%prime != 0 {
			out <- i
		}
	}
}

func main() {
	count := 100
	if len(os.Args) > 1 {
		n, err := strconv.Atoi(os.Args[1])
		if err != nil || n < 1 {
			fmt.Fprintln(os.Stderr, "usage: prime-sieve [COUNT]")
			os.Exit(2)
		}
		count = n
	}
	ch := make(chan int)
	go generate(ch)
	for i := 0; i < count; i++ {
		prime := <-ch
		fmt.Println(prime)
		next := make(chan int)
		go filter(ch, next, prime)
		ch = next
	}
}
