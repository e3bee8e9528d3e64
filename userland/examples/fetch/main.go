// Fetches URLs: fetch [-o FILE] [-dns HOST:PORT] URL...
//
// Names are looked up as everywhere in Go: in /etc/hosts, then by the servers of /etc/resolv.conf, or by the given one.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"time"
)

func fetch(client *http.Client, url string, to io.Writer) error {
	response, err := client.Get(url)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", url, response.Status)
	}
	n, err := io.Copy(to, response.Body)
	fmt.Fprintf(os.Stderr, "%s: %d bytes, %s\n", response.Request.URL, n, response.Header.Get("Content-Type"))
	return err
}

func main() {
	file := flag.String("o", "", "write to `FILE`, not to stdout")
	server := flag.String("dns", "", "look names up at `HOST:PORT`")
	flag.Parse()
	if flag.NArg() == 0 {
		fmt.Fprintln(os.Stderr, "usage: fetch [-o FILE] [-dns HOST:PORT] URL...")
		os.Exit(2)
	}
	dialer := &net.Dialer{Timeout: 30 * time.Second}
	if *server != "" {
		dialer.Resolver = &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, *server)
		}}
	}
	client := &http.Client{Transport: &http.Transport{DialContext: dialer.DialContext}}
	to := io.Writer(os.Stdout)
	if *file != "" {
		f, err := os.Create(*file)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		defer f.Close()
		to = f
	}
	for _, url := range flag.Args() {
		if err := fetch(client, url, to); err != nil {
			fmt.Fprintln(os.Stderr, "fetch:", err)
			os.Exit(1)
		}
	}
}
