// A reverse proxy as people write them in Go, on httputil.ReverseProxy.
package main

import (
	"bytes"
	"context"
	"flag"
	"io"
	"log"
	"net/http"
	"net/http/httputil"
	"net/url"
	"time"
)

func main() {
	listen := flag.String("listen", "", "address")
	target := flag.String("target", "", "URL of the app")
	deadline := flag.Duration("deadline", 0, "a request may take this long")
	limit := flag.Int64("cap", 0, "a response may have that many bytes")
	collect := flag.Bool("collect", false, "read the whole response before it is passed on")
	flag.Parse()
	to, err := url.Parse(*target)
	if err != nil {
		log.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(to)
	proxy.ModifyResponse = func(r *http.Response) error {
		if *limit > 0 {
			r.Body = struct {
				io.Reader
				io.Closer
			}{io.LimitReader(r.Body, *limit), r.Body}
		}
		if *collect {
			all, err := io.ReadAll(r.Body)
			if err != nil {
				return err
			}
			r.Body = io.NopCloser(bytes.NewReader(all))
		}
		return nil
	}
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if *deadline > 0 {
			ctx, cancel := context.WithTimeout(r.Context(), *deadline)
			defer cancel()
			r = r.WithContext(ctx)
		}
		proxy.ServeHTTP(w, r)
	})
	srv := &http.Server{Addr: *listen, Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	log.Fatal(srv.ListenAndServe())
}
