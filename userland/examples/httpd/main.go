// An HTTP server of Go's standard library, unmodified: what it is asked for decides what it answers.
package main

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
)

func main() {
	address := ":8080"
	if len(os.Args) > 1 {
		address = os.Args[1]
	}
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "Hello, World!\n")
	})
	http.HandleFunc("/echo", func(w http.ResponseWriter, r *http.Request) {
		io.Copy(w, r.Body)
	})
	http.HandleFunc("/bytes", func(w http.ResponseWriter, r *http.Request) {
		n := 0
		fmt.Sscan(r.URL.Query().Get("n"), &n)
		buf := make([]byte, n)
		for i := range buf {
			buf[i] = byte(i*7 + i>>8)
		}
		w.Write(buf)
	})
	http.HandleFunc("/stop", func(w http.ResponseWriter, r *http.Request) {
		os.Exit(0)
	})
	fmt.Println("listening on", address)
	log.Fatal(http.ListenAndServe(address, nil))
}
