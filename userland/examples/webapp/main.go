// Notes over HTTP, with a router that others wrote: its middleware, URL parameters and groups.
//
//	POST /notes     the body is kept; answers {"id":1,"text":"…"}
//	GET /notes      all of them
//	GET /notes/1    one;  DELETE /notes/1  not any more
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"sort"
	"strconv"
	"sync"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"
)

type note struct {
	ID   int    `json:"id"`
	Text string `json:"text"`
}

type notes struct {
	sync.Mutex
	last int
	all  map[int]note
}

func answer(w http.ResponseWriter, status int, what any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(what)
}

func (n *notes) list(w http.ResponseWriter, r *http.Request) {
	n.Lock()
	defer n.Unlock()
	list := []note{}
	for _, one := range n.all {
		list = append(list, one)
	}
	sort.Slice(list, func(i, j int) bool { return list[i].ID < list[j].ID })
	answer(w, http.StatusOK, list)
}

func (n *notes) add(w http.ResponseWriter, r *http.Request) {
	text, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	n.Lock()
	defer n.Unlock()
	n.last++
	n.all[n.last] = note{n.last, string(text)}
	answer(w, http.StatusCreated, n.all[n.last])
}

// Shows or removes the one that the path names.
func (n *notes) one(w http.ResponseWriter, r *http.Request) {
	id, _ := strconv.Atoi(chi.URLParam(r, "id"))
	n.Lock()
	defer n.Unlock()
	found, ok := n.all[id]
	if !ok {
		http.Error(w, "no such note", http.StatusNotFound)
		return
	}
	if r.Method == http.MethodDelete {
		delete(n.all, id)
	}
	answer(w, http.StatusOK, found)
}

func main() {
	n := &notes{all: map[int]note{}}
	router := chi.NewRouter()
	router.Use(middleware.RequestID, middleware.Recoverer)
	router.Get("/", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintln(w, "notes are at /notes")
	})
	router.Route("/notes", func(r chi.Router) {
		r.Get("/", n.list)
		r.Post("/", n.add)
		r.Get("/{id:[0-9]+}", n.one)
		r.Delete("/{id:[0-9]+}", n.one)
	})
	listener, err := net.Listen("tcp", ":8081")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("listening on :8081")
	log.Fatal(http.Serve(listener, router))
}
