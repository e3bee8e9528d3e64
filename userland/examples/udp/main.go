// A UDP server, with a goroutine for each answer: udp [ADDRESS].
package main

import (
	"fmt"
	"log"
	"net"
	"os"
	"slices"
)

func main() {
	address := ":9999"
	if len(os.Args) > 1 {
		address = os.Args[1]
	}
	socket, err := net.ListenPacket("udp", address)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("listening on", socket.LocalAddr())
	for number := 1; ; number++ {
		buf := make([]byte, 65536)
		n, from, err := socket.ReadFrom(buf)
		if err != nil {
			log.Fatal(err)
		}
		go func(number int) {
			answer := append(fmt.Appendf(nil, "%d ", number), buf[:n]...)
			slices.Reverse(answer[len(answer)-n:])
			if _, err := socket.WriteTo(answer, from); err != nil {
				log.Println(err) // too long for a datagram, say
			}
		}(number)
	}
}
