// A garbage collector at work: four goroutines build lists of blocks, drop most of them and check the rest, while a
// fifth forces collections.  A page or a pointer that goes wrong under the collector makes a sum wrong.
package main

import (
	"fmt"
	"os"
	"runtime"
	"sync"
	"time"
)

const workers = 4

type block struct {
	next *block
	data []uint64
	sum  uint64
}

func newBlock(seed uint64, next *block) *block {
	b := &block{next: next, data: make([]uint64, 16+seed%500)}
	for i := range b.data {
		seed = seed*6364136223846793005 + 1442695040888963407
		b.data[i] = seed
		b.sum += seed
	}
	return b
}

func (b *block) good() bool {
	var sum uint64
	for _, v := range b.data {
		sum += v
	}
	return sum == b.sum
}

// work builds lists until the time is over; it returns false when a block has changed by itself.
func work(id uint64, until time.Time) bool {
	for round := uint64(0); round < 3 || time.Now().Before(until); round++ {
		var list *block
		for i := uint64(0); i < 200; i++ {
			list = newBlock(id<<32+round*1000+i, list)
			if i%10 != 0 {
				list = list.next // garbage
			}
		}
		for b := list; b != nil; b = b.next {
			if !b.good() {
				return false
			}
		}
	}
	return true
}

func main() {
	duration := time.Second
	if len(os.Args) > 1 {
		d, err := time.ParseDuration(os.Args[1])
		if err != nil {
			fmt.Fprintln(os.Stderr, "usage: gc [DURATION], such as 5s")
			os.Exit(2)
		}
		duration = d
	}
	until := time.Now().Add(duration)
	results := make([]bool, workers)
	var group sync.WaitGroup
	for id := range results {
		group.Add(1)
		go func(id int) {
			defer group.Done()
			results[id] = work(uint64(id), until)
		}(id)
	}
	done := make(chan bool)
	go func() {
		group.Wait()
		close(done)
	}()
	for running := true; running; {
		select {
		case <-done:
			running = false
		default:
			runtime.GC()
		}
	}
	for id, ok := range results {
		if !ok {
			fmt.Printf("goroutine %d: a block changed by itself\n", id)
			os.Exit(1)
		}
		fmt.Printf("goroutine %d: every sum is right\n", id)
	}
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	fmt.Println("collections:", stats.NumGC > 0, "memory given out:", stats.TotalAlloc > 1<<20)
}
