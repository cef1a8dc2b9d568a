package chain

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"

	"github.com/streamproof/streamproof/harness/stack/settings"
)

// A UserConf is a user's nginx.conf.
type UserConf struct {
	*settings.Conf
	Name string // of the file, without its folder
}

// ReadUserConf reads the user's nginx.conf before anything starts; "" gives nil.
func ReadUserConf(path string) (*UserConf, error) {
	if path == "" {
		return nil, nil
	}
	c, err := settings.ReadNginx(path, os.LookupEnv)
	if err != nil {
		return nil, err
	}
	return &UserConf{Conf: c, Name: filepath.Base(path)}, nil
}

// Knock asks an HTTP server whether it is there and what it is called, by a
// request that it has to refuse itself: HTTP/1.1 without a Host is 400 (RFC 9112
// section 3.2). Any other request to a user's nginx could reach an app that is
// not up yet, and nginx would then leave it out for 10 s (max_fails).
func Knock(ctx context.Context, addr string) (a Answer, err error) {
	ctx, cancel := context.WithTimeout(ctx, askLimit)
	defer cancel()
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
	if err != nil {
		return a, err
	}
	defer conn.Close()
	end, _ := ctx.Deadline()
	if err := conn.SetDeadline(end); err != nil {
		return a, err
	}
	if _, err := io.WriteString(conn, "GET / HTTP/1.1\r\nConnection: close\r\n\r\n"); err != nil {
		return a, err
	}
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return a, err
	}
	res.Body.Close()
	return Answer{Status: res.StatusCode, Header: res.Header}, nil
}
