module webapp

go 1.18

require github.com/go-chi/chi/v5 v5.0.8
