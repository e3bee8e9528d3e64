#!/bin/sh
# build.sh OUTPUT: the web service as a static program.  Go fetches the router that go.mod names, and checks it by go.sum.
set -eu
cd "$(dirname "$0")"
CGO_ENABLED=0 GOOS=linux GOARCH=amd64 GO111MODULE=on GOTOOLCHAIN=local go build -o "$1.new" .
mv "$1.new" "$1"
