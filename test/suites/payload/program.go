// The Go runtime: goroutines, collections, panics, timers, a nil pointer, files, a select.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"sort"
	"strings"
	"sync"
	"time"
)

func catch(f func()) (what string) {
	defer func() { what = fmt.Sprint(recover()) }()
	f()
	return ""
}

func main() {
	fmt.Println(len(os.Args)-1, "arguments, ABI_TEST =", os.Getenv("ABI_TEST"))
	var wg sync.WaitGroup
	var m sync.Mutex
	words := map[string]int{}
	for i := 0; i < 50; i++ {
		wg.Add(1)
		go func(i int) {
			defer wg.Done()
			for k := 0; k < 200; k++ {
				s := strings.Repeat("x", (i*k)%97)
				m.Lock()
				words[s]++
				m.Unlock()
				if k%50 == 0 {
					runtime.Gosched()
				}
			}
		}(i)
	}
	wg.Wait()
	keys := make([]string, 0, len(words))
	for k := range words {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	fmt.Println(len(keys), len(keys[len(keys)-1]))
	var nothing *struct{ x int }
	fmt.Println(catch(func() { nothing.x = 1 }))
	fmt.Println(catch(func() { _ = keys[len(keys)+len(os.Args)] }) != "")
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	<-ctx.Done()
	fmt.Println(ctx.Err())
	done := make(chan bool)
	go func() {
		for i := 0; ; i++ { // never calls anything
			if i < 0 {
				break
			}
		}
	}()
	go func() { time.Sleep(5 * time.Millisecond); done <- true }()
	select {
	case <-done:
		fmt.Println("preempted")
	case <-time.After(50 * time.Second):
		fmt.Println("stuck")
	}
	var keep [][]byte
	for i := 0; i < 2000; i++ {
		keep = append(keep, make([]byte, 10000))
		if i%100 == 0 {
			keep = keep[:0]
		}
	}
	runtime.GC()
	debug.FreeOSMemory()
	_, err := os.ReadFile("none")
	fmt.Println(errors.Is(err, os.ErrNotExist))
	if os.WriteFile("file", []byte("text"), 0o600) == nil {
		b, _ := os.ReadFile("file")
		fmt.Println(string(b))
		os.Remove("file")
	}
	r, w, _ := os.Pipe()
	go func() { time.Sleep(time.Millisecond); w.Write([]byte("through a pipe")); w.Close() }()
	b := make([]byte, 100)
	n, _ := r.Read(b)
	fmt.Println(string(b[:n]))
	os.Exit(0)
}
